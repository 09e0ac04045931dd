//! What the workers of a pool run: functions of the script, and tasks by name.

use std::cell::RefCell;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use purlin_conformance::serve::{Arguments, Errands, Function, Item, Object, Package, Refusal};
use purlin_manager::Queue;
use purlin_pool::Bytes;
use purlin_process::Process;
use purlin_shm::{Carry, Luggage};
use rustix::event::{Timespec, poll};
use serde::de::{Deserializer, Error as _};
use serde::ser::{Error as _, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::carried::Carried;
use super::super::managed::element::Element;
use super::super::{Purlin, process};

/// So many bytes does the task `large` return.
const LARGE_BYTES: usize = 8 << 20;

/// A task: what is run, and what it is given, as JSON.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Given {
    work: Work,
    of: String,
}

/// What is run.
#[derive(Clone, Serialize, Deserialize)]
pub(super) enum Work {
    /// One of the tasks by name.
    Named(String),
    /// A function of the script, as JSON.
    Function(String),
}

thread_local! {
    /// Who runs the functions of this worker.
    static ERRANDS: RefCell<Option<Errands>> = const { RefCell::new(None) };
}

impl Work {
    /// What the argument of this name means: a function, or a task by name.
    pub(super) fn of(args: &Arguments, name: &str) -> Option<Self> {
        match args.get(name)? {
            Value::String(name) => Some(Self::Named(name.clone())),
            value => Function::of(args, name).map(|_| Self::Function(value.to_string())),
        }
    }

    pub(super) fn is(&self, name: &str) -> bool {
        matches!(self, Self::Named(own) if own == name)
    }

    pub(super) fn given(&self, of: &Value) -> Given {
        Given { work: self.clone(), of: of.to_string() }
    }
}

/// Every task but those whose types are others. What it failed with is a panic.
pub(super) fn task(given: Given) -> String {
    let of = serde_json::from_str(&given.of).unwrap_or_default();
    let done = match given.work {
        Work::Named(name) => named(&name, &of),
        Work::Function(text) => function(&text).and_then(|function| {
            let run = |errands: &mut Option<Errands>| match errands {
                Some(errands) => errands.run(&function, of),
                None => Err(Refusal::new("system", "this worker has not begun")),
            };
            ERRANDS.with_borrow_mut(run)
        }),
    };
    done.unwrap_or_else(|refusal| fails(&refusal)).to_string()
}

fn named(name: &str, of: &Value) -> Result<Value, Refusal> {
    match name {
        "square" => Ok(number(of).wrapping_pow(2).into()),
        "identity" => Ok(of.clone()),
        "parse" => {
            let parsed = of.as_str().unwrap_or_default().parse::<i64>();
            parsed.map(Value::from).map_err(|error| Refusal::new("task-failed", error))
        }
        "late" => {
            // The later it is given the sooner it comes back.
            let rest = Timespec { tv_sec: 0, tv_nsec: (10 - number(of)) * 5_000_000 };
            let _ = poll(&mut [], Some(&rest)); // cut short it changes no value
            Ok(of.clone())
        }
        "fails" => Err(Refusal::new("task-failed", of)),
        "start" => {
            let child =
                Process::fork("child", || Ok::<(), String>(())).map_err(process::refusal)?;
            child.join(None).map(|_| Value::Null).map_err(process::refusal)
        }
        // Relaxed: it is of this thread, or of others that have ended their tasks.
        "traced" => Ok(TRACED_COUNT.load(Relaxed).into()),
        _ => Err(Refusal::unsupported(name)),
    }
}

fn number(of: &Value) -> i64 {
    of.as_i64().unwrap_or(0)
}

fn function(text: &str) -> Result<Function, Refusal> {
    let value = serde_json::from_str(text).unwrap_or_default();
    let args = Arguments::from_iter([("function".to_owned(), value)]);
    Function::of(&args, "function").ok_or_else(|| Refusal::new("system", "no function"))
}

/// Where a failure says that it was.
pub(super) const HERE: &str = "purlin/pool/task.rs:";

/// Fails as a user's function does.
fn fails(refusal: &Refusal) -> ! {
    match refusal.kind.as_str() {
        "task-failed" => panic!("{}", refusal.text),
        kind => panic!("{kind}: {}", refusal.text),
    }
}

/// A task of two arguments.
pub(super) fn multiply(one: i64, other: i64) -> i64 {
    one * other
}

/// What has no form in which it could be carried.
pub(super) struct Formless;

