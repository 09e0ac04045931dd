//! The barrier whose parties, breakers and menders are killed at every step: nobody who lives waits
//! for the dead, or passes with one that never came.

use crate::cell::{Deadline, Error};
use crate::hall::{Hall, condemn, start, start_as};
use crate::kill::{Swept, at_every_step, at_every_two_steps};
use crate::life::Attachment;
use crate::sleepers::Slices;

/// The first condemned and the first that lives.
const BOTH: &[usize] = &[0, 2];
const ALL_THREE: &[usize] = &[0, 2, 3];

/// Comes, and if nobody kills it, frees who may come later.
fn come_and_abort(hall: &Hall, at: &Attachment) {
    let _ = hall.come(at, Deadline::Never);
    assert_eq!(hall.words().abort(), Ok(()));
}

fn act_and_abort(hall: &Hall, at: &Attachment) {
    let _ = hall.come_and_act(at, Deadline::Never);
    assert_eq!(hall.words().abort(), Ok(()));
}

fn reset_and_abort(hall: &Hall, at: &Attachment) {
    let _ = hall.words().reset(at);
    assert_eq!(hall.words().abort(), Ok(()));
}

fn come(hall: &Hall, at: &Attachment) {
    let _ = hall.come(at, Deadline::Never);
}

/// Comes, and mends what it finds broken; frees who may have come after that.
fn come_and_reset(hall: &Hall, at: &Attachment) {
    if hall.come(at, Deadline::Never) == Err(Error::BarrierBroken) {
        assert_eq!(hall.words().reset(at), Ok(()));
    }
    assert_eq!(hall.words().abort(), Ok(()));
}

/// One of the two parties is killed.
pub(crate) fn a_party_dies(slices: Slices) -> Swept {
    at_every_step(Some(2), move |stop| {
        let hall = Hall::with_roster(slices, BOTH);
        condemn(&hall, stop, come_and_abort);
        start(&hall, come);
        hall.all_ended();
        hall.agreed();
        hall.inspect();
    })
}

/// The same, and then two others meet.
pub(crate) fn a_party_dies_and_others_meet(slices: Slices) -> Swept {
    at_every_step(Some(1), move |stop| {
        let hall = Hall::with_roster(slices, BOTH);
        condemn(&hall, stop, come_and_abort);
        start(&hall, come);
        hall.inspect_and_meet();
    })
}

/// It is enrolled, so that nobody need know that it never came.
pub(crate) fn a_member_dies(slices: Slices) -> Swept {
    at_every_step(Some(2), move |stop| {
        let hall = Hall::with_roster(slices, BOTH);
        let member = Attachment::new(&hall, Some(stop));
        hall.make_member(&member, 1);
        start_as(&hall, &member, come_and_abort);
        start(&hall, come);
        hall.all_ended();
        hall.agreed();
        hall.inspect();
    })
}

/// Who becomes a member and withdraws, and then drops its last handle as one, is killed at each
/// step of that, while another waits in vain.
pub(crate) fn a_member_comes_and_goes(slices: Slices) -> Swept {
    at_every_step(Some(2), move |stop| {
        let hall = Hall::new(slices, 2);
        condemn(&hall, stop, |hall, at| {
            assert_eq!((hall.words().enroll(at), hall.words().withdraw(at)), (Ok(()), Ok(())));
            assert_eq!(hall.words().withdraw(at), Err(Error::NotOwner));
            assert_eq!(hall.words().enroll(at), Ok(()));
            hall.words().abandon(at);
        });
        start(&hall, |hall, at| {
            assert_eq!(hall.come(at, Deadline::Never), Err(Error::BarrierBroken));
        });
        hall.inspect();
    })
}

/// One of three parties is killed; both survivors mend what they find broken.
pub(crate) fn one_of_three_dies(preemptions: usize, slices: Slices) -> Swept {
    at_every_step(Some(preemptions), move |stop| {
        let hall = Hall::with_roster(slices, ALL_THREE);
        condemn(&hall, stop, come_and_abort);
        start(&hall, come_and_reset);
        start(&hall, come_and_reset);
        hall.inspect();
    })
}

/// Three come to a barrier of two, and one is killed.
pub(crate) fn one_too_many_dies(preemptions: usize, slices: Slices) -> Swept {
    at_every_step(Some(preemptions), move |stop| {
        let hall = Hall::new(slices, 2);
        condemn(&hall, stop, come_and_abort);
        start(&hall, come);
        start(&hall, |hall, at| {
            let _ = hall.come(at, Deadline::FirstSleep);
            assert_eq!(hall.words().abort(), Ok(()));
        });
        hall.inspect();
    })
}

