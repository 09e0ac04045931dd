//! What happens to this process when a child of it ends, and what signals are called.
#![expect(unsafe_code, reason = "rustix has no sigaction")]

use core::mem::MaybeUninit;
use core::ptr;

use crate::Error;

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
