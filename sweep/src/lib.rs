//! SIGKILL at every instruction: the instrument, and what it is turned on.
//!
//! A scenario's victim runs up to a mark, then so many single steps under `ptrace(2)`, and is
//! killed; survivors that ran or slept meanwhile, and a checker at the end, say whether anything
//! was lost, doubled, corrupted or hangs. This is done for every number of steps up to the end
//! mark; for a second death, of the process that finds the remains of the first; and inside system
//! calls. Or nobody is killed: the victim stands still between two instructions, while another does
//! all it can to the same objects.
//!
//! ```text
//!  setup ---- stage ------------------------------------------------------------+
//!  victim       `--> begin |--- n steps ---X killed                              |
//!  peers                   | running or asleep ............... end by themselves |
//!  second                                  `--> begin |--- m steps ---X killed   |
//!  checker                                                      `--> goes over it
//! ```
//!
//! ```
//! // Which scenarios there are; the program `purlin-sweep` runs them.
//! assert!(purlin_sweep::scenarios::all().iter().any(|one| one.name == "lock-uncontended"));
//! ```
//!
//! # What this crate does not do
//! * Show weak memory: a stepped process is one thread in program order; see `purlin-models`.
//! * Show interleavings that a slow victim never has: for those there are the race, the live stress
//!   and the soak, and they only make them likely.
//! * Step on other processors than x86-64, or where the system forbids tracing: it says so, and
//!   counts those scenarios as not made.
//! * Prove: it looks at the instructions that this compiler made of this source.

#![deny(unsafe_code)]

pub mod controller;
pub mod faults;
pub mod journal;
mod limits;
mod path;
mod patience;
mod perform;
pub mod plan;
mod record;
pub mod report;
pub mod scenarios;
mod slumber;
pub mod soak;
pub mod stage;
mod symbols;
mod sys;
pub mod verdict;
pub mod walk;

pub use limits::KILL_PERIOD;
pub use patience::comes_to_be;
pub use sys::cells::Cells;
pub use sys::evidence::{is_asleep_on_futex, is_gone, sleep_count};
pub use sys::process::{Child, End};
pub use sys::trace::Mark;
