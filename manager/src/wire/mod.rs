//! What goes over a connection.
//!
//! ```text
//! greeting  server   | magic 8 | nonce 32 |
//! proof     client   | magic 8 | nonce 32 | client 16 | mac 32 |
//! welcome   server   | verdict 1 | server 16 | limit 8 | mac 32 |
//! frames    both     | length 4 | call 4 | serial form of a request, or of an answer |
//! ```
//!
//! Before the welcome all is of fixed length, and nothing of it is decoded as a value. Behind it
//! frames follow, whose length counts what comes after the eight bytes of head.

pub(crate) mod frame;
pub(crate) mod item;
pub(crate) mod proof;
mod request;

pub(crate) use item::Item;
pub(crate) use request::{Answer, Call, Kind, Make, Reply, Request};

/// The number of an object in its server, never given twice.
pub(crate) type ObjectId = u64;

/// What tells one server from all others, also from its successor at the same address.
pub(crate) type ServerId = [u8; 16];

/// What tells one client, a process, from all others.
pub(crate) type ClientId = [u8; 16];
