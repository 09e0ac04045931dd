//! Queues: what is inside is the server's (`queue/machine.rs`), what becomes of an item before it
//! is sent and after it was got is the actor's.

mod machine;
mod marks;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use purlin_conformance::serve::{Arguments, CallResult, Mixture, Object};
use rustix::event::poll;
use rustix::time::Timespec;
use serde_json::{Value, json};

use super::client::Context;
use super::fault::{Fault as Shared, faults};
use super::handle::Handle;
use super::kind::{FormOf, Kind, Made};

faults! {
    // What goes through.
    /// Each tenth item is lost.
    LosesTenth = "fault-queue-loses-tenth",
    /// An item comes out before the one that came before it.
    Swaps = "fault-queue-swaps",
    /// A get leaves the item where it was.
    GetKeeps = "fault-queue-get-keeps",
    /// A get that may not wait and finds nothing takes the item that comes next.
    TryEatsNext = "fault-queue-try-eats-next",
    /// Each hundredth call that may not wait is told that it cannot.
    TryGivesUp = "fault-queue-try-gives-up",
    /// A call that may not wait is told that it cannot.
    TryNeverTakes = "fault-queue-try-never-takes",
    /// The byte strings of two producers come out mixed.
    MixesWriters = "fault-queue-mixes-writers",
    /// An item is there a little after its put returned.
    ThereLater = "fault-queue-there-later",
    /// An item of another process than the last one's comes out first.
    Overtakes = "fault-queue-overtakes",
    /// A get does not find what another thread of its process put.
    ThreadsApart = "fault-queue-threads-apart",
    /// A null is no item.
    NullIsNothing = "fault-queue-null-is-nothing",
    /// Of a byte string more than 4 MiB are cut off.
    LargeIsCut = "fault-queue-large-is-cut",
    /// Of a byte string of more than 900 bytes one is lost.
    LosesByte = "fault-queue-loses-byte",
    /// What is changed after a put is put so.
    PutIsAliased = "fault-queue-put-is-aliased",
    /// What is changed after a get is changed where it came from.
    GetIsAliased = "fault-queue-get-is-aliased",
    /// What cannot be carried takes up a place.
    UnsendableTakesPlace = "fault-queue-unsendable-takes-place",
    /// What cannot be carried is not refused.
    UnsendableUntold = "fault-queue-unsendable-untold",
    /// What cannot be read stays.
    UnreadableStays = "fault-queue-unreadable-stays",
    /// A handle that cannot be sent is, as something else.
    HandleIsJunk = "fault-queue-handle-is-junk",

    // Room.
    /// There is room for one more than the bound.
    BoundIsMore = "fault-queue-bound-is-more",
    /// A bound of more than one is one less.
    BoundIsLess = "fault-queue-bound-is-less",
    /// A put into a full queue succeeds.
    PutNeverWaits = "fault-queue-put-never-waits",
    /// A put that is told full has put its item.
    FullPuts = "fault-queue-full-puts",
    /// A put that may not wait is told ok when it is full.
    FullUntold = "fault-queue-full-untold",
    /// After 500 puts there is room for one less.
    RoomShrinks = "fault-queue-room-shrinks",
    /// Items without bytes take no place.
    NothingTakesNoPlace = "fault-queue-nothing-takes-no-place",
    /// One without a bound has one all the same.
    GrowsLittle = "fault-queue-grows-little",
    /// A bound is read as the number that is nearest.
    BoundIsRead = "fault-queue-bound-is-read",
    /// A bound that is too big is cut.
    BoundIsCut = "fault-queue-bound-is-cut",
    /// An item that is too large waits for room.
    TooLargeWaits = "fault-queue-too-large-waits",
    /// An item that is too large is cut.
    TooLargeIsCut = "fault-queue-too-large-is-cut",

    // Waiting.
    /// A get from an empty queue comes back with nothing.
    GetNeverWaits = "fault-queue-get-never-waits",
    /// A limit that is null is one of zero.
    NullIsZero = "fault-queue-null-is-zero",
    /// A call without a limit has one of a tenth of a second.
    UsualLimit = "fault-queue-usual-limit",
    /// The short forms wait.
    ShortFormsWait = "fault-queue-short-forms-wait",

    // Hints.
    /// It says always that it is empty.
    EmptyIsTrue = "fault-queue-empty-is-true",
    /// It never says that it is empty.
    EmptyIsFalse = "fault-queue-empty-is-false",
    /// It never says that it is full.
    FullIsFalse = "fault-queue-full-is-false",
    /// It says always that it is full.
    FullIsTrue = "fault-queue-full-is-true",
    /// Its size is the number of puts.
    SizeCountsPuts = "fault-queue-size-counts-puts",
    /// Whoever was told that it is not empty has the item to itself.
    HintReserves = "fault-queue-hint-reserves",

    // Ends.
    /// A close does nothing.
    CloseIgnored = "fault-queue-close-ignored",
    /// A close is for everybody.
    CloseIsForAll = "fault-queue-close-is-for-all",
    /// A closed one cannot be closed.
    ClosedOnce = "fault-queue-closed-once",
    /// A close drops what the closer put.
    CloseDrops = "fault-queue-close-drops",
    /// A closed one goes on telling what is inside.
    ClosedTells = "fault-queue-closed-tells",
    /// One that was shut down lets puts in.
    ShutLetsIn = "fault-queue-shut-lets-in",
    /// A shutdown drops what is inside.
    ShutDrops = "fault-queue-shut-drops",
    /// A shutdown wakes nobody.
    ShutWakesNobody = "fault-queue-shut-wakes-nobody",
    /// An immediate shutdown is like any other.
    ShutKeeps = "fault-queue-shut-keeps",
    /// Before the close there is nothing to wait for, and it waits.
    FlushOpenWaits = "fault-queue-flush-open-waits",
    /// What was flushed is still its process's.
    FlushForgets = "fault-queue-flush-forgets",
    /// After it was cancelled the flush is waited for.
    FlushIsNotCancelled = "fault-queue-flush-is-not-cancelled",
    /// Who cancels its flush cancels everybody's puts.
    CancelIsForAll = "fault-queue-cancel-is-for-all",

    // Deaths.
    /// Who dies waiting has locked it.
    DeadWaiterLocks = "fault-queue-dead-waiter-locks",
    /// Who waits and is stopped is served first.
    StoppedIsServed = "fault-queue-stopped-is-served",
    /// What a process put ends with it.
    DiesWithProducer = "fault-queue-dies-with-producer",
    /// What a process got last comes back when it dies.
    GotComesBack = "fault-queue-got-comes-back",
    /// A large item is put in two steps; who dies between has put a part.
    PutInTwoSteps = "fault-queue-put-in-two-steps",
    /// A large item is got in two steps; who dies between has locked it.
    GetInTwoSteps = "fault-queue-get-in-two-steps",
    /// A caller that was killed has left it locked.
    DeadCallerLocks = "fault-queue-dead-caller-locks",
    /// When a user has died, limits are none.
    DeathEndsLimits = "fault-queue-death-ends-limits",

    // Marks.
    /// A join waits for nothing.
    JoinWaitsForNothing = "fault-queue-join-waits-for-nothing",
    /// A join waits for a mark, also where nothing is to be marked.
    JoinWaitsForMark = "fault-queue-join-waits-for-mark",
    /// A get marks what it got.
    GetMarks = "fault-queue-get-marks",
    /// A mark too many is not refused.
    MarksUnlimited = "fault-queue-marks-unlimited",
    /// Only what was got can be marked.
    MarkNeedsGet = "fault-queue-mark-needs-get",
    /// The last mark lets one go that waits.
    MarkWakesOne = "fault-queue-mark-wakes-one",
    /// Each tenth mark counts twice.
    TenthCountsTwice = "fault-queue-tenth-counts-twice",
    /// A join waits for what was put before it.
    JoinIsOfBefore = "fault-queue-join-is-of-before",
    /// A put that was told full counts.
    RefusedCounts = "fault-queue-refused-counts",
    /// A put that waits counts.
    WaitingCounts = "fault-queue-waiting-counts",
    /// What could not be carried counts.
    UnsendableCounts = "fault-queue-unsendable-counts",
    /// Who has closed it marks nothing.
    ClosedMarksNothing = "fault-queue-closed-marks-nothing",
    /// A join that gave up has taken away what it waited for.
    JoinTakesAway = "fault-queue-join-takes-away",
    /// What a dead process had got is marked.
    DeathMarks = "fault-queue-death-marks",
    /// Who dies in a join has locked it.
    DeadJoinerLocks = "fault-queue-dead-joiner-locks",
    /// Two marks are lost with who made them.
    DeathUnmarks = "fault-queue-death-unmarks",
    /// A join of one that is empty has no limit.
    JoinHasNoLimit = "fault-queue-join-has-no-limit",
}

