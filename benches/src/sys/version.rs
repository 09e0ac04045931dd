//! Which C library the peers are from.
#![expect(unsafe_code, reason = "a libc call")]

/// The C library's name and version, as far as it tells.
#[cfg(target_env = "gnu")]
pub(crate) fn libc_version() -> String {
    // SAFETY: It takes nothing, and returns a string that is never freed.
    let version = unsafe { core::ffi::CStr::from_ptr(libc::gnu_get_libc_version()) };
    format!("glibc {}", version.to_string_lossy())
}

/// The C library's name and version, as far as it tells.
#[cfg(not(target_env = "gnu"))]
pub(crate) fn libc_version() -> String {
    "other than glibc".to_owned()
}
