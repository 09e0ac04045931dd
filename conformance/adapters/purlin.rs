//! The adapter for purlin itself: actors by fork, by spawn, or threads of the adapter.
//!
//! A thread cannot be killed alone, so where actors are threads those that a script kills, or wants
//! as processes of their own, are forked all the same, before the first thread is started.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use purlin_channel::Pipe;
use purlin_conformance::limits::PROTOCOL_VERSION;
use purlin_conformance::serve::{
    Actor, Arguments, CAPABILITIES, Child, Ended, Form, Hello, How, InThread, Object, Pace,
    Package, Reach, Refusal, Subject, run_package,
};
use purlin_process::{Builder, ExitStatus, Process};
use purlin_sync::{
    Bounded, ByAnyone, ByHolder, ByThread, Counting, Event, Exclusive, Reentrant, Rules, Tracked,
    Unbounded, Units,
};

use super::{pipe as ends, several};
use barrier::Meeting;
use carried::Carried;
use current::Me;
use event::Flag;
use gift::Gift;
use lock::{Remapped, Shared, refusal};
use named::NamedLock;
use semaphore::Counted;

#[path = "purlin/array.rs"]
mod array;
#[path = "purlin/barrier.rs"]
mod barrier;
#[path = "purlin/carried.rs"]
mod carried;
#[path = "purlin/condition.rs"]
mod condition;
#[path = "purlin/current.rs"]
mod current;
#[path = "purlin/event.rs"]
mod event;
#[path = "purlin/gift.rs"]
mod gift;
#[path = "purlin/lock.rs"]
mod lock;
#[path = "purlin/mains.rs"]
pub(crate) mod mains;
#[path = "purlin/managed.rs"]
mod managed;
#[path = "purlin/manager.rs"]
mod manager;
#[path = "purlin/named.rs"]
mod named;
#[path = "purlin/numbers.rs"]
mod numbers;
#[path = "purlin/pipe.rs"]
mod pipe;
#[path = "purlin/pool.rs"]
mod pool;
#[path = "purlin/process.rs"]
mod process;
#[path = "purlin/program.rs"]
mod program;
#[path = "purlin/queue.rs"]
mod queue;
#[path = "purlin/semaphore.rs"]
mod semaphore;
#[path = "purlin/shouter.rs"]
mod shouter;
#[path = "purlin/simple_queue.rs"]
mod simple_queue;
#[path = "purlin/stage.rs"]
mod stage;
#[path = "purlin/thread.rs"]
mod thread;
#[path = "purlin/value.rs"]
mod value;

/// Purlin, with one usual way of starting actors.
pub(crate) struct Purlin {
    name: &'static str,
    starts: &'static [How],
    has_threads: AtomicBool,
    made: Mutex<BTreeMap<String, Weak<dyn Remapped>>>,
    pipes: ends::Made<Pipe>,
    managers: Mutex<BTreeMap<String, Weak<manager::Described>>>,
}

impl Purlin {
    /// The names of its forms.
    pub(crate) const NAMES: &[&str] = &["purlin-fork", "purlin-spawn", "purlin-threads"];

    /// The form of this name.
    pub(crate) fn new(name: &str) -> Option<Self> {
        let (name, starts): (_, &[How]) = match name {
            "purlin-fork" => ("purlin-fork", &[How::Fork, How::Spawn]),
            "purlin-spawn" => ("purlin-spawn", &[How::Spawn, How::Fork]),
            "purlin-threads" => ("purlin-threads", &[How::Thread, How::Fork, How::Spawn]),
            _ => return None,
        };
        let has_threads = AtomicBool::new(false);
        let (made, pipes, managers) = (Mutex::default(), ends::Made::default(), Mutex::default());
        Some(Self { name, starts, has_threads, made, pipes, managers })
    }

