//! What a child takes over from its parent, and what it leaves alone.
//!
//! Streams and exit handlers are looked at in a fresh program, this one started once more with one
//! test selected, since the test harness has its own ideas about output.

mod bounded;
mod traces;

use std::io::{Read, Write, pipe, stdin, stdout};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use bounded::{LIMIT, becomes_ready, check, in_child};
use purlin_process::{Error, ExitCode, ExitStatus, Process};
use traces::{descriptor_count, has_children};

/// Set in the environment of the fresh program: it is to run the probe and not to start another.
const PROBE: &str = "PURLIN_PROCESS_PROBE";

/// What a fresh program printed and how it ended.
struct Printed {
    out: String,
    err: String,
    status: std::process::ExitStatus,
}

/// In this program: starts it afresh with the test `name` alone and `input` on its standard input,
/// and returns what that printed. In the fresh one: runs `probe` and returns nothing.
#[expect(unsafe_code, reason = "an alarm, so that no hang of the fresh program is ours")]
fn afresh(name: &str, input: &[u8], probe: impl FnOnce()) -> Option<Printed> {
    if std::env::var_os(PROBE).is_some() {
        // SAFETY: it takes a number; the signal's default action ends a program that hangs.
        unsafe { libc::alarm(2 * LIMIT.as_secs() as u32) };
        probe();
        return None;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([name, "--exact", "--nocapture", "--quiet"]).env(PROBE, "1");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut program = command.spawn().unwrap();
    program.stdin.take().unwrap().write_all(input).unwrap();
    let output = program.wait_with_output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    Some(Printed { out, err, status: output.status })
}

fn joined(child: Result<Process, Error>) -> ExitStatus {
    let child = child.unwrap();
    let status = child.join(LIMIT);
    let _ = child.kill();
    status.unwrap()
}

fn text(error: Error) -> String {
    error.to_string()
}

#[test]
fn the_childs_input_is_empty() {
    // shows: process-child-stdin-is-empty
    let printed = afresh("the_childs_input_is_empty", b"for the parent", || {
        let count = || ExitCode(stdin().lock().read(&mut [0; 8]).map_or(99, |count| count as i32));
        assert_eq!(joined(Process::fork("reader", count)), ExitStatus::Code(0));
        let mut input = String::new();
        stdin().read_to_string(&mut input).unwrap();
        assert_eq!(input, "for the parent");
    });
    assert!(printed.is_none_or(|printed| printed.status.success()));
}

#[test]
#[expect(unsafe_code, reason = "C's printf has a buffer of its own")]
fn what_was_printed_before_appears_once() {
    // shows: process-fork-buffered-output-once, process-child-output-flushed-at-end
    let printed = afresh("what_was_printed_before_appears_once", b"", || {
        print!("<start>");
        // SAFETY: the format has no directives.
        unsafe { libc::printf(c"<c-start>".as_ptr()) };
        let tail = || {
            print!("<tail>");
            // SAFETY: the format has no directives.
            unsafe { libc::printf(c"<c-tail>".as_ptr()) };
        };
        assert_eq!(joined(Process::fork("printer", tail)), ExitStatus::Code(0));
    });
    let Some(Printed { out, .. }) = printed else { return };
    for piece in ["<start>", "<c-start>", "<tail>", "<c-tail>"] {
        assert_eq!(out.matches(piece).count(), 1, "{piece} in {out:?}");
    }
}

#[test]
#[expect(unsafe_code, reason = "a descriptor's place")]
fn what_could_not_be_printed_before_appears_once() {
    // shows: process-fork-buffered-output-once
    let printed = afresh("what_could_not_be_printed_before_appears_once", b"", || {
        let kept = stdout().as_fd().try_clone_to_owned().unwrap();
        let (mut reader, writer) = pipe().unwrap();
        for end in [reader.as_fd(), writer.as_fd()] {
            rustix::io::ioctl_fionbio(end, true).unwrap();
        }
        let place = |fd: &OwnedFd| {
            // SAFETY: Nobody owns descriptor 1.
            assert_eq!(unsafe { libc::dup2(fd.as_raw_fd(), 1) }, 1);
        };
        place(&writer.into());
        while rustix::io::write(stdout(), &[b'.'; 4096]).is_ok() {} // until it is full
        print!("<once>");
        let mut said = String::new();
        let child = Process::fork("makes room", || {
            let _ = reader.read_to_string(&mut String::new()); // refused once nothing is left
        });
        let status = joined(child);
        print!("<more>");
        stdout().flush().unwrap();
        place(&kept);
        reader.read_to_string(&mut said).unwrap();
        assert_eq!((status, &said[..]), (ExitStatus::Code(0), "<once><more>"));
    });
    assert!(printed.is_none_or(|printed| printed.status.success()));
}

#[test]
fn who_holds_the_output_may_start_children_beside_others() {
    // shows: process-fork-buffered-output-once
    let printed = afresh("who_holds_the_output_may_start_children_beside_others", b"", || {
        let start = || assert_eq!(joined(Process::fork("idle", || ())), ExitStatus::Code(0));
        thread::scope(|scope| {
            scope.spawn(|| (0..100).for_each(|_| start()));
            for _ in 0..100 {
                let _held = stdout().lock();
                start();
            }
        });
    });
    assert!(printed.is_none_or(|printed| printed.status.success()), "one waited for the other");
}

#[test]
#[expect(unsafe_code, reason = "a signal's action, and a descriptor's place")]
fn a_failure_that_nobody_hears_is_still_a_failure() {
    // shows: process-exit-status-error-is-reported
    let printed = afresh("a_failure_that_nobody_hears_is_still_a_failure", b"", || {
        let child = Process::fork("unheard", || {
            let (reader, writer) = pipe().unwrap();
            drop(reader);
            // SAFETY: Nobody owns descriptor 2, and the action is the system's own.
            unsafe {
                libc::dup2(writer.as_raw_fd(), 2);
                libc::signal(libc::SIGPIPE, libc::SIG_DFL);
            }
            Err::<(), _>("to nobody")
        });
        assert_eq!(joined(child), ExitStatus::Code(1));
    });
    assert!(printed.is_none_or(|printed| printed.status.success()));
}

extern "C" fn print_at_exit() {
    let _ = rustix::io::write(rustix::stdio::stdout(), b"<hook>");
}

#[test]
#[expect(unsafe_code, reason = "an exit handler")]
fn the_parents_exit_handlers_are_the_parents() {
    // shows: process-fork-exit-skips-parent-exit-hooks
    let printed = afresh("the_parents_exit_handlers_are_the_parents", b"", || {
        // SAFETY: the handler makes one system call, and stays loaded with this program.
        assert_eq!(unsafe { libc::atexit(print_at_exit) }, 0);
        assert_eq!(joined(Process::fork("returns", || ())), ExitStatus::Code(0));
        let status = joined(Process::fork("panics", || panic!("expected by a test") as ()));
        assert_eq!(status, ExitStatus::Code(101));
        print!("<children are done>");
        stdout().flush().unwrap();
    });
    let Some(Printed { out, .. }) = printed else { return };
    assert_eq!(out.matches("<hook>").count(), 1, "in {out:?}");
    assert!(out.find("<children are done>") < out.find("<hook>"), "in {out:?}");
}

#[test]
fn failures_are_printed_with_the_process_name() {
    // shows: process-exit-status-error-is-reported
    let printed = afresh("failures_are_printed_with_the_process_name", b"", || {
        let status = joined(Process::fork("Px", || Err::<(), _>("MARK-1")));
        assert_eq!(status, ExitStatus::Code(1));
        let status = joined(Process::fork("Py", || panic!("MARK-2") as ()));
        assert_eq!(status, ExitStatus::Code(101));
    });
    let Some(Printed { err, .. }) = printed else { return };
    assert!(err.contains("Px: MARK-1\n"), "in {err:?}");
    assert!(err.contains("hygiene.rs") && err.contains("MARK-2"), "in {err:?}");
    assert!(err.contains("Py: the function of this process panicked\n"), "in {err:?}");
}

fn overflow(depth: u64) -> u64 {
    let room = std::hint::black_box([depth; 512]);
    if depth == u64::MAX { 0 } else { overflow(depth + 1) + room[depth as usize % 512] }
}

/// The statuses are equal, so that there is nothing else.
#[test]
fn an_overflow_and_an_abort_are_told_apart_by_what_is_printed() {
    let name = "an_overflow_and_an_abort_are_told_apart_by_what_is_printed";
    let printed = afresh(name, b"", || {
        let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
        rustix::process::setrlimit(rustix::process::Resource::Core, none).unwrap();
        let aborts = || std::process::abort() as ();
        assert_eq!(joined(Process::fork("aborts", aborts)), ExitStatus::Signal(6));
        eprintln!("<between>");
        let overflows = || assert_eq!(overflow(0), 0);
        assert_eq!(joined(Process::fork("overflows", overflows)), ExitStatus::Signal(6));
    });
    let Some(Printed { err, .. }) = printed else { return };
    let (aborts, overflows) = err.split_once("<between>").expect("a word between");
    assert!(!aborts.contains("overflowed its stack"), "in {err:?}");
    assert!(overflows.contains("overflowed its stack"), "in {err:?}");
}

#[test]
fn children_print_although_other_threads_print_at_the_fork() {
    let printed = afresh("children_print_although_other_threads_print_at_the_fork", b"", || {
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                // Relaxed: when exactly the noise ends does not matter.
                while !done.load(Ordering::Relaxed) {
                    println!("noise");
                    eprintln!("noise");
                }
            });
            for _ in 0..200 {
                let speak = || {
                    println!("<out>");
                    eprintln!("<err>");
                };
                assert_eq!(joined(Process::fork("speaker", speak)), ExitStatus::Code(0));
            }
            // Relaxed: as above.
            done.store(true, Ordering::Relaxed);
        });
    });
    let Some(Printed { out, err, status }) = printed else { return };
    assert!(status.success(), "{err}");
    assert_eq!((out.matches("<out>").count(), err.matches("<err>").count()), (200, 200));
}

