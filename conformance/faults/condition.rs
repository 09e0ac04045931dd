//! A condition: pools of those who wait under a recursive lock (`rlock.rs`) for a notify, and the
//! waits for a predicate, which are the actor's own.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use purlin_conformance::serve::{
    Arguments, CallResult, Flow, Function, Functions, Object, Refusal, is_true,
};
use serde_json::{Value, json};

use super::client::{Context, Limit};
use super::fault::{Fault as Shared, Side, faults};
use super::handle::{Handle, limit};
use super::kind::{Client, Kind, Made, Rules, Said, Say, Wait};
use super::process;
use super::rlock::{RLock, Returning};

faults! {
    // Made over what?
    /// Its lock is another than the one that it is made over.
    LockApart = "fault-condition-lock-apart",
    /// It is made over anything.
    OverAnything = "fault-condition-over-anything",
    /// All conditions over one lock have their waiters together.
    OnePool = "fault-condition-one-pool",
    /// It has room for any number of waiters.
    RoomForAll = "fault-condition-room-for-all",

    // Waiting.
    /// A wait does not give the lock up.
    KeepsLock = "fault-condition-keeps-lock",
    /// A wait gives one level up.
    OneLevelUp = "fault-condition-one-level-up",
    /// Who comes back holds the lock once.
    DepthIsLost = "fault-condition-depth-is-lost",
    /// Who does not hold the lock waits all the same.
    WaitUnheld = "fault-condition-wait-unheld",
    /// Nobody waits twice.
    WaitsOnce = "fault-condition-waits-once",
    /// When its limit has passed, a wait comes back without the lock.
    LimitTakesNoLock = "fault-condition-limit-takes-no-lock",
    /// A wait whose limit has passed says that it was notified.
    LimitIsNotify = "fault-condition-limit-is-notify",
    /// A wait that was notified before its limit says that it was not.
    NotifyIsLimit = "fault-condition-notify-is-limit",
    /// Whose limit has passed can still be picked.
    ExpiredCount = "fault-condition-expired-count",
    /// A limit that passes keeps the news of a death from the one that waited.
    LimitHidesDeath = "fault-condition-limit-hides-death",

    // Notifying.
    /// A notify gives the lock up.
    NotifyReleases = "fault-condition-notify-releases",
    /// A notify wakes nobody.
    NotifyIsLost = "fault-condition-notify-is-lost",
    /// Every ninth notify that finds somebody wakes nobody.
    NinthIsLost = "fault-condition-ninth-is-lost",
    /// A notify that finds nobody is kept for the next one.
    NotifyIsKept = "fault-condition-notify-is-kept",
    /// Each notify wakes everybody.
    NotifyWakesAll = "fault-condition-notify-wakes-all",
    /// Each notify wakes one at most.
    NotifyWakesOne = "fault-condition-notify-wakes-one",
    /// A notify wakes one of a process at most.
    OneOfAProcess = "fault-condition-one-of-a-process",
    /// A notify of none wakes one.
    NoneIsOne = "fault-condition-none-is-one",
    /// A notify of less than none is one of none.
    LessIsNone = "fault-condition-less-is-none",
    /// Anybody notifies.
    NotifyUnheld = "fault-condition-notify-unheld",
    /// What another thread of a process holds counts for all of its threads.
    HeldByProcess = "fault-condition-held-by-process",
    /// A notify of all is one also for who waits a little later.
    LateAreWoken = "fault-condition-late-are-woken",
    /// The lock's release wakes everybody.
    ReleaseWakes = "fault-condition-release-wakes",
    /// Who is woken does not take the lock again.
    WokenTakesNoLock = "fault-condition-woken-takes-no-lock",

    // Predicates.
    /// A predicate is looked at behind the first wait only.
    WaitsFirst = "fault-condition-waits-first",
    /// A notify is taken for a predicate that holds.
    NotifyIsEnough = "fault-condition-notify-is-enough",
    /// Each notify begins the limit anew.
    LimitRestarts = "fault-condition-limit-restarts",
    /// What comes of a predicate is a yes or no.
    YesOrNo = "fault-condition-yes-or-no",
    /// A predicate is looked at without the lock.
    PredicateUnlocked = "fault-condition-predicate-unlocked",
    /// A predicate that fails costs the lock.
    FailureReleases = "fault-condition-failure-releases",
    /// A predicate that is false when the limit has passed is answered as it is.
    FalseIsAnswered = "fault-condition-false-is-answered",
    /// Who waits for a predicate is not told of deaths.
    PredicateHidesDeath = "fault-condition-predicate-hides-death",

    // Deaths.
    /// A notify waits for who is woken to run, be it dead.
    WaitsForTheDead = "fault-condition-waits-for-the-dead",
    /// A notify waits for who is woken to run, be it stopped.
    WaitsForTheStopped = "fault-condition-waits-for-the-stopped",
    /// A notify is spent on the dead.
    SpentOnTheDead = "fault-condition-spent-on-the-dead",
    /// What a dead one was notified of is lost.
    DiesWithWoken = "fault-condition-dies-with-woken",
    /// Who dies when it is woken was a dead owner.
    WokenDeathPoisons = "fault-condition-woken-death-poisons",
    /// Who dies in its wait was a dead owner.
    SleeperDeathPoisons = "fault-condition-sleeper-death-poisons",
    /// The death of who holds the lock wakes nobody who waits for a notify.
    SleepersAreUntold = "fault-condition-sleepers-are-untold",
    /// The death of who holds the lock wakes everybody who waits for a notify.
    AllAreCalled = "fault-condition-all-are-called",
}

