//! The semaphore among processes that nobody kills: as many are inside as there are units, no unit
//! is lost, and nobody waits for ever while there is one.

use crate::cell::{Deadline, Error};
use crate::kill::{ALL, Swept, every_interleaving};
use crate::life::{Attachment, act_as, start};
use crate::semaphore::Bounded;
use crate::sleepers::Slices;
use crate::yard::{Yard, YardOf};

/// A process an entry, each using a unit so many times.
pub(crate) fn contend(
    preemptions: Option<usize>,
    slices: Slices,
    units: u32,
    uses: &[usize],
) -> Swept {
    let uses = uses.to_vec();
    every_interleaving(preemptions, move || {
        let yard = Yard::new(slices, units);
        for count in uses.clone() {
            start(&yard, move |yard: &Yard, at| (0..count).for_each(|_| yard.use_it(at)));
        }
        yard.inspect();
    })
}

/// One waits with a limit, beside one without and a holder that comes twice: who was woken by its
/// first release may find its second hold, give up, and must not take the wake along.
pub(crate) fn gives_up_beside_a_sleeper(preemptions: usize, slices: Slices) -> Swept {
    every_interleaving(Some(preemptions), move || {
        let yard = Yard::new(slices, 1);
        let holder = Attachment::new(&yard, None);
        act_as(&holder, || {
            yard.take(&holder);
            start(&yard, |yard: &Yard, at| match yard.enter(at, Deadline::FirstSleep) {
                Ok(()) => yard.leave(at),
                Err(error) => assert_eq!(error, Error::TimedOut),
            });
            start(&yard, Yard::take);
            yard.leave(&holder);
            if yard.enter(&holder, Deadline::Passed).is_ok() {
                yard.leave(&holder);
            }
        });
        yard.inspect();
    })
}

/// Two wait; another gives them a unit each, one after the other or both at once.
pub(crate) fn two_are_given_one_each(preemptions: usize, slices: Slices, counts: &[u32]) -> Swept {
    let counts = counts.to_vec();
    every_interleaving(Some(preemptions), move || {
        let (yard, counts) = (Yard::new(slices, 0), counts.clone());
        start(&yard, Yard::take);
        start(&yard, Yard::take);
        start(&yard, move |yard: &Yard, at| {
            counts.iter().for_each(|count| assert_eq!(yard.give(at, *count), Ok(())));
        });
        yard.inspect();
    })
}

/// Who has taken all units sees what came with each.
pub(crate) fn two_give_and_one_takes(preemptions: usize, slices: Slices) -> Swept {
    every_interleaving(Some(preemptions), move || {
        let yard = Yard::new(slices, 0);
        start(&yard, Yard::give_one); // the first slots that nobody kills
        start(&yard, Yard::give_one);
        start(&yard, |yard: &Yard, at| {
            yard.take(at);
            yard.take(at);
            yard.reads(&[2, 3]);
        });
        yard.inspect();
    })
}

/// Two give where one is missing: one of them is refused, unless another takes it in between.
pub(crate) fn over_release(preemptions: usize, slices: Slices) -> Swept {
    every_interleaving(Some(preemptions), move || {
        let yard = YardOf::<Bounded>::new(slices, 1);
        let holder = Attachment::new(&yard, None);
        act_as(&holder, || yard.take(&holder));
        for _ in 0..2 {
            start(&yard, |yard: &YardOf<_>, at| {
                let answer = yard.give(at, 1);
                assert!(matches!(answer, Ok(()) | Err(Error::OverReleased)), "{answer:?}");
            });
        }
        start(&yard, YardOf::take);
        yard.inspect();
    })
}

#[test]
fn two_contend() {
    contend(ALL, Slices::Pass, 1, &[1, 1]).expect("semaphore: two for one, slices pass", 0, 0);
    contend(Some(3), Slices::Hour, 1, &[2, 1]).expect("the same, slices of an hour", 0, 0);
    contend(ALL, Slices::Hour, 2, &[1, 1]).expect("semaphore: two for two", 0, 0);
}

#[test]
fn three_contend() {
    for units in [1, 2] {
        contend(Some(2), Slices::PassAmongMany, units, &[1, 1, 1]).expect(
            "semaphore: three, slices pass",
            0,
            0,
        );
        contend(Some(2), Slices::Hour, units, &[1, 1, 1]).expect(
            "the same, slices of an hour",
            0,
            0,
        );
    }
}

#[test]
fn who_gives_up_keeps_nobody_asleep() {
    gives_up_beside_a_sleeper(2, Slices::PassAmongMany).expect(
        "semaphore: gives up, slices pass",
        0,
        0,
    );
    gives_up_beside_a_sleeper(2, Slices::Hour).expect("the same, slices of an hour", 0, 0);
}

#[test]
fn as_many_are_let_in_as_units_are_given() {
    for counts in [&[1, 1][..], &[2]] {
        two_are_given_one_each(2, Slices::PassAmongMany, counts).expect(
            "semaphore: two are given one each, slices pass",
            0,
            0,
        );
        two_are_given_one_each(2, Slices::Hour, counts).expect("the same, slices of an hour", 0, 0);
    }
}

#[test]
fn a_unit_hands_on_what_came_with_all_before_it() {
    two_give_and_one_takes(3, Slices::PassAmongMany).expect(
        "semaphore: two give, slices pass",
        0,
        0,
    );
    two_give_and_one_takes(3, Slices::Hour).expect("the same, slices of an hour", 0, 0);
}

#[test]
fn no_unit_goes_beyond_the_bound() {
    over_release(3, Slices::PassAmongMany).expect("semaphore: over-released, slices pass", 0, 0);
    over_release(3, Slices::Hour).expect("the same, slices of an hour", 0, 0);
}
