//! The ends through which calls reach the actors.

use std::collections::BTreeMap;
use std::io::{self, PipeWriter, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The adapter's writing ends. A forked actor closes its copies, or it would keep the others from
/// noticing that the adapter is gone.
///
/// Any thread of the adapter may fork, so the ends stand behind two locks. Whoever forks holds the
/// first, whoever uses the ends takes both: so in a forked copy the second is always free.
#[derive(Clone, Default)]
pub(super) struct Pipes {
    gate: Arc<Mutex<()>>,
    ends: Arc<Mutex<BTreeMap<String, PipeWriter>>>,
}

impl Pipes {
    /// Held while this process forks.
    pub(super) fn gate(&self) -> MutexGuard<'_, ()> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, new: BTreeMap<String, PipeWriter>) {
        let _gate = self.gate();
        self.ends().extend(new);
    }

    pub(super) fn remove<'a>(&self, names: impl Iterator<Item = &'a String>) {
        let _gate = self.gate();
        let mut ends = self.ends();
        for name in names {
            ends.remove(name);
        }
    }

    /// Passes a line on. What becomes of one that is dead nobody asks: the runner knows.
    pub(super) fn write(&self, name: &str, line: &str) -> Option<io::Result<()>> {
        let _gate = self.gate();
        self.ends().get_mut(name).map(|end| end.write_all(line.as_bytes()))
    }

    /// In a forked copy of the process: closes them all. The gate stays as it is, held by whoever
    /// forked, and is never asked again.
    pub(super) fn close_in_child(&self) {
        self.ends().clear();
    }

    fn ends(&self) -> MutexGuard<'_, BTreeMap<String, PipeWriter>> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
