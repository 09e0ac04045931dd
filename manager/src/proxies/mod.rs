//! The proxies: what clients have in place of the objects.

mod barrier;
mod condition;
mod containers;
mod dict;
mod event;
mod guard;
mod list;
mod lock;
mod object;
mod queue;
mod semaphore;

use core::time::Duration;
use std::sync::Arc;

use purlin_sync::Deadline;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::client::handle::Handle;
use crate::client::packing;
use crate::client::session::Visit;
use crate::error::Error;
use crate::limits::GRACE;
use crate::wire::{Call, Item, Reply, Request};

pub use barrier::Barrier;
pub use condition::Condition;
pub use containers::{Array, Namespace, Value};
pub use dict::Dict;
pub use event::Event;
pub use guard::{Acquired, Guard, Suspect};
pub use list::{Iter, List};
pub use lock::{Lock, RLock};
pub use object::Object;
pub use queue::Queue;
pub use semaphore::{Permit, Semaphore};

/// What stands for an object of a server's, in any process that can reach the server.
///
/// A clone is one more of the same object, and equal to it. It can be captured by a forked child,
/// be among the arguments of a spawned one or of a pool's task, and, in serial form, go by a queue,
/// a pipe, or into another object of any server. The process that it comes to connects by itself;
/// it must have the server's key: as its own, which children inherit, or by a
/// [`Client`](crate::Client) of the same server that it has.
///
/// The object lives as long as somebody holds it: a proxy, an object of the same server, or a name.
/// Where a proxy has been sent elsewhere, or was there when its process forked, others may be about
/// to use it: then it counts for a minute after it is dropped.
///
/// # Weak points
/// * One that travels for longer, or that a forked child first uses later, finds its object gone,
///   [`Error::NoSuchName`], if nobody else holds it; and at once, if whoever gave it was killed.
/// * Objects that hold each other in a circle stay until the server ends.
/// * The last drop of one says so to the server. While all connections of its process wait for
///   answers it makes another for that, for up to a second.
pub trait Proxy: private::Sealed + Sized {
    #[doc(hidden)]
    fn is_kind(base: &Base) -> bool;
    #[doc(hidden)]
    fn from_base(base: Base) -> Self;
    #[doc(hidden)]
    fn base(&self) -> &Base;
}

mod private {
    #[expect(unnameable_types, reason = "nobody else makes proxies")]
    pub trait Sealed {}
}
pub(crate) use private::Sealed;

/// What all proxies have.
#[derive(Clone)]
#[doc(hidden)]
pub struct Base {
    pub(crate) handle: Arc<Handle>,
    pub(crate) patience: Option<Duration>,
}

/// A reply, and the session that it came by.
pub(crate) struct Came {
    session: Visit,
    reply: Reply,
}

impl Base {
    pub(crate) fn within(&self, patience: Option<Duration>) -> Self {
        Self { handle: Arc::clone(&self.handle), patience }
    }

    /// A call that is answered at once.
    pub(crate) fn ask(&self, call: Call) -> Result<Came, Error> {
        self.request(call, None, self.patience.into())
    }

    /// A call that waits at the server. Where the server does not answer at its end, so does this
    /// a little later.
    pub(crate) fn ask_waiting(&self, call: Call, deadline: Deadline) -> Result<Came, Error> {
        let limit = deadline.start().remaining();
        let patience = limit.and_then(|limit| limit.checked_add(GRACE));
        self.request(call, limit, patience.into())
    }

    /// The same, which waits for nobody but the server.
    pub(crate) fn ask_trying(&self, call: Call) -> Result<Came, Error> {
        self.request(call, Some(Duration::ZERO), self.patience.into())
    }

    /// A call that is not given up once it is made, since what it holds would be in doubt.
    pub(crate) fn ask_steadfast(&self, call: Call, deadline: Deadline) -> Result<Came, Error> {
        self.request(call, deadline.start().remaining(), Deadline::never())
    }

    fn request(
        &self,
        call: Call,
        limit: Option<Duration>,
        patience: Deadline,
    ) -> Result<Came, Error> {
        let patience = patience.start();
        let session = self.handle.session(patience)?;
        let nanos = |limit: Duration| u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
        let (object, thread) = (self.handle.object, thread_number());
        let request = Request::Call { object, thread, limit_nanos: limit.map(nanos), call };
        let reply = session.ask(&request, patience)?;
        Ok(Came { session, reply })
    }

    pub(crate) fn pack<T: Serialize + ?Sized>(&self, value: &T) -> Result<Item, Error> {
        packing::pack(&self.handle.origin, value)
    }

    /// The proxies among the items have to live until the call is answered.
    pub(crate) fn pack_all<T: Serialize>(&self, items: &[T]) -> Result<Vec<Item>, Error> {
        items.iter().map(|item| self.pack(item)).collect()
    }

    /// The number of this process's claim, by which a forked copy is told from its maker.
    pub(crate) fn claim(&self) -> Result<u64, Error> {
        self.handle.session(self.patience.into()).map(|session| session.number)
    }

    /// Whether the calling process is the one that has this claim.
    pub(crate) fn is_claimed_by(&self, claim: u64) -> bool {
        crate::client::session::existing(&self.handle.origin, claim).is_some()
    }
}

impl Came {
    pub(crate) fn done(self) -> Result<(), Error> {
        match self.reply {
            Reply::Done => Ok(()),
            _ => Err(Error::Damaged),
        }
    }

    pub(crate) fn flag(self) -> Result<bool, Error> {
        match self.reply {
            Reply::Flag(flag) => Ok(flag),
            _ => Err(Error::Damaged),
        }
    }

    pub(crate) fn count(self) -> Result<u64, Error> {
        match self.reply {
            Reply::Count(count) => Ok(count),
            _ => Err(Error::Damaged),
        }
    }

