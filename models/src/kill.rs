//! Runs a model in every interleaving, and with a kill at every step.

use core::cell::Cell;
use std::panic::{UnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use crate::life::Stop;

std::thread_local! {
    static KILLS: [Cell<usize>; 2] = const { [Cell::new(0), Cell::new(0)] };
    static INTERLEAVINGS: Cell<usize> = const { Cell::new(0) };
}

/// What was run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Swept {
    /// At how many steps the first victim was killed, and was in at least one interleaving.
    pub(crate) steps: usize,
    /// The most steps at which the second was, over all deaths of the first.
    pub(crate) second_steps: usize,
    pub(crate) interleavings: usize,
}

/// Notes that a kill was made.
pub(crate) fn made(stop: Stop) {
    KILLS.with(|kills| kills[stop.victim].set(kills[stop.victim].get() + 1));
}

/// All interleavings, whatever it takes.
pub(crate) const ALL: Option<usize> = None;

/// Accesses of all processes in one interleaving, beyond which somebody is taken to go round in
/// circles.
const MAX_BRANCHES_COUNT: usize = 5_000;

/// Loom maps and unmaps a stack for each thread of each interleaving, and the kernel makes the
/// program's other threads wait for that: two models side by side take longer than one by one.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Runs `model` in every interleaving with at most `preemptions` switches away from a thread that
/// could have gone on.
pub(crate) fn every_interleaving(
    preemptions: Option<usize>,
    model: impl Fn() + Send + Sync + 'static,
) -> Swept {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    INTERLEAVINGS.set(0);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.max_branches = MAX_BRANCHES_COUNT;
    builder.check(move || {
        INTERLEAVINGS.set(INTERLEAVINGS.get() + 1);
        model();
    });
    Swept { interleavings: INTERLEAVINGS.take(), ..Swept::default() }
}

/// Runs `model` with its victim killed before step 0, 1, … until no interleaving comes that far.
pub(crate) fn at_every_step(
    preemptions: Option<usize>,
    model: impl Fn(Stop) + Clone + Send + Sync + 'static,
) -> Swept {
    let mut swept = Swept::default();
    loop {
        let (stop, model) = (Stop { victim: 0, at: swept.steps }, model.clone());
        swept.add(every_interleaving(preemptions, move || model(stop)));
        if take_kills(0) == 0 {
            return swept;
        }
        swept.steps += 1;
    }
}

/// Runs `model` with both its victims killed, the second at every step for every step of the first.
pub(crate) fn at_every_two_steps(
    preemptions: Option<usize>,
    model: impl Fn(Stop, Stop) + Clone + Send + Sync + 'static,
) -> Swept {
    let mut swept = Swept::default();
    loop {
        let first = Stop { victim: 0, at: swept.steps };
        for at in 0.. {
            let (second, model) = (Stop { victim: 1, at }, model.clone());
            swept.add(every_interleaving(preemptions, move || model(first, second)));
            swept.second_steps = swept.second_steps.max(at);
            if take_kills(1) == 0 {
                break;
            }
        }
        if take_kills(0) == 0 {
            return swept;
        }
        swept.steps += 1;
    }
}

impl Swept {
    fn add(&mut self, other: Self) {
        self.interleavings += other.interleavings;
    }

    /// Prints the counts, and checks at how many steps the victims were killed: a kill that is no
    /// longer made, or a step that came without its comment, is noticed here.
    pub(crate) fn expect(self, name: &str, steps: usize, second_steps: usize) {
        println!("{name}: {self:?}");
        assert_eq!((self.steps, self.second_steps), (steps, second_steps), "{name}");
        assert!(self.interleavings > 1, "{name}: nothing ran at the same time");
    }
}

/// What `model`, in which a fault has been planted, fails with.
pub(crate) fn failure(model: impl FnOnce() -> Swept + UnwindSafe) -> Option<String> {
    let payload = catch_unwind(model).err();
    take_kills(0);
    take_kills(1);
    payload.map(|payload| match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(other) => (*other.downcast::<&str>().expect("panics carry text")).to_owned(),
    })
}

fn take_kills(victim: usize) -> usize {
    KILLS.with(|kills| kills[victim].take())
}
