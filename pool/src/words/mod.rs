//! The words that a pool and a worker share.

mod bell;
mod bodies;
mod cell;
mod mailbox;
mod rack;
mod slots;
mod space;

pub(crate) use bell::Bell;
pub(crate) use mailbox::{Input, Mailbox};
pub(crate) use rack::{RackWords, Spot};
pub(crate) use slots::Seen;
pub(crate) use space::Space;
