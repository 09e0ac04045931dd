//! The recursive lock: one holder's levels are counted, whoever contends, and another's never.

use crate::cell::{Deadline, Error};
use crate::depth::Depth;
use crate::exclusive::Told;
use crate::kill::{ALL, Swept, every_interleaving};
use crate::life::{Attachment, act_as, start, start_as};
use crate::rlock::Reentrant;
use crate::room::RoomOf;
use crate::sleepers::Slices;

pub(crate) type Room = RoomOf<Reentrant>;

/// Uses the room at two levels, which are all that there can be here: writes at each, and once more
/// when the inner one has ended.
pub(crate) fn use_it_deep(room: &Room, at: &Attachment) {
    let told = room.enter(at, Deadline::Never).expect("no limit, no damage");
    if told == Told::OwnerDied {
        room.repair(at);
    }
    assert_eq!(room.word.acquire(at, Deadline::Passed), Ok(Told::Held), "a second level");
    let third = room.word.acquire(at, Deadline::Never);
    assert_eq!(third, Err(Error::OutOfRange), "a third level");
    room.write();
    assert_eq!(room.word.release(at), Ok(()), "the inner release");
    room.write();
    room.leave(at);
}

/// Uses the room as [`use_it_deep`], but gives it up from within and comes back, as who waits for a
/// condition does.
pub(crate) fn give_up_and_come_back(room: &Room, at: &Attachment) {
    let told = room.enter(at, Deadline::Never).expect("no limit, no damage");
    if told == Told::OwnerDied {
        room.repair(at);
    }
    assert_eq!(room.word.acquire(at, Deadline::Never), Ok(Told::Held), "a second level");
    room.write();
    room.give_up(at, 2);
    let told = room.come_back(at, 2).expect("no limit, no damage");
    assert_eq!(room.word.release(at), Ok(()), "the inner release");
    room.go_on(at, told);
}

/// So many processes at two levels each.
pub(crate) fn contend(preemptions: Option<usize>, slices: Slices, count: usize) -> Swept {
    every_interleaving(preemptions, move || {
        let room = Room::new(slices);
        (0..count).for_each(|_| start(&room, use_it_deep));
        room.inspect();
    })
}

/// Two threads of one process beside another process.
pub(crate) fn threads_contend(slices: Slices) -> Swept {
    every_interleaving(Some(2), move || {
        let room = Room::new(slices);
        let at = Attachment::new(&room, None);
        start_as(&room, &at, use_it_deep);
        start_as(&room, &at.another_thread(), Room::use_it);
        start(&room, Room::use_it);
        room.inspect();
    })
}

/// One gives it up from within and comes back, beside one that goes deep.
pub(crate) fn returns(slices: Slices) -> Swept {
    every_interleaving(Some(3), move || {
        let room = Room::new(slices);
        start(&room, give_up_and_come_back);
        start(&room, use_it_deep);
        room.inspect();
    })
}

/// Another thread of the holder's process, and another process, are refused at every depth.
pub(crate) fn strangers_are_refused(slices: Slices) -> Swept {
    every_interleaving(Some(2), move || {
        let room = Room::new(slices);
        let at = Attachment::new(&room, None);
        start_as(&room, &at, use_it_deep);
        for stranger in [at.another_thread(), Attachment::new(&room, None)] {
            start_as(&room, &stranger, |room, at| {
                assert_eq!(room.word.release(at), Err(Error::NotOwner), "a stranger's release");
                assert_eq!(room.word.release_fully(at), Err(Error::NotOwner));
                assert_eq!(room.word.recover(at), Err(Error::NotOwner));
            });
        }
        room.inspect();
    })
}

/// Another thread than the holder drops the process's last handle, at whatever depth.
pub(crate) fn another_thread_abandons(slices: Slices) -> Swept {
    every_interleaving(ALL, move || {
        let room = Room::new(slices);
        let at = Attachment::new(&room, None);
        act_as(&at, || {
            assert_eq!(room.enter(&at, Deadline::Never), Ok(Told::Held));
            assert_eq!(room.word.acquire(&at, Deadline::Never), Ok(Told::Held));
        });
        start_as(&room, &at.another_thread(), Room::abandon);
        start(&room, |room: &Room, at| {
            assert_eq!(room.word.acquire(at, Deadline::Never), Ok(Told::OwnerDied));
            assert_eq!(room.word.release_fully(at), Ok(1), "the depth of who was told");
        });
        room.inspect();
    })
}

#[test]
fn processes_and_threads_take_turns_at_two_levels() {
    contend(ALL, Slices::Pass, 2).expect("two meet deep, slices pass", 0, 0);
    contend(ALL, Slices::Hour, 2).expect("two meet deep, slices of an hour", 0, 0);
    contend(Some(2), Slices::PassAmongMany, 3).expect("three meet deep, slices pass", 0, 0);
    contend(Some(2), Slices::Hour, 3).expect("three meet deep, slices of an hour", 0, 0);
    threads_contend(Slices::PassAmongMany).expect("threads contend, slices pass", 0, 0);
    threads_contend(Slices::Hour).expect("threads contend, slices of an hour", 0, 0);
}

#[test]
fn who_gave_it_up_from_within_comes_back_to_its_depth() {
    returns(Slices::Pass).expect("returns, slices pass", 0, 0);
    returns(Slices::Hour).expect("returns, slices of an hour", 0, 0);
}

#[test]
fn only_the_holders_thread_has_a_depth() {
    strangers_are_refused(Slices::PassAmongMany).expect("strangers, slices pass", 0, 0);
    strangers_are_refused(Slices::Hour).expect("strangers, slices of an hour", 0, 0);
}

#[test]
fn the_last_handle_gives_up_all_levels() {
    another_thread_abandons(Slices::Pass).expect("another abandons, slices pass", 0, 0);
    another_thread_abandons(Slices::Hour).expect("another abandons, slices of an hour", 0, 0);
}

#[test]
fn a_forked_childs_one_thread_is_not_its_parents() {
    every_interleaving(ALL, || {
        let room = Room::new(Slices::Hour);
        let parent = Attachment::new(&room, None);
        assert_eq!(room.word.acquire(&parent, Deadline::Never), Ok(Told::Held));
        assert_eq!(room.word.holder_token(), parent.token());
        let child = Attachment::forked(&room); // with the same thread number
        assert_eq!(room.word.release(&child), Err(Error::NotOwner));
        room.word.abandon(&child);
        assert_eq!(room.word.acquire(&child, Deadline::Passed), Err(Error::TimedOut));
        assert_eq!(room.word.release(&child), Err(Error::NotOwner));
        assert_eq!(room.word.release_fully(&parent), Ok(1));
        assert_eq!(room.word.holder_token(), 0);
    });
}

#[test]
fn a_depth_that_no_holder_left_is_damage() {
    every_interleaving(ALL, || {
        for depth in [0, 3, u32::MAX] {
            let room = Room::new(Slices::Hour);
            let at = Attachment::new(&room, None);
            room.word.depth.begin(depth); // while it is free: nobody reads it
            assert_eq!(room.word.acquire(&at, Deadline::Never), Ok(Told::Held));
            room.word.depth.begin(depth);
            assert_eq!(room.word.acquire(&at, Deadline::Never), Err(Error::Damaged));
            assert_eq!(room.word.release(&at), Err(Error::Damaged));
            assert_eq!(room.word.release_fully(&at), Err(Error::Damaged));
            assert!(room.word.is_mine(&at));
        }
    });
}
