//! The words that a pool and a worker share.

mod bell;
mod bodies;
mod mailbox;
mod space;

pub(crate) use bell::Bell;
pub(crate) use mailbox::{Input, Mailbox, SLOT_COUNT, Seen};
pub(crate) use space::Space;
