//! Parents and children that die at the worst moments.

mod bounded;
mod traces;

use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use bounded::{LIMIT, check, in_child};
use purlin_process::{Error, ExitCode, ExitStatus, Process};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, WaitId, WaitIdOptions, getpid, getppid, kill_process, waitid};
use traces::{descriptor_count, has_children};

fn text(error: Error) -> String {
    error.to_string()
}

/// Everything that is written until the last writer is gone; an error if one stays.
fn read_to_end(reader: &mut PipeReader) -> Result<Vec<u8>, String> {
    let limit = Timespec::try_from(LIMIT).map_err(|error| error.to_string())?;
    let mut all = Vec::new();
    let mut piece = [0; 64];
    loop {
        let ready = poll(&mut [PollFd::new(reader, PollFlags::IN)], Some(&limit));
        check(ready.is_ok_and(|count| count > 0), "a process that should be gone holds the pipe")?;
        match reader.read(&mut piece).map_err(|error| error.to_string())? {
            0 => return Ok(all),
            count => all.extend(&piece[..count]),
        }
    }
}

/// Says that it runs, and ends when the pipe `until` does.
fn report_and_wait(mut report: PipeWriter, mut until: PipeReader) -> Result<(), std::io::Error> {
    report.write_all(b"r")?;
    until.read(&mut [0]).map(drop)
}

#[test]
fn a_child_killed_right_after_its_start_is_joined() {
    // shows: process-kill-right-after-start
    in_child(|| {
        Process::fork("first", || ()).map_err(text)?.join(LIMIT).map_err(text)?;
        let before = descriptor_count();
        for _ in 0..100 {
            let child = Process::fork("short", || loop_for_ever() as ()).map_err(text)?;
            child.kill().map_err(text)?;
            check(child.join(LIMIT) == Ok(ExitStatus::Signal(9)), "each ends by signal 9")?;
        }
        check(descriptor_count() == before, "no descriptor is left over")?;
        check(!has_children(), "no child is left over")
    });
}

fn loop_for_ever() -> ! {
    loop {
        std::thread::park();
    }
}

#[test]
fn a_child_outlives_its_killed_parent() {
    // shows: process-non-daemon-outlives-killed-parent, process-fork-orphan-gets-new-parent
    in_child(|| {
        let (mut from_orphan, to_us) = pipe().map_err(|error| error.to_string())?;
        let (until, release) = pipe().map_err(|error| error.to_string())?;
        let mut release = Some(release);
        let parent = Process::fork("parent", || -> Result<(), String> {
            release.take(); // the copy of this process
            let orphan = Process::fork("orphan", || {
                let old = getppid();
                let reported = report_and_wait(to_us, until);
                if reported.is_ok() && getppid() != old { ExitCode(0) } else { ExitCode(1) }
            });
            orphan.map_err(text)?.join(None).map(drop).map_err(text)
        });
        let parent = parent.map_err(text)?;
        from_orphan.read_exact(&mut [0]).map_err(|error| error.to_string())?;
        parent.kill().map_err(text)?;
        check(parent.join(LIMIT) == Ok(ExitStatus::Signal(9)), "the parent was killed")?;
        let mut ended = [PollFd::new(&from_orphan, PollFlags::IN)];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        check(poll(&mut ended, Some(&now)) == Ok(0), "the orphan lives on")?;
        drop(release);
        check(read_to_end(&mut from_orphan)?.is_empty(), "the orphan ends when it is told to")
    });
}

/// Runs inside `fork(2)` on the parent's side.
extern "C" fn kill_self() {
    let _ = kill_process(getpid(), Signal::KILL);
}

/// A parent that dies inside a start, with this handler before the fork, leaves no child that ran.
#[expect(unsafe_code, reason = "a fork handler is the one place between fork and what follows")]
fn starts_and_dies(before: Option<unsafe extern "C" fn()>) -> Result<(), String> {
    let (mut reader, mut writer) = pipe().map_err(|error| error.to_string())?;
    REPORT.store(writer.as_raw_fd(), Ordering::Relaxed); // Relaxed: as in the handler
    let parent = Process::fork("parent", || -> Result<(), String> {
        // SAFETY: the handlers make system calls only, and stay loaded with this program.
        let set = unsafe { libc::pthread_atfork(before, Some(kill_self), None) };
        check(set == 0, "the handlers are set")?;
        let child = Process::fork("never runs", || writer.write_all(b"ran"));
        Err(format!("the parent lives on with {child:?}"))
    });
    let status = parent.map_err(text)?.join(LIMIT);
    check(status == Ok(ExitStatus::Signal(9)), "the parent died inside the call")?;
    drop(writer);
    check(read_to_end(&mut reader)?.is_empty(), "the child ended without having run")
}

#[test]
fn a_child_whose_parent_dies_inside_the_start_never_runs() {
    in_child(|| starts_and_dies(None));
}

/// For the next handler: the descriptor that its child is not to keep.
static REPORT: AtomicI32 = AtomicI32::new(-1);

/// Runs inside `fork(2)` before it: foreign code starts a child of its own, which lives on.
#[expect(unsafe_code, reason = "a child of foreign code")]
extern "C" fn start_a_stranger() {
    // SAFETY: What the child calls is allowed in one that was forked; it never returns.
    unsafe {
        if libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) == 0 {
            libc::close(REPORT.load(Ordering::Relaxed)); // Relaxed: stored by this thread
            loop {
                libc::pause();
            }
        }
    }
}

