//! A plan as it is played in the model: who holds what, who waits for what, and under which names.
//!
//! When one of several waiters is let in, nobody knows which. The script calls it `w1` from there
//! on; here it is the first of them, and since the model treats all alike, whoever it is in truth
//! goes the same way. Those of whom nobody knows any more whether they still wait have no name, and
//! no move, until they are let in themselves.

use super::call::{Call, Limit, Op, SHORT_NANOS, Told};
use super::ground::Ground;
use super::kind::{Kind, State};
use super::plan::{Move, What};
use super::{Actor, Model};
use crate::script::{
    Action, ActorLine, Expected, Moment, ObjectLine, Origin, Outcome, Script, Span, Statement,
    Step, Target,
};

/// The state of the play.
#[derive(Clone)]
pub(super) struct Stage<'a> {
    ground: &'a Ground,
    model: Kind,
    objects: Vec<State>,
    slots: Vec<Slot>,
    /// For each object the names behind `one of`, while it is open who of them still waits.
    crowds: Vec<Vec<String>>,
    process_count: u32,
    winner_count: u32,
    script: Script,
}

#[derive(Clone)]
struct Slot {
    /// None while nobody knows which of several it is.
    name: Option<String>,
    /// It has a name of its own no more, but one from behind `as` or `other`.
    has_won: bool,
    actor: Actor,
    doing: Doing,
    /// The objects that it has no handle of any more.
    dropped: Vec<usize>,
}

/// Who was let in.
enum Let {
    Nobody,
    One,
    /// One of several that are no equals.
    Open,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    Nothing,
    Waits { object: usize, call: Call },
    Dead,
}

