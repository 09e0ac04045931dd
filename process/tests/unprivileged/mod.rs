//! Being a user that the system's limits and rights hold, in a child of the test's.
#![expect(unsafe_code, reason = "the C library changes the user of all threads")]

use rustix::process::{Resource, Rlimit, geteuid, setrlimit};

/// The user that has no rights.
const NOBODY: libc::uid_t = 65534;

/// Becomes a user without privileges, for good. Where that is not possible it says so, and the
/// answer is no.
pub(crate) fn become_unprivileged() -> bool {
    // SAFETY: it takes a number and asks for nothing.
    let is_so = !geteuid().is_root() || unsafe { libc::setuid(NOBODY) } == 0;
    if !is_so {
        println!("not made: this user is privileged, and may not become nobody");
    }
    is_so
}

/// As above; from then on this process can start neither a process nor a thread.
pub(crate) fn reach_the_process_limit() -> bool {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let is_so = become_unprivileged();
    if is_so {
        setrlimit(Resource::Nproc, none).expect("a limit can be lowered");
    }
    is_so
}
