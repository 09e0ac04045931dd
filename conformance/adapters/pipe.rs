//! The ends of pipes as the suite asks for them, whoever's they are: what a script sends becomes
//! bytes, and what is received is read back.

use std::any::Any;
use std::collections::BTreeMap;
use std::os::fd::RawFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use purlin_conformance::serve::{
    Arguments, CallResult, Flow, Functions, Item, Mixture, Object, Refusal,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
use serde_json::{Value, json};

/// The kind of object.
pub(super) const KIND: &str = "pipe";

/// What can be asked of an end.
pub(super) const OPERATIONS: [&str; 25] = [
    "send",
    "send_bytes",
    "recv",
    "recv_bytes",
    "recv_into",
    "touched",
    "recv_refused",
    "poll",
    "close",
    "is_closed",
    "reads",
    "writes",
    "descriptor",
    "is_readable",
    "echo",
    "send_mixed",
    "recv_mixed",
    "send_unsendable",
    "send_unreadable",
    "send_end",
    "recv_end_and_send",
    "send_lock",
    "recv_lock_and_try",
    "recv_ending",
    "write_length",
];

/// How long a call may wait: for ever, when it is none.
pub(super) type Limit = Option<Duration>;

/// What a call comes to, or what is answered instead.
pub(super) type Done<T> = Result<T, CallResult>;

/// An end as a subject has it.
pub(super) trait Line: Clone + Send + Sync + 'static {
    /// C has neither scopes that let go of things nor slices that know where they end.
    const IS_C: bool = false;

    /// The two ends of a new pipe; of a one-way pipe the receiving one first.
    fn pair(is_one_way: bool) -> Result<(Self, Self), Refusal>;

    /// Makes an end from this number of a descriptor, as somebody may who has nothing else.
    fn of_number(number: i64) -> Result<Self, Refusal>;

    fn send(&self, message: &[u8], limit: Limit) -> Done<()>;

    fn recv(&self, limit: Limit) -> Done<Vec<u8>>;

    /// Receives up to so many bytes.
    fn recv_limited(&self, most: usize, limit: Limit) -> Done<Vec<u8>>;

    /// Receives into a buffer: how many bytes. A message that is too large comes with the failure,
    /// where the subject gives it.
    fn recv_into(&self, buffer: &mut [u8], limit: Limit) -> Result<usize, Refused>;

    fn poll(&self, limit: Limit) -> Done<bool>;

    fn close(&self);

    fn is_closed(&self) -> bool;

    fn reads(&self) -> bool;

    fn writes(&self) -> bool;

    fn descriptor(&self) -> Done<RawFd>;

    /// Has the next process that this thread forks keep it.
    fn hand_over(&self) {}

    /// Waits for several ends, and what else there is to wait for: the places of those that are
    /// ready.
    fn wait(objects: &[Arc<dyn Object>], limit: Limit) -> Done<Vec<usize>>;

    /// Sends another end, and receives one.
    fn send_end(&self, _end: &Self) -> Done<()> {
        Err(CallResult::Unsupported)
    }

    fn recv_end(&self) -> Done<Self> {
        Err(CallResult::Unsupported)
    }

    /// Sends a lock, and receives one.
    fn send_lock(&self, _lock: &dyn Object) -> Done<()> {
        Err(CallResult::Unsupported)
    }

    fn recv_lock(&self) -> Done<Arc<dyn Object>> {
        Err(CallResult::Unsupported)
    }

    /// Receives up to so many bytes; what is longer ends the receiving by this end.
    fn recv_ending(&self, _most: usize) -> Done<Vec<u8>> {
        Err(CallResult::Unsupported)
    }

    /// Writes by the bare system call the first bytes, so `many`, of a message of this length.
    fn write_length(&self, _length: i64, _many: usize) -> Done<()> {
        Err(CallResult::Unsupported)
    }
}

/// Why a receive into a buffer gave nothing.
pub(super) struct Refused {
    pub(super) why: CallResult,
    pub(super) message: Option<Vec<u8>>,
}

impl From<CallResult> for Refused {
    fn from(why: CallResult) -> Self {
        Self { why, message: None }
    }
}

/// The ends that were made here, by name, for who asks for the other end of one.
pub(super) struct Made<L>(Mutex<BTreeMap<String, Weak<End<L>>>>);

