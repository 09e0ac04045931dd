//! Drives one burst: sends each actor its next call as soon as it is told of the last.
//!
//! When all is quiet and calls still wait, the model decides what that means. If a call of
//! somebody lets them in, that one makes it, and so on until nobody waits. If none does, the calls
//! that wait ought to come back, and are given the time to: only then is the history refused.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::burst::{Burst, BurstEnd, Crowd, Kill, Log};
use super::call::{Limit, Op};
use super::ground::Ground;
use super::history::{End, HistoryOf};
use super::kind::{Kind, State};
use super::linear::{Refusal, explain};
use super::observed::Observed;
use super::stage::SLOT_NAMES;
use crate::limits::{LOOK_APART, SILENCE, patience};
use crate::protocol::{Answer, Ask, Target};
use crate::run::What;
use crate::session::Session;
use crate::subject::AdapterCommand;

/// A burst under way.
pub(super) struct Drive<'a> {
    session: Session,
    ground: &'a Ground,
    model: Kind,
    callers: Vec<Caller>,
    kills: Vec<Kill>,
    answers_count: usize,
}

/// Whoever makes the calls of one line.
struct Caller {
    name: String,
    left: VecDeque<Op>,
    under_way: Option<Op>,
    /// How many were here before it.
    predecessors_count: usize,
}

impl<'a> Drive<'a> {
    pub(super) fn whole(
        command: &AdapterCommand,
        ground: &'a Ground,
        burst: &Burst,
    ) -> Result<BurstEnd, BurstEnd> {
        let (mut session, _) = Session::open(command)?;
        session.must(create(ground, burst.model))?;
        let mut drive = Self {
            session,
            ground,
            model: burst.model,
            callers: Vec::new(),
            kills: burst.kills.clone(),
            answers_count: 0,
        };
        for (name, line) in SLOT_NAMES.iter().zip(&burst.lines) {
            drive.start((*name).to_owned(), line.iter().copied().collect(), 0)?;
        }
        if burst.crowd != Crowd::None {
            drive.gather_crowd()?;
            drive.look(burst.crowd)?;
        }
        let log = drive.go_on_to_the_end()?;
        let object = drive.object();
        drive.session.close(&[object])?;
        Ok(BurstEnd::Explained(log))
    }

    fn start(
        &mut self,
        name: String,
        left: VecDeque<Op>,
        predecessors_count: usize,
    ) -> Result<(), BurstEnd> {
        let (how, objects) = (self.ground.how, vec![self.object()]);
        let ask = Ask::Actor { name: name.clone(), how, parent: None, objects, heirs: Vec::new() };
        self.session.start_actor(&name, how, ask)?.map_err(BurstEnd::Unsupported)?;
        self.callers.push(Caller { name, left, under_way: None, predecessors_count });
        Ok(())
    }

    /// The first has the object, and all others are seen to wait for it.
    fn gather_crowd(&mut self) -> Result<(), BurstEnd> {
        self.send(0)?;
        self.until_quiet(false)?;
        for place in 1..self.callers.len() {
            self.send(place)?;
        }
        self.until_quiet(false)
    }

    /// The first goes, and whoever is let in by that is waited for.
    fn look(&mut self, crowd: Crowd) -> Result<(), BurstEnd> {
        if crowd == Crowd::Killed {
            self.kill(0)?;
        } else {
            self.send(0)?;
        }
        self.until_explained(false).map(|_| ())
    }

    fn go_on_to_the_end(&mut self) -> Result<Log, BurstEnd> {
        loop {
            let (log, states) = self.until_explained(true)?;
            match self.who_lets_in(&log, &states) {
                Some((place, op)) => self.callers[place].left.push_back(op),
                None => return Ok(log),
            }
        }
    }

    /// All is quiet, and rightly so.
    fn until_explained(&mut self, sends: bool) -> Result<(Log, Vec<State>), BurstEnd> {
        loop {
            self.until_quiet(sends)?;
            let log = self.log()?;
            match explain(&self.model, &log.history) {
                Ok(states) => return Ok((log, states)),
                Err(refusal) => self.wait_for_those_who_wait(log, refusal)?,
            }
        }
    }

    /// Sends calls as they come up, if they are to be sent, until all have come back or wait.
    fn until_quiet(&mut self, sends: bool) -> Result<(), BurstEnd> {
        let mut quiet_since = Instant::now();
        loop {
            let mut has_moved = self.take_answers()?;
            if sends {
                self.kill_who_is_due()?;
                for place in 0..self.callers.len() {
                    has_moved |= self.send(place)?;
                }
            }
            if has_moved {
                quiet_since = Instant::now();
            } else if self.nobody_waits() || self.is_quiet(quiet_since)? {
                return Ok(());
            }
            self.session.pump(LOOK_APART)?;
        }
    }

    /// Sends the next call of one that is free for it.
    fn send(&mut self, place: usize) -> Result<bool, BurstEnd> {
        let object = self.object();
        let caller = &mut self.callers[place];
        if caller.under_way.is_some() {
            return Ok(false);
        }
        let Some(op) = caller.left.pop_front() else { return Ok(false) };
        caller.under_way = Some(op);
        let target = Target { object, index: None };
        let (word, args) = op.words();
        let what = What::Call { target, op: word.to_owned(), args };
        self.session.start_call(&caller.name, what)?;
        Ok(true)
    }