/// Of fixed room, where puts are seen when they return.
pub(super) const FIXED: Kind = Kind {
    name: "queue",
    form: Some(("queue", &[("queue-room", "fixed"), ("queue-put", "direct")])),
    operations: OPERATIONS,
    waits: &["put", "get"],
    is_polled: false, // who asks again loses its place in the row
    guard: None,
    machine: Some(|rules, args| machine::made(rules, args, false)),
    object,
};

/// Of a room that grows, and with a flush.
pub(super) const GROWING: Kind = Kind {
    name: "growing-queue",
    form: GROWS,
    machine: Some(|rules, args| machine::made(rules, args, true)),
    ..FIXED
};

const GROWS: Option<FormOf> =
    Some(("queue", &[("queue-room", "grows"), ("queue-put", "background")]));

/// Counted.
pub(super) const JOINABLE: Kind = Kind {
    name: "joinable-queue",
    form: Some(("joinable-queue", &[("queue-room", "fixed"), ("queue-put", "direct")])),
    operations: JOINABLE_OPERATIONS,
    waits: &["put", "get", "join"],
    ..FIXED
};

/// The small one.
pub(super) const SIMPLE: Kind = Kind {
    name: "simple-queue",
    form: None,
    operations: &["put", "get", "empty", "close", "settle", "put_unsendable"],
    machine: Some(|rules, args| machine::made(rules, args, true)),
    ..FIXED
};

