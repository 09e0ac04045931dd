//! Which promises of inter-process primitives does an implementation keep?
//!
//! ```text
//!  catalogue/*.toml   what must be true       cases/*.toml   how to see it
//!            \                                    /
//!             the runner: one interpreter, one clock, one kill, one verdict
//!                |  JSON lines on standard input and output
//!             an adapter: purlin (fork, threads), CPython, or somebody else's
//! ```
//!
//! The program is `purlin-conformance`. This library is what it is made of; a subject written in
//! Rust needs [`serve`] only, and one in another language only the page `docs/protocol.md`, which
//! `docs/adapter-guide.md` leads to.
//!
//! # What this crate does not do
//! * Offer primitives: see `purlin-sync` and `purlin-process`.
//! * Measure speed: see `benches/`. No verdict here depends on an upper bound of time.
//! * Prove anything: what no case shows is counted as untested, and what no interleaving of this
//!   run met is not seen; for every interleaving of a word see `models/`.
//! * Contain more than processes: names, files and memory that a subject leaves behind stay, and
//!   one that means harm needs a container around the run.
//! * Look into a subject: it sees replies, and what the kernel says of processes and threads.
#![deny(unsafe_code)]

mod actor;
pub mod backing;
mod call;
pub mod case;
pub mod catalogue;
pub mod check;
pub mod contract;
pub mod cpython;
mod ending;
pub mod errata;
pub mod error;
mod evidence;
pub mod expect;
pub mod judgement;
pub mod limits;
pub mod model;
pub mod nearest;
pub mod parse;
pub mod protocol;
mod repeat;
pub mod report;
pub mod run;
pub mod script;
pub mod selection;
pub mod serve;
mod session;
mod settle;
mod spot;
mod subject;
pub mod suite;
mod sys;
pub mod verdict;
mod vocabulary;
mod waits;
pub mod workers;

pub use ending::{end_with_all_on_signals, wait_if_ending};
pub use subject::AdapterCommand;
pub use subject::orphans::adopt_orphans;