    /// Whether an owner had died.
    pub(crate) fn acquired(self) -> Result<bool, Error> {
        match self.reply {
            Reply::Acquired { owner_died } => Ok(owner_died),
            _ => Err(Error::Damaged),
        }
    }

    /// Whether it was notified, and whether an owner had died.
    pub(crate) fn waited(self) -> Result<(bool, bool), Error> {
        match self.reply {
            Reply::Waited { was_notified, owner_died } => Ok((was_notified, owner_died)),
            _ => Err(Error::Damaged),
        }
    }

    pub(crate) fn item<T: DeserializeOwned>(self) -> Result<T, Error> {
        match self.reply {
            Reply::Item(item) => packing::unpack(&self.session, item),
            _ => Err(Error::Damaged),
        }
    }

    pub(crate) fn maybe<T: DeserializeOwned>(self) -> Result<Option<T>, Error> {
        match self.reply {
            Reply::Maybe(item) => item.map(|item| packing::unpack(&self.session, item)).transpose(),
            _ => Err(Error::Damaged),
        }
    }

    pub(crate) fn items<T: DeserializeOwned>(self) -> Result<Vec<T>, Error> {
        let Reply::Items(items) = self.reply else { return Err(Error::Damaged) };
        // All of them, so that each gives back what it does not take.
        let unpacked: Vec<Result<T, Error>> =
            items.into_iter().map(|item| packing::unpack(&self.session, item)).collect();
        unpacked.into_iter().collect()
    }

    pub(crate) fn pairs<K, V>(self) -> Result<Vec<(K, V)>, Error>
    where
        K: DeserializeOwned,
        V: DeserializeOwned,
    {
        let Reply::Pairs(pairs) = self.reply else { return Err(Error::Damaged) };
        let unpack = |(key, value)| {
            let key = packing::unpack(&self.session, key);
            let value = packing::unpack(&self.session, value);
            Ok((key?, value?))
        };
        let unpacked: Vec<Result<(K, V), Error>> = pairs.into_iter().map(unpack).collect();
        unpacked.into_iter().collect()
    }
}

/// The calling thread's number in its process, never given twice there.
fn thread_number() -> u32 {
    use core::cell::Cell;
    use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

    static LAST: AtomicU32 = AtomicU32::new(0);
    thread_local! {
        static NUMBER: Cell<u32> = const { Cell::new(0) };
    }
    if NUMBER.get() == 0 {
        // Relaxed: a number that nobody else gets, and nothing is read by its means. It wraps
        // after four billion threads.
        NUMBER.set(LAST.fetch_add(1, Relaxed).wrapping_add(1).max(1));
    }
    NUMBER.get()
}

pub(crate) use define::proxy;

mod define {
    /// Defines a proxy: its type, which stands for objects of these kinds, and what all have.
    macro_rules! proxy {
        ($(#[$doc:meta])* $name:ident<$($of:ident),*>, $($kind:ident)|+) => {
            $(#[$doc])*
            pub struct $name<$($of),*> {
                pub(crate) base: crate::proxies::Base,
                of: core::marker::PhantomData<fn() -> ($($of,)*)>,
            }

            impl<$($of),*> $name<$($of),*> {
                /// The same object, whose calls wait so long at most for a server that does not
                /// answer. A call that waits at the server has a deadline of its own, and counts
                /// that.
                #[must_use]
                pub fn within(&self, limit: impl Into<Option<core::time::Duration>>) -> Self {
                    let base = self.base.within(limit.into());
                    Self { base, of: core::marker::PhantomData }
                }
            }

            impl<$($of),*> crate::proxies::Sealed for $name<$($of),*> {}

            impl<$($of),*> crate::proxies::Proxy for $name<$($of),*> {
                fn is_kind(base: &crate::proxies::Base) -> bool {
                    matches!(base.handle.kind, $(crate::wire::Kind::$kind)|+)
                }

                fn from_base(base: crate::proxies::Base) -> Self {
                    Self { base, of: core::marker::PhantomData }
                }

                fn base(&self) -> &crate::proxies::Base {
                    &self.base
                }
            }

            impl<$($of),*> Clone for $name<$($of),*> {
                fn clone(&self) -> Self {
                    Self { base: self.base.clone(), of: core::marker::PhantomData }
                }
            }

            impl<$($of),*> PartialEq for $name<$($of),*> {
                /// Whether both stand for the same object. What is in it is not looked at.
                fn eq(&self, other: &Self) -> bool {
                    let of = |proxy: &Self| {
                        let handle = &proxy.base.handle;
                        (handle.origin.server, handle.object)
                    };
                    of(self) == of(other)
                }
            }

            impl<$($of),*> Eq for $name<$($of),*> {}

            impl<$($of),*> serde::Serialize for $name<$($of),*> {
                fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                    crate::client::packing::serialize(&self.base.handle, to)
                }
            }

            impl<'de, $($of),*> serde::Deserialize<'de> for $name<$($of),*> {
                fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                    let handle = crate::client::packing::deserialize(from)?;
                    if !matches!(handle.kind, $(crate::wire::Kind::$kind)|+) {
                        return Err(serde::de::Error::custom("a proxy of another kind"));
                    }
                    let base = crate::proxies::Base { handle, patience: None };
                    Ok(Self { base, of: core::marker::PhantomData })
                }
            }

            impl<$($of),*> core::fmt::Debug for $name<$($of),*> {
                fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                    let mut shown = out.debug_struct(stringify!($name));
                    shown.field("object", &self.base.handle.object);
                    shown.field("address", &self.base.handle.origin.address);
                    shown.finish_non_exhaustive()
                }
            }
        };
    }
    pub(crate) use proxy;
}