/// Who aborts is killed while two meet.
pub(crate) fn an_aborter_dies(preemptions: usize, slices: Slices) -> Swept {
    at_every_step(Some(preemptions), move |stop| {
        let hall = Hall::with_roster(slices, &[2, 3]);
        let aborter = Attachment::new(&hall, Some(stop));
        hall.make_member(&aborter, 0);
        start_as(&hall, &aborter, |hall, _| assert_eq!(hall.words().abort(), Ok(())));
        start(&hall, come);
        start(&hall, come);
        hall.all_ended();
        hall.agreed();
        hall.inspect();
    })
}

/// Who resets is killed while one waits, in vain.
pub(crate) fn a_mender_dies(slices: Slices) -> Swept {
    at_every_step(Some(2), move |stop| {
        let hall = Hall::new(slices, 2);
        let mender = Attachment::new(&hall, Some(stop));
        hall.make_member(&mender, 1);
        start_as(&hall, &mender, reset_and_abort);
        start(&hall, |hall, at| {
            assert_eq!(hall.come(at, Deadline::Never), Err(Error::BarrierBroken));
            assert_eq!(hall.words().reset(at), Ok(()));
        });
        hall.inspect();
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

/// One of two is killed in a round with an action, which one of them runs.
pub(crate) fn a_party_dies_around_the_action(slices: Slices) -> Swept {
    at_every_step(Some(2), move |stop| {
        let hall = Hall::with_roster(slices, BOTH);
        condemn(&hall, stop, act_and_abort);
        start(&hall, |hall, at| {
            let _ = hall.come_and_act(at, Deadline::Never);
        });
        hall.all_ended();
        hall.agreed();
        assert!(hall.action_runs() <= 1, "the action ran twice");
        hall.inspect();
    })
}

/// The one party runs its action and is killed, while another comes.
pub(crate) fn a_runner_dies_beside_a_newcomer(slices: Slices) -> Swept {
    at_every_step(Some(3), move |stop| {
        let hall = Hall::new(slices, 1);
        condemn(&hall, stop, |hall, at| {
            let _ = hall.come_and_act(at, Deadline::Never);
        });
        start(&hall, |hall, at| {
            let answer = hall.come_and_act(at, Deadline::Never);
            assert!(matches!(answer, Ok(0) | Err(Error::BarrierBroken)), "{answer:?}");
        });
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

/// Two of three are killed at once.
pub(crate) fn two_of_three_die(slices: Slices) -> Swept {
    at_every_two_steps(Some(0), move |first, second| {
        let hall = Hall::new(slices, 2);
        condemn(&hall, first, come_and_abort);
        condemn(&hall, second, come_and_abort);
        start(&hall, come_and_reset);
        hall.inspect();
    })
}

#[test]
fn a_party_is_killed_beside_one() {
    a_party_dies(Slices::Pass).expect("barrier: a party dies, slices pass", 0, 0);
    a_party_dies(Slices::Hour).expect("barrier: a party dies, slices of an hour", 0, 0);
    a_party_dies_and_others_meet(Slices::Hour).expect("barrier: and others meet", 0, 0);
    a_member_dies(Slices::Hour).expect("barrier: a member dies, slices of an hour", 0, 0);
    a_member_comes_and_goes(Slices::Hour).expect("barrier: a member comes and goes", 0, 0);
}

#[test]
fn a_party_is_killed_beside_two() {
    one_of_three_dies(1, Slices::PassAmongMany).expect("barrier: one of three, slices pass", 0, 0);
    one_of_three_dies(1, Slices::Hour).expect("barrier: one of three, slices of an hour", 0, 0);
    one_too_many_dies(1, Slices::Hour).expect("barrier: three for two", 0, 0);
}

#[test]
fn who_breaks_or_mends_it_is_killed() {
    an_aborter_dies(1, Slices::Hour).expect("barrier: an aborter dies", 0, 0);
    a_mender_dies(Slices::Pass).expect("barrier: a mender dies, slices pass", 0, 0);
    a_mender_dies(Slices::Hour).expect("barrier: a mender dies, slices of an hour", 0, 0);
    a_mender_dies_beside_two(1, Slices::Hour).expect("barrier: a mender dies beside two", 0, 0);
}

#[test]
fn who_runs_the_action_is_killed() {
    a_party_dies_around_the_action(Slices::Hour).expect("barrier: around the action", 0, 0);
    a_runner_dies_beside_a_newcomer(Slices::Pass).expect("barrier: a runner, slices pass", 0, 0);
    a_runner_dies_beside_a_newcomer(Slices::Hour).expect("barrier: a runner, of an hour", 0, 0);
}

#[test]
fn two_are_killed() {
    one_dies_then_a_mender(Slices::Hour).expect("barrier: one, then a mender", 0, 0);
    two_of_three_die(Slices::Hour).expect("barrier: two of three", 0, 0);
}
