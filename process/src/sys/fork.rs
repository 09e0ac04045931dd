//! `fork(2)`, through libc so that every fork handler of the program runs.
//!
//! The child waits for one byte before it goes on. So it cannot end, and its number cannot become
//! another's, before the parent holds its descriptor; and when the parent gets none, the child is
//! told to end and no orphan is left. Only a stranger's signal can end it earlier.
//!
//! The byte comes by a pipe, whose end tells that the parent executed another program. That the
//! parent ended is told by its own descriptor as well, since a foreign fork may have taken a copy
//! of the pipe along.
#![expect(unsafe_code, reason = "fork and _exit")]

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use purlin_shm::parts::Installs;
use purlin_sync::Deadline;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{Errno, read, write};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, getpid, kill_process, waitid};

use super::descriptor::{beyond_standard, close};
use super::origin::PerProcess;
use crate::Error;
use crate::limits::{KILLED_LIMIT, STATUS_MAX, TRACED_PAUSE};
use crate::sys::{message, pidfd};

/// The byte that lets a new child run. Any other, or the end of the pipe, ends it.
const GO: u8 = b'g';
const ABANDON: u8 = b'a';

/// Which of the two processes returned.
pub(crate) enum Forked<T> {
    /// With what its parent had for it.
    Child(T),
    Parent(Forkling),
}

/// A new child as its parent sees it.
pub(crate) struct Forkling {
    pub(crate) pid: i32,
    /// Polls readable once the child has ended.
    pub(crate) sentinel: OwnedFd,
    /// The child was gone, killed and collected by others, before its descriptor could be opened;
    /// the sentinel is then no process descriptor.
    pub(crate) is_lost: bool,
}

impl Forkling {
    /// Takes hold of a program that was just started as a child of this process.
    ///
    /// # Errors
    /// * What the system said of its descriptor; the child was killed and collected then.
    pub(crate) fn of_program(mut child: std::process::Child) -> Result<Self, Error> {
        let pid = Pid::from_child(&child);
        let opened = pidfd::open(pid).and_then(|fd| Ok((pidfd::is_own_child(&fd)?, fd)));
        match opened {
            Ok((true, sentinel)) => Ok(Self { pid: pid.as_raw_pid(), sentinel, is_lost: false }),
            // Ended and collected by others: what is left is a sentinel that is ready for ever.
            Ok((false, _)) | Err(Errno::SRCH) => {
                let (ours, theirs) = message::pair()?;
                drop(theirs);
                Ok(Self { pid: pid.as_raw_pid(), sentinel: ours, is_lost: true })
            }
            Err(errno) => {
                // Nobody has collected it, so that the number is still its own.
                let _ = child.kill();
                let _ = child.wait();
                Err(errno.into())
            }
        }
    }
}

/// What a child waits at for its parent's word, made before the fork. Both have both ends.
struct Gate {
    read: OwnedFd,
    write: OwnedFd,
}

/// Forks, and returns twice. What is `given` goes to the child; it has a descriptor of the calling
/// process in it, by which the child knows that one. The child of this number is `prepared` before
/// it is let run, and ends if that fails.
///
/// # Safety
/// * In the child, the caller runs nothing that waits for a thread that only the parent has, or
///   accepts that it may wait for ever. Every other thread is as if stopped at some instruction.
///
/// Not asked: that the program has one thread, or that the child only makes async-signal-safe
/// calls; libc's own locks (its allocator's, its streams') are made usable in the child by its
/// fork.
pub(crate) unsafe fn fork<T: AsFd>(
    given: T,
    prepared: impl FnOnce(i32) -> Result<(), Error>,
) -> Result<Forked<T>, Error> {
    let gate = Gate::make()?;
    let installs = Installs::hold(); // no handler that this fork would miss comes in between
    // SAFETY: what is asked of the child from here is passed on to our caller; the lines of this
    // module that run there make system calls only.
    let forked = unsafe { libc::fork() };
    if forked == 0 {
        // A copy of its parent's turn is nobody's; to end it would have a page copied.
        std::mem::forget(installs);
    } else {
        drop(installs);
    }
    match forked {
        -1 => Err(last_errno().into()),
        0 => {
            gate.wait(given.as_fd());
            Ok(Forked::Child(given))
        }
        pid => {
            drop(given); // frees a descriptor, which the one of the child will need
            // SAFETY: fork returned neither -1 nor 0, and a pid is positive.
            let pid = unsafe { Pid::from_raw_unchecked(pid) };
            Ok(Forked::Parent(adopt(pid, gate, prepared)?))
        }
    }
}

