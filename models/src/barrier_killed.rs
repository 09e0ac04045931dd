//! The barrier whose parties, breakers and menders are killed at every step: nobody who lives waits
//! for the dead, or passes with one that never came.

use std::rc::Rc;

use crate::cell::{Deadline, Error};
use crate::hall::{Hall, condemn, start, start_as};
use crate::kill::{Swept, at_every_step, at_every_two_steps};
use crate::life::Attachment;
use crate::sleepers::Slices;

/// The first condemned and the first that lives.
const BOTH: &[usize] = &[0, 2];

/// Comes, and if nobody kills it, frees who may come later.
fn come_and_abort(hall: &Hall, at: &Attachment) {
    let _ = hall.come(at, Deadline::Never);
    assert_eq!(hall.words().abort(), Ok(()));
}

fn reset_and_abort(hall: &Hall, at: &Attachment) {
    let _ = hall.words().reset(at);
    assert_eq!(hall.words().abort(), Ok(()));
}

fn come(hall: &Hall, at: &Attachment) {
    let _ = hall.come(at, Deadline::Never);
}

fn act(hall: &Hall, at: &Attachment) {
    let _ = hall.come_and_act(at, Deadline::Never);
}

/// One of the two parties is killed: before it came, asleep, as the last one before the round is
/// complete or after, or while it leaves.
pub(crate) fn a_party_dies(preemptions: usize, slices: Slices) -> Swept {
    a_party_dies_in(Hall::with_roster, preemptions, slices)
}

