//! The scene of the queue's models: a queue with room for two messages of a unit each, or one that
//! is longer.

use core::ops::Range;
use std::rc::Rc;

use loom::sync::atomic::{
    AtomicU32,
    Ordering::{Acquire, Release},
};

use super::cell::{AtomicU64, Deadline, Error};
use super::face::Face;
use super::ledger::Ledger;
use super::queue::{Own, QueueWords, Shape, View};
use super::queue_many::Run;
use crate::life::{Attachment, Scene, World, act_as};
use crate::sleepers::Slices;

/// How long the bodies are: of one unit, which is copied under the locks, or of two, outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    Small,
    Large,
}

pub(super) struct Stream {
    world: World,
    words: QueueWords,
    units: Vec<AtomicU64>,
    shape: Shape,
    size: Size,
    pub(super) ledger: Ledger,
    /// By which whoever inspects sees what all have done. No step, and nobody else's to read.
    ends: AtomicU32,
}

/// Two small records, or one large one.
const UNIT_COUNT: u64 = 4;
const BODY_BYTES_MAX: u32 = 16;

impl Stream {
    pub(super) fn new(slices: Slices, size: Size) -> Rc<Self> {
        Self::with_face(slices, size, Face::PLAIN)
    }

    /// One of small messages that counts what was done.
    pub(super) fn joinable(slices: Slices) -> Rc<Self> {
        Self::with_face(slices, Size::Small, Face { is_joinable: true, ..Face::PLAIN })
    }

    fn with_face(slices: Slices, size: Size, face: Face) -> Rc<Self> {
        Rc::new(Self {
            world: World::with_looks_at_all(slices),
            words: QueueWords::zeroed(),
            units: (0..UNIT_COUNT).map(|_| AtomicU64::new(0)).collect(),
            shape: Shape { count_max: 2, size_max: BODY_BYTES_MAX, face },
            size,
            ledger: Ledger::default(),
            ends: AtomicU32::new(0),
        })
    }