impl<L> Default for Made<L> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<L: Line> Made<L> {
    /// An end: the first of a new pipe, the other one (`other="x"`), or one of a number.
    pub(super) fn make(&self, name: &str, args: &Arguments) -> Result<Arc<dyn Object>, Refusal> {
        let is = |name: &str| args.get(name) == Some(&Value::Bool(true));
        let known = ["one_way", "other", "own", "descriptor"];
        if let Some(other) = args.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(Refusal::unsupported(format!("no pipe has {other} here")));
        }
        let (line, other) = match (args.get("other"), args.get("descriptor")) {
            (Some(of), _) => (self.other_of(of)?, None),
            (None, Some(number)) => (L::of_number(number.as_i64().unwrap_or(-1))?, None),
            (None, None) => {
                let (line, other) = L::pair(is("one_way"))?;
                (line, Some(other))
            }
        };
        let end = Arc::new(End { other: Mutex::new(other), is_own: is("own"), ..End::of(line) });
        self.ends().insert(name.to_owned(), Arc::downgrade(&end));
        Ok(end)
    }

    fn other_of(&self, first: &Value) -> Result<L, Refusal> {
        let first = first.as_str().unwrap_or_default();
        let end = self.ends().get(first).and_then(Weak::upgrade);
        let other = end.and_then(|end| unpoisoned(&end.other).take());
        other.ok_or_else(|| Refusal::new("no-such-name", format!("{first} has no other end here")))
    }

    fn ends(&self) -> MutexGuard<'_, BTreeMap<String, Weak<End<L>>>> {
        unpoisoned(&self.0)
    }
}

/// An end, and what this process has received last.
pub(super) struct End<L> {
    /// None once it is let go of.
    line: Mutex<Option<L>>,
    /// The other one of its pipe, as long as nobody has asked for it.
    other: Mutex<Option<L>>,
    /// Whether nobody is given it whom this process starts.
    is_own: bool,
    last: Mutex<Last>,
}

#[derive(Default)]
struct Last {
    /// How many bytes of the buffer have changed in a receive that failed.
    touched_count: usize,
    /// The message that came with the failure.
    refused: Option<Vec<u8>>,
}

impl<L: Line> End<L> {
    pub(super) fn of(line: L) -> Self {
        let (line, other) = (Mutex::new(Some(line)), Mutex::new(None));
        Self { line, other, is_own: false, last: Mutex::default() }
    }

    /// A handle of its own for a call, which may wait while others are made.
    pub(super) fn line(&self) -> Done<L> {
        let gone = || CallResult::Prevented("a handle whose scope has ended is gone".to_owned());
        unpoisoned(&self.line).clone().ok_or_else(gone)
    }

    fn send(&self, args: &Arguments) -> Done<()> {
        if args.contains_key("text") {
            return Err(CallResult::Prevented("a message is bytes".to_owned()));
        }
        let item = Item::of(args).ok_or(CallResult::Unsupported)?;
        let window = window::<L>(item.as_bytes(), args)?;
        self.line()?.send(window, limit(args)?)
    }

    fn recv(&self, args: &Arguments) -> Done<Value> {
        let (line, within) = (self.line()?, limit(args)?);
        let message = match args.get("limit") {
            None => line.recv(within),
            Some(most) => line.recv_limited(count(Some(most))?, within),
        };
        message.map(|message| Item::received(message).told())
    }

    /// `[how many bytes, the first of the row that they are, how many others have changed]`.
    fn recv_into(&self, args: &Arguments) -> Done<Value> {
        if args.contains_key("read_only") {
            let why = "what cannot be written is no mutable slice";
            return Err(CallResult::Prevented(why.to_owned()));
        }
        let mut buffer = vec![0; count(args.get("size"))?];
        let offset = args.get("offset").map_or(Ok(0), |offset| count(Some(offset)))?;
        let part = buffer.get_mut(offset..).ok_or_else(no_bytes::<L>)?;
        let received = self.line()?.recv_into(part, limit(args)?);
        let changed = |bytes: &[u8]| bytes.iter().filter(|byte| **byte != 0).count();
        match received {
            Ok(len) => {
                let message = Item::received(buffer[offset..offset + len].to_vec()).told();
                let others = changed(&buffer[..offset]) + changed(&buffer[offset + len..]);
                Ok(json!([len, message["seed"], others]))
            }
            Err(Refused { why, message }) => {
                let last = Last { touched_count: changed(&buffer), refused: message };
                *unpoisoned(&self.last) = last;
                Err(why)
            }
        }
    }

