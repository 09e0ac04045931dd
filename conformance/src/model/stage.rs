//! A plan as it is played in the model: who holds what, who waits for what, and under which names.
//!
//! When one of several waiters is let in, nobody knows which. The script calls it `w1` from there
//! on; here it is the first of them, and since the model treats all alike, whoever it is in truth
//! goes the same way. Those of whom nobody knows any more whether they still wait have no name, and
//! no move, until they are let in themselves.

use serde_json::{Map, Value};

use super::ground::Ground;
use super::lock::{Hold, Limit, LockCall, LockState, Op, Release, Told};
use super::plan::{Move, SHORT_NANOS, What};
use super::{Actor, Model};
use crate::script::{
    Action, ActorLine, Arguments, Expected, Moment, ObjectLine, Origin, Outcome, Script, Span,
    Statement, Step, Target,
};

/// The state of the play.
pub(super) struct Stage<'a> {
    ground: &'a Ground,
    locks: Vec<LockState>,
    slots: Vec<Slot>,
    /// For each lock the names behind `one of`, while it is open who of them still waits.
    crowds: Vec<Vec<String>>,
    process_count: u32,
    winner_count: u32,
    script: Script,
}

struct Slot {
    /// None while nobody knows which of several it is.
    name: Option<String>,
    /// It has a name of its own no more, but one from behind `as` or `other`.
    has_won: bool,
    actor: Actor,
    doing: Doing,
    /// The locks that it has no handle of any more.
    dropped: Vec<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    Nothing,
    Waits { lock: usize, call: LockCall },
    Dead,
}

impl<'a> Stage<'a> {
    pub(super) fn new(ground: &'a Ground, slot_count: usize, lock_count: usize) -> Self {
        let mut stage = Self {
            ground,
            locks: vec![ground.model.new_state(); lock_count],
            slots: Vec::new(),
            crowds: vec![Vec::new(); lock_count],
            process_count: 0,
            winner_count: 0,
            script: Script { objects: Vec::new(), actors: Vec::new(), steps: Vec::new() },
        };
        for (place, name) in SLOT_NAMES.iter().enumerate().take(slot_count) {
            let actor = stage.new_actor(place);
            let name = Some((*name).to_owned());
            let doing = Doing::Nothing;
            stage.slots.push(Slot { name, has_won: false, actor, doing, dropped: Vec::new() });
        }
        stage
    }

    /// Plays a move, and says whether it made sense.
    pub(super) fn play(&mut self, step: Move) -> bool {
        let Some(slot) = self.slots.get(step.slot) else { return false };
        let (Some(name), doing) = (slot.name.clone(), slot.doing) else { return false };
        let has_come = match (step.what, doing) {
            (What::Call { lock, op }, Doing::Nothing) => self.call(step.slot, &name, lock, op),
            (What::Drop { lock }, Doing::Nothing) => self.drop_handle(step.slot, &name, lock),
            (What::Kill, Doing::Nothing | Doing::Waits { .. }) => {
                self.kill(step.slot, &name, doing)
            }
            (What::Exit { code }, Doing::Nothing) => {
                self.end(step.slot, &name, Statement::Exit { code })
            }
            (What::Abort, Doing::Nothing) => self.end(step.slot, &name, Statement::Abort),
            (What::Fresh, Doing::Dead) => self.fresh(step.slot, name),
            _ => false,
        };
        if has_come {
            self.settle();
        }
        has_come
    }

    /// Where the holder of a lock is.
    pub(super) fn holder(&self, lock: usize) -> Option<usize> {
        let Hold::By(holder) = self.locks.get(lock)?.hold else { return None };
        self.slots.iter().position(|slot| slot.actor == holder)
    }

    /// Where somebody dead is.
    pub(super) fn dead(&self) -> Option<usize> {
        self.slots.iter().position(|slot| slot.doing == Doing::Dead)
    }

    /// Whether an owner died, and nobody has vouched for the data since.
    pub(super) fn is_suspect(&self, lock: usize) -> bool {
        self.locks.get(lock).is_some_and(|state| state.is_suspect)
    }

    pub(super) fn into_script(mut self) -> Script {
        let names = LOCK_NAMES[..self.locks.len()].iter();
        self.script.objects = names.map(|name| object(name, &self.ground.kind)).collect();
        let names = SLOT_NAMES[..self.slots.len()].iter();
        self.script.actors = names.map(|name| actor(name, !self.ground.has_threads())).collect();
        self.script
    }

