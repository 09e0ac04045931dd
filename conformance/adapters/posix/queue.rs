//! `mqd_t`, a message queue of the system, as the manual pages of `mq_open(3)` and its kin have it.
#![expect(unsafe_code, reason = "calls of the C library, which take pointers")]

use std::ffi::CString;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use purlin_conformance::serve::{Arguments, CallResult, Item, Mixture, Object, Refusal};
use rustix::time::ClockId;
use serde_json::Value;

use super::errors::{last, made};
use super::limit::{moment, past};

/// What can be asked of it. Nobody shuts it down for others.
pub(super) const OPERATIONS: [&str; 17] = [
    "put",
    "try_put",
    "get",
    "try_get",
    "qsize",
    "empty",
    "full",
    "close",
    "settle",
    "put_mixed",
    "get_mixed",
    "put_and_change",
    "get_and_change",
    "kept",
    "put_unsendable",
    "put_unreadable",
    "send_handle",
];

/// What can be asked of one that is called simple.
pub(super) const SIMPLE_OPERATIONS: [&str; 6] =
    ["put", "get", "empty", "close", "settle", "put_unsendable"];

/// So many messages there is room for where the script does not say it.
const ITEMS_COUNT: i64 = 64;

/// And messages of so many bytes.
const ITEM_BYTES: i64 = 256;

/// More than so many nobody may have, whatever the privileges: mq_overview(7).
const HARD_ITEMS_COUNT: i64 = 65_536;

/// No descriptor: the queue was closed here.
const CLOSED: libc::mqd_t = -1;

/// A queue, of which nothing is left in the system once all who have it are gone.
pub(super) struct Queue {
    descriptor: AtomicI32,
    item_bytes: usize,
    kept: Mutex<Item>,
}

impl Queue {
    /// With room for so many messages as `bound` or `items` says, of up to `bytes`.
    ///
    /// # Errors
    /// * `unsupported` when the system does not let this user have so large a one, or what the C
    ///   library answers.
    pub(super) fn new(args: &Arguments) -> Result<Self, Refusal> {
        if args.keys().any(|name| !["bound", "items", "bytes"].contains(&name.as_str())) {
            return Err(Refusal::unsupported("such an argument"));
        }
        let number = |name: &str, usual: i64| match args.get(name) {
            None => Ok(usual),
            Some(value) => value.as_i64().ok_or_else(|| Refusal::prevented("a long is a number")),
        };
        let bytes = number("bytes", ITEM_BYTES)?;
        if !args.contains_key("bound") && !args.contains_key("items") {
            let usual = Self::open(ITEMS_COUNT, bytes);
            let is_refused = matches!(&usual, Err(refusal) if refusal.kind == "invalid-argument");
            // Whoever may not have so many has what there may be.
            return if is_refused { Self::open(system_limit("msg_max"), bytes) } else { usual };
        }
        let count = number("bound", number("items", ITEMS_COUNT)?)?;
        Self::open(count, bytes).map_err(|refusal| {
            let is_above = count > system_limit("msg_max") || bytes > system_limit("msgsize_max");
            if is_above && count <= HARD_ITEMS_COUNT && refusal.kind == "invalid-argument" {
                return Refusal::unsupported("more than this user may have: see mq_overview(7)");
            }
            refusal
        })
    }

    /// One as a script has it that says nothing.
    ///
    /// # Errors
    /// * What the C library answers.
    pub(super) fn usual() -> Result<Self, Refusal> {
        Self::new(&Arguments::new())
    }