const OPERATIONS: &[&str] = &[
    "put",
    "try_put",
    "put_nowait",
    "get",
    "try_get",
    "get_nowait",
    "qsize",
    "empty",
    "full",
    "close",
    "shutdown",
    "join_thread",
    "cancel_join_thread",
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

const JOINABLE_OPERATIONS: &[&str] = &[
    "put",
    "try_put",
    "get",
    "try_get",
    "qsize",
    "empty",
    "full",
    "close",
    "settle",
    "put_unsendable",
    "task_done",
    "join",
];

fn object(made: &Made, context: Arc<Context>) -> Arc<dyn Object> {
    let fault = Fault::named(context.name);
    let handle = Handle::new(made.clone(), context);
    Arc::new(Queue { fault, handle, operations: made.kind.operations, kept: Mutex::default() })
}

/// A handle, and what this process has put last and kept.
struct Queue {
    fault: Fault,
    handle: Handle,
    operations: &'static [&'static str],
    kept: Mutex<Value>,
}

impl Object for Queue {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        if !self.operations.contains(&op) {
            return CallResult::Unsupported;
        }
        match op {
            "put" => self.put(args),
            "try_put" | "put_nowait" => self.try_put(op, args),
            "get" => self.get(args),
            "try_get" | "get_nowait" => self.try_get(op, args),
            "settle" => self.settle(),
            "put_mixed" => {
                Mixture::of(args).map_or(CallResult::Unsupported, |all| self.put_all(all))
            }
            "get_mixed" => {
                Mixture::of(args).map_or(CallResult::Unsupported, |all| self.get_all(all))
            }
            "put_and_change" => {
                let aliased = if self.fault == Fault::PutIsAliased {
                    json!(["changed"])
                } else {
                    args.get("item").cloned().unwrap_or_default()
                };
                self.put(&with("item", aliased))
            }
            "get_and_change" => self.get(&Arguments::new()),
            "kept" if self.fault == Fault::GetIsAliased => CallResult::Value(json!(["changed"])),
            "kept" => CallResult::Value(self.kept().clone()),
            "put_unsendable" => self.put_unsendable(),
            "put_unreadable" => self.put(&with("item", unreadable())),
            "send_handle" => {
                if self.fault == Fault::HandleIsJunk {
                    self.put(&with("item", json!("junk")));
                }
                CallResult::failed("not-transferable", "a handle")
            }
            _ => self.handle.call(op, args),
        }
    }
}

impl Queue {
    fn put(&self, args: &Arguments) -> CallResult {
        let mut args = self.limited(args);
        if args.remove("kept").is_some() {
            *self.kept() = args.get("item").cloned().unwrap_or_default();
        }
        self.handle.call("put", &args)
    }