#[test]
fn nor_when_a_child_of_foreign_code_took_a_copy_of_all_descriptors_along() {
    in_child(|| starts_and_dies(Some(start_a_stranger)));
}

/// For the next handler: whether the next child is to die before it runs.
static DIE: AtomicBool = AtomicBool::new(false);

/// Runs inside `fork(2)` on the child's side.
extern "C" fn kill_self_if_told() {
    // Relaxed: the child's one thread sees what the forking thread stored.
    if DIE.load(Ordering::Relaxed) {
        kill_self();
    }
}

/// Runs inside `fork(2)` on the parent's side: the child is dead before the parent goes on.
extern "C" fn await_a_death() {
    // With the signal ignored the kernel collects it, and then there is no child.
    let _ = waitid(WaitId::All, WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
}

#[expect(unsafe_code, reason = "fork handlers, and dispositions of the whole process")]
fn die_inside_fork(is_status_kept: bool) -> Result<ExitStatus, String> {
    // SAFETY: the handlers make system calls only, and stay loaded with this program.
    let set = unsafe { libc::pthread_atfork(None, Some(await_a_death), Some(kill_self_if_told)) };
    check(set == 0, "the handler is set")?;
    // SAFETY: a default action installs no code. A write to the dead child must not be deadly here,
    // where a C program would not have the signal ignored.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    if !is_status_kept {
        // SAFETY: to ignore a signal installs no code.
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
    }
    // Relaxed: read by the child of this very thread.
    DIE.store(true, Ordering::Relaxed);
    let child = Process::fork("dead at birth", || ()).map_err(text)?;
    let status = child.join(LIMIT).map_err(text)?;
    check(child.is_alive() == Ok(false), "it has ended")?;
    check(child.kill().is_ok() && child.try_join() == Ok(status), "and stays so")?;
    let sentinel = child.sentinel().map_err(text)?;
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    let ready = poll(&mut [PollFd::new(&sentinel, PollFlags::IN)], Some(&now));
    check(ready == Ok(1), "its sentinel is ready")?;
    check(!has_children(), "nothing is left of it").map(|()| status)
}

#[test]
fn a_child_killed_before_it_is_held_has_ended() {
    in_child(|| {
        let status = die_inside_fork(true)?;
        check(status == ExitStatus::Signal(9), "its status is its signal")
    });
}

#[test]
fn a_child_gone_before_it_is_held_has_ended_somehow() {
    // shows: process-join-although-child-signal-ignored
    in_child(|| {
        let status = die_inside_fork(false)?;
        check(status == ExitStatus::Unknown, "nobody kept its status")
    });
}

#[test]
#[expect(unsafe_code, reason = "a disposition of the whole process")]
fn a_parent_that_ignores_the_end_of_children_still_joins() {
    // shows: process-join-although-child-signal-ignored
    in_child(|| {
        // SAFETY: to ignore a signal installs no code.
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
        let child = Process::fork("three", || ExitCode(3)).map_err(text)?;
        check(child.join(LIMIT) == Ok(ExitStatus::Unknown), "ended, status unknown")?;
        check(child.is_alive() == Ok(false), "it does not look alive")
    });
}

#[test]
#[expect(unsafe_code, reason = "a disposition of the whole process")]
fn a_parent_that_stops_ignoring_the_end_of_children_learns_how_they_ended() {
    in_child(|| {
        let three = || Process::fork("three", || ExitCode(3)).and_then(|child| child.join(LIMIT));
        // SAFETY: to ignore a signal installs no code.
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
        check(three() == Ok(ExitStatus::Unknown), "it is ignored")?;
        purlin_process::reset_child_signal().map_err(text)?;
        check(three() == Ok(ExitStatus::Code(3)), "it is not ignored any more")?;
        // SAFETY: the handler does nothing, and stays loaded with this program.
        unsafe { libc::signal(libc::SIGCHLD, handler as *const () as libc::sighandler_t) };
        purlin_process::reset_child_signal().map_err(text)?;
        // SAFETY: a default action installs no code.
        let before = unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
        check(before == handler as *const () as libc::sighandler_t, "the handler stayed")
    });
}

extern "C" fn handler(_: libc::c_int) {}

#[test]
fn parents_killed_anywhere_leave_no_child_waiting() {
    // shows: process-kill-joiner-leaves-child
    in_child(|| {
        for round in 0..40 {
            let (mut reader, writer) = pipe().map_err(|error| error.to_string())?;
            let parent = Process::fork("parent", || -> Result<(), Error> {
                loop {
                    // Not joined: what runs when the parent dies ends by itself.
                    Process::fork("brief", || (&writer).write_all(b"r"))?;
                }
            });
            let parent = parent.map_err(text)?;
            drop(writer);
            let mut seen = [0];
            for _ in 0..=round % 8 {
                reader.read_exact(&mut seen).map_err(|error| error.to_string())?;
            }
            // Not a delay to order anything: it only varies where in its loop the parent dies.
            for count in 0..round * 500 {
                std::hint::black_box(count);
            }
            parent.kill().map_err(text)?;
            check(parent.join(LIMIT) == Ok(ExitStatus::Signal(9)), "the parent was killed")?;
            read_to_end(&mut reader)?;
        }
        Ok(())
    });
}
