//! The steps of [`HandoverLock`](crate::HandoverLock): an owner is a process, and anybody releases.
//!
//! A release by a stranger to the hold asks whether the holder lives. An exchange that did not
//! would free a dead owner's lock as if it had been left in order, and nobody would ever be told.

use super::bits::{Bits, UNVOUCHED, owner, token};
use super::cell::{
    AtomicU32, Attachment, Error,
    Ordering::{Relaxed, Release},
};
use super::depth::One;
use super::exclusive::{ExclusiveWord, Steps};
use super::wait::is_dead;

/// Its holder is the process that acquired it; a second acquire waits; any process or thread
/// releases.
#[derive(Clone, Copy, Debug)]
pub enum ByAnyone {}

/// How often a stranger's release has slept on the holder, as the look at its life takes it: it
/// does not come back after a slice, so it wants the second opinion at once.
const SLICES_COUNT: u32 = 1;

impl Steps for ByAnyone {
    type Bits = AtomicU32;
    type Depth = One;

    #[inline]
    fn owner(token: u32) -> u64 {
        token.into()
    }

    fn release_anothers(word: &ExclusiveWord<Self>, at: &Attachment) -> Result<(), Error> {
        hand_over(word, at)
    }
}

/// H1 to H4: ends the hold of whoever has it.
#[cold]
fn hand_over<S: Steps>(lock: &ExclusiveWord<S>, at: &Attachment) -> Result<(), Error> {
    let mut found = None;
    loop {
        // H1. Relaxed: a look; the exchange decides.
        let seen = lock.word.load(Relaxed);
        let holder = owner(seen);
        if holder == 0 || found.is_some_and(|found| found != holder) {
            return Err(Error::OverReleased); // the hold that was meant has ended meanwhile
        }
        found = Some(holder);
        // H2. Killed before H3: nothing happened. Who dies after this look, and before H3, was
        // released just before: nobody has been let in between.
        let is_dead = is_dead(at, token(seen), SLICES_COUNT)?;
        let left = if is_dead { UNVOUCHED } else { seen & UNVOUCHED };
        // H3. Release pairs with the Acquire in `acquire`, for what this caller has seen of the
        // holder's work; a dead one's is ordered by the kernel. Relaxed when it fails: H1 looks
        // anew. Ends: it fails when a waiter has set WAITERS, the holder has vouched, or the hold
        // has ended.
        if lock.word.compare_exchange(seen, left, Release, Relaxed).is_ok() {
            lock.wake_if_owed(seen); // H4. Killed before: sleepers look within a slice
            return Ok(());
        }
    }
}
