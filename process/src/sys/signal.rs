//! What happens to this process when a child of it ends, what its threads block, and what signals
//! are called.
#![expect(unsafe_code, reason = "rustix has no sigaction, and no masks")]

use core::mem::MaybeUninit;
use core::ptr;

use crate::Error;
use crate::limits::SIGNAL_MAX;

/// Whether the kernel keeps ended children of this process until they are collected.
pub(crate) fn keeps_ended_children() -> bool {
    let mut current = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: a null pointer sets nothing, and the other one is valid for a write of its type.
    if unsafe { libc::sigaction(libc::SIGCHLD, ptr::null(), current.as_mut_ptr()) } != 0 {
        return true; // it fails for a wrong number only
    }
    // SAFETY: the call succeeded, and then it has written the whole value.
    let current = unsafe { current.assume_init() };
    current.sa_sigaction != libc::SIG_IGN && current.sa_flags & libc::SA_NOCLDWAIT == 0
}

/// Lets the kernel keep ended children until they are collected, unless it does so already.
pub(crate) fn keep_ended_children() -> Result<(), Error> {
    let mut current = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: a null pointer sets nothing, and the other one is valid for a write of its type.
    let done = unsafe { libc::sigaction(libc::SIGCHLD, ptr::null(), current.as_mut_ptr()) };
    check(done)?;
    // SAFETY: the call succeeded, and then it has written the whole value.
    let mut current = unsafe { current.assume_init() };
    if current.sa_sigaction == libc::SIG_IGN {
        current.sa_sigaction = libc::SIG_DFL;
    } else if current.sa_flags & libc::SA_NOCLDWAIT == 0 {
        return Ok(());
    }
    current.sa_flags &= !libc::SA_NOCLDWAIT;
    // SAFETY: it installs the default action, or the handler that was installed before. Both
    // pointers are valid, null asks for nothing.
    check(unsafe { libc::sigaction(libc::SIGCHLD, &raw const current, ptr::null_mut()) })
}

/// Whether the calling thread blocks any signal.
pub(crate) fn blocks_any() -> bool {
    let mut mask = MaybeUninit::uninit();
    // SAFETY: a null pointer changes nothing, and the call fills the set, since its arguments are
    // right; a number beyond the last is no member.
    unsafe {
        libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), mask.as_mut_ptr());
        (1..=SIGNAL_MAX).any(|number| libc::sigismember(mask.as_ptr(), number) == 1)
    }
}

/// Blocks no signal in the calling thread any more.
pub(crate) fn unblock_all() {
    let mut none = MaybeUninit::uninit();
    // SAFETY: the first call fills the set, the second one reads it; null asks for nothing.
    unsafe {
        libc::sigemptyset(none.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, none.as_ptr(), ptr::null_mut());
    }
}

fn check(done: libc::c_int) -> Result<(), Error> {
    if done == 0 { Ok(()) } else { Err(super::fork::last_errno().into()) }
}

/// What `signal(7)` calls it; `None` for those that have a number only.
pub(crate) fn name_of(number: i32) -> Option<&'static str> {
    NAMES.iter().find(|(named, _)| *named == number).map(|(_, name)| *name)
}

const NAMES: [(i32, &str); 31] = [
    (libc::SIGHUP, "SIGHUP"),
    (libc::SIGINT, "SIGINT"),
    (libc::SIGQUIT, "SIGQUIT"),
    (libc::SIGILL, "SIGILL"),
    (libc::SIGTRAP, "SIGTRAP"),
    (libc::SIGABRT, "SIGABRT"),
    (libc::SIGBUS, "SIGBUS"),
    (libc::SIGFPE, "SIGFPE"),
    (libc::SIGKILL, "SIGKILL"),
    (libc::SIGUSR1, "SIGUSR1"),
    (libc::SIGSEGV, "SIGSEGV"),
    (libc::SIGUSR2, "SIGUSR2"),
    (libc::SIGPIPE, "SIGPIPE"),
    (libc::SIGALRM, "SIGALRM"),
    (libc::SIGTERM, "SIGTERM"),
    (libc::SIGSTKFLT, "SIGSTKFLT"),
    (libc::SIGCHLD, "SIGCHLD"),
    (libc::SIGCONT, "SIGCONT"),
    (libc::SIGSTOP, "SIGSTOP"),
    (libc::SIGTSTP, "SIGTSTP"),
    (libc::SIGTTIN, "SIGTTIN"),
    (libc::SIGTTOU, "SIGTTOU"),
    (libc::SIGURG, "SIGURG"),
    (libc::SIGXCPU, "SIGXCPU"),
    (libc::SIGXFSZ, "SIGXFSZ"),
    (libc::SIGVTALRM, "SIGVTALRM"),
    (libc::SIGPROF, "SIGPROF"),
    (libc::SIGWINCH, "SIGWINCH"),
    (libc::SIGIO, "SIGIO"),
    (libc::SIGPWR, "SIGPWR"),
    (libc::SIGSYS, "SIGSYS"),
];
