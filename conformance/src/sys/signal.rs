//! Signals that an actor catches, or leaves to its other threads.
#![expect(unsafe_code, reason = "a signal's handler and mask are set by libc")]

use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Sets a handler for SIGUSR1 that does nothing, and that does not restart the calls it cuts.
///
/// # Errors
/// * What the system refused.
pub(crate) fn catch_user_signal() -> io::Result<()> {
    extern "C" fn nothing(_: libc::c_int) {}
    handle(libc::SIGUSR1, nothing)
}

/// Sets a handler for SIGINT that notes it, and that does not restart the calls it cuts.
///
/// # Errors
/// * What the system refused.
pub(crate) fn catch_interrupt() -> io::Result<()> {
    extern "C" fn note(_: libc::c_int) {
        // Relaxed: it is read by the thread whose call the signal has cut.
        WAS_INTERRUPTED.store(true, Relaxed);
    }
    handle(libc::SIGINT, note)
}

/// Whether there was an interrupt since this was last asked.
pub(crate) fn was_interrupted() -> bool {
    WAS_INTERRUPTED.swap(false, Relaxed) // Relaxed: as in the handler
}

static WAS_INTERRUPTED: AtomicBool = AtomicBool::new(false);

fn handle(signal: libc::c_int, handler: extern "C" fn(libc::c_int)) -> io::Result<()> {
    // SAFETY: All zeros are a valid action: no flags, an empty mask; its handler is set next.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = handler as libc::sighandler_t;
    // SAFETY: The handler is a function of this file, which touches an atomic at most.
    match unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// From now on the calling thread leaves the signals that scripts send (SIGUSR1, SIGINT) to the
/// threads that make calls.
pub(crate) fn leave_to_others() {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `sigemptyset` makes the set valid; the rest reads it and changes this thread's mask.
    // None of them fails with valid signal numbers.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGUSR1);
        libc::sigaddset(set.as_mut_ptr(), libc::SIGINT);
        libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), ptr::null_mut());
    }
}
