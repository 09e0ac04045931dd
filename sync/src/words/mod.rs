//! The words in shared memory and their algorithms, a file each. They know no segment and no
//! handle. What they stand on (atomics, sleeping, who is alive) they take from `super::cell`, so
//! that the models can read the very same files with a `cell` of their own.

pub(crate) mod barrier;
mod barrier_bits;
mod barrier_mend;
pub(crate) mod barrier_wait;
pub(crate) mod bits;
pub(crate) mod cell;
pub(crate) mod checked;
pub(crate) mod condition;
pub(crate) mod depth;
pub(crate) mod event;
pub(crate) mod event_count;
pub(crate) mod exclusive;
pub(crate) mod handover;
pub(crate) mod inner;
pub(crate) mod lock;
pub(crate) mod rlock;
pub(crate) mod semaphore;
pub(crate) mod tracked;
mod wait;
