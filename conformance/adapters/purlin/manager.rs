//! Managers of purlin as the suite asks for them: a server, or access to one.

use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use purlin_conformance::serve::{
    Arguments, CallResult, Flow, Function, Functions, How, Object, Refusal,
};
use purlin_manager::{Address, Builder, Client, Error, Key, Manager, Queue};
use purlin_process::ExitStatus;
use serde_json::{Value, json};

use super::managed::element::Element;
use super::managed::{Done, prevented, refusal};
use super::queue::limit;
use offer::offer;
use place::{Folder, Unheard};
use stranger::Pretender;

#[path = "manager/offer.rs"]
mod offer;
#[path = "manager/place.rs"]
mod place;
#[path = "manager/stranger.rs"]
mod stranger;

/// The kind of object.
pub(super) const KIND: &str = "manager";

/// What can be asked of it.
pub(super) const OPERATIONS: [&str; 16] = [
    "start",
    "connect",
    "shutdown",
    "exit_status",
    "process_id",
    "is_child",
    "address",
    "has_port",
    "is_private",
    "objects",
    "objects_come_to",
    "unheard",
    "pretend",
    "heard",
    "intrude",
    "has_mark",
];

/// The name of the queue that a server offers to whoever connects.
pub(super) const OFFERED: &str = "offered";

/// A server, or access to one, from its description to its end.
pub(super) struct Described {
    usual: How,
    args: Arguments,
    state: Mutex<State>,
    status: Mutex<Option<ExitStatus>>,
    folder: Mutex<Option<Folder>>,
    pretender: Mutex<Option<Pretender>>,
    unheard: Mutex<Option<Unheard>>,
}

/// What there is of it.
#[derive(Clone)]
enum State {
    Nothing,
    Own(Arc<Own>),
    Theirs {
        client: Client,
        key: Key,
        server: Option<i32>,
    },
    /// It was there when this process's maker packed it, and cannot be reached.
    Lost,
}

/// A server of this process's own.
struct Own {
    manager: Manager,
    key: Key,
    /// Kept, so that who connects finds it.
    _offered: Option<Queue<Element>>,
}

impl Described {
    /// Describes it, and starts it unless the arguments say otherwise.
    pub(super) fn new(usual: How, args: &Arguments) -> Result<Self, Refusal> {
        let described = Self::with(usual, args, State::Nothing);
        if !args.contains_key("unstarted") {
            described.start(&Arguments::new(), None).map_err(refused)?;
        }
        Ok(described)
    }

    fn with(usual: How, args: &Arguments, state: State) -> Self {
        Self {
            usual,
            args: args.clone(),
            state: Mutex::new(state),
            status: Mutex::default(),
            folder: Mutex::default(),
            pretender: Mutex::default(),
            unheard: Mutex::default(),
        }
    }

    /// Access to its server.
    pub(super) fn client(&self) -> Done<Client> {
        match self.now() {
            State::Nothing => Err(prevented("there is no Manager before it is started")),
            State::Own(own) => Ok(Client::clone(&own.manager)),
            State::Theirs { client, .. } => Ok(client),
            State::Lost => Err(CallResult::failed("server-gone", "it could not be reached")),
        }
    }

    fn now(&self) -> State {
        locked(&self.state).clone()
    }

    fn own(&self) -> Done<Arc<Own>> {
        match self.now() {
            State::Own(own) => Ok(own),
            State::Nothing => Err(prevented("there is no Manager before it is started")),
            _ => Err(prevented("a Client has no server of its own")),
        }
    }

    /// The number of its server's process.
    fn server(&self) -> Done<i32> {
        match self.now() {
            State::Theirs { server: Some(server), .. } => Ok(server),
            _ => Ok(self.own()?.manager.pid()),
        }
    }

