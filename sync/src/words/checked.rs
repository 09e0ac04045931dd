//! The steps of [`CheckedLock`](crate::CheckedLock): an owner is a thread, so that its own second
//! acquire can be told from another thread's, and refused.
//!
//! The word names the thread by a number that its process gives once, beside the process's token.
//! A forked child repeats its parent's numbers, and has another token.
//!
//! ```text
//!  63         32 31 30 29      0
//!  | thread     | W| I| token  |    the lower half as in a lock's word, and the futex
//! ```

use super::bits::THREAD_SHIFT;
use super::cell::{AtomicU64, thread_number};
use super::depth::One;
use super::exclusive::{Again, Steps};

/// Its holder is a thread; a second acquire by it is refused; only it releases.
#[derive(Clone, Copy, Debug)]
pub enum ByThread {}

impl Steps for ByThread {
    type Bits = AtomicU64;
    type Depth = One;

    const AGAIN: Again = Again::Refused;

    #[inline]
    fn owner(token: u32) -> u64 {
        match (token, thread_number()) {
            (0, _) | (_, 0) => 0, // not registered yet, or no number is left
            (token, thread) => u64::from(thread) << THREAD_SHIFT | u64::from(token),
        }
    }
}
