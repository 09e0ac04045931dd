//! The condition: waiting for what another does under a lock.

use core::fmt;
use core::sync::atomic::AtomicU64;

use purlin_shm::{Object, Place, Segment, Shared};

use crate::deadline::Deadline;
use crate::error::Error;
use crate::exclusive::{Exclusive, Rules};
use crate::guard::{Acquired, Guard, Suspect};
use crate::waited::{WaitError, Waited, until};
use crate::words::checked::ByThread;
use crate::words::condition::{Pool, PoolHead, Woken};
use crate::words::exclusive::Told;
use crate::words::lock::ByHolder;
use crate::words::rlock::Reentrant;

/// A waiting pool tied to a lock. Whoever holds the lock may wait: it gives the lock up, sleeps
/// until somebody who holds the lock notifies it, and holds the lock again when it returns.
///
/// A notify never waits, and makes no system call when nobody waits. It picks who has waited
/// longest. A wait tells two things: whether it was notified, and, as an acquire does, whether an
/// owner of the lock died.
///
/// Any process may be killed at any instruction. A notification that was given to a process which
/// is killed before it has returned goes to another that was waiting at that moment. When a holder
/// dies before it has notified anybody, one of those who wait takes the lock over and returns with
/// the news, for nobody else might ever come to see it: what it waits for may have come true.
///
/// ```
/// # fn main() -> Result<(), purlin_sync::Error> {
/// use purlin_sync::Condition;
/// use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
///
/// let condition = Condition::new()?; // with a lock of its own, an RLock
/// let stock = AtomicU32::new(0); // in shared memory, say
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         let guard = condition.lock().acquire(None)?.sound()?;
///         stock.store(7, Relaxed);
///         condition.notify_one()?;
///         Ok::<_, purlin_sync::Error>(drop(guard))
///     });
///     let guard = condition.lock().acquire(None)?.sound()?;
///     let take = || stock.load(Relaxed).checked_sub(1);
///     let (guard, left) = condition.wait_for(guard, None, take)?.met()?;
///     assert_eq!(left, 6);
///     Ok::<_, purlin_sync::Error>(drop(guard))
/// })?;
/// # Ok(()) }
/// ```
///
/// It is made over a [`Lock`], a [`CheckedLock`] or an [`RLock`], which is given up at all its
/// levels, and had again at as many. A [`HandoverLock`] is refused by the compiler: whoever
/// released it would end a hold under which the condition is being changed.
///
/// ```compile_fail
/// let lock = purlin_sync::HandoverLock::new().unwrap();
/// let condition = purlin_sync::Condition::over(&lock); // does not compile
/// ```
///
/// [`Lock`]: crate::Lock
/// [`CheckedLock`]: crate::CheckedLock
/// [`RLock`]: crate::RLock
/// [`HandoverLock`]: crate::HandoverLock
///
/// # Weak points
/// * Fairness: a notify picks who has waited longest, but the woken compete for the lock with
///   whoever comes. Who has the lock in a tight loop can keep them out.
/// * Signals: none of the calls is async-signal-safe.
/// * Fork: the child inherits the handle, never the hold and never a wait. What its parent holds it
///   can neither wait nor notify under.
/// * Death: of who waits, costs a cell until it is needed; of who was notified, a slice of 50 ms
///   until another takes the notification over; of who holds the lock, one early return, with the
///   news. A notification whose only waiter dies goes with it.
/// * Handles: a process that lives and drops its last handle of the lock while it holds it is told
///   of to whoever acquires next; those who wait for a notification sleep on.
/// * Threads: over a [`Lock`], which knows processes only, a thread may wait and notify under what
///   another of its process holds, and ends the other's hold by it.
/// * Room: so many can wait at once as the condition was [made for](Self::over_with_room). One more
///   is told out-of-resources.
/// * Tickets: they wrap. A waiter that sleeps on through 2^31 waits of others is not found by the
///   notification of a process that died.
pub struct Condition<R: ReleasedByHolder = Reentrant> {
    pub(crate) place: Place<ConditionHead>,
    pub(crate) lock: Exclusive<R>,
}

