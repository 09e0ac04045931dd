//! The subject around the locks: what it says of itself, and how it starts actors.

use std::collections::BTreeMap;
use std::io;
use std::process::Command;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};

use purlin_conformance::limits::PROTOCOL_VERSION;
use purlin_conformance::serve::{
    Actor, Arguments, CAPABILITIES, Child, Ended, Hello, How, Object, Pace, Reach, Refusal,
    Subject, catch_interrupts, run_in_program,
};
use purlin_process::{ExitStatus, Process};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use super::ACTOR;
use super::client::{self, Context, Manner, STARTED};
use super::fault::{Fault, Side};
use super::handle::{HAS_COPIES, Handle};
use super::lock::{Event, Order};
use super::named::{self, Named};

/// What is particular about a subject that is right.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) side: Side,
    pub(crate) order: Order,
    pub(crate) manner: Manner,
    /// Its usual actors are threads.
    pub(crate) has_threads: bool,
    /// Its usual actors are programs that are executed anew.
    pub(crate) has_programs: bool,
    /// It has no more than the core of the protocol asks for.
    pub(crate) is_core: bool,
}

impl Shape {
    /// Nothing is.
    pub(crate) const USUAL: Self = Self {
        side: Side::ByHolder,
        order: Order::First,
        manner: Manner::Sleep,
        has_threads: false,
        has_programs: false,
        is_core: false,
    };

    fn starts(self) -> Vec<How> {
        match (self.has_threads, self.has_programs) {
            (true, _) => vec![How::Thread, How::Fork, How::Spawn],
            (_, true) => vec![How::Spawn, How::Fork],
            _ => vec![How::Fork, How::Spawn],
        }
    }

    fn capabilities(self) -> Vec<String> {
        let all = CAPABILITIES.iter().chain(&["interrupts"]).map(|word| (*word).to_owned());
        if self.is_core { Vec::new() } else { all.collect() }
    }

    fn objects(self) -> BTreeMap<String, Vec<String>> {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let mut objects = BTreeMap::from([("lock".to_owned(), words(self.operations()))]);
        if !self.is_core {
            objects.insert(named::KIND.to_owned(), words(&named::OPERATIONS));
        }
        objects
    }

    fn operations(self) -> &'static [&'static str] {
        match (self.is_core, self.side) {
            (true, _) => &["acquire", "try", "release"],
            (_, Side::ByAnyone) => &["acquire", "try", "release", "recover", "state", "damage"],
            _ => &["acquire", "try", "release", "recover", "state", "damage", "force_release"],
        }
    }
}

pub(super) struct Served {
    name: String,
    shape: Shape,
    context: Arc<Context>,
    /// The adapter's process, or that of an actor which was executed anew.
    pid: u32,
    /// Objects that are other mappings of an object's memory, and of which; or that are places for
    /// a lock with a name, which stand for themselves.
    twins: Mutex<BTreeMap<String, String>>,
}

impl Served {
    pub(super) fn new(name: &str, shape: Shape, context: Context) -> Self {
        let (name, context) = (name.to_owned(), Arc::new(context));
        Self { name, shape, context, pid: std::process::id(), twins: Mutex::default() }
    }

    fn handle(&self, name: &str) -> Arc<dyn Object> {
        let twins = self.twins.lock().unwrap_or_else(PoisonError::into_inner);
        let twin_of = twins.get(name);
        let context = Arc::clone(&self.context);
        if twin_of.is_some_and(|of| of == named::KIND) {
            return Arc::new(Named::new(context));
        }
        Arc::new(Handle::new(twin_of.map_or(name, |name| name), twin_of.is_some(), context))
    }

    fn note_twin(&self, name: &str, of: &str) {
        let mut twins = self.twins.lock().unwrap_or_else(PoisonError::into_inner);
        twins.insert(name.to_owned(), of.to_owned());
    }

    fn fork(&self, actor: Actor) -> Result<Box<dyn Child>, Refusal> {
        let is_in_actor = self.pid != std::process::id();
        let has_copies = is_in_actor && self.context.fault == Fault::ChildGetsCopy;
        // Starting a process collects others that have ended; the server sees those ends before.
        client::sync(&self.context).map_err(|error| Refusal::new("system", error))?;
        let process = Process::fork(actor.name().to_owned(), move || {
            begin(has_copies);
            actor.run_in_fork();
        });
        let process = process.map_err(|error| Refusal::new(error.kind(), error))?;
        Ok(self.collected(process.pid(), Forked(process)))
    }

    fn spawn(&self, actor: Actor) -> Result<Box<dyn Child>, Refusal> {
        let mut command = Command::new("/proc/self/exe");
        command.args(["adapter", ACTOR, &self.name, &self.context.address]);
        let twins = self.twins.lock().unwrap_or_else(PoisonError::into_inner);
        command.args(twins.iter().map(|(name, of)| format!("{name}={of}")));
        actor.spawn(command)
    }

