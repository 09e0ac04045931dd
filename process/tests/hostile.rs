//! Circumstances that nobody wishes for: none makes a call hang, lose output or say what is not so.

mod bounded;
#[expect(dead_code, reason = "what other tests use of it")]
mod limited;
#[expect(dead_code, reason = "what other tests use of it")]
mod talk;

use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::{Arc, Barrier, mpsc};
use std::time::Duration;

use bounded::{LIMIT, check, in_child};
use limited::lower;
use purlin_process::command::{Launch, Program};
use purlin_process::thread::{Builder as ThreadBuilder, Thread};
use purlin_process::{
    Builder, Error, ExitCode, ExitStatus, Fork, Process, at_exit, current, exit, fork,
    receive_handles, shutdown, wait_any,
};
use rustix::process::Resource;
use talk::{all, idle, is_readable, say, talk};

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// How a child ends that is killed if it does not.
fn ended(child: &Process) -> Result<ExitStatus, String> {
    let status = child.join(LIMIT);
    let _ = child.kill();
    status.map_err(text)
}

unsafe extern "C" {
    /// C's standard output, `stdin(3)`.
    static stdout: *mut libc::FILE;
    fn flockfile(stream: *mut libc::FILE);
    fn funlockfile(stream: *mut libc::FILE);
}

/// Prints to C's standard output and keeps it locked until `until` has ended.
#[expect(unsafe_code, reason = "C's stream")]
fn print_and_keep(kept: &mpsc::Sender<()>, until: &mpsc::Receiver<()>) {
    // SAFETY: The stream is libc's, and the text ends in zero; this thread locks and unlocks.
    unsafe {
        flockfile(stdout);
        libc::fputs(c"<parent>".as_ptr(), stdout);
        kept.send(()).expect("the parent listens");
        let _ = until.recv();
        funlockfile(stdout);
    }
}

#[expect(unsafe_code, reason = "C's stream")]
fn print_in_a_child(text: &'static core::ffi::CStr) {
    // SAFETY: The text ends in zero, and has no directives.
    unsafe { libc::printf(text.as_ptr()) };
}

#[test]
#[expect(unsafe_code, reason = "C's stream, a raw fork, and a descriptor's place")]
fn what_a_thread_of_the_parent_prints_at_the_fork_is_the_parents() {
    // shows: process-fork-buffered-output-once
    in_child(|| {
        let (mut reader, said) = talk()?;
        // SAFETY: Nobody owns descriptor 1, and this process ends with this test.
        check(unsafe { libc::dup2(said.as_raw_fd(), 1) } == 1, "the output is a pipe")?;
        drop(said);
        let ((kept, is_kept), (until, ending)) = (mpsc::channel(), mpsc::channel::<()>());
        let printer = std::thread::spawn(move || print_and_keep(&kept, &ending));
        is_kept.recv().map_err(text)?;
        let returns = Process::fork("returns", || print_in_a_child(c"<returns>"));
        let exits = Process::fork("exits", || {
            print_in_a_child(c"<exits>");
            exit(0) as ()
        });
        // SAFETY: The child prints and ends.
        let raw = match unsafe { fork() }.map_err(text)? {
            Fork::Child => {
                print_in_a_child(c"<raw>");
                exit(0)
            }
            Fork::Parent(child) => child,
        };
        for child in [returns.map_err(text)?, exits.map_err(text)?, raw] {
            check(ended(&child)? == ExitStatus::Code(0), "it ends")?;
        }
        drop(until);
        printer.join().map_err(|_| "the printer panicked")?;
        // SAFETY: The streams are libc's own, all of them; then the place is given back.
        unsafe { (libc::fflush(core::ptr::null_mut()), libc::close(1)) };
        let heard = all(&mut reader, "what was printed")?;
        let pieces = ["<returns>", "<exits>", "<raw>", "<parent>"];
        check(pieces.iter().all(|piece| heard.matches(piece).count() == 1), &heard)
    });
}

/// Has two threads that are no daemons do this at the same time.
fn both_at_once(end: fn()) -> Vec<Result<Thread, Error>> {
    let barrier = Arc::new(Barrier::new(2));
    let one = || {
        let barrier = Arc::clone(&barrier);
        Thread::start("ends", move || {
            barrier.wait();
            end();
        })
    };
    vec![one(), one()]
}