    fn fork(&self, actor: Actor) -> Result<Box<dyn Child>, Refusal> {
        // Relaxed: only the adapter's own thread starts threads, and it reads what it wrote.
        if self.has_threads.load(Relaxed) {
            let text = "a fork takes along one thread only, and there are actors among the others";
            return Err(Refusal::unsupported(text));
        }
        let name = actor.name().to_owned();
        let process = Process::fork(name, move || ended(actor.run_in_fork()));
        Ok(Box::new(Forked(process.map_err(|error| Refusal::new(error.kind(), error))?)))
    }

    fn shared<R: Rules + Send + Sync + 'static>(
        &self,
        name: &str,
    ) -> Result<Arc<dyn Object>, Refusal> {
        let lock = Arc::new(Shared(Exclusive::<R>::new().map_err(refusal)?));
        let as_made = Arc::downgrade(&lock);
        self.made().insert(name.to_owned(), as_made);
        Ok(lock)
    }

    fn counted<K: Units>(&self, name: &str, args: &Arguments) -> Result<Arc<dyn Object>, Refusal>
    where
        Counting<K>: Send + Sync,
    {
        let semaphore = Arc::new(Counted::<K>::new(args)?);
        let as_made = Arc::downgrade(&semaphore);
        self.made().insert(name.to_owned(), as_made);
        Ok(semaphore)
    }

    /// A condition with a lock of its own, or over the one that `lock` names.
    fn condition(&self, args: &Arguments) -> Result<Arc<dyn Object>, Refusal> {
        let Some(over) = args.get("lock").and_then(serde_json::Value::as_str) else {
            return condition::made(args, None);
        };
        let lock = self.made().get(over).and_then(Weak::upgrade);
        // Every other kind of handle is ruled out by the type.
        let none = || Refusal::new("invalid-argument", format!("{over} is no lock"));
        condition::made(args, Some(lock.ok_or_else(none)?.again()?))
    }

    /// A value or an array with a lock of its own, with none, or under the one that `lock` names.
    fn numbers(&self, kind: &str, args: &Arguments) -> Result<Arc<dyn Object>, Refusal> {
        let name = args.get("lock").and_then(serde_json::Value::as_str);
        let find = |over: &str| {
            let lock = self.made().get(over).and_then(Weak::upgrade);
            lock.ok_or_else(numbers::not_a_lock)?.again()
        };
        numbers::made(kind == array::KIND, args, name.map(find).transpose()?)
    }

    /// A server, or the description of one, by whose name objects are made there.
    fn manager(&self, name: &str, args: &Arguments) -> Result<Arc<dyn Object>, Refusal> {
        let made = Arc::new(manager::Described::new(self.usual_process(), args)?);
        self.know(name, &made);
        Ok(made)
    }

    fn know(&self, name: &str, manager: &Arc<manager::Described>) {
        let mut managers = self.managers.lock().unwrap_or_else(PoisonError::into_inner);
        managers.insert(name.to_owned(), Arc::downgrade(manager));
    }

    /// An object that the server of this name keeps.
    fn managed(&self, of: &str, kind: &str, args: &Arguments) -> Result<Arc<dyn Object>, Refusal> {
        let managers = self.managers.lock().unwrap_or_else(PoisonError::into_inner);
        let found = managers.get(of).and_then(Weak::upgrade);
        drop(managers); // a call may wait for the server
        let none = || Refusal::new("no-such-name", format!("there is no manager {of} here"));
        managed::made(&found.ok_or_else(none)?.client().map_err(manager::refused)?, kind, args)
    }

    /// Its sides; where actors are threads the workers of a pool are, too.
    fn contracts(&self) -> BTreeMap<String, Vec<String>> {
        let workers = if self.starts[0] == How::Thread { "threads" } else { "processes" };
        let of_pools = ("pool-workers".to_owned(), vec![workers.to_owned()]);
        contracts(KINDS[0]).into_iter().chain([of_pools]).collect()
    }

    /// By which a process is started when nobody says how.
    fn usual_process(&self) -> How {
        let is_process = |how: &How| *how != How::Thread;
        self.starts.iter().copied().find(is_process).unwrap_or(How::Fork)
    }

    fn made(&self) -> MutexGuard<'_, BTreeMap<String, Weak<dyn Remapped>>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn_thread(&self, actor: Actor) -> Result<Box<dyn Child>, Refusal> {
        let builder = std::thread::Builder::new().name(actor.name().to_owned());
        let thread = builder.spawn(move || actor.run_in_thread());
        thread.map_err(|error| Refusal::new("out-of-resources", error))?;
        // Relaxed: as in `fork`.
        self.has_threads.store(true, Relaxed);
        Ok(Box::new(InThread))
    }
}

