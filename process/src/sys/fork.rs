//! `fork(2)`, through libc so that every fork handler of the program runs.
//!
//! The child waits for one byte before it goes on. So it cannot end, and its number cannot become
//! another's, before the parent holds its descriptor; and when the parent gets none, the child is
//! told to end and no orphan is left. Only a stranger's signal can end it earlier.
#![expect(unsafe_code, reason = "fork and _exit")]

use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, Shutdown, recv, send, shutdown};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, getpid, getppid, kill_process, waitid};

use crate::Error;
use crate::limits::{GO_SLICE, STATUS_MAX};
use crate::sys::{message, pidfd};

/// The byte that lets a new child run. Any other, or the end of the socket, ends it.
const GO: u8 = b'g';
const ABANDON: u8 = b'a';

/// Which of the two processes returned.
pub(crate) enum Forked {
    Child,
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

/// Forks, and returns twice.
///
/// # Safety
/// * In the child, the caller runs nothing that waits for a thread that only the parent has, or
///   accepts that it may wait for ever. Every other thread is as if stopped at some instruction.
///
/// Not asked: that the program has one thread, or that the child only makes async-signal-safe
/// calls; libc's own locks (its allocator's, its streams') are made usable in the child by its
/// fork.
pub(crate) unsafe fn fork() -> Result<Forked, Error> {
    let (ours, theirs) = message::pair()?;
    let parent = getpid();
    // SAFETY: what is asked of the child from here is passed on to our caller; the lines of this
    // module that run there make system calls only.
    match unsafe { libc::fork() } {
        -1 => Err(last_errno().into()),
        0 => {
            drop(ours);
            wait_for_go(&theirs, parent);
            Ok(Forked::Child)
        }
        pid => {
            drop(theirs); // frees a descriptor, which the one of the child will need
            // SAFETY: fork returned neither -1 nor 0, and a pid is positive.
            let pid = unsafe { Pid::from_raw_unchecked(pid) };
            Ok(Forked::Parent(adopt(pid, ours)?))
        }
    }
}

/// Ends this process at once: no handlers, no destructors, no flushing.
pub(crate) fn exit_now(status: i32) -> ! {
    // SAFETY: `_exit` asks for nothing.
    unsafe { libc::_exit(status) }
}

/// Ends this process as the signal would that it came too late for.
pub(crate) fn end_as_if_killed() -> ! {
    // A process may always signal itself; if a filter forbids it, it ends all the same.
    let _ = kill_process(getpid(), Signal::KILL);
    exit_now(STATUS_MAX)
}

/// In the parent: takes hold of the child by a descriptor and lets it run.
fn adopt(pid: Pid, go: OwnedFd) -> Result<Forkling, Error> {
    let opened = pidfd::open(pid).and_then(|fd| Ok((pidfd::is_own_child(&fd)?, fd)));
    match opened {
        Ok((true, pidfd)) => match tell(&go, GO) {
            // The other end is gone when the child was killed meanwhile; its status will say so.
            Ok(()) | Err(Errno::PIPE | Errno::CONNRESET) => {
                Ok(Forkling { pid: pid.as_raw_pid(), sentinel: pidfd, is_lost: false })
            }
            Err(errno) => Err(abandon(pid, go, errno)),
        },
        // Ended and collected by others. The descriptor may be another's by now: it is dropped. Our
        // end of the socket, shut, is readable for ever, as the sentinel of an ended child is.
        Ok((false, _)) | Err(Errno::SRCH) => {
            // It cannot fail on a socket of ours, and if it did the far end is closed anyway.
            let _ = shutdown(&go, Shutdown::Both);
            Ok(Forkling { pid: pid.as_raw_pid(), sentinel: go, is_lost: true })
        }
        Err(errno) => Err(abandon(pid, go, errno)),
    }
}

/// In the parent: ends a child that it could get no descriptor for, and waits until it is gone.
fn abandon(pid: Pid, go: OwnedFd, why: Errno) -> Error {
    // If the byte cannot be sent, the end of the socket says the same.
    let _ = tell(&go, ABANDON);
    drop(go);
    // By number, for want of anything better. The number is still this child's: it ends only now,
    // and stays until it is collected here, or by foreign code, and then the answer is ECHILD.
    while matches!(waitid(WaitId::Pid(pid), WaitIdOptions::EXITED), Err(Errno::INTR)) {}
    why.into()
}

fn tell(go: &OwnedFd, byte: u8) -> Result<(), Errno> {
    loop {
        match send(go, &[byte], SendFlags::NOSIGNAL) {
            Err(Errno::INTR) => {} // ends: each signal interrupts once
            done => return done.map(drop),
        }
    }
}

/// In the child: returns once the parent holds its descriptor, and ends if it never will.
fn wait_for_go(go: &OwnedFd, parent: Pid) {
    while !is_readable(go, GO_SLICE) {
        // No parent is one in an outer pid namespace. Any other is whoever adopts orphans.
        if getppid().is_some_and(|now| now != parent) {
            exit_now(STATUS_MAX);
        }
    }
    let mut byte = [0; 1];
    loop {
        match recv(go, &mut byte, RecvFlags::empty()) {
            Ok((1, _)) if byte == [GO] => return,
            Err(Errno::INTR) => {} // ends: each signal interrupts once
            _ => exit_now(STATUS_MAX),
        }
    }
}

fn is_readable(fd: &OwnedFd, limit: Duration) -> bool {
    let Ok(limit) = Timespec::try_from(limit) else { return false };
    // An interruption counts as "not yet": the caller asks again.
    poll(&mut [PollFd::new(fd, PollFlags::IN)], Some(&limit)).is_ok_and(|count| count > 0)
}

/// What the last call of libc in this thread failed with.
pub(crate) fn last_errno() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::AGAIN)
}
