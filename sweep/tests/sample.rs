//! A sample of every sweep: some points of each scenario. `cargo xtask sweep` makes them all.
//!
//! The budget is a minute for all of it together, on two processors at a load of ten. The numbers
//! of points are chosen for that: a scenario costs some 0.4 s of the three sweeps, of which its
//! stages and the run that measures its region take more than its points. Whoever adds scenarios by
//! the dozen looks at the time again.

use purlin_sweep::scenarios;
use purlin_sweep::stage::Sweep;

use crate::support::finds_nothing;

#[test]
fn nothing_is_lost_at_some_points_of_each_scenario() {
    finds_nothing(&["--points", "2"]);
}

/// Some dozen for each: a start makes twenty to forty system calls, and between any two of them
/// something else may go wrong.
#[test]
fn no_start_leaves_anybody_behind_at_some_points_of_each() {
    // shows: process-daemon-dies-with-killed-parent, process-non-daemon-outlives-killed-parent
    let all = scenarios::all();
    let names = all.iter().filter(|one| one.sweep == Sweep::Long).map(|one| one.name);
    finds_nothing(&names.chain(["--points", "24"]).collect::<Vec<_>>());
}

#[test]
fn nothing_is_lost_at_some_pairs_of_points_of_each_scenario() {
    finds_nothing(&["--points", "1", "--second"]);
}

#[test]
fn nothing_is_lost_where_the_victim_stands_still_at_some_points_of_each_scenario() {
    finds_nothing(&["--points", "1", "--pauses"]);
}

#[test]
fn each_primitive_that_is_hammered_stays_whole_while_one_is_killed_after_the_other() {
    finds_nothing(&["--soak", "1"]);
}
