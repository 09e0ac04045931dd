//! The steps of [`Lock`](crate::Lock): an owner is a process, and only it releases.

use super::cell::AtomicU32;
use super::depth::One;
use super::exclusive::Steps;

/// Its holder is a process; a second acquire waits; only the holder's process releases.
#[derive(Clone, Copy, Debug)]
pub enum ByHolder {}

impl Steps for ByHolder {
    type Bits = AtomicU32;
    type Depth = One;

    #[inline]
    fn owner(token: u32) -> u64 {
        token.into()
    }
}
