//! Pools of workers, by process and by thread, that never lose a task without saying so.
//!
//! A worker may be killed at any instruction. Its task is then lost, and told so, with the way in
//! which the worker ended; whoever waits for it goes on, another worker is started, and nothing
//! else happens.
//!
//! ```text
//!  owner                                              worker (a process)
//!  apply ──> queue ──> [ task | task ]  mailbox  ───> takes it, runs it
//!  get   <── result <── collects        (shared) <─── answers, rings
//! ```
//!
//! ```standalone_crate
//! use purlin_pool::{Error, Pool};
//!
//! fn main() -> Result<(), Error> {
//!     let pool = Pool::fork(2)?;
//!     let lost = pool.apply(|status: i32| purlin_process::exit(status) as (), 3);
//!     assert_eq!(lost.unwrap_err().to_string(), "worker-lost: status 3");
//!     assert_eq!(pool.map(|n: u64| n * n, 0..4, None)?, [0, 1, 4, 9]);
//!     Ok(())
//! }
//! ```
//!
//! # What this crate does not do
//! * Run a task twice: what its worker's death left half done is for the caller to know.
//! * Carry handles to a task: they are given to the workers, by [`Builder::initializer`].
//! * Stop a task that runs, but by ending its worker: see [`Pool::terminate`].

#![deny(unsafe_code)]

mod builder;
mod bytes;
mod callbacks;
mod engine;
mod error;
mod function;
mod hook;
mod imap;
mod limits;
mod looks;
mod map;
mod numbers;
mod office;
mod outcome;
mod outcomes;
mod pool;
mod processes;
mod spread;
mod sys;
mod threads;
mod wire;
mod words;
mod worker;

pub use builder::Builder;
pub use bytes::Bytes;
pub use callbacks::{Callbacks, Progress};
pub use engine::{Runs, Workers};
pub use error::Error;
pub use imap::{Imap, ImapUnordered};
pub use limits::{BODY_LIMIT_BYTES, BODY_MAX_BYTES, WORKER_MAX};
pub use office::WorkerView;
pub use outcome::AsyncResult;
pub use pool::Pool;
pub use processes::Processes;
pub use spread::{RunsSpread, Spread};
pub use threads::Threads;

/// A pool of threads, with the calls of a [`Pool`].
pub type ThreadPool = Pool<Threads>;
