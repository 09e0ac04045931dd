//! The lock whose user is killed at every step: while it comes, while it waits, inside, and while
//! it leaves.

use crate::cell::Deadline;
use crate::kill::{ALL, Swept, at_every_step};
use crate::life::{Attachment, World, act_as, condemn, start};
use crate::room::Room;
use crate::sleepers::Slices;

pub(crate) fn one_survives(slices: Slices) -> Swept {
    at_every_step(ALL, move |stop| {
        let room = Room::new(slices);
        condemn(&room, stop, Room::use_it);
        start(&room, Room::use_it);
        room.inspect();
    })
}

/// Only the second opinion knows of the death, which is asked for after a slice.
pub(crate) fn one_survives_by_the_second_opinion() -> Swept {
    at_every_step(ALL, |stop| {
        let room = Room::in_world(World::with_bytes_kept(Slices::Pass));
        condemn(&room, stop, Room::use_it);
        start(&room, Room::use_it);
        room.all_ended();
    })
}

/// Two race to take over.
pub(crate) fn two_survive(preemptions: usize, slices: Slices) -> Swept {
    at_every_step(Some(preemptions), move |stop| {
        let room = Room::new(slices);
        condemn(&room, stop, Room::use_it);
        start(&room, Room::use_it);
        start(&room, Room::use_it);
        room.inspect();
    })
}

/// The lock is held when the victim comes, and another waits beside it.
pub(crate) fn waiter_dies(preemptions: usize, slices: Slices) -> Swept {
    at_every_step(Some(preemptions), move |stop| {
        let room = Room::new(slices);
        let holder = Attachment::new(&room, None);
        act_as(&holder, || {
            let told = room.enter(&holder, Deadline::Never).expect("it is free");
            condemn(&room, stop, Room::use_it);
            start(&room, Room::use_it);
            room.go_on(&holder, told);
        });
        room.inspect();
    })
}

#[test]
fn a_user_dies_beside_one() {
    one_survives(Slices::Pass).expect("one survives, slices pass", 15, 0);
    one_survives(Slices::Hour).expect("one survives, slices of an hour", 15, 0);
}

#[test]
fn a_user_dies_beside_one_and_only_the_second_opinion_knows() {
    one_survives_by_the_second_opinion().expect("one survives, second opinion", 21, 0);
}

#[test]
fn a_user_dies_beside_two() {
    two_survive(2, Slices::PassAmongMany).expect("two survive, slices pass", 15, 0);
    two_survive(2, Slices::Hour).expect("two survive, slices of an hour", 15, 0);
}

#[test]
fn a_waiter_dies_beside_a_holder_and_a_waiter() {
    waiter_dies(2, Slices::PassAmongMany).expect("waiter dies, slices pass", 21, 0);
    waiter_dies(2, Slices::Hour).expect("waiter dies, slices of an hour", 21, 0);
}
