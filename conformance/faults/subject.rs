//! The subject around the objects: what it says of itself, and how it starts actors.

use std::collections::BTreeMap;
use std::io;
use std::process::Command;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use purlin_conformance::limits::PROTOCOL_VERSION;
use purlin_conformance::serve::{
    Actor, Arguments, CAPABILITIES, Child, Ended, Form, Hello, How, InThread, Object, Pace, Reach,
    Refusal, Subject, catch_interrupts, run_in_program,
};
use purlin_process::{ExitStatus, Process};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use serde_json::json;

use super::ACTOR;
use super::client::{self, Call, Context, Manner, STARTED};
use super::condition;
use super::fault::{Fault, Side};
use super::handle::HAS_COPIES;
use super::kind::{Kind, Made, Order, Rules};
use super::kinds::{self, KINDS};

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

    /// The core is asked of the lock alone, and of that what its side offers.
    fn objects(self) -> BTreeMap<String, Vec<String>> {
        let has = |kind: &str, operation: &str| match (kind, self.is_core) {
            ("lock", true) => ["acquire", "try", "release"].contains(&operation),
            ("lock", false) => self.side != Side::ByAnyone || operation != "force_release",
            (_, is_core) => !is_core,
        };
        let words = |kind: &Kind| -> Vec<String> {
            let all = kind.operations.iter().filter(|operation| has(kind.name, operation));
            all.map(|word| (*word).to_owned()).collect()
        };
        let all = KINDS.iter().map(|kind| (kind.name.to_owned(), words(kind)));
        all.filter(|(_, operations)| !operations.is_empty()).collect()
    }

    fn forms(self) -> BTreeMap<String, Form> {
        let owned =
            |(choice, side): &(&str, &str)| ((*choice).to_owned(), vec![(*side).to_owned()]);
        let form = |kind: &&Kind| {
            let (of, sides) = kind.form?;
            let contracts = sides.iter().map(owned).collect();
            Some((kind.name.to_owned(), Form { of: of.to_owned(), contracts }))
        };
        if self.is_core { BTreeMap::new() } else { KINDS.iter().filter_map(form).collect() }
    }
}

pub(super) struct Served {
    rules: Rules,
    shape: Shape,
    context: Arc<Context>,
    /// The adapter's process, or that of an actor which was executed anew.
    pid: u32,
    /// How each object was made that is no plain lock.
    made: Mutex<BTreeMap<String, Made>>,
}

impl Served {
    pub(super) fn new(rules: Rules, shape: Shape, context: Context) -> Self {
        let context = Arc::new(context);
        Self { rules, shape, context, pid: std::process::id(), made: Mutex::default() }
    }

    fn handle(&self, name: &str) -> Arc<dyn Object> {
        let made = self.made().get(name).cloned().unwrap_or_else(|| plain_lock(name));
        (made.kind.object)(&made, Arc::clone(&self.context))
    }

    /// `again="lock"` asks for the same object by another mapping of its memory.
    fn note(&self, name: &str, kind: &'static Kind, args: &Arguments) {
        let again = args.get("again").and_then(serde_json::Value::as_str);
        if again.is_none() && kind.name == KINDS[0].name {
            return;
        }
        let original = again.and_then(|of| self.made().get(of).cloned());
        let made = match (again, original) {
            (Some(_), Some(original)) => Made { is_twin: true, ..original },
            (Some(of), None) => Made { is_twin: true, ..plain_lock(of) },
            (None, _) => Made { name: name.to_owned(), kind, args: args.clone(), is_twin: false },
        };
        self.made().insert(name.to_owned(), made);
    }

