//! The one wait of this crate: for another process, or thread, that is amid a few system calls.

use std::time::Instant;

use crate::error::Error;
use crate::limits::PATIENCE;
use crate::sys::nap;

/// Tries again for a second at most.
pub(crate) struct Patience {
    begin: Instant,
}

impl Patience {
    pub(crate) fn begin() -> Self {
        Self { begin: Instant::now() }
    }

    /// Lets the other one go on.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when the second is over.
    pub(crate) fn nap(&mut self) -> Result<(), Error> {
        if self.begin.elapsed() >= PATIENCE {
            return Err(Error::TimedOut);
        }
        nap::nap();
        Ok(())
    }
}