    fn collected(&self, pid: i32, child: impl Child + 'static) -> Box<dyn Child> {
        Box::new(Collected { pid, child, context: Arc::clone(&self.context) })
    }
}

impl Subject for Served {
    fn hello(&self) -> Hello {
        let (release, again) = match self.shape.side {
            Side::ByHolder => ("by-holder", "waits"),
            Side::ByAnyone => ("by-anyone", "waits"),
            Side::Checked => ("by-holder", "refused"),
        };
        let contract = |choice: &str, side: &str| (choice.to_owned(), vec![side.to_owned()]);
        Hello {
            protocol: PROTOCOL_VERSION,
            name: self.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            starts: self.shape.starts(),
            objects_reach: Reach::Start,
            objects: self.shape.objects(),
            capabilities: self.shape.capabilities(),
            contracts: BTreeMap::from([
                contract("lock-release", release),
                contract("lock-again", again),
            ]),
            forms: BTreeMap::new(),
            pace: Pace::Fast,
        }
    }

    /// The server makes a lock when it is first asked for it.
    fn create(&self, name: &str, kind: &str, args: &Arguments) -> Result<Arc<dyn Object>, Refusal> {
        match kind {
            "lock" => {}
            named::KIND => {
                self.note_twin(name, named::KIND);
                return Ok(self.handle(name));
            }
            _ => return Err(Refusal::unsupported(kind)),
        }
        if let Some(of) = args.get("again").and_then(serde_json::Value::as_str) {
            self.note_twin(name, of);
        }
        if self.pid != std::process::id() {
            let made = client::ask(&self.context, Event::Make, name);
            made.map_err(|error| Refusal::new("system", error))?;
        }
        Ok(self.handle(name))
    }

    fn start(&self, how: How, actor: Actor) -> Result<Box<dyn Child>, Refusal> {
        match how {
            How::Fork => self.fork(actor),
            How::Spawn => self.spawn(actor),
            How::Thread => {
                let builder = std::thread::Builder::new().name(actor.name().to_owned());
                let started = builder.spawn(move || actor.run_in_thread());
                started.map_err(|error| Refusal::new("out-of-resources", error))?;
                Ok(Box::new(Thread))
            }
        }
    }
}

/// Is an actor in a program of its own.
///
/// # Errors
/// * What the system refused.
pub(super) fn run_program(served: Served, twins: &[String]) -> io::Result<()> {
    begin(served.context.fault == Fault::SpawnGetsCopy);
    for (name, of) in twins.iter().filter_map(|twin| twin.split_once('=')) {
        served.note_twin(name, of);
    }
    let served = Arc::new(served);
    let subject = Arc::clone(&served) as Arc<dyn Subject>;
    run_in_program(subject, |name| Ok(served.handle(name)))
}

/// The first of a process that is an actor.
fn begin(has_copies: bool) {
    client::forget();
    // Relaxed, both: there are no other threads yet.
    STARTED.store(std::process::id(), Relaxed);
    HAS_COPIES.store(has_copies, Relaxed); // Relaxed: as above
    // Where that is refused an interrupt ends the actor, and the case says so.
    let _ = catch_interrupts();
}

struct Forked(Process);

impl Child for Forked {
    fn reap(&mut self) -> Result<Ended, Refusal> {
        match self.0.join(None) {
            Ok(ExitStatus::Code(code)) => Ok(Ended::Code(code)),
            Ok(ExitStatus::Signal(signal)) => Ok(Ended::Signal(signal)),
            Ok(ExitStatus::Unknown) => Err(Refusal::new("system", "somebody else collected it")),
            Err(error) => Err(Refusal::new(error.kind(), error)),
        }
    }
}

/// The server sees an end before it is collected, and that it was.
struct Collected<C> {
    pid: i32,
    child: C,
    context: Arc<Context>,
}

impl<C: Child> Child for Collected<C> {
    fn reap(&mut self) -> Result<Ended, Refusal> {
        let system = |error: io::Error| Refusal::new("system", error);
        if let Some(pid) = Pid::from_raw(self.pid) {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            // A failure says that it was collected when another was started.
            let _ = waitid(WaitId::Pid(pid), options);
        }
        client::sync(&self.context).map_err(system)?;
        let ended = self.child.reap()?;
        client::sync(&self.context).map_err(system)?;
        Ok(match (self.context.fault, ended) {
            (Fault::ExitStatusLost, Ended::Code(_)) => Ended::Code(1),
            (Fault::SignalLost, Ended::Signal(_)) => Ended::Signal(15),
            (_, ended) => ended,
        })
    }
}

/// A thread ends with the adapter.
struct Thread;

impl Child for Thread {
    fn reap(&mut self) -> Result<Ended, Refusal> {
        Err(Refusal::unsupported("a thread is nobody's child"))
    }
}
