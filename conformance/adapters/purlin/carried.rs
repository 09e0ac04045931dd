//! What a spawned actor of purlin is given: the handles of its objects.

use std::any::Any;
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use purlin_channel::{JoinableQueue, Pipe, Queue, SimpleQueue};
use purlin_conformance::serve::{Object, Refusal};
use purlin_shm::{Carry, Luggage};
use purlin_sync::{
    Barrier, BoundedSemaphore, ByHolder, CheckedLock, Condition, Event, HandoverLock, Lock, RLock,
    Semaphore, TrackedSemaphore,
};

use super::barrier::Meeting;
use super::condition::SharedCondition;
use super::current::{self, Me};
use super::event::Flag;
use super::lock::Shared;
use super::managed::Managed;
use super::manager;
use super::named::NamedLock;
use super::numbers::Numbers;
use super::pipe;
use super::queue::Messages;
use super::semaphore::Counted;
use super::simple_queue::Simple;
use super::thread;
use crate::adapter::pipe as ends;
use crate::adapter::several::{self, Several};

/// Says for each kind what its handles are, and what makes an object of one.
macro_rules! carried {
    ($($field:ident: $handle:ty, $kind:literal, $object:path;)+) => {
        /// What a spawned actor is given beside its arguments.
        #[derive(Default)]
        pub(super) struct Carried {
            pub(super) descriptors: Vec<OwnedFd>,
            $($field: Vec<$handle>,)+
            barriers: Vec<Barrier>,
            pipes: Vec<Pipe>,
        }

        impl Carried {
            /// Adds an object's handle, and tells the name under which it is found again: its kind
            /// first.
            pub(super) fn add(
                &mut self,
                name: &str,
                object: &dyn Object,
            ) -> Result<String, Refusal> {
                let handle = object.handle();
                $(if let Some(handle) = handle.and_then(<dyn Any>::downcast_ref::<$handle>) {
                    self.$field.push(handle.clone());
                    return Ok(format!("{} {name}", $kind));
                })+
                // Its action goes along in its word.
                if let Some(meeting) = handle.and_then(<dyn Any>::downcast_ref::<Meeting>) {
                    self.barriers.push(meeting.barrier.clone());
                    return Ok(format!("{} {name}", meeting.as_word()));
                }
                if let Some(pipe) = pipe::given(object) {
                    self.pipes.push(pipe);
                    return Ok(format!("{} {name}", ends::KIND));
                }
                // It is about whoever has it.
                if handle.is_some_and(<dyn Any>::is::<Several<Pipe>>) {
                    return Ok(format!("{} {name}", several::KIND));
                }
                if handle.is_some_and(<dyn Any>::is::<Me>) {
                    return Ok(format!("{} {name}", current::KIND));
                }
                if handle.is_some_and(<dyn Any>::is::<thread::Me>) {
                    return Ok(format!("{} {name}", thread::CURRENT));
                }
                // Where a server is that keeps it, and which it is there.
                if let Some(managed) = handle.and_then(<dyn Any>::downcast_ref::<Managed>) {
                    return Ok(format!("{} {name}", managed.as_word()?));
                }
                if let Some(server) = handle.and_then(<dyn Any>::downcast_ref::<manager::Described>)
                {
                    return Ok(format!("{} {name}", server.as_word()));
                }
                // One that is found by name is not handed over: what names it has is all that goes
                // along.
                if let Some(lock) = handle.and_then(<dyn Any>::downcast_ref::<NamedLock>) {
                    return Ok(format!("{} {name}", lock.as_word()));
                }
                Err(Refusal::unsupported(format!("{name} cannot be carried")))
            }

            /// Handles of the same objects.
            pub(super) fn copy(&self) -> std::io::Result<Self> {
                let copies = self.descriptors.iter().map(OwnedFd::try_clone);
                Ok(Self {
                    descriptors: copies.collect::<std::io::Result<_>>()?,
                    $($field: self.$field.clone(),)+
                    barriers: self.barriers.clone(),
                    pipes: self.pipes.clone(),
                })
            }

            /// The objects by name, in the order in which they were added.
            /// `know` is told each manager.
            pub(super) fn objects(
                self,
                names: &[String],
                know: &mut dyn FnMut(&str, &Arc<manager::Described>),
            ) -> BTreeMap<String, Arc<dyn Object>> {
                $(let mut $field = self.$field.into_iter();)+
                let mut barriers = self.barriers.into_iter();
                let mut pipes = self.pipes.into_iter();
                let mut objects = managers(names, know);
                for (kind, name) in names.iter().filter_map(|name| name.split_once(' ')) {
                    let object: Option<Arc<dyn Object>> = match kind {
                        $($kind => $field.next().map(|handle| Arc::new($object(handle)) as _),)+
                        ends::KIND => pipes.next().map(pipe::taken),
                        several::KIND => Some(Arc::new(Several::<Pipe>::default()) as _),
                        current::KIND => Some(Arc::new(Me::default()) as _),
                        thread::CURRENT => Some(Arc::new(thread::Me) as _),
                        other => Meeting::of_word(other, &mut barriers)
                            .map(|meeting| Arc::new(meeting) as _)
                            .or_else(|| NamedLock::of_word(other).map(|lock| Arc::new(lock) as _))
                            .or_else(|| Managed::of_word(other).map(|proxy| Arc::new(proxy) as _)),
                    };
                    objects.extend(object.map(|object| (name.to_owned(), object)));
                }
                objects
            }
        }

        impl Carry for Carried {
            fn pack(&self, luggage: &mut Luggage) -> Result<(), purlin_shm::Error> {
                $(self.$field.pack(luggage)?;)+
                self.barriers.pack(luggage)?;
                self.pipes.pack(luggage)?;
                self.descriptors.pack(luggage)
            }

            fn unpack(luggage: &mut Luggage) -> Result<Self, purlin_shm::Error> {
                Ok(Self {
                    $($field: Carry::unpack(luggage)?,)+
                    barriers: Carry::unpack(luggage)?,
                    pipes: Carry::unpack(luggage)?,
                    descriptors: Carry::unpack(luggage)?,
                })
            }
        }
    };
}

