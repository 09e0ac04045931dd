//! The queue of one to one, among the living and with an end's owner killed at every step.

use super::canal::Canal;
use crate::fault::Fault;
use crate::kill::{Swept, at_every_step, every_interleaving};
use crate::life::{condemn, start};
use crate::lock_planted::assert_noticed;
use crate::sleepers::Slices::{self, Hour, Pass};

/// One sends so many and leaves; one receives as many.
pub(super) fn one_to_one(preemptions: usize, slices: Slices, count: usize) -> Swept {
    every_interleaving(Some(preemptions), move || {
        let canal = Canal::new(slices);
        start(&canal, move |canal: &Canal, at| canal.send(at, 0..count));
        start(&canal, move |canal: &Canal, at| canal.receive(at, count));
        canal.inspect();
        assert!((0..count).all(|number| canal.ledger.has_had(number)));
    })
}

/// One sends and leaves; one receives up to the end, which comes after all that was sent.
pub(super) fn up_to_the_end(preemptions: usize, slices: Slices) -> Swept {
    every_interleaving(Some(preemptions), move || {
        let canal = Canal::new(slices);
        start(&canal, |canal: &Canal, at| canal.send(at, 0..1));
        start(&canal, |canal: &Canal, at| assert_eq!(canal.receive_all(at), 1, "an early end"));
        canal.inspect();
    })
}

/// The sender dies beside another, who takes its end over; one receives until that one's has come.
pub(super) fn sender_dies(preemptions: usize, slices: Slices) -> Swept {
    at_every_step(Some(preemptions), move |stop| {
        let canal = Canal::new(slices);
        condemn(&canal, stop, |canal: &Canal, at| canal.send(at, 0..1));
        start(&canal, |canal: &Canal, at| canal.send(at, 1..2));
        start(&canal, |canal: &Canal, at| canal.receive_until(at, 1));
        canal.inspect();
    })
}

/// The receiver dies beside another that takes over; one sends two.
pub(super) fn receiver_dies(preemptions: usize, slices: Slices) -> Swept {
    at_every_step(Some(preemptions), move |stop| {
        let canal = Canal::new(slices);
        condemn(&canal, stop, |canal: &Canal, at| canal.receive(at, 1));
        start(&canal, |canal: &Canal, at| _ = canal.receive_all(at));
        start(&canal, |canal: &Canal, at| canal.send(at, 0..2));
        canal.inspect();
    })
}

#[test]
fn one_sends_and_one_receives() {
    one_to_one(2, Hour, 2).expect("one to one: two messages", 0, 0);
    one_to_one(2, Pass, 1).expect("one to one: one, slices pass", 0, 0);
    up_to_the_end(2, Hour).expect("one to one: the end", 0, 0);
}

#[test]
fn an_owner_of_an_end_dies() {
    sender_dies(1, Hour).expect("one to one: a sender dies", 29, 0);
    receiver_dies(0, Hour).expect("one to one: a receiver dies", 28, 0);
}

#[test]
fn planted_faults_are_noticed() {
    let two = || one_to_one(2, Hour, 2);
    for fault in [Fault::WakeForgotten, Fault::SleepWithoutLook] {
        assert_noticed(fault, "deadlock", two);
    }
    assert_noticed(Fault::StoreReleasesNothing, "came twice", two);
    assert_noticed(Fault::NeverDead, "deadlock", || sender_dies(0, Hour));
}
