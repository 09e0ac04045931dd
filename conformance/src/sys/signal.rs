//! Signals that an actor catches, or leaves to its other threads.
#![expect(unsafe_code, reason = "a signal's handler and mask are set by libc")]

use std::io;
use std::mem::MaybeUninit;
use std::ptr;

/// Sets a handler for SIGUSR1 that does nothing, and that does not restart the calls it cuts.
///
/// # Errors
/// * What the system refused.
pub(crate) fn catch_user_signal() -> io::Result<()> {
    extern "C" fn nothing(_: libc::c_int) {}
    let handler: extern "C" fn(libc::c_int) = nothing;
    // SAFETY: All zeros are a valid action: no flags, an empty mask; its handler is set next.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = handler as libc::sighandler_t;
    // SAFETY: The handler is a function of this program that touches nothing.
    match unsafe { libc::sigaction(libc::SIGUSR1, &raw const action, ptr::null_mut()) } {
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
