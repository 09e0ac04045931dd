//! The scene of the models of a mailbox: an owner, its worker, room for one output. Whoever comes
//! after a dead worker is played by the owner, which starts it after the death.

use core::cell::Cell;
use core::ops::Range;
use std::rc::Rc;

use super::cell::{AtomicU64, Deadline, EventCount, Ordering::Relaxed, SLOT_COUNT, Wait};
use super::slots::{Body, MailboxWords, Seen, tell};
use crate::life::{Attachment, Scene, World};
use crate::sleepers::Slices;

/// One look comes before the first sleep, however many these are.
const LOOK_COUNT: u32 = 0;

/// No model has more tasks.
const TASK_COUNT: usize = 3;

pub(super) struct Desk {
    world: World,
    words: MailboxWords,
    /// The pool's bell.
    answers: EventCount,
    inputs: [AtomicU64; SLOT_COUNT],
    output: AtomicU64,
    /// Outside of the model, exact, and no steps: which tasks were run, and what was told of them.
    run: [Cell<bool>; TASK_COUNT],
    told: [Cell<Option<Told>>; TASK_COUNT],
}

/// What the owner was told of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Done,
    Lost,
}

/// Where a worker is.
#[derive(Default)]
struct Reader {
    slot: usize,
    put_count: u64,
}

const fn input_of(task: usize) -> u64 {
    task as u64 + 10
}

const fn output_of(task: usize) -> u64 {
    task as u64 + 20
}

impl Desk {
    pub(super) fn new(slices: Slices) -> Rc<Self> {
        Rc::new(Self {
            world: World::with_looks_at_all(slices),
            words: MailboxWords::default(),
            answers: EventCount::default(),
            inputs: core::array::from_fn(|_| AtomicU64::new(0)),
            output: AtomicU64::new(0),
            run: Default::default(),
            told: Default::default(),
        })
    }

    /// A worker's life.
    pub(super) fn work(&self, _: &Attachment) {
        self.words.set_ready();
        let mut reader = Reader::default();
        while self.serve(&mut reader) {}
    }

    /// Takes a task, runs it and answers; false at the end.
    fn serve(&self, reader: &mut Reader) -> bool {
        let next = self.words.next(reader.slot, LOOK_COUNT).expect("nobody refuses a sleep");
        let Some((task, input)) = next else { return false };
        let task = task as usize;
        self.run(task);
        let given = self.inputs[input.at as usize].load(Relaxed); // Relaxed: ordered by W1
        assert_eq!(given, input_of(task), "another's input");
        let fits = |taken_count| (taken_count == reader.put_count).then_some(());
        self.words.room(LOOK_COUNT, fits).expect("nobody refuses a sleep");
        self.output.store(output_of(task), Relaxed); // Relaxed: published by W3
        reader.put_count += 1;
        self.words.done(reader.slot, Body { at: 0, len_bytes: 8 });
        tell(&self.answers, u32::MAX); // W4
        reader.slot = (reader.slot + 1) % SLOT_COUNT;
        true
    }

    fn run(&self, task: usize) {
        assert!(!self.run[task].replace(true), "task {task} was run twice");
    }

    fn hand(&self, slot: usize, task: usize) {
        self.inputs[slot].store(input_of(task), Relaxed); // Relaxed: published by H2
        self.words.hand(slot, task as u32, Body { at: slot as u64, len_bytes: 8 });
    }

    /// An owner's life: hands as many tasks over as there are slots, and each further one when the
    /// oldest is done; then it says that it is over. `worker` names who works.
    pub(super) fn own(&self, at: &Attachment, count: usize, worker: u32) {
        (0..SLOT_COUNT.min(count)).for_each(|task| self.hand(task, task));
        for task in 0..count {
            if !self.is_done(at, task % SLOT_COUNT, worker) {
                return self.bury(task..count);
            }
            self.collect(task % SLOT_COUNT, task);
            if task + SLOT_COUNT < count {
                self.hand(task % SLOT_COUNT, task + SLOT_COUNT);
            }
        }
        self.words.end();
    }

    /// The same of two tasks, of which it takes the younger back, if it still can, for another
    /// worker.
    pub(super) fn own_and_take_back(&self, at: &Attachment, worker: u32) {
        self.hand(0, 0);
        self.hand(1, 1);
        let left_count = if self.words.take_back(1) {
            self.run(1);
            self.tell(1, Told::Done);
            1
        } else {
            2
        };
        for task in 0..left_count {
            assert!(self.is_done(at, task, worker), "nobody died");
            self.collect(task, task);
        }
        self.words.end();
    }

    /// Waits until the task in a slot is done; whether it is, when the worker has died. That is
    /// asked before the last look.
    fn is_done(&self, at: &Attachment, slot: usize, worker: u32) -> bool {
        loop {
            let key = self.answers.prepare();
            if self.words.look(slot) == Seen::Done {
                return true;
            }
            let Ok(is_dead) = at.is_dead(worker, 1);
            if is_dead {
                return self.words.look(slot) == Seen::Done;
            }
            let slept = self.answers.sleep(key, &mut Wait::new(0, Deadline::Never));
            slept.expect("nobody refuses a sleep");
        }
    }

    /// C1 and C2.
    fn collect(&self, slot: usize, task: usize) {
        assert_eq!(self.words.output(slot), Body { at: 0, len_bytes: 8 }, "half an answer");
        // Relaxed: ordered by the look at the state.
        assert_eq!(self.output.load(Relaxed), output_of(task), "another's output");
        self.tell(task, Told::Done);
        self.words.free(slot, 1);
    }

    /// D3 and D4: the worker is dead, and these are not done. What was begun is lost, the others go
    /// to the next worker.
    fn bury(&self, tasks: Range<usize>) {
        let mut unbegun = Vec::new();
        for task in tasks.clone() {
            let was_handed = task < tasks.start + SLOT_COUNT;
            match self.words.look(task % SLOT_COUNT) {
                Seen::Begun if was_handed => self.tell(task, Told::Lost),
                Seen::Done if was_handed => panic!("done behind one that is not"),
                _ => unbegun.push(task),
            }
        }
        self.words.clear();
        let mut next = Reader::default();
        for task in unbegun {
            let slot = next.slot;
            self.hand(slot, task);
            assert!(self.serve(&mut next), "an early end");
            assert_eq!(self.words.look(slot), Seen::Done);
            self.collect(slot, task);
        }
        self.words.end();
        assert!(!self.serve(&mut next), "a task that nobody handed over");
    }

    fn tell(&self, task: usize, told: Told) {
        assert_eq!(self.told[task].replace(Some(told)), None, "task {task} was told twice");
    }

    /// When all have ended: of so many tasks each was told, and what is done was run; so many were
    /// lost at most.
    pub(super) fn inspect(&self, count: usize, lost_max: usize) {
        self.world.all_ended();
        let told: Vec<_> = self.told.iter().map(Cell::get).collect();
        assert!(told[..count].iter().all(Option::is_some), "nobody was told: {told:?}");
        let is_run = |task: usize| told[task] != Some(Told::Done) || self.run[task].get();
        assert!((0..count).all(is_run), "done, and not run");
        let lost_count = told.iter().filter(|told| **told == Some(Told::Lost)).count();
        assert!(lost_count <= lost_max, "{lost_count} were lost");
    }

    /// Whether the worker has said that it takes tasks.
    pub(super) fn is_ready(&self) -> bool {
        self.words.is_ready()
    }
}

impl Scene for Desk {
    fn world(&self) -> &World {
        &self.world
    }

    fn died(&self, _: &Attachment) {}
}
