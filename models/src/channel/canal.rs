//! The scene of the models of the queue of one to one: two ends, room for one message.

use std::rc::Rc;

use loom::sync::atomic::{
    AtomicU32,
    Ordering::{Acquire, Release},
};

use super::cell::{AtomicU64, Deadline, Error};
use super::ledger::Ledger;
use super::spsc::{SpscShape, SpscView, SpscWords};
use crate::life::{Attachment, Scene, World, act_as};
use crate::sleepers::Slices;

pub(super) struct Canal {
    world: World,
    words: SpscWords,
    units: Vec<AtomicU64>,
    pub(super) ledger: Ledger,
    /// As in [`Stream`](super::stream::Stream).
    ends: AtomicU32,
}

const SHAPE: SpscShape = SpscShape { count_max: 1, size_max: 8 };
/// One record.
const UNIT_COUNT: usize = 2;

impl Canal {
    pub(super) fn new(slices: Slices) -> Rc<Self> {
        Rc::new(Self {
            world: World::with_looks_at_all(slices),
            words: SpscWords::zeroed(),
            units: (0..UNIT_COUNT).map(|_| AtomicU64::new(0)).collect(),
            ledger: Ledger::default(),
            ends: AtomicU32::new(0),
        })
    }

    fn view<'a>(&'a self, at: &'a Attachment) -> SpscView<'a> {
        SpscView::new(&self.words, &self.units, at, SHAPE)
    }

    /// Claims the end, sends these, and leaves it.
    pub(super) fn send(&self, at: &Attachment, numbers: core::ops::Range<usize>) {
        let view = self.view(at);
        let me = view.claim(&self.words.sender, Deadline::Never).expect("no limit");
        let mut sending = view.begin_to_send();
        for number in numbers {
            self.ledger.begin_put(number);
            let body = [number as u8 + 1; 8];
            assert_eq!(view.send(&mut sending, &body, Deadline::Never), Ok(()));
            self.ledger.end_put(number);
        }
        view.leave(&self.words.sender, me);
        self.ends.fetch_add(1, Release); // pairs with the Acquire in `inspect`
    }

    /// Claims the end, receives so many, and leaves it.
    pub(super) fn receive(&self, at: &Attachment, count: usize) {
        self.with_receiver(at, |view| {
            let mut receiving = view.begin_to_receive();
            (0..count).for_each(|_| {
                self.take(view, &mut receiving, Deadline::Never).expect("no limit, no end");
            });
        });
    }

    /// Claims the end, receives until this one has come, whoever sends it, and leaves it.
    pub(super) fn receive_until(&self, at: &Attachment, number: usize) {
        self.with_receiver(at, |view| {
            let mut receiving = view.begin_to_receive();
            while !self.ledger.has_had(number) {
                if self.take(view, &mut receiving, Deadline::Never) == Err(Error::EndOfFile) {
                    loom::thread::yield_now(); // the next sender has not claimed its end yet
                }
            }
        });
    }

    /// Claims the end, receives until nobody is left who sends, and leaves it; how many it had.
    pub(super) fn receive_all(&self, at: &Attachment) -> usize {
        let mut count = 0;
        self.with_receiver(at, |view| {
            let mut receiving = view.begin_to_receive();
            while self.take(view, &mut receiving, Deadline::Never).is_ok() {
                count += 1;
            }
        });
        count
    }

    fn with_receiver(&self, at: &Attachment, act: impl FnOnce(SpscView<'_>)) {
        let view = self.view(at);
        let me = view.claim(&self.words.receiver, Deadline::Never).expect("no limit");
        act(view);
        view.leave(&self.words.receiver, me);
        self.ends.fetch_add(1, Release); // as in `send`
    }

    fn take(
        &self,
        view: SpscView<'_>,
        receiving: &mut super::spsc_ends::Receiving,
        deadline: Deadline,
    ) -> Result<(), Error> {
        self.ledger.begin_get();
        let mut body = [0; 8];
        let came = view.next_len(receiving, deadline).map(|len| {
            assert_eq!(len, 8, "a message that nobody sent");
            view.take(receiving, &mut body);
        });
        self.ledger.end_get();
        came?;
        let number = usize::from(body[0]).wrapping_sub(1);
        assert_eq!(body, [body[0]; 8], "a message that nobody sent");
        self.ledger.have(number);
        Ok(())
    }

    /// When all have ended: both ends can be had, and what is inside comes once.
    pub(super) fn inspect(self: &Rc<Self>) {
        self.world.all_ended();
        self.ends.fetch_add(0, Acquire); // pairs with the Release in `send`
        let at = Attachment::new(self, None);
        act_as(&at, || {
            self.world.sees_the_dead();
            self.with_receiver(&at, |view| {
                let mut receiving = view.begin_to_receive();
                while self.take(view, &mut receiving, Deadline::Passed).is_ok() {}
            });
            self.ledger.inspect();
        });
    }
}

impl Scene for Canal {
    fn world(&self) -> &World {
        &self.world
    }

    fn died(&self, _: &Attachment) {}
}
