//! The event among processes that nobody kills: a set is seen by all who wait, with what came
//! before it, and neither a clear right after it nor a second setter takes it from anybody.

use core::cell::Cell;
use std::rc::Rc;

use loom::cell::Cell as Modelled;

use crate::cell::{AtomicU32, Deadline, Ordering};
use crate::event::EventWord;
use crate::kill::{ALL, Swept, every_interleaving};
use crate::life::{self, Attachment, Scene, World, start};
use crate::sleepers::Slices;

/// Where they meet: an event, what its setter writes before it, and a ledger of what is true.
pub(crate) struct Square {
    world: World,
    pub(crate) event: EventWord,
    data: Modelled<u32>,
    /// What two producers leave for a consumer.
    left: [AtomicU32; 2],
    begun_count: Cell<u32>,
}

impl Square {
    pub(crate) fn new(slices: Slices) -> Rc<Self> {
        Rc::new(Self {
            world: World::new(slices),
            event: EventWord::default(),
            data: Modelled::new(0),
            left: [AtomicU32::new(0), AtomicU32::new(0)],
            begun_count: Cell::new(0),
        })
    }

    pub(crate) fn set(&self, _: &Attachment) {
        self.begun_count.set(self.begun_count.get() + 1);
        self.event.set();
    }

    fn write_and_set(&self, at: &Attachment) {
        life::step();
        self.data.set(1);
        self.set(at);
    }

    pub(crate) fn wait(&self, _: &Attachment) {
        assert_eq!(self.event.wait(Deadline::Never), Ok(true));
        assert!(self.begun_count.get() > 0, "let go before anybody set it");
    }

    fn wait_and_read(&self, at: &Attachment) {
        self.wait(at);
        life::step();
        assert_eq!(self.data.get(), 1);
    }

    /// Leaves something, and sets the event.
    fn produce(&self, at: &Attachment, index: usize) {
        self.left[index].store(1, Ordering::Relaxed);
        self.set(at);
    }

    /// Waits, clears, and looks what there is, until it has had all.
    fn consume_all(&self, at: &Attachment) {
        let mut has_had = [false; 2];
        while has_had != [true; 2] {
            self.wait(at);
            self.event.clear();
            for (has_had, left) in has_had.iter_mut().zip(&self.left) {
                *has_had |= left.load(Ordering::Relaxed) == 1;
            }
        }
    }

    pub(crate) fn all_ended(&self) {
        self.world.all_ended();
    }

    /// When all have ended: it is set. Not by one look, for only the last that ended has told what
    /// it saw; who is about to sleep looks at what is so now.
    pub(crate) fn inspect(self: &Rc<Self>) {
        self.all_ended();
        let at = Attachment::new(self, None);
        life::act_as(&at, || assert_eq!(self.event.wait(Deadline::FirstSleep), Ok(true)));
    }
}

impl Scene for Square {
    fn world(&self) -> &World {
        &self.world
    }

    fn died(&self, _: &Attachment) {}
}

/// One sets it; so many wait for it.
pub(crate) fn wait_for_one(
    preemptions: Option<usize>,
    slices: Slices,
    waiter_count: usize,
) -> Swept {
    every_interleaving(preemptions, move || {
        let square = Square::new(slices);
        (0..waiter_count).for_each(|_| start(&square, Square::wait_and_read));
        start(&square, Square::write_and_set);
        square.all_ended();
        assert!(square.event.is_set());
    })
}

/// One sets it and clears it at once, if all others sleep by then; else it leaves it set.
pub(crate) fn set_and_clear(waiter_count: usize) -> Swept {
    every_interleaving(Some(3), move || {
        let square = Square::new(Slices::Hour);
        (0..waiter_count).for_each(|_| start(&square, Square::wait_and_read));
        start(&square, move |square, at| {
            let do_all_sleep = square.world.sleepers.count() == waiter_count;
            square.write_and_set(at);
            if do_all_sleep {
                square.event.clear();
            }
        });
        square.all_ended();
    })
}

/// Two leave something and set it; one waits, clears, and only then looks.
pub(crate) fn clear_and_look(preemptions: usize, slices: Slices) -> Swept {
    every_interleaving(Some(preemptions), move || {
        let square = Square::new(slices);
        start(&square, Square::consume_all);
        start(&square, |square, at| square.produce(at, 0));
        start(&square, |square, at| square.produce(at, 1));
        square.all_ended();
    })
}

/// One waits with a limit, beside one without and a setter.
pub(crate) fn gives_up_beside_a_sleeper(slices: Slices) -> Swept {
    every_interleaving(Some(3), move || {
        let square = Square::new(slices);
        start(&square, |square: &Square, _| {
            let was_set = square.event.wait(Deadline::FirstSleep);
            assert!(was_set == Ok(false) || square.begun_count.get() > 0, "{was_set:?}");
        });
        start(&square, Square::wait_and_read);
        start(&square, Square::write_and_set);
        square.all_ended();
    })
}

#[test]
fn who_waits_is_let_go_and_sees_what_came_before_the_set() {
    wait_for_one(ALL, Slices::Pass, 1).expect("one waits, slices pass", 0, 0);
    wait_for_one(ALL, Slices::Hour, 1).expect("one waits, slices of an hour", 0, 0);
    wait_for_one(Some(3), Slices::PassAmongMany, 2).expect("two wait, slices pass", 0, 0);
    wait_for_one(Some(3), Slices::Hour, 2).expect("two wait, slices of an hour", 0, 0);
    wait_for_one(Some(1), Slices::Hour, 3).expect("three wait, slices of an hour", 0, 0);
}

#[test]
fn a_clear_right_after_the_set_keeps_nobody_back() {
    set_and_clear(1).expect("set and clear, one sleeps", 0, 0);
    set_and_clear(2).expect("set and clear, two sleep", 0, 0);
}

#[test]
fn who_clears_and_then_looks_misses_nothing() {
    clear_and_look(2, Slices::PassAmongMany).expect("clear and look, slices pass", 0, 0);
    clear_and_look(2, Slices::Hour).expect("clear and look, slices of an hour", 0, 0);
}

#[test]
fn who_gives_up_keeps_nobody_asleep() {
    gives_up_beside_a_sleeper(Slices::PassAmongMany).expect("gives up, slices pass", 0, 0);
    gives_up_beside_a_sleeper(Slices::Hour).expect("gives up, slices of an hour", 0, 0);
}

#[test]
fn a_wait_for_what_is_not_set_ends_at_its_limit() {
    every_interleaving(ALL, || {
        let square = Square::new(Slices::Hour);
        let at = Attachment::new(&square, None);
        life::act_as(&at, || {
            assert_eq!(square.event.wait(Deadline::Passed), Ok(false));
            assert_eq!(square.event.wait(Deadline::FirstSleep), Ok(false));
            square.event.set();
            assert_eq!(square.event.wait(Deadline::Passed), Ok(true));
            square.event.clear();
            assert_eq!(square.event.wait(Deadline::Passed), Ok(false));
        });
    });
}