/// Ends this process at once: no handlers, no destructors, no flushing.
pub(crate) fn exit_now(status: i32) -> ! {
    // SAFETY: `_exit` asks for nothing.
    unsafe { libc::_exit(status) }
}

/// Ends this process as the signal would that it does not get.
pub(crate) fn end_as_if_killed() -> ! {
    // A process may always signal itself; if a filter forbids it, it ends all the same.
    let _ = kill_process(getpid(), Signal::KILL);
    exit_now(STATUS_MAX)
}

/// In the parent: takes hold of the child by a descriptor and lets it run.
fn adopt(
    pid: Pid,
    gate: Gate,
    prepared: impl FnOnce(i32) -> Result<(), Error>,
) -> Result<Forkling, Error> {
    match open_child(pid) {
        Ok((true, pidfd)) => {
            let told = prepared(pid.as_raw_pid()).and_then(|()| Ok(gate.tell(GO)?));
            match told {
                // The child may have been killed meanwhile; its status will say so.
                Ok(()) => Ok(Forkling { pid: pid.as_raw_pid(), sentinel: pidfd, is_lost: false }),
                Err(error) => Err(abandon(pid, gate, error)),
            }
        }
        // Ended and collected by others. The descriptor may be another's by now: it is dropped. The
        // pipe, with a byte that nobody reads, is readable for ever, as the sentinel of an ended
        // child is.
        Ok((false, _)) | Err(Errno::SRCH) => {
            let _ = gate.tell(ABANDON); // should that fail, the end of the pipe says as much
            Ok(Forkling { pid: pid.as_raw_pid(), sentinel: gate.read, is_lost: true })
        }
        Err(errno) => Err(abandon(pid, gate, errno.into())),
    }
}

/// A descriptor of what has this number, and whether that is a child of ours.
fn open_child(pid: Pid) -> Result<(bool, OwnedFd), Errno> {
    let pidfd = pidfd::open(pid)?;
    Ok((pidfd::is_own_child(&pidfd)?, pidfd))
}

/// In the parent: ends a child that cannot be let run, and waits until it is gone, for a while.
fn abandon(pid: Pid, gate: Gate, why: Error) -> Error {
    // If the byte cannot be sent, the end of the pipe says the same.
    let _ = gate.tell(ABANDON);
    drop(gate);
    // One that stands still cannot obey. The gate's numbers are free for a descriptor now; should
    // there be none all the same, it ends when it goes on.
    if let Ok((true, pidfd)) = open_child(pid) {
        let _ = pidfd::signal(pidfd.as_fd(), pidfd::SIGKILL);
    }
    let limit = Deadline::after(KILLED_LIMIT).start();
    while !is_collected(pid) {
        if limit.remaining().is_some_and(|left| left.is_zero()) {
            locked(abandoned()).push(pid);
            break;
        }
        pidfd::pause(TRACED_PAUSE);
    }
    why
}

/// Children that were abandoned and had not ended when that was given up.
static ABANDONED: PerProcess<Mutex<Vec<Pid>>> = PerProcess::new();

fn abandoned() -> &'static Mutex<Vec<Pid>> {
    ABANDONED.get(Mutex::default)
}

