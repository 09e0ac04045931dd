//! What a program gets from its caller, and what it does not: descriptors, signals, streams.

mod bounded;
mod programs;
mod traces;

use std::fs::File;
use std::io::{Read, Write, pipe};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::process::{Command, Stdio};

use bounded::{LIMIT, check, in_child};
use programs::{sh, started};
use purlin_process::command::{Launch, Program, run};
use purlin_process::{Error, ExitStatus};
use rustix::io::FdFlags;
use traces::{descriptor_count, has_children};

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// The numbers of what a program has open, by the program's own account.
fn listed(launch: Launch<'_>) -> Result<Vec<i32>, String> {
    let output = launch.run("", LIMIT).and_then(|output| output.check()).map_err(text)?;
    let text = String::from_utf8(output.stdout.unwrap_or_default()).map_err(text)?;
    Ok(text.lines().filter_map(|line| line.rsplit('/').next()?.parse().ok()).collect())
}

fn lists() -> Launch<'static> {
    Launch::new(sh("for one in /proc/$$/fd/*; do echo $one; done")).capture()
}

/// Descriptors that a program would inherit, with numbers that it gives to none of its own.
fn strays() -> Result<Vec<OwnedFd>, String> {
    let stray = |_| {
        let file = File::open("/dev/null").map_err(text)?;
        let file = rustix::io::fcntl_dupfd_cloexec(&file, 20).map_err(text)?;
        rustix::io::fcntl_setfd(&file, FdFlags::empty()).map_err(text)?;
        Ok(file)
    };
    (0..9).map(stray).collect()
}

/// Has what this process was started with closed on exec, so that it has no strays.
#[expect(unsafe_code, reason = "descriptors by number")]
fn mark_all() -> Result<(), String> {
    for entry in std::fs::read_dir("/proc/self/fd").map_err(text)? {
        let name = entry.map_err(text)?.file_name();
        let fd: i32 = name.to_string_lossy().parse().map_err(text)?;
        if fd > 2 {
            // SAFETY: It sets a flag of a number, or fails.
            unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
        }
    }
    Ok(())
}

#[test]
fn a_program_gets_the_standard_streams_and_nothing_else() {
    // shows: subprocess-descriptors-closed-in-program
    in_child(|| {
        // One thread and no strays, one thread and strays, two threads and strays.
        mark_all()?;
        // The three, and the folder that it reads.
        check(listed(lists())?.len() == 4, "without strays")?;
        let strays = strays()?;
        let leaked = |seen: Vec<i32>| strays.iter().any(|fd| seen.contains(&fd.as_raw_fd()));
        check(!leaked(listed(lists())?), "from one thread")?;
        let (release, until) = std::sync::mpsc::channel::<()>();
        let other = std::thread::spawn(move || until.recv());
        check(!leaked(listed(lists())?), "beside another thread")?;
        drop(release);
        let _ = other.join();
        // The control: what std starts has them all.
        let script = "for one in /proc/$$/fd/*; do echo $one; done";
        let seen = sh(script).output().map_err(text)?.stdout;
        let seen = String::from_utf8(seen).map_err(text)?;
        let all = strays.iter().all(|fd| seen.contains(&format!("/{}\n", fd.as_raw_fd())));
        check(all, "and they can be inherited")
    });
}

#[test]
fn what_another_thread_opens_meanwhile_is_not_inherited() {
    // shows: subprocess-descriptors-closed-in-program
    in_child(|| {
        mark_all()?;
        let (release, until) = std::sync::mpsc::channel::<()>();
        let opens = std::thread::spawn(move || {
            let mut result = Ok(());
            // Ends when the other end of the channel is gone.
            while until.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) && result.is_ok() {
                result = strays().map(drop);
            }
            result
        });
        for _ in 0..50 {
            let seen = listed(lists())?;
            check(seen.iter().all(|fd| *fd < 20), &format!("{seen:?} has none of them"))?;
        }
        drop(release);
        opens.join().map_err(|_| "it panicked".to_owned())?
    });
}

#[test]
fn what_is_passed_is_open_under_its_number() {
    // shows: subprocess-descriptors-passed-on-request
    let (mut reader, writer) = pipe().expect("a pipe");
    let (other_reader, other_writer) = pipe().expect("a pipe");
    let script = format!("echo word > /proc/self/fd/{}", writer.as_raw_fd());
    let program = started(Launch::new(sh(&script)).pass(&writer).start());
    drop(writer);
    let mut word = String::new();
    reader.read_to_string(&mut word).expect("text");
    assert_eq!(word, "word\n");
    assert_eq!(program.wait(LIMIT), Ok(ExitStatus::Code(0)));
    let (_, passed) = pipe().expect("a pipe");
    let seen = listed(lists().pass(&passed)).expect("a list");
    assert!(seen.contains(&passed.as_raw_fd()));
    for closed in [other_reader.as_fd(), other_writer.as_fd()] {
        assert!(!seen.contains(&closed.as_raw_fd()));
    }
    let flags = rustix::io::fcntl_getfd(&passed).expect("open");
    assert_eq!(flags, FdFlags::CLOEXEC, "here it stays closed on exec");
}

