//! Starts that the system refuses: an error, and no trace of a child.

mod bounded;
mod limited;
mod traces;
mod unprivileged;

use std::io::{Read, Write, pipe};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::process::Command;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Instant;

use bounded::{LIMIT, check, in_child};
use limited::{lower, take_all_descriptors};
use purlin_process::command::Program;
use purlin_process::{
    Builder, Error, ExitCode, ExitStatus, Fork, Process, active_children, exit, fork,
};
use rustix::process::{
    Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit, test_kill_process,
};
use traces::{descriptor_count, has_children};
use unprivileged::reach_the_process_limit;

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// A way of starting a child that ends with status 3.
type Start = fn() -> Result<Process, Error>;

fn child() -> Result<Process, Error> {
    Process::fork("", || ExitCode(3))
}

fn daemon() -> Result<Process, Error> {
    Builder::new().daemon(true).fork(|| ExitCode(3))
}

#[expect(unsafe_code, reason = "a raw fork")]
fn raw() -> Result<Process, Error> {
    // SAFETY: The child ends at once.
    match unsafe { fork() }? {
        Fork::Child => exit(3),
        Fork::Parent(child) => Ok(child),
    }
}

#[test]
fn without_descriptors_nothing_is_started() {
    for start in [child as Start, raw] {
        in_child(|| {
            lower(Resource::Nofile, 64)?;
            let mut taken = take_all_descriptors();
            for free_count in 0..3 {
                let started = start();
                check(matches!(started, Err(Error::OutOfResources)), "there is no room")?;
                check(!has_children() && active_children().is_empty(), "no child is left")?;
                check(taken.pop().is_some(), &format!("{free_count} are free, one more can be"))?;
            }
            let child = start().map_err(|error| format!("three free: {error}"))?;
            check(child.join(LIMIT) == Ok(ExitStatus::Code(3)), "three free are enough")?;
            drop(child);
            check(start().is_ok(), "they were given back")
        });
    }
}

#[test]
fn without_descriptors_no_daemon_is_started() {
    // shows: process-fork-failure-leaves-no-child
    in_child(|| {
        lower(Resource::Nofile, 64)?;
        let mut taken = take_all_descriptors();
        for free_count in 0..16 {
            let all = taken.len();
            taken.truncate(all - free_count);
            match daemon() {
                Err(error) => check(error == Error::OutOfResources, "there is no room")?,
                Ok(child) => {
                    check(child.join(LIMIT) == Ok(ExitStatus::Code(3)), "it runs")?;
                    return check(free_count > 3, "it takes more than another child");
                }
            }
            check(!has_children() && active_children().is_empty(), "no child is left")?;
            taken.extend(take_all_descriptors());
            check(taken.len() == all, &format!("the {free_count} that were free were given back"))?;
        }
        Err("with sixteen free it is refused".to_owned())
    });
}

/// Changes how many descriptors the calling process may have, in a way that can be taken back.
fn allow_descriptors(count: u64) -> Result<(), rustix::io::Errno> {
    setrlimit(Resource::Nofile, Rlimit { current: Some(count), ..getrlimit(Resource::Nofile) })
}

/// Runs in the parent inside `fork(2)`, so after the child was made: from here on no descriptor can
/// be opened, whatever was free before.
extern "C" fn forbid_descriptors() {
    allow_descriptors(0).expect("a soft limit may always be lowered");
}

#[test]
#[expect(unsafe_code, reason = "a fork handler is the one place between fork and what follows")]
fn a_child_that_cannot_be_held_never_runs() {
    // shows: process-fork-failure-leaves-no-child
    in_child(|| {
        let (mut reader, writer) = pipe().map_err(|error| error.to_string())?;
        let before = descriptor_count();
        // SAFETY: the handler makes one system call, and stays loaded with this program.
        let set = unsafe { libc::pthread_atfork(None, Some(forbid_descriptors), None) };
        check(set == 0, "the handler is set")?;
        let started = Process::fork("never runs", || (&writer).write_all(b"ran"));
        check(matches!(started, Err(Error::OutOfResources)), "it cannot be held")?;
        check(!has_children(), "it is gone")?;
        allow_descriptors(64).map_err(|errno| errno.to_string())?;
        check(descriptor_count() == before, "no descriptor is left open")?;
        drop(writer);
        let mut said = String::new();
        reader.read_to_string(&mut said).map_err(|error| error.to_string())?;
        check(said.is_empty(), "the function did not run")
    });
}