/// Where the last to come finds that the others came just now, or long ago.
fn a_party_dies_in(
    hall: fn(Slices, &'static [usize]) -> Rc<Hall>,
    preemptions: usize,
    slices: Slices,
) -> Swept {
    at_every_step(Some(preemptions), move |stop| {
        let hall = hall(slices, BOTH);
        condemn(&hall, stop, come);
        start(&hall, come);
        hall.all_ended();
        hall.agreed();
        hall.inspect();
    })
}

/// The same with an action, which runs once, or for nobody that lives.
pub(crate) fn a_runner_dies(preemptions: usize, slices: Slices) -> Swept {
    at_every_step(Some(preemptions), move |stop| {
        let hall = Hall::with_roster(slices, BOTH);
        condemn(&hall, stop, act);
        start(&hall, act);
        hall.all_ended();
        hall.agreed();
        assert!(hall.action_runs() <= 1);
        hall.inspect();
    })
}

/// The only party is killed in its action, or elsewhere, when another comes.
pub(crate) fn a_runner_dies_beside_a_newcomer(preemptions: usize, slices: Slices) -> Swept {
    at_every_step(Some(preemptions), move |stop| {
        let hall = Hall::without_supervisor(slices, 1);
        condemn(&hall, stop, act);
        start(&hall, |hall, at| {
            if hall.come_and_act(at, Deadline::Never).is_err() {
                assert_eq!(hall.words().reset(at), Ok(()));
                assert_eq!(hall.come_and_act(at, Deadline::Never), Ok(0));
            }
        });
        hall.inspect();
    })
}

/// Two of three parties are killed.
pub(crate) fn two_of_three_die(preemptions: usize, slices: Slices) -> Swept {
    at_every_two_steps(Some(preemptions), move |first, second| {
        let hall = Hall::with_roster(slices, &[0, 1, 2]);
        condemn(&hall, first, come);
        condemn(&hall, second, come);
        start(&hall, come);
        hall.all_ended();
        hall.agreed();
        hall.inspect();
    })
}

/// One of the two parties is killed, and then two others meet.
pub(crate) fn a_party_dies_and_others_meet(slices: Slices) -> Swept {
    at_every_step(Some(1), move |stop| {
        let hall = Hall::with_roster(slices, BOTH);
        condemn(&hall, stop, come_and_abort);
        start(&hall, come);
        hall.inspect_and_meet();
    })
}

/// Who resets is killed while two meet.
pub(crate) fn a_mender_dies_beside_two(preemptions: usize, slices: Slices) -> Swept {
    at_every_step(Some(preemptions), move |stop| {
        let hall = Hall::new(slices, 2);
        let mender = Attachment::new(&hall, Some(stop));
        hall.make_member(&mender, 1);
        start_as(&hall, &mender, reset_and_abort);
        start(&hall, come);
        start(&hall, come);
        hall.all_ended();
        hall.agreed(); // of one round or of two, of which the second was broken
        hall.inspect();
    })
}

/// A member dies that never came, and then as many meet as there are parties, quickly.
pub(crate) fn a_member_dies_before_two_meet(slices: Slices) -> Swept {
    at_every_step(Some(2), move |stop| {
        let hall = Hall::new(slices, 2);
        let member = Attachment::new(&hall, Some(stop));
        hall.make_member(&member, 0);
        start_as(&hall, &member, |_, _| ());
        hall.all_ended();
        for _ in 0..2 {
            start(&hall, |hall, at| {
                let answer = hall.come(at, Deadline::Never);
                assert_eq!(answer.is_err(), hall.is_seen_dead(0), "a dead member is missed");
            });
        }
        hall.all_ended();
        hall.agreed();
        hall.inspect();
    })
}

/// The first death is over when the second victim comes, and mends what it finds.
pub(crate) fn one_dies_then_a_mender(slices: Slices) -> Swept {
    at_every_two_steps(Some(1), move |first, second| {
        let hall = Hall::new(slices, 2);
        condemn(&hall, first, |hall, at| {
            assert!(hall.come(at, Deadline::FirstSleep).is_err(), "it is alone");
            assert_eq!(hall.words().abort(), Ok(()));
        });
        hall.all_ended();
        condemn(&hall, second, |hall, at| {
            if hall.come(at, Deadline::Passed) == Err(Error::BarrierBroken) {
                let _ = hall.words().reset(at);
            }
            assert_eq!(hall.words().abort(), Ok(()));
        });
        hall.all_ended();
        start(&hall, |hall, at| {
            assert!(hall.come(at, Deadline::Passed).is_err());
            assert_eq!(hall.words().reset(at), Ok(()));
        });
        hall.inspect();
    })
}

#[test]
fn a_party_is_killed() {
    a_party_dies(3, Slices::Pass).expect("barrier: a party dies, slices pass", 29, 0);
    a_party_dies(3, Slices::Hour).expect("the same, slices of an hour", 28, 0);
}

#[test]
fn a_party_is_killed_among_the_slow() {
    let swept = |slices| a_party_dies_in(Hall::of_the_slow, 3, slices);
    swept(Slices::Pass).expect("barrier: a slow party dies, slices pass", 33, 0);
    swept(Slices::Hour).expect("the same, slices of an hour", 33, 0);
}

#[test]
fn who_runs_the_action_is_killed() {
    a_runner_dies(2, Slices::Pass).expect("barrier: a runner dies, slices pass", 37, 0);
    a_runner_dies(3, Slices::Hour).expect("the same, slices of an hour", 31, 0);
}

#[test]
fn who_runs_the_action_is_killed_beside_a_newcomer() {
    let swept = a_runner_dies_beside_a_newcomer(2, Slices::Pass);
    swept.expect("barrier: a runner dies beside a newcomer, slices pass", 38, 0);
    let swept = a_runner_dies_beside_a_newcomer(2, Slices::Hour);
    swept.expect("the same, slices of an hour", 38, 0);
}

#[test]
fn two_of_three_are_killed() {
    two_of_three_die(0, Slices::Hour).expect("barrier: two of three die", 25, 31);
}

#[test]
fn a_party_is_killed_and_others_meet() {
    let swept = a_party_dies_and_others_meet(Slices::Hour);
    swept.expect("barrier: a party dies, and others meet", 24, 0);
}

#[test]
fn who_resets_is_killed_beside_two() {
    a_mender_dies_beside_two(0, Slices::Hour).expect("barrier: a mender dies beside two", 14, 0);
}

#[test]
fn one_is_killed_and_then_who_mends() {
    one_dies_then_a_mender(Slices::Hour).expect("barrier: one dies, then a mender", 22, 38);
}

#[test]
fn a_member_is_killed_before_two_meet() {
    let swept = a_member_dies_before_two_meet(Slices::Hour);
    swept.expect("barrier: a member dies, and two meet", 1, 0);
}