#[test]
#[expect(unsafe_code, reason = "standard streams are nobody's, and closed by their numbers")]
fn a_caller_without_standard_streams_can_redirect_them() {
    // shows: subprocess-standard-streams-closed-in-caller
    for closed in [&[0][..], &[1], &[2], &[0, 1], &[1, 2], &[0, 2], &[0, 1, 2]] {
        in_child(|| {
            for fd in closed {
                // SAFETY: The number is no object's; what prints meanwhile fails, and says nothing.
                unsafe { rustix::io::close(*fd) };
            }
            let script = "printf apple; printf orange >&2; cat";
            let output = run(sh(script), "-pear", LIMIT).map_err(text)?;
            // Told by the status, since nobody may hear it.
            let is_right = output.stdout.as_deref() == Some(b"apple-pear")
                && output.stderr.as_deref() == Some(b"orange")
                && output.status.is_success();
            check(is_right, "both streams came, and the input went")?;
            let count = std::fs::read_dir("/proc/self/fd").map_err(text)?.count();
            let again = run(sh("exit 0"), "", LIMIT).map_err(text)?;
            check(again.status.is_success(), "and again")?;
            check(std::fs::read_dir("/proc/self/fd").map_err(text)?.count() == count, "no trace")
        });
    }
}

#[test]
#[expect(unsafe_code, reason = "dispositions and masks")]
fn a_program_starts_with_signals_as_they_are_by_default() {
    // shows: subprocess-signal-defaults-restored, subprocess-signal-mask-empty
    for is_plain in [true, false] {
        in_child(|| {
            mark_all()?;
            // SAFETY: To ignore a signal installs no code; the set is filled before it is used.
            unsafe {
                libc::signal(libc::SIGPIPE, libc::SIG_IGN);
                let mut set = std::mem::zeroed();
                libc::sigemptyset(&raw mut set);
                libc::sigaddset(&raw mut set, libc::SIGTERM);
                libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
            }
            let _strays = if is_plain { Vec::new() } else { strays()? };
            let output = run(sh("grep SigIgn /proc/self/status"), "", LIMIT).map_err(text)?;
            let line = String::from_utf8(output.stdout.unwrap_or_default()).map_err(text)?;
            let ignored = line.trim().rsplit('\t').next().unwrap_or_default();
            let ignored = u64::from_str_radix(ignored, 16).map_err(text)?;
            check(ignored & (1 << (libc::SIGPIPE - 1)) == 0, "SIGPIPE is not ignored")?;
            let mut command = Command::new("cat");
            command.stdin(Stdio::piped());
            let program = Program::start(command).map_err(text)?;
            program.terminate().map_err(text)?;
            check(program.wait(LIMIT) == Ok(ExitStatus::Signal(15)), "SIGTERM is not blocked")
        });
    }
}

#[test]
#[expect(unsafe_code, reason = "a disposition of the whole process")]
fn a_caller_that_ignores_the_end_of_children_is_told_no_success() {
    // shows: subprocess-child-signal-ignored
    for is_plain in [true, false] {
        in_child(|| {
            // SAFETY: To ignore a signal installs no code.
            unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
            let _strays = if is_plain { Vec::new() } else { strays()? };
            let output = run(sh("echo x; exit 1"), "", LIMIT).map_err(text)?;
            check(output.status == ExitStatus::Unknown, "unknown, and no success")?;
            check(output.stdout.as_deref() == Some(b"x\n"), "its output came")?;
            let mut command = sh("read x; exit 1");
            command.stdin(Stdio::piped());
            let program = Program::start(command).map_err(text)?;
            check(program.status() == Ok(None), "it runs")?;
            program.close_streams();
            check(program.wait(LIMIT) == Ok(ExitStatus::Unknown), "it was waited for")?;
            let kind = |name: &str| {
                Program::start(Command::new(name)).map_or_else(
                    |failure| failure.error(),
                    |_| {
                        Error::TimedOut // none of these starts
                    },
                )
            };
            check(kind("no-such-program-here") == Error::NoSuchProgram, "not found")?;
            check(kind("/no/such/program") == Error::NoSuchProgram, "nor by its path")?;
            check(kind("/") == Error::NotExecutable, "a folder is none")?;
            // This one cannot be foreseen.
            let mut long = sh("exit 0");
            long.arg("a".repeat(3_000_000));
            check(Program::start(long).is_err(), "too long")
        });
    }
}