    fn start(&self, args: &Arguments, functions: Option<&Functions<'_>>) -> Done<Value> {
        if !matches!(self.now(), State::Nothing) {
            return Err(prevented("a Manager is started when it is made, and once"));
        }
        let text =
            |name: &str| args.get(name).or_else(|| self.args.get(name)).and_then(Value::as_str);
        let key = text("key").map_or_else(|| Ok(own_key()), Key::new).map_err(in_key)?;
        let mut builder = Builder::new().key(key.clone());
        if let Some(address) = text("address") {
            builder = builder.address(self.address_of(address)?);
        }
        let initializer = match (args.get("initializer"), functions) {
            (None, _) => None,
            (Some(_), Some(functions)) => {
                let function = Function::of(args, "initializer");
                let none = || prevented("what is no function is no setup");
                Some(functions.detached(&function.ok_or_else(none)?))
            }
            (Some(_), None) => return Err(CallResult::Unsupported),
        };
        let manager = match (text("by"), self.usual) {
            (Some("fork"), _) | (None, How::Fork | How::Thread) => builder.fork_with(|types| {
                offer(types);
                if let Some(run) = initializer {
                    run();
                }
            }),
            _ if initializer.is_some() => {
                return Err(prevented("what runs first in a spawned server captures nothing"));
            }
            _ => builder.spawn_with(offer),
        };
        let manager = manager.map_err(failed)?;
        let offered = if self.args.contains_key("offers") {
            let queue = manager.queue().map_err(failed)?;
            manager.publish(OFFERED, &queue).map_err(failed)?;
            Some(queue)
        } else {
            None
        };
        let own = Own { manager, key, _offered: offered };
        *locked(&self.state) = State::Own(Arc::new(own));
        Ok(Value::Null)
    }

    /// `tcp` on the loopback with a port that the server chooses, `path` in a folder of its own, or
    /// what an address is written as.
    fn address_of(&self, text: &str) -> Done<Address> {
        let text = match text {
            "tcp" => "tcp:127.0.0.1:0".to_owned(),
            "path" => {
                let folder = Folder::new().map_err(|error| CallResult::failed("system", error))?;
                let path = format!("unix:{}", folder.socket().display());
                *locked(&self.folder) = Some(folder);
                path
            }
            other => other.to_owned(),
        };
        text.parse().map_err(failed)
    }

    fn connect(&self, args: &Arguments, functions: &Functions<'_>) -> Done<Value> {
        let text = |name: &str| args.get(name).and_then(Value::as_str);
        let (address, key) = match text("to") {
            Some(to) => {
                let object = functions.object(to).map_err(CallResult::Failed)?;
                let other = object.handle().and_then(<dyn Any>::downcast_ref::<Self>);
                let place = other.and_then(Self::place);
                place.ok_or_else(|| prevented("there is no address before it is started"))?
            }
            None => (self.address_of(text("address").unwrap_or_default())?, own_key()),
        };
        let key = text("key").map_or(Ok(key), Key::new).map_err(in_key)?;
        let client = Client::connect(&address, key.clone()).map_err(failed)?;
        *locked(&self.state) = State::Theirs { client, key, server: None };
        Ok(Value::Null)
    }

    /// Where its server is, and the key.
    fn place(&self) -> Option<(Address, Key)> {
        match self.now() {
            State::Own(own) => Some((own.manager.address().clone(), own.key.clone())),
            State::Theirs { client, key, .. } => Some((client.address().clone(), key)),
            _ => None,
        }
    }

    fn address(&self) -> Done<Address> {
        self.client().map(|client| client.address().clone())
    }

    fn shutdown(&self, args: &Arguments) -> Done<Value> {
        let status = self.own()?.manager.shutdown(limit(args)?).map_err(failed)?;
        *locked(&self.status) = Some(status);
        Ok(Value::Null)
    }

    fn objects_come_to(&self, args: &Arguments) -> Done<Value> {
        let count = args.get("count").and_then(Value::as_u64).ok_or(CallResult::Unsupported)?;
        let (client, begun) = (self.client()?, Instant::now());
        while client.object_count().map_err(failed)? != count {
            if begun.elapsed() > purlin_conformance::limits::patience() {
                return Ok(false.into());
            }
            thread::yield_now();
        }
        Ok(true.into())
    }

    fn let_go(&self) {
        let before = std::mem::replace(&mut *locked(&self.state), State::Nothing);
        drop(before); // behind the lock: it waits for the end of the server
    }

