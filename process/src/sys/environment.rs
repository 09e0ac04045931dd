//! The environment of this process, which is memory that all of libc reads without a lock.
#![expect(unsafe_code, reason = "the environment is changed while there is one thread")]

/// Removes a variable. Only for a process that has one thread, as the caller has looked up.
pub(crate) fn remove(name: &str) {
    // SAFETY: This process has one thread, so that nobody reads the environment meanwhile.
    unsafe { std::env::remove_var(name) };
}
