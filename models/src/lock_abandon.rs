//! The lock whose holder drops its last handle, and is killed at every step of that too.

use crate::cell::Deadline;
use crate::kill::{ALL, Swept, at_every_step};
use crate::life::{Attachment, condemn, start};
use crate::room::Room;
use crate::sleepers::Slices;

fn enter_and_abandon(room: &Room, at: &Attachment) {
    room.enter(at, Deadline::Never).expect("no limit, no damage");
    room.abandon(at);
}

pub(crate) fn beside_one(slices: Slices) -> Swept {
    at_every_step(ALL, move |stop| {
        let room = Room::new(slices);
        condemn(&room, stop, enter_and_abandon);
        start(&room, Room::use_it);
        room.inspect();
    })
}

pub(crate) fn beside_two(slices: Slices) -> Swept {
    at_every_step(Some(2), move |stop| {
        let room = Room::new(slices);
        condemn(&room, stop, enter_and_abandon);
        start(&room, Room::use_it);
        start(&room, Room::use_it);
        room.inspect();
    })
}

#[test]
fn a_holder_gives_up_beside_one() {
    beside_one(Slices::Pass).expect("abandons beside one, slices pass", 12, 0);
    beside_one(Slices::Hour).expect("abandons beside one, slices of an hour", 12, 0);
}

#[test]
fn a_holder_gives_up_beside_two() {
    beside_two(Slices::PassAmongMany).expect("abandons beside two, slices pass", 12, 0);
    beside_two(Slices::Hour).expect("abandons beside two, slices of an hour", 12, 0);
}