#[test]
fn a_stream_that_another_thread_keeps_does_not_stop_the_end() {
    let printed = afresh("a_stream_that_another_thread_keeps_does_not_stop_the_end", b"", || {
        let keep = || {
            let (mut reader, mut writer) = pipe().unwrap();
            thread::spawn(move || {
                let _kept = stdout().lock();
                writer.write_all(b"k").unwrap();
                loop {
                    thread::park();
                }
            });
            reader.read_exact(&mut [0]).unwrap();
            ExitCode(8)
        };
        assert_eq!(joined(Process::fork("keeper", keep)), ExitStatus::Code(8));
    });
    assert!(printed.is_none_or(|printed| printed.status.success()));
}

#[test]
#[expect(unsafe_code, reason = "the standard descriptors are closed under the library's feet")]
fn closed_standard_streams_are_harmless() {
    // shows: process-broken-standard-streams-harmless
    in_child(|| {
        for fd in 0..3 {
            // SAFETY: this process ends with this test, and its streams are not used again.
            unsafe { libc::close(fd) };
        }
        let child = Process::fork("mute", || {
            println!("to nobody");
            let input = stdin().lock().read(&mut [0]);
            if matches!(input, Ok(0)) { ExitCode(4) } else { ExitCode(5) }
        });
        check(joined(child) == ExitStatus::Code(4), "it started, saw no input and ended")
    });
}

