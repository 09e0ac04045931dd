//! The steps of inner locks: those that guard a few bounded steps inside another object, and no
//! data of a user's.
//!
//! A death under one is ignored: whatever it guards is made so that the next one finds it in order,
//! or mends it. Its holder is running, dead or stopped, so that waiting for one is no waiting in
//! the sense of a limit.

use core::time::Duration;

use super::cell::{
    AtomicU32, Attachment, Deadline, Error, INNER_PATIENCE_NANOS,
    Ordering::{Acquire, Relaxed},
};
use super::depth::One;
use super::exclusive::{ExclusiveWord, Steps, Told};

/// Its holder is a process; only that releases; nobody is told of a death.
#[derive(Clone, Copy, Debug)]
pub enum Inner {}

impl Steps for Inner {
    type Bits = AtomicU32;
    type Depth = One;

    const IGNORES_DEATHS: bool = true;

    #[inline]
    fn owner(token: u32) -> u64 {
        token.into()
    }
}

/// The word of an inner lock. All zeros is a free one.
pub type InnerWord = ExclusiveWord<Inner>;

/// Takes an inner lock if it is free and nobody waits for it: one exchange, for callers that have
/// [`enter`] behind it.
#[inline]
#[must_use]
pub fn enter_now(word: &InnerWord, at: &Attachment) -> bool {
    let me = at.token();
    // A1 of an exclusive lock. Acquire pairs with the Release in `leave`. Relaxed when it fails:
    // nothing was learned.
    me != 0 && word.word.compare_exchange(0, me, Acquire, Relaxed).is_ok()
}

/// Takes an inner lock. Waits until `deadline`, and for a second in any case: who has it so long is
/// stopped. True when it was a dead holder's.
///
/// # Errors
/// * As [`ExclusiveWord::acquire`].
#[inline]
pub fn enter(word: &InnerWord, at: &Attachment, deadline: Deadline) -> Result<bool, Error> {
    let patience = Duration::from_nanos(INNER_PATIENCE_NANOS);
    Ok(word.acquire(at, deadline.at_least(patience))? == Told::OwnerDied)
}

/// Gives an inner lock back. It fails only where somebody has spoiled the word, and then there is
/// nothing that could be done about it.
#[inline]
pub fn leave(word: &InnerWord, at: &Attachment) {
    let _ = word.release_own(at.token());
}
