//! One conversation with an adapter: what was asked, what was answered, and who takes calls.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::actor::{Actor, Call};
use crate::evidence::{self, Look, Sleep};
use crate::limits::{PROTOCOL_VERSION, patience};
use crate::protocol::{Answer, Arguments, Ask, Hello, How, Reply, Request, Started, Target};
use crate::run::{History, What, now_nanos};
use crate::subject::{Adapter, AdapterCommand, Fault};

/// A running adapter with its actors. Dropping it kills and collects them all.
pub(crate) struct Session {
    adapter: Adapter,
    next_id: u64,
    open: BTreeMap<u64, Open>,
    pub(crate) actors: BTreeMap<String, Actor>,
    pub(crate) history: History,
}

/// What a request waits for.
enum Open {
    /// One reply.
    Reply(Option<Answer>),
    /// The replies to a call of this actor.
    Call(String),
}

/// One thread of the subject at rest: process, thread, how it sleeps.
pub(crate) type Resting = (i32, i32, Sleep);

impl Session {
    /// Starts an adapter and asks who it is.
    pub(crate) fn open(command: &AdapterCommand) -> Result<(Self, Hello), Fault> {
        let adapter = Adapter::start(command)?;
        let (open, actors, history) = (BTreeMap::new(), BTreeMap::new(), History::default());
        let mut session = Self { adapter, next_id: 1, open, actors, history };
        let hello: Hello = session.fields(Ask::Hello { protocol: PROTOCOL_VERSION })?;
        if hello.protocol != PROTOCOL_VERSION {
            let what = format!("speaks version {} of the protocol, not 1", hello.protocol);
            return Err(session.adapter.fault(&what));
        }
        if hello.starts.is_empty() || hello.name.is_empty() {
            return Err(session.adapter.fault("has no name, or no way to start an actor"));
        }
        Ok((session, hello))
    }

    /// Asks, and waits for the one reply.
    pub(crate) fn ask(&mut self, ask: Ask) -> Result<Answer, Fault> {
        let asked = format!("{ask:?}");
        let id = self.send(ask, Open::Reply(None))?;
        let deadline = Instant::now() + patience();
        loop {
            self.pump(Duration::from_millis(100))?;
            if let Some(Open::Reply(Some(_))) = self.open.get(&id)
                && let Some(Open::Reply(Some(answer))) = self.open.remove(&id)
            {
                return Ok(answer);
            }
            if Instant::now() >= deadline {
                return Err(self.adapter.fault(&format!("does not answer {asked}")));
            }
        }
    }

    /// Asks for what cannot fail.
    pub(crate) fn must(&mut self, ask: Ask) -> Result<Answer, Fault> {
        let asked = format!("{ask:?}");
        match self.ask(ask)? {
            answer @ Answer::Ok { .. } => Ok(answer),
            other => Err(self.adapter.fault(&format!("answers {asked} with {other:?}"))),
        }
    }

    fn fields<T: serde::de::DeserializeOwned>(&mut self, ask: Ask) -> Result<T, Fault> {
        let asked = format!("{ask:?}");
        let Answer::Ok { fields } = self.must(ask)? else {
            return Err(self.adapter.fault("answers with no fields"));
        };
        let read = serde_json::from_value(Value::Object(fields));
        read.map_err(|error| self.adapter.fault(&format!("answers {asked} wrongly: {error}")))
    }

    pub(crate) fn start_actor(
        &mut self,
        name: &str,
        how: How,
        objects: Vec<String>,
    ) -> Result<(), Fault> {
        let ask =
            Ask::Actor { name: name.to_owned(), how, parent: None, objects, heirs: Vec::new() };
        let started: Started = self.fields(ask)?;
        let actor = Actor::new(started, self.adapter.pid());
        let actor = actor.map_err(|what| self.adapter.fault(&what))?;
        if actor.is_process() == (how == How::Thread) {
            let what = format!("started {name} as something else than a {}", how.slug());
            return Err(self.adapter.fault(&what));
        }
        self.actors.insert(name.to_owned(), actor);
        Ok(())
    }

    pub(crate) fn start_call(
        &mut self,
        actor: &str,
        target: &Target,
        op: &str,
        args: &Arguments,
    ) -> Result<(), Fault> {
        let ask = Ask::Call {
            actor: actor.to_owned(),
            target: target.clone(),
            op: op.to_owned(),
            args: args.clone(),
        };
        let (target, op) = (target.clone(), op.to_owned());
        let event = self.history.sent(actor, What::Call { target, op, args: args.clone() });
        let id = self.send(ask, Open::Call(actor.to_owned()))?;
        if let Some(actor) = self.actors.get_mut(actor) {
            actor.call = Some(Call::new(id, event, args));
        }
        Ok(())
    }