#[test]
fn two_threads_that_end_the_process_do_not_wait_for_each_other() {
    in_child(|| {
        for _ in 0..20 {
            let exits = Process::fork("exits", || {
                let _threads = both_at_once(|| exit(3));
                idle();
            });
            check(ended(&exits.map_err(text)?)? == ExitStatus::Code(3), "it exits")?;
            let shuts_down = Process::fork("shuts down", || -> Result<(), Error> {
                for thread in both_at_once(shutdown) {
                    thread?.join(LIMIT)?;
                }
                Ok(())
            });
            check(ended(&shuts_down.map_err(text)?)? == ExitStatus::Code(0), "it shuts down")?;
        }
        Ok(())
    });
}

#[test]
fn an_exit_waits_for_the_hook_that_another_thread_runs() {
    in_child(|| {
        let (mut reader, said) = talk()?;
        let child = Process::fork("exits", || -> Result<(), Error> {
            let (in_hook, has_begun) = mpsc::channel();
            let (_keeps_silent, silence) = mpsc::channel::<()>();
            let said = said;
            at_exit(move || {
                let _ = in_hook.send(());
                // Nothing comes; the other may end the process meanwhile, if it does not wait.
                let _ = silence.recv_timeout(Duration::from_millis(50));
                say(&said, "hook");
            });
            Thread::start("first", || exit(4) as ())?;
            let _ = has_begun.recv();
            Thread::start("second", || exit(4) as ())?;
            idle();
            Ok(())
        });
        check(ended(&child.map_err(text)?)? == ExitStatus::Code(4), "it exits")?;
        check(all(&mut reader, "the hook")? == "hook", "the hook has run to its end")
    });
}

#[test]
fn a_stack_beyond_all_memory_is_refused() {
    let refused = || {
        let sizes = [usize::MAX, usize::MAX - 4095, isize::MAX as usize];
        sizes.map(|bytes| ThreadBuilder::new().stack_size(bytes).start(|| ()).err())
            == [Some(Error::OutOfResources); 3]
    };
    assert!(refused());
    in_child(|| check(refused(), "nor in a forked child"));
}

#[test]
fn a_message_that_memory_does_not_suffice_for_is_refused() {
    in_child(|| {
        let (ours, mut theirs) = UnixStream::pair().map_err(text)?;
        let sender = std::thread::spawn(move || {
            let _ = theirs.write_all(b"prl\x01\0\0\0\0\0\0\0\x40\0\0\0\0"); // 1 GiB
            let piece = vec![0; 1 << 20];
            while theirs.write_all(&piece).is_ok() {} // ends when the receiver is gone
        });
        lower(Resource::As, 400 << 20)?;
        let received = receive_handles::<()>(&ours, LIMIT);
        drop(ours);
        sender.join().map_err(|_| "the sender panicked")?;
        check(received == Err(Error::OutOfResources), &format!("{received:?}"))
    });
}

#[test]
fn more_children_than_descriptors_may_be_open_are_waited_for() {
    in_child(|| {
        let children = (0..20).map(|number| Process::fork("", move || ExitCode(number)));
        let children = children.collect::<Result<Vec<_>, _>>().map_err(text)?;
        let idler = Process::fork("idler", idle).map_err(text)?;
        lower(Resource::Nofile, 0)?;
        let is_late = idler.join(Duration::from_millis(5)) == Err(Error::TimedOut);
        check(is_late && idler.is_alive() == Ok(true), "there is a limit")?;
        idler.kill().map_err(text)?;
        check(idler.join(LIMIT) == Ok(ExitStatus::Signal(9)), "it is joined")?;
        let ended = wait_any(&children.iter().collect::<Vec<_>>(), LIMIT);
        check(ended.is_ok_and(|ended| !ended.is_empty()), "one of many ends")?;
        let codes = (0..20).map(|number| Ok(ExitStatus::Code(number)));
        check(codes.eq(children.iter().map(|child| child.join(LIMIT))), "they are joined")
    });
}

