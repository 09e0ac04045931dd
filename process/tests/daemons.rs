//! Daemons: they end with their parent, however that ends, and start nothing.

mod bounded;
mod talk;
mod traces;

use std::io::PipeWriter;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use bounded::{LIMIT, check, in_child};
use purlin_process::{
    Builder, Error, ExitCode, ExitStatus, Fork, Process, active_children, current, exit,
};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use talk::{all, idle, is_readable, listen, next, say, talk};
use traces::{descriptor_count, has_children};

fn text(error: Error) -> String {
    error.to_string()
}

/// A daemon that says `r`, and then idles.
fn idler(said: &PipeWriter) -> Result<Process, Error> {
    Builder::new().daemon(true).fork(|| {
        say(said, "r");
        idle();
    })
}

/// Ends the calling process at once, without a word to anybody.
#[expect(unsafe_code, reason = "_exit has no safe form")]
fn leave_at_once() {
    // SAFETY: it asks for nothing.
    unsafe { libc::_exit(0) }
}

/// Has a parent start three daemons, which say that they run, and then end in this way once they
/// do. All that they said, up to the end of the last.
fn outlived_by_daemons(end: impl FnOnce(&Process, &PipeWriter)) -> Result<String, String> {
    let (mut reader, said) = talk()?;
    let (until, go) = talk()?;
    let parent = Process::fork("parent", || -> Result<(), Error> {
        let _daemons = [idler(&said)?, idler(&said)?, idler(&said)?];
        listen(&until);
        leave_at_once();
        Ok(())
    });
    let parent = parent.map_err(text)?;
    drop(said);
    for _ in 0..3 {
        next(&mut reader, "the word of a daemon that it runs")?;
    }
    end(&parent, &go);
    parent.join(LIMIT).map_err(text)?;
    all(&mut reader, "the life of the daemons")
}

#[test]
fn all_daemons_end_with_a_killed_parent() {
    // shows: process-daemon-dies-with-killed-parent
    in_child(|| {
        let rest = outlived_by_daemons(|parent, _| {
            let _ = parent.kill();
        })?;
        check(rest.is_empty(), "they said no more")
    });
}

#[test]
fn all_daemons_end_with_a_parent_that_leaves_at_once() {
    // shows: process-daemon-dies-with-immediate-exit
    in_child(|| {
        let rest = outlived_by_daemons(|_, go| say(go, "!"))?;
        check(rest.is_empty(), "they said no more")
    });
}

#[test]
fn a_daemon_ends_although_its_siblings_live_on() {
    in_child(|| {
        let (mut reader, said) = talk()?;
        let (until, release) = talk()?;
        let (mut release, mut said) = (Some(release), Some(said));
        let (mut sibling_reader, sibling_said) = talk()?;
        let parent = Process::fork("parent", || -> Result<(), Error> {
            release.take(); // the copy of this process
            let _daemon = said.as_ref().map(idler).transpose()?;
            // Forked while there is a daemon: it must let go of what the daemon's life hangs on.
            let _sibling = Process::fork("sibling", || {
                said.take();
                say(&sibling_said, "s");
                listen(&until);
            })?;
            idle();
            Ok(())
        });
        let parent = parent.map_err(text)?;
        drop((said, sibling_said));
        next(&mut reader, "the daemon's word")?;
        next(&mut sibling_reader, "the sibling's word")?;
        parent.kill().map_err(text)?;
        parent.join(LIMIT).map_err(text)?;
        all(&mut reader, "the life of the daemon")?;
        check(!is_readable(&sibling_reader, Duration::ZERO), "the sibling lives")?;
        drop(release);
        all(&mut sibling_reader, "the life of the sibling").map(drop)
    });
}