    fn view<'a>(&'a self, at: &'a Attachment, own: &'a Own) -> View<'a> {
        View::new(&self.words, &self.units, at, self.shape, own)
    }

    fn body(&self, number: usize) -> Vec<u8> {
        vec![number as u8 + 1; if self.size == Size::Small { 8 } else { 16 }]
    }

    fn number_of(&self, body: &[u8]) -> usize {
        let number = usize::from(body[0]).wrapping_sub(1);
        assert_eq!(body, self.body(number), "a message that nobody put");
        number
    }

    pub(super) fn put(&self, at: &Attachment, number: usize) {
        self.ledger.begin_put(number);
        assert_eq!(self.try_put(at, number, Deadline::Never), Ok(()));
        self.ledger.end_put(number);
    }

    pub(super) fn try_put(
        &self,
        at: &Attachment,
        number: usize,
        mut deadline: Deadline,
    ) -> Result<(), Error> {
        let (own, body) = (Own::default(), self.body(number));
        let view = self.view(at, &own);
        // As a handle does it: the quick way first, and behind it the one that does all.
        let put = if view.put_now(&body) { Ok(()) } else { view.put(&body, &mut deadline) };
        self.show();
        put
    }

    /// The number of the next message, which nobody else has had.
    pub(super) fn get(&self, at: &Attachment) -> usize {
        self.try_get(at, Deadline::Never).expect("no limit, not shut")
    }

    pub(super) fn try_get(&self, at: &Attachment, mut deadline: Deadline) -> Result<usize, Error> {
        let (own, mut body) = (Own::default(), [0; BODY_BYTES_MAX as usize]);
        let view = self.view(at, &own);
        self.ledger.begin_get();
        let got = match view.get_now(&mut body) {
            Some(len) => Ok(len),
            None => view.get(&mut body, &mut deadline),
        };
        self.ledger.end_get();
        self.show();
        let number = self.number_of(&body[..got?]);
        self.ledger.have(number);
        Ok(number)
    }

    /// Gets until a message of this number has come.
    pub(super) fn get_until(&self, at: &Attachment, number: usize) {
        while self.get(at) != number {}
    }

    /// Puts these, as many at once as there is room for, unless it is shut.
    pub(super) fn put_many(&self, at: &Attachment, numbers: Range<usize>) {
        let own = Own::default();
        let bodies: Vec<_> = numbers.clone().map(|number| self.body(number)).collect();
        let bodies: Vec<_> = bodies.iter().map(Vec::as_slice).collect();
        numbers.clone().for_each(|number| self.ledger.begin_put(number));
        let mut count = 0;
        while count < bodies.len() {
            match self.view(at, &own).put_run(&bodies[count..], &mut Deadline::Never) {
                Ok(more) => count += more,
                told => return assert_eq!(told, Err(Error::Closed), "there is no limit"),
            }
        }
        numbers.for_each(|number| self.ledger.end_put(number));
        self.show();
    }

    /// The numbers of the next messages, two at most, which nobody else has had.
    pub(super) fn get_two(&self, at: &Attachment) -> Vec<usize> {
        let (own, mut bytes, mut ends) = (Own::default(), [0; 16], Vec::with_capacity(2));
        self.ledger.begin_get_many(2);
        let run = Run { bytes: &mut bytes, ends: &mut ends, count_max: 2 };
        self.view(at, &own).get_run(run, &mut Deadline::Never).expect("no limit, not shut");
        self.ledger.end_get_many(2);
        self.show();
        let starts = [0].into_iter().chain(ends.iter().copied());
        let numbers = starts.zip(&ends).map(|(start, end)| self.number_of(&bytes[start..*end]));
        numbers.inspect(|number| self.ledger.have(*number)).collect()
    }

    pub(super) fn mark(&self, at: &Attachment) {
        assert_eq!(self.view(at, &Own::default()).mark(), Ok(()));
        self.show();
    }

    pub(super) fn join(&self, at: &Attachment) {
        assert_eq!(self.view(at, &Own::default()).join(&mut Deadline::Never), Ok(()));
    }

    pub(super) fn shut(&self, at: &Attachment) {
        assert_eq!(self.view(at, &Own::default()).shut(), Ok(()));
        self.show();
    }

    /// Reserves a place, and commits it.
    pub(super) fn put_in_place(&self, at: &Attachment, number: usize) {
        let (own, body) = (Own::default(), self.body(number));
        let view = self.view(at, &own);
        self.ledger.begin_put(number);
        let place = view.reserve(body.len(), &mut Deadline::Never).expect("no limit, not shut");
        view.write_at(place, &body);
        assert_eq!(view.commit(place, body.len(), at.token()), Ok(()));
        self.ledger.end_put(number);
        self.show();
    }

    /// Reserves a place of which nothing comes.
    pub(super) fn reserve_and_drop(&self, at: &Attachment) {
        let own = Own::default();
        let view = self.view(at, &own);
        let place = view.reserve(8, &mut Deadline::Never).expect("no limit, not shut");
        view.abandon(place, 8, at.token());
        self.show();
    }

    /// Borrows a message, looks at it, and takes it.
    pub(super) fn borrow(&self, at: &Attachment) -> usize {
        let own = Own::default();
        let view = self.view(at, &own);
        let found = view.borrow(&mut Deadline::Never).expect("no limit, not shut");
        let mut body = vec![0; found.len];
        view.read_at(found.place(), &mut body);
        let number = self.number_of(&body);
        self.ledger.begin_get();
        assert_eq!(view.finish_borrow(found, at.token()), Ok(()));
        self.ledger.end_get();
        self.ledger.have(number);
        self.show();
        number
    }

    fn show(&self) {
        self.ends.fetch_add(1, Release); // pairs with the Acquire in `inspect`
    }

    /// When all have ended: what is inside can be taken, nothing is lost or double, and there is
    /// the room that there was at first.
    pub(super) fn inspect(self: &Rc<Self>) {
        self.world.all_ended();
        self.ends.fetch_add(0, Acquire); // pairs with the Release in `show`
        let at = Attachment::new(self, None);
        act_as(&at, || {
            self.world.sees_the_dead();
            while self.try_get(&at, Deadline::Passed).is_ok() {}
            self.ledger.inspect();
            let put = |number| self.try_put(&at, number, Deadline::Passed);
            if put(0) == Err(Error::Closed) {
                return;
            }
            let more = if self.size == Size::Small { put(1) } else { Ok(()) };
            assert_eq!((more, put(2)), (Ok(()), Err(Error::Full)), "the room is another");
        });
    }
}

impl Scene for Stream {
    fn world(&self) -> &World {
        &self.world
    }

    fn died(&self, _: &Attachment) {}
}
