//! The hand-over lock whose holder, and whose releaser, is killed at every step.

use std::rc::Rc;

use crate::cell::{Deadline, Error};
use crate::exclusive::Told;
use crate::handover_live::{Room, release_for_another, work_and_hand_over};
use crate::kill::{ALL, Swept, at_every_step, at_every_two_steps, every_interleaving};
use crate::life::{Attachment, Stop, World, act_as, condemn, start};
use crate::sleepers::Slices;

/// Between the two writes of an owner that nobody disturbs: its third step.
const INSIDE: Stop = Stop { victim: 1, at: 2 };

/// The holder starts the stranger when its work is done, and looks at its lock from then on.
fn start_a_stranger(
    room: &Rc<Room>,
    release: fn(&Room, &Attachment),
) -> impl FnOnce(&Room, &Attachment) + 'static {
    let again = Rc::clone(room);
    move |room, at| {
        work_and_hand_over(room, at);
        start(&again, release);
        for _ in 0..3 {
            let _ = room.word.is_mine(at); // steps to be killed at
        }
    }
}

/// Takes the lock for a moment. A stray release may end this hold: so it touches nothing inside,
/// and leaves as a guard does.
fn pass_through(room: &Room, at: &Attachment) -> Told {
    let told = room.come_in(at, Deadline::Never).expect("no limit, no damage");
    room.hand_over();
    let _ = room.word.release_own(at.token());
    told
}

/// Whoever took over may have released already.
fn release_or_be_late(room: &Room, at: &Attachment) {
    let answer = room.release_for_another(at);
    assert!(matches!(answer, Ok(()) | Err(Error::OverReleased)), "{answer:?}");
}

/// The holder is killed: while it works, when a stranger is amid the release, after it.
pub(crate) fn holder_dies(slices: Slices) -> Swept {
    at_every_step(Some(3), move |stop| {
        let room = Room::new(slices);
        condemn(&room, stop, start_a_stranger(&room, release_for_another));
        room.all_ended();
        start(&room, Room::use_it);
        room.inspect();
    })
}

/// The same, with others that come meanwhile.
pub(crate) fn holder_dies_beside_one(slices: Slices) -> Swept {
    at_every_step(Some(2), move |stop| {
        let room = Room::new(slices);
        condemn(&room, stop, start_a_stranger(&room, release_or_be_late));
        start(&room, |room, at| {
            pass_through(room, at);
        });
        room.inspect();
    })
}

/// Two strangers release; one of them is killed at every step.
pub(crate) fn releaser_dies(slices: Slices) -> Swept {
    at_every_step(ALL, move |stop| {
        let room = Room::new(slices);
        let holder = Attachment::new(&room, None);
        act_as(&holder, || work_and_hand_over(&room, &holder));
        condemn(&room, stop, |room: &Room, at| {
            let _ = room.word.release(at);
        });
        start(&room, |room: &Room, at| {
            let _ = room.word.release(at); // whoever is second is late
        });
        room.inspect();
    })
}

/// A stranger releases what a dead owner held, and is killed at every step.
pub(crate) fn release_of_a_dead_owners(slices: Slices) -> Swept {
    at_every_step(ALL, move |stop| release_after_a_death(&Room::new(slices), stop))
}

/// The same by one that nobody kills, whose answer is looked at, too.
pub(crate) fn unharmed_release_of_a_dead_owners(world: fn() -> World) -> Swept {
    every_interleaving(ALL, move || {
        let room = Room::in_world(world());
        condemn(&room, INSIDE, Room::use_it);
        room.all_ended();
        start(&room, release_for_another);
        room.all_ended();
        start(&room, Room::use_it);
        room.all_ended();
    })
}

fn release_after_a_death(room: &Rc<Room>, stop: Stop) {
    condemn(room, INSIDE, Room::use_it);
    room.all_ended();
    condemn(room, stop, |room: &Room, at| {
        let _ = room.word.release(at);
    });
    room.all_ended();
    start(room, Room::use_it);
    room.all_ended();
}

/// The same while another takes over. It does not vouch: the next is told, whoever came first.
pub(crate) fn release_beside_a_takeover(slices: Slices) -> Swept {
    at_every_step(ALL, move |stop| {
        let room = Room::new(slices);
        condemn(&room, INSIDE, Room::use_it);
        room.all_ended();
        condemn(&room, stop, |room: &Room, at| {
            let _ = room.word.release(at);
        });
        start(&room, |room, at| {
            assert_eq!(pass_through(room, at), Told::OwnerDied);
        });
        room.inspect();
    })
}

/// Only the second opinion knows of the death: a release asks for it at once.
pub(crate) fn release_by_the_second_opinion() -> Swept {
    at_every_step(ALL, |stop| {
        release_after_a_death(&Room::in_world(World::with_bytes_kept(Slices::Pass)), stop);
    })
}

/// Both are killed, each at every step.
pub(crate) fn both_die(slices: Slices) -> Swept {
    at_every_two_steps(Some(2), move |first, second| {
        let room = Room::new(slices);
        let again = Rc::clone(&room);
        condemn(&room, first, move |room, at| {
            work_and_hand_over(room, at);
            condemn(&again, second, |room: &Room, at| {
                let _ = room.release_for_another(at);
            });
            let _ = room.word.is_mine(at);
            let _ = room.word.release_own(at.token()); // its guard
        });
        room.all_ended();
        start(&room, Room::use_it);
        room.inspect();
    })
}

#[test]
fn a_holder_dies_while_a_stranger_releases() {
    holder_dies(Slices::Pass).expect("holder dies, slices pass", 7, 0);
    holder_dies_beside_one(Slices::PassAmongMany).expect("holder dies beside one", 14, 0);
    holder_dies_beside_one(Slices::Hour).expect("the same, slices of an hour", 14, 0);
}

#[test]
fn a_releaser_dies() {
    releaser_dies(Slices::Pass).expect("releaser dies", 7, 0);
}

#[test]
fn a_strangers_release_keeps_the_news_of_a_death() {
    release_of_a_dead_owners(Slices::Pass).expect("dead owner's, released", 6, 0);
    release_beside_a_takeover(Slices::Pass).expect("dead owner's, beside a takeover", 7, 0);
    release_beside_a_takeover(Slices::Hour).expect("the same, slices of an hour", 7, 0);
    release_by_the_second_opinion().expect("dead owner's, second opinion", 6, 0);
}

#[test]
fn a_holder_and_its_releaser_die() {
    both_die(Slices::Pass).expect("both die", 7, 7);
}
