//! The words in shared memory and their algorithms, a file each. They know no segment and no
//! handle.

mod cell;
pub(crate) mod position;
pub(crate) mod queue;
pub(crate) mod queue_get;
pub(crate) mod queue_many;
mod queue_place;
mod queue_put;
mod record;
mod ring;
mod spins;
