//! The words that a pool and a worker share.

mod bell;
mod mailbox;

pub(crate) use bell::Bell;
pub(crate) use mailbox::{Mailbox, SLOT_COUNT, Seen};
