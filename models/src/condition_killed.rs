//! The condition whose waiters and notifiers are killed at every step: a notify that was for the
//! dead is another's, and nobody alive waits for one that the dead owed.

use crate::fault::Fault;
use crate::kill::{Swept, at_every_step};
use crate::life::{condemn, start};
use crate::lock_planted::assert_noticed;
use crate::sleepers::Slices;
use crate::waiting_room::WaitingRoom;

/// One that waits dies: while it writes down that it waits, asleep, notified, or while it passes
/// the news on. Another waits, too.
pub(crate) fn waiter_dies(preemptions: usize, slices: Slices) -> Swept {
    at_every_step(Some(preemptions), move |stop| {
        let room = WaitingRoom::new(slices);
        condemn(&room, stop, WaitingRoom::attend);
        start(&room, WaitingRoom::attend);
        start(&room, WaitingRoom::prepare);
        room.inspect();
    })
}

/// One that notifies dies: before it has made anything ready, amid its notify, or after. Another
/// does the same.
pub(crate) fn notifier_dies(preemptions: usize, slices: Slices) -> Swept {
    at_every_step(Some(preemptions), move |stop| {
        let room = WaitingRoom::new(slices);
        condemn(&room, stop, WaitingRoom::prepare);
        start(&room, WaitingRoom::attend);
        start(&room, WaitingRoom::prepare);
        room.inspect();
    })
}

#[test]
fn a_waiter_dies() {
    waiter_dies(1, Slices::Hour).expect("condition: waiter dies", 38, 0);
}

#[test]
fn a_notifier_dies() {
    notifier_dies(1, Slices::PassAmongMany).expect("condition: notifier dies, slices pass", 12, 0);
    notifier_dies(1, Slices::Hour).expect("the same, slices of an hour", 12, 0);
}

#[test]
fn a_death_that_nobody_sees_is_noticed() {
    assert_noticed(Fault::NeverDead, "deadlock", || waiter_dies(0, Slices::Hour));
    assert_noticed(Fault::NeverDead, "deadlock", || notifier_dies(1, Slices::Hour));
}
