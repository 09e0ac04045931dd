//! The words in shared memory and their algorithms, a file each. They know no segment and no
//! handle.

mod cell;
pub(crate) mod face;
mod join;
pub(crate) mod pages;
mod position;
pub(crate) mod queue;
mod queue_get;
mod queue_put;
mod record;
mod ring;