    fn ask(&self, op: &str, args: &Arguments, functions: &Functions<'_>) -> Done<Value> {
        match op {
            "start" => self.start(args, Some(functions)),
            "connect" => self.connect(args, functions),
            "shutdown" => self.shutdown(args),
            "exit_status" => Ok(match *locked(&self.status) {
                Some(ExitStatus::Code(code)) => code.into(),
                Some(ExitStatus::Signal(signal)) => (-signal).into(),
                _ => Value::Null,
            }),
            "process_id" => self.server().map(Value::from),
            "is_child" => {
                let process = self.own()?.manager.process().clone();
                Ok(purlin_process::active_children().contains(&process).into())
            }
            "address" => Ok(self.address()?.to_string().into()),
            "has_port" => Ok(matches!(self.address()?, Address::Tcp(at) if at.port() > 0).into()),
            "is_private" => Ok(place::is_private(&self.address()?).into()),
            "objects" => Ok(self.client()?.object_count().map_err(failed)?.into()),
            "objects_come_to" => self.objects_come_to(args),
            "unheard" => {
                let of = args.get("of").and_then(Value::as_str).unwrap_or_default();
                let unheard = Unheard::new(of);
                let unheard = unheard.map_err(|error| CallResult::failed("system", error))?;
                let address = unheard.address.to_string();
                *locked(&self.unheard) = Some(unheard);
                Ok(address.into())
            }
            "pretend" => {
                let pretender = Pretender::new();
                let pretender = pretender.map_err(|error| CallResult::failed("system", error))?;
                let address = pretender.address.to_string();
                *locked(&self.pretender) = Some(pretender);
                Ok(address.into())
            }
            "heard" => {
                let text = args.get("text").and_then(Value::as_str).unwrap_or_default();
                let pretender = locked(&self.pretender).take();
                let heard = pretender.ok_or(CallResult::Unsupported)?.heard();
                Ok(json!([!heard.is_empty(), stranger::contains(&heard, text.as_bytes())]))
            }
            "intrude" => stranger::intrude(&self.address()?).map(|()| Value::Null),
            // No bytes make a value of this server's run anything.
            "has_mark" => Ok(false.into()),
            _ => Err(CallResult::Unsupported),
        }
    }

    /// What makes it in another program.
    pub(super) fn as_word(&self) -> String {
        let place = self.place().map(|(address, key)| {
            let key: Vec<u8> = key.as_bytes().to_vec();
            json!([address.to_string(), key, self.server().ok()])
        });
        let is_lost = place.is_none() && !matches!(self.now(), State::Nothing);
        let is_spawn = self.usual == How::Spawn;
        let word = json!({"args": self.args, "place": place, "lost": is_lost, "spawn": is_spawn});
        format!("{WORD}{}", word.to_string().replace(' ', "\\u0020"))
    }

    /// The one of a word: of a server there, access to it.
    pub(super) fn of_word(word: &str) -> Option<Self> {
        let word: Value = serde_json::from_str(word.strip_prefix(WORD)?).ok()?;
        let args = word.get("args")?.as_object()?;
        let state = match word.get("place").filter(|place| !place.is_null()) {
            Some(place) => access(place).unwrap_or(State::Lost),
            None if word.get("lost") == Some(&true.into()) => State::Lost,
            None => State::Nothing,
        };
        let usual = if word.get("spawn") == Some(&true.into()) { How::Spawn } else { How::Fork };
        Some(Self::with(usual, args, state))
    }
}

/// So begins the word of one.
const WORD: &str = "manager:";

fn access(place: &Value) -> Option<State> {
    let address: Address = place.get(0)?.as_str()?.parse().ok()?;
    let bytes: Vec<u8> = serde_json::from_value(place.get(1)?.clone()).ok()?;
    let key = Key::new(bytes).ok()?;
    let client = Client::connect(&address, key.clone()).ok()?;
    let server = place.get(2).and_then(Value::as_i64).and_then(|pid| i32::try_from(pid).ok());
    Some(State::Theirs { client, key, server })
}

impl Object for Described {
    fn call(&self, _op: &str, _args: &Arguments) -> CallResult {
        CallResult::Unsupported // what it is asked for may name other objects
    }

    fn call_with(&self, op: &str, args: &Arguments, functions: &mut Functions<'_>) -> CallResult {
        self.ask(op, args, functions).map_or_else(|other| other, CallResult::Value)
    }

    /// The scope of a manager is its life.
    fn scope(&self, body: &mut dyn FnMut() -> Flow) -> Flow {
        if matches!(self.now(), State::Nothing)
            && let Err(other) = self.start(&Arguments::new(), None)
        {
            return other.into();
        }
        let _life = LetGo(self);
        body()
    }

    fn handle(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

/// Ends a manager when it is dropped.
struct LetGo<'a>(&'a Described);

impl Drop for LetGo<'_> {
    fn drop(&mut self) {
        self.0.let_go();
    }
}

fn own_key() -> Key {
    purlin_process::current().key()
}

fn in_key(error: purlin_process::Error) -> CallResult {
    CallResult::failed(error.kind(), error)
}

pub(super) fn refused(result: CallResult) -> Refusal {
    match result {
        CallResult::Failed(refusal) => refusal,
        CallResult::Prevented(why) => Refusal::prevented(why),
        _ => Refusal::unsupported("no such manager"),
    }
}

fn failed(error: Error) -> CallResult {
    CallResult::Failed(refusal(&error))
}

fn locked<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}
