//! The mailbox of a pool's worker: the file that ships, on the event count that ships.

mod cell;

#[path = "../../../pool/src/words/slots.rs"]
mod slots;

mod desk;
mod mailbox_killed;
mod mailbox_live;