    fn new_actor(&mut self, place: usize) -> Actor {
        if self.ground.has_threads() {
            return Actor { process: 0, thread: u32::try_from(place).unwrap_or(u32::MAX) };
        }
        self.process_count += 1;
        Actor::process(self.process_count)
    }

    fn call(&mut self, place: usize, name: &str, lock: usize, op: Op) -> bool {
        let slot = &self.slots[place];
        let call = LockCall { by: slot.actor, op };
        let is_possible = lock < self.locks.len() && self.ground.offers(op);
        if !is_possible || slot.dropped.contains(&lock) {
            return false;
        }
        let next = self.ground.model.step(&self.locks[lock], &call);
        let Some((_, state)) = next.first().copied() else {
            return self.wait(place, name, lock, call);
        };
        if next.iter().any(|(_, other)| *other != state) {
            return false;
        }
        self.locks[lock] = state;
        let told: Vec<Told> = next.iter().map(|(told, _)| *told).collect();
        self.add(call_step(name, lock, op, expected(&told, op)));
        true
    }

    fn wait(&mut self, place: usize, name: &str, lock: usize, call: LockCall) -> bool {
        let has_won = |place: usize| self.slots[place].has_won;
        let is_open = (0..self.slots.len()).any(|other| self.waits(other, lock) && has_won(other));
        if has_won(place) || is_open {
            // Behind `one of` stand the names that were declared, which are known no more.
            return false;
        }
        if self.waits_for_itself(lock, call) && call.op != Op::Acquire(Limit::Long) {
            // It would be stuck until it is killed; that is drawn often enough with a long limit.
            return false;
        }
        self.slots[place].doing = Doing::Waits { lock, call };
        self.add(call_step(name, lock, call.op, Expected::BLOCKED));
        true
    }

    /// Nobody but the caller could let it in.
    fn waits_for_itself(&self, lock: usize, call: LockCall) -> bool {
        let is_own = self.locks[lock].hold == Hold::By(call.by);
        is_own && self.ground.model.release == Release::ByHolder
    }

    fn drop_handle(&mut self, place: usize, name: &str, lock: usize) -> bool {
        let slot = &mut self.slots[place];
        if !self.ground.can_drop || lock >= self.locks.len() || slot.dropped.contains(&lock) {
            return false;
        }
        slot.dropped.push(lock);
        let by = slot.actor;
        self.leave(lock, by);
        let program = vec![Statement::Drop { object: LOCK_NAMES[lock].to_owned() }];
        let expected = outcomes(&[Told::Ok], None);
        self.add(Action::Run { actor: name.to_owned(), program, expected });
        true
    }

    fn kill(&mut self, place: usize, name: &str, doing: Doing) -> bool {
        if !self.ground.has_deaths {
            return false;
        }
        let waits = matches!(doing, Doing::Waits { .. });
        let moment = if waits { Moment::WhenBlocked } else { Moment::Now };
        self.add(Action::Kill { actor: name.to_owned(), moment });
        self.die(place);
        true
    }

    fn end(&mut self, place: usize, name: &str, statement: Statement) -> bool {
        if !self.ground.can_end {
            return false;
        }
        let (actor, program) = (name.to_owned(), vec![statement]);
        self.add(Action::Run { actor, program, expected: Expected::Gone { ended: None } });
        self.die(place);
        true
    }

    fn die(&mut self, place: usize) {
        self.slots[place].doing = Doing::Dead;
        let by = self.slots[place].actor;
        for lock in 0..self.locks.len() {
            self.leave(lock, by);
        }
    }

    fn leave(&mut self, lock: usize, by: Actor) {
        let gone = self.ground.model.step(&self.locks[lock], &LockCall { by, op: Op::Gone });
        self.locks[lock] = gone[0].1;
    }

    fn fresh(&mut self, place: usize, name: String) -> bool {
        let actor = self.new_actor(place);
        let slot = &mut self.slots[place];
        slot.actor = actor;
        slot.doing = Doing::Nothing;
        slot.dropped.clear();
        self.add(Action::Fresh { actor: name });
        true
    }

    /// Lets in whoever can be let in now.
    fn settle(&mut self) {
        for lock in 0..self.locks.len() {
            while !matches!(self.locks[lock].hold, Hold::By(_)) && self.let_one_in(lock) {}
        }
    }

