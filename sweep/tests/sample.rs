//! A sample of every sweep: some points of each scenario. `cargo xtask sweep` makes them all.

use crate::support::finds_nothing;

#[test]
fn nothing_is_lost_at_some_points_of_each_scenario() {
    finds_nothing(&["--points", "20"]);
}

#[test]
fn nothing_is_lost_at_some_pairs_of_points_of_each_scenario() {
    finds_nothing(&["--points", "4", "--second"]);
}
