//! What the owner of a pool sleeps on: one for all its workers.

use core::time::Duration;

use purlin_shm::{Carry, Luggage, Place};
use purlin_sync::parts::{Key, Wait};

use super::rack::RackWords;
use super::slots::tell;

/// Rung by a worker that has an answer. It hangs on the pool's first rack.
#[derive(Clone)]
pub(crate) struct Bell(pub(super) Place<RackWords>);

impl Bell {
    /// W4: after the store of a state.
    pub(crate) fn ring(&self) {
        tell(&self.0.answers, u32::MAX);
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