    fn try_put(&self, op: &str, args: &Arguments) -> CallResult {
        let mut args = args.clone();
        let limit = args.remove("timeout");
        if let Some(limit) = limit.filter(|_| self.handle.fault() == Shared::TryHonoursLimit) {
            args.insert("timeout".to_owned(), limit);
            return self.handle.call("put", &args);
        }
        let waits = self.fault == Fault::ShortFormsWait && op == "put_nowait"
            || self.handle.fault() == Shared::TryWaits;
        self.handle.call(if waits { "put" } else { "try_put" }, &args)
    }

    /// With `end` among the arguments an item that is equal to it is no more.
    fn get(&self, args: &Arguments) -> CallResult {
        let mut args = self.limited(args);
        let end = args.remove("end");
        match self.read(self.handle.call("get", &args)) {
            CallResult::Value(value) if Some(&value) == end.as_ref() => {
                CallResult::failed("stop-iteration", "the end marker")
            }
            other => other,
        }
    }

    fn try_get(&self, op: &str, args: &Arguments) -> CallResult {
        let is_honoured = self.handle.fault() == Shared::TryHonoursLimit && !args.is_empty();
        if is_honoured || self.handle.fault() == Shared::TryWaits {
            return self.get(args);
        }
        let _ = op;
        self.read(self.handle.call("try_get", &Arguments::new()))
    }

    /// What was got; one that cannot be read is none.
    fn read(&self, got: CallResult) -> CallResult {
        if got != CallResult::Value(unreadable()) {
            return got;
        }
        if self.fault == Fault::UnreadableStays {
            self.handle.ask("put_back", &with("item", unreadable()));
        }
        CallResult::failed("not-transferable", "it cannot be read")
    }

    /// A limit that is null is none.
    fn limited(&self, args: &Arguments) -> Arguments {
        let mut args = args.clone();
        if args.get("timeout") == Some(&Value::Null) {
            args.remove("timeout");
            if self.fault == Fault::NullIsZero {
                args.insert("timeout".to_owned(), json!(0));
            }
        } else if self.fault == Fault::UsualLimit && !args.contains_key("timeout") {
            args.insert("timeout".to_owned(), json!(0.1));
        }
        args
    }

    /// Comes back when there is something.
    fn settle(&self) -> CallResult {
        let limit = Instant::now() + Duration::from_secs(10);
        loop {
            match self.handle.ask("something", &Arguments::new()) {
                CallResult::Value(Value::Bool(false)) if Instant::now() < limit => {
                    // Polling nothing is a nap: that is its nature, and orders nothing.
                    let _ = poll(&mut [], Some(&NAP));
                }
                CallResult::Value(Value::Bool(false)) => {
                    return CallResult::failed("timed-out", "it is empty");
                }
                CallResult::Value(_) => return CallResult::ok(),
                other => return other,
            }
        }
    }

    fn put_all(&self, mixture: Mixture) -> CallResult {
        let put = |item: Value| {
            let Value::Object(mut args) = item else { return Err(CallResult::Unsupported) };
            let len = args.get("bytes").and_then(Value::as_u64).unwrap_or(0);
            if self.fault == Fault::LosesByte && len > 900 {
                args.insert("bytes".to_owned(), json!(len - 1));
            }
            match self.put(&args) {
                CallResult::Value(_) => Ok(()),
                other => Err(other),
            }
        };
        let done = mixture.items().map(|item| item.told()).try_for_each(put);
        done.map_or_else(|other| other, |()| CallResult::ok())
    }

    fn get_all(&self, mixture: Mixture) -> CallResult {
        let mut right_count = 0;
        for item in mixture.items() {
            match self.get(&Arguments::new()) {
                CallResult::Value(got) if got == item.told() => right_count += 1,
                CallResult::Value(_) => break,
                other => return other,
            }
        }
        CallResult::Value(json!(right_count))
    }

    fn put_unsendable(&self) -> CallResult {
        match self.fault {
            Fault::UnsendableUntold => return CallResult::ok(),
            Fault::UnsendableTakesPlace => {
                self.put(&with("item", json!("nothing")));
            }
            Fault::UnsendableCounts => {
                self.handle.ask("count", &Arguments::new());
            }
            _ => {}
        }
        CallResult::failed("not-transferable", "it has no form")
    }

    fn kept(&self) -> MutexGuard<'_, Value> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const NAP: Timespec = Timespec { tv_sec: 0, tv_nsec: 1_000_000 };

fn with(name: &str, value: Value) -> Arguments {
    [(name.to_owned(), value)].into_iter().collect()
}

fn unreadable() -> Value {
    json!({ "unreadable": true })
}