impl Serialize for Formless {
    fn serialize<S: Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("it has no serial form"))
    }
}

impl<'de> Deserialize<'de> for Formless {
    fn deserialize<D: Deserializer<'de>>(_deserializer: D) -> Result<Self, D::Error> {
        Err(D::Error::custom("it has no serial form"))
    }
}

pub(super) fn formless(_given: Given) -> Formless {
    Formless
}

pub(super) fn given_formless(_formless: Formless) -> String {
    "0".to_owned()
}

/// Puts a number on a queue at a server.
pub(super) fn put_on((queue, number): (Queue<Element>, u64)) -> i64 {
    let put = queue.put(&Element::plain(&number.into()), None);
    put.unwrap_or_else(|error| panic!("{error}"));
    0
}

pub(super) fn large(_given: Given) -> Bytes {
    Bytes(Item::bytes(LARGE_BYTES, 7).as_bytes().to_vec())
}

pub(super) fn is_large(bytes: &Bytes) -> bool {
    **bytes == Item::bytes(LARGE_BYTES, 7).as_bytes()
}

pub(super) fn reversed(mut bytes: Bytes) -> Bytes {
    bytes.reverse();
    bytes
}

/// How many traced values there are in this process.
static TRACED_COUNT: AtomicI64 = AtomicI64::new(0);

/// What is counted while there is one.
pub(super) struct Traced(());

impl Traced {
    pub(super) fn new() -> Self {
        TRACED_COUNT.fetch_add(1, Relaxed); // Relaxed: it is read when all is over
        Self(())
    }

    /// How many there are in this process.
    pub(super) fn count() -> i64 {
        TRACED_COUNT.load(Relaxed) // Relaxed: as above
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        TRACED_COUNT.fetch_sub(1, Relaxed); // Relaxed: as above
    }
}

impl Serialize for Traced {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(0)
    }
}

impl<'de> Deserialize<'de> for Traced {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u8::deserialize(deserializer).map(|_| Self::new())
    }
}

pub(super) fn same(traced: Traced) -> Traced {
    traced
}

/// What each worker is given: the handles of the owner's objects, which each takes a copy of.
#[derive(Clone)]
pub(super) struct Kit(Arc<Carried>);

/// What each worker is given beside it: the subject's name, the package, the objects' names, and
/// the script's own initializer.
pub(super) type First = (String, String, Vec<String>, Option<String>);

impl Kit {
    pub(super) fn new(
        subject: &str,
        package: Package,
        initializer: Option<String>,
    ) -> Result<(First, Self), Refusal> {
        let Package { text, descriptors, objects } = package;
        let mut carried = Carried::with(descriptors);
        let names = objects.iter().map(|(name, object)| carried.add(name, &**object));
        let names = names.collect::<Result<Vec<String>, Refusal>>()?;
        Ok(((subject.to_owned(), text, names, initializer), Self(Arc::new(carried))))
    }
}

impl Carry for Kit {
    fn pack(&self, luggage: &mut Luggage) -> Result<(), purlin_shm::Error> {
        self.0.pack(luggage)
    }

    fn unpack(luggage: &mut Luggage) -> Result<Self, purlin_shm::Error> {
        Carried::unpack(luggage).map(|carried| Self(Arc::new(carried)))
    }
}

/// What each worker runs first.
pub(super) fn begin((subject, text, names, initializer): First, kit: Kit) {
    let errands = unpack(&subject, &text, &names, &kit);
    let mut errands = errands.unwrap_or_else(|error| panic!("{error}"));
    if let Some(first) = initializer {
        let done = function(&first).and_then(|function| errands.run(&function, json!(null)));
        done.unwrap_or_else(|refusal| fails(&refusal));
    }
    ERRANDS.set(Some(errands));
}

fn unpack(subject: &str, text: &str, names: &[String], kit: &Kit) -> io::Result<Errands> {
    let none = || io::Error::other("there is no such subject");
    let subject = Purlin::new(subject).ok_or_else(none)?;
    let mut carried = kit.0.copy()?;
    let descriptors = std::mem::take(&mut carried.descriptors);
    let objects =
        RefCell::new(carried.objects(names, &mut |name, manager| subject.know(name, manager)));
    let open = |name: &str| {
        let object: Option<Arc<dyn Object>> = objects.borrow_mut().remove(name);
        object.ok_or_else(|| io::Error::other(format!("{name} was not carried")))
    };
    Errands::unpack(Arc::new(subject), text, descriptors, open)
}
