//! The semaphore whose waiters and releasers are killed at every step: at most the unit that one
//! was taking or giving is lost with it.

use crate::kill::{Swept, at_every_step};
use crate::life::{condemn, start};
use crate::sleepers::Slices;
use crate::yard::Yard;

/// A waiter dies, beside so many others; there is a unit for each, given in so many steps.
pub(crate) fn waiter_dies(
    preemptions: usize,
    slices: Slices,
    waiter_count: usize,
    counts: &'static [u32],
) -> Swept {
    at_every_step(Some(preemptions), move |stop| {
        let yard = Yard::new(slices, 0);
        condemn(&yard, stop, Yard::take);
        (0..waiter_count).for_each(|_| start(&yard, Yard::take));
        start(&yard, |yard: &Yard, at| {
            counts.iter().for_each(|count| assert_eq!(yard.give(at, *count), Ok(())));
        });
        yard.inspect();
    })
}

/// A releaser dies beside another, who gives enough for so many.
pub(crate) fn releaser_dies(preemptions: usize, slices: Slices, waiter_count: u32) -> Swept {
    at_every_step(Some(preemptions), move |stop| {
        let yard = Yard::new(slices, 0);
        condemn(&yard, stop, Yard::give_one);
        (0..waiter_count).for_each(|_| start(&yard, Yard::take));
        start(&yard, move |yard: &Yard, at| {
            assert_eq!(yard.give(at, waiter_count), Ok(()));
        });
        yard.inspect();
    })
}

/// One of three dies that use two units.
pub(crate) fn user_dies(preemptions: usize, slices: Slices) -> Swept {
    at_every_step(Some(preemptions), move |stop| {
        let yard = Yard::new(slices, 2);
        condemn(&yard, stop, Yard::use_it);
        start(&yard, Yard::use_it);
        start(&yard, Yard::use_it);
        yard.inspect();
    })
}

#[test]
fn a_waiter_dies() {
    waiter_dies(1, Slices::PassAmongMany, 1, &[1, 1]).expect(
        "semaphore: waiter dies, slices pass",
        13,
        0,
    );
    waiter_dies(1, Slices::Hour, 1, &[1, 1]).expect("the same, slices of an hour", 13, 0);
    waiter_dies(0, Slices::Hour, 2, &[3]).expect("semaphore: waiter dies beside two", 9, 0);
}

#[test]
fn a_releaser_dies() {
    releaser_dies(2, Slices::PassAmongMany, 1).expect(
        "semaphore: releaser dies, slices pass",
        7,
        0,
    );
    releaser_dies(2, Slices::Hour, 1).expect("the same, slices of an hour", 7, 0);
    releaser_dies(0, Slices::Hour, 2).expect("semaphore: releaser dies beside two", 4, 0);
}

#[test]
fn a_user_dies() {
    user_dies(2, Slices::PassAmongMany).expect("semaphore: user dies, slices pass", 10, 0);
    user_dies(2, Slices::Hour).expect("the same, slices of an hour", 10, 0);
}
