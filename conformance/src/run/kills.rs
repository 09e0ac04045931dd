//! What the runner does to actors: it kills, stops, continues and replaces them; and how it sees
//! that one has gone by itself.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::actor::{Actor, Kind, State};
use crate::limits::{LOOK_APART, longest_patience};
use crate::run::{End, Run};
use crate::script::{Ended, Expected, Moment};

impl Run<'_> {
    pub(super) fn kill(&mut self, name: &str, moment: Moment) -> Result<(), End> {
        let name = self.own_process(name, "killed")?;
        match moment {
            Moment::Now | Moment::WithoutWaiting => {}
            Moment::WhenBlocked => self.expect(&name, &Expected::BLOCKED)?,
            Moment::AfterEntered => self.expect(&name, &Expected::Started)?,
            Moment::AtRandom => self.pass_a_moment(&name),
        }
        self.must_live(&name)?;
        Ok(self.session.kill(&name, moment != Moment::WithoutWaiting)?)
    }

    /// Nobody should end here; it is a way of waiting that notices who does.
    fn pass_a_moment(&mut self, name: &str) {
        let moment = self.random.moment();
        self.session.actors.get(name).map(|actor| actor.ends_within(moment));
    }

    /// A new actor in the place of one that is gone, with the same objects and heirs.
    pub(super) fn fresh(&mut self, name: &str) -> Result<(), End> {
        let name = self.ready(name)?;
        let state = self.session.actors.get(&name).map(|actor| actor.state);
        if matches!(state, Some(State::Living | State::Frozen)) {
            self.must_live(&name)?;
            return Err(End::error(format!("{name} is still there")));
        }
        self.end_heirs(&name)?;
        self.session.end_process(&name)?;
        self.session.reap(&name)?;
        self.start(&name)
    }

    /// What an actor started goes with it when it is replaced: the new one starts these anew, under
    /// the same names.
    fn end_heirs(&mut self, name: &str) -> Result<(), End> {
        let parents = self.session.parents.iter();
        let heirs = parents.filter(|(_, parent)| *parent == name).map(|(heir, _)| heir.clone());
        for heir in heirs.collect::<Vec<_>>() {
            self.end_heirs(&heir)?;
            self.session.coming.remove(&heir);
            let is_process = self.session.actors.get(&heir).is_some_and(Actor::is_process);
            if is_process {
                self.session.kill(&heir, true)?;
                self.session.reap(&heir)?;
            }
        }
        Ok(())
    }

    /// Stops a process, and waits until the kernel says that all of it stands still.
    pub(super) fn freeze(&mut self, name: &str, moment: Moment) -> Result<(), End> {
        let name = self.own_process(name, "stopped")?;
        match moment {
            Moment::WhenBlocked => self.expect(&name, &Expected::BLOCKED)?,
            Moment::AtRandom => self.pass_a_moment(&name),
            _ => {}
        }
        self.send(&name, Signal::STOP)?;
        self.until(&name, "stand still", Actor::stands_still)?;
        self.set_state(&name, State::Frozen);
        Ok(())
    }

    /// Lets a process go on that was stopped.
    pub(super) fn thaw(&mut self, name: &str) -> Result<(), End> {
        let name = self.own_process(name, "continued")?;
        if self.session.actors.get(&name).is_none_or(|actor| actor.state != State::Frozen) {
            return Err(End::error(format!("{name} is not frozen")));
        }
        self.send(&name, Signal::CONT)?;
        self.set_state(&name, State::Living);
        self.until(&name, "go on", |actor| !actor.is_held())
    }

    /// What a user's Ctrl-C sends.
    pub(super) fn interrupt(&mut self, name: &str) -> Result<(), End> {
        let name = self.own_process(name, "interrupted")?;
        if let Some(actor) = self.session.actors.get_mut(&name) {
            actor.is_interrupted = true;
        }
        self.send(&name, Signal::INT)
    }

    pub(super) fn signal(&mut self, name: &str, every: Duration) -> Result<(), End> {
        let name = self.ready(name)?;
        let call = self.call(&name);
        if call.is_none_or(|call| call.entered.is_none()) {
            return Err(End::error(format!("{name} has no call under way to be disturbed")));
        }
        // One that is over already needs no signal; what came of it is judged where it is awaited.
        Ok(self.session.signal(&name, every)?)
    }

    /// Waits until an actor has gone by itself.
    pub(super) fn gone(
        &mut self,
        name: &str,
        ended: Option<Ended>,
        expected: &Expected,
    ) -> Result<(), End> {
        let Some(actor) = self.session.actors.get(name).filter(|actor| actor.is_living()) else {
            return Err(End::error(format!("{name} is gone already")));
        };
        let ends_thread = actor.call.as_ref().is_some_and(|call| call.traits.ends_thread);
        let is_thread = ends_thread || actor.kind == Kind::Thread;
        let more = self.more_patience(name, None);
        let has_gone = |run: &Self| {
            let actor = run.session.actors.get(name)?;
            let has_gone =
                actor.ends_within(Duration::ZERO) || (is_thread && actor.has_ended_thread());
            (has_gone || actor.has_answer()).then_some(())
        };
        self.wait_for(&expected.to_string(), &[], more, has_gone)?;
        // What it said last may be an answer, which nobody gives who goes.
        self.session.pump(Duration::ZERO)?;
        if self.has_answer(name) {
            return Err(self.other_than(name, expected));
        }
        self.session.has_gone(name);
        ended.map_or(Ok(()), |wanted| self.ended_so(name, wanted, expected))
    }

    fn ended_so(&mut self, name: &str, wanted: Ended, expected: &Expected) -> Result<(), End> {
        let Some(fields) = self.session.reap(name)? else {
            return Err(End::error(format!("{name} is no child of the adapter's")));
        };
        let number = |key: &str| {
            let number = fields.get(key).and_then(serde_json::Value::as_i64);
            number.and_then(|number| i32::try_from(number).ok())
        };
        let came = match (number("code"), number("signal")) {
            (Some(code), None) => Ended::Code(code),
            (None, Some(signal)) => Ended::Signal(signal),
            _ => return Err(End::died(format!("the adapter says that it collected {fields:?}"))),
        };
        if came == wanted {
            return Ok(());
        }
        let came = Expected::Gone { ended: Some(came) };
        Err(End::broken(expected.to_string(), came.to_string()))
    }

    /// The actor of this name, which must be there and not in the adapter's own process: what is
    /// done to it is done to the whole of its process.
    fn own_process(&mut self, name: &str, what: &str) -> Result<String, End> {
        let name = self.ready(name)?;
        let actor = self.session.actors.get(&name);
        if actor.is_some_and(|actor| actor.pid == self.session.adapter_pid()) {
            let text = format!("{name} is a thread of the adapter, which must not be {what}");
            return Err(End::error(text));
        }
        if actor.is_some_and(|actor| actor.state == State::Killed || actor.has_ended_before()) {
            return Err(End::error(format!("{name} is gone already")));
        }
        Ok(name)
    }

    fn send(&mut self, name: &str, signal: Signal) -> Result<(), End> {
        let Some(actor) = self.session.actors.get(name) else { return Ok(()) };
        if actor.signal(signal).map_err(End::error)? { Ok(()) } else { self.must_live(name) }
    }

    fn set_state(&mut self, name: &str, state: State) {
        let pid = self.session.actors.get(name).map(|actor| actor.pid);
        let all = self.session.actors.values_mut().filter(|actor| Some(actor.pid) == pid);
        for actor in all.filter(|actor| actor.is_living()) {
            actor.state = state;
        }
    }

    /// Waits for what the kernel does with a signal.
    fn until(&mut self, name: &str, what: &str, is_so: impl Fn(&Actor) -> bool) -> Result<(), End> {
        let deadline = Instant::now() + longest_patience();
        loop {
            let now = self.session.actors.get(name).is_none_or(&is_so);
            self.must_live(name)?;
            if now {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(End::error(format!("{name} was told to {what} and does not")));
            }
            self.session.pump(LOOK_APART)?;
        }
    }
}
