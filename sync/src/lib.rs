//! Synchronization between processes and threads that survives the death of any of them.
//!
//! ```text
//!  process a             the word (in a segment)            process b
//!  acquire               free
//!    `-- CAS ----------> held by a                          acquire
//!  SIGKILL               held by a, W <-------- CAS, sleep ---'
//!                                                           look: a is dead
//!                        held by b, unvouched <------ CAS ----'
//!                                                           OwnerDied(suspect)
//! ```
//!
//! ```
//! use purlin_sync::{Acquired, Lock};
//!
//! # fn main() -> Result<(), purlin_sync::Error> {
//! let lock = Lock::new()?; // shared with every child that is forked from here on
//! match lock.acquire(None)? {
//!     Acquired::Held(_guard) => println!("sound"),
//!     Acquired::OwnerDied(suspect) => drop(suspect.recover()), // after a look at the data
//! }
//! # Ok(()) }
//! ```
//!
//! | lock | its holder is | its holder's second acquire | who releases |
//! |---|---|---|---|
//! | [`Lock`] | a process | waits | the holder's process |
//! | [`HandoverLock`] | the process that acquired | waits | anybody |
//! | [`CheckedLock`] | a thread | is refused | the holder's thread |
//! | [`RLock`] | a thread | goes one level deeper | the holder's thread, as often as it acquired |
//!
//! Beside the locks there are [`Semaphore`] and [`BoundedSemaphore`], which count units that nobody
//! owns, [`TrackedSemaphore`], whose units come back when their owner dies, [`Event`], a flag to
//! wait for, [`Condition`], to wait for what is done under a lock, and [`Barrier`], a meeting
//! point.
//!
//! # What this crate does not do
//! * Protect data: a lock says who may write, not whether the last write was finished. It does say
//!   when it was not.
//! * Start or watch processes: see `purlin-process`.
//! * Wait on descriptors: a word is waited on by futex.
//! * Promise an order among those who wait.
//! * See the end of a single thread: what dies is a process.

#![deny(unsafe_code)]

mod barrier;
mod checked_lock;
mod condition;
mod condition_made;
mod counting;
mod deadline;
mod error;
mod event;
mod exclusive;
mod guard;
mod handover_lock;
mod limits;
mod lock;
pub mod parts;
mod permit;
mod rlock;
mod semaphore;
mod sys;
mod thread;
mod tracked_semaphore;
mod waited;
mod words;

pub use barrier::{Barrier, BarrierOptions};
pub use checked_lock::{CheckedLock, CheckedLockWord};
pub use condition::{Condition, ReleasedByHolder};
pub use counting::{At, Counting, Units};
pub use deadline::Deadline;
pub use error::Error;
pub use event::Event;
pub use exclusive::{Exclusive, Rules};
pub use guard::{Acquired, Guard, Suspect};
pub use handover_lock::{HandoverLock, HandoverLockWord};
pub use limits::{
    CONDITION_WAITER_COUNT, CONDITION_WAITER_MAX, DEATH_UNSEEN_NANOS, INNER_PATIENCE_NANOS,
    PARTIES_MAX, RLOCK_DEPTH_MAX_COUNT, SEMAPHORE_VALUE_MAX, SLICE_FIRST_NANOS, SLICE_NANOS,
    SPIN_AGAIN_ITERATIONS, SPIN_LIMIT_ITERATIONS, TRACKED_UNITS_MAX, WATCH_COUNT,
};
pub use lock::{Lock, LockWord};
pub use permit::Permit;
pub use purlin_shm::Name;
pub use rlock::{RLock, RLockWord};
pub use semaphore::{BoundedSemaphore, Semaphore};
pub use tracked_semaphore::{Tracked, TrackedSemaphore, TrackedWord};
pub use waited::{WaitError, Waited};
pub use words::checked::ByThread;
pub use words::condition::Woken;
pub use words::event::EventWord;
pub use words::exclusive::{ExclusiveWord, Told};
pub use words::handover::ByAnyone;
pub use words::lock::ByHolder;
pub use words::rlock::Reentrant;
pub use words::semaphore::{Bounded, SemaphoreWord, Unbounded};
