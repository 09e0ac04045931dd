//! Speaking to an adapter that may be wrong: whatever it says out of place ends the check.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Wrong, lock_of};
use crate::limits::{PROTOCOL_VERSION, patience};
use crate::protocol::{Answer, Hello, How, Reply};
use crate::subject::{Adapter, AdapterCommand, Fault};

/// A conversation with an adapter process of its own.
pub(super) struct Talk<'a> {
    pub(super) adapter: Adapter,
    pub(super) hello: Hello,
    /// The names of the fields that it said `hello` with.
    pub(super) hello_fields: Vec<String>,
    error_kinds: &'a BTreeSet<String>,
    next_id: u64,
    /// What was asked and has not come to its last reply.
    open: BTreeMap<u64, String>,
    /// What has.
    closed: BTreeMap<u64, String>,
    came: VecDeque<Reply>,
    /// Processes and threads of actors, by name.
    pub(super) actors: BTreeMap<String, (i32, i32)>,
}

impl<'a> Talk<'a> {
    pub(super) fn open(
        command: &AdapterCommand,
        error_kinds: &'a BTreeSet<String>,
    ) -> Result<Self, Wrong> {
        let mut talk = Self {
            adapter: Adapter::start(command)?,
            hello: nobody(),
            hello_fields: Vec::new(),
            error_kinds,
            next_id: 1,
            open: BTreeMap::new(),
            closed: BTreeMap::new(),
            came: VecDeque::new(),
            actors: BTreeMap::new(),
        };
        let answer = talk.ask(json!({"request": "hello", "protocol": PROTOCOL_VERSION}))?;
        let fields = done(answer, "hello")?;
        let names = fields.as_object().into_iter().flat_map(|fields| fields.keys());
        talk.hello_fields = names.cloned().collect();
        let hello = serde_json::from_value(fields);
        talk.hello = hello.map_err(|error| Wrong(format!("answers `hello` wrongly: {error}")))?;
        Ok(talk)
    }

    /// Sends a request and gives its id.
    pub(super) fn send(&mut self, mut request: Value) -> Result<u64, Wrong> {
        let id = self.next_id;
        self.next_id += 1;
        request["id"] = id.into();
        let line = request.to_string();
        self.open.insert(id, line.clone());
        self.adapter.send_line(line)?;
        Ok(id)
    }

    /// The next reply to this request; whatever else comes meanwhile must be in place too.
    pub(super) fn next(&mut self, id: u64) -> Result<Answer, Wrong> {
        if let Some(at) = self.came.iter().position(|reply| reply.id == id)
            && let Some(reply) = self.came.remove(at)
        {
            return Ok(reply.answer);
        }
        let deadline = Instant::now() + patience();
        loop {
            match self.read(Duration::from_millis(100))? {
                Some(reply) if reply.id == id => return Ok(reply.answer),
                Some(reply) => self.came.push_back(reply),
                None if Instant::now() >= deadline => {
                    let asked = self.open.get(&id).or_else(|| self.closed.get(&id));
                    let asked = asked.map_or("", String::as_str);
                    return Err(self.adapter.fault(&format!("does not answer {asked}")).into());
                }
                None => {}
            }
        }
    }

    /// The next reply of all, if one comes in this time.
    pub(super) fn read(&mut self, wait: Duration) -> Result<Option<Reply>, Wrong> {
        let reply = match self.adapter.next_read() {
            Some(reply) => Some(reply),
            None => self.adapter.reply(wait)?,
        };
        if let Some(reply) = &reply {
            self.look_at(reply)?;
        }
        Ok(reply)
    }

    /// Whether it stands where it may stand, by its id and its kind.
    fn look_at(&mut self, Reply { id, answer }: &Reply) -> Result<(), Wrong> {
        let Some(asked) = self.open.get(id) else {
            let what = match self.closed.get(id) {
                Some(asked) => format!("answers {asked} once more: {answer:?}"),
                None => format!("answers what nobody asked: {answer:?} with the id {id}"),
            };
            return Err(Wrong(what));
        };
        if let Answer::Error { kind, .. } | Answer::Failed { kind, .. } = answer
            && !self.error_kinds.contains(kind)
        {
            return Err(Wrong(format!(
                "answers {asked} with the error kind `{kind}`, which is none"
            )));
        }
        let goes_on = matches!(
            answer,
            Answer::Entered { .. } | Answer::Started { .. } | Answer::Waiting { .. }
        );
        if !goes_on && let Some(asked) = self.open.remove(id) {
            self.closed.insert(*id, asked);
        }
        Ok(())
    }

    /// Asks for what has one reply.
    pub(super) fn ask(&mut self, request: Value) -> Result<Answer, Wrong> {
        let id = self.send(request)?;
        self.next(id)
    }

    /// Asks for what must be done, and gives the fields of the reply.
    pub(super) fn must(&mut self, request: Value) -> Result<Value, Wrong> {
        let shown = request.to_string();
        done(self.ask(request)?, &shown)
    }

    pub(super) fn create(&mut self, name: &str, kind: &str) -> Result<(), Wrong> {
        let args = needed(kind);
        let request = json!({"request": "create", "object": name, "kind": kind, "args": args});
        self.must(request).map(drop)
    }

    /// A lock, or whatever can be waited for.
    pub(super) fn create_lock(&mut self, name: &str) -> Result<(), Wrong> {
        let kind = lock_of(&self.hello).unwrap_or("lock").to_owned();
        self.create(name, &kind)
    }

    /// Starts an actor that is a process.
    pub(super) fn process(
        &mut self,
        name: &str,
        objects: &[&str],
        heirs: Value,
    ) -> Result<i32, Wrong> {
        let how = process_way(&self.hello).unwrap_or(How::Fork);
        self.actor(name, how, objects, heirs)
    }

