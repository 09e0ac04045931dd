//! The threads of a pool.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use super::Office;
use crate::error::Error;

/// The keeper and the clerk, once there is something for them. A pool that is over is not gone
/// before they are: they have its descriptors.
#[derive(Default)]
pub(crate) struct Crew {
    /// The keeper is there.
    is_kept: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    hired: Vec<JoinHandle<()>>,
    has_clerk: bool,
}

impl Crew {
    /// Has a keeper see to the workers from now on.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] when the system refuses a thread.
    pub(crate) fn see_to_keeper(&self, office: &Arc<Office>) -> Result<(), Error> {
        // Relaxed: who does not see it looks again under the lock.
        if !self.is_kept.load(Relaxed) {
            let mut state = self.lock();
            // None where somebody who joins keeps it, who may leave again.
            if let Some(keeper) = office.hire_keeper()? {
                self.is_kept.store(true, Relaxed); // Relaxed: as above
                state.hired.push(keeper);
            }
        }
        Ok(())
    }

    /// Has a clerk work there from now on.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] when the system refuses a thread.
    pub(crate) fn see_to_clerk(&self, office: &Arc<Office>) -> Result<(), Error> {
        let mut state = self.lock();
        if !state.has_clerk {
            state.hired.push(office.hire_clerk()?);
            state.has_clerk = true;
        }
        Ok(())
    }

    /// Waits for their ends, which come by themselves once the pool is over; but not for the
    /// caller's own.
    pub(crate) fn join(&self) {
        let mut state = self.lock();
        let all = core::mem::take(&mut state.hired);
        drop(state);
        let own = thread::current().id();
        for hired in all.into_iter().filter(|hired| hired.thread().id() != own) {
            let _ = hired.join(); // what one panics with the panic hook has printed
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