    fn open(count: i64, item_bytes: i64) -> Result<Self, Refusal> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        // Relaxed: only the number matters.
        let number = NEXT.fetch_add(1, Relaxed);
        let name = CString::new(format!("/posix-mq-{}-{number}", std::process::id()));
        let name = name.map_err(|error| Refusal::new("system", error))?;
        // SAFETY: A struct of plain numbers, of which zero is one.
        let mut attributes: libc::mq_attr = unsafe { std::mem::zeroed() };
        attributes.mq_maxmsg = count;
        attributes.mq_msgsize = item_bytes;
        let flags = libc::O_CREAT | libc::O_EXCL | libc::O_RDWR;
        let mode: libc::mode_t = 0o600;
        // SAFETY: The name and the attributes are this call's own; with O_CREAT these are its
        // types.
        let descriptor =
            unsafe { libc::mq_open(name.as_ptr(), flags, mode, &raw const attributes) };
        if descriptor == CLOSED {
            made(last(CLOSED))?;
        }
        // SAFETY: As above. Whoever is forked has the descriptor, and nobody needs the name.
        made(last(unsafe { libc::mq_unlink(name.as_ptr()) }))?;
        let item_bytes = usize::try_from(item_bytes).unwrap_or(0);
        let kept = Mutex::new(Item::value(&Value::Null));
        Ok(Self { descriptor: AtomicI32::new(descriptor), item_bytes, kept })
    }

    fn descriptor(&self) -> Result<libc::mqd_t, CallResult> {
        // Relaxed: the number is all that is passed on.
        match self.descriptor.load(Relaxed) {
            CLOSED => Err(CallResult::failed("closed", "it was closed here")),
            descriptor => Ok(descriptor),
        }
    }

    /// Of a limit that passed there are two names, by what was waited for.
    fn send(&self, item: &Item, until: Option<libc::timespec>) -> Result<(), CallResult> {
        let (descriptor, bytes) = (self.descriptor()?, item.as_bytes());
        let answer = match until {
            // SAFETY: The bytes are this call's own; the time is a valid one.
            Some(until) => unsafe {
                let bytes_at = bytes.as_ptr().cast();
                libc::mq_timedsend(descriptor, bytes_at, bytes.len(), 0, &raw const until)
            },
            // SAFETY: As above.
            None => unsafe { libc::mq_send(descriptor, bytes.as_ptr().cast(), bytes.len(), 0) },
        };
        if answer == 0 { Ok(()) } else { Err(failure(last(answer), "full")) }
    }

    fn receive(&self, until: Option<libc::timespec>) -> Result<Item, CallResult> {
        let descriptor = self.descriptor()?;
        let mut bytes = vec![0u8; self.item_bytes];
        let (at, len, no_priority) = (bytes.as_mut_ptr().cast(), bytes.len(), std::ptr::null_mut());
        let answer = match until {
            // SAFETY: The buffer is this call's own and as long as it is said to be; a priority
            // nobody asks for; the time is a valid one.
            Some(until) => unsafe {
                libc::mq_timedreceive(descriptor, at, len, no_priority, &raw const until)
            },
            // SAFETY: As above.
            None => unsafe { libc::mq_receive(descriptor, at, len, no_priority) },
        };
        let Ok(len) = usize::try_from(answer) else {
            return Err(failure(last(-1), "empty"));
        };
        bytes.truncate(len);
        Ok(Item::received(bytes))
    }

    fn put(&self, args: &Arguments) -> Result<(), CallResult> {
        let item = Item::of(args).ok_or(CallResult::Unsupported)?;
        if args.contains_key("kept") {
            *self.kept() = item.clone();
        }
        self.send(&item, until(args)?)
    }

    fn try_put(&self, args: &Arguments) -> Result<(), CallResult> {
        let item = Item::of(args).ok_or(CallResult::Unsupported)?;
        if args.contains_key("timeout") {
            return Err(CallResult::Unsupported);
        }
        self.send(&item, Some(past()))
    }

    fn get(&self, args: &Arguments) -> Result<Item, CallResult> {
        let got = self.receive(until(args)?)?;
        if args.get("end").is_some_and(|end| *end == got.told()) {
            return Err(CallResult::failed("stop-iteration", "the end marker"));
        }
        Ok(got)
    }

    fn try_get(&self, args: &Arguments) -> Result<Item, CallResult> {
        if args.is_empty() { self.receive(Some(past())) } else { Err(CallResult::Unsupported) }
    }

    /// How many messages there are, and for how many there is room.
    fn counts(&self) -> Result<(i64, i64), CallResult> {
        let mut attributes = MaybeUninit::<libc::mq_attr>::uninit();
        // SAFETY: Room for what the call writes.
        let answer = unsafe { libc::mq_getattr(self.descriptor()?, attributes.as_mut_ptr()) };
        if answer != 0 {
            return Err(failure(last(answer), "empty"));
        }
        // SAFETY: The call has succeeded, and written it.
        let attributes = unsafe { attributes.assume_init() };
        Ok((attributes.mq_curmsgs, attributes.mq_maxmsg))
    }

    /// Puts from a buffer, and then overwrites that.
    fn put_and_change(&self, args: &Arguments) -> Result<(), CallResult> {
        let mut item = Item::of(args).ok_or(CallResult::Unsupported)?;
        self.send(&item, None)?;
        item.as_mut_bytes().fill(0);
        Ok(())
    }

    fn get_and_change(&self) -> Result<Value, CallResult> {
        let mut item = self.receive(None)?;
        let value = item.told();
        item.as_mut_bytes().fill(0);
        Ok(value)
    }

    fn get_mixed(&self, args: &Arguments) -> Result<Value, CallResult> {
        let mixture = Mixture::of(args).ok_or(CallResult::Unsupported)?;
        mixture.get(|| self.receive(None)).map(Value::from)
    }

    fn put_mixed(&self, args: &Arguments) -> Result<(), CallResult> {
        let mixture = Mixture::of(args).ok_or(CallResult::Unsupported)?;
        mixture.put(|item| self.send(&item, None))
    }

    /// A put that has returned is in the queue, so here is nothing to wait for.
    fn settle(&self) -> Result<(), CallResult> {
        match self.counts()? {
            (0, _) => Err(CallResult::failed("timed-out", "it is empty")),
            _ => Ok(()),
        }
    }

    fn close(&self) -> CallResult {
        // Relaxed: as in `descriptor`; whoever swaps it out is the only one to close it.
        match self.descriptor.swap(CLOSED, Relaxed) {
            CLOSED => {}
            // SAFETY: It was open until now, and nobody has its number any more.
            descriptor => unsafe {
                libc::mq_close(descriptor);
            },
        }
        CallResult::ok()
    }

    fn kept(&self) -> MutexGuard<'_, Item> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, op: &str, args: &Arguments) -> Result<Value, CallResult> {
        let nothing = |()| Value::Null;
        match op {
            "put" => self.put(args).map(nothing),
            "try_put" => self.try_put(args).map(nothing),
            "put_and_change" => self.put_and_change(args).map(nothing),
            "put_mixed" => self.put_mixed(args).map(nothing),
            "get" => self.get(args).map(|item| item.told()),
            "try_get" => self.try_get(args).map(|item| item.told()),
            "get_and_change" => self.get_and_change(),
            "get_mixed" => self.get_mixed(args),
            "qsize" => self.counts().map(|(count, _)| count.into()),
            "empty" => self.counts().map(|(count, _)| (count == 0).into()),
            "full" => self.counts().map(|(count, most)| (count == most).into()),
            "settle" => self.settle().map(nothing),
            "kept" => Ok(self.kept().told()),
            _ => Err(CallResult::Unsupported),
        }
    }
}