    fn take_answers(&mut self) -> Result<bool, BurstEnd> {
        let mut has_come = false;
        for caller in &mut self.callers {
            let Some(actor) = self.session.actors.get_mut(&caller.name) else { continue };
            let Some(call) = actor.call.take_if(|call| call.answer.is_some()) else {
                if actor.has_ended() {
                    let what = format!("the process of {} ended by itself", caller.name);
                    return Err(BurstEnd::Died(what));
                }
                continue;
            };
            match call.answer {
                Some(Answer::Unsupported) => {
                    let what = format!("there is no call {:?}", caller.under_way);
                    return Err(BurstEnd::Unsupported(what));
                }
                Some(Answer::Prevented { why }) => return Err(BurstEnd::Unsupported(why)),
                _ => {}
            }
            caller.under_way = None;
            self.answers_count += 1;
            has_come = true;
        }
        Ok(has_come)
    }

    fn kill_who_is_due(&mut self) -> Result<(), BurstEnd> {
        let count = self.answers_count;
        let due = self.kills.iter().position(|kill| kill.after_answers_count <= count);
        let Some(due) = due else { return Ok(()) };
        let kill = self.kills.swap_remove(due);
        self.kill(kill.place)
    }

    /// Kills a caller, and lets somebody new make the calls that are left.
    fn kill(&mut self, place: usize) -> Result<(), BurstEnd> {
        let Caller { name, left, predecessors_count, .. } = self.callers.swap_remove(place);
        self.session.kill(&name, true)?;
        let number = predecessors_count + 1;
        let name = format!("{}{number}", &name[..1]);
        self.start(name, left, number)?;
        let last = self.callers.len() - 1;
        self.callers.swap(place, last);
        Ok(())
    }

    fn nobody_waits(&self) -> bool {
        self.callers.iter().all(|caller| caller.under_way.is_none())
    }

    /// Everybody sleeps on two looks, and nobody will wake because a moment is over. One that never
    /// sleeps is quiet when nothing came for a while. Whoever is called quiet too early is asked
    /// again by the model, so this decides nothing.
    fn is_quiet(&mut self, since: Instant) -> Result<bool, BurstEnd> {
        let has_limit =
            |caller: &Caller| caller.under_way.and_then(Op::limit) == Some(Limit::Short);
        if self.callers.iter().any(has_limit) {
            return Ok(false);
        }
        if since.elapsed() >= SILENCE {
            return Ok(true);
        }
        if self.session.at_rest().is_none() {
            return Ok(false);
        }
        self.session.pump(LOOK_APART)?;
        Ok(self.session.at_rest().is_some() && !self.has_answer())
    }

    fn has_answer(&self) -> bool {
        self.callers.iter().any(|caller| {
            self.session.actors.get(&caller.name).is_some_and(|actor| actor.has_answer())
        })
    }

    fn log(&self) -> Result<Log, BurstEnd> {
        let object = self.object();
        let objects = [object.clone()];
        let read = Observed::read(self.session.history.events(), &objects, self.ground);
        let mut observed = read.map_err(BurstEnd::Wrong)?;
        let history = observed.histories.remove(&object);
        let history = history.unwrap_or_else(|| HistoryOf::<Kind>::new(0));
        Ok(Log { object: self.model.names()[0], history, names: observed.names })
    }

    /// Who lets the next in, and by which call, in a state that explains all.
    fn who_lets_in(&self, log: &Log, states: &[State]) -> Option<(usize, Op)> {
        if self.nobody_waits() {
            return None;
        }
        let (by, op) = self.model.lets_in(states.first()?)?;
        let is_free = |caller: &Caller| caller.under_way.is_none();
        let Some(by) = by else { return self.callers.iter().position(is_free).map(|at| (at, op)) };
        let name = log.names.get(Observed::line_of(by, self.ground))?;
        let place = self.callers.iter().position(|caller| caller.name == *name)?;
        is_free(&self.callers[place]).then_some((place, op))
    }

    fn object(&self) -> String {
        self.model.names()[0].to_owned()
    }

    /// A history that calls which wait would explain if they came back is given time; another one
    /// is refused.
    fn wait_for_those_who_wait(
        &mut self,
        log: Log,
        refusal: Refusal<State>,
    ) -> Result<(), BurstEnd> {
        let mut without = log.history.clone();
        for event in without.lines.iter_mut().flatten() {
            if event.end == End::Blocked {
                event.end = End::CutOff;
            }
        }
        if explain(&self.model, &without).is_err() {
            return Err(BurstEnd::Refused(log, refusal));
        }
        let deadline = Instant::now() + patience();
        while !self.has_answer() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(BurstEnd::Refused(log, refusal));
            }
            self.session.pump(left.min(WAIT))?;
        }
        Ok(())
    }
}

/// How long one wait for an answer is; then the rest of the time is reckoned anew.
const WAIT: Duration = Duration::from_millis(100);

fn create(ground: &Ground, model: Kind) -> Ask {
    let (object, kind) = (model.names()[0].to_owned(), ground.kind.clone());
    Ask::Create { object, kind, args: model.args(), count: None }
}
