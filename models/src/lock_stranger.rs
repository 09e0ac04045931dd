//! The lock and those who have no business with it: they are refused, and disturb nobody.

use crate::cell::{Deadline, Error};
use crate::exclusive::Told;
use crate::kill::{ALL, Swept, every_interleaving};
use crate::life::{Attachment, start};
use crate::room::Room;
use crate::sleepers::Slices;

pub(crate) fn releases_what_another_holds(slices: Slices) -> Swept {
    every_interleaving(ALL, move || {
        let room = Room::new(slices);
        start(&room, Room::use_it);
        start(&room, |room, at| {
            let answer = room.word.release(at);
            let is_refused = matches!(answer, Err(Error::NotOwner | Error::OverReleased));
            assert!(is_refused, "a stranger's release: {answer:?}");
            assert_eq!(room.word.recover(at), Err(Error::NotOwner));
            room.word.abandon(at);
            room.use_it(at);
        });
        room.inspect();
    })
}

#[test]
fn a_stranger_is_refused() {
    releases_what_another_holds(Slices::Pass).expect("stranger, slices pass", 0, 0);
    releases_what_another_holds(Slices::Hour).expect("stranger, slices of an hour", 0, 0);
}

#[test]
fn a_forked_child_registers_when_it_acquires_and_not_before() {
    every_interleaving(ALL, || {
        let room = Room::new(Slices::Hour);
        let child = Attachment::forked(&room);
        assert_eq!(room.word.release(&child), Err(Error::OverReleased));
        assert_eq!(room.word.recover(&child), Err(Error::NotOwner));
        room.word.abandon(&child);
        assert!(!room.word.is_mine(&child) && child.token() == 0);
        assert_eq!(room.enter(&child, Deadline::Never), Ok(Told::Held));
        assert!(room.word.is_mine(&child) && child.token() != 0);
        room.leave(&child);
    });
}

#[test]
fn a_token_that_was_never_issued_is_damage() {
    every_interleaving(ALL, || {
        for token in [1, 1023, ((1 << 20) - 1) << 10] {
            let room = Room::new(Slices::Hour);
            let forger = Attachment::forged(&room, token);
            assert_eq!(room.word.acquire(&forger, Deadline::Never), Ok(Told::Held));
            let at = Attachment::new(&room, None);
            for deadline in [Deadline::Never, Deadline::Passed] {
                assert_eq!(room.word.acquire(&at, deadline), Err(Error::Damaged));
            }
        }
    });
}