/// For the next handler: where its child says which number it has; -1 for no handler.
static NUMBER: AtomicI32 = AtomicI32::new(-1);

/// Runs inside `fork(2)` on the child's side: it says its number, and stands still.
#[expect(unsafe_code, reason = "a descriptor by its number")]
extern "C" fn stand_still_if_told() {
    let fd = NUMBER.load(Ordering::Relaxed); // Relaxed: the child's one thread
    if fd >= 0 {
        let own = rustix::process::getpid();
        // SAFETY: the test keeps the descriptor open.
        let said = unsafe { BorrowedFd::borrow_raw(fd) };
        let _ = rustix::io::write(said, &own.as_raw_pid().to_le_bytes());
        let _ = kill_process(own, Signal::STOP);
    }
}

/// As [`forbid_descriptors`], beside a child that stands still.
extern "C" fn forbid_descriptors_if_told() {
    // Relaxed: stored by this thread.
    if NUMBER.load(Ordering::Relaxed) >= 0 {
        forbid_descriptors();
    }
}

#[test]
#[expect(unsafe_code, reason = "a fork handler is the one place between fork and what follows")]
fn a_child_that_stands_still_and_cannot_be_held_holds_nobody_up() {
    in_child(|| {
        let (mut numbers, number) = pipe().map_err(|error| error.to_string())?;
        NUMBER.store(number.as_raw_fd(), Ordering::Relaxed); // Relaxed: as in the handler
        // SAFETY: the handlers make system calls only, and stay loaded with this program.
        let set = unsafe {
            let in_parent = Some(forbid_descriptors_if_told as _);
            libc::pthread_atfork(None, in_parent, Some(stand_still_if_told as _))
        };
        check(set == 0, "the handlers are set")?;
        let started = Process::fork("never runs", || ());
        check(matches!(started, Err(Error::OutOfResources)), "it cannot be held")?;
        NUMBER.store(-1, Ordering::Relaxed); // Relaxed: as above
        allow_descriptors(64).map_err(|errno| errno.to_string())?;
        let mut bytes = [0; 4];
        numbers.read_exact(&mut bytes).map_err(|error| error.to_string())?;
        let child = Pid::from_raw(i32::from_le_bytes(bytes)).ok_or("no number")?;
        check(test_kill_process(child).is_ok(), "it is there, and stands still")?;
        kill_process(child, Signal::CONT).map_err(|errno| errno.to_string())?;
        // It ends without having run, and a later start collects it.
        let limit = Instant::now() + LIMIT;
        while test_kill_process(child).is_ok() && Instant::now() < limit {
            Program::start(Command::new("true")).map_err(text)?.wait(LIMIT).map_err(text)?;
        }
        check(!has_children(), "a later start collects it")
    });
}

#[test]
fn at_the_limit_of_processes_nothing_is_started() {
    // shows: process-fork-failure-leaves-no-child
    in_child(|| {
        if !reach_the_process_limit() {
            return Ok(());
        }
        let before = descriptor_count();
        for (way, start) in [("a child", child as Start), ("a daemon", daemon), ("raw", raw)] {
            let started = start();
            check(matches!(started, Err(Error::OutOfResources)), &format!("{way}: it holds"))?;
            check(!has_children() && active_children().is_empty(), "no child is left")?;
            check(descriptor_count() == before, &format!("{way}: no descriptor is left open"))?;
        }
        Ok(())
    });
}
