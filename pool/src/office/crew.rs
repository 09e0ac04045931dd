//! The threads of a pool.

use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// The clerk and the keeper. A pool that is over is not gone before they are: they have its
/// descriptors.
#[derive(Default)]
pub(crate) struct Crew(Mutex<Vec<JoinHandle<()>>>);

impl Crew {
    pub(super) fn add(&self, hired: JoinHandle<()>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(hired);
    }

    /// Waits for their ends, which come by themselves once the pool is over; but not for the
    /// caller's own.
    pub(crate) fn join(&self) {
        let all = core::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let own = thread::current().id();
        for hired in all.into_iter().filter(|hired| hired.thread().id() != own) {
            let _ = hired.join(); // what one panics with the panic hook has printed
        }
    }
}