    /// Kills the process of an actor and waits until it is gone.
    pub(crate) fn kill(&mut self, name: &str) -> Result<(), String> {
        let Some(actor) = self.actors.get_mut(name).filter(|actor| actor.is_process()) else {
            return Ok(());
        };
        let (call, sent_at) = (actor.call.as_ref().map(|call| call.event), now_nanos());
        let killed = actor.kill();
        if let Some(event) = call {
            self.history.cut_off(event);
        }
        self.history.killed(name, sent_at, killed.is_ok().then(now_nanos));
        killed
    }

    /// Takes in all replies that are there, after waiting up to `wait` for the first.
    pub(crate) fn pump(&mut self, wait: Duration) -> Result<(), Fault> {
        let mut next = self.adapter.reply(wait)?;
        while let Some(reply) = next {
            self.take(reply)?;
            next = self.adapter.next_read();
        }
        Ok(())
    }

    /// The threads of the adapter and of its living actors, if each of them sleeps.
    pub(crate) fn at_rest(&self) -> Option<Vec<Resting>> {
        let living = self.actors.values().filter(|actor| actor.is_process() && !actor.is_killed);
        let actors = living.map(|actor| actor.pid);
        resting([self.adapter.pid()].into_iter().chain(actors))
    }

    /// The threads of every process in the adapter's group, helpers of the subject included, if
    /// each of them sleeps. Costs a look at each process of the system.
    pub(crate) fn whole_group_at_rest(&self) -> Option<Vec<Resting>> {
        resting(evidence::process_group(self.adapter.pid()).into_iter())
    }

    /// Ends everything in good order, as a parent and as a guest.
    pub(crate) fn close(&mut self, objects: &[String]) -> Result<(), Fault> {
        let names: Vec<String> = self.actors.keys().cloned().collect();
        for name in &names {
            let Some(actor) = self.actors.get_mut(name).filter(|actor| actor.is_process()) else {
                continue;
            };
            actor.kill().map_err(Fault)?;
            self.must(Ask::Reap { actor: name.clone() })?;
        }
        for object in objects {
            self.must(Ask::Drop { object: object.clone() })?;
        }
        self.must(Ask::Bye)?;
        self.adapter.wait_for_end()
    }

    fn send(&mut self, ask: Ask, open: Open) -> Result<u64, Fault> {
        let id = self.next_id;
        self.next_id += 1;
        self.open.insert(id, open);
        self.adapter.send(&Request { id, ask })?;
        Ok(id)
    }

    fn take(&mut self, reply: Reply) -> Result<(), Fault> {
        let said = format!("{:?} with the id {}", reply.answer, reply.id);
        let is_in_turn = match self.open.get_mut(&reply.id) {
            None => return Err(self.adapter.fault(&format!("answers what nobody asked: {said}"))),
            Some(Open::Reply(answer)) => {
                let is_first = answer.is_none();
                let is_plain = matches!(reply.answer, Answer::Ok { .. } | Answer::Error { .. });
                *answer = Some(reply.answer);
                is_first && is_plain
            }
            Some(Open::Call(actor)) => {
                let actor = self.actors.get_mut(actor);
                // What a killed actor said last is of no interest any more.
                actor.is_none_or(|actor| take_call(actor, reply, &mut self.history))
            }
        };
        if is_in_turn {
            return Ok(());
        }
        Err(self.adapter.fault(&format!("answers out of turn: {said}")))
    }
}

/// The threads of these processes, if each of them sleeps; what has ended does not count.
fn resting(pids: impl Iterator<Item = i32>) -> Option<Vec<Resting>> {
    let mut resting = Vec::new();
    for pid in pids {
        for tid in evidence::threads(pid) {
            match evidence::look(pid, tid) {
                Look::Asleep(sleep) => resting.push((pid, tid, sleep)),
                Look::Gone => {}
                Look::Awake | Look::Unknown => return None,
            }
        }
    }
    (!resting.is_empty()).then_some(resting)
}

/// `entered` comes once, before what came of the call; a call that is not made comes without it.
fn take_call(actor: &mut Actor, reply: Reply, history: &mut History) -> bool {
    let Some(call) = actor.call.as_mut().filter(|call| call.id == reply.id) else {
        return actor.is_killed;
    };
    if call.answer.is_some() {
        return false;
    }
    history.answered(call.event, &reply.answer);
    match reply.answer {
        Answer::Entered { .. } if call.entered.is_some() => false,
        Answer::Entered { at } => {
            actor.entered(at);
            true
        }
        Answer::Ok { .. } | Answer::Started { .. } | Answer::Waiting { .. } => false,
        Answer::Returned { .. } | Answer::Failed { .. } if call.entered.is_none() => false,
        answer => {
            call.answer = Some(answer);
            true
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        for actor in self.actors.values_mut() {
            // One that does not end is in the adapter's group, which is killed next.
            let _ = actor.kill();
        }
    }
}
