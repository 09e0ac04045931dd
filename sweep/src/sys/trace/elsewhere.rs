//! Processors for which nobody has written marks yet: nothing is stepped there.

use std::io;

/// Whether instructions can be stepped here.
pub(super) const IS_SUPPORTED: bool = false;

pub(super) fn begin() {}

pub(super) fn end() {}

pub(super) fn begin_address() -> u64 {
    0
}

pub(super) fn end_address() -> u64 {
    0
}

pub(super) fn instruction_address(_pid: i32) -> io::Result<u64> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn stop_before(_pid: i32, _address: Option<u64>) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn system_call_at(_pid: i32, _address: u64) -> Option<u64> {
    None
}

pub(super) fn system_call(_pid: i32) -> io::Result<u64> {
    Err(io::ErrorKind::Unsupported.into())
}
