//! What the owner of a pool sleeps on: one for all its workers.
#![expect(unsafe_code, reason = "a promise about the layout, argued here")]

use core::sync::atomic::{Ordering::SeqCst, fence};
use core::time::Duration;

use purlin_shm::{Carry, Luggage, Object, Place, Shared};
use purlin_sync::parts::{EventCount, Key, Wait};

use crate::error::Error;

/// The word behind a [`Bell`].
#[repr(C)]
pub(crate) struct BellWord {
    answers: EventCount,
}

// SAFETY: `repr(C)`, of a word that is one atomic; zeros and any other bits are valid values.
unsafe impl Shared for BellWord {}

impl Object for BellWord {
    const KIND: u16 = 40;
    const VERSION: u16 = 1;
    type Row = ();
}

/// Rung by a worker that has an answer.
#[derive(Clone)]
pub(crate) struct Bell(Place<BellWord>);

impl Bell {
    pub(crate) fn new() -> Result<Self, Error> {
        Ok(Self(Place::new()?))
    }

    /// W4: after the store of a state.
    pub(crate) fn ring(&self) {
        fence(SeqCst); // SeqCst: between the commit and the look at the flag, see `EventCount`
        self.0.answers.notify(u32::MAX);
    }

    /// Says that the caller is about to sleep; it looks once more before.
    pub(crate) fn prepare(&self) -> Key {
        self.0.answers.prepare()
    }

    /// Sleeps until it is rung after `prepare`, or for so long.
    pub(crate) fn sleep(&self, key: Key, limit: Duration) {
        // The kernel has no reason to refuse; and if it does the caller looks again at once.
        let _ = self.0.answers.sleep(key, &mut Wait::new(0, limit.into()));
    }
}

impl Carry for Bell {
    fn pack(&self, luggage: &mut Luggage) -> Result<(), purlin_shm::Error> {
        self.0.pack(luggage)
    }

    fn unpack(luggage: &mut Luggage) -> Result<Self, purlin_shm::Error> {
        Place::unpack(luggage).map(Self)
    }
}