/// Of the notifies that find somebody one in so many is lost, where some are. Two who take turns
/// find each other asleep once in a hundred times only, and often enough for this. It is odd, so
/// that now the one and now the other is not woken.
const LOST_PERIOD_COUNT: u32 = 9;

/// A condition over a lock of its own, or over a given one.
pub(super) const KIND: Kind = Kind {
    name: "condition",
    form: None,
    operations: &[
        "acquire",
        "try",
        "release",
        "recover",
        "wait",
        "wait_for",
        "notify",
        "notify_all",
    ],
    waits: &["acquire", "wait"],
    is_polled: false, // between two questions nobody would be there to be notified
    guard: Some(("acquire", "release")),
    machine: Some(|rules, _| Ok(Box::new(RLock::new(*rules)))),
    object: |made, context| Arc::new(Condition::new(made, context)),
};

/// Whether a condition cannot be made over an object that was made so; a plain lock's making
/// nobody notes.
pub(super) fn refuses(rules: &Rules, over: Option<&Made>) -> bool {
    let is_lock = over.is_none_or(|made| ["lock", "rlock"].contains(&made.kind.name));
    !is_lock && Fault::named(rules.name) != Fault::OverAnything
}

/// As an actor has it.
struct Condition {
    /// Its lock, which knows of its waiters, too.
    lock: Handle,
    fault: Fault,
    pool: Arguments,
}

impl Condition {
    fn new(made: &Made, context: Arc<Context>) -> Self {
        let fault = Fault::named(context.name);
        let over = made.args.get("lock").and_then(Value::as_str);
        let over = over.filter(|_| fault != Fault::LockApart);
        let name = over.unwrap_or(&made.name).to_owned();
        let mut pool = Arguments::new();
        let own = if fault == Fault::OnePool { "all" } else { &made.name };
        pool.insert("pool".to_owned(), own.into());
        pool.extend(made.args.get("room").map(|room| ("room".to_owned(), room.clone())));
        let made = Made { name, args: Arguments::new(), ..made.clone() };
        Self { lock: Handle::new(made, context), fault, pool }
    }

    /// Waits for a notify, up to a limit.
    fn wait(&self, limit: Limit) -> CallResult {
        self.lock.wait_until("wait", &self.pool, limit)
    }

    fn notify(&self, count: Value) -> CallResult {
        let mut args = self.pool.clone();
        args.insert("n".to_owned(), count);
        self.lock.ask("notify", &args)
    }

