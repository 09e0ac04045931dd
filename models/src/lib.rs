//! The words of `purlin-sync`, run in every interleaving that loom knows, with a kill at every
//! step.
//!
//! The very file that ships is included here beside a `cell` of our own: no flag, no second build,
//! plain `cargo test`. An access to shared memory or a system call is a step; a process is a thread
//! with a token; a kill is a thread that stops before its step *k*, for every *k* until no
//! interleaving comes that far. How many steps that is, each test knows.
//!
//! ```text
//!  sync/src/words/*.rs ──── super::cell ────► sync/src/words/cell.rs     what ships
//!       the same files ──── super::cell ────► models/src/cell.rs         what is modelled
//!                                               │ steps, kills, time     life, sleepers
//!                                               │ planted faults         fault
//!                                               └► loom
//! ```
//!
//! Time has two extremes. Slices that pass: a sleep ends whenever there is something to see. Slices
//! of an hour: a sleep ends by a wake only, or once for each death; a lost wake is a deadlock,
//! which loom finds. What is asserted in each interleaving: one holder at a time, what it reads is
//! ordered after what was written, it is told of a death exactly when an owner died and nobody has
//! vouched since, and everybody alive comes to an end.
//!
//! Each fault in `fault` is planted beneath the words, and the model named in `lock_planted` or
//! `handover_planted` fails by it, with the message that it should have.
//!
//! # What was counted
//! With loom 0.7.2, slices passing and of an hour; *bound* is the most switches away from a thread
//! that could go on, *steps* at how many its victims were killed. The uncontended round is four
//! steps (take, write, write, give back) and five places to be killed at. All of it takes
//! about 45 s on one core of an x86-64 virtual machine, in a debug build.
//!
//! | model | bound | steps | interleavings |
//! |---|---|---|---|
//! | two contend, three uses | none | | 2 427 and 5 705 |
//! | three contend; four | 3; 2 | | 3 755 and 3 567; 3 196 |
//! | tries beside a holder | none | | 1 034 and 1 629 |
//! | one gives up beside a sleeper and a holder | 3 | | 12 473 and 16 832 |
//! | a stranger releases, recovers, abandons | none | | 256 and 334 |
//! | a user dies beside one | none | 15 | 816 and 1 002 |
//! | the same, seen by the second opinion only | none | 21 | 1 585 |
//! | a user dies beside two | 2 | 15 | 8 992 and 9 614 |
//! | a waiter dies beside a holder and a waiter | 2 | 21 | 4 540 and 4 802 |
//! | two of three die, all at once | 2 and 1 | 20 × 24 and 13 × 20 | 203 230 and 7 005 |
//! | one dies, then who takes over beside a third | 2 | 5 × 21 and 5 × 18 | 18 924 and 13 497 |
//! | a suspect released unvouched, its holder dies | 2 | 19 | 8 824 and 8 451 |
//! | a holder abandons beside one; beside two | none; 2 | 12 | 1 924 and 2 886; 20 803 and 19 441 |
//! | handed over: the holder comes back, beside a third | 2 | | 6 458 and 6 290 |
//! | two strangers release one hold | none | | 78 |
//! | a stranger and the holder's guard end one hold | 3 | | 58 and 58 |
//! | the holder dies: working, amid a stranger's release | 3 | 7 | 180 |
//! | the same beside one that takes over | 2 | 14 | 9 706 and 11 453 |
//! | one of two releasers dies | none | 7 | 564 |
//! | a dead owner's is released, its releaser dies | none | 6 | 7 |
//! | the same beside one that takes over | none | 7 | 6 715 and 6 715 |
//! | the holder dies, and its releaser | 2 | 7 × 7 | 463 |
//! | condition: one waits, another notifies | 3 | | 1 539 and 1 105 |
//! | condition: the same, and one gives up | 1 | | 8 462 and 435 |
//! | checked: two threads of one process beside another | 2 | | 3 115 and 2 713 |
//! | checked: a thread and a process are refused | 3 | | 3 440 and 3 440 |
//! | checked: a process dies beside two threads | 1 | 14 | 1 669 and 1 543 |
//! | checked: another thread drops the last handle | none | | 56 and 86 |
//! | recursive: two at two levels; three | none; 2 | | 1 239 and 2 425; 4 272 and 3 366 |
//! | recursive: two threads of one process beside another | 2 | | 2 141 and 2 015 |
//! | recursive: one gives it up from within and comes back | 3 | | 874 and 720 |
//! | recursive: a thread and a process are refused | 2 | | 2 559 and 2 559 |
//! | recursive: another thread drops the last handle | none | | 19 and 27 |
//! | recursive: a deep user dies beside one | 3 | 29 | 6 026 and 5 021 |
//! | recursive: a deep user dies beside two | 1 | 22 | 4 388 and 4 456 |
//! | recursive: one dies that gave it up from within | 2 | 32 | 5 834 and 5 600 |
//! | recursive: one dies, then who takes over beside a third | 1 | 19 × 32 | 14 644 and 13 660 |
//! | event: one sets, one waits; two; three | none; 3; 1 | | 35 and 43; 4 362 and 6 791; 11 752 |
//! | event: set, and cleared at once, while one sleeps; two | 3 | | 48; 8 516 |
//! | event: two set; one waits, clears, and looks | 2 | | 3 729 and 4 447 |
//! | event: one gives up beside a sleeper and a setter | 3 | | 3 988 and 14 648 |
//! | event: a setter dies beside another and one waiter; two | 3; 1 | 5 | 5 838 and 7 516; 7 758 |
//! | event: a waiter dies beside another and a setter | 2 | 7 | 5 156 and 7 373 |
//! | event: a setter and a waiter die beside one of each | 1 | 5 × 10 | 45 096 |
//!
//! # What this crate does not do
//! * Model more than C11 as loom knows it: no reordering that only a compiler or a processor could
//!   make of what C11 calls a race, and `SeqCst` by fences only.
//! * Sleep in a kernel: the futex here is a list, and the end of a slice an event. For the real one
//!   see the tests of `purlin-sync`.
//! * Kill processes between two instructions: a step here is an access. That is the kill sweep's
//!   matter, and so is the proof of a death, which is a given here.
//! * Kill a process of several threads: they would all be stopped at once.
//! * Try all interleavings of three and more: the bounds are in the table.

