//! What purlin's objects cost beside their peers, and how soon a death is noticed.
//!
//! ```text
//!   round 1   | pthread | purlin | robust | sem_t |
//!   round 2   | purlin | robust | sem_t | pthread |       every round everybody, in turns of 20 ms
//!   round 3   | robust | sem_t | pthread | purlin |
//!      …                                                  median of 15, spread printed
//! ```
//!
//! ```
//! use purlin_benches::{Contender, Effort, Rounds};
//!
//! let mut number = 1_u64;
//! let mut contenders = [
//!     Contender::present("multiply", move || number = std::hint::black_box(number * 3 % 1001)),
//!     Contender::absent("divide", "nobody wrote it"),
//! ];
//! let table = Rounds::of(Effort::Glance).run(&mut contenders);
//! assert!(table.ratio("multiply").is_some());
//! assert!(table.ratio("divide").is_none());
//! ```
//!
//! # What this crate does not do
//! * Judge: it prints figures, and exits with success whatever they are. What must hold by
//!   construction is a test; see `tests/` here, and in the crates that are measured.
//! * Compare machines: a table is worth something beside the facts printed above it, no more.
//! * Use anything that a user of the crates could not use: it sees public functions only.
//! * Stay when it is killed: its children end with it.

#![deny(unsafe_code)]

mod contended;
mod effort;
mod ends;
mod figures;
mod foreign;
mod limits;
mod machine;
mod mortal;
mod pair;
mod python;
mod rivals;
mod rounds;
mod sleeper;
pub mod sys;
mod touched;
mod traffic;
mod turns;
mod unseen;

pub use contended::{Actors, Contention, contend};
pub use effort::Effort;
pub use ends::PurlinSpsc;
pub use figures::{Spread, percentile};
pub use foreign::{cpp, foreign, peer};
pub use limits::{
    KILL_COUNT, RIVAL_COUNT, RIVALS_MAX_COUNT, ROUND_COUNT, TURN_NANOS, WAIT_LIMIT_NANOS,
};
pub use machine::Machine;
pub use mortal::{Mortal, Survivor, kill_holder};
pub use pair::{Pair, PurlinLock, PurlinSemaphore, StdMutex};
pub use python::python;
pub use rivals::{ContentionTable, Rivals};
pub use rounds::{Contender, Rounds, Row, Table};
pub use sleeper::{wake_sleeper, wakes_a_second};
pub use touched::{Copied, InPlace, read_first, write_first};
pub use traffic::{BarePipe, Carries, PingPong, Traffic};
pub use turns::{TakesTurns, Turns};
pub use unseen::unseen_death;