impl Object for Queue {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        match op {
            "close" => self.close(),
            "put_unsendable" | "put_unreadable" | "send_handle" => {
                CallResult::Prevented("a message is bytes".to_owned())
            }
            _ => self.answer(op, args).map_or_else(|other| other, CallResult::Value),
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        let _ = self.close();
    }
}

/// One that is called simple has fewer operations.
pub(super) struct Simple(pub(super) Queue);

impl Object for Simple {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        let is_offered = SIMPLE_OPERATIONS.contains(&op) && !args.contains_key("timeout");
        if is_offered { self.0.call(op, args) } else { CallResult::Unsupported }
    }
}

/// The moment on the wall clock, the only clock that these calls know; none where there is no
/// limit, or one that is null.
fn until(args: &Arguments) -> Result<Option<libc::timespec>, CallResult> {
    let timeout = args.get("timeout").filter(|timeout| !timeout.is_null());
    let limit = timeout.map(|timeout| ("timeout".to_owned(), timeout.clone()));
    moment(&limit.into_iter().collect(), ClockId::Realtime)
}

/// What the system allows to those without privileges, whoever this is.
fn system_limit(name: &str) -> i64 {
    let text = std::fs::read_to_string(format!("/proc/sys/fs/mqueue/{name}"));
    text.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

/// A limit that has passed is `full` or `empty`, by what was waited for.
fn failure(answer: libc::c_int, is_over: &str) -> CallResult {
    let kind = match answer {
        libc::ETIMEDOUT | libc::EAGAIN => is_over,
        libc::EMSGSIZE => "message-too-large",
        libc::EBADF => "closed",
        libc::EINTR => "interrupted",
        libc::EINVAL => "invalid-argument",
        libc::ENOMEM => "out-of-resources",
        _ => "system",
    };
    CallResult::failed(kind, std::io::Error::from_raw_os_error(answer))
}
