//! A sample of every sweep: some points of each scenario. `cargo xtask sweep` makes them all.
//!
//! The budget is a minute for all of it together, on two processors at a load of ten. The numbers
//! of points are chosen for that: a scenario costs some 0.4 s of the three sweeps, of which its
//! stages and the run that measures its region take more than its points. Whoever adds scenarios by
//! the dozen looks at the time again.

use crate::support::finds_nothing;

#[test]
fn nothing_is_lost_at_some_points_of_each_scenario() {
    finds_nothing(&["--points", "2"]);
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