    fn made(&self) -> MutexGuard<'_, BTreeMap<String, Made>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fork(&self, actor: Actor) -> Result<Box<dyn Child>, Refusal> {
        let is_in_actor = self.pid != std::process::id();
        let has_copies = is_in_actor && self.context.fault == Fault::ChildGetsCopy;
        // Starting a process collects others that have ended; the server sees those ends before.
        client::sync(&self.context).map_err(|error| Refusal::new("system", error))?;
        let process = Process::fork(actor.name().to_owned(), move || {
            begin(has_copies);
            let _ = actor.run_in_fork(); // a faulty subject has no functions to run
        });
        let process = process.map_err(|error| Refusal::new(error.kind(), error))?;
        Ok(self.collected(process.pid(), Forked(process)))
    }

    fn spawn(&self, actor: Actor) -> Result<Box<dyn Child>, Refusal> {
        let mut command = Command::new("/proc/self/exe");
        command.args(["adapter", ACTOR, self.rules.name, &self.context.address]);
        command.args(self.made().iter().map(|(name, made)| made_word(name, made)));
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
            name: self.rules.name.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            starts: self.shape.starts(),
            objects_reach: Reach::Start,
            objects: self.shape.objects(),
            capabilities: self.shape.capabilities(),
            contracts: BTreeMap::from([
                contract("lock-release", release),
                contract("lock-again", again),
                contract("condition-wakeup", "exact"),
                contract("condition-notify", release),
            ]),
            forms: self.shape.forms(),
            pace: Pace::Fast,
        }
    }

    /// The server makes an object when it is first asked for it.
    fn create(&self, name: &str, kind: &str, args: &Arguments) -> Result<Arc<dyn Object>, Refusal> {
        let kind = kinds::find(kind).ok_or_else(|| Refusal::unsupported(kind))?;
        if let Some(machine) = kind.machine {
            machine(&self.rules, args)?;
        }
        if let Some(over) = args.get("lock").and_then(serde_json::Value::as_str)
            && condition::refuses(&self.rules, self.made().get(over))
        {
            return Err(Refusal::new("invalid-argument", format!("{over} is no lock")));
        }
        self.note(name, kind, args);
        if self.pid != std::process::id() && kind.machine.is_some() {
            let made = self.made().get(name).cloned().unwrap_or_else(|| plain_lock(name));
            let call = Call { op: "make", args: &Arguments::new() };
            let said = client::ask(&self.context, &made, call);
            said.map_err(|error| Refusal::new("system", error))?;
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
                Ok(Box::new(InThread))
            }
        }
    }
}

fn plain_lock(name: &str) -> Made {
    Made { name: name.to_owned(), kind: KINDS[0], args: Arguments::new(), is_twin: false }
}

/// `NAME=KIND=OBJECT=ARGUMENTS`, with a mark before the object where this is another mapping of it.
fn made_word(name: &str, made: &Made) -> String {
    let mark = if made.is_twin { TWIN_MARK } else { "" };
    format!("{name}={}={mark}{}={}", made.kind.name, made.name, json!(made.args))
}

fn made_from_word(word: &str) -> Option<(String, Made)> {
    let parts: Vec<&str> = word.splitn(4, '=').collect();
    let [name, kind, object, args] = parts[..] else { return None };
    let made = Made {
        name: object.trim_start_matches(TWIN_MARK).to_owned(),
        kind: kinds::find(kind)?,
        args: serde_json::from_str(args).ok()?,
        is_twin: object.starts_with(TWIN_MARK),
    };
    Some((name.to_owned(), made))
}

const TWIN_MARK: &str = "again:";

/// Is an actor in a program of its own.
///
/// # Errors
/// * What the system refused.
pub(super) fn run_program(served: Served, made: &[String]) -> io::Result<()> {
    begin(served.context.fault == Fault::SpawnGetsCopy);
    served.made().extend(made.iter().filter_map(|word| made_from_word(word)));
    let served = Arc::new(served);
    let subject = Arc::clone(&served) as Arc<dyn Subject>;
    let lived = run_in_program(subject, |name| Ok(served.handle(name)))?;
    lived.map_err(|refusal| io::Error::other(refusal.text))
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
