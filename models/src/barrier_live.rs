//! The barrier among processes that nobody kills: nobody passes early, all agree, nobody waits for
//! ever.

use std::rc::Rc;

use crate::cell::{Deadline, Error};
use crate::hall::{Hall, start};
use crate::kill::{Swept, every_interleaving};
use crate::sleepers::Slices;

/// Slots of processes that nobody kills begin here.
const TWO: &[usize] = &[2, 3];

fn come(hall: &Hall, at: &crate::life::Attachment) {
    assert!(hall.come(at, Deadline::Never).is_ok(), "nobody breaks it");
}

pub(crate) fn meet(preemptions: Option<usize>, slices: Slices, roster: &'static [usize]) -> Swept {
    every_interleaving(preemptions, move || {
        let hall = Hall::with_roster(slices, roster);
        for _ in roster {
            start(&hall, come);
        }
        hall.all_ended();
        assert!(hall.agreed());
        hall.inspect();
    })
}

pub(crate) fn two_meet(slices: Slices) -> Swept {
    meet(Some(3), slices, TWO)
}

/// One after the other, so that nobody asks who has the inner lock: says nothing of orderings.
fn two_meet_and_ask(hall: fn(Slices, &'static [usize]) -> Rc<Hall>, count: u32) {
    every_interleaving(Some(0), move || {
        let hall = hall(Slices::Hour, TWO);
        for _ in TWO {
            start(&hall, come);
        }
        hall.all_ended();
        assert_eq!(hall.questions(), count, "questions about the living");
    });
}

/// Three rounds: written, read, written, read.
pub(crate) fn two_meet_again(slices: Slices) -> Swept {
    every_interleaving(Some(2), move || {
        let hall = Hall::with_roster(slices, TWO);
        for _ in TWO {
            start(&hall, |hall, at| {
                for round in 1..=2 {
                    assert!(hall.come_for(at, Deadline::Never, round).is_ok());
                    if round == 1 {
                        assert!(hall.words().wait(at, Deadline::Never, None).is_ok());
                    }
                }
            });
        }
        hall.inspect();
    })
}

/// One comes without patience, or with little.
pub(crate) fn one_gives_up(deadline: Deadline, slices: Slices) -> Swept {
    every_interleaving(Some(3), move || {
        let hall = Hall::with_roster(slices, TWO);
        start(&hall, move |hall, at| {
            let _ = hall.come(at, deadline);
        });
        start(&hall, |hall, at| {
            let _ = hall.come(at, Deadline::Never);
        });
        hall.all_ended();
        assert_eq!(hall.agreed(), !hall.words().is_broken());
        hall.inspect();
    })
}

/// A third one aborts at some moment: before, which both are told, or after.
pub(crate) fn one_aborts(slices: Slices) -> Swept {
    every_interleaving(Some(2), move || {
        let hall = Hall::with_roster(slices, TWO);
        for _ in TWO {
            start(&hall, |hall, at| {
                let _ = hall.come(at, Deadline::Never);
            });
        }
        start(&hall, |hall, _| assert_eq!(hall.words().abort(), Ok(())));
        hall.all_ended();
        hall.agreed();
        assert!(hall.words().is_broken());
        hall.inspect();
    })
}

/// The round is over when a third one breaks the next and resets it: who wakes late passes.
pub(crate) fn one_breaks_and_resets(slices: Slices) -> Swept {
    every_interleaving(Some(2), move || {
        let hall = Hall::with_roster(slices, TWO);
        start(&hall, |hall, at| {
            let _ = hall.come(at, Deadline::Never);
        });
        start(&hall, |hall, at| {
            let _ = hall.come(at, Deadline::Never);
            assert_eq!(hall.words().abort(), Ok(()));
            assert_eq!(hall.words().reset(at), Ok(()));
        });
        hall.all_ended();
        assert!(hall.agreed(), "whoever comes last aborts after it");
        hall.inspect();
    })
}

/// A wait that is broken, whose barrier is reset before it looks.
pub(crate) fn one_is_broken_and_reset(slices: Slices) -> Swept {
    every_interleaving(Some(3), move || {
        let hall = Hall::new(slices, 2);
        start(&hall, |hall, at| {
            // Or it comes after the reset, and is freed by the second break.
            assert_eq!(hall.come(at, Deadline::Never), Err(Error::BarrierBroken));
        });
        start(&hall, |hall, at| {
            assert_eq!(hall.words().abort(), Ok(()));
            assert_eq!(hall.words().reset(at), Ok(()));
            assert_eq!(hall.words().abort(), Ok(()));
        });
        hall.inspect();
    })
}

pub(crate) fn two_meet_with_an_action(slices: Slices) -> Swept {
    every_interleaving(Some(2), move || {
        let hall = Hall::with_roster(slices, TWO);
        for _ in TWO {
            start(&hall, |hall, at| {
                assert!(hall.come_and_act(at, Deadline::Never).is_ok());
            });
        }
        hall.all_ended();
        assert!(hall.agreed() && hall.action_runs() == 1);
        hall.inspect();
    })
}

/// At a barrier of one, another comes while the action runs, or before, or after: both pass.
pub(crate) fn one_comes_amid_the_action(slices: Slices) -> Swept {
    every_interleaving(Some(3), move || {
        let hall = Hall::new(slices, 1);
        for _ in 0..2 {
            start(&hall, |hall, at| {
                assert_eq!(hall.come_and_act(at, Deadline::Never), Ok(0));
            });
        }
        hall.all_ended();
        assert_eq!(hall.action_runs(), 2);
        hall.inspect();
    })
}

/// A party gives up while the other runs the action, or before it came.
pub(crate) fn one_gives_up_amid_the_action(slices: Slices) -> Swept {
    every_interleaving(Some(3), move || {
        let hall = Hall::with_roster(slices, TWO);
        for deadline in [Deadline::FirstSleep, Deadline::Never] {
            start(&hall, move |hall, at| {
                let _ = hall.come_and_act(at, deadline);
            });
        }
        hall.all_ended();
        assert_eq!(hall.agreed(), !hall.words().is_broken());
        hall.inspect();
    })
}

#[test]
fn parties_meet() {
    two_meet(Slices::Pass).expect("barrier: two meet, slices pass", 0, 0);
    two_meet(Slices::Hour).expect("barrier: two meet, slices of an hour", 0, 0);
    two_meet_again(Slices::Hour).expect("barrier: two meet again, slices of an hour", 0, 0);
}

#[test]
fn nobody_asks_about_who_came_just_now() {
    two_meet_and_ask(Hall::with_roster, 0);
    two_meet_and_ask(Hall::of_the_slow, 1);
}

#[test]
fn a_limit_breaks_it_for_both() {
    for deadline in [Deadline::Passed, Deadline::FirstSleep] {
        one_gives_up(deadline, Slices::Pass).expect("barrier: gives up, slices pass", 0, 0);
        one_gives_up(deadline, Slices::Hour).expect("barrier: gives up, slices of an hour", 0, 0);
    }
}

#[test]
fn aborts_and_resets() {
    one_aborts(Slices::PassAmongMany).expect("barrier: aborted, slices pass", 0, 0);
    one_aborts(Slices::Hour).expect("barrier: aborted, slices of an hour", 0, 0);
    one_breaks_and_resets(Slices::Pass).expect("barrier: broken afterwards", 0, 0);
    one_is_broken_and_reset(Slices::Pass).expect("barrier: broken, reset, slices pass", 0, 0);
    one_is_broken_and_reset(Slices::Hour).expect("barrier: the same, slices of an hour", 0, 0);
}

#[test]
fn actions() {
    two_meet_with_an_action(Slices::Pass).expect("barrier: action, slices pass", 0, 0);
    two_meet_with_an_action(Slices::Hour).expect("barrier: action, slices of an hour", 0, 0);
    one_comes_amid_the_action(Slices::Pass).expect("barrier: amid the action", 0, 0);
    one_comes_amid_the_action(Slices::Hour).expect("barrier: the same, slices of an hour", 0, 0);
    one_gives_up_amid_the_action(Slices::Hour).expect("barrier: gives up amid it", 0, 0);
}

#[test]
fn a_member_that_drops_its_last_handle_breaks_it() {
    every_interleaving(Some(2), || {
        let hall = Hall::new(Slices::Hour, 2);
        let at = crate::life::Attachment::new(&hall, None);
        crate::life::act_as(&at, || {
            assert_eq!((hall.words().enroll(&at), hall.words().withdraw(&at)), (Ok(()), Ok(())));
            assert_eq!(hall.words().withdraw(&at), Err(Error::NotOwner));
            assert_eq!(hall.words().enroll(&at), Ok(()));
            hall.words().abandon(&at);
            assert!(hall.words().is_broken());
        });
        hall.inspect();
    });
}
