//! The queue among processes that nobody kills: each message comes once, whole and in its order,
//! and nobody is left asleep.

use super::cell::{Deadline, Error};
use super::stream::{Size, Stream};
use crate::kill::{Swept, every_interleaving};
use crate::life::start;
use crate::sleepers::Slices;

/// One puts so many, one gets them, in their order.
pub(super) fn one_to_one(
    preemptions: Option<usize>,
    slices: Slices,
    size: Size,
    count: usize,
) -> Swept {
    every_interleaving(preemptions, move || {
        let stream = Stream::new(slices, size);
        start(&stream, move |stream, at| (0..count).for_each(|number| stream.put(at, number)));
        start(&stream, move |stream, at| {
            (0..count).for_each(|number| assert_eq!(stream.get(at), number, "out of order"));
        });
        stream.inspect();
    })
}

/// Two get one each, one puts two.
pub(super) fn two_get(preemptions: usize, slices: Slices) -> Swept {
    every_interleaving(Some(preemptions), move || {
        let stream = Stream::new(slices, Size::Small);
        (0..2).for_each(|_| start(&stream, |stream: &Stream, at| _ = stream.get(at)));
        start(&stream, |stream: &Stream, at| (0..2).for_each(|number| stream.put(at, number)));
        stream.inspect();
        assert!((0..2).all(|number| stream.ledger.has_had(number)));
    })
}

/// Two put one each, one gets both; there is room for one.
pub(super) fn two_put(preemptions: usize, slices: Slices) -> Swept {
    every_interleaving(Some(preemptions), move || {
        let stream = Stream::new(slices, Size::Large);
        (0..2).for_each(|number| start(&stream, move |stream: &Stream, at| stream.put(at, number)));
        start(&stream, |stream: &Stream, at| (0..2).for_each(|_| _ = stream.get(at)));
        stream.inspect();
    })
}

/// One waits for a message, and the queue is shut, which holds one or none.
pub(super) fn shut_beside_a_getter(preemptions: usize, slices: Slices, put_count: usize) -> Swept {
    every_interleaving(Some(preemptions), move || {
        let stream = Stream::new(slices, Size::Small);
        start(&stream, move |stream: &Stream, at| {
            (0..put_count).for_each(|number| assert_eq!(stream.get(at), number));
            assert_eq!(stream.try_get(at, Deadline::Never), Err(Error::Closed));
        });
        start(&stream, move |stream: &Stream, at| {
            (0..put_count).for_each(|number| stream.put(at, number));
            stream.shut(at);
        });
        stream.inspect();
    })
}

/// One puts and joins, another gets and marks.
pub(super) fn join_beside_a_marker(preemptions: usize, slices: Slices) -> Swept {
    every_interleaving(Some(preemptions), move || {
        let stream = Stream::joinable(slices);
        start(&stream, |stream: &Stream, at| {
            stream.put(at, 0);
            stream.join(at);
            assert!(stream.ledger.has_had(0), "joined before it was done");
        });
        start(&stream, |stream: &Stream, at| {
            stream.get(at);
            stream.mark(at);
        });
        stream.inspect();
    })
}

#[test]
fn one_puts_and_one_gets() {
    one_to_one(Some(3), Slices::Pass, Size::Small, 2).expect("queue: one to one", 0, 0);
    one_to_one(Some(3), Slices::Hour, Size::Small, 2).expect("queue: the same, of an hour", 0, 0);
    one_to_one(Some(2), Slices::Hour, Size::Small, 3).expect("queue: and no room", 0, 0);
    one_to_one(Some(2), Slices::Hour, Size::Large, 2).expect("queue: large ones", 0, 0);
    one_to_one(Some(2), Slices::Pass, Size::Large, 1).expect("queue: a large one", 0, 0);
}

#[test]
fn two_at_one_end() {
    two_get(1, Slices::Hour).expect("queue: two get", 0, 0);
    two_put(1, Slices::Hour).expect("queue: two put", 0, 0);
}

#[test]
fn a_shutdown_and_a_join_keep_nobody_asleep() {
    shut_beside_a_getter(3, Slices::Hour, 0).expect("queue: shut while empty", 0, 0);
    shut_beside_a_getter(2, Slices::Hour, 1).expect("queue: shut with one inside", 0, 0);
    join_beside_a_marker(2, Slices::Hour).expect("queue: join", 0, 0);
}
