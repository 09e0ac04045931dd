//! The three standard descriptors, and the C library's own buffer for the second.
#![expect(unsafe_code, reason = "the C library's stdout is a foreign variable")]

use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags, fcntl_getfl, fstat, makedev, open};
use rustix::io::{Errno, fcntl_dupfd_cloexec, write};
use rustix::stdio::{dup2_stdin, dup2_stdout, stderr, stdin};

use super::broken_pipe::Quiet;
use crate::limits::STANDARD_FD_COUNT;

unsafe extern "C" {
    /// C's standard output, `stdin(3)`.
    static stdout: *mut libc::FILE;
    fn ftrylockfile(stream: *mut libc::FILE) -> libc::c_int;
    fn funlockfile(stream: *mut libc::FILE);
    /// How many bytes wait to be written, `stdio_ext(3)`.
    fn __fpending(stream: *mut libc::FILE) -> libc::size_t;
    fn fflush_unlocked(stream: *mut libc::FILE) -> libc::c_int;
    /// Forgets what waits to be written, `fpurge(3)`.
    fn __fpurge(stream: *mut libc::FILE);
}

/// Makes standard input the null device; where there is none, closes it, so that reads fail instead
/// of taking what is meant for the parent.
pub(crate) fn detach_stdin() {
    if is_null(stdin()) {
        return; // to open another takes a twentieth of what a bare fork does
    }
    match open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
        // If it took the place of a closed standard input it has to stay there, and be inherited
        // by programs that the child starts.
        Ok(null) if is_stdin(&null) => {
            let _ = rustix::io::fcntl_setfd(&null, rustix::io::FdFlags::empty());
            core::mem::forget(null);
        }
        Ok(null) => {
            // It fails only while another thread is opening descriptor 0, and a new child has none.
            let _ = dup2_stdin(&null);
        }
        // SAFETY: nobody in this process owns descriptor 0: the standard library borrows it only,
        // and copes with a closed one.
        Err(_) => unsafe { rustix::io::close(0) },
    }
}

/// Takes the numbers of standard streams that are closed, until dropped: a pipe that came to be one
/// of them would be in the way of the others. What is executed meanwhile finds them closed.
pub(crate) fn take_closed() -> Vec<OwnedFd> {
    let closed = [rustix::stdio::stdin(), rustix::stdio::stdout(), stderr()]
        .into_iter()
        .filter(|stream| rustix::io::fcntl_getfd(stream).is_err());
    // Each takes the lowest number that is free. Without any left there is none to be in the way.
    closed
        .filter_map(|_| open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).ok())
        .collect()
}

/// Writes C's standard output out, unless another thread uses it just now. Returns whether its
/// buffer is known to be empty. `fflush(NULL)` would wait for every stream, also for a standard
/// input that some thread is blocked reading.
pub(crate) fn try_flush_c_stdout(is_only_thread: bool) -> bool {
    if is_only_thread && is_c_stdout_empty() {
        return true;
    }
    // SAFETY: libc sets the variable before any code of this program and keeps the stream for good;
    // a program may assign another, which is then as valid. The lock is taken and given back by
    // this thread, and `fflush_unlocked` is called in between.
    unsafe {
        if ftrylockfile(stdout) != 0 {
            return false;
        }
        let flushed = fflush_unlocked(stdout) == 0;
        funlockfile(stdout);
        flushed
    }
}

/// In a new child: forgets what it has a copy of, which its parent has yet to write.
pub(crate) fn forget_c_stdout() {
    // SAFETY: the stream is valid, as above. The child has one thread, and libc's fork has freed
    // the lock. Another thread of the parent may have been amid a change of the buffer; the call
    // reads nothing of it, and sets its end to its start.
    unsafe { __fpurge(stdout) }
}

/// In a new child: has Rust's own buffer of the standard output written out to nowhere, for what is
/// in it is its parent's to write. Rust has no other way to empty it. Without descriptors it stays,
/// and is written twice.
pub(crate) fn forget_rust_stdout(flush: impl FnOnce()) {
    let Ok(kept) = fcntl_dupfd_cloexec(rustix::stdio::stdout(), STANDARD_FD_COUNT) else { return };
    let Ok(null) = open("/dev/null", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty()) else {
        return;
    };
    if dup2_stdout(&null).is_ok() {
        flush();
        let _ = dup2_stdout(&kept); // its number is taken, so that nothing is needed for it
    }
}

/// Whether there is nothing to be written out, in a process of one thread: in a new child a look
/// costs less than a flush, which writes to memory that has to be copied for it.
pub(crate) fn is_c_stdout_empty() -> bool {
    // SAFETY: the stream is valid, as above; the call reads it, and no other thread writes to it.
    unsafe { __fpending(stdout) == 0 }
}

/// Writes to standard error without any lock, and without caring whether that works: where nobody
/// reads, that is no reason to end.
pub(crate) fn print_error(text: &str) {
    let mut quiet = Quiet::hold();
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        match write(stderr(), rest) {
            Ok(0) => return,
            Ok(count) => rest = &rest[count..],
            Err(Errno::INTR) => {} // ends: each signal interrupts once
            Err(Errno::PIPE) => return quiet.note_broken(),
            Err(_) => return,
        }
    }
}

/// Whether it is the null device, open for reading: its number is the same everywhere, `null(4)`.
fn is_null(fd: BorrowedFd<'_>) -> bool {
    let is_device = fstat(fd).is_ok_and(|stat| {
        FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice
            && stat.st_rdev == makedev(1, 3)
    });
    let mode = fcntl_getfl(fd).map(|flags| flags & OFlags::RWMODE);
    is_device && matches!(mode, Ok(mode) if mode != OFlags::WRONLY)
}

fn is_stdin(fd: &OwnedFd) -> bool {
    std::os::fd::AsRawFd::as_raw_fd(fd) == 0
}
