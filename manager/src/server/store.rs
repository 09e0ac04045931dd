//! The objects, and how often each is referred to.

use std::collections::HashMap;
use std::time::Instant;

use super::by_number::ByNumber;
use crate::error::Error;
use crate::objects::State;
use crate::wire::{Kind, ObjectId};

#[derive(Default)]
pub(crate) struct Store {
    entries: ByNumber<Entry>,
    names: HashMap<String, ObjectId>,
    next: ObjectId,
}

struct Entry {
    kind: Kind,
    /// Absent while it is being called.
    state: Option<Box<dyn State>>,
    /// Those of clients, of other objects, and of names; and those that linger.
    ref_count: u64,
    /// How many of them linger, and until when.
    lingering: Option<(u64, Instant)>,
}

/// What has become of references that linger.
pub(super) enum Lingering {
    /// All are over but one, which is to be given back.
    Over,
    /// One came later.
    Until(Instant),
}

impl Store {
    /// Keeps an object, which nobody refers to yet.
    pub(crate) fn add(&mut self, state: Box<dyn State>) -> ObjectId {
        self.next += 1;
        let entry = Entry { kind: state.kind(), state: Some(state), ref_count: 0, lingering: None };
        self.entries.insert(self.next, entry);
        self.next
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// # Errors
    /// * [`Error::NoSuchName`] when there is no such object.
    pub(crate) fn kind(&self, object: ObjectId) -> Result<Kind, Error> {
        self.entries.get(&object).map(|entry| entry.kind).ok_or(Error::NoSuchName)
    }

    /// Takes an object out to call it.
    pub(crate) fn take(&mut self, object: ObjectId) -> Option<Box<dyn State>> {
        self.entries.get_mut(&object)?.state.take()
    }

    pub(crate) fn put_back(&mut self, object: ObjectId, state: Box<dyn State>) {
        if let Some(entry) = self.entries.get_mut(&object) {
            entry.state = Some(state);
        }
    }

    pub(crate) fn all(&self) -> Vec<ObjectId> {
        self.entries.keys().copied().collect()
    }

    /// One more reference; whether there is such an object.
    pub(crate) fn refer(&mut self, object: ObjectId) -> bool {
        self.entries.get_mut(&object).map(|entry| entry.ref_count += 1).is_some()
    }

    /// One less; whether that was the last.
    pub(crate) fn free(&mut self, object: ObjectId) -> bool {
        let Some(entry) = self.entries.get_mut(&object) else { return false };
        entry.ref_count = entry.ref_count.saturating_sub(1);
        entry.ref_count == 0
    }

    /// One of its references was given back, and stays until then, as do those that linger already.
    /// Whether it is the only one of them.
    pub(super) fn linger(&mut self, object: ObjectId, until: Instant) -> bool {
        let Some(entry) = self.entries.get_mut(&object) else { return false };
        let before = entry.lingering.map_or(0, |(count, _)| count);
        entry.lingering = Some((before + 1, until));
        before == 0
    }

    /// The time has come that was said first. Nothing for an object that is gone.
    pub(super) fn end_linger(&mut self, object: ObjectId, now: Instant) -> Option<Lingering> {
        let entry = self.entries.get_mut(&object)?;
        let (count, until) = entry.lingering?;
        if until > now {
            return Some(Lingering::Until(until));
        }
        entry.lingering = None;
        entry.ref_count -= count - 1;
        Some(Lingering::Over)
    }

    /// Drops an object that nobody refers to; returns what it referred to.
    pub(crate) fn drop_unused(&mut self, object: ObjectId) -> Vec<ObjectId> {
        if self.entries.get(&object).is_none_or(|entry| entry.ref_count > 0) {
            return Vec::new();
        }
        let state = self.entries.remove(&object).and_then(|entry| entry.state);
        let refs = state.as_ref().map(|state| state.refs()).unwrap_or_default();
        // A value of the user's, whose drop may panic: that is its own affair.
        let _ = crate::types::guarded(move || {
            drop(state);
            Ok(())
        });
        refs
    }

    /// Gives an object a name.
    ///
    /// # Errors
    /// * [`Error::AlreadyExists`] when the name is taken.
    /// * [`Error::NoSuchName`] when there is no such object.
    pub(crate) fn publish(&mut self, name: String, object: ObjectId) -> Result<(), Error> {
        self.kind(object)?;
        if self.names.contains_key(&name) {
            return Err(Error::AlreadyExists);
        }
        self.names.insert(name, object);
        self.refer(object);
        Ok(())
    }

    /// Takes a name away; returns what had it.
    ///
    /// # Errors
    /// * [`Error::NoSuchName`] when nothing has.
    pub(crate) fn withdraw(&mut self, name: &str) -> Result<ObjectId, Error> {
        self.names.remove(name).ok_or(Error::NoSuchName)
    }

    /// # Errors
    /// * [`Error::NoSuchName`] when nothing has this name.
    pub(crate) fn find(&self, name: &str) -> Result<ObjectId, Error> {
        self.names.get(name).copied().ok_or(Error::NoSuchName)
    }
}
