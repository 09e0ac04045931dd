//! The condition among processes that nobody kills: no notify is lost on the way to who sleeps, and
//! none is swallowed by who gives up.

use crate::fault::Fault;
use crate::kill::{Swept, every_interleaving};
use crate::life::start;
use crate::lock_planted::assert_noticed;
use crate::sleepers::Slices;
use crate::waiting_room::WaitingRoom;

pub(crate) fn one_waits(preemptions: Option<usize>, slices: Slices) -> Swept {
    every_interleaving(preemptions, move || {
        let hall = WaitingRoom::new(slices);
        start(&hall, WaitingRoom::attend);
        start(&hall, WaitingRoom::prepare);
        hall.inspect();
    })
}

pub(crate) fn one_gives_up(preemptions: usize, slices: Slices) -> Swept {
    every_interleaving(Some(preemptions), move || {
        let hall = WaitingRoom::new(slices);
        start(&hall, WaitingRoom::attend_for_a_while);
        start(&hall, WaitingRoom::attend);
        start(&hall, WaitingRoom::prepare);
        hall.inspect();
    })
}

#[test]
fn who_waits_is_notified() {
    one_waits(Some(3), Slices::Pass).expect("one waits, slices pass", 0, 0);
    one_waits(Some(3), Slices::Hour).expect("one waits, slices of an hour", 0, 0);
}

#[test]
fn who_gives_up_swallows_no_notify() {
    one_gives_up(1, Slices::PassAmongMany).expect("one gives up, slices pass", 0, 0);
    one_gives_up(1, Slices::Hour).expect("one gives up, slices of an hour", 0, 0);
}

#[test]
fn a_wake_that_is_forgotten_is_noticed() {
    for fault in [Fault::WakeForgotten, Fault::SleepWithoutLook] {
        assert_noticed(fault, "deadlock", || one_waits(Some(2), Slices::Hour));
    }
}
