//! Synchronization between processes that survives the death of any of them.

mod deadline;
mod sys;

pub use deadline::Deadline;
