//! The threads of a pool.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use super::Office;
use crate::error::Error;

/// The keeper, and the clerk once there is something for one. A pool that is over is not gone
/// before they are: they have its descriptors.
pub(crate) struct Crew(Mutex<State>);

struct State {
    hired: Vec<JoinHandle<()>>,
    has_clerk: bool,
}

impl Crew {
    pub(super) fn of(keeper: JoinHandle<()>) -> Self {
        Self(Mutex::new(State { hired: vec![keeper], has_clerk: false }))
    }

    /// Has a clerk work there from now on.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] when the system refuses a thread.
    pub(crate) fn see_to_clerk(&self, office: &Arc<Office>) -> Result<(), Error> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.has_clerk {
            state.hired.push(office.hire_clerk()?);
            state.has_clerk = true;
        }
        Ok(())
    }

    /// Waits for their ends, which come by themselves once the pool is over; but not for the
    /// caller's own.
    pub(crate) fn join(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = core::mem::take(&mut state.hired);
        drop(state);
        let own = thread::current().id();
        for hired in all.into_iter().filter(|hired| hired.thread().id() != own) {
            let _ = hired.join(); // what one panics with the panic hook has printed
        }
    }
}
