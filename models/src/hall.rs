//! The scene of the barrier's models: a hall whose door opens when all have come, and a ledger
//! beside it of what is true.

use core::cell::{Cell, RefCell};
use std::rc::Rc;

use loom::cell::Cell as Modelled;
use loom::sync::atomic as modelled;

use crate::barrier::{BarrierWords, WORDS_PER_PARTY};
use crate::barrier_bits;
use crate::cell::{AtomicU32, AtomicU64, Deadline, Error, Ordering};
use crate::inner::InnerWord;
use crate::life::{self, Attachment, Clock, Scene, Stop, World, act_as};
use crate::sleepers::Slices;

/// What each party writes before it comes, all of them read when they have passed; loom notes it
/// when a read is not ordered after the write.
pub(crate) struct Hall {
    world: World,
    guard: InnerWord,
    state: AtomicU32,
    begun: AtomicU64,
    row: Vec<AtomicU64>,
    /// By the slot of who writes it.
    written: [Modelled<u32>; SLOT_COUNT],
    action: Modelled<u32>,
    /// Slots of those whose writes are seen by who passes; nobody's where anybody may be a party.
    roster: Cell<&'static [usize]>,
    /// What those who came back were told.
    answers: RefCell<Vec<Result<u32, Error>>>,
    action_runs: Cell<u32>,
    /// By which who sets the scene sees what all others did.
    ended: modelled::AtomicU32,
    /// Whether somebody aborts when it is known that a dead party never came.
    has_supervisor: Cell<bool>,
}

const SLOT_COUNT: usize = 7;

fn slot(at: &Attachment) -> usize {
    at.token() as usize % (1 << 10)
}

impl Hall {
    pub(crate) fn new(slices: Slices, parties: usize) -> Rc<Self> {
        Self::with_clock(slices, parties, Clock::Deaths(modelled::AtomicU32::new(0)))
    }

    /// A hall in which each arrival is long ago.
    pub(crate) fn of_the_slow(slices: Slices, roster: &'static [usize]) -> Rc<Self> {
        let hall = Self::with_clock(slices, roster.len(), Clock::Looks(Cell::new(0)));
        hall.roster.set(roster);
        hall
    }

    fn with_clock(slices: Slices, parties: usize, clock: Clock) -> Rc<Self> {
        Rc::new(Self {
            world: World::new(slices).with_clock(clock),
            guard: InnerWord::free(),
            state: AtomicU32::new(0),
            begun: AtomicU64::new(0),
            row: (0..parties * WORDS_PER_PARTY).map(|_| AtomicU64::new(0)).collect(),
            written: core::array::from_fn(|_| Modelled::new(0)),
            action: Modelled::new(0),
            roster: Cell::new(&[]),
            answers: RefCell::new(Vec::new()),
            action_runs: Cell::new(0),
            ended: modelled::AtomicU32::new(0),
            has_supervisor: Cell::new(true),
        })
    }

    /// A hall in which those in these slots are all the parties of the first round.
    pub(crate) fn with_roster(slices: Slices, roster: &'static [usize]) -> Rc<Self> {
        let hall = Self::new(slices, roster.len());
        hall.roster.set(roster);
        hall
    }

    /// A hall in which nobody aborts when it is known that a dead party never came.
    pub(crate) fn without_supervisor(slices: Slices, parties: usize) -> Rc<Self> {
        let hall = Self::new(slices, parties);
        hall.has_supervisor.set(false);
        hall
    }