    /// The message that was refused last: from the failure, or else the next one.
    fn recv_refused(&self) -> Done<Value> {
        let refused = unpoisoned(&self.last).refused.take();
        let message = refused.map_or_else(|| self.line()?.recv(None), Ok)?;
        Ok(Item::received(message).told())
    }

    /// Without a limit it never waits; with one that is null for ever.
    fn poll(&self, args: &Arguments) -> Done<bool> {
        let line = self.line()?;
        let within = if args.is_empty() { Some(Duration::ZERO) } else { limit(args)? };
        line.poll(within)
    }

    /// What the system's own call says of the number.
    fn is_readable(&self, args: &Arguments) -> Done<bool> {
        let number = self.line()?.descriptor()?;
        let system = |error: rustix::io::Errno| CallResult::failed("system", error);
        // By the number, as anybody has it who was told no more than that.
        let own = pidfd_open(getpid(), PidfdFlags::empty()).map_err(system)?;
        let copy = pidfd_getfd(own, number, PidfdGetfdFlags::empty()).map_err(system)?;
        let within = limit(args)?.map(Timespec::try_from).and_then(Result::ok);
        let found = poll(&mut [PollFd::new(&copy, PollFlags::IN)], within.as_ref());
        found.map(|count| count > 0).map_err(system)
    }

    fn echo(&self) -> Done<()> {
        let line = self.line()?;
        line.send(&line.recv(None)?, None)
    }

    fn send_mixed(&self, args: &Arguments) -> Done<()> {
        let line = self.line()?;
        let mixture = Mixture::of(args).ok_or(CallResult::Unsupported)?;
        mixture.put(|item| line.send(item.as_bytes(), None))
    }

    /// Up to the end: whether each message was the next one of the mixture.
    fn recv_mixed(&self, args: &Arguments) -> Done<bool> {
        let line = self.line()?;
        let mut items = Mixture::of(args).ok_or(CallResult::Unsupported)?.items();
        loop {
            match line.recv(None) {
                Ok(message) if items.next() == Some(Item::received(message.clone())) => {}
                Ok(_) => return Ok(false),
                Err(CallResult::Failed(refusal)) if refusal.kind == "end-of-file" => {
                    return Ok(true);
                }
                Err(other) => return Err(other),
            }
        }
    }

    fn send_end(&self, args: &Arguments, functions: &Functions<'_>) -> Done<()> {
        let name = args.get("end").and_then(Value::as_str).unwrap_or_default();
        let object = functions.object(name).map_err(CallResult::Failed)?;
        self.line()?.send_end(&line_of::<L>(&*object)?)
    }

    fn recv_end_and_send(&self, args: &Arguments) -> Done<()> {
        let item = Item::of(args).ok_or(CallResult::Unsupported)?;
        self.line()?.recv_end()?.send(item.as_bytes(), None)
    }

    fn send_lock(&self, args: &Arguments, functions: &Functions<'_>) -> Done<()> {
        let name = args.get("lock").and_then(Value::as_str).unwrap_or_default();
        let lock = functions.object(name).map_err(CallResult::Failed)?;
        self.line()?.send_lock(&*lock)
    }

    fn recv_lock_and_try(&self) -> Done<Value> {
        match self.line()?.recv_lock()?.call("try", &Arguments::new()) {
            CallResult::Value(value) => Ok(value),
            other => Err(other),
        }
    }

    fn write_length(&self, args: &Arguments) -> Done<()> {
        let length = args.get("length").and_then(Value::as_i64).ok_or(CallResult::Unsupported)?;
        let many = args.get("many").map_or(Ok(usize::MAX), |many| count(Some(many)))?;
        self.line()?.write_length(length, many)
    }

