//! What a daemon's life hangs on: a pipe whose write end its parent alone has.
//!
//! The kernel closes the write end with the parent's last thread, however that ends, and signals
//! the daemon: `O_ASYNC` on the read end, with `SIGKILL` as its signal. The signal belongs to the
//! open description, so that each daemon has one of its own, and the parent can set it while the
//! daemon stands still. (`PR_SET_PDEATHSIG` would follow the thread that started the daemon, and
//! not the process.)
#![expect(unsafe_code, reason = "fcntl's F_SETOWN and F_SETSIG, and a close in a fork handler")]

use std::ffi::CStr;
use std::io::Write as _;
use std::mem::forget;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;

use super::descriptor::beyond_standard;
use super::fork::last_errno;
use super::origin::{Origin, PerProcess, own_pid};
use super::thread::start_bare;
use crate::Error;

/// The write end, with the number of its pipe. Made for the first daemon of a process, and kept
/// until the process ends.
struct Write {
    end: OwnedFd,
    pipe: u64,
}

/// What `fcntl(2)` calls so, which libc does not name for glibc; the same on all architectures that
/// this crate is built for.
const F_SETSIG: libc::c_int = 10;

/// A path to a descriptor of the own process takes so many bytes at most, and a zero.
const PATH_BYTES: usize = "/proc/thread-self/fd/-2147483648".len() + 1;

/// The number of a process that a pid namespace began with.
const NAMESPACE_FIRST: i32 = 1;

static WRITE: PerProcess<Mutex<Option<Write>>> = PerProcess::new();

/// The same for the fork handler, which takes no lock: the descriptor, -1 for none, and the pipe.
static HANDLER_FD: AtomicI32 = AtomicI32::new(-1);
static HANDLER_PIPE: AtomicU64 = AtomicU64::new(0);

/// What is set up for a daemon that is being started. Dropped in the parent before it is kept, it
/// takes along the write end that was made for it.
pub(crate) struct Line {
    /// For the daemon. The parent's copy goes with the start.
    read: Option<OwnedFd>,
    /// Whoever made the write end for this daemon, and has not kept it yet.
    maker: Option<Origin>,
}

/// A read end for one more daemon of this process. Only in a turn to start, until the
/// answer is kept or dropped.
///
/// # Errors
/// * [`Error::OutOfResources`] without descriptors; [`Error::Unsupported`] without `/proc`.
pub(crate) fn line() -> Result<Line, Error> {
    let mut write = write_end();
    if let Some(lost) = write.take_if(|write| pipe_of(write.end.as_fd()) != Ok(write.pipe)) {
        forget(lost.end); // foreign code closed it, and the number is another's
    }
    let mut line = Line { read: None, maker: None };
    let fd = match &*write {
        Some(write) => write.end.as_raw_fd(),
        None => {
            let made = write.insert(make()?);
            line.maker = Some(Origin::current());
            made.end.as_raw_fd()
        }
    };
    drop(write); // the line's drop takes it
    line.read = Some(reopen(fd)?);
    Ok(line)
}

impl Line {
    /// From here on the life of the daemon of this number is the caller's, whatever it does
    /// meanwhile: before it is let run, and as long as its number is its own.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] without memory for the kernel's note.
    pub(crate) fn arm(&self, daemon: i32) -> Result<(), Error> {
        self.read.as_ref().map_or(Ok(()), |read| arm(read.as_fd(), daemon))
    }

    /// The daemon has been started.
    pub(crate) fn keep(mut self) {
        self.maker = None;
    }

    /// The read end, for the daemon.
    pub(crate) fn take_read(&mut self) -> Option<OwnedFd> {
        self.read.take()
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.maker.is_some_and(Origin::is_current) {
            // Relaxed: a fork that comes between finds another file, or none, and closes nothing.
            HANDLER_FD.store(-1, Ordering::Relaxed);
            *write_end() = None;
        }
    }
}

fn write_end() -> MutexGuard<'static, Option<Write>> {
    WRITE.get(|| Mutex::new(None)).lock().unwrap_or_else(PoisonError::into_inner)
}

/// A read end of the pipe, with an open description of its own.
fn reopen(write_end: RawFd) -> Result<OwnedFd, Error> {
    // On the stack: of several starts, each would have a page of the heap copied for it. Not
    // `/proc/self`, which is empty once the main thread has ended alone.
    let mut path = [0; PATH_BYTES];
    write!(&mut path[..], "/proc/thread-self/fd/{write_end}").map_err(|_| Error::Unsupported)?;
    let path = CStr::from_bytes_until_nul(&path).map_err(|_| Error::Unsupported)?;
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let line = open(path, flags, Mode::empty()).map_err(|errno| match errno {
        Errno::NOENT => Error::Unsupported,
        other => other.into(),
    })?;
    Ok(beyond_standard(line)?)
}

/// In the parent, which has the write end: so its end cannot come before this and be missed.
///
/// # Errors
/// * As [`Line::arm`].
pub(crate) fn arm(line: BorrowedFd<'_>, daemon: i32) -> Result<(), Error> {
    set(line, libc::F_SETOWN, daemon)?;
    set(line, F_SETSIG, libc::SIGKILL)?;
    set(line, libc::F_SETFL, libc::O_ASYNC | libc::O_NONBLOCK)
}

