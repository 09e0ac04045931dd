//! The lock and its limits: a try never waits, and who gives up leaves the wake to those who stay.

use crate::cell::{Deadline, Error};
use crate::kill::{ALL, Swept, every_interleaving};
use crate::life::{Attachment, start};
use crate::room::Room;
use crate::sleepers::Slices;

fn enter_or_give_up(room: &Room, at: &Attachment, deadline: Deadline) {
    match room.enter(at, deadline) {
        Ok(told) => room.go_on(at, told),
        Err(error) => {
            assert_eq!(error, Error::TimedOut);
            assert!(!room.word.is_mine(at));
        }
    }
}

pub(crate) fn tries_beside_a_holder(slices: Slices) -> Swept {
    every_interleaving(ALL, move || {
        let room = Room::new(slices);
        start(&room, Room::use_it);
        start(&room, |room, at| {
            for _ in 0..2 {
                enter_or_give_up(room, at, Deadline::Passed);
            }
        });
        room.inspect();
    })
}

/// The holder comes twice: who was woken by its first release may find its second hold, give up,
/// and must not take the wake along.
pub(crate) fn gives_up_beside_a_sleeper(slices: Slices) -> Swept {
    every_interleaving(Some(3), move || {
        let room = Room::new(slices);
        start(&room, |room, at| (0..2).for_each(|_| room.use_it(at)));
        start(&room, |room, at| enter_or_give_up(room, at, Deadline::FirstSleep));
        start(&room, Room::use_it);
        room.inspect();
    })
}

#[test]
fn a_try_enters_or_gives_up() {
    tries_beside_a_holder(Slices::Pass).expect("tries, slices pass", 0, 0);
    tries_beside_a_holder(Slices::Hour).expect("tries, slices of an hour", 0, 0);
}

#[test]
fn who_gives_up_swallows_no_wake() {
    gives_up_beside_a_sleeper(Slices::PassAmongMany).expect("gives up, slices pass", 0, 0);
    gives_up_beside_a_sleeper(Slices::Hour).expect("gives up, slices of an hour", 0, 0);
}