    pub(super) fn actor(
        &mut self,
        name: &str,
        how: How,
        objects: &[&str],
        heirs: Value,
    ) -> Result<i32, Wrong> {
        let mut request = json!({"request": "actor", "name": name, "how": how.slug(),
            "parent": null, "objects": objects});
        if !heirs.is_null() {
            request["heirs"] = heirs;
        }
        let fields = self.must(request)?;
        let ids = number(&fields["pid"]).zip(number(&fields["tid"]));
        let ids =
            ids.ok_or_else(|| Wrong(format!("starts an actor without pid and tid: {fields}")))?;
        self.actors.insert(name.to_owned(), ids);
        Ok(ids.0)
    }

    /// Sends a call without arguments.
    pub(super) fn send_call(&mut self, actor: &str, object: &str, op: &str) -> Result<u64, Wrong> {
        self.send(json!({"request": "call", "actor": actor, "object": object, "op": op,
            "args": {}}))
    }

    /// What comes of a call or a program, in the right order: `entered` first, then maybe that
    /// actors were started, then its end.
    pub(super) fn outcome(&mut self, id: u64) -> Result<Answer, Wrong> {
        let mut is_entered = false;
        loop {
            match self.next(id)? {
                Answer::Entered { .. } if !is_entered => is_entered = true,
                Answer::Started { name, pid, tid } if is_entered => {
                    self.actors.insert(name, (pid, tid));
                }
                answer @ (Answer::Returned { .. } | Answer::Failed { .. }) if is_entered => {
                    return Ok(answer);
                }
                answer
                @ (Answer::Unsupported | Answer::Prevented { .. } | Answer::Error { .. }) => {
                    return Ok(answer);
                }
                other => {
                    let before = if is_entered { "after" } else { "before" };
                    return Err(Wrong(format!("says {other:?} of a call {before} `entered`")));
                }
            }
        }
    }

    pub(super) fn call(&mut self, actor: &str, object: &str, op: &str) -> Result<Answer, Wrong> {
        let id = self.send_call(actor, object, op)?;
        self.outcome(id)
    }

    pub(super) fn send_run(&mut self, actor: &str, program: Value) -> Result<u64, Wrong> {
        self.send(json!({"request": "run", "actor": actor, "program": program}))
    }

    /// Runs a program that must come back with this value.
    pub(super) fn returns(
        &mut self,
        actor: &str,
        program: Value,
        expected: &Value,
    ) -> Result<(), Wrong> {
        let shown = program.to_string();
        let id = self.send_run(actor, program)?;
        let answer = self.outcome(id)?;
        is_value(&answer, expected, &shown)
    }

    /// Makes a call that must come back with this value.
    pub(super) fn gives(
        &mut self,
        actor: &str,
        object: &str,
        op: &str,
        expected: &Value,
    ) -> Result<(), Wrong> {
        let answer = self.call(actor, object, op)?;
        is_value(&answer, expected, &format!("{actor}: {object}.{op}()"))
    }

    /// A call that begins and waits. That it waits is seen by what follows.
    pub(super) fn begins(&mut self, actor: &str, object: &str, op: &str) -> Result<u64, Wrong> {
        let id = self.send_call(actor, object, op)?;
        match self.next(id)? {
            Answer::Entered { .. } => Ok(id),
            other => Err(Wrong(format!("begins {op} with {other:?} instead of `entered`"))),
        }
    }

    pub(super) fn actor_ids(&self, name: &str) -> Result<(i32, i32), Wrong> {
        let ids = self.actors.get(name).copied();
        ids.ok_or_else(|| Wrong(format!("never says `started` of {name}")))
    }
}

/// How to start an actor that is a process.
pub(super) fn process_way(hello: &Hello) -> Option<How> {
    hello.starts.iter().copied().find(|how| *how != How::Thread)
}

pub(super) fn is_value(answer: &Answer, expected: &Value, of: &str) -> Result<(), Wrong> {
    match answer {
        Answer::Returned { value, .. } if value == expected => Ok(()),
        other => Err(Wrong(format!("answers {of} with {other:?}, not with the value {expected}"))),
    }
}

pub(super) fn is_failure(answer: &Answer, expected: &str, of: &str) -> Result<(), Wrong> {
    match answer {
        Answer::Failed { kind, .. } if kind == expected => Ok(()),
        other => Err(Wrong(format!("answers {of} with {other:?}, not with {expected}"))),
    }
}

fn done(answer: Answer, asked: &str) -> Result<Value, Wrong> {
    match answer {
        Answer::Ok { fields } => Ok(Value::Object(fields)),
        other => Err(Wrong(format!("answers {asked} with {other:?}"))),
    }
}

fn number(value: &Value) -> Option<i32> {
    value.as_i64().and_then(|number| i32::try_from(number).ok())
}

fn nobody() -> Hello {
    Hello {
        protocol: 0,
        name: String::new(),
        version: String::new(),
        starts: Vec::new(),
        objects_reach: crate::protocol::Reach::Start,
        objects: BTreeMap::new(),
        capabilities: Vec::new(),
        contracts: BTreeMap::new(),
        forms: BTreeMap::new(),
        pace: crate::protocol::Pace::Fast,
    }
}

impl From<Fault> for Wrong {
    fn from(fault: Fault) -> Self {
        Self(fault.0)
    }
}

/// What an object of this kind cannot be made without. What only a manager's server keeps is made
/// as the place for a stand-in, which needs no server.
pub(super) fn needed(kind: &str) -> Value {
    match kind {
        "barrier" => json!({"parties": 1}),
        "list" | "dict" | "namespace" | "registered" => json!({"unfilled": true}),
        _ => json!({}),
    }
}