/// Starts an actor by spawn, with what it needs.
fn spawn(subject: &str, builder: Builder, actor: Actor, gift: Gift) -> Result<Process, Refusal> {
    let Package { text, descriptors, objects } = actor.pack()?;
    let mut carried = Carried::with(descriptors);
    let names: Result<Vec<String>, Refusal> =
        objects.iter().map(|(name, object)| carried.add(name, &**object)).collect();
    let arguments = (subject.to_owned(), text, names?, gift);
    builder.spawn(be_actor, arguments, carried).map_err(process::refusal)
}

/// What the function of a process makes of what the script's own ended with: an error of the user's
/// is a panic, any other is returned.
fn ended(lived: Result<(), Refusal>) -> Result<(), String> {
    match lived {
        Err(Refusal { kind, text }) if kind == "task-failed" => panic!("{text}"),
        other => other.map_err(|Refusal { kind, text }| format!("{kind}: {text}")),
    }
}

/// The life of a spawned actor.
fn be_actor(
    (subject, text, names, _gift): (String, String, Vec<String>, Gift),
    mut carried: Carried,
) -> Result<(), String> {
    let subject = Purlin::new(&subject).ok_or("there is no such subject")?;
    let descriptors = std::mem::take(&mut carried.descriptors);
    let objects = carried.objects(&names, &mut |name, manager| subject.know(name, manager));
    let objects = RefCell::new(objects);
    let open = |name: &str| {
        let object = objects.borrow_mut().remove(name);
        object.ok_or_else(|| std::io::Error::other(format!("{name} was not carried")))
    };
    let lived = run_package(Arc::new(subject), &text, descriptors, open);
    ended(lived.map_err(|error| error.to_string())?)
}

impl Subject for Purlin {
    fn hello(&self) -> Hello {
        let mut objects = objects();
        if self.starts[0] == How::Thread {
            // Processes are asked about where they are the usual way.
            objects.retain(|kind, _| {
                ![process::KIND, shouter::KIND, current::KIND, program::KIND]
                    .contains(&kind.as_str())
            });
        }
        Hello {
            protocol: PROTOCOL_VERSION,
            name: self.name.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            starts: self.starts.to_vec(),
            objects_reach: Reach::Start,
            objects,
            capabilities: CAPABILITIES.iter().map(|name| (*name).to_owned()).collect(),
            contracts: self.contracts(),
            forms: forms(),
            pace: Pace::Fast,
        }
    }