#[test]
fn no_daemon_is_left_wherever_its_parent_is_killed() {
    in_child(|| {
        for round in 0..40 {
            let (mut reader, said) = talk()?;
            let parent = Process::fork("parent", || -> Result<(), Error> {
                let mut daemons = Vec::new();
                for _ in 0..8 {
                    daemons.push(idler(&said)?);
                }
                idle();
                Ok(())
            });
            let parent = parent.map_err(text)?;
            drop(said);
            for _ in 0..=round % 8 {
                next(&mut reader, "the word of a daemon")?;
            }
            // Not a delay to order anything: it only varies where in its loop the parent dies.
            for count in 0..round * 500 {
                std::hint::black_box(count);
            }
            parent.kill().map_err(text)?;
            check(parent.join(LIMIT) == Ok(ExitStatus::Signal(9)), "the parent was killed")?;
            all(&mut reader, &format!("the life of the daemons of round {round}"))?;
        }
        Ok(())
    });
}

#[test]
fn a_daemon_outlives_the_thread_that_started_it() {
    // shows: process-daemon-survives-thread-that-started-it
    in_child(|| {
        let (mut reader, said) = talk()?;
        let (until, ask) = talk()?;
        let start = || {
            let daemon = Builder::new().daemon(true).fork(|| {
                listen(&until);
                say(&said, "a");
                idle();
            });
            daemon.map(|daemon| (daemon, rustix::thread::gettid()))
        };
        let started = std::thread::scope(|scope| scope.spawn(start).join());
        let (daemon, thread) = started.map_err(|_| "a panic")?.map_err(text)?;
        let place = format!("/proc/self/task/{}", thread.as_raw_pid());
        while std::fs::exists(&place).is_ok_and(|exists| exists) {
            std::thread::yield_now(); // ends with the thread, which has nothing more to do
        }
        say(&ask, "?");
        next(&mut reader, "the daemon's answer")?;
        check(daemon.is_alive() == Ok(true), "it lives")?;
        daemon.kill().map_err(text)?;
        daemon.join(LIMIT).map(drop).map_err(text)
    });
}

#[test]
#[expect(unsafe_code, reason = "a raw fork, which is refused")]
fn a_daemon_starts_nothing() {
    // shows: process-daemon-may-not-have-children, process-daemon-inherited
    in_child(|| {
        let daemon = Builder::new().daemon(true).fork(|| -> Result<(), String> {
            let refused = Error::DaemonMayNotHaveChildren;
            check(current().is_daemon(), "it is a daemon")?;
            check(Builder::new().is_daemon(), "so is what it describes")?;
            check(Process::fork("", || ()) == Err(refused), "no fork")?;
            check(Process::spawn("", |(), ()| (), (), ()) == Err(refused), "no spawn")?;
            let described = Builder::new().daemon(false);
            check(described.fork(|| ()) == Err(refused), "also of none that is no daemon")?;
            // SAFETY: it does not fork; if it did, the child would end.
            match unsafe { purlin_process::fork() } {
                Ok(Fork::Child) => exit(9),
                answer => check(matches!(answer, Err(error) if error == refused), "no raw fork")?,
            }
            check(!has_children(), "nothing was started")
        });
        check(daemon.map_err(text)?.join(LIMIT) == Ok(ExitStatus::Code(0)), "see above")
    });
}

/// Where the next handler writes.
static SAID: AtomicI32 = AtomicI32::new(-1);

#[expect(unsafe_code, reason = "a signal handler that writes and leaves")]
extern "C" fn say_and_leave(_: libc::c_int) {
    // Relaxed: set before the handler was, by the same thread.
    let fd = SAID.load(Ordering::Relaxed);
    // SAFETY: both are system calls that a handler may make; the text is valid for its length.
    unsafe {
        libc::write(fd, c"T".as_ptr().cast(), 1);
        libc::_exit(7)
    }
}

#[expect(unsafe_code, reason = "what a process does with a signal")]
fn on_termination(action: libc::sighandler_t) {
    // SAFETY: the action is to ignore, or a handler of this program that makes system calls only.
    unsafe { libc::signal(libc::SIGTERM, action) };
}

