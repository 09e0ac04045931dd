//! What stands in front of std's handler of faults where a program asks for it. Std's handler
//! aborts for a stack that overflowed, and for nothing else; any other fault it leaves to the
//! kernel, and returns. So an abort from within it is an overflow, and ends by another signal.
#![expect(unsafe_code, reason = "handlers of signals")]

use core::ffi::{c_int, c_void};
use core::mem::MaybeUninit;
use core::ptr;
use std::sync::OnceLock;

use crate::Error;

type Handler = unsafe extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

/// What stood there before. Written before ours is installed, and never again.
static BEHIND: OnceLock<Handler> = OnceLock::new();

/// Puts ours in front of what handles faults, with the stack, the mask and the flags of that; once.
///
/// # Errors
/// * [`Error::Unsupported`] when nothing handles them: std does unless the program began with an
///   action for them.
pub(crate) fn stand_in_front() -> Result<(), Error> {
    let mut action = exchange(libc::SIGSEGV, None)?;
    let is_handled = ![libc::SIG_DFL, libc::SIG_IGN].contains(&action.sa_sigaction);
    if !is_handled || action.sa_flags & libc::SA_SIGINFO == 0 {
        return Err(Error::Unsupported);
    }
    // SAFETY: It is neither of the two that are no functions, and the flag says that of this form.
    let behind = unsafe { core::mem::transmute::<usize, Handler>(action.sa_sigaction) };
    if BEHIND.set(behind).is_err() {
        return Ok(()); // ours is there already, or behind what came since
    }
    action.sa_sigaction = on_fault as *const () as usize;
    exchange(libc::SIGSEGV, Some(&action)).map(drop)
}

/// Async-signal-safe, as far as what is behind is: two system calls and a load.
unsafe extern "C" fn on_fault(number: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: All zeros are a valid value: no flags, an empty mask.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = on_abort as *const () as usize;
    let before = exchange(libc::SIGABRT, Some(&action));
    if let Some(behind) = BEHIND.get() {
        // SAFETY: What is passed on is what the kernel has given to this handler in its place.
        unsafe { behind(number, info, context) };
    }
    if let Ok(before) = before {
        let _ = exchange(libc::SIGABRT, Some(&before)); // it is no overflow
    }
}

/// Ends the process; should a filter forbid that, it returns, and the abort goes on.
extern "C" fn on_abort(_: c_int) {
    // SAFETY: A default action installs no code, the set is filled before it is used, null asks for
    // nothing, and a process may signal itself. A handler may make each of these calls.
    unsafe {
        libc::signal(libc::SIGSTKFLT, libc::SIG_DFL);
        let mut set = MaybeUninit::uninit();
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGSTKFLT);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, set.as_ptr(), ptr::null_mut());
        libc::raise(libc::SIGSTKFLT);
    }
}

/// What is done with a signal, and from here on what is given, if anything is.
fn exchange(number: c_int, next: Option<&libc::sigaction>) -> Result<libc::sigaction, Error> {
    let mut before = MaybeUninit::uninit();
    let next = next.map_or(ptr::null(), ptr::from_ref);
    // SAFETY: Null sets nothing, and the other pointer is valid for a write of its type. What is
    // given is what the call has told before, or a handler of this file.
    if unsafe { libc::sigaction(number, next, before.as_mut_ptr()) } != 0 {
        return Err(super::fork::last_errno().into());
    }
    // SAFETY: The call succeeded, and then it has written the whole value.
    Ok(unsafe { before.assume_init() })
}