extern "C" fn nothing(_: libc::c_int) {}

#[test]
#[expect(unsafe_code, reason = "a handler")]
fn a_signal_to_the_caller_disturbs_nothing() {
    // shows: subprocess-interrupted-by-signal
    in_child(|| {
        // SAFETY: The handler does nothing and stays loaded with this program; without a flag it
        // interrupts calls.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = nothing as *const () as usize;
            libc::sigaction(libc::SIGUSR1, &raw const action, std::ptr::null_mut());
        }
        let script = "for n in 1 2 3 4 5 6 7 8 9; do kill -USR1 $PPID; echo ok; done; cat";
        let output = run(sh(script), "x".repeat(1 << 20), LIMIT).map_err(text)?;
        let out = output.stdout.unwrap_or_default();
        check(out.len() == (1 << 20) + 27 && output.status.is_success(), "all came")
    });
}

#[test]
fn runs_and_failed_starts_leave_nothing() {
    // shows: subprocess-many-runs-leak-nothing, subprocess-exchange-closes-streams
    in_child(|| {
        run(sh("exit 0"), "x", LIMIT).map_err(text)?;
        let before = descriptor_count();
        for _ in 0..50 {
            run(sh("cat; echo e >&2"), "x", LIMIT).map_err(text)?;
            let missing = run(Command::new("/no/such/program"), "x", LIMIT);
            check(missing.is_err_and(|f| f.error() == Error::NoSuchProgram), "it is missing")?;
        }
        for piped in 0..8 {
            let stream = |bit: i32| if piped & bit != 0 { Stdio::piped() } else { Stdio::null() };
            let mut command = sh("cat");
            command.stdin(stream(1)).stdout(stream(2)).stderr(stream(4));
            let program = Program::start(command).map_err(text)?;
            let output = program.exchange("").and_then(|mut exchange| exchange.finish(LIMIT));
            check(output.is_ok_and(|output| output.status.is_success()), "it ends well")?;
        }
        check(descriptor_count() == before, "no descriptor is left")?;
        check(!has_children(), "no child is left")
    });
}

#[test]
fn files_and_the_null_device_are_streams() {
    // shows: subprocess-open-file-as-stream, subprocess-null-device
    // shows: subprocess-stdout-pipe, subprocess-stdin-pipe, subprocess-write-after-reader-gone
    let (mut reader, writer) = pipe().expect("a pipe");
    let mut both = sh("printf apple; printf orange >&2");
    both.stdout(writer.try_clone().expect("a copy")).stderr(writer.try_clone().expect("a copy"));
    assert_eq!(started(Program::start(both)).wait(LIMIT), Ok(ExitStatus::Code(0)));
    (&writer).write_all(b"!").expect("it is still open here");
    drop(writer);
    let mut all = String::new();
    reader.read_to_string(&mut all).expect("text");
    assert_eq!(all, "appleorange!");
    let mut nothing = sh("cat; head -c 10485760 /dev/zero; head -c 1048576 /dev/zero >&2");
    nothing.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let program = started(Program::start(nothing));
    let output = program.exchange("").and_then(|mut exchange| exchange.finish(LIMIT));
    let output = output.expect("its end");
    assert_eq!((output.status, output.stdout, output.stderr), (ExitStatus::Code(0), None, None));

    let mut by_hand = sh("exit `wc -c`");
    by_hand.stdin(Stdio::piped());
    let program = started(Program::start(by_hand));
    program.take_stdin().expect("a pipe").write_all(b"pear").expect("room");
    assert_eq!(program.wait(LIMIT), Ok(ExitStatus::Code(4)));
    let mut deaf = sh("exit 0");
    deaf.stdin(Stdio::piped());
    let program = started(Program::start(deaf));
    assert_eq!(program.wait(LIMIT), Ok(ExitStatus::Code(0)));
    let mut stdin = program.take_stdin().expect("a pipe");
    let error = stdin.write_all(&[0; 1 << 20]).expect_err("nobody reads");
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    let mut prints = sh("printf orange");
    prints.stdout(Stdio::piped());
    let program = started(Program::start(prints));
    let mut out = String::new();
    program.take_stdout().expect("a pipe").read_to_string(&mut out).expect("text");
    assert_eq!(out, "orange");
}
