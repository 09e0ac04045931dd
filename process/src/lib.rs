//! Children of this process: started by fork or by spawn, joined with a deadline, killed without
//! pid races, ended with their parent if they are daemons.
//!
//! A [`Process`] is one child. Its parent holds a process descriptor (a *pidfd*), so a signal never
//! reaches a stranger that was given the child's number, and waiting for it is a poll that ends
//! when the child does, whoever else may hold copies of the child's descriptors.
//!
//! ```text
//!   parent   Process::fork ──┬───────────── join ───────► ExitStatus
//!                            │ pidfd held, then "go"        ▲
//!   child                    └─► function ─► end ─► flush ─► _exit
//! ```
//!
//! A [`Builder`] describes a child before its start: its name, whether it is a daemon, its key.
//! [`current`] is the process that asks, and knows its parent. At its end a process owes something:
//! its hooks, an end to its daemons, a join of its other children, see [`shutdown`]. Children do it
//! by themselves; a main program has an [`AtEnd`]:
//!
//! ```
//! use purlin_process::{AtEnd, Builder};
//!
//! fn main() -> Result<(), purlin_process::Error> {
//!     purlin_process::init(); // for children by spawn
//!     let _at_end = AtEnd::new();
//!     Builder::new().name("ticker").daemon(true).fork(|| loop {
//!         std::thread::park();
//!     } as ())?;
//!     Ok(()) // and here the ticker ends
//! }
//! ```
//!
//! ```
//! use core::time::Duration;
//! use purlin_process::{ExitCode, ExitStatus, Process};
//!
//! let base = 40; // captured: a fork copies what the closure refers to
//! let child = Process::fork("adder", || ExitCode(base + 2))?;
//! assert_eq!(child.join(Duration::from_secs(60))?, ExitStatus::Code(42));
//!
//! fn sleep() {
//!     loop {
//!         std::thread::park();
//!     }
//! }
//! let sleeper = Process::fork("sleeper", sleep)?;
//! sleeper.kill()?;
//! assert_eq!(sleeper.join(None)?, ExitStatus::Signal(9));
//! # Ok::<(), purlin_process::Error>(())
//! ```
//!
//! A forked child of a program with several threads has one thread and every lock in the state that
//! it had: read the weak points of [`Process::fork`] before using it in such a program, and the
//! conditions of [`fork`] before using that one at all.
//!
//! # Signals in a child
//!
//! No start changes what the starting process blocks, ignores or handles. A child begins with
//!
//! | | by fork | by spawn | a [program](command) |
//! |---|---|---|---|
//! | blocked | as in the starting thread | as in the starting thread | none |
//! | ignored | what its parent ignores | the same | the same, `SIGPIPE` apart |
//! | handled | by its parent's handlers | nothing | nothing |
//! | `SIGPIPE` | as in its parent | ignored, by Rust's runtime | at its default action |
//! | pending | none | none | none |
//!
//! So a daemon of a thread that blocks `SIGTERM`, or of a process that ignores it, is not ended by
//! being asked to, but killed two seconds later. A handler that a forked child inherits runs in
//! the child, on its copy of what the handler touches.
//!
//! # What this crate does not do
//! * Share memory or tell of a dead holder: segments are in `purlin-shm`, locks in `purlin-sync`.
//! * Describe other programs: `std::process::Command` does, and [`command`] runs them.
//! * End children that are no daemons when their parent is killed: they outlive it.
//! * Anything at the end of a main program that does not ask for it, by [`AtEnd`], [`shutdown`] or
//!   [`exit`]: then its children live on, and the kernel kills its daemons.
//! * Collect children that others started: it never waits for "any child", see `waitid(2)`.
//! * Run exit handlers (`atexit(3)`) in a forked child: they are the parent's. Work that is owed at
//!   the end is registered in the child, by [`at_exit`].
//! * Work without process descriptors: before Linux 5.4 every start is [`Error::Unsupported`].

#![deny(unsafe_code)]

mod builder;
mod child;
mod children;
pub mod command;
mod current;
mod ends;
mod error;
mod fork;
mod handover;
mod identity;
mod key;
mod limits;
mod outcome;
pub mod parts;
mod process;
mod signal;
mod spawn;
mod status;
mod streams;
mod sys;
pub mod thread;
mod turns;

pub use builder::{Builder, Run};
pub use child::exit;
pub use current::{Current, Parent, cpu_count, current, usable_cpu_count};
pub use ends::{AtEnd, at_exit, shutdown, wait_at_end};
pub use error::Error;
pub use fork::{Fork, fork};
pub use handover::{receive_handles, send_handles};
pub use key::Key;
pub use outcome::{ExitCode, Outcome};
pub use process::{Process, StillRunning, active_children, wait_any};
pub use signal::{reset_child_signal, tell_overflow_apart};
pub use spawn::init;
pub use status::ExitStatus;

/// The example on the workspace's front page, held true by being run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
