//! How many processors the machine has.
#![expect(unsafe_code, reason = "sysconf(3)")]

/// Those that are online; `None` when the system does not say.
pub(crate) fn online_count() -> Option<usize> {
    // SAFETY: it takes a number and returns one.
    let count = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) };
    usize::try_from(count).ok().filter(|count| *count > 0)
}
