//! The checked lock and threads: each is a holder of its own, whatever its process.

use crate::cell::{Deadline, Error};
use crate::checked::ByThread;
use crate::exclusive::{ExclusiveWord, Told};
use crate::kill::{ALL, Swept, at_every_step, every_interleaving};
use crate::life::{Attachment, act_as, condemn, start, start_as};
use crate::room::RoomOf;
use crate::sleepers::Slices;

type Room = RoomOf<ByThread>;

/// Uses the room, and is told inside that it would wait for itself.
fn use_it_and_ask_again(room: &Room, at: &Attachment) {
    let told = room.enter(at, Deadline::Never).expect("no limit, no damage");
    for (deadline, answer) in [
        (Deadline::Never, Error::WouldDeadlock),
        (Deadline::FirstSleep, Error::WouldDeadlock),
        (Deadline::Passed, Error::TimedOut),
    ] {
        assert_eq!(room.word.acquire(at, deadline), Err(answer), "a second acquire");
    }
    room.go_on(at, told);
}

/// Two threads of one process beside another process.
pub(crate) fn threads_contend(slices: Slices) -> Swept {
    every_interleaving(Some(2), move || {
        let room = Room::new(slices);
        let at = Attachment::new(&room, None);
        start_as(&room, &at, use_it_and_ask_again);
        start_as(&room, &at.another_thread(), Room::use_it);
        start(&room, Room::use_it);
        room.inspect();
    })
}

/// Another thread of the holder's process, and another process, are refused.
pub(crate) fn strangers_are_refused(slices: Slices) -> Swept {
    every_interleaving(Some(3), move || {
        let room = Room::new(slices);
        let at = Attachment::new(&room, None);
        start_as(&room, &at, Room::use_it);
        for stranger in [at.another_thread(), Attachment::new(&room, None)] {
            start_as(&room, &stranger, |room, at| {
                let answer = room.word.release(at);
                let is_refused = matches!(answer, Err(Error::NotOwner | Error::OverReleased));
                assert!(is_refused, "a stranger's release: {answer:?}");
                assert_eq!(room.word.recover(at), Err(Error::NotOwner));
                assert!(!room.word.is_mine(at));
            });
        }
        room.inspect();
    })
}

/// A process dies beside two threads of another.
pub(crate) fn one_dies_beside_two_threads(slices: Slices) -> Swept {
    at_every_step(Some(1), move |stop| {
        let room = Room::new(slices);
        condemn(&room, stop, use_it_and_ask_again);
        let at = Attachment::new(&room, None);
        start_as(&room, &at, use_it_and_ask_again);
        start_as(&room, &at.another_thread(), Room::use_it);
        room.inspect();
    })
}

/// Another thread than the holder drops the process's last handle.
pub(crate) fn another_thread_abandons(slices: Slices) -> Swept {
    every_interleaving(ALL, move || {
        let room = Room::new(slices);
        let at = Attachment::new(&room, None);
        act_as(&at, || assert_eq!(room.enter(&at, Deadline::Never), Ok(Told::Held)));
        start_as(&room, &at.another_thread(), Room::abandon);
        start(&room, |room: &Room, at| {
            let told = room.word.acquire(at, Deadline::Never);
            assert_eq!(told, Ok(Told::OwnerDied));
            assert_eq!(room.word.release(at), Ok(()));
        });
        room.inspect();
    })
}

#[test]
fn threads_and_processes_take_turns() {
    threads_contend(Slices::PassAmongMany).expect("threads contend, slices pass", 0, 0);
    threads_contend(Slices::Hour).expect("threads contend, slices of an hour", 0, 0);
}

#[test]
fn only_the_holders_thread_releases() {
    strangers_are_refused(Slices::PassAmongMany).expect("strangers, slices pass", 0, 0);
    strangers_are_refused(Slices::Hour).expect("strangers, slices of an hour", 0, 0);
}

#[test]
fn a_process_dies_beside_two_threads() {
    one_dies_beside_two_threads(Slices::PassAmongMany).expect("dies, slices pass", 14, 0);
    one_dies_beside_two_threads(Slices::Hour).expect("dies, slices of an hour", 14, 0);
}

#[test]
fn the_last_handle_may_be_another_threads() {
    another_thread_abandons(Slices::Pass).expect("another abandons, slices pass", 0, 0);
    another_thread_abandons(Slices::Hour).expect("another abandons, slices of an hour", 0, 0);
}

#[test]
fn a_forked_childs_one_thread_is_not_its_parents() {
    every_interleaving(ALL, || {
        let room = Room::new(Slices::Hour);
        let parent = Attachment::new(&room, None);
        assert_eq!(room.word.acquire(&parent, Deadline::Never), Ok(Told::Held));
        let child = Attachment::forked(&room); // with the same thread number
        assert_eq!(room.word.release(&child), Err(Error::NotOwner));
        assert_eq!(room.word.recover(&child), Err(Error::NotOwner));
        room.word.abandon(&child);
        assert_eq!(room.word.acquire(&child, Deadline::Passed), Err(Error::TimedOut));
        assert!(child.token() != 0 && !room.word.is_mine(&child));
        assert!(room.word.is_mine(&parent));
        assert_eq!(room.word.release(&parent), Ok(()));
    });
}

#[test]
fn a_thread_without_a_process_is_damage() {
    every_interleaving(ALL, || {
        let room = Room::new(Slices::Hour);
        let forged = 7 << 32; // a thread's number, and no token
        let word = ExclusiveWord::<ByThread>::default();
        let orders = (crate::cell::Ordering::Relaxed, crate::cell::Ordering::Relaxed);
        let _ = crate::bits::Bits::compare_exchange(&word.word, 0, forged, orders.0, orders.1);
        let at = Attachment::new(&room, None);
        assert_eq!(word.acquire(&at, Deadline::Passed), Err(Error::Damaged));
        assert_eq!(word.release(&at), Err(Error::NotOwner));
    });
}