    pub(crate) fn words(&self) -> BarrierWords<'_> {
        BarrierWords { guard: &self.guard, state: &self.state, begun: &self.begun, row: &self.row }
    }

    /// Makes a process a member, before it has made its first step; nobody need abort for it.
    pub(crate) fn make_member(&self, at: &Attachment, place: usize) {
        let member = &self.row[2 * self.words().parties() + place];
        member.store(at.token().into(), Ordering::Relaxed);
        self.has_supervisor.set(false);
    }

    /// Writes, comes, and if it passes reads what the others wrote.
    pub(crate) fn come(&self, at: &Attachment, deadline: Deadline) -> Result<u32, Error> {
        self.come_for(at, deadline, 1)
    }

    pub(crate) fn come_for(
        &self,
        at: &Attachment,
        deadline: Deadline,
        round: u32,
    ) -> Result<u32, Error> {
        self.write(at, round);
        let misses = self.misses_a_party();
        let answer = self.words().wait(at, deadline, None);
        assert!(!misses || answer.is_err(), "passed with one that was seen dead before");
        self.note(answer, round)
    }

    /// The same with an action, in which it can be stopped twice.
    pub(crate) fn come_and_act(&self, at: &Attachment, deadline: Deadline) -> Result<u32, Error> {
        self.write(at, 1);
        let mut action = || {
            self.action_runs.set(self.action_runs.get() + 1);
            self.roster.get().iter().for_each(|slot| assert_eq!(self.written[*slot].get(), 1));
            life::step();
            self.action.set(self.action.get() + 1);
            life::step();
            true
        };
        let misses = self.misses_a_party();
        let answer = self.words().wait(at, deadline, Some(&mut action));
        assert!(!misses || answer.is_err(), "passed with one that was seen dead before");
        if answer.is_ok() && !self.roster.get().is_empty() {
            assert_eq!(self.action.get(), 1, "passed before the action was over");
        }
        self.note(answer, 1)
    }

    fn write(&self, at: &Attachment, round: u32) {
        life::step();
        self.written[slot(at)].set(round);
    }

    /// Whether the death of who has this slot can be seen by now.
    pub(crate) fn is_seen_dead(&self, slot: usize) -> bool {
        self.world.is_seen_dead(slot)
    }

    /// How often anybody has asked whether another is dead.
    pub(crate) fn questions(&self) -> u32 {
        self.world.questions()
    }

    /// Whether somebody is seen dead by now without whom nobody can pass that has not come yet.
    fn misses_a_party(&self) -> bool {
        self.roster.get().iter().any(|slot| self.world.is_seen_dead(*slot))
    }

    fn note(&self, answer: Result<u32, Error>, round: u32) -> Result<u32, Error> {
        if answer.is_ok() {
            for slot in self.roster.get() {
                assert_eq!(self.written[*slot].get(), round, "passed before all had come");
            }
        }
        self.answers.borrow_mut().push(answer);
        answer
    }

    /// What was told to those who came back, and forgets it.
    pub(crate) fn answers(&self) -> Vec<Result<u32, Error>> {
        self.answers.take()
    }

    /// All passed with numbers of their own, or all were told that it is broken. Says which.
    pub(crate) fn agreed(&self) -> bool {
        let answers = self.answers();
        let mut numbers: Vec<_> = answers.iter().filter_map(|answer| answer.ok()).collect();
        let broken = answers.iter().filter(|answer| **answer == Err(Error::BarrierBroken)).count();
        assert_eq!(numbers.len() + broken, answers.len(), "answers: {answers:?}");
        assert!(numbers.is_empty() || broken == 0, "they do not agree: {answers:?}");
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len() + broken, answers.len(), "a number was given twice: {answers:?}");
        broken == 0
    }

    pub(crate) fn action_runs(&self) -> u32 {
        self.action_runs.get()
    }

    pub(crate) fn all_ended(&self) {
        self.world.all_ended();
        // Acquire pairs with the Release in `note_end`: what they did is seen from here on.
        self.ended.fetch_or(0, Ordering::Acquire);
    }

    /// When all have ended: nobody who lives has a cell left, and a reset makes it whole.
    pub(crate) fn inspect(self: &Rc<Self>) {
        self.all_ended();
        for cell in self.words().cells() {
            let found = cell.load(Ordering::Relaxed);
            let owner = barrier_bits::token(found) as usize % (1 << 10);
            let is_in_order = barrier_bits::is_free(found) || owner < life::CONDEMNED_COUNT;
            assert!(is_in_order, "a cell was left behind: {found:#x}");
        }
        let at = Attachment::new(self, None);
        act_as(&at, || {
            assert_eq!(self.words().reset(&at), Ok(()));
            assert_eq!(self.words().waiting(&at), Ok(0));
            assert!(!self.words().is_broken());
        });
    }

    /// [`inspect`](Self::inspect); then two more meet. For two parties.
    pub(crate) fn inspect_and_meet(self: &Rc<Self>) {
        self.inspect();
        self.roster.set(&[]);
        self.answers.take();
        for _ in 0..2 {
            start(self, |hall, at| {
                let _ = hall.come_for(at, Deadline::Never, 0);
            });
        }
        self.all_ended();
        assert!(self.agreed(), "the next round");
    }

    fn note_end(&self) {
        self.ended.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether this process has come, or is a member: then its death must be noticed.
    fn stands_somewhere(&self, at: &Attachment) -> bool {
        // Relaxed: what this process wrote itself.
        let found = |word: &AtomicU64| barrier_bits::token(word.load(Ordering::Relaxed));
        let stands = |word: &AtomicU64| found(word) == at.token();
        self.row.iter().any(stands)
    }
}

/// Starts a process that nobody kills.
pub(crate) fn start(hall: &Rc<Hall>, body: impl FnOnce(&Hall, &Attachment) + 'static) {
    start_as(hall, &Attachment::new(hall, None), body);
}

/// Starts a process that is stopped where `stop` says, if it comes there.
pub(crate) fn condemn(
    hall: &Rc<Hall>,
    stop: Stop,
    body: impl FnOnce(&Hall, &Attachment) + 'static,
) {
    start_as(hall, &Attachment::new(hall, Some(stop)), body);
}

/// Starts a process under a registration made before.
pub(crate) fn start_as(
    hall: &Rc<Hall>,
    at: &Attachment,
    body: impl FnOnce(&Hall, &Attachment) + 'static,
) {
    life::start_as(hall, at, |hall, at| {
        body(hall, at);
        hall.note_end();
    });
}

impl Scene for Hall {
    fn world(&self) -> &World {
        &self.world
    }

    /// Somebody knows that the dead one will not come, if it stands nowhere, and aborts.
    fn died(&self, at: &Attachment) {
        if self.has_supervisor.get() && !self.stands_somewhere(at) {
            assert_eq!(self.words().abort(), Ok(()));
        }
        self.note_end();
    }
}
