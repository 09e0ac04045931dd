//! One conversation with an adapter: what was asked, what was answered, and who takes calls.

mod replies;
mod rest;
mod signals;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::actor::{Actor, State};
use crate::call::Call;
use crate::limits::PROTOCOL_VERSION;
use crate::protocol::{Answer, Ask, Hello, How, Request};
use crate::run::{History, What, now_nanos};
use crate::subject::orphans;
use crate::subject::{Adapter, AdapterCommand, Fault};
use crate::waits::Patience;
pub(crate) use rest::{Resting, Seen};
use signals::Signals;

/// A running adapter with its actors. Dropping it kills and collects them all.
pub(crate) struct Session {
    adapter: Adapter,
    next_id: u64,
    next_life: u64,
    open: BTreeMap<u64, Open>,
    pub(crate) actors: BTreeMap<String, Actor>,
    /// Who starts those actors that the adapter does not start, by their names.
    pub(crate) parents: BTreeMap<String, String>,
    /// Actors that a program was told to start and that have not said a word yet.
    pub(crate) coming: BTreeSet<String>,
    signals: Vec<Signals>,
    pub(crate) history: History,
}

/// What a request waits for.
enum Open {
    /// One reply.
    Reply(Option<Answer>),
    /// The replies to a call of this actor, in this life of it.
    Call { actor: String, life: u64 },
}

/// The longest time between two looks at what was asked.
const LOOK_FOR_REPLY: Duration = Duration::from_millis(100);

impl Session {
    /// Starts an adapter and asks who it is.
    pub(crate) fn open(command: &AdapterCommand) -> Result<(Self, Hello), Fault> {
        let mut session = Self {
            adapter: Adapter::start(command)?,
            next_id: 1,
            next_life: 1,
            open: BTreeMap::new(),
            actors: BTreeMap::new(),
            parents: BTreeMap::new(),
            coming: BTreeSet::new(),
            signals: Vec::new(),
            history: History::default(),
        };
        let ask = Ask::Hello { protocol: PROTOCOL_VERSION };
        let (asked, answer) = (format!("{ask:?}"), session.ask(ask)?);
        let hello: Hello = session.read_fields(&asked, answer)?;
        if hello.protocol != PROTOCOL_VERSION {
            let what = format!("speaks version {} of the protocol, not 1", hello.protocol);
            return Err(session.adapter.fault(&what));
        }
        if hello.starts.is_empty() || hello.name.is_empty() {
            return Err(session.adapter.fault("has no name, or no way to start an actor"));
        }
        Ok((session, hello))
    }

    pub(crate) fn adapter_pid(&self) -> i32 {
        self.adapter.pid()
    }

    /// Asks, and waits for the one reply.
    pub(crate) fn ask(&mut self, ask: Ask) -> Result<Answer, Fault> {
        let asked = format!("{ask:?}");
        let id = self.send(ask, Open::Reply(None))?;
        let mut patience = Patience::new(Duration::ZERO);
        loop {
            self.pump(LOOK_FOR_REPLY)?;
            if let Some(Open::Reply(Some(_))) = self.open.get(&id)
                && let Some(Open::Reply(Some(answer))) = self.open.remove(&id)
            {
                return Ok(answer);
            }
            if patience.is_over(|| self.is_awake()) {
                return Err(self.adapter.fault(&format!("does not answer {asked}")));
            }
        }
    }

    /// Asks for what cannot fail.
    pub(crate) fn must(&mut self, ask: Ask) -> Result<Map<String, Value>, Fault> {
        let asked = format!("{ask:?}");
        let answer = self.ask(ask)?;
        self.read_fields(&asked, answer)
    }

    /// The fields of the reply to what cannot fail.
    fn read_fields<T: DeserializeOwned>(
        &mut self,
        asked: &str,
        answer: Answer,
    ) -> Result<T, Fault> {
        let Answer::Ok { fields } = answer else {
            return Err(self.adapter.fault(&format!("answers {asked} with {answer:?}")));
        };
        let read = serde_json::from_value(Value::Object(fields));
        read.map_err(|error| self.adapter.fault(&format!("answers {asked} wrongly: {error}")))
    }

    /// Starts an actor that is a child of the adapter, or a thread of it; the text says why the
    /// subject has no such thing.
    pub(crate) fn start_actor(
        &mut self,
        name: &str,
        how: How,
        ask: Ask,
    ) -> Result<Result<(), String>, Fault> {
        let asked = format!("{ask:?}");
        let started = match self.ask(ask)? {
            Answer::Error { kind, text } if kind == "unsupported" => return Ok(Err(text)),
            answer => self.read_fields(&asked, answer)?,
        };
        let adapter = self.adapter.pid();
        let mut actor = self.believed(started, adapter)?;
        if actor.is_process() == (how == How::Thread) {
            let what = format!("started {name} as something else than a {}", how.slug());
            return Err(self.adapter.fault(&what));
        }
        actor.is_owed_reaping = actor.is_process();
        self.actors.insert(name.to_owned(), actor);
        Ok(Ok(()))
    }