    fn ask(&self, op: &str, args: &Arguments) -> Done<Value> {
        match op {
            "send" | "send_bytes" => self.send(args).map(null),
            "recv" | "recv_bytes" => self.recv(args),
            "recv_into" => self.recv_into(args),
            "touched" => Ok(unpoisoned(&self.last).touched_count.into()),
            "recv_refused" => self.recv_refused(),
            "poll" => self.poll(args).map(Value::from),
            "close" => self.line().map(|line| line.close()).map(null),
            "is_closed" => Ok(self.line()?.is_closed().into()),
            "reads" => Ok(self.line()?.reads().into()),
            "writes" => Ok(self.line()?.writes().into()),
            "descriptor" => Ok(self.line()?.descriptor()?.into()),
            "is_readable" => self.is_readable(args).map(Value::from),
            "echo" => self.echo().map(null),
            "send_mixed" => self.send_mixed(args).map(null),
            "recv_mixed" => self.recv_mixed(args).map(Value::from),
            "send_unsendable" | "send_unreadable" => {
                let why = "a message is bytes, which can always be carried";
                Err(CallResult::Prevented(why.to_owned()))
            }
            "recv_end_and_send" => self.recv_end_and_send(args).map(null),
            "recv_lock_and_try" => self.recv_lock_and_try(),
            "recv_ending" => {
                let message = self.line()?.recv_ending(count(args.get("limit"))?)?;
                Ok(Item::received(message).told())
            }
            "write_length" => self.write_length(args).map(null),
            _ => Err(CallResult::Unsupported),
        }
    }
}

impl<L: Line> Object for End<L> {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        self.ask(op, args).map_or_else(|other| other, CallResult::Value)
    }

    fn call_with(&self, op: &str, args: &Arguments, functions: &mut Functions<'_>) -> CallResult {
        match op {
            "send_end" => self.send_end(args, functions).map_or_else(|other| other, done),
            "send_lock" => self.send_lock(args, functions).map_or_else(|other| other, done),
            _ => self.call(op, args),
        }
    }

    /// The end itself is the resource: it is let go of when its scope ends.
    fn scope(&self, body: &mut dyn FnMut() -> Flow) -> Flow {
        if L::IS_C {
            return Flow::Unsupported;
        }
        let flow = body();
        drop(unpoisoned(&self.line).take());
        flow
    }

    fn hand_over(&self) {
        if let (false, Ok(line)) = (self.is_own, self.line()) {
            line.hand_over();
        }
    }

    fn handle(&self) -> Option<&dyn Any> {
        Some(self)
    }

    /// One that is closed is given to nobody, too.
    fn is_local(&self) -> bool {
        self.is_own || self.line().map_or(true, |line| line.is_closed())
    }
}

/// The end that an object is.
pub(super) fn line_of<L: Line>(object: &dyn Object) -> Done<L> {
    let end = object.handle().and_then(<dyn Any>::downcast_ref::<End<L>>);
    let none = || CallResult::Prevented("it is no end of a pipe".to_owned());
    end.ok_or_else(none)?.line()
}

/// The part of a message that the arguments `offset` and `size` mean.
fn window<'a, L: Line>(message: &'a [u8], args: &Arguments) -> Done<&'a [u8]> {
    let offset = args.get("offset").map_or(Ok(0), |offset| count(Some(offset)))?;
    let rest = message.get(offset..).ok_or_else(no_bytes::<L>)?;
    match args.get("size") {
        None => Ok(rest),
        Some(size) => rest.get(..count(Some(size))?).ok_or_else(no_bytes::<L>),
    }
}

fn count(number: Option<&Value>) -> Done<usize> {
    let number = number.ok_or(CallResult::Unsupported)?;
    let whole = number.as_u64().and_then(|number| usize::try_from(number).ok());
    whole.ok_or_else(|| CallResult::Prevented("a size has no sign".to_owned()))
}

fn no_bytes<L: Line>() -> CallResult {
    if L::IS_C {
        return CallResult::Unsupported;
    }
    CallResult::Prevented("a slice has no bytes outside of its buffer".to_owned())
}

/// The limit among the arguments; a negative one is of zero, and one that is null is none.
pub(super) fn limit(args: &Arguments) -> Done<Limit> {
    let Some(timeout) = args.get("timeout").filter(|timeout| !timeout.is_null()) else {
        return Ok(None);
    };
    if timeout == "nan" {
        return Err(CallResult::Prevented("a length of time is always a number".to_owned()));
    }
    let seconds = timeout.as_f64().ok_or(CallResult::Unsupported)?;
    let within = Duration::try_from_secs_f64(seconds.max(0.0));
    within.map(Some).map_err(|_| CallResult::Unsupported)
}

const fn null(_: ()) -> Value {
    Value::Null
}

fn done(_: ()) -> CallResult {
    CallResult::ok()
}

fn unpoisoned<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
