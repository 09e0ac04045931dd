//! Messages between processes and threads, which survive the death of any of them.
//!
//! ```text
//!  process a           the ring (in a segment)          process b
//!  send  ------------> | taken | m1 | m2 | free |
//!                                 \-------------------> recv
//!  SIGKILL amid a send: nothing was sent; amid a recv: the next one gets the message
//! ```
//!
//! ```
//! use purlin_channel::{Error, Queue};
//!
//! # fn main() -> Result<(), Error> {
//! let queue = Queue::bounded(16, 64)?; // 16 messages of up to 64 bytes
//! std::thread::scope(|scope| {
//!     scope.spawn(|| queue.send(b"hello", None)); // or another process
//!     assert_eq!(queue.recv(None)?, b"hello");
//!     Ok(())
//! })
//! # }
//! ```
//!
//! # What this crate does not do
//! * Give messages a form: they are bytes.
//! * Keep what a dead process had received: it had it.
//! * Promise whose turn it is among those who wait.

#![deny(unsafe_code)]

mod error;
mod joinable;
mod limits;
mod queue;
mod simple;
mod words;

pub use error::Error;
pub use joinable::JoinableQueue;
pub use limits::{LARGE_BYTES, QUEUE_COUNT_MAX, QUEUE_RING_MAX_BYTES};
pub use queue::Queue;
pub use simple::SimpleQueue;
