//! The adapter for purlin itself: actors by fork, by spawn, or threads of the adapter.
//!
//! A thread cannot be killed alone, so where actors are threads those that a script kills, or wants
//! as processes of their own, are forked all the same, before the first thread is started.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use purlin_conformance::limits::PROTOCOL_VERSION;
use purlin_conformance::serve::{
    Actor, Arguments, CAPABILITIES, CallResult, Child, Ended, Flow, Form, Hello, How, Object, Pace,
    Package, Reach, Refusal, Subject, run_package,
};
use purlin_process::{ExitStatus, Process};
use purlin_shm::{Carry, Luggage, Segment};
use purlin_sync::{
    Acquired, ByAnyone, ByHolder, ByThread, CheckedLock, Deadline, Error, Exclusive, HandoverLock,
    Lock, Rules, Told,
};

/// Purlin, with one usual way of starting actors.
pub(crate) struct Purlin {
    name: &'static str,
    starts: &'static [How],
    has_threads: AtomicBool,
    made: Mutex<BTreeMap<String, Weak<dyn Remapped>>>,
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
        Some(Self { name, starts, has_threads: AtomicBool::new(false), made: Mutex::default() })
    }

    fn fork(&self, actor: Actor) -> Result<Box<dyn Child>, Refusal> {
        // Relaxed: only the adapter's own thread starts threads, and it reads what it wrote.
        if self.has_threads.load(Relaxed) {
            let text = "a fork takes along one thread only, and there are actors among the others";
            return Err(Refusal::unsupported(text));
        }
        let name = actor.name().to_owned();
        let process = Process::fork(name, move || actor.run_in_fork());
        Ok(Box::new(Forked(process.map_err(|error| Refusal::new(error.kind(), error))?)))
    }

    fn spawn(&self, actor: Actor) -> Result<Box<dyn Child>, Refusal> {
        let name = actor.name().to_owned();
        let Package { text, descriptors, objects } = actor.pack()?;
        let mut carried = Carried { descriptors, ..Carried::default() };
        let names: Result<Vec<String>, Refusal> =
            objects.iter().map(|(name, object)| carried.add(name, &**object)).collect();
        let arguments = (self.name.to_owned(), text, names?);
        let process = Process::spawn(name, be_actor, arguments, carried);
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

    fn made(&self) -> MutexGuard<'_, BTreeMap<String, Weak<dyn Remapped>>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn_thread(&self, actor: Actor) -> Result<Box<dyn Child>, Refusal> {
        let builder = std::thread::Builder::new().name(actor.name().to_owned());
        let thread = builder.spawn(move || actor.run_in_thread());
        thread.map_err(|error| Refusal::new("out-of-resources", error))?;
        // Relaxed: as in `fork`.
        self.has_threads.store(true, Relaxed);
        Ok(Box::new(Thread))
    }
}

/// What a spawned actor is given beside its arguments.
#[derive(Default)]
struct Carried {
    descriptors: Vec<OwnedFd>,
    locks: Vec<Lock>,
    handover_locks: Vec<HandoverLock>,
    checked_locks: Vec<CheckedLock>,
}

impl Carried {
    /// Adds an object's handle, and tells the name under which it is found again: its kind first.
    fn add(&mut self, name: &str, object: &dyn Object) -> Result<String, Refusal> {
        let handle = object.handle();
        let of = |kind: &str| Ok(format!("{kind} {name}"));
        if let Some(lock) = handle.and_then(<dyn Any>::downcast_ref::<Lock>) {
            self.locks.push(lock.clone());
            return of(KINDS[0].0);
        }
        if let Some(lock) = handle.and_then(<dyn Any>::downcast_ref::<HandoverLock>) {
            self.handover_locks.push(lock.clone());
            return of(KINDS[1].0);
        }
        if let Some(lock) = handle.and_then(<dyn Any>::downcast_ref::<CheckedLock>) {
            self.checked_locks.push(lock.clone());
            return of(KINDS[2].0);
        }
        Err(Refusal::unsupported(format!("{name} cannot be carried")))
    }