    /// `again="lock"` asks for the same lock by another mapping of its memory.
    fn create(&self, name: &str, kind: &str, args: &Arguments) -> Result<Arc<dyn Object>, Refusal> {
        if let Some(of) = args.get("again").and_then(serde_json::Value::as_str) {
            let original = self.made().get(of).and_then(Weak::upgrade);
            let none = || Refusal::new("no-such-name", format!("there is no {of} here"));
            return original.ok_or_else(none)?.again();
        }
        if let Some(of) = args.get("manager").and_then(serde_json::Value::as_str) {
            return self.managed(of, kind, args);
        }
        if args.contains_key("unfilled") {
            return Ok(Arc::new(managed::Managed::default()));
        }
        match kind {
            "lock" => self.shared::<ByHolder>(name),
            "handover-lock" => self.shared::<ByAnyone>(name),
            "checked-lock" => self.shared::<ByThread>(name),
            RLOCK => self.shared::<Reentrant>(name),
            barrier::KIND => Ok(Arc::new(Meeting::new(args)?)),
            condition::KIND => self.condition(args),
            named::KIND => Ok(Arc::new(NamedLock::new()?)),
            "semaphore" => self.counted::<Unbounded>(name, args),
            "bounded-semaphore" => self.counted::<Bounded>(name, args),
            // Of those no unit can come from nowhere, so each has a bound.
            "tracked-semaphore" | "bounded-tracked-semaphore" => {
                self.counted::<Tracked>(name, args)
            }
            event::KIND => Ok(Arc::new(Flag(Event::new().map_err(refusal)?))),
            queue::KIND | queue::BOUNDED | queue::JOINABLE => queue::made(kind, args),
            simple_queue::KIND => Ok(Arc::new(simple_queue::Simple::new()?)),
            value::KIND | array::KIND => self.numbers(kind, args),
            ends::KIND => self.pipes.make(name, args),
            several::KIND => Ok(Arc::new(several::Several::<Pipe>::default())),
            pool::KIND => Ok(Arc::new(pool::Described::new(self.name, self.starts[0]))),
            pool::THREADS => Ok(Arc::new(pool::Described::new(self.name, How::Thread))),
            pool::outcome::RESULT => Ok(Arc::new(pool::outcome::Pending::default())),
            pool::outcome::ITERATOR => Ok(Arc::new(pool::outcome::Stepping::default())),
            manager::KIND => self.manager(name, args),
            process::KIND => process::made(self.name, self.usual_process(), args),
            shouter::KIND => Ok(Arc::new(shouter::Shouter::new(self.usual_process())?)),
            current::KIND => Ok(Arc::new(Me::default())),
            program::KIND => Ok(Arc::new(program::Described::new(args)?)),
            thread::KIND => Ok(Arc::new(thread::Task::new(args)?)),
            thread::CURRENT => Ok(Arc::new(thread::Me)),
            _ => Err(Refusal::unsupported(kind)),
        }
    }

    fn start(&self, how: How, actor: Actor) -> Result<Box<dyn Child>, Refusal> {
        match how {
            How::Fork => self.fork(actor),
            How::Thread => self.spawn_thread(actor),
            How::Spawn => {
                let builder = Builder::new().name(actor.name());
                Ok(Box::new(Forked(spawn(self.name, builder, actor, Gift::Nothing)?)))
            }
        }
    }
}

/// What can be asked of each kind of lock.
const OPERATIONS: [&str; 5] = ["acquire", "try", "release", "recover", "damage"];

fn objects() -> BTreeMap<String, Vec<String>> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let locks = KINDS.map(|(kind, ..)| (kind, words(&OPERATIONS)));
    let recursive = [&OPERATIONS[..], &["depth", "states_a_greatest_depth"]].concat();
    let others = [
        (barrier::KIND, words(&barrier::OPERATIONS)),
        (condition::KIND, words(&condition::OPERATIONS)),
        (named::KIND, words(&named::OPERATIONS)),
        (RLOCK, words(&recursive)),
        ("semaphore", words(&semaphore::OPERATIONS)),
        ("bounded-semaphore", words(&semaphore::OPERATIONS)),
        ("tracked-semaphore", words(&semaphore::OPERATIONS)),
        ("bounded-tracked-semaphore", words(&semaphore::OPERATIONS)),
        (event::KIND, words(&event::OPERATIONS)),
        (queue::KIND, words(&queue::OPERATIONS)),
        (queue::BOUNDED, words(&queue::OPERATIONS)),
        (queue::JOINABLE, words(&queue::JOINABLE_OPERATIONS)),
        (simple_queue::KIND, words(&simple_queue::OPERATIONS)),
        (value::KIND, words(&value::OPERATIONS)),
        (array::KIND, words(&array::OPERATIONS)),
        (ends::KIND, words(&ends::OPERATIONS)),
        (several::KIND, words(&several::OPERATIONS)),
        (pool::KIND, words(&pool::OPERATIONS)),
        (pool::THREADS, words(&pool::OPERATIONS)),
        (pool::outcome::RESULT, words(&pool::outcome::RESULT_OPERATIONS)),
        (pool::outcome::ITERATOR, words(&pool::outcome::ITERATOR_OPERATIONS)),
        (manager::KIND, words(&manager::OPERATIONS)),
        (managed::LIST, words(&managed::LIST_OPERATIONS)),
        (managed::DICT, words(&managed::DICT_OPERATIONS)),
        (managed::NAMESPACE, words(&managed::NAMESPACE_OPERATIONS)),
        (managed::REGISTERED, words(&managed::REGISTERED_OPERATIONS)),
        (process::KIND, words(&process::OPERATIONS)),
        (shouter::KIND, words(&shouter::OPERATIONS)),
        (current::KIND, words(&current::OPERATIONS)),
        (program::KIND, words(&program::OPERATIONS)),
        (thread::KIND, words(&thread::OPERATIONS)),
        (thread::CURRENT, words(&thread::CURRENT_OPERATIONS)),
    ];
    let all = locks.into_iter().chain(others);
    all.map(|(kind, operations)| (kind.to_owned(), operations)).collect()
}

