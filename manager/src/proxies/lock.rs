//! Locks at a server.

use purlin_sync::Deadline;

use super::{Acquired, proxy};
use crate::error::Error;
use crate::objects::lock::Ask;
use crate::wire::Call;

proxy! {
    /// A lock at a server, which anybody may release. A second acquire of its holder's waits like
    /// anyone's. Every call fails as [`Client::list`](crate::Client::list) does; only what else may
    /// go wrong is said at each.
    ///
    /// # Weak points
    /// * Fairness: who comes first waits least.
    /// * Signals: no call may be made in a handler.
    /// * Fork: the child inherits the proxy, never the hold.
    /// * Death: the next one gets the lock and is told; what it guards may be half written. A
    ///   holder is dead when its process has ended, or the last of its connections. A thread that
    ///   ends with the lock does not: its process holds it.
    /// * Limits: where the server itself does not answer, a call ends a second after its deadline.
    ///   Should it get the lock after that, the server takes it back.
    Lock<>, Lock
}

proxy! {
    /// A lock at a server that its holder, a thread of a process, may acquire again and again, and
    /// nobody else may release. Otherwise as a [`Lock`].
    RLock<>, RLock
}

macro_rules! lock_calls {
    ($name:ident) => {
        impl $name {
            /// Acquires it, waiting until it is free or `deadline` passes.
            ///
            /// # Errors
            /// * [`Error::TimedOut`] when the deadline came first.
            pub fn acquire(&self, deadline: impl Into<Deadline>) -> Result<Acquired<'_>, Error> {
                Acquired::ask(&self.base, Call::Lock, Some(deadline.into()))
            }

            /// Acquires it if it is free.
            ///
            /// # Errors
            /// * [`Error::TimedOut`] when it is held.
            pub fn try_acquire(&self) -> Result<Acquired<'_>, Error> {
                Acquired::ask(&self.base, Call::Lock, None)
            }

            /// Releases what was [kept](Acquired::keep).
            ///
            /// # Errors
            /// * [`Error::OverReleased`] when nobody holds a [`Lock`].
            /// * [`Error::NotOwner`] when another thread, or nobody, holds an [`RLock`].
            pub fn release(&self) -> Result<(), Error> {
                self.base.ask(Call::Lock(Ask::Release))?.done()
            }

            /// Whether somebody holds it, at this moment.
            ///
            /// # Errors
            /// * As all its calls.
            pub fn is_held(&self) -> Result<bool, Error> {
                self.base.ask(Call::Lock(Ask::IsHeld))?.flag()
            }
        }
    };
}

lock_calls!(Lock);
lock_calls!(RLock);