    fn wait_for(&self, args: &Arguments, functions: &mut Functions<'_>) -> CallResult {
        let Some(predicate) = Function::of(args, "function") else {
            return CallResult::failed("invalid-argument", "no predicate");
        };
        let ends = match limit(args, self.lock.fault()) {
            Ok(limit) => limit,
            Err(refusal) => return CallResult::Failed(refusal),
        };
        let deadline = match ends {
            Limit::Never => None,
            Limit::After(time) => Instant::now().checked_add(time),
        };
        let mut is_first = true;
        loop {
            if !(is_first && self.fault == Fault::WaitsFirst) {
                let value = self.value(&predicate, functions);
                if is_true(&value) || (!is_first && self.fault == Fault::NotifyIsEnough) {
                    let yes = self.fault == Fault::YesOrNo;
                    return CallResult::Value(if yes { true.into() } else { value });
                }
                let is_over = deadline.is_some_and(|deadline| Instant::now() >= deadline)
                    && self.fault != Fault::LimitRestarts;
                if is_over && self.fault == Fault::FalseIsAnswered {
                    return CallResult::Value(value);
                }
                // Not before it is known that the caller holds the lock.
                if is_over && !is_first {
                    return CallResult::failed("timed-out", "");
                }
            }
            is_first = false;
            let left = match (deadline, ends) {
                (_, ends) if self.fault == Fault::LimitRestarts => ends,
                (None, _) => Limit::Never,
                (Some(deadline), _) => {
                    Limit::After(deadline.saturating_duration_since(Instant::now()))
                }
            };
            match self.wait(left) {
                CallResult::Value(_) => {}
                CallResult::Failed(refusal) if refusal.kind == "timed-out" => {
                    if self.fault == Fault::LimitRestarts {
                        return CallResult::Failed(refusal);
                    }
                }
                CallResult::Failed(Refusal { kind, .. })
                    if kind == "owner-died" && self.fault == Fault::PredicateHidesDeath => {}
                other => return other,
            }
        }
    }

    /// What the predicate says.
    fn value(&self, predicate: &Function, functions: &mut Functions<'_>) -> Value {
        if self.fault == Fault::FailureReleases {
            let guard = ReleasesOnFailure(&self.lock);
            let value = functions.run(predicate);
            std::mem::forget(guard);
            return value;
        }
        if self.fault != Fault::PredicateUnlocked {
            return functions.run(predicate);
        }
        let none = Arguments::new();
        self.lock.ask("release", &none);
        std::thread::sleep(Duration::from_millis(1)); // so that others come in between
        let value = functions.run(predicate);
        self.lock.wait_until("acquire", &none, Limit::Never);
        value
    }
}

/// Lets go when it is not forgotten.
struct ReleasesOnFailure<'a>(&'a Handle);

impl Drop for ReleasesOnFailure<'_> {
    fn drop(&mut self) {
        self.0.ask("release", &Arguments::new());
    }
}

impl Object for Condition {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        match op {
            "wait" => match limit(args, self.lock.fault()) {
                Ok(limit) => self.wait(limit),
                Err(refusal) => CallResult::Failed(refusal),
            },
            "notify" => self.notify(args.get("n").cloned().unwrap_or_else(|| json!(1))),
            "notify_all" => self.notify(json!(i64::MAX)),
            _ => self.lock.call(op, args),
        }
    }

    fn call_with(&self, op: &str, args: &Arguments, functions: &mut Functions<'_>) -> CallResult {
        if op == "wait_for" { self.wait_for(args, functions) } else { self.call(op, args) }
    }

    fn scope(&self, body: &mut dyn FnMut() -> Flow) -> Flow {
        self.lock.scope(body)
    }
}

/// Those who wait for a notify under one lock, condition by condition, who came first first.
#[derive(Debug, Default)]
pub(super) struct Pools {
    pools: BTreeMap<String, VecDeque<Sleeper>>,
    /// Notifies that found nobody, where they are kept.
    kept_count: i64,
    /// The pool that a notify of all came to last.
    called: Option<String>,
    /// Notifies that found somebody.
    finding_count: u32,
    /// Who has waited before, where nobody waits twice.
    known: Vec<Client>,
}

#[derive(Debug, Clone, Copy)]
struct Sleeper {
    client: Client,
    depth: u32,
    is_timed: bool,
    /// It is dead, or its limit has passed, and nobody has noticed.
    is_over: bool,
}

impl Pools {
    /// Whether this one waits for a notify.
    pub(super) fn contains(&self, client: Client) -> bool {
        let mut all = self.pools.values().flatten();
        all.any(|sleeper| sleeper.client == client && !sleeper.is_over)
    }

    fn remove(&mut self, client: Client, stays: bool) -> Option<(String, Sleeper)> {
        for (name, pool) in &mut self.pools {
            let is_it = |sleeper: &Sleeper| sleeper.client == client && !sleeper.is_over;
            let Some(at) = pool.iter().position(is_it) else { continue };
            let found = pool[at];
            if stays {
                pool[at].is_over = true;
            } else {
                pool.remove(at);
            }
            return Some((name.clone(), found));
        }
        None
    }
}

fn pool_of(args: &Arguments) -> String {
    args.get("pool").and_then(Value::as_str).unwrap_or_default().to_owned()
}

impl RLock {
    fn holds(&self, client: Client) -> bool {
        let is_shared = self.condition == Fault::HeldByProcess;
        self.is_mine(client)
            || (is_shared && self.holder.is_some_and(|holder| holder.client.pid == client.pid))
    }