    /// Sends a call or a program to an actor.
    pub(crate) fn start_call(&mut self, name: &str, what: What) -> Result<(), Fault> {
        let Some(life) = self.actors.get(name).map(|actor| actor.life) else { return Ok(()) };
        let actor = name.to_owned();
        let ask = match what.clone() {
            What::Call { target, op, args } => Ask::Call { actor, target, op, args },
            What::Run(program) => Ask::Run { actor, program },
        };
        // It stands there before its replies can come.
        let event = self.history.sent(name, what.clone());
        let call = Call::new(self.next_id, event, &what);
        self.coming.extend(call.traits.starts.iter().cloned());
        if let Some(actor) = self.actors.get_mut(name) {
            actor.call = Some(call);
        }
        self.send(ask, Open::Call { actor: name.to_owned(), life })?;
        Ok(())
    }

    /// Kills the process of an actor, so everybody whose process that is. Returns once the kernel
    /// says that it is gone, or at once.
    pub(crate) fn kill(&mut self, name: &str, waits: bool) -> Result<(), Fault> {
        let Some(actor) = self.actors.get(name).filter(|actor| !actor.has_ended_before()) else {
            return Ok(());
        };
        let (pid, sent_at) = (actor.pid, now_nanos());
        actor.signal(Signal::KILL).map_err(Fault::own)?;
        let mut gone_at = None;
        if waits {
            actor.wait_until_gone().map_err(Fault::own)?;
            gone_at = Some(now_nanos());
            // What it said last came about before it died.
            self.pump(Duration::ZERO)?;
        }
        self.history.killed(name, sent_at, gone_at);
        self.end_all_of(pid, if waits { State::Gone } else { State::Killed });
        Ok(())
    }

    /// Ends the process of an actor, where it still goes on, and waits until it is gone. Nobody's
    /// doing in the script, so no event.
    pub(crate) fn end_process(&mut self, name: &str) -> Result<(), Fault> {
        let Some(actor) = self.actors.get(name).filter(|actor| actor.is_process()) else {
            return Ok(());
        };
        actor.signal(Signal::KILL).map_err(Fault::own)?;
        actor.wait_until_gone().map_err(Fault::own)?;
        self.end_all_of(actor.pid, State::Gone);
        Ok(())
    }

    /// Writes down that an actor ended by itself, as was expected, or all whose process it was.
    pub(crate) fn has_gone(&mut self, name: &str) {
        let Some(actor) = self.actors.get_mut(name) else { return };
        let (pid, is_process) = (actor.pid, actor.ends_within(Duration::ZERO));
        let ends = actor.call.as_ref().is_some_and(|call| call.traits.ends);
        // Of a thread that ends, nobody else has gone in the script, although all may have by now.
        if is_process && (actor.is_process() || !ends) {
            return self.end_all_of(pid, State::Gone);
        }
        if let Some(call) = actor.call.take() {
            self.history.cut_off(call.event);
        }
        actor.state = State::Gone;
    }

    fn end_all_of(&mut self, pid: i32, state: State) {
        for actor in self.actors.values_mut().filter(|actor| actor.pid == pid) {
            actor.state = state;
            if let Some(call) = actor.call.take() {
                self.history.cut_off(call.event);
            }
        }
    }

    /// Collects the process of an actor that is gone: the adapter does, as its parent, or this
    /// process, when its parent has died before it.
    pub(crate) fn reap(&mut self, name: &str) -> Result<Option<Map<String, Value>>, Fault> {
        let Some(actor) = self.actors.get_mut(name) else { return Ok(None) };
        if !actor.is_owed_reaping {
            if actor.is_process() && actor.has_ended_before() {
                orphans::collect_one(actor.pid);
            }
            return Ok(None);
        }
        actor.is_owed_reaping = false;
        self.must(Ask::Reap { actor: name.to_owned() }).map(Some)
    }

    /// Takes in all replies that are there, after waiting up to `wait` for the first; meanwhile
    /// sends the signals that are due.
    pub(crate) fn pump(&mut self, wait: Duration) -> Result<(), Fault> {
        let until = Instant::now() + wait;
        loop {
            let next = self.send_due_signals()?.map_or(until, |next| next.min(until));
            let mut reply = self.adapter.reply(next.saturating_duration_since(Instant::now()))?;
            let has_come = reply.is_some();
            while let Some(came) = reply {
                self.take(came)?;
                reply = self.adapter.next_read();
            }
            if has_come || Instant::now() >= until {
                return Ok(());
            }
        }
    }

    /// Ends everything in good order, as a parent and as a guest.
    pub(crate) fn close(&mut self, objects: &[String]) -> Result<(), Fault> {
        let names: Vec<String> = self.actors.keys().cloned().collect();
        for actor in self.actors.values().filter(|actor| actor.is_process()) {
            actor.signal(Signal::KILL).map_err(Fault::own)?;
        }
        for name in &names {
            self.end_process(name)?;
            self.reap(name)?;
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
}

impl Drop for Session {
    fn drop(&mut self) {
        // What cannot be killed or does not end is in the adapter's group, which is killed next.
        let own: Vec<&Actor> = self.actors.values().filter(|actor| actor.is_process()).collect();
        for actor in &own {
            let _ = actor.signal(Signal::KILL);
        }
        for actor in &own {
            let _ = actor.wait_until_gone();
        }
    }
}
