//! Memory that several processes share, and who of them is alive.
//!
//! A [`Segment`] is a range of memory that processes map, each at an address of its own. Objects
//! lie in it at offsets; a table tells who is attached. Any process may be killed at any
//! instruction: what it was about to make is never seen, and that it is dead is known within the
//! kernel's clean-up.
//!
//! ```text
//!  process a                    segment                           process b
//! +-----------+    +--------+------------+------------------+    +-----------+
//! | token 5.0 |    | header | slot table | arena: objects … |    | token 9.1 |
//! | byte 0 ===|===>|        | 0: 5, 1: 9 |                  |<===|=== byte 1 |
//! +-----------+    +--------+------------+------------------+    +-----------+
//!    a locked byte, which the kernel frees when its process is gone
//! ```
//!
//! ```
//! use purlin_shm::Segment;
//!
//! # fn main() -> Result<(), purlin_shm::Error> {
//! let segment = Segment::anonymous(1 << 20)?; // zeroed, sealed, every page reserved
//! assert!(segment.capacity_bytes() >= 1 << 20);
//! assert_eq!(Segment::anonymous(0).unwrap_err(), purlin_shm::Error::InvalidArgument);
//! # Ok(()) }
//! ```
//!
//! # What this crate does not do
//! * Wait: who is alive is looked up, never waited for; see `purlin-sync`.
//! * Start or end processes: see `purlin-process`.
//! * Give space back piece by piece: an arena only grows, and goes with its segment.
//! * Protect against a peer that means harm: it can spoil what is inside, and lie about who lives.
//!   It cannot make others read outside the segment.
//! * Carry a segment to another layout version: another one is refused.

#![deny(unsafe_code)]

mod across_fork;
mod arena;
mod attachment;
mod carry;
mod chunk;
mod collection;
mod error;
mod header;
mod installs;
mod limits;
mod luggage;
mod mapping;
mod name;
mod named;
mod page;
mod patience;
mod place;
mod registry;
mod segment;
mod slot;
mod sparse;
mod sys;
mod token;

/// What the crates above are made of, too: no part of the face, and free to change.
pub mod parts {
    pub use crate::across_fork::{AcrossFork, Guarded, Hold, ThreadState, lock};
    pub use crate::installs::Installs;
    pub use crate::sys::free_memory::free_memory_bytes;
}

pub use arena::Object;
pub use attachment::Attachment;
pub use carry::Carry;
pub use collection::{Listed, Resident, collect, list};
pub use error::Error;
pub use header::LAYOUT_VERSION;
pub use limits::{LINE_BYTES, NAME_MAX_BYTES, SEGMENT_MAX_BYTES, SLOT_COUNT};
pub use luggage::Luggage;
pub use mapping::Shared;
pub use name::Name;
pub use place::Place;
pub use segment::Segment;
pub use token::is_issued;