carried! {
    locks: Lock, "lock", Shared;
    handover_locks: HandoverLock, "handover-lock", Shared;
    checked_locks: CheckedLock, "checked-lock", Shared;
    rlocks: RLock, "rlock", Shared;
    semaphores: Semaphore, "semaphore", Counted;
    bounded_semaphores: BoundedSemaphore, "bounded-semaphore", Counted;
    tracked_semaphores: TrackedSemaphore, "tracked-semaphore", Counted;
    conditions: Condition, "condition", SharedCondition;
    lock_conditions: Condition<ByHolder>, "condition-over-lock", SharedCondition;
    events: Event, "event", Flag;
    queues: Queue, "queue", Messages::of;
    joinable_queues: JoinableQueue, "joinable-queue", Messages::of;
    simple_queues: SimpleQueue, "simple-queue", Simple;
    numbers: Numbers, "numbers", std::convert::identity;
}

/// Managers come first: they have the keys of servers that keep others.
fn managers(
    names: &[String],
    know: &mut dyn FnMut(&str, &Arc<manager::Described>),
) -> BTreeMap<String, Arc<dyn Object>> {
    let words = names.iter().filter_map(|name| name.split_once(' '));
    let made = words.filter_map(|(word, name)| {
        let made = Arc::new(manager::Described::of_word(word)?);
        know(name, &made);
        Some((name.to_owned(), made as Arc<dyn Object>))
    });
    made.collect()
}

impl Carried {
    pub(super) fn with(descriptors: Vec<OwnedFd>) -> Self {
        Self { descriptors, ..Self::default() }
    }
}
