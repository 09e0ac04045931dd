//! Processes and their deaths. A process is a thread with a token; a kill is a thread that stops
//! before one of its steps, unwinds to its own beginning and has its death published there. The
//! words have nothing that is dropped on the way, so nothing happens to them after the last step.

use core::any::Any;
use core::cell::{Cell, RefCell};
use core::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread::Thread;

use crate::fault::{self, Fault};
use crate::kill;
use crate::sleepers::{Sleepers, Slices};

/// Condemned processes have the first slots, the others those behind.
pub(crate) const CONDEMNED_COUNT: usize = 2;
const SLOT_MASK: u32 = (1 << 10) - 1;
const FIRST_GENERATION: u32 = 1 << 10;

loom::thread_local! {
    /// The process that the running thread is, none in the thread that sets the scene.
    static LIFE: RefCell<Option<Rc<Life>>> = RefCell::new(None);
    /// Which thread of its process that is.
    static THREAD: Cell<u32> = Cell::new(FIRST_THREAD);
}

const FIRST_THREAD: u32 = 1;

/// Where a condemned process is stopped: before its step number `at`, counted from 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stop {
    /// Which of the condemned it is.
    pub(crate) victim: usize,
    pub(crate) at: usize,
}

/// What all processes of a model share, the words apart.
pub(crate) struct World {
    pub(crate) sleepers: Sleepers,
    /// Whether a death is seen by the second opinion only, as when a child that foreign code made
    /// keeps the dead one's byte locked.
    is_byte_kept: bool,
    /// Whether a question about one process counts as the look that each death gives to all. It
    /// does not for who waits for more than one word.
    is_question_a_look: bool,
    dead: [AtomicU32; CONDEMNED_COUNT],
    clock: Clock,
    /// Whose deaths can be seen, by the slot. Not modelled: for claims about what is so now.
    seen_dead: Cell<[bool; CONDEMNED_COUNT]>,
    /// How often one has asked about the life of another.
    questions: Cell<u32>,
    next_slot: Cell<usize>,
    running: Cell<usize>,
    director: Thread,
}

/// What a process reads when it asks what time it is. Each shows what the other hides.
pub(crate) enum Clock {
    /// So little time passes that nobody can be seen dead who ran before; only a death that is
    /// about to be seen moves it on.
    Deaths(AtomicU32),
    /// So much time passes between two looks at it that what was is long ago.
    Looks(Cell<u64>),
}

/// A model's stage: words, and what is to be noted when a process dies in them.
pub(crate) trait Scene: 'static {
    fn world(&self) -> &World;

    /// Called in the victim's thread after its last step, before anybody can know.
    fn died(&self, at: &Attachment);

    /// Called when all can know.
    fn is_buried(&self) {}

    /// Called by a process whose slice is over, after a death: makes it see the latest of what
    /// those who live have written and woken nobody for.
    fn is_seen(&self) {}
}

/// A process's registration, as the words know it.
#[derive(Clone)]
pub(crate) struct Attachment(Rc<Life>);

struct Life {
    token: Cell<u32>,
    thread: u32,
    slot: usize,
    stop: Option<Stop>,
    steps: Cell<usize>,
    is_limit_passed: Cell<bool>,
    /// How many changes there had been when a slice last passed without any, see [`sleep_in`].
    idle_at: Cell<Option<u32>>,
    /// How many deaths there had been when this process last asked whether another is dead.
    deaths_seen: Cell<u32>,
    scene: Rc<dyn Scene>,
}

/// What a stopped process unwinds with.
struct Killed;

/// Counts a step of the running process, or stops it here.
pub(crate) fn step() {
    let Some(life) = current() else { return };
    let step = life.steps.replace(life.steps.get() + 1);
    if let Some(stop) = life.stop
        && stop.at == step
    {
        kill::made(stop);
        resume_unwind(Box::new(Killed));
    }
}

/// Whether the running process has slept with a limit, which passed meanwhile.
pub(crate) fn is_limit_passed() -> bool {
    current().is_some_and(|life| life.is_limit_passed.get())
}

/// A futex wait of the running process: `sleep` gets its world, and how many deaths it knew of. A
/// limit passes in it, whether a wake came or not.
/// Where a death is seen by the second opinion only, a slice passes with nothing to see first.
pub(crate) fn sleep_in(has_limit: bool, sleep: impl FnOnce(&World, u32)) {
    let Some(life) = current() else { panic!("who sets the scene has nobody to wait for") };
    let world = life.scene.world();
    let changes = Some(world.sleepers.changes());
    if !world.is_byte_kept || life.idle_at.replace(changes) == changes {
        // A death ends one sleep of each, whether its sleeper asks who is dead or not.
        let deaths_seen = life.deaths_seen.replace(world.sleepers.deaths());
        sleep(world, deaths_seen);
        if world.sleepers.deaths() != deaths_seen {
            // A slice is long: what was done before is not hidden after it, else it could be so for
            // ever, where nobody does more.
            world.sees_the_dead();
            life.scene.is_seen();
        }
    }
    life.is_limit_passed.set(has_limit);
}

