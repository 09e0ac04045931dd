//! The words of `purlin-sync`, and upon them those of the queues of `purlin-channel` and of a
//! worker's mailbox of `purlin-pool`, run in every interleaving that loom knows, with a kill at
//! every step.
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
//! which loom finds. So has the clock that a barrier reads: nothing that ran is long ago until a
//! death can be seen, or everything is. What is asserted in each interleaving: one holder at a
//! time, what it reads is ordered after what was written, it is told of a death exactly when an
//! owner died and nobody has vouched since, nobody passes a barrier with one that was seen dead
//! before, and everybody alive comes to an end.
//!
//! Each fault in `fault` is planted beneath the words, and the model named in `lock_planted`,
//! `handover_planted`, `semaphore_planted`, `tracked_planted` or `barrier_planted`, or beside the
//! models of the other words, fails by it, with the message that it should have.
//!
//! # What was counted
//! With loom 0.7.2, slices passing and of an hour; *bound* is the most switches away from a thread
//! that could go on, *steps* at how many its victims were killed. The uncontended round is four
//! steps (take, write, write, give back) and five places to be killed at. All of it takes
//! about two minutes on one core of an x86-64 virtual machine, optimized as the tests build it.
//!
//! | model | bound | steps | interleavings |
//! |---|---|---|---|
//! | two contend, three uses | none | | 2 427 and 5 705 |
//! | three contend; four | 3; 2 | | 3 755 and 3 567; 3 196 |
//! | tries beside a holder | none | | 1 034 and 1 629 |
//! | one gives up beside a sleeper and a holder | 3 | | 12 473 and 16 832 |
//! | a stranger releases, recovers, abandons | none | | 256 and 334 |
//! | a user dies beside one | none | 15 | 1 167 and 1 144 |
//! | the same, seen by the second opinion only | none | 21 | 2 387 |
//! | a user dies beside two | 2 | 15 | 7 266 and 7 646 |
//! | a waiter dies beside a holder and a waiter | 2 | 21 | 4 178 and 4 300 |
//! | two of three die, all at once | 2 and 1 | 20 × 24 and 13 × 20 | 156 284 and 5 459 |
//! | one dies, then who takes over beside a third | 2 | 5 × 21 and 5 × 18 | 17 895 and 12 783 |
//! | a suspect released unvouched, its holder dies | 2 | 19 | 8 000 and 7 656 |
//! | a holder abandons beside one; beside two | none; 2 | 12 | 2 984 and 3 151; 18 594 and 16 899 |
//! | handed over: the holder comes back, beside a third | 2 | | 6 458 and 6 290 |
//! | two strangers release one hold | none | | 78 |
//! | a stranger and the holder's guard end one hold | 3 | | 58 and 58 |
//! | the holder dies: working, amid a stranger's release | 3 | 7 | 180 |
//! | the same beside one that takes over | 2 | 14 | 9 764 and 11 554 |
//! | one of two releasers dies | none | 7 | 564 |
//! | a dead owner's is released, its releaser dies | none | 6 | 7 |
//! | the same beside one that takes over | none | 7 | 6 715 and 6 715 |
//! | the holder dies, and its releaser | 2 | 7 × 7 | 463 |
//! | condition: one waits, another notifies | 3 | | 1 539 and 1 105 |
//! | condition: the same, and one gives up | 1 | | 8 462 and 435 |
//! | condition: a waiter dies beside another and a notifier | 1 | 38 | 42 338 |
//! | condition: a notifier dies beside another and a waiter | 1 | 12 | 4 093 and 1 098 |
//! | checked: two threads of one process beside another | 2 | | 3 115 and 2 713 |
//! | checked: a thread and a process are refused | 3 | | 3 440 and 3 440 |
//! | checked: a process dies beside two threads | 1 | 14 | 1 617 and 1 517 |
//! | checked: another thread drops the last handle | none | | 56 and 86 |
//! | recursive: two at two levels; three | none; 2 | | 1 239 and 2 425; 4 272 and 3 366 |
//! | recursive: two threads of one process beside another | 2 | | 2 141 and 2 015 |
//! | recursive: one gives it up from within and comes back | 3 | | 874 and 720 |
//! | recursive: a thread and a process are refused | 2 | | 2 559 and 2 559 |
//! | recursive: another thread drops the last handle | none | | 19 and 27 |
//! | recursive: a deep user dies beside one | 3 | 29 | 5 926 and 4 981 |
//! | recursive: a deep user dies beside two | 1 | 22 | 4 336 and 4 428 |
//! | recursive: one dies that gave it up from within | 2 | 32 | 5 814 and 5 614 |
//! | recursive: one dies, then who takes over beside a third | 1 | 19 × 32 | 14 404 and 13 572 |
//! | event: one sets, one waits; two; three | none; 3; 1 | | 35 and 43; 4 362 and 6 791; 11 752 |
//! | event: set, and cleared at once, while one sleeps; two | 3 | | 48; 8 516 |
//! | event: two set; one waits, clears, and looks | 2 | | 3 729 and 4 447 |
//! | event: one gives up beside a sleeper and a setter | 3 | | 3 988 and 14 648 |
//! | event: a setter dies beside another; two wait | 3; 1 | 5 | 7 958 and 10 934; 10 008 |
//! | event: a waiter dies beside another and a setter | 2 | 7 | 7 178 and 10 156 |
//! | event: a setter and a waiter die beside one of each | 1 | 5 × 10 | 69 898 |
//! | semaphore: two for one unit, three uses; two for two | none, 3; none | | 113 and 585; 101 |
//! | semaphore: three for one unit; for two | 2 | | 6 582 and 6 864; 1 393 and 1 399 |
//! | semaphore: one gives up beside a sleeper and a holder | 2 | | 30 366 and 40 933 |
//! | semaphore: two are given one each, one by one | 2 | | 24 939 and 25 463 |
//! | semaphore: two are given one each, at once | 2 | | 5 172 and 11 567 |
//! | semaphore: two give, one takes both and reads | 3 | | 4 685 and 6 120 |
//! | semaphore: two give where one is missing, one takes | 3 | | 3 022 and 4 211 |
//! | semaphore: a waiter dies beside another; two | 1; 0 | 13; 9 | 26 746 and 24 186; 29 880 |
//! | semaphore: a releaser dies beside another; two wait | 2; 0 | 7; 4 | 3 374 and 3 844; 1 388 |
//! | semaphore: one of three that use two units dies | 2 | 10 | 10 308 and 10 398 |
//! | tracked: two for one unit; two for two | none | | 544 and 1 117; 16 |
//! | tracked: three for one unit; for two | 3 | | 13 839 and 14 085; 2 337 and 3 253 |
//! | tracked: three for two, which look for theirs | 2 | | 355 and 441 |
//! | tracked: one gives up beside a sleeper and a holder | 2 and 3 | | 1 003 and 40 878 |
//! | tracked: two wait for two, given back one by one | 2 and 3 | | 1 088 and 20 285 |
//! | tracked: two wait for two, given back at once | 2 and 3 | | 1 218 and 19 135 |
//! | tracked: one drops its last handle beside one; two | none; 3 | | 544 and 1 117; 14 766 |
//! | tracked: an owner dies beside one | 3 | 18 | 2 273 and 1 986 |
//! | tracked: an owner dies beside two | 2 | 18 | 14 949 and 16 935 |
//! | tracked: the same with two units | 2 | 15 | 6 480 and 7 306 |
//! | tracked: one dies, then another beside a third | 2 | 5 × 20 | 27 404 |
//! | tracked: a waiter dies beside a holder of one unit; two | 2 | 24; 25 | 14 333; 29 562 |
//! | tracked: one with a limit dies beside a holder | 2 | 19 | 9 746 |
//! | tracked: who releases two dies, one waits; two | 2; 1 | 9 | 1 790; 18 466 |
//! | tracked: one dies amid dropping its last handle | 3 | 18 | 2 279 and 1 992 |
//! | barrier: two meet; again | 3; 2 | | 410 and 189; 7 121 |
//! | barrier: one has no patience; little | 3 | | 340 and 585; 719 and 2 627 |
//! | barrier: a third aborts | 2 | | 19 267 and 12 795 |
//! | barrier: broken and reset after it; before a party looks | 2; 3 | | 730; 1 407 and 2 542 |
//! | barrier: with an action | 2 | | 341 and 62 |
//! | barrier: another comes amid the action; gives up | 3 | | 1 683 and 3 386; 2 804 |
//! | barrier: one of two parties dies | 3 | 29 and 28 | 11 185 and 5 877 |
//! | barrier: the same among the slow | 3 | 33 | 11 700 and 6 178 |
//! | barrier: the same, and two others meet | 1 | 24 | 5 326 |
//! | barrier: the same with an action | 2 and 3 | 37 and 31 | 8 574 and 6 613 |
//! | barrier: the only party dies beside a newcomer, with an action | 2 | 38 | 11 689 and 21 552 |
//! | barrier: two of three parties die | 0 | 25 × 31 | 9 461 |
//! | barrier: who resets dies beside two | 0 | 14 | 376 |
//! | barrier: one dies, then who mends | 1 | 22 × 38 | 559 |
//! | barrier: a member dies, then two meet | 2 | 1 | 2 808 |
//! | queue: one puts two, one gets them; three, room for two | 3; 2 | | 4 890 and 4 074; 19 200 |
//! | queue: one large; two large ones, room for one | 2 | | 256; 21 629 |
//! | queue: two get one each; two put one each, room for one | 1 | | 469; 10 414 |
//! | queue: shut beside a getter; with a message inside | 3; 2 | | 67; 269 |
//! | queue: who put joins beside one that marks | 2 | | 546 |
//! | queue: a putter dies beside another and a getter; of a large one | 1; 0 | 12 | 2 261; 293 |
//! | queue: who reserved dies, amid a commit; amid a drop | 1 | 14 | 4 678; 3 778 |
//! | queue: a getter dies beside another and a putter; large | 1; 0 | 48; 44 | 13 976; 208 |
//! | queue: who borrowed dies beside a getter and a putter | 0 | 38 | 78 |
//! | queue: who shuts dies beside another and a getter | 1 | 10 | 720 |
//! | queue: a putter and a getter die beside one of each | 0 | 9 × 46 | 4 816 |
//! | queue: two put at once, one gets both; three through two | 3; 2 | | 101 and 69; 683 |
//! | queue: two sleep, and two are put at once | 1 | | 260 |
//! | queue: who puts two at once dies, one shuts it, one gets | 1 | 15 | 1 948 |
//! | queue: who takes two at once dies beside a getter and a putter | 0 | 35 | 392 |
//! | one to one: two messages, room for one; one; up to the end | 2 | | 4 422; 211; 545 |
//! | one to one: a sender dies beside another and a receiver | 1 | 29 | 15 917 |
//! | one to one: a receiver dies beside another and a sender | 0 | 28 | 744 |
//! | mailbox: a task; two; three, in two slots | 3; 2; 1 | | 2 754; 6 692; 3 392 |
//! | mailbox: a task, slices passing; one of two is taken back | 2 | | 1 019; 1 273 |
//! | mailbox: a worker with a task dies; with two | 2; 1 | 33; 52 | 6 475; 8 370 |
//!
//! Run once more deeply: *semaphore: one gives up* of an hour with bound 3, 369 276 interleavings;
//! *condition: a notifier dies* with bound 2, 24 steps in 132 204 interleavings with slices passing
//! and 22 in 51 193 of an hour. The condition's waiter dies in slices of an hour only: with slices
//! that pass, and a bound of 0, it did not come to an end within a minute.
//!
//! # What this crate does not do
//! * Model the pages of an unbounded queue, nor barriers that a sleeper makes in others
//!   (`membarrier(2)`): the fences are there.
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
mod channel;
#[cfg(test)]
mod fault;
#[cfg(test)]
mod hall;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod life;
#[cfg(test)]
mod pool;
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
word!(event_count, "../../sync/src/words/event_count.rs");
word!(exclusive, "../../sync/src/words/exclusive.rs");
word!(handover, "../../sync/src/words/handover.rs");
word!(inner, "../../sync/src/words/inner.rs");
word!(lock, "../../sync/src/words/lock.rs");
word!(rlock, "../../sync/src/words/rlock.rs");
word!(semaphore, "../../sync/src/words/semaphore.rs");
inner_word!(tracked, "../../sync/src/words/tracked.rs");
word!(wait, "../../sync/src/words/wait.rs");

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
