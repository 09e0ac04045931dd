//! What a proxy is inside: a reference to an object, which this process may have yet to claim.

use core::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use std::sync::Arc;

use purlin_sync::Deadline;

use super::session::{self, Origin, Session, Visit};
use crate::error::Error;
use crate::line::fork_count;
use crate::wire::{Kind, ObjectId, Reply, Request};

/// One reference. Proxies that are clones of each other share it.
///
/// It belongs to the session, and so to the process, that claimed it. A forked child, or who reads
/// it out of a message, claims it when it first uses it; until then it is held by whoever gave it,
/// and for a while after.
pub(crate) struct Handle {
    pub(crate) origin: Arc<Origin>,
    pub(crate) object: ObjectId,
    pub(crate) kind: Kind,
    /// The session that has claimed it; 0 for none.
    claimed_by: AtomicU64,
    /// How often its process had forked when it got it.
    fork_count: u64,
    /// Whether it was put into a message of a kind that the server does not know of.
    was_given: AtomicBool,
}

impl Handle {
    /// One that the server has counted for this session.
    pub(crate) fn claimed(session: &Arc<Session>, object: ObjectId, kind: Kind) -> Arc<Self> {
        session.enter();
        Self::new(Arc::clone(&session.origin), object, kind, session.number)
    }

    /// One that this process has heard of.
    pub(crate) fn unclaimed(origin: Arc<Origin>, object: ObjectId, kind: Kind) -> Arc<Self> {
        Self::new(origin, object, kind, 0)
    }

    fn new(origin: Arc<Origin>, object: ObjectId, kind: Kind, claimed_by: u64) -> Arc<Self> {
        let (claimed_by, was_given) = (AtomicU64::new(claimed_by), AtomicBool::new(false));
        Arc::new(Self { origin, object, kind, claimed_by, fork_count: fork_count(), was_given })
    }

    /// The session of this process, in which the reference is claimed.
    ///
    /// # Errors
    /// * [`Error::NoSuchName`] when the object is gone, [`Error::Incompatible`] when it is another.
    /// * As [`session::of`] and [`Session::ask`].
    pub(crate) fn session(&self, deadline: Deadline) -> Result<Visit, Error> {
        let session = session::of(&self.origin)?;
        // Acquire pairs with the Release in `claim`: whoever sees the claim comes after it.
        let claimed_by = self.claimed_by.load(Acquire);
        if claimed_by != session.number {
            self.claim(claimed_by, &session, deadline)?;
        }
        Ok(session)
    }

    #[cold]
    fn claim(&self, before: u64, session: &Session, deadline: Deadline) -> Result<(), Error> {
        let claim = Request::Claim { object: self.object };
        let Reply::Object { kind, .. } = session.ask(&claim, deadline)? else {
            return Err(Error::Damaged);
        };
        // Release pairs with the Acquire in `session`. Relaxed: another thread's claim, behind
        // which this one comes no more than any other call.
        match self.claimed_by.compare_exchange(before, session.number, Release, Relaxed) {
            Ok(_) => session.enter(),
            Err(_) => session.release(self.object, false), // one is enough
        }
        if kind == self.kind { Ok(()) } else { Err(Error::Incompatible) }
    }

    /// It is on its way to somebody, and the server does not know.
    pub(crate) fn give(&self) {
        // Relaxed: a hint for the drop, which comes after all uses.
        self.was_given.store(true, Relaxed);
    }

    fn lingers(&self) -> bool {
        // Relaxed: as in `give`.
        self.was_given.load(Relaxed) || self.fork_count != fork_count()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // Relaxed: nobody else has it any more.
        let claimed_by = self.claimed_by.load(Relaxed);
        if claimed_by == 0 {
            return;
        }
        // In a forked copy the session is another, and this was never its own.
        if let Some(session) = session::existing(&self.origin, claimed_by) {
            session.release(self.object, self.lingers());
            session.leave();
        }
    }
}
