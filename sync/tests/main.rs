//! The tests of this crate's public face, in one program: they share how children are started, and
//! what is surely cleaned up.

mod barrier;
mod barrier_death;
mod checked;
mod condition;
mod condition_death;
mod condition_made;
mod death;
mod event;
mod every_lock;
mod every_semaphore;
mod fork;
mod handover;
mod limits;
mod liveness;
mod lock;
mod named;
mod rlock;
mod semaphore;
mod support;
mod tracked_semaphore;
