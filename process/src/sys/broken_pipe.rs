//! `SIGPIPE`, which ends a program that writes where nobody reads, unless the program ignores it.
//!
//! A Rust program does, but this crate may be part of another one, and leaves the action alone.
#![expect(unsafe_code, reason = "signal sets")]

use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr;

/// Keeps the signal from this thread until it is dropped.
pub(crate) struct Quiet {
    before: libc::sigset_t,
    was_pending: bool,
    is_broken: bool,
    /// It is of the thread that made it.
    _thread: PhantomData<*const ()>,
}

impl Quiet {
    pub(crate) fn hold() -> Self {
        let was_pending = is_pending();
        let mut before = MaybeUninit::uninit();
        let signal = signal();
        // SAFETY: Both pointers are valid for the call, which fills the second one; it fails for a
        // wrong first argument only.
        let before = unsafe {
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const signal, before.as_mut_ptr());
            before.assume_init()
        };
        Self { before, was_pending, is_broken: false, _thread: PhantomData }
    }

    /// A write said that nobody reads: a signal has come with that.
    pub(crate) fn note_broken(&mut self) {
        self.is_broken = true;
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if self.is_broken && !self.was_pending {
            let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
            let signal = signal();
            // SAFETY: The pointers are valid, null asks for nothing. Interrupted by a handler, it
            // asks again.
            while unsafe { libc::sigtimedwait(&raw const signal, ptr::null_mut(), &raw const now) }
                == -1
                && super::fork::last_errno() == rustix::io::Errno::INTR
            {}
        }
        // SAFETY: The set is the one that this thread had, null asks for nothing.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, ptr::null_mut())
        };
    }
}

fn signal() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: The pointer is valid, and the first call fills the set.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGPIPE);
        set.assume_init()
    }
}

fn is_pending() -> bool {
    let mut set = MaybeUninit::uninit();
    // SAFETY: The pointer is valid, and the first call fills the set, or fails on a wrong pointer.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigpending(set.as_mut_ptr());
        libc::sigismember(set.as_ptr(), libc::SIGPIPE) == 1
    }
}