    /// The objects by name, in the order in which they were added.
    fn objects(self, names: &[String]) -> BTreeMap<String, Arc<dyn Object>> {
        let mut locks = self.locks.into_iter();
        let mut handover_locks = self.handover_locks.into_iter();
        let mut checked_locks = self.checked_locks.into_iter();
        let mut objects: BTreeMap<String, Arc<dyn Object>> = BTreeMap::new();
        for (kind, name) in names.iter().filter_map(|name| name.split_once(' ')) {
            let object: Option<Arc<dyn Object>> = match kind {
                "handover-lock" => handover_locks.next().map(|lock| Arc::new(Shared(lock)) as _),
                "checked-lock" => checked_locks.next().map(|lock| Arc::new(Shared(lock)) as _),
                _ => locks.next().map(|lock| Arc::new(Shared(lock)) as _),
            };
            objects.extend(object.map(|object| (name.to_owned(), object)));
        }
        objects
    }
}

impl Carry for Carried {
    fn pack(&self, luggage: &mut Luggage) -> Result<(), purlin_shm::Error> {
        self.descriptors.pack(luggage)?;
        self.locks.pack(luggage)?;
        self.handover_locks.pack(luggage)?;
        self.checked_locks.pack(luggage)
    }

    fn unpack(luggage: &mut Luggage) -> Result<Self, purlin_shm::Error> {
        Ok(Self {
            descriptors: Carry::unpack(luggage)?,
            locks: Carry::unpack(luggage)?,
            handover_locks: Carry::unpack(luggage)?,
            checked_locks: Carry::unpack(luggage)?,
        })
    }
}

/// The life of a spawned actor.
fn be_actor(
    (subject, text, names): (String, String, Vec<String>),
    mut carried: Carried,
) -> Result<(), String> {
    let subject = Purlin::new(&subject).ok_or("there is no such subject")?;
    let descriptors = std::mem::take(&mut carried.descriptors);
    let objects = RefCell::new(carried.objects(&names));
    let open = |name: &str| {
        let object = objects.borrow_mut().remove(name);
        object.ok_or_else(|| std::io::Error::other(format!("{name} was not carried")))
    };
    run_package(Arc::new(subject), &text, descriptors, open).map_err(|error| error.to_string())
}

