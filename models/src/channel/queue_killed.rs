//! The queue whose users are killed at every step: half a message is seen by nobody, none that was
//! put is lost but with whoever was taking it, none comes twice, and nobody is left asleep; and the
//! faults that its models must notice.

use super::queue_live::{one_to_one, shut_beside_a_getter};
use super::stream::{Size, Stream};
use crate::fault::Fault;
use crate::kill::{Swept, at_every_step, at_every_two_steps};
use crate::life::{Attachment, condemn, start};
use crate::lock_planted::assert_noticed;
use crate::sleepers::Slices::{self, Hour};

/// What a condemned process does with the queue.
type Act = fn(&Stream, &Attachment);

fn put(stream: &Stream, at: &Attachment) {
    stream.put(at, 0);
}

fn put_in_place(stream: &Stream, at: &Attachment) {
    stream.put_in_place(at, 0);
}

fn reserve_and_drop(stream: &Stream, at: &Attachment) {
    stream.reserve_and_drop(at);
}

fn get(stream: &Stream, at: &Attachment) {
    stream.get(at);
}

fn borrow(stream: &Stream, at: &Attachment) {
    stream.borrow(at);
}

/// Who puts dies beside one that puts another, and one that gets until that has come.
pub(super) fn putter_dies(preemptions: usize, slices: Slices, size: Size, act: Act) -> Swept {
    at_every_step(Some(preemptions), move |stop| {
        let stream = Stream::new(slices, size);
        condemn(&stream, stop, act);
        start(&stream, |stream: &Stream, at| stream.put(at, 1));
        start(&stream, |stream: &Stream, at| stream.get_until(at, 1));
        stream.inspect();
    })
}

/// Who gets dies beside another; two are put, so that one is left for that.
pub(super) fn getter_dies(preemptions: usize, slices: Slices, size: Size, act: Act) -> Swept {
    at_every_step(Some(preemptions), move |stop| {
        let stream = Stream::new(slices, size);
        condemn(&stream, stop, act);
        start(&stream, |stream: &Stream, at| _ = stream.get(at));
        start(&stream, |stream: &Stream, at| {
            stream.put(at, 1);
            stream.put(at, 2);
        });
        stream.inspect();
    })
}

/// Who shuts it dies; another shuts it too, beside one that waits for a message.
pub(super) fn shutter_dies(preemptions: usize, slices: Slices) -> Swept {
    at_every_step(Some(preemptions), move |stop| {
        let stream = Stream::new(slices, Size::Small);
        condemn(&stream, stop, Stream::shut);
        start(&stream, Stream::shut);
        start(&stream, |stream: &Stream, at| {
            let told = stream.try_get(at, super::cell::Deadline::Never);
            assert_eq!(told, Err(super::cell::Error::Closed));
        });
        stream.inspect();
    })
}

/// One dies that puts, and one that gets, beside one of each.
pub(super) fn both_die(preemptions: usize, slices: Slices) -> Swept {
    at_every_two_steps(Some(preemptions), move |first, second| {
        let stream = Stream::new(slices, Size::Small);
        condemn(&stream, first, put);
        condemn(&stream, second, get);
        start(&stream, |stream: &Stream, at| {
            stream.put(at, 1);
            stream.put(at, 2);
        });
        start(&stream, |stream: &Stream, at| _ = stream.get(at));
        stream.inspect();
    })
}

#[test]
fn a_putter_dies() {
    putter_dies(1, Hour, Size::Small, put).expect("queue: a putter dies", 12, 0);
    putter_dies(0, Hour, Size::Large, put).expect("queue: a putter of a large one dies", 12, 0);
    putter_dies(1, Hour, Size::Small, put_in_place).expect("queue: who reserved dies", 14, 0);
    putter_dies(1, Hour, Size::Small, reserve_and_drop).expect("queue: who drops dies", 14, 0);
}

#[test]
fn a_getter_dies() {
    getter_dies(1, Hour, Size::Small, get).expect("queue: a getter dies", 49, 0);
    getter_dies(0, Hour, Size::Large, get).expect("queue: a getter of a large one dies", 44, 0);
    getter_dies(0, Hour, Size::Small, borrow).expect("queue: who borrowed dies", 38, 0);
}

#[test]
fn who_shuts_dies() {
    shutter_dies(1, Hour).expect("queue: who shuts dies", 10, 0);
}

#[test]
fn a_putter_and_a_getter_die() {
    both_die(0, Hour).expect("queue: both die", 9, 46);
}

#[test]
fn planted_faults_are_noticed() {
    let two = || one_to_one(Some(2), Hour, Size::Small, 2);
    for fault in [Fault::WakeForgotten, Fault::SleepWithoutLook, Fault::FenceForgotten] {
        assert_noticed(fault, "deadlock", two);
    }
    for fault in [Fault::StoreReleasesNothing, Fault::AcquireForgotten] {
        assert_noticed(fault, "Damaged", two);
    }
    assert_noticed(Fault::WakeForgotten, "deadlock", || shut_beside_a_getter(3, Hour, 0));
    assert_noticed(Fault::NeverDead, "deadlock", || putter_dies(1, Hour, Size::Small, put));
    assert_noticed(Fault::DeadTooEarly, "Damaged", || getter_dies(1, Hour, Size::Large, get));
}
