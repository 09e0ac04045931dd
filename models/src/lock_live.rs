//! The lock among processes that nobody kills: one at a time, and nobody waits for ever.

use crate::kill::{ALL, Swept, every_interleaving};
use crate::life::start;
use crate::room::Room;
use crate::sleepers::Slices;

/// A process an entry, each using the room so many times.
pub(crate) fn contend(preemptions: Option<usize>, slices: Slices, uses: &[usize]) -> Swept {
    let uses = uses.to_vec();
    every_interleaving(preemptions, move || {
        let room = Room::new(slices);
        for count in uses.clone() {
            start(&room, move |room, at| (0..count).for_each(|_| room.use_it(at)));
        }
        room.inspect();
    })
}

#[test]
fn two_contend() {
    contend(ALL, Slices::Pass, &[1, 1]).expect("two meet, slices pass", 0, 0);
    contend(ALL, Slices::Hour, &[1, 1]).expect("two meet, slices of an hour", 0, 0);
    contend(ALL, Slices::Pass, &[2, 1]).expect("two contend, slices pass", 0, 0);
    contend(ALL, Slices::Hour, &[2, 1]).expect("two contend, slices of an hour", 0, 0);
}

#[test]
fn three_contend() {
    contend(Some(3), Slices::PassAmongMany, &[1, 1, 1]).expect("three, slices pass", 0, 0);
    contend(Some(3), Slices::Hour, &[1, 1, 1]).expect("three, slices of an hour", 0, 0);
}

#[test]
fn four_contend() {
    contend(Some(2), Slices::Hour, &[1, 1, 1, 1]).expect("four, slices of an hour", 0, 0);
}
