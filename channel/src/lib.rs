//! Messages and shared values between processes and threads, which survive the death of any of
//! them.
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
//! | queue | senders, receivers | room | beside that |
//! |---|---|---|---|
//! | [`Queue`] | many, many | so many messages; or as memory allows | several at once |
//! | [`JoinableQueue`] | many, many | the same | counts what was done, and waits for it |
//! | [`SimpleQueue`] | many, many | the same | no limits, no sizes |
//! | [`Spsc`] | one, one | so many messages | tells who waits that the other is gone |
//!
//! No thread stands behind a queue: when a send has returned, the message is in shared memory, and
//! nothing has to be flushed before a process ends. What other queues call `join_thread`, to wait
//! for such a thread, has returned when the send has; and what they call `cancel_join_thread`, to
//! lose what it has not written yet, there is not: a sender that ends at once, or is killed, takes
//! nothing with it.
//!
//! Messages are written and read in their place by [`Queue::reserve`] and [`Queue::recv_ref`], and
//! many are put or taken at once by [`Queue::send_many`] and [`Queue::recv_many`].
//!
//! | | holds | for |
//! |---|---|---|
//! | [`Pipe`] | messages of any length, and handles | two ends that see each other's death |
//! | [`Value`], [`Array`] | numbers | all who share them, under a lock or not |
//!
//! [`wait`] waits for several of all these at once. Whole programs are in the folder `examples`.
//!
//! # What this crate does not do
//! * Give messages a form: they are bytes. With the feature `serde` there is `Typed`, for values of
//!   a type instead.
//! * Keep what a dead process had received: it had it.
//! * Promise whose turn it is among those who wait.

#![deny(unsafe_code)]

mod array;
mod cells;
mod cells_made;
mod contents;
mod error;
mod guarding;
mod in_place;
mod joinable;
mod limits;
mod many;
mod memory;
mod pipe;
mod plain;
mod queue;
mod simple;
mod spsc;
mod sys;
#[cfg(feature = "serde")]
mod typed;
mod value;
mod wait;
mod words;

pub use array::Array;
pub use contents::Contents;
pub use error::Error;
pub use guarding::{Guarding, Unlocked};
pub use in_place::{Borrowed, Reservation};
pub use joinable::JoinableQueue;
pub use limits::{LARGE_BYTES, PIPE_MESSAGE_MAX_BYTES, QUEUE_COUNT_MAX, QUEUE_RING_MAX_BYTES};
pub use many::Batch;
pub use pipe::{Pipe, RecvIntoError};
pub use plain::{Plain, Whole};
pub use queue::Queue;
pub use simple::SimpleQueue;
pub use spsc::{Receiver, Sender, Spsc};
#[cfg(feature = "serde")]
pub use typed::{Carrier, Typed, decode, encode};
pub use value::Value;
pub use wait::{Awaited, wait};
