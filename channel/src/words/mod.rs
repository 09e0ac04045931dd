//! The words in shared memory and their algorithms, a file each. They know no segment and no
//! handle.

mod cell;
mod position;
pub(crate) mod queue;
pub(crate) mod queue_await;
mod queue_get;
mod queue_put;
mod record;
mod ring;