impl Subject for Purlin {
    fn hello(&self) -> Hello {
        let operations = OPERATIONS.map(str::to_owned).to_vec();
        Hello {
            protocol: PROTOCOL_VERSION,
            name: self.name.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            starts: self.starts.to_vec(),
            objects_reach: Reach::Start,
            objects: KINDS.map(|(kind, ..)| (kind.to_owned(), operations.clone())).into(),
            capabilities: CAPABILITIES.iter().map(|name| (*name).to_owned()).collect(),
            contracts: contracts(KINDS[0]),
            forms: KINDS[1..].iter().map(|kind| (kind.0.to_owned(), form(*kind))).collect(),
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
        match kind {
            "lock" => self.shared::<ByHolder>(name),
            "handover-lock" => self.shared::<ByAnyone>(name),
            "checked-lock" => self.shared::<ByThread>(name),
            _ => Err(Refusal::unsupported(kind)),
        }
    }

    fn start(&self, how: How, actor: Actor) -> Result<Box<dyn Child>, Refusal> {
        match how {
            How::Fork => self.fork(actor),
            How::Thread => self.spawn_thread(actor),
            How::Spawn => self.spawn(actor),
        }
    }
}

/// What can be asked of each kind of lock.
const OPERATIONS: [&str; 5] = ["acquire", "try", "release", "recover", "damage"];

/// A kind of lock, who may release it, and what comes of a second acquire by its holder.
type Kind = (&'static str, &'static str, &'static str);

/// The first is what the group of behaviours is about, the others are its further forms.
const KINDS: [Kind; 3] = [
    ("lock", "by-holder", "waits"),
    ("handover-lock", "by-anyone", "waits"),
    ("checked-lock", "by-holder", "refused"),
];

fn contracts((_, release, again): Kind) -> BTreeMap<String, Vec<String>> {
    let sides = [("lock-release", release), ("lock-again", again)];
    sides.map(|(choice, side)| (choice.to_owned(), vec![side.to_owned()])).into()
}

fn form(kind: Kind) -> Form {
    Form { of: KINDS[0].0.to_owned(), contracts: contracts(kind) }
}

/// What another mapping of the same memory can be made of.
trait Remapped: Send + Sync {
    fn again(&self) -> Result<Arc<dyn Object>, Refusal>;
}

impl<R: Rules + Send + Sync + 'static> Remapped for Shared<R> {
    fn again(&self) -> Result<Arc<dyn Object>, Refusal> {
        let memory = self.0.segment().descriptor().try_clone_to_owned();
        let memory = memory.map_err(|error| Refusal::new("out-of-resources", error))?;
        let segment =
            Segment::from_descriptor(memory).map_err(|error| Refusal::new(error.kind(), error))?;
        let lock = Exclusive::<R>::open(&segment, self.0.offset()).map_err(refusal)?;
        Ok(Arc::new(Shared(lock)))
    }
}

/// A lock; each call keeps its hold, so that a later call can end it.
struct Shared<R: Rules>(Exclusive<R>);

impl<R: Rules + Send + Sync + 'static> Object for Shared<R> {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        match op {
            "acquire" => match deadline(args) {
                Ok(deadline) => taken(self.0.acquire(deadline)),
                Err(result) => result,
            },
            // A try has no limit that it could be given besides.
            "try" if !args.is_empty() => CallResult::Unsupported,
            "try" => taken(self.0.try_acquire()),
            "release" => done(self.0.release()),
            "recover" => done(self.0.recover()),
            "damage" => damage(&self.0),
            _ => CallResult::Unsupported,
        }
    }

    fn handle(&self) -> Option<&dyn Any> {
        Some(&self.0)
    }

    fn scope(&self, body: &mut dyn FnMut() -> Flow) -> Flow {
        match self.0.acquire(None).and_then(Acquired::sound) {
            Ok(_guard) => body(),
            Err(error) => Flow::Failed(refusal(error)),
        }
    }
}

fn taken<R: Rules>(acquired: Result<Acquired<'_, R>, Error>) -> CallResult {
    match acquired.map(Acquired::keep) {
        Ok(Told::Held) => CallResult::ok(),
        Ok(Told::OwnerDied) => CallResult::failed("owner-died", "held, and not vouched for"),
        Err(error) => CallResult::Failed(refusal(error)),
    }
}

fn done(result: Result<(), Error>) -> CallResult {
    result.map_or_else(|error| CallResult::Failed(refusal(error)), |()| CallResult::ok())
}

/// Overwrites the word with a holder that never was, as anybody who has the segment can.
fn damage<R: Rules>(lock: &Exclusive<R>) -> CallResult {
    let word = lock.offset() + WORD_OFFSET_BYTES;
    let written = lock.segment().descriptor().try_clone_to_owned();
    let written = written.and_then(|file| File::from(file).write_all_at(&IMPOSSIBLE, word));
    written.map_or_else(|error| CallResult::failed("system", error), |()| CallResult::ok())
}

/// Where an object begins behind its offset, as `docs/layout.md` has it.
const WORD_OFFSET_BYTES: u64 = 16;

/// Held by generation 0 of slot 1023; that generation is never given out.
const IMPOSSIBLE: [u8; 4] = 1023_u32.to_le_bytes();

/// A `Duration` has neither negative values nor infinity; what it cannot express is unsupported.
/// What is no number cannot even be meant.
fn deadline(args: &Arguments) -> Result<Deadline, CallResult> {
    let Some(timeout) = args.get("timeout") else { return Ok(Deadline::never()) };
    if timeout == "nan" {
        return Err(CallResult::Prevented("a Duration is always a number".to_owned()));
    }
    let limit = timeout.as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    limit.map(Deadline::from).ok_or(CallResult::Unsupported)
}

fn refusal(error: Error) -> Refusal {
    Refusal::new(error.kind(), error)
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

/// A thread ends with the adapter.
struct Thread;

impl Child for Thread {
    fn reap(&mut self) -> Result<Ended, Refusal> {
        Err(Refusal::unsupported("a thread is nobody's child"))
    }
}