/// Collects those that have ended since.
pub(crate) fn collect_abandoned() {
    if let Some(abandoned) = ABANDONED.existing() {
        locked(abandoned).retain(|pid| !is_collected(*pid));
    }
}

/// Collects an abandoned child if it has ended. By number, for want of anything better: the number
/// stays its own until it is collected here, or by foreign code, and then it is no child any more.
fn is_collected(pid: Pid) -> bool {
    match waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG) {
        Ok(ended) => ended.is_some(),
        Err(errno) => errno == Errno::CHILD,
    }
}

/// Nothing panics while it holds the lock, so poison would say nothing.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Gate {
    /// Beyond the standard numbers: what a child prints to a closed standard output must not come
    /// here as its parent's word.
    fn make() -> Result<Self, Error> {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        Ok(Self { read: beyond_standard(read)?, write: beyond_standard(write)? })
    }

    /// In the parent. Its own copy of the other end is open, so that the write to a child that was
    /// killed is neither refused nor deadly, and an empty pipe takes a byte without waiting.
    fn tell(&self, byte: u8) -> Result<(), Errno> {
        loop {
            match write(&self.write, &[byte]) {
                Err(Errno::INTR) => {} // ends: each signal interrupts once
                done => return done.map(drop),
            }
        }
    }

    /// In the child: returns once the parent holds its descriptor, and ends if it never will.
    fn wait(self, parent: BorrowedFd<'_>) {
        close(self.write);
        let mut is_last_look = false;
        // Ends with the byte, with the end of the pipe, or with the look after the parent's end.
        loop {
            let mut byte = [0; 1];
            match read(&self.read, &mut byte) {
                Ok(1) if byte == [GO] => return close(self.read),
                Err(Errno::INTR) => {} // ends: each signal interrupts once
                // Seldom: mostly the byte comes while the child is still being made.
                Err(Errno::AGAIN) if !is_last_look => {
                    // What has ended writes no more, but may have written since the read.
                    is_last_look = sleep_until_news(&self.read, parent) == News::ParentEnded;
                }
                _ => exit_now(STATUS_MAX),
            }
        }
    }
}

/// What a child that waits may wake up for.
#[derive(PartialEq, Eq)]
enum News {
    Gate,
    ParentEnded,
}

/// Sleeps until the gate has news or the parent has ended.
fn sleep_until_news(gate: &OwnedFd, parent: BorrowedFd<'_>) -> News {
    let mut polled = [gate.as_fd(), parent].map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
    loop {
        match poll(&mut polled, None) {
            Err(Errno::INTR) => {} // ends: each signal interrupts once
            Ok(_) if !polled[0].revents().is_empty() => return News::Gate,
            // A poll that fails otherwise, for want of memory, is taken for the end.
            _ => return News::ParentEnded,
        }
    }
}

/// What the last call of libc in this thread failed with.
pub(crate) fn last_errno() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::AGAIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ExitStatus, Process};

    #[test]
    fn a_child_that_stands_still_and_cannot_be_prepared_is_killed() {
        let child = Process::fork("starts", || -> Result<(), Error> {
            let (_, own) = pidfd::open_own()?;
            let mut stopped = None;
            let prepared = |pid| {
                stopped = Pid::from_raw(pid);
                stopped.map(|pid| kill_process(pid, Signal::STOP));
                Err(Error::OutOfResources)
            };
            // SAFETY: The child makes system calls only, and never returns from there.
            match unsafe { fork(own, prepared) } {
                Ok(Forked::Child(_)) => exit_now(STATUS_MAX),
                Err(Error::OutOfResources) if stopped.is_some_and(is_collected) => Ok(()),
                _ => Err(Error::StillRunning),
            }
        });
        let limit = std::time::Duration::from_secs(60);
        assert_eq!(child.unwrap().join(limit), Ok(ExitStatus::Code(0)), "see the message above");
    }
}