/// In a new daemon: keeps the line for good. Its parent has armed it for who it started. Where that
/// is not the calling process, but a program that stands between them, it is armed anew; if the
/// parent has ended by then, this never returns.
///
/// # Errors
/// * [`Error::OutOfResources`] without memory for the kernel's note, or for a thread where it takes
///   one.
pub(crate) fn hold(line: OwnedFd) -> Result<(), Error> {
    let own = own_pid();
    if owner_of(&line) != own {
        arm(line.as_fd(), own)?;
        // A parent that ended before has not signalled this process. One look tells.
        if is_over(&line)? {
            super::fork::end_as_if_killed();
        }
    }
    if own == NAMESPACE_FIRST {
        return watch(line);
    }
    forget(line); // it is closed with this process
    Ok(())
}

/// Who is signalled, as a number that the calling process knows.
fn owner_of(line: &OwnedFd) -> libc::pid_t {
    // SAFETY: The descriptor is open, and the command takes nothing.
    unsafe { libc::fcntl(line.as_raw_fd(), libc::F_GETOWN) }
}

/// Whether the write end is gone.
fn is_over(line: &OwnedFd) -> Result<bool, Error> {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    let mut polled = [PollFd::new(line, PollFlags::empty())];
    loop {
        match poll(&mut polled, Some(&now)) {
            Err(Errno::INTR) => {} // ends: each signal interrupts once
            answer => return Ok(answer? > 0),
        }
    }
}

/// The first process of a pid namespace does not get the signal, as one that it has no handler for
/// (`pid_namespaces(7)`): there a thread waits for the same.
fn watch(line: OwnedFd) -> Result<(), Error> {
    let wait = move || {
        // Ends with the parent's end, and this process with it.
        while poll(&mut [PollFd::new(&line, PollFlags::empty())], None) == Err(Errno::INTR) {}
        super::fork::end_as_if_killed()
    };
    start_bare(None, Box::new(wait))
}

/// In a forked child: closes the copy of its parent's write end, which would keep the parent's
/// daemons alive. Async-signal-safe: a few system calls.
pub(crate) fn close_copy() {
    // Relaxed, both: the child has one thread, and sees what that thread's process stored.
    let (fd, pipe) = (HANDLER_FD.load(Ordering::Relaxed), HANDLER_PIPE.load(Ordering::Relaxed));
    if fd < 0 {
        return;
    }
    HANDLER_FD.store(-1, Ordering::Relaxed); // Relaxed: as above
    // SAFETY: The number is not -1, and is used for one look, which fails on one that is not open.
    let copy = unsafe { BorrowedFd::borrow_raw(fd) };
    // Foreign code may have closed it, and the number be another file's.
    if pipe_of(copy) == Ok(pipe) {
        // SAFETY: It is the copy that this process got of its parent's write end. Whoever owned it
        // is in the parent: here its owner lies in a value that no code of this process reaches.
        unsafe { rustix::io::close(fd) };
    }
}

fn make() -> Result<Write, Error> {
    let (read, write) = std::io::pipe().map_err(|error| match error.raw_os_error() {
        Some(errno) => Errno::from_raw_os_error(errno).into(),
        None => Error::OutOfResources,
    })?;
    drop(read); // daemons get ends of their own
    let end = beyond_standard(write.into())?;
    let pipe = pipe_of(end.as_fd())?;
    // Relaxed, both: a fork that comes between the two finds another pipe's number and closes
    // nothing, as one did just before. Starts of this crate's own do not come between.
    HANDLER_PIPE.store(pipe, Ordering::Relaxed);
    HANDLER_FD.store(end.as_raw_fd(), Ordering::Relaxed);
    Ok(Write { end, pipe })
}

/// The number of the pipe that this is the write end of.
fn pipe_of(end: BorrowedFd<'_>) -> Result<u64, Errno> {
    let stat = rustix::fs::fstat(end)?;
    let is_pipe = rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::Fifo;
    let is_write = rustix::fs::fcntl_getfl(end)?.contains(OFlags::WRONLY);
    if is_pipe && is_write { Ok(stat.st_ino) } else { Err(Errno::BADF) }
}

fn set(line: BorrowedFd<'_>, command: libc::c_int, value: libc::c_int) -> Result<(), Error> {
    // SAFETY: The descriptor is open, and each of these commands takes a number.
    match unsafe { libc::fcntl(line.as_raw_fd(), command, value) } {
        -1 => Err(last_errno().into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::fork::exit_now;
    use crate::{ExitCode, ExitStatus, Process, current};
    use std::io::{Read, pipe};
    use std::time::Duration;

    const LIMIT: Duration = Duration::from_secs(60);

    #[test]
    fn a_daemon_whose_parent_ended_before_it_was_armed_ends() {
        let (mut reader, mut writer) = pipe().unwrap();
        let parent = Process::fork("parent", || {
            let read = line().unwrap().take_read().unwrap();
            let late = Process::fork("late", || {
                writer.write_all(b"b").unwrap();
                current().parent().unwrap().join(LIMIT).unwrap();
                hold(read).unwrap();
                writer.write_all(b"a").unwrap();
            });
            exit_now(i32::from(late.is_err())) as ()
        });
        drop(writer);
        assert_eq!(parent.unwrap().join(LIMIT), Ok(ExitStatus::Code(0)));
        let mut said = String::new();
        reader.read_to_string(&mut said).unwrap();
        assert_eq!(said, "b", "it went on behind its arming");
    }

    #[test]
    fn a_start_that_failed_takes_the_write_end_along() {
        let count = || std::fs::read_dir("/proc/self/fd").unwrap().count();
        let child = Process::fork("alone", || {
            let before = count();
            drop(line().unwrap());
            let after = count();
            line().unwrap().keep();
            drop(line().unwrap());
            ExitCode((after != before || count() != before + 1) as i32)
        });
        assert_eq!(child.unwrap().join(LIMIT), Ok(ExitStatus::Code(0)));
    }
}