/// A parent that ends once its daemon runs. What that said after its `r`, and whether it is gone as
/// soon as the parent has ended.
fn end_of_a_daemon(prepare: impl FnOnce(&PipeWriter)) -> Result<(String, bool), String> {
    let (mut reader, said) = talk()?;
    let (until, go) = talk()?;
    let (mut numbers, number) = talk()?;
    let parent = Process::fork("parent", || -> Result<ExitCode, Error> {
        let daemon = Builder::new().daemon(true).fork(|| {
            prepare(&said);
            say(&said, "r");
            idle();
        })?;
        let _ = rustix::io::write(&number, &daemon.pid().to_le_bytes());
        listen(&until);
        Ok(ExitCode(3))
    });
    let parent = parent.map_err(text)?;
    drop(said);
    next(&mut reader, "the daemon's word")?;
    let mut pid = [0; 4];
    for byte in &mut pid {
        *byte = next(&mut numbers, "its number")?;
    }
    say(&go, "!");
    check(parent.join(LIMIT) == Ok(ExitStatus::Code(3)), "the parent ends as its function says")?;
    let is_over = is_readable(&reader, Duration::ZERO);
    let rest = all(&mut reader, "the life of the daemon")?;
    let pid = Pid::from_raw(i32::from_le_bytes(pid)).ok_or("no number")?;
    Ok((rest, is_over && test_kill_process(pid).is_err()))
}

#[test]
fn a_daemon_is_asked_to_end_and_collected_when_its_parent_ends() {
    // shows: process-daemon-terminated-and-collected-at-exit, process-daemon-ends-with-main
    in_child(|| {
        let (rest, is_gone) = end_of_a_daemon(|said| {
            // Relaxed: read by a handler of this thread.
            SAID.store(std::os::fd::AsRawFd::as_raw_fd(said), Ordering::Relaxed);
            on_termination(say_and_leave as *const () as libc::sighandler_t);
        })?;
        check(rest == "T", &format!("it was asked: {rest:?}"))?;
        check(is_gone, "it is gone when its parent is")
    });
}

#[test]
fn a_daemon_that_will_not_end_is_killed() {
    // shows: process-daemon-ignoring-termination-does-not-hold-up-parent
    in_child(|| {
        let (rest, is_gone) = end_of_a_daemon(|_| on_termination(libc::SIG_IGN))?;
        check(rest.is_empty() && is_gone, "it is gone when its parent is")
    });
}

/// Runs inside `fork(2)` on the child's side: it stands still before it has done anything.
extern "C" fn stand_still() {
    let _ = kill_process(rustix::process::getpid(), Signal::STOP);
}

/// The parent says that the start is over, and is killed: it has no word from its daemon.
#[test]
#[expect(unsafe_code, reason = "a fork handler is the one place before a daemon's first step")]
fn a_daemon_that_stands_still_from_its_birth_ends_with_a_killed_parent() {
    in_child(|| {
        let (mut reader, said) = talk()?;
        let (mut own, running) = talk()?;
        let parent = Process::fork("parent", || -> Result<(), Error> {
            // SAFETY: the handler makes system calls only, and stays loaded with this program.
            unsafe { libc::pthread_atfork(None, None, Some(stand_still)) };
            let daemon = Builder::new().daemon(true).fork(idle);
            say(&said, if daemon.is_ok() { "s" } else { "f" });
            idle();
            drop(running); // the daemon has a copy, and now no other
            Ok(())
        });
        let parent = parent.map_err(text)?;
        drop(said);
        check(next(&mut reader, "the start of the daemon")? == b's', "it started")?;
        parent.kill().map_err(text)?;
        parent.join(LIMIT).map_err(text)?;
        all(&mut own, "the life of the daemon").map(drop)
    });
}

#[test]
fn a_daemon_that_stands_still_is_killed() {
    in_child(|| {
        let parent = Process::fork("parent", || -> Result<(), Error> {
            let daemon = Builder::new().daemon(true).fork(idle)?;
            daemon.signal(libc::SIGSTOP)
        });
        check(parent.map_err(text)?.join(LIMIT) == Ok(ExitStatus::Code(0)), "the parent ends")
    });
}

#[test]
fn a_joined_daemon_has_finished() {
    // shows: process-daemon-joined-first-completes
    in_child(|| {
        let daemon = Builder::new().daemon(true).fork(|| ExitCode(5)).map_err(text)?;
        check(daemon.is_daemon(), "it is a daemon")?;
        check(daemon.join(LIMIT) == Ok(ExitStatus::Code(5)), "it ends by itself")
    });
}