/// What time it is for the running process.
pub(crate) fn now() -> u64 {
    let Some(life) = current() else { panic!("who sets the scene has no clock") };
    match &life.scene.world().clock {
        // A read-modify-write: a clock says what is so now. Relaxed: it orders nothing.
        Clock::Deaths(deaths) => deaths.fetch_or(0, Ordering::Relaxed).into(),
        Clock::Looks(looks) => looks.replace(looks.get() + 1),
    }
}

/// Which thread of its process is running.
pub(crate) fn thread_number() -> u32 {
    THREAD.with(Cell::get)
}

/// The running process's token, 0 if no process is running.
pub(crate) fn running_token() -> u32 {
    current().map_or(0, |life| life.token.get())
}

/// The running process's sleepers, if a process is running.
pub(crate) fn in_world(act: impl FnOnce(&World)) {
    if let Some(life) = current() {
        act(life.scene.world());
    }
}

fn current() -> Option<Rc<Life>> {
    LIFE.with(|life| life.borrow().clone())
}

impl World {
    pub(crate) fn new(slices: Slices) -> Self {
        Self {
            sleepers: Sleepers::new(slices),
            is_byte_kept: false,
            is_question_a_look: true,
            dead: core::array::from_fn(|_| AtomicU32::new(0)),
            clock: Clock::Looks(Cell::new(0)),
            seen_dead: Cell::default(),
            questions: Cell::new(0),
            next_slot: Cell::new(CONDEMNED_COUNT),
            running: Cell::new(0),
            director: loom::thread::current(),
        }
    }

    /// A world in which nobody's byte is free before the second slice.
    pub(crate) fn with_bytes_kept(slices: Slices) -> Self {
        Self { is_byte_kept: true, ..Self::new(slices) }
    }

    /// A world in which each death ends a sleep of each that lives, whatever it has asked before.
    pub(crate) fn with_looks_at_all(slices: Slices) -> Self {
        Self { is_question_a_look: false, ..Self::new(slices) }
    }

    /// The same world with another clock.
    pub(crate) fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Whether the death of who has this slot can be seen by now.
    pub(crate) fn is_seen_dead(&self, slot: usize) -> bool {
        self.seen_dead.get().get(slot).is_some_and(|is_dead| *is_dead)
    }

    pub(crate) fn questions(&self) -> u32 {
        self.questions.get()
    }

    /// Waits until every process has ended. Not by joining: what is awaited must come by the words.
    pub(crate) fn all_ended(&self) {
        if self.running.get() > 0 {
            loom::thread::park();
        }
        assert_eq!(self.running.get(), 0);
    }

    /// Shows the running process what the dead have done.
    pub(crate) fn sees_the_dead(&self) {
        for dead in &self.dead {
            // Acquire and a read-modify-write as in `is_dead`.
            dead.fetch_or(0, Ordering::Acquire);
        }
    }

    fn note_seen_dead(&self, slot: usize) {
        let mut seen_dead = self.seen_dead.get();
        seen_dead[slot] = true;
        self.seen_dead.set(seen_dead);
    }

    fn started(&self) {
        self.running.set(self.running.get() + 1);
    }

    fn ended(&self) {
        self.running.set(self.running.get() - 1);
        if self.running.get() == 0 {
            self.director.unpark();
        }
    }
}

/// Lets the thread that sets the scene be a process for as long as `act` takes.
pub(crate) fn act_as(at: &Attachment, act: impl FnOnce()) {
    LIFE.with(|life| *life.borrow_mut() = Some(Rc::clone(&at.0)));
    THREAD.with(|thread| thread.set(at.0.thread));
    act();
    LIFE.with(|life| *life.borrow_mut() = None);
}

/// Starts a process that nobody kills.
pub(crate) fn start<S: Scene>(scene: &Rc<S>, body: impl FnOnce(&S, &Attachment) + 'static) {
    launch(scene, &Attachment::new(scene, None), body);
}

/// Starts a process, or another thread of one, under a registration made before.
pub(crate) fn start_as<S: Scene>(
    scene: &Rc<S>,
    at: &Attachment,
    body: impl FnOnce(&S, &Attachment) + 'static,
) {
    launch(scene, at, body);
}

/// Starts a process that is stopped where `stop` says, if it comes there.
pub(crate) fn condemn<S: Scene>(
    scene: &Rc<S>,
    stop: Stop,
    body: impl FnOnce(&S, &Attachment) + 'static,
) {
    launch(scene, &Attachment::new(scene, Some(stop)), body);
}

fn launch<S: Scene>(scene: &Rc<S>, at: &Attachment, body: impl FnOnce(&S, &Attachment) + 'static) {
    scene.world().started();
    let (scene, at) = (Rc::clone(scene), at.clone());
    loom::thread::spawn(move || {
        let end = catch_unwind(AssertUnwindSafe(|| {
            act_as(&at, || {
                body(&scene, &at);
                step(); // so that a process is also killed after its last access
            });
        }));
        if let Err(payload) = end {
            bury(&*scene, &at, payload);
        }
        scene.world().ended();
    });
}