/// The rules of locks that only their holder releases: a condition can be made over one.
pub trait ReleasedByHolder: Rules {}

impl ReleasedByHolder for ByHolder {}
impl ReleasedByHolder for ByThread {}
impl ReleasedByHolder for Reentrant {}

/// What a condition has beside its cells. The lock stands at an offset of the same segment.
#[repr(C)]
pub(crate) struct ConditionHead {
    pub(crate) lock: AtomicU64,
    pool: PoolHead,
}

const _: () = assert!(size_of::<ConditionHead>() == 16 && align_of::<ConditionHead>() == 8);

#[expect(unsafe_code, reason = "a promise about the object's layout, argued here")]
// SAFETY: `repr(C)`, and nothing but atomic integers, of which any bits are a valid value.
unsafe impl Shared for ConditionHead {}

impl Object for ConditionHead {
    const KIND: u16 = 10;
    const VERSION: u16 = 1;
    type Row = AtomicU64;
}

/// How a wait for a predicate ends that was begun with a guard.
type Ended<'a, R, T> = Result<Waited<Guard<'a, R>, Suspect<'a, R>, T>, WaitError<Guard<'a, R>>>;

impl<R: ReleasedByHolder> Condition<R> {
    /// Gives the lock up, waits for a notify, and takes the lock again. `deadline` ends the wait
    /// for a notify only: the return takes as long as the lock takes, and the lock is held then in
    /// any case. Whoever is woken looks again whether what it waits for has come true; see
    /// [`wait_for`](Self::wait_for).
    ///
    /// # Errors
    /// * [`Error::NotOwner`] for the copy of a guard in a forked child.
    /// * [`Error::InvalidArgument`] for the guard of another lock.
    /// * [`Error::OutOfResources`] when as many wait already as there is [room](Self::room) for.
    ///   With these three, nothing has happened, and the guard comes back.
    /// * [`Error::System`] when foreign code closed the descriptor by which deaths are seen: the
    ///   lock is not held any more.
    /// * [`Error::Damaged`] when the lock's words or the caller's cell were overwritten: it is not
    ///   held any more, if it was not damaged before.
    pub fn wait<'a>(
        &self,
        guard: Guard<'a, R>,
        deadline: impl Into<Deadline>,
    ) -> Result<Woken<Acquired<'a, R>>, WaitError<Guard<'a, R>>> {
        let (lock, token) = guard.hold();
        let woken = self.check(lock, token).and_then(|()| self.wait_kept(deadline));
        match woken {
            Err(error) => Err(WaitError::new(error, guard)),
            Ok(Woken { acquired: told, is_notified }) => {
                core::mem::forget(guard); // its hold was given up; this is a new one
                Ok(Woken { acquired: Acquired::new(lock, token, told), is_notified })
            }
        }
    }

    /// [`wait`](Self::wait) for a lock that is kept, and stays so.
    ///
    /// # Errors
    /// * [`Error::NotOwner`] when the caller does not hold the lock.
    /// * Those of [`wait`](Self::wait).
    pub fn wait_kept(&self, deadline: impl Into<Deadline>) -> Result<Woken<Told>, Error> {
        self.pool().wait(self.lock.word(), self.lock.attachment(), deadline.into())
    }

    /// Waits until `predicate` gives a value. It is asked first, and then after each wake-up,
    /// always under the lock; `deadline` bounds all waits together. Whoever must not wait at all
    /// passes [`Deadline::passed`], and the predicate is asked once.
    ///
    /// When the predicate panics, the guard is dropped, as it would be by any panic in its scope.
    ///
    /// # Errors
    /// * Those of [`wait`](Self::wait).
    pub fn wait_for<'a, T>(
        &self,
        guard: Guard<'a, R>,
        deadline: impl Into<Deadline>,
        predicate: impl FnMut() -> Option<T>,
    ) -> Ended<'a, R, T> {
        let (lock, token) = guard.hold();
        if let Err(error) = self.check(lock, token) {
            return Err(WaitError::new(error, guard));
        }
        until(guard, deadline.into(), predicate, |guard, deadline| {
            Ok(match self.wait(guard, deadline)?.acquired {
                Acquired::Held(guard) => Ok(guard),
                Acquired::OwnerDied(suspect) => Err(suspect),
            })
        })
    }

    /// [`wait_for`](Self::wait_for) for a lock that is kept, and stays so, whatever the answer;
    /// also when the predicate panics.
    ///
    /// # Errors
    /// * [`Error::NotOwner`] when the caller does not hold the lock. The predicate is not asked.
    /// * Those of [`wait`](Self::wait).
    pub fn wait_for_kept<T>(
        &self,
        deadline: impl Into<Deadline>,
        predicate: impl FnMut() -> Option<T>,
    ) -> Result<Waited<(), (), T>, Error> {
        if !self.lock.is_mine() {
            return Err(Error::NotOwner);
        }
        until((), deadline.into(), predicate, |(), deadline| {
            let told = self.wait_kept(deadline)?.acquired;
            Ok(if told == Told::Held { Ok(()) } else { Err(()) })
        })
    }

    /// Notifies who has waited longest, if anybody waits: see [`notify`](Self::notify).
    ///
    /// # Errors
    /// * [`Error::NotOwner`] when the caller does not hold the lock.
    #[inline]
    pub fn notify_one(&self) -> Result<u32, Error> {
        self.notify(1)
    }

    /// Notifies everybody who waits: see [`notify`](Self::notify).
    ///
    /// # Errors
    /// * [`Error::NotOwner`] when the caller does not hold the lock.
    #[inline]
    pub fn notify_all(&self) -> Result<u32, Error> {
        self.notify(u32::MAX)
    }

    /// Notifies the `count` who have waited longest, or all if there are fewer, and returns how
    /// many that were. They go on when they get the lock. Who begins to wait later is not meant,
    /// and nothing is remembered for it. Never waits.
    ///
    /// # Errors
    /// * [`Error::NotOwner`] when the caller does not hold the lock.
    #[inline]
    pub fn notify(&self, count: u32) -> Result<u32, Error> {
        self.pool().notify(self.lock.word(), self.lock.attachment(), count)
    }

    /// The lock. To hold it is to hold the condition.
    #[inline]
    #[must_use]
    pub const fn lock(&self) -> &Exclusive<R> {
        &self.lock
    }

    /// How many can wait at once.
    #[must_use]
    pub fn room(&self) -> usize {
        self.place.row().len()
    }

    /// Where in its segment the condition is, in bytes: what another process opens it by.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.place.offset()
    }

    /// The segment that the condition and its lock are in.
    #[must_use]
    pub fn segment(&self) -> Segment {
        self.place.segment()
    }

    #[inline]
    fn pool(&self) -> Pool<'_> {
        Pool::new(&self.place.pool, self.place.row())
    }

    /// Whether a guard of `lock`, made under `token`, is one of this condition's lock.
    fn check(&self, lock: &Exclusive<R>, token: u32) -> Result<(), Error> {
        let at = self.lock.attachment();
        let is_there = at.is_in_same_segment(lock.attachment());
        if !is_there || self.lock.offset() != lock.offset() {
            return Err(Error::InvalidArgument);
        }
        // A copy in a forked child has the token of its parent.
        if token == at.token() { Ok(()) } else { Err(Error::NotOwner) }
    }
}

impl<R: ReleasedByHolder> Clone for Condition<R> {
    fn clone(&self) -> Self {
        Self { place: self.place.clone(), lock: self.lock.clone() }
    }
}

impl<R: ReleasedByHolder> fmt::Debug for Condition<R> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Condition")
            .field("offset", &self.offset())
            .field("lock", &self.lock)
            .finish_non_exhaustive()
    }
}
