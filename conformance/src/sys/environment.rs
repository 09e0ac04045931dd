//! The environment of this process, as a script changes it.
#![expect(unsafe_code, reason = "the environment is not guarded against other threads")]

/// Sets a variable.
pub(crate) fn set(name: &str, value: &str) {
    // SAFETY: The other threads of an actor read pipes, and never the environment; the script makes
    // one call of a process at a time that does.
    unsafe { std::env::set_var(name, value) };
}
