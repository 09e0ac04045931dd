//! What a spawned actor of purlin is given: the handles of its objects.

use std::any::Any;
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use purlin_conformance::serve::{Object, Refusal};
use purlin_shm::{Carry, Luggage};
use purlin_sync::{Barrier, CheckedLock, HandoverLock, Lock, RLock};

use super::barrier::Meeting;
use super::lock::Shared;
use super::named::NamedLock;
use super::{KINDS, RLOCK};

/// What a spawned actor is given beside its arguments.
#[derive(Default)]
pub(super) struct Carried {
    pub(super) descriptors: Vec<OwnedFd>,
    locks: Vec<Lock>,
    handover_locks: Vec<HandoverLock>,
    checked_locks: Vec<CheckedLock>,
    rlocks: Vec<RLock>,
    barriers: Vec<Barrier>,
}

impl Carried {
    pub(super) fn with(descriptors: Vec<OwnedFd>) -> Self {
        Self { descriptors, ..Self::default() }
    }

    /// Adds an object's handle, and tells the name under which it is found again: its kind first.
    pub(super) fn add(&mut self, name: &str, object: &dyn Object) -> Result<String, Refusal> {
        let handle = object.handle();
        let of = |kind: &str| Ok(format!("{kind} {name}"));
        if let Some(lock) = handle.and_then(<dyn Any>::downcast_ref::<Lock>) {
            self.locks.push(lock.clone());
            return of(KINDS[0].0);
        }
        if let Some(lock) = handle.and_then(<dyn Any>::downcast_ref::<HandoverLock>) {
            self.handover_locks.push(lock.clone());
            return of(KINDS[1].0);
        }
        if let Some(lock) = handle.and_then(<dyn Any>::downcast_ref::<CheckedLock>) {
            self.checked_locks.push(lock.clone());
            return of(KINDS[2].0);
        }
        if let Some(lock) = handle.and_then(<dyn Any>::downcast_ref::<RLock>) {
            self.rlocks.push(lock.clone());
            return of(RLOCK);
        }
        if let Some(meeting) = handle.and_then(<dyn Any>::downcast_ref::<Meeting>) {
            self.barriers.push(meeting.barrier.clone());
            return of(&meeting.as_word());
        }
        // One that is found by name is not handed over: what names it has is all that goes along.
        if let Some(lock) = handle.and_then(<dyn Any>::downcast_ref::<NamedLock>) {
            return of(&lock.as_word());
        }
        Err(Refusal::unsupported(format!("{name} cannot be carried")))
    }

    /// The objects by name, in the order in which they were added.
    pub(super) fn objects(self, names: &[String]) -> BTreeMap<String, Arc<dyn Object>> {
        let mut locks = self.locks.into_iter();
        let mut handover_locks = self.handover_locks.into_iter();
        let mut checked_locks = self.checked_locks.into_iter();
        let mut rlocks = self.rlocks.into_iter();
        let mut barriers = self.barriers.into_iter();
        let mut objects: BTreeMap<String, Arc<dyn Object>> = BTreeMap::new();
        for (kind, name) in names.iter().filter_map(|name| name.split_once(' ')) {
            let object: Option<Arc<dyn Object>> = match kind {
                "handover-lock" => handover_locks.next().map(|lock| Arc::new(Shared(lock)) as _),
                "checked-lock" => checked_locks.next().map(|lock| Arc::new(Shared(lock)) as _),
                RLOCK => rlocks.next().map(|lock| Arc::new(Shared(lock)) as _),
                "lock" => locks.next().map(|lock| Arc::new(Shared(lock)) as _),
                other => Meeting::of_word(other, &mut barriers)
                    .map(|meeting| Arc::new(meeting) as _)
                    .or_else(|| NamedLock::of_word(other).map(|lock| Arc::new(lock) as _)),
            };
            objects.extend(object.map(|object| (name.to_owned(), object)));
        }
        objects
    }
}

impl Carry for Carried {
    fn pack(&self, luggage: &mut Luggage) -> Result<(), purlin_shm::Error> {
        self.descriptors.pack(luggage)?;
        self.locks.pack(luggage)?;
        self.handover_locks.pack(luggage)?;
        self.checked_locks.pack(luggage)?;
        self.rlocks.pack(luggage)?;
        self.barriers.pack(luggage)
    }

    fn unpack(luggage: &mut Luggage) -> Result<Self, purlin_shm::Error> {
        Ok(Self {
            descriptors: Carry::unpack(luggage)?,
            locks: Carry::unpack(luggage)?,
            handover_locks: Carry::unpack(luggage)?,
            checked_locks: Carry::unpack(luggage)?,
            rlocks: Carry::unpack(luggage)?,
            barriers: Carry::unpack(luggage)?,
        })
    }
}