#[test]
fn a_parent_and_a_programs_streams_are_waited_for_without_a_right_to_descriptors() {
    in_child(|| {
        let child = Process::fork("child", || -> Result<(), String> {
            let parent = current().parent().ok_or("no parent")?;
            let mut command = Command::new("sh");
            command.args(["-c", "cat; echo err >&2"]).stdin(Stdio::piped());
            let program = Launch::new(command).capture().start().map_err(text)?;
            let mut exchange = program.exchange("in").map_err(text)?;
            lower(Resource::Nofile, 0)?;
            check(parent.is_alive() == Ok(true), "it lives")?;
            let is_late = parent.join(Duration::from_millis(5)) == Err(Error::TimedOut);
            check(is_late, "and is waited for")?;
            let output = exchange.finish(LIMIT).map_err(text)?;
            check(output.stdout.as_deref() == Some(&b"in"[..]), "its output")?;
            check(output.stderr.as_deref() == Some(&b"err\n"[..]), "and its errors")
        });
        check(child.map_err(text)?.join(LIMIT) == Ok(ExitStatus::Code(0)), "the child")
    });
}

/// In a process that ignores the end of its children: whether this starts.
#[expect(unsafe_code, reason = "a signal's action, and a variable")]
fn starts_with(path: Option<&str>, directory: &str) -> Result<(), String> {
    let path = path.map(std::ffi::CString::new).transpose().map_err(text)?;
    // SAFETY: The process has one thread, and does nothing else; the texts end in zero. Not by std,
    // whose lock a thread of the parent may have had.
    unsafe {
        libc::signal(libc::SIGCHLD, libc::SIG_IGN);
        match path {
            Some(path) => libc::setenv(c"PATH".as_ptr(), path.as_ptr(), 1),
            None => libc::unsetenv(c"PATH".as_ptr()),
        };
    }
    let mut command = Command::new("true");
    command.current_dir(directory);
    let program = Program::start(command).map_err(text)?;
    program.wait(LIMIT).map(drop).map_err(text)
}

#[test]
fn a_program_is_found_where_it_is_also_if_the_end_of_children_is_ignored() {
    let folder = std::env::temp_dir().join(format!("purlin-hostile-{}", std::process::id()));
    std::fs::create_dir(&folder).expect("a folder");
    std::fs::write(folder.join("true"), "no program").expect("a file");
    let first = format!("{}:/bin:/usr/bin", folder.display());
    let is_started = |path: Option<&str>, directory: &str| {
        let child = Process::fork("starts", || starts_with(path, directory));
        child.is_ok_and(|child| ended(&child) == Ok(ExitStatus::Code(0)))
    };
    let without_path = is_started(None, "/");
    let behind_another = is_started(Some(&first), "/");
    let in_the_directory = is_started(Some(""), "/bin");
    let nowhere = is_started(Some("/nowhere"), "/bin");
    std::fs::remove_dir_all(&folder).expect("the folder");
    assert!(without_path && behind_another && in_the_directory && !nowhere);
}

/// Whether the processes that the calling one starts from now on are in a namespace of their own.
#[expect(unsafe_code, reason = "rustix has it under a feature")]
fn enter_namespace() -> bool {
    // SAFETY: It takes a number.
    unsafe {
        libc::unshare(libc::CLONE_NEWPID) == 0
            || libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWPID) == 0
    }
}

#[test]
fn the_first_process_of_a_namespace_ends_with_its_parent_as_a_daemon() {
    in_child(|| {
        let (mut reader, said) = talk()?;
        let parent = Process::fork("parent", || -> Result<ExitCode, Error> {
            if !enter_namespace() {
                return Ok(ExitCode(77)); // nobody may here
            }
            let said = said;
            Builder::new().daemon(true).fork(|| {
                say(&said, "1");
                idle();
            })?;
            drop(said);
            idle();
            Ok(ExitCode(0))
        });
        let parent = parent.map_err(text)?;
        if parent.join(Duration::ZERO).is_err() && is_readable(&reader, LIMIT) {
            parent.kill().map_err(text)?;
        }
        match ended(&parent)? {
            ExitStatus::Code(77) => Ok(()),
            status => {
                check(
                    status == ExitStatus::Signal(9),
                    &format!("the parent was killed: {status}"),
                )?;
                check(all(&mut reader, "the daemon")? == "1", "the daemon has begun and ended")
            }
        }
    });
}