/// The recursive lock.
const RLOCK: &str = "rlock";

/// A kind of lock, who may release it, and what comes of a second acquire by its holder.
type Kind = (&'static str, &'static str, &'static str);

/// The first is what the group of behaviours is about, the others are its further forms.
const KINDS: [Kind; 3] = [
    ("lock", "by-holder", "waits"),
    ("handover-lock", "by-anyone", "waits"),
    ("checked-lock", "by-holder", "refused"),
];

fn contracts((_, release, again): Kind) -> BTreeMap<String, Vec<String>> {
    let sides: [(&str, &[&str]); 6] = [
        ("lock-release", &[release]),
        ("lock-again", &[again]),
        ("at-exit", &["waits", "leaves"]),
        ("queue-room", &["grows"]),
        ("queue-put", &["direct"]),
        ("pipe-message", &["whole"]),
    ];
    let owned = |sides: &[&str]| sides.iter().map(|side| (*side).to_owned()).collect();
    sides.map(|(choice, sides)| (choice.to_owned(), owned(sides))).into()
}

fn forms() -> BTreeMap<String, Form> {
    let of_lock = |kind: &Kind| {
        let form = Form { of: KINDS[0].0.to_owned(), contracts: contracts(*kind) };
        (kind.0.to_owned(), form)
    };
    let tracked = |kind: &str, of: &str| {
        let (choice, side) = ("semaphore-death".to_owned(), "units-return".to_owned());
        let contracts = BTreeMap::from([(choice, vec![side])]);
        (kind.to_owned(), Form { of: of.to_owned(), contracts })
    };
    let semaphores = [
        tracked("tracked-semaphore", "semaphore"),
        tracked("bounded-tracked-semaphore", "bounded-semaphore"),
    ];
    let as_lock = |kind: &str, sides: [(&str, &str); 3]| {
        let contracts = sides.map(|(choice, side)| (choice.to_owned(), vec![side.to_owned()]));
        (kind.to_owned(), Form { of: KINDS[0].0.to_owned(), contracts: contracts.into() })
    };
    // What a lock promises of exclusion holds for them as well.
    let others = [
        as_lock(
            RLOCK,
            [("lock-release", "by-holder"), ("lock-again", "deepens"), ("lock-owner", "known")],
        ),
        as_lock(
            "bounded-semaphore",
            [("lock-release", "by-anyone"), ("lock-again", "waits"), ("lock-owner", "unknown")],
        ),
    ];
    let room = BTreeMap::from([("queue-room".to_owned(), vec!["fixed".to_owned()])]);
    let bounded = Form { of: queue::KIND.to_owned(), contracts: room };
    let queues = [(queue::BOUNDED.to_owned(), bounded)];
    // A lock at a server is anybody's to release.
    let by_anyone = BTreeMap::from([("lock-release".to_owned(), vec!["by-anyone".to_owned()])]);
    let at_server = Form { of: manager::KIND.to_owned(), contracts: by_anyone };
    let managers = [(manager::KIND.to_owned(), at_server)];
    let locks = KINDS[1..].iter().map(of_lock).chain(semaphores).chain(others);
    locks.chain(queues).chain(managers).collect()
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
