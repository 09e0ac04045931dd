//! The steps of [`RLock`](crate::RLock): an owner is a thread, named as in a checked lock's word,
//! and its own acquire goes one level deeper.
//!
//! ```text
//!  0            8       12         16
//!  | word       | depth | reserved |    the word as a checked lock's; the depth is its holder's
//! ```
//!
//! What waits with a lock's hold given up, as a condition does, needs of any exclusive word:
//! [`release_fully`], which tells the depth; [`acquire_at_depth`], which begins with it again;
//! [`is_mine`]; and [`holder_token`], whose death is to be watched for.
//!
//! [`release_fully`]: ExclusiveWord::release_fully
//! [`acquire_at_depth`]: ExclusiveWord::acquire_at_depth
//! [`is_mine`]: ExclusiveWord::is_mine
//! [`holder_token`]: ExclusiveWord::holder_token

use super::cell::AtomicU64;
use super::checked::ByThread;
use super::depth::Levels;
use super::exclusive::{Again, Steps};

#[cfg(doc)]
use super::exclusive::ExclusiveWord;

/// Its holder is a thread; an acquire by it goes one level deeper; only it releases, as often as it
/// acquired.
#[derive(Clone, Copy, Debug)]
pub enum Reentrant {}

impl Steps for Reentrant {
    type Bits = AtomicU64;
    type Depth = Levels;

    const AGAIN: Again = Again::Deepens;

    #[inline]
    fn owner(token: u32) -> u64 {
        ByThread::owner(token)
    }
}
