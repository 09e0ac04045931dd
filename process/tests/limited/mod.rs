//! Limits of the calling process, a child of the test's, so that nobody else feels them.

use std::fs::File;

use rustix::process::{Resource, Rlimit, setrlimit};

/// Lowers a limit, for good.
pub(crate) fn lower(resource: Resource, limit: u64) -> Result<(), String> {
    let both = Rlimit { current: Some(limit), maximum: Some(limit) };
    setrlimit(resource, both).map_err(|errno| format!("setrlimit: {errno}"))
}

/// Opens descriptors until none is left.
pub(crate) fn take_all_descriptors() -> Vec<File> {
    std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
}
