//! Several messages of the queue at once: of a run all are put or none, all that were taken are
//! gone at once, and as many are woken as there are; also when who puts or takes them is killed at
//! a step.

use super::cell::{Deadline, Error};
use super::stream::{Size, Stream};
use crate::fault::Fault;
use crate::kill::{Swept, at_every_step, every_interleaving};
use crate::life::{Attachment, condemn, start};
use crate::lock_planted::assert_noticed;
use crate::sleepers::Slices::{self, Hour, Pass};

fn put_two(stream: &Stream, at: &Attachment) {
    stream.put_many(at, 0..2);
}

fn get_two(stream: &Stream, at: &Attachment) {
    stream.get_two(at);
}

/// One puts two at once, another gets them: whoever sees one sees both.
fn both_at_once(preemptions: usize, slices: Slices) -> Swept {
    every_interleaving(Some(preemptions), move || {
        let stream = Stream::new(slices, Size::Small);
        start(&stream, put_two);
        start(&stream, |stream: &Stream, at| {
            assert_eq!(stream.get_two(at), [0, 1], "one of two that were put at once");
        });
        stream.inspect();
    })
}

/// Two wait for a message each, and two are put at once.
fn two_are_woken(preemptions: usize, slices: Slices) -> Swept {
    every_interleaving(Some(preemptions), move || {
        let stream = Stream::new(slices, Size::Small);
        (0..2).for_each(|_| start(&stream, |stream: &Stream, at| _ = stream.get(at)));
        start(&stream, put_two);
        stream.inspect();
        assert!((0..2).all(|number| stream.ledger.has_had(number)));
    })
}

/// One puts three as there is room for two, another gets two at a time, in their order.
fn three_through_two(preemptions: usize, slices: Slices) -> Swept {
    every_interleaving(Some(preemptions), move || {
        let stream = Stream::new(slices, Size::Small);
        start(&stream, |stream: &Stream, at| stream.put_many(at, 0..3));
        start(&stream, |stream: &Stream, at| {
            let mut next = 0;
            while next < 3 {
                for number in stream.get_two(at) {
                    assert_eq!(number, next, "out of order");
                    next += 1;
                }
            }
        });
        stream.inspect();
    })
}

/// Who puts two at once dies beside one that shuts the queue, and one that gets what there is.
fn putter_of_two_dies(preemptions: usize, slices: Slices) -> Swept {
    at_every_step(Some(preemptions), move |stop| {
        let stream = Stream::new(slices, Size::Small);
        condemn(&stream, stop, put_two);
        start(&stream, Stream::shut);
        start(
            &stream,
            |stream: &Stream, at| {
                while stream.try_get(at, Deadline::Never) != Err(Error::Closed) {}
            },
        );
        stream.inspect();
        let had = [0, 1].map(|number| stream.ledger.has_had(number));
        assert_eq!(had[0], had[1], "one of two that were put at once");
    })
}

/// Who takes two at once dies beside one that gets one; three are put, so that one is left.
fn getter_of_two_dies(preemptions: usize, slices: Slices) -> Swept {
    at_every_step(Some(preemptions), move |stop| {
        let stream = Stream::new(slices, Size::Small);
        condemn(&stream, stop, get_two);
        start(&stream, |stream: &Stream, at| _ = stream.get(at));
        start(&stream, |stream: &Stream, at| stream.put_many(at, 0..3));
        stream.inspect();
    })
}

#[test]
fn runs_among_the_living() {
    both_at_once(3, Pass).expect("queue: two at once", 0, 0);
    both_at_once(3, Hour).expect("queue: two at once, of an hour", 0, 0);
    three_through_two(2, Hour).expect("queue: three through two", 0, 0);
    two_are_woken(1, Hour).expect("queue: two are woken at once", 0, 0);
}

#[test]
fn who_puts_two_at_once_dies() {
    putter_of_two_dies(1, Hour).expect("queue: who puts two at once dies", 15, 0);
}

#[test]
fn who_takes_two_at_once_dies() {
    getter_of_two_dies(0, Hour).expect("queue: who takes two at once dies", 35, 0);
}

#[test]
fn planted_faults_of_runs_are_noticed() {
    let apart = "one of two that were put at once";
    assert_noticed(Fault::RunByTwoStores, apart, || both_at_once(2, Hour));
    assert_noticed(Fault::RunByTwoStores, apart, || putter_of_two_dies(1, Hour));
    assert_noticed(Fault::WakeForgotten, "deadlock", || two_are_woken(1, Hour));
}
