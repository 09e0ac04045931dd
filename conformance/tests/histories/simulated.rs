//! Histories that a lock could have: the model is played with random timing.

use purlin_conformance::model::call::{Call, Op, Told};
use purlin_conformance::model::draw::{self, Draw};
use purlin_conformance::model::history::{End, Event};
use purlin_conformance::model::kind::Kind;
use purlin_conformance::model::lock::{LockModel, LockState};
use purlin_conformance::model::{Actor, Model};

use super::History;

/// So many callers with so many calls each, some of them killed on the way.
pub(crate) fn overlapping(
    model: &LockModel,
    draw: &mut Draw,
    line_count: usize,
    call_count: usize,
) -> History {
    let mut play = Play::new(model, line_count);
    let mut open: Vec<Option<Open>> = vec![None; line_count];
    let mut left = vec![call_count; line_count];
    loop {
        let can_go_on = |line: &usize| match &open[*line] {
            None => left[*line] > 0,
            Some(open) => play.can_go_on(open),
        };
        let able: Vec<usize> = (0..line_count).filter(can_go_on).collect();
        if able.is_empty() {
            break;
        }
        let line = able[draw.below(able.len())];
        if is_alone(line) && draw.percent(3) {
            play.kill(line, open[line].take());
            left[line] = 0;
            continue;
        }
        if open[line].is_none() {
            left[line] -= 1;
        }
        open[line] = play.go_on(line, open[line], draw);
    }
    for (line, open) in open.iter().enumerate() {
        if let Some(open) = open {
            play.add(line, open, End::Blocked);
        }
    }
    play.history
}

/// Where an event stands, and all that it could have been told.
type Allowed = Vec<(usize, usize, Vec<Told>)>;

/// Up to so many calls, each after the last has returned. Left out are those after which the model
/// would not know the state, and those that would let in somebody who waits.
pub(crate) fn one_by_one(
    model: &LockModel,
    draw: &mut Draw,
    line_count: usize,
    call_count: usize,
) -> (History, Allowed) {
    let mut play = Play::new(model, line_count);
    let mut is_waiting = vec![false; line_count];
    let mut allowed = Vec::new();
    for _ in 0..call_count {
        let line = draw.below(line_count);
        let call = Call { by: caller(line), op: draw::op(draw, Kind::Lock(*model)) };
        let steps = model.step(&play.state, &call);
        let changes_hold = steps.iter().any(|(_, state)| state.hold != play.state.hold);
        let is_known = steps.windows(2).all(|pair| pair[0].1 == pair[1].1);
        if is_waiting[line] || !is_known || (changes_hold && is_waiting.contains(&true)) {
            continue;
        }
        let open = Open { call, entered: play.tick(), told: None };
        let Some(told) = play.take_effect(&call, draw) else {
            is_waiting[line] = true;
            play.add(line, &open, End::Blocked);
            continue;
        };
        let place = play.history.lines[line].len();
        allowed.push((line, place, steps.iter().map(|(told, _)| *told).collect()));
        let at = play.tick();
        play.add(line, &open, End::Returned { at, told });
    }
    (play.history, allowed)
}

struct Play<'a> {
    model: &'a LockModel,
    state: LockState,
    now: u64,
    history: History,
}

/// A call under way.
#[derive(Clone, Copy)]
struct Open {
    call: Call,
    entered: u64,
    /// It has taken effect, and was not told yet.
    told: Option<Told>,
}

impl<'a> Play<'a> {
    fn new(model: &'a LockModel, line_count: usize) -> Self {
        Self { model, state: model.new_state(), now: 0, history: History::new(line_count) }
    }

    fn tick(&mut self) -> u64 {
        self.now += 1;
        self.now
    }

    fn can_go_on(&self, open: &Open) -> bool {
        open.told.is_some() || !self.model.step(&self.state, &open.call).is_empty()
    }

    /// A caller's next step: it begins a call, the call takes effect, or it is told.
    fn go_on(&mut self, line: usize, open: Option<Open>, draw: &mut Draw) -> Option<Open> {
        let Some(mut open) = open else {
            let call = Call { by: caller(line), op: draw::op(draw, Kind::Lock(*self.model)) };
            return Some(Open { call, entered: self.tick(), told: None });
        };
        let Some(told) = open.told else {
            open.told = self.take_effect(&open.call, draw);
            return Some(open);
        };
        let at = self.tick();
        self.add(line, &open, End::Returned { at, told });
        None
    }

    fn take_effect(&mut self, call: &Call, draw: &mut Draw) -> Option<Told> {
        let steps = self.model.step(&self.state, call);
        let (told, state) = steps.get(draw.below(steps.len()))?;
        self.state = *state;
        Some(*told)
    }

    fn kill(&mut self, line: usize, open: Option<Open>) {
        if let Some(open) = open {
            self.add(line, &open, End::CutOff);
        }
        let call = Call { by: caller(line), op: Op::Gone };
        let open = Open { call, entered: self.tick(), told: None };
        self.state = self.model.step(&self.state, &call)[0].1;
        let at = self.tick();
        self.add(line, &open, End::Returned { at, told: Told::Ok });
    }

    fn add(&mut self, line: usize, open: &Open, end: End<Told>) {
        let Open { call, entered, .. } = *open;
        self.history.lines[line].push(Event { call, entered, end });
    }
}

/// The first two callers are threads of one process; all others are processes.
fn caller(line: usize) -> Actor {
    match u32::try_from(line).unwrap() {
        thread @ 0..2 => Actor { process: 0, thread },
        process => Actor::process(process),
    }
}

/// Whether it can be killed alone.
const fn is_alone(line: usize) -> bool {
    line >= 2
}
