//! The hand-over lock among processes that nobody kills: what one has acquired another releases.

use std::rc::Rc;

use crate::cell::{Deadline, Error};
use crate::exclusive::Told;
use crate::handover::ByAnyone;
use crate::kill::{Swept, every_interleaving};
use crate::life::{Attachment, act_as, start};
use crate::room::RoomOf;
use crate::sleepers::Slices;

pub(crate) type Room = RoomOf<ByAnyone>;

/// Works inside and leaves the release to another, who is told of it by being started.
pub(crate) fn work_and_hand_over(room: &Room, at: &Attachment) {
    let told = room.enter(at, Deadline::Never).expect("no limit, no damage");
    assert_eq!(told, Told::Held);
    room.write();
    room.hand_over();
}

pub(crate) fn release_for_another(room: &Room, at: &Attachment) {
    assert_eq!(room.release_for_another(at), Ok(()), "a stranger's release");
}

/// The holder acquires again right away, which waits for the stranger's release, beside a third.
pub(crate) fn one_releases_for_another(slices: Slices) -> Swept {
    every_interleaving(Some(2), move || {
        let room = Room::new(slices);
        let holder = Attachment::new(&room, None);
        act_as(&holder, || {
            work_and_hand_over(&room, &holder);
            start(&room, release_for_another);
            start(&room, Room::use_it);
        });
        let room_again = Rc::clone(&room);
        crate::life::start_as(&room_again, &holder, Room::use_it);
        room.inspect();
    })
}

/// Two mean the same hold: one of them ends it, the other is told that it is late.
pub(crate) fn two_release(slices: Slices) -> Swept {
    every_interleaving(None, move || {
        let room = Room::new(slices);
        let holder = Attachment::new(&room, None);
        let answers = Rc::new(core::cell::RefCell::new(Vec::new()));
        act_as(&holder, || work_and_hand_over(&room, &holder));
        for _ in 0..2 {
            let answers = Rc::clone(&answers);
            start(&room, move |room: &Room, at| {
                let answer = room.word.release(at);
                answers.borrow_mut().push(answer);
            });
        }
        room.all_ended();
        answers.borrow_mut().sort_by_key(Result::is_err);
        assert_eq!(*answers.borrow(), [Ok(()), Err(Error::OverReleased)], "two releases");
        room.inspect();
    })
}

/// The holder's guard ends its own hold at the same moment, and never that of who comes next.
pub(crate) fn a_guard_drops_meanwhile(slices: Slices) -> Swept {
    every_interleaving(Some(3), move || {
        let room = Room::new(slices);
        let holder = Attachment::new(&room, None);
        act_as(&holder, || work_and_hand_over(&room, &holder));
        start(&room, |room: &Room, at| {
            let answer = room.word.release(at);
            assert!(matches!(answer, Ok(()) | Err(Error::OverReleased)), "{answer:?}");
            room.use_it(at);
        });
        crate::life::start_as(&room, &holder, |room, at| {
            let answer = room.word.release_own(at.token());
            let is_late = matches!(answer, Err(Error::OverReleased | Error::NotOwner));
            assert!(answer == Ok(()) || is_late, "{answer:?}");
        });
        room.inspect();
    })
}

#[test]
fn who_did_not_acquire_releases() {
    one_releases_for_another(Slices::PassAmongMany).expect("handed over, slices pass", 0, 0);
    one_releases_for_another(Slices::Hour).expect("handed over, slices of an hour", 0, 0);
}

#[test]
fn of_two_releases_one_is_late() {
    two_release(Slices::Pass).expect("two release", 0, 0);
}

#[test]
fn a_guard_and_a_stranger_end_one_hold() {
    a_guard_drops_meanwhile(Slices::Pass).expect("guard and stranger", 0, 0);
    a_guard_drops_meanwhile(Slices::Hour).expect("guard and stranger, slices of an hour", 0, 0);
}

#[test]
fn a_release_of_what_was_never_issued_is_damage() {
    every_interleaving(None, || {
        let room = Room::new(Slices::Hour);
        let forger = Attachment::forged(&room, 1);
        assert_eq!(room.word.acquire(&forger, Deadline::Never), Ok(Told::Held));
        let at = Attachment::new(&room, None);
        assert_eq!(room.word.release(&at), Err(Error::Damaged));
    });
}