#![deny(unsafe_code)]

#[cfg(test)]
mod cell;
#[cfg(test)]
mod fault;
#[cfg(test)]
mod hall;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod life;
#[cfg(test)]
mod quay;
#[cfg(test)]
mod room;
#[cfg(test)]
mod sleepers;
#[cfg(test)]
mod yard;

/// The words, as they are shipped.
macro_rules! word {
    ($name:ident, $path:literal) => {
        #[cfg(test)]
        #[path = $path]
        #[expect(unreachable_pub, reason = "the file is written for the crate that ships it")]
        mod $name;
    };
}

/// The same of files that show nothing outside their crate.
macro_rules! inner_word {
    ($name:ident, $path:literal) => {
        #[cfg(test)]
        #[path = $path]
        mod $name;
    };
}

inner_word!(barrier, "../../sync/src/words/barrier.rs");
inner_word!(barrier_bits, "../../sync/src/words/barrier_bits.rs");
inner_word!(barrier_mend, "../../sync/src/words/barrier_mend.rs");
inner_word!(barrier_wait, "../../sync/src/words/barrier_wait.rs");
word!(bits, "../../sync/src/words/bits.rs");
word!(checked, "../../sync/src/words/checked.rs");
word!(condition, "../../sync/src/words/condition.rs");
word!(depth, "../../sync/src/words/depth.rs");
word!(event, "../../sync/src/words/event.rs");
inner_word!(event_count, "../../sync/src/words/event_count.rs");
word!(exclusive, "../../sync/src/words/exclusive.rs");
word!(handover, "../../sync/src/words/handover.rs");
inner_word!(inner, "../../sync/src/words/inner.rs");
word!(lock, "../../sync/src/words/lock.rs");
word!(rlock, "../../sync/src/words/rlock.rs");
word!(semaphore, "../../sync/src/words/semaphore.rs");
inner_word!(tracked, "../../sync/src/words/tracked.rs");
inner_word!(wait, "../../sync/src/words/wait.rs");

#[cfg(test)]
mod barrier_killed;
#[cfg(test)]
mod barrier_live;
#[cfg(test)]
mod barrier_planted;
#[cfg(test)]
mod checked_threads;
#[cfg(test)]
mod condition_killed;
#[cfg(test)]
mod condition_live;
#[cfg(test)]
mod event_killed;
#[cfg(test)]
mod event_live;
#[cfg(test)]
mod handover_killed;
#[cfg(test)]
mod handover_live;
#[cfg(test)]
mod handover_planted;
#[cfg(test)]
mod lock_abandon;
#[cfg(test)]
mod lock_killed;
#[cfg(test)]
mod lock_limit;
#[cfg(test)]
mod lock_live;
#[cfg(test)]
mod lock_planted;
#[cfg(test)]
mod lock_stranger;
#[cfg(test)]
mod lock_suspect;
#[cfg(test)]
mod rlock_killed;
#[cfg(test)]
mod rlock_levels;
#[cfg(test)]
mod semaphore_killed;
#[cfg(test)]
mod semaphore_live;
#[cfg(test)]
mod semaphore_planted;
#[cfg(test)]
mod tracked_killed;
#[cfg(test)]
mod tracked_live;
#[cfg(test)]
mod tracked_planted;
#[cfg(test)]
mod waiting_room;
