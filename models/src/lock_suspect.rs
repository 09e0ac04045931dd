//! The lock that an owner died with: who takes it over dies too, at every step, and the warning
//! outlives everything but a recovery.

use crate::cell::Deadline;
use crate::exclusive::Told;
use crate::kill::{Swept, at_every_step, at_every_two_steps};
use crate::life::{Attachment, Stop, condemn, start};
use crate::room::Room;
use crate::sleepers::Slices;

/// Between the two writes of an owner that nobody disturbs: its third step.
const INSIDE: Stop = Stop { victim: 1, at: 2 };

/// Takes the lock and gives it back without having vouched for anything.
fn look_in(room: &Room, at: &Attachment) {
    room.enter(at, Deadline::Never).expect("no limit, no damage");
    room.leave(at);
}

/// Whoever is stopped, the other takes over; whoever takes over is stopped.
pub(crate) fn both_die(preemptions: usize, slices: Slices) -> Swept {
    at_every_two_steps(Some(preemptions), move |first, second| {
        let room = Room::new(slices);
        condemn(&room, first, Room::use_it);
        condemn(&room, second, Room::use_it);
        start(&room, Room::use_it);
        room.inspect();
    })
}

/// The first death is over when the second victim and the survivor come.
pub(crate) fn one_dies_then_another(slices: Slices) -> Swept {
    at_every_two_steps(Some(2), move |first, second| {
        let room = Room::new(slices);
        condemn(&room, first, Room::use_it);
        room.all_ended();
        condemn(&room, second, Room::use_it);
        start(&room, Room::use_it);
        room.inspect();
    })
}

/// A suspect's holder releases without a recovery, and is killed at every step of that.
pub(crate) fn releases_unvouched(slices: Slices) -> Swept {
    at_every_step(Some(2), move |stop| {
        let room = Room::new(slices);
        condemn(&room, INSIDE, Room::use_it);
        room.all_ended();
        condemn(&room, stop, look_in);
        start(&room, |room, at| {
            look_in(room, at);
            assert_eq!(room.enter(at, Deadline::Never), Ok(Told::OwnerDied));
            room.leave(at);
        });
        room.inspect();
    })
}

#[test]
fn both_of_three_die() {
    both_die(2, Slices::PassAmongMany).expect("both die, slices pass", 20, 24);
    both_die(1, Slices::Hour).expect("both die, slices of an hour", 13, 20);
}

#[test]
fn who_takes_over_dies() {
    one_dies_then_another(Slices::Pass).expect("one, then another; slices pass", 5, 21);
    one_dies_then_another(Slices::Hour).expect("one, then another; slices of an hour", 5, 18);
}

#[test]
fn the_warning_outlives_releases_and_deaths() {
    releases_unvouched(Slices::Pass).expect("unvouched, slices pass", 19, 0);
    releases_unvouched(Slices::Hour).expect("unvouched, slices of an hour", 19, 0);
}
