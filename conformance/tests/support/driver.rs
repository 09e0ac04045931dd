//! Speaking to an adapter directly, without the runner.

use std::collections::{BTreeMap, VecDeque};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use rustix::process::{Signal, pidfd_send_signal};
use serde_json::{Value, json};

use crate::support::{self, MARK, Marked, Replies};

/// An adapter, and what it has said that nobody asked for yet.
pub(crate) struct Driver {
    adapter: Child,
    marked: Marked,
    replies: Replies,
    waiting: VecDeque<Value>,
    next_id: u64,
    /// Its answer to `hello`.
    pub(crate) hello: Value,
    /// Processes of actors, by name.
    pub(crate) processes: BTreeMap<String, i32>,
}

impl Driver {
    pub(crate) fn start(mut command: Command) -> Self {
        let marked = Marked::new();
        command.env(MARK, &marked.value).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut adapter = command.spawn().unwrap();
        let replies = Replies::of(&mut adapter);
        let mut driver = Self {
            adapter,
            marked,
            replies,
            waiting: VecDeque::new(),
            next_id: 1,
            hello: Value::Null,
            processes: BTreeMap::new(),
        };
        driver.hello = driver.ok(json!({"request": "hello", "protocol": 1}));
        driver
    }

    /// Whether it offers this beyond the core.
    pub(crate) fn offers(&self, capability: &str) -> bool {
        self.hello["capabilities"].as_array().unwrap().iter().any(|word| word == capability)
    }

    /// Sends a request and says its id.
    pub(crate) fn send(&mut self, mut request: Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        request["id"] = id.into();
        support::say(&mut self.adapter, &request.to_string());
        id
    }

    /// The next reply to this request.
    pub(crate) fn next(&mut self, id: u64) -> Value {
        if let Some(at) = self.waiting.iter().position(|reply| reply["id"] == id) {
            return self.waiting.remove(at).unwrap();
        }
        loop {
            let reply = self.replies.next();
            if reply["id"] == id {
                return reply;
            }
            self.waiting.push_back(reply);
        }
    }

    /// Asks for what must be done, and gives the reply.
    pub(crate) fn ok(&mut self, request: Value) -> Value {
        let id = self.send(request.clone());
        let reply = self.next(id);
        assert_eq!(reply["reply"], "ok", "{request} -> {reply}");
        reply
    }

    pub(crate) fn create(&mut self, name: &str, kind: &str) {
        self.ok(json!({"request": "create", "object": name, "kind": kind, "args": {}}));
    }

    /// Starts an actor of the adapter's own; `heirs` as in the request.
    pub(crate) fn actor(&mut self, name: &str, how: &str, objects: &[&str], heirs: Value) {
        let started = self.ok(json!({"request": "actor", "name": name, "how": how,
            "parent": null, "objects": objects, "heirs": heirs}));
        self.processes.insert(name.to_owned(), pid(&started));
    }

    /// What came of a call or a program: a value, or the kind of a failure.
    pub(crate) fn outcome(&mut self, id: u64) -> Value {
        loop {
            let reply = self.next(id);
            match reply["reply"].as_str().unwrap() {
                "entered" => {}
                "started" => {
                    let name = reply["name"].as_str().unwrap().to_owned();
                    self.processes.insert(name, pid(&reply));
                }
                "returned" => return reply["value"].clone(),
                "failed" | "error" => return reply["kind"].clone(),
                other => return other.into(),
            }
        }
    }

    pub(crate) fn call(&mut self, actor: &str, object: &str, op: &str) -> u64 {
        self.send(json!({"request": "call", "actor": actor, "object": object, "op": op,
            "args": {}}))
    }

    pub(crate) fn calls(&mut self, actor: &str, object: &str, op: &str) -> Value {
        let id = self.call(actor, object, op);
        self.outcome(id)
    }

    pub(crate) fn run(&mut self, actor: &str, program: Value) -> u64 {
        self.send(json!({"request": "run", "actor": actor, "program": program}))
    }

    pub(crate) fn runs(&mut self, actor: &str, program: Value) -> Value {
        let id = self.run(actor, program);
        self.outcome(id)
    }

    pub(crate) fn reap(&mut self, actor: &str) -> Value {
        let reply = self.ok(json!({"request": "reap", "actor": actor}));
        if reply["code"].is_null() { reply["signal"].clone() } else { reply["code"].clone() }
    }

    pub(crate) fn adapter_pid(&self) -> i32 {
        i32::try_from(self.adapter.id()).unwrap()
    }

    /// A descriptor that tells of the end of an actor's process.
    pub(crate) fn pidfd(&self, actor: &str) -> OwnedFd {
        support::pidfd(u32::try_from(self.processes[actor]).unwrap()).unwrap()
    }

    /// Kills an actor's process, and waits until it is gone.
    pub(crate) fn kill(&self, actor: &str) {
        let process = self.pidfd(actor);
        pidfd_send_signal(&process, Signal::KILL).unwrap();
        assert!(support::has_ended(&process), "{actor}");
    }

    /// Kills the adapter, or lets go of it: every process of it must end.
    pub(crate) fn all_end(mut self, is_killed: bool) {
        let living = self.marked.processes();
        let living: Vec<_> =
            living.into_iter().filter_map(|pid| support::pidfd(pid).ok()).collect();
        if is_killed {
            self.adapter.kill().unwrap();
        } else {
            drop(self.adapter.stdin.take());
        }
        let have_ended = living.iter().all(support::has_ended);
        assert!(have_ended, "left behind: {:?}", self.marked.processes());
        self.adapter.wait().unwrap();
        assert!(self.marked.processes().is_empty());
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.marked.kill();
        let _ = self.adapter.wait();
    }
}

fn pid(reply: &Value) -> i32 {
    i32::try_from(reply["pid"].as_i64().unwrap()).unwrap()
}