    pub(super) fn wait(&mut self, client: Client, wait: Wait, args: &Arguments) -> Said {
        let pool = pool_of(args);
        let is_held = self.holds(client);
        if !is_held && self.condition != Fault::WaitUnheld {
            return vec![(client, Say::NOT_OWNER)];
        }
        let room = args.get("room").and_then(Value::as_u64);
        let count = self.pools.pools.get(&pool).map_or(0, VecDeque::len) as u64;
        if room.is_some_and(|room| count >= room) && self.condition != Fault::RoomForAll {
            return vec![(client, Say::OUT_OF_RESOURCES)];
        }
        if self.condition == Fault::WaitsOnce {
            if self.pools.known.contains(&client) {
                return vec![(client, Say::Ok)];
            }
            self.pools.known.push(client);
        }
        if self.pools.kept_count > 0 && self.condition == Fault::NotifyIsKept {
            self.pools.kept_count -= 1;
            return vec![(client, Say::Ok)];
        }
        let depth = self.holder.filter(|_| is_held).map_or(1, |holder| holder.depth);
        if wait == Wait::Not {
            let returning = Returning { pool, depth, say: self.limit_says() };
            return self.passes_through(client, returning);
        }
        let is_timed = wait == Wait::Timed;
        let sleeper = Sleeper { client, depth, is_timed, is_over: false };
        let is_late = self.condition == Fault::LateAreWoken;
        if is_late && self.pools.called.as_ref() == Some(&pool) {
            self.come_back(&pool, sleeper);
        } else {
            self.pools.pools.entry(pool).or_default().push_back(sleeper);
        }
        self.give_up(is_held)
    }

    /// Without a time to wait: the lock is given up, and taken again behind who waits for it.
    fn passes_through(&mut self, client: Client, returning: Returning) -> Said {
        self.returning.insert(client, returning);
        self.waiters.push(client, false);
        self.let_go()
    }

    fn give_up(&mut self, is_held: bool) -> Said {
        match self.holder.as_mut().filter(|_| is_held) {
            None => Said::new(),
            Some(_) if self.condition == Fault::KeepsLock => Said::new(),
            Some(holder) if self.condition == Fault::OneLevelUp && holder.depth > 1 => {
                holder.depth -= 1;
                Said::new()
            }
            Some(_) => self.let_go(),
        }
    }

    fn limit_says(&self) -> Say {
        if self.condition == Fault::LimitIsNotify { Say::Ok } else { Say::TIMED_OUT }
    }

    /// A sleeper is to have the lock again, and is told then that it was notified.
    fn come_back(&mut self, pool: &str, sleeper: Sleeper) {
        let Sleeper { client, depth, is_timed, .. } = sleeper;
        let depth = if self.condition == Fault::DepthIsLost { 1 } else { depth };
        let is_wrong = is_timed && self.condition == Fault::NotifyIsLimit;
        let say = if is_wrong { Say::TIMED_OUT } else { Say::Ok };
        self.returning.insert(client, Returning { pool: pool.to_owned(), depth, say });
        self.waiters.push(client, false);
    }

    /// The limit of a wait has passed.
    pub(super) fn expire(&mut self, client: Client) -> Said {
        let stays = self.condition == Fault::ExpiredCount;
        let Some((pool, sleeper)) = self.pools.remove(client, stays) else { return Said::new() };
        if self.condition == Fault::LimitTakesNoLock {
            return vec![(client, Say::TIMED_OUT)];
        }
        let depth = if self.condition == Fault::DepthIsLost { 1 } else { sleeper.depth };
        self.returning.insert(client, Returning { pool, depth, say: self.limit_says() });
        self.waiters.push(client, false);
        self.admit_waiters(1)
    }

    /// Whether one that is told this is not told of a death.
    pub(super) fn hides_death(&self, say: &Say) -> bool {
        self.condition == Fault::LimitHidesDeath && *say == Say::TIMED_OUT
    }

