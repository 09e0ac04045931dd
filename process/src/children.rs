//! The children of this process, kept until they are collected, so that none stays a zombie because
//! its handle was dropped.
//!
//! A forked child starts with an empty list: its parent's children are not its own, and its
//! parent's copy of the list may have been locked by a thread that is gone.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use purlin_sync::Deadline;

use crate::sys::fork::{Forkling, collect_abandoned};
use crate::sys::origin::{Origin, PerProcess};
use crate::sys::pidfd;
use crate::turns::{Turn, Turns};
use crate::{Error, ExitStatus};

static CHILDREN: PerProcess<Children> = PerProcess::new();

/// What a process knows of its children.
pub(crate) struct Children {
    starting: Turns,
    uncollected: Mutex<Vec<Arc<Child>>>,
}

/// One child. Its status is set once, under the lock under which it was collected, so that of many
/// threads that join none takes the status away from another.
pub(crate) struct Child {
    pub(crate) name: String,
    pub(crate) is_daemon: bool,
    /// Whose child it is.
    pub(crate) parent: Origin,
    forkling: Forkling,
    status: Mutex<Option<ExitStatus>>,
}

/// The list of the calling process.
pub(crate) fn children() -> &'static Children {
    children_of(Origin::current())
}

/// The same for who knows already which process that is.
pub(crate) fn children_of(current: Origin) -> &'static Children {
    let make =
        |_: Option<&_>| Children { starting: Turns::new(), uncollected: Mutex::new(Vec::new()) };
    CHILDREN.get_as(current, make)
}

/// The children of the calling process that have not ended, once those that have are collected.
pub(crate) fn living() -> Vec<Arc<Child>> {
    CHILDREN.existing().map(Children::collect_ended).unwrap_or_default()
}

impl Children {
    /// Collects all that have ended, then keeps other threads from starting until dropped; none if
    /// it was not this thread's turn by then.
    pub(crate) fn start(&self, deadline: Deadline) -> Option<Turn<'_>> {
        let _ = self.collect_ended();
        collect_abandoned();
        self.starting.take(deadline)
    }

    /// Collects all that have ended. What is left runs, or cannot be looked at just now.
    pub(crate) fn collect_ended(&self) -> Vec<Arc<Child>> {
        let mut uncollected = locked(&self.uncollected);
        uncollected.retain(|child| !matches!(child.look(), Ok(Some(_))));
        uncollected.clone()
    }

    pub(crate) fn add(&self, name: String, is_daemon: bool, forkling: Forkling) -> Arc<Child> {
        let child = Child::unlisted(name, is_daemon, forkling);
        if child.collected().is_none() {
            locked(&self.uncollected).push(Arc::clone(&child));
        }
        child
    }

    /// Looks at a child, and forgets it once it has ended.
    pub(crate) fn look(&self, child: &Arc<Child>) -> Result<Option<ExitStatus>, Error> {
        let was_collected = child.collected().is_some();
        let status = child.look()?;
        if status.is_some() && !was_collected {
            locked(&self.uncollected).retain(|kept| !Arc::ptr_eq(kept, child));
        }
        Ok(status)
    }
}

impl Child {
    /// A child that nobody collects but who looks at it.
    pub(crate) fn unlisted(name: String, is_daemon: bool, forkling: Forkling) -> Arc<Self> {
        let status = Mutex::new(forkling.is_lost.then_some(ExitStatus::Unknown));
        Arc::new(Self { name, is_daemon, parent: Origin::current(), forkling, status })
    }

    pub(crate) fn pid(&self) -> i32 {
        self.forkling.pid
    }

    pub(crate) fn sentinel(&self) -> BorrowedFd<'_> {
        self.forkling.sentinel.as_fd()
    }

    /// The status if it has been collected, without looking for news.
    pub(crate) fn collected(&self) -> Option<ExitStatus> {
        *locked(&self.status)
    }

    /// Sends a signal; to one that was collected, nothing.
    pub(crate) fn signal(&self, number: i32) -> Result<(), Error> {
        if self.collected().is_some() {
            return pidfd::check_signal(number);
        }
        // Should it be collected meanwhile, the descriptor leads nowhere, and never to another.
        pidfd::signal(self.sentinel(), number)
    }

    /// Does something by the child's number, and keeps it from being collected meanwhile; nothing
    /// if it was collected before, and the number may be another's.
    pub(crate) fn by_number(
        &self,
        what: impl FnOnce(i32) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let status = locked(&self.status);
        if status.is_some() { Ok(()) } else { what(self.forkling.pid) }
    }

    pub(crate) fn look(&self) -> Result<Option<ExitStatus>, Error> {
        let mut status = locked(&self.status);
        if status.is_none() {
            *status = pidfd::collect(self.sentinel())?;
        }
        Ok(*status)
    }
}

/// Nothing panics while it holds one of these locks, so poison would say nothing.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
