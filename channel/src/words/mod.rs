//! The words in shared memory and their algorithms, a file each. They know no segment and no
//! handle.

mod cell;
pub(crate) mod face;
mod join;
pub(crate) mod pages;
pub(crate) mod position;
pub(crate) mod queue;
pub(crate) mod queue_await;
pub(crate) mod queue_get;
pub(crate) mod queue_many;
mod queue_place;
mod queue_put;
mod record;
mod ring;
mod spins;
pub(crate) mod spsc;
pub(crate) mod spsc_ends;