    pub(super) fn notify(&mut self, client: Client, args: &Arguments) -> Said {
        let count = args.get("n").and_then(Value::as_i64).unwrap_or(1);
        let pool = pool_of(args);
        if !self.may_notify(client) {
            return vec![(client, Say::NOT_OWNER)];
        }
        if count < 0 && self.condition != Fault::LessIsNone {
            return vec![(client, Say::INVALID_ARGUMENT)];
        }
        let finds_somebody = self.pools.pools.contains_key(&pool);
        self.pools.finding_count += u32::from(finds_somebody);
        let is_lost = finds_somebody && self.pools.finding_count.is_multiple_of(LOST_PERIOD_COUNT);
        let count = match self.condition {
            Fault::NotifyIsLost => 0,
            Fault::NinthIsLost if is_lost => 0,
            Fault::NotifyWakesAll => i64::MAX,
            Fault::NotifyWakesOne => count.min(1),
            Fault::NoneIsOne => count.max(1),
            _ => count,
        };
        if count == i64::MAX {
            self.pools.called = Some(pool.clone());
        }
        let (woken, mut said) = self.pick(&pool, count);
        if woken.is_empty() && count > 0 {
            self.pools.kept_count += 1;
        }
        let state = |client: &Client| process::state(client.pid);
        let waits = match self.condition {
            Fault::WaitsForTheStopped => woken.iter().any(|woken| state(woken) == Some('T')),
            Fault::WaitsForTheDead => said.iter().any(|(_, say)| *say == Say::Lost),
            _ => false,
        };
        said.retain(|(_, say)| *say != Say::Lost);
        if !waits {
            said.push((client, Say::Ok));
        }
        if self.condition == Fault::NotifyReleases || self.holder.is_none() {
            said.extend(self.let_go());
        }
        said
    }

    fn may_notify(&self, client: Client) -> bool {
        let is_open = self.side == Side::ByAnyone && self.shared != Shared::TakerMustRelease;
        self.holds(client) || is_open || self.condition == Fault::NotifyUnheld
    }

    /// Those of a pool that a notify of so many wakes; who is dead is `Lost`.
    fn pick(&mut self, name: &str, count: i64) -> (Vec<Client>, Said) {
        let mut woken: Vec<Client> = Vec::new();
        let mut said = Said::new();
        let mut left = VecDeque::new();
        let mut sleepers = self.pools.pools.remove(name).unwrap_or_default();
        while let Some(sleeper) = sleepers.pop_front() {
            let is_other = woken.iter().any(|other| other.pid == sleeper.client.pid);
            let skips = is_other && self.condition == Fault::OneOfAProcess;
            if woken.len() as i64 >= count || skips {
                left.push_back(sleeper);
                continue;
            }
            woken.push(sleeper.client);
            if sleeper.is_over {
                said.push((sleeper.client, Say::Lost));
            } else if self.condition == Fault::WokenTakesNoLock {
                said.push((sleeper.client, Say::Ok));
            } else {
                self.come_back(name, sleeper);
            }
        }
        if !left.is_empty() {
            self.pools.pools.insert(name.to_owned(), left);
        }
        (woken, said)
    }

    /// Somebody dies who waits, for the lock or for a notify.
    pub(super) fn waiter_gone(&mut self, client: Client) -> Said {
        let stays = matches!(self.condition, Fault::WaitsForTheDead | Fault::SpentOnTheDead);
        if self.pools.remove(client, stays).is_some() {
            self.is_suspect |= self.condition == Fault::SleeperDeathPoisons;
            return Said::new();
        }
        if !self.waiters.contains(client) || self.shared == Shared::WaiterDeathKeepsTicket {
            return Said::new();
        }
        self.waiters.remove(client);
        self.is_suspect |= self.shared == Shared::WaiterDeathPoisons;
        let Some(returning) = self.returning.remove(&client) else { return Said::new() };
        self.is_suspect |= self.condition == Fault::WokenDeathPoisons;
        if returning.say == Say::Ok && self.condition != Fault::DiesWithWoken {
            self.pick(&returning.pool, 1);
        }
        if self.holder.is_none() { self.admit_waiters(1) } else { Said::new() }
    }

    /// The lock was let go.
    pub(super) fn condition_let_go(&mut self) {
        if self.condition == Fault::ReleaseWakes {
            for name in self.pools.pools.keys().cloned().collect::<Vec<_>>() {
                self.pick(&name, i64::MAX);
            }
        }
    }

    /// Its owner died, and somebody must learn of it, though all others sleep.
    pub(super) fn call_a_sleeper(&mut self) {
        if self.condition == Fault::SleepersAreUntold {
            return;
        }
        let count = if self.condition == Fault::AllAreCalled { i64::MAX } else { 1 };
        let names: Vec<String> = self.pools.pools.keys().cloned().collect();
        for name in names {
            if self.waiters.is_empty() || count > 1 {
                self.pick(&name, count);
            }
        }
    }
}