/// The kernel's part in a kill. What unwinds otherwise is a model that fails.
fn bury(scene: &dyn Scene, at: &Attachment, payload: Box<dyn Any + Send>) {
    if !payload.is::<Killed>() {
        resume_unwind(payload);
    }
    LIFE.with(|life| *life.borrow_mut() = None);
    scene.died(at);
    let world = scene.world();
    // Before it can be seen: the kernel takes longer than a death is said to be unseen.
    if let Clock::Deaths(deaths) = &world.clock {
        deaths.fetch_add(1, Ordering::Relaxed); // as in `now`
    }
    // Release pairs with the Acquire in `is_dead`: the kernel frees the lock byte after the last
    // instruction of its process, and whoever finds it free asked the kernel later. A swap and not
    // a store: questions and deaths have one order, and who asks after a death is told.
    world.dead[at.0.slot].swap(1, Ordering::Release);
    world.note_seen_dead(at.0.slot);
    scene.is_buried();
    world.sleepers.note_death();
}

impl Life {
    fn new(token: u32, thread: u32, slot: usize, stop: Option<Stop>, scene: Rc<dyn Scene>) -> Self {
        Self {
            token: Cell::new(token),
            thread,
            slot,
            stop,
            steps: Cell::new(0),
            is_limit_passed: Cell::new(false),
            idle_at: Cell::new(None),
            deaths_seen: Cell::new(0),
            scene,
        }
    }
}

impl Attachment {
    /// Registers a process in the scene: the condemned in the slot of their own.
    pub(crate) fn new<S: Scene>(scene: &Rc<S>, stop: Option<Stop>) -> Self {
        let slot = stop.map_or_else(
            || scene.world().next_slot.replace(scene.world().next_slot.get() + 1),
            |stop| stop.victim,
        );
        let token = FIRST_GENERATION | u32::try_from(slot).expect("slots are few");
        Self::with_token(scene, stop, slot, token)
    }

    /// A process whose token is 0, as in a forked child before its first operation.
    pub(crate) fn forked<S: Scene>(scene: &Rc<S>) -> Self {
        let at = Self::new(scene, None);
        at.0.token.set(0);
        at
    }

    /// Another thread of the same process. For processes that nobody kills: their threads would all
    /// be stopped at once.
    pub(crate) fn another_thread(&self) -> Self {
        let Life { token, thread, slot, stop, scene, .. } = &*self.0;
        assert!(stop.is_none(), "a thread cannot be killed alone");
        Self(Rc::new(Life::new(token.get(), thread + 1, *slot, None, Rc::clone(scene))))
    }

    /// A peer with a token that no registration gives.
    pub(crate) fn forged<S: Scene>(scene: &Rc<S>, token: u32) -> Self {
        Self::with_token(scene, None, 0, token)
    }

    fn with_token<S: Scene>(scene: &Rc<S>, stop: Option<Stop>, slot: usize, token: u32) -> Self {
        let scene = Rc::clone(scene) as Rc<dyn Scene>;
        Self(Rc::new(Life::new(token, FIRST_THREAD, slot, stop, scene)))
    }

    /// Not a step: the token lies in a page of the process's own.
    pub(crate) fn token(&self) -> u32 {
        self.0.token.get()
    }

    pub(crate) fn slot(&self) -> usize {
        self.0.slot
    }

    /// Whether somebody kills it.
    pub(crate) fn is_condemned(&self) -> bool {
        self.0.stop.is_some()
    }

    pub(crate) fn token_or_register(&self) -> Result<u32, Infallible> {
        if self.token() == 0 {
            self.0.token.set(FIRST_GENERATION | u32::try_from(self.0.slot).expect("few slots"));
        }
        Ok(self.token())
    }

    fn note_question(&self) {
        let world = self.0.scene.world();
        if world.is_question_a_look {
            self.0.deaths_seen.set(world.sleepers.deaths());
        }
    }

    /// One step, since it is one system call; who was never condemned lives.
    pub(crate) fn is_dead(&self, token: u32, slices: u32) -> Result<bool, Infallible> {
        let world = self.0.scene.world();
        self.note_question();
        if token == self.token() {
            return Ok(false);
        }
        step();
        self.note_question();
        world.questions.set(world.questions.get() + 1);
        if fault::is(Fault::DeadTooEarly) {
            return Ok(true);
        }
        let slices = if fault::is(Fault::SecondOpinionForgotten) { 0 } else { slices };
        if fault::is(Fault::NeverDead) || (world.is_byte_kept && slices == 0) {
            return Ok(false);
        }
        let slot = (token & SLOT_MASK) as usize;
        // Acquire pairs with the Release in `bury`. A read-modify-write and not a load: the kernel
        // answers with what is so now.
        Ok(world.dead.get(slot).is_some_and(|dead| dead.fetch_or(0, Ordering::Acquire) != 0))
    }
}
