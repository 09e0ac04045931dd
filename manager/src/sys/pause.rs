//! Lets time pass, where nothing tells when to look again.

use core::time::Duration;

use rustix::event::{Timespec, poll};

/// For so long, or until a signal.
pub(crate) fn pause(limit: Duration) {
    if let Ok(limit) = Timespec::try_from(limit) {
        let _ = poll(&mut [], Some(&limit));
    }
}