#[test]
fn only_those_are_daemons_that_are_to_be() {
    // shows: process-daemon-default-false, process-daemon-given-at-creation
    // shows: process-daemon-set-before-start, process-current-in-main
    assert!(!current().is_daemon());
    assert!(!Builder::new().is_daemon());
    assert!(Builder::new().daemon(true).is_daemon());
    assert!(!Builder::new().daemon(true).daemon(false).is_daemon());
    for is_daemon in [false, true] {
        let child =
            Builder::new().daemon(is_daemon).fork(|| ExitCode(i32::from(current().is_daemon())));
        let child = child.unwrap();
        assert_eq!(child.is_daemon(), is_daemon);
        assert_eq!(child.join(LIMIT), Ok(ExitStatus::Code(i32::from(is_daemon))));
    }
}

#[test]
fn fifty_daemons_leave_the_one_descriptor_of_their_parent() {
    in_child(|| {
        let quick = || Builder::new().daemon(true).fork(|| ()).and_then(|child| child.join(LIMIT));
        let before = descriptor_count();
        for _ in 0..50 {
            check(quick() == Ok(ExitStatus::Code(0)), "each ends")?;
        }
        check(descriptor_count() == before + 1, "one, for as long as this process lives")?;
        check(active_children().is_empty() && !has_children(), "no child is left")
    });
}

#[test]
#[expect(unsafe_code, reason = "foreign code that closes what is not its own")]
fn who_loses_the_write_end_starts_daemons_all_the_same() {
    in_child(|| {
        let daemon = Builder::new().daemon(true).fork(idle).map_err(text)?;
        let lowest = rustix::io::dup(rustix::stdio::stdin()).map_err(|errno| errno.to_string())?;
        // SAFETY: nothing that this process still uses by its own numbers is beyond the standard
        // ones, but the child's descriptor, and that fails as is said.
        unsafe { libc::close_range(3, libc::c_uint::MAX, 0) };
        std::mem::forget(lowest); // closed
        // What was held is gone, and so is the daemon; its number is not given again uncollected.
        let pid = Pid::from_raw(daemon.pid()).ok_or("no number")?;
        let ended = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty());
        check(ended.is_ok_and(|end| end.is_some()), "the first has ended")?;
        std::mem::forget(daemon); // its descriptor is not its own any more
        let second = Builder::new().daemon(true).fork(|| ExitCode(4)).map_err(text)?;
        check(second.join(LIMIT) == Ok(ExitStatus::Code(4)), "the second runs")
    });
}

#[test]
fn whoever_executes_another_program_ends_its_daemons() {
    in_child(|| {
        let (mut reader, said) = talk()?;
        let (until, release) = talk()?;
        let (running, runs) = talk()?;
        let parent = Process::fork("parent", || -> Result<(), String> {
            let daemon = Builder::new().daemon(true).fork(|| {
                let _alive = &said;
                say(&runs, "r");
                idle();
            });
            daemon.map_err(text)?;
            listen(&running);
            Err(Command::new("cat").stdin(until).exec().to_string())
        });
        let parent = parent.map_err(text)?;
        drop(said);
        let rest = all(&mut reader, "the life of the daemon")?;
        check(rest.is_empty(), "it said no more")?;
        check(parent.is_alive() == Ok(true), "the other program runs")?;
        drop(release);
        check(parent.join(LIMIT) == Ok(ExitStatus::Code(0)), "and ends with its input")
    });
}

#[test]
fn a_daemon_killed_by_others_is_joined_as_killed() {
    in_child(|| {
        let daemon = Builder::new().daemon(true).fork(idle).map_err(text)?;
        let pid = Pid::from_raw(daemon.pid()).ok_or("no number")?;
        kill_process(pid, Signal::KILL).map_err(|errno| errno.to_string())?;
        check(daemon.join(LIMIT) == Ok(ExitStatus::Signal(9)), "killed")
    });
}