impl<'a> Stage<'a> {
    pub(super) fn new(
        ground: &'a Ground,
        model: Kind,
        slot_count: usize,
        object_count: usize,
    ) -> Self {
        let mut stage = Self {
            ground,
            model,
            objects: vec![model.new_state(); object_count],
            slots: Vec::new(),
            crowds: vec![Vec::new(); object_count],
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

    /// Plays a move, and says whether it made sense. Nothing has happened when it did not.
    pub(super) fn play(&mut self, step: Move) -> bool {
        let mut next = self.clone();
        let has_come = next.try_play(step) && next.settle();
        if has_come {
            *self = next;
        }
        has_come
    }

    fn try_play(&mut self, step: Move) -> bool {
        let Some(slot) = self.slots.get(step.slot) else { return false };
        let (Some(name), doing) = (slot.name.clone(), slot.doing) else { return false };
        match (step.what, doing) {
            (What::Call { object, op }, Doing::Nothing) => self.call(step.slot, &name, object, op),
            (What::Drop { object }, Doing::Nothing) => self.drop_handle(step.slot, &name, object),
            (What::Kill, Doing::Nothing | Doing::Waits { .. }) => {
                self.kill(step.slot, &name, doing)
            }
            (What::Exit { code }, Doing::Nothing) => {
                self.end(step.slot, &name, Statement::Exit { code })
            }
            (What::Abort, Doing::Nothing) => self.end(step.slot, &name, Statement::Abort),
            (What::Fresh, Doing::Dead) => self.fresh(step.slot, name),
            _ => false,
        }
    }

    /// Where somebody is who has what only one can have.
    pub(super) fn holder(&self, object: usize) -> Option<usize> {
        let holder = self.model.holder(self.objects.get(object)?)?;
        self.slots.iter().position(|slot| slot.actor == holder)
    }

    /// Where somebody dead is.
    pub(super) fn dead(&self) -> Option<usize> {
        self.slots.iter().position(|slot| slot.doing == Doing::Dead)
    }

    /// Whether an owner died, and nobody has vouched for the data since.
    pub(super) fn is_suspect(&self, object: usize) -> bool {
        self.objects.get(object).is_some_and(|state| self.model.is_suspect(state))
    }

    pub(super) fn into_script(mut self) -> Script {
        let (all, kind) = (self.model.names(), &self.ground.kind);
        let names = all[..self.objects.len()].iter();
        self.script.objects = names.map(|name| object(name, kind, self.model)).collect();
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

    fn call(&mut self, place: usize, name: &str, object: usize, op: Op) -> bool {
        let slot = &self.slots[place];
        let call = Call { by: slot.actor, op };
        let Some(state) = self.objects.get(object) else { return false };
        let is_possible = self.ground.offers(op) && !slot.dropped.contains(&object);
        if !is_possible || self.model.is_open(state, &call) {
            return false;
        }
        let next = self.model.step(state, &call);
        let Some((told, after)) = agreed(&next) else {
            return next.is_empty() && self.wait(place, name, object, call);
        };
        let gives_up = op.limit() == Some(Limit::Short) && self.is_own_limit(state, &told, &after);
        self.objects[object] = after;
        let expected = outcomes(&told, gives_up.then_some(SHORT_NANOS));
        let step = self.call_step(name, object, op, expected);
        self.add(step);
        true
    }

    /// Only a time limit that ends the call bounds its length from below: that of a barrier breaks
    /// it. One that a death has broken already is told of at once, whoever has seen that.
    fn is_own_limit(&self, before: &State, told: &[Told], after: &State) -> bool {
        match told {
            [Told::TimedOut | Told::Empty | Told::Full] => true,
            [Told::BarrierBroken] => !self.model.is_broken(before) && self.model.is_broken(after),
            _ => false,
        }
    }

    fn wait(&mut self, place: usize, name: &str, object: usize, call: Call) -> bool {
        let has_won = |place: usize| self.slots[place].has_won;
        let is_open =
            (0..self.slots.len()).any(|other| self.waits(other, object) && has_won(other));
        if has_won(place) || is_open {
            // Behind `one of` stand the names that were declared, which are known no more.
            return false;
        }
        let is_stuck = self.model.waits_for_itself(&self.objects[object], &call);
        if is_stuck && call.op != Op::Acquire(Limit::Long) {
            // It would be stuck until it is killed; that is drawn often enough with a long limit.
            return false;
        }
        self.objects[object] = self.model.enter(&self.objects[object], &call);
        self.slots[place].doing = Doing::Waits { object, call };
        let step = self.call_step(name, object, call.op, Expected::BLOCKED);
        self.add(step);
        true
    }

    fn drop_handle(&mut self, place: usize, name: &str, object: usize) -> bool {
        let slot = &mut self.slots[place];
        let is_there = object < self.objects.len() && !slot.dropped.contains(&object);
        if !self.ground.can_drop || !is_there {
            return false;
        }
        slot.dropped.push(object);
        let by = slot.actor;
        // A holder that lets go of its handle is told of to whoever comes next, and not to those
        // who sleep for a notify: it lives, and can still see to that.
        if self.model.has_sleepers(&self.objects[object]) && self.holder(object) == Some(place) {
            return false;
        }
        let program = vec![Statement::Drop { object: self.model.names()[object].to_owned() }];
        let expected = outcomes(&[Told::Ok], None);
        self.add(Action::Run { actor: name.to_owned(), program, expected });
        self.leave(object, by)
    }

    fn kill(&mut self, place: usize, name: &str, doing: Doing) -> bool {
        if !self.ground.has_deaths {
            return false;
        }
        let waits = matches!(doing, Doing::Waits { .. });
        let moment = if waits { Moment::WhenBlocked } else { Moment::Now };
        self.add(Action::Kill { actor: name.to_owned(), moment });
        self.die(place)
    }

    fn end(&mut self, place: usize, name: &str, statement: Statement) -> bool {
        if !self.ground.can_end {
            return false;
        }
        let (actor, program) = (name.to_owned(), vec![statement]);
        self.add(Action::Run { actor, program, expected: Expected::Gone { ended: None } });
        self.die(place)
    }

    fn die(&mut self, place: usize) -> bool {
        self.slots[place].doing = Doing::Dead;
        let by = self.slots[place].actor;
        (0..self.objects.len()).all(|object| self.leave(object, by))
    }

    fn leave(&mut self, object: usize, by: Actor) -> bool {
        let call = Call { by, op: Op::Gone };
        let state = &self.objects[object];
        if self.model.is_open(state, &call) {
            return false;
        }
        let Some((_, after)) = agreed(&self.model.step(state, &call)) else { return false };
        self.objects[object] = after;
        true
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

    /// Lets in whoever can be let in now; false when it is open who that is, of callers that are no
    /// equals.
    fn settle(&mut self) -> bool {
        (0..self.objects.len()).all(|object| {
            loop {
                match self.let_one_in(object) {
                    Let::Nobody => return true,
                    Let::One => {}
                    Let::Open => return false,
                }
            }
        })
    }

    fn let_one_in(&mut self, object: usize) -> Let {
        let waiting: Vec<usize> =
            (0..self.slots.len()).filter(|place| self.can_go(*place, object)).collect();
        let Some(first) = waiting.first().copied() else { return Let::Nobody };
        let Some((told, after)) = self.goes(first, object) else { return Let::Open };
        let before = core::mem::replace(&mut self.objects[object], after);
        let is_alone = self.can_all_go(&waiting[1..], object);
        let is_known = waiting.iter().all(|place| self.slots[*place].name.is_some());
        let expected = outcomes(&told, None);
        if is_alone && is_known && self.crowds[object].is_empty() {
            self.slots[first].doing = Doing::Nothing;
            let actor = self.slots[first].name.clone().unwrap_or_default();
            self.add(Action::Await { actor, expected });
            return Let::One;
        }
        let actor = |place: usize| self.slots[place].actor;
        // Behind `one of` stands one alone: who else came back would not be told apart.
        if waiting[1..].iter().any(|place| self.can_go(*place, object)) {
            return Let::Open;
        }
        let is_like_first = |place: &usize| {
            // As they stood when they came to be let in; the first has been since.
            let mut states = self.objects.iter().enumerate();
            let had_alike = |(index, state)| {
                let state = if index == object { &before } else { state };
                self.model.has_alike(state, actor(first), actor(*place))
            };
            if !states.all(had_alike) {
                return false;
            }
            let goes = self.in_state(&before, *place, object);
            goes.is_some_and(|(other, _)| other == told)
        };
        if !waiting.iter().all(is_like_first) {
            return Let::Open;
        }
        self.slots[first].doing = Doing::Nothing;
        self.let_one_of_in(object, &waiting, expected);
        Let::One
    }

    fn let_one_of_in(&mut self, object: usize, waiting: &[usize], expected: Expected) {
        let newcomers = waiting.iter().filter_map(|place| self.slots[*place].name.take());
        self.crowds[object].extend(newcomers);
        let actors = self.crowds[object].clone();
        let winner = Some(self.rename(waiting[0]));
        // Of two the other is known as well, unless one is from an earlier crowd.
        let is_pair = actors.len() == 2 && waiting.len() == 2;
        let loser = is_pair.then(|| self.rename(waiting[1]));
        if waiting.len() == 1 || is_pair {
            self.crowds[object].clear();
        }
        self.add(Action::OneOf { actors, expected, winner, loser });
    }

    /// Whether somebody waits for an object no longer in vain.
    fn can_go(&self, place: usize, object: usize) -> bool {
        let Doing::Waits { object: other, call } = self.slots[place].doing else { return false };
        other == object && !self.model.step(&self.objects[object], &call).is_empty()
    }

    /// Whether these can go one after the other, so that there is no contest among them.
    fn can_all_go(&self, waiting: &[usize], object: usize) -> bool {
        let mut state = self.objects[object].clone();
        waiting.iter().all(|place| match self.in_state(&state, *place, object) {
            Some((_, after)) => {
                state = after;
                true
            }
            None => false,
        })
    }

    fn goes(&self, place: usize, object: usize) -> Option<(Vec<Told>, State)> {
        self.in_state(&self.objects[object], place, object)
    }

    fn in_state(&self, state: &State, place: usize, wanted: usize) -> Option<(Vec<Told>, State)> {
        let Doing::Waits { object, call } = self.slots[place].doing else { return None };
        if object == wanted { agreed(&self.model.step(state, &call)) } else { None }
    }

    fn rename(&mut self, place: usize) -> String {
        self.winner_count += 1;
        let name = format!("w{}", self.winner_count);
        self.slots[place].name = Some(name.clone());
        self.slots[place].has_won = true;
        name
    }

    fn waits(&self, place: usize, wanted: usize) -> bool {
        matches!(self.slots[place].doing, Doing::Waits { object, .. } if object == wanted)
    }

    fn call_step(&self, name: &str, object: usize, op: Op, expected: Expected) -> Action {
        let (op, args) = op.words();
        let target = Target { object: self.model.names()[object].to_owned(), index: None };
        Action::Call { actor: name.to_owned(), target, op: op.to_owned(), args, expected }
    }

    fn add(&mut self, action: Action) {
        self.script.steps.push(Step { action, span: NOWHERE });
    }
}

/// The names of the actors; so many there are at most.
pub(crate) const SLOT_NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
const NOWHERE: Span = Span { line: 0, start: 0, end: 0 };

fn object(name: &str, kind: &str, model: Kind) -> ObjectLine {
    let (name, kind, args) = (name.to_owned(), kind.to_owned(), model.args());
    ObjectLine { name, kind, args, count: None, maker: None, is_late: false, span: NOWHERE }
}

fn actor(name: &str, own_process: bool) -> ActorLine {
    ActorLine { name: name.to_owned(), own_process, origin: Origin::Adapter, span: NOWHERE }
}

/// What may be told, and the state after it; nothing where states differ, or nothing comes.
fn agreed(next: &[(Told, State)]) -> Option<(Vec<Told>, State)> {
    let (_, state) = next.first()?;
    let is_one = next.iter().all(|(_, other)| other == state);
    is_one.then(|| (next.iter().map(|(told, _)| *told).collect(), state.clone()))
}

fn outcomes(told: &[Told], not_before_nanos: Option<u64>) -> Expected {
    let any_of: Vec<Outcome> = told.iter().map(|told| told.outcome()).collect();
    Expected::Outcome { any_of, not_before_nanos }
}