    fn let_one_in(&mut self, lock: usize) -> bool {
        let waiting: Vec<usize> = (0..self.slots.len()).filter(|p| self.waits(*p, lock)).collect();
        let Some(first) = waiting.first().copied() else { return false };
        let Doing::Waits { call, .. } = self.slots[first].doing else { return false };
        let next = self.ground.model.step(&self.locks[lock], &call);
        let Some((told, state)) = next.first().copied() else { return false };
        self.locks[lock] = state;
        self.slots[first].doing = Doing::Nothing;
        let expected = outcomes(&[told], None);
        match (&self.slots[first].name, waiting.len()) {
            (Some(name), 1) if self.crowds[lock].is_empty() => {
                let actor = name.clone();
                self.add(Action::Await { actor, expected });
            }
            _ => self.let_one_of_in(lock, &waiting, expected),
        }
        true
    }

    fn let_one_of_in(&mut self, lock: usize, waiting: &[usize], expected: Expected) {
        let newcomers = waiting.iter().filter_map(|place| self.slots[*place].name.take());
        self.crowds[lock].extend(newcomers);
        let actors = self.crowds[lock].clone();
        let winner = Some(self.rename(waiting[0]));
        // Of two the other is known as well, unless one is from an earlier crowd.
        let is_pair = actors.len() == 2 && waiting.len() == 2;
        let loser = is_pair.then(|| self.rename(waiting[1]));
        if waiting.len() == 1 || is_pair {
            self.crowds[lock].clear();
        }
        self.add(Action::OneOf { actors, expected, winner, loser });
    }

    fn rename(&mut self, place: usize) -> String {
        self.winner_count += 1;
        let name = format!("w{}", self.winner_count);
        self.slots[place].name = Some(name.clone());
        self.slots[place].has_won = true;
        name
    }

    fn waits(&self, place: usize, wanted: usize) -> bool {
        matches!(self.slots[place].doing, Doing::Waits { lock, .. } if lock == wanted)
    }

    fn add(&mut self, action: Action) {
        self.script.steps.push(Step { action, span: NOWHERE });
    }
}

/// The names of the actors; so many there are at most.
pub(crate) const SLOT_NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
/// The names of the locks; so many there are at most.
pub(crate) const LOCK_NAMES: [&str; 2] = ["lock", "other"];

const NOWHERE: Span = Span { line: 0, start: 0, end: 0 };

fn object(name: &str, kind: &str) -> ObjectLine {
    let (name, kind, args) = (name.to_owned(), kind.to_owned(), Map::new());
    ObjectLine { name, kind, args, count: None, maker: None, span: NOWHERE }
}

fn actor(name: &str, own_process: bool) -> ActorLine {
    ActorLine { name: name.to_owned(), own_process, origin: Origin::Adapter, span: NOWHERE }
}

fn call_step(name: &str, lock: usize, op: Op, expected: Expected) -> Action {
    let (op, args) = words(op);
    let target = Target { object: LOCK_NAMES[lock].to_owned(), index: None };
    Action::Call { actor: name.to_owned(), target, op: op.to_owned(), args, expected }
}

/// A call as it is asked.
pub(super) fn words(op: Op) -> (&'static str, Arguments) {
    let no_args = Arguments::new();
    match op {
        Op::Acquire(limit) => {
            let seconds = limit.seconds().map(Value::from);
            let args = seconds.map(|seconds| ("timeout".to_owned(), seconds));
            ("acquire", args.into_iter().collect())
        }
        Op::Try => ("try", no_args),
        Op::Release => ("release", no_args),
        Op::Recover => ("recover", no_args),
        Op::Gone => ("gone", no_args), // never asked: a death is no call
    }
}

/// Only a time limit that ends the call bounds its length from below.
fn expected(told: &[Told], op: Op) -> Expected {
    let gives_up = op == Op::Acquire(Limit::Short) && told == [Told::TimedOut];
    outcomes(told, gives_up.then_some(SHORT_NANOS))
}

fn outcomes(told: &[Told], not_before_nanos: Option<u64>) -> Expected {
    let any_of: Vec<Outcome> = told.iter().map(|told| told.outcome()).collect();
    Expected::Outcome { any_of, not_before_nanos }
}