#[test]
fn a_hundred_children_leave_no_descriptor() {
    // shows: process-parent-descriptors-not-left-behind
    in_child(|| {
        check(joined(Process::fork("first", || ())) == ExitStatus::Code(0), "the first")?;
        let before = descriptor_count();
        for _ in 0..100 {
            check(joined(Process::fork("next", || ())) == ExitStatus::Code(0), "the next")?;
        }
        check(descriptor_count() == before, "as many as before")?;
        check(!has_children(), "and no child")
    });
}

#[test]
fn a_child_gets_no_descriptor_that_it_did_not_inherit_but_the_one_of_its_parent() {
    in_child(|| {
        let expected = descriptor_count() + 1;
        let count = || ExitCode(i32::try_from(descriptor_count()).unwrap_or(-1));
        let status = joined(Process::fork("counter", count));
        check(status.code() == i32::try_from(expected).ok(), &format!("{expected}, not {status}"))
    });
}

#[test]
fn dropped_children_are_collected_by_the_next_start() {
    // shows: process-zombie-collected-by-next-start
    in_child(|| {
        let before = descriptor_count();
        let mut sentinels: Vec<OwnedFd> = Vec::new();
        for _ in 0..50 {
            let child = Process::fork("dropped", || ()).map_err(text)?;
            let sentinel = child.sentinel().map_err(text)?;
            sentinels.push(sentinel.as_fd().try_clone_to_owned().map_err(|e| e.to_string())?);
        }
        for sentinel in sentinels {
            let mut polled = [rustix::event::PollFd::new(&sentinel, rustix::event::PollFlags::IN)];
            let ended = rustix::event::poll(&mut polled, None);
            check(ended == Ok(1), "each child ends")?;
        }
        let last = Process::fork("last", || ()).map_err(text)?;
        check(last.join(LIMIT) == Ok(ExitStatus::Code(0)), "the last is joined")?;
        check(!has_children(), "no zombie is left")?;
        drop(last);
        check(descriptor_count() == before, "nor its descriptor")
    });
}

#[test]
fn looking_at_an_ended_child_or_dropping_it_collects_it() {
    // shows: process-zombie-collected-by-alive
    in_child(|| {
        let child = Process::fork("looked at", || ()).map_err(text)?;
        check(
            becomes_ready(&child, LIMIT) && has_children(),
            "it has ended and nobody has looked",
        )?;
        check(child.is_alive() == Ok(false) && !has_children(), "looking collects it")?;
        let child = Process::fork("dropped", || ()).map_err(text)?;
        check(
            becomes_ready(&child, LIMIT) && has_children(),
            "it has ended and nobody has looked",
        )?;
        drop(child);
        check(!has_children(), "dropping collects it")
    });
}
