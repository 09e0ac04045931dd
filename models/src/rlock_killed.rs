//! The recursive lock whose holder is killed at every step: at each level, between the word and the
//! depth, and while it gives up what it holds to come back later.

use crate::fault::Fault;
use crate::kill::{Swept, at_every_step, at_every_two_steps};
use crate::life::{condemn, start};
use crate::lock_planted::assert_noticed;
use crate::rlock_levels::{Room, give_up_and_come_back, use_it_deep};
use crate::sleepers::Slices;

pub(crate) fn one_survives(preemptions: Option<usize>, slices: Slices) -> Swept {
    at_every_step(preemptions, move |stop| {
        let room = Room::new(slices);
        condemn(&room, stop, use_it_deep);
        start(&room, use_it_deep);
        room.inspect();
    })
}

/// Two race to take over.
pub(crate) fn two_survive(slices: Slices) -> Swept {
    at_every_step(Some(1), move |stop| {
        let room = Room::new(slices);
        condemn(&room, stop, use_it_deep);
        start(&room, use_it_deep);
        start(&room, Room::use_it);
        room.inspect();
    })
}

/// Dies while it is away with its hold given up, or as it comes back.
pub(crate) fn dies_away(slices: Slices) -> Swept {
    at_every_step(Some(2), move |stop| {
        let room = Room::new(slices);
        condemn(&room, stop, give_up_and_come_back);
        start(&room, use_it_deep);
        room.inspect();
    })
}

/// Whoever is stopped, the other takes over; whoever takes over is stopped.
pub(crate) fn both_die(slices: Slices) -> Swept {
    at_every_two_steps(Some(1), move |first, second| {
        let room = Room::new(slices);
        condemn(&room, first, use_it_deep);
        room.all_ended();
        condemn(&room, second, use_it_deep);
        start(&room, use_it_deep);
        room.inspect();
    })
}

#[test]
fn a_deep_user_dies_beside_one() {
    one_survives(Some(3), Slices::Pass).expect("one survives, slices pass", 29, 0);
    one_survives(Some(3), Slices::Hour).expect("one survives, slices of an hour", 29, 0);
}

#[test]
fn a_deep_user_dies_beside_two() {
    two_survive(Slices::PassAmongMany).expect("two survive, slices pass", 22, 0);
    two_survive(Slices::Hour).expect("two survive, slices of an hour", 22, 0);
}

#[test]
fn who_gave_it_up_from_within_dies() {
    dies_away(Slices::Pass).expect("dies away, slices pass", 32, 0);
    dies_away(Slices::Hour).expect("dies away, slices of an hour", 32, 0);
}

#[test]
fn who_takes_over_deep_dies() {
    both_die(Slices::Pass).expect("both die, slices pass", 19, 32);
    both_die(Slices::Hour).expect("both die, slices of an hour", 19, 32);
}

#[test]
fn a_dead_holders_depth_that_is_kept_is_noticed() {
    assert_noticed(Fault::DepthKeptAtTakeover, "level", || one_survives(Some(1), Slices::Pass));
    assert_noticed(Fault::DepthKeptAtTakeover, "level", || two_survive(Slices::PassAmongMany));
}
