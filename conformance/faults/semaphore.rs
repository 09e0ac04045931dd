//! A semaphore as a state machine, with and without a bound, with and without tracking.

use std::collections::BTreeMap;
use std::time::Duration;

use purlin_conformance::serve::{Arguments, Refusal};

use super::fault::{Fault as Shared, faults};
use super::kind::{Asked, Client, Kind, Machine, Order, Rules, Said, Say, Wait, Waiters};
use super::process;

faults! {
    /// It starts with a unit more.
    StartsHigher = "fault-semaphore-starts-higher",
    /// It waits while anybody has a unit.
    IsALock = "fault-semaphore-is-a-lock",
    /// Without a value it starts at two.
    DefaultIsTwo = "fault-semaphore-default-is-two",
    /// A start at zero is one at one.
    ZeroIsOne = "fault-semaphore-zero-is-one",
    /// A negative start is one at zero.
    NegativeIsZero = "fault-semaphore-negative-is-zero",
    /// A start above the greatest value is cut off.
    StartIsCut = "fault-semaphore-start-is-cut",
    /// The value that is read is the one of the start.
    ValueStays = "fault-semaphore-value-stays",
    /// It never rises above its start.
    NeverRises = "fault-semaphore-never-rises",
    /// Who has taken nothing cannot release.
    ReleaseNeedsAcquire = "fault-semaphore-release-needs-acquire",
    /// A release with nobody waiting is lost.
    ReleaseForgotten = "fault-semaphore-release-forgotten",
    /// Of two releases that follow each other one counts, until somebody else asks.
    ReleasesMerge = "fault-semaphore-releases-merge",
    /// A release of several adds one.
    ManyAreOne = "fault-semaphore-many-are-one",
    /// A release of several wakes one.
    ManyWakeOne = "fault-semaphore-many-wake-one",
    /// A release of none, or of fewer, is none.
    NoneIsTaken = "fault-semaphore-none-is-taken",
    /// A release at the greatest value is taken.
    NoGreatest = "fault-semaphore-no-greatest",
    /// What a dead process had taken comes back, tracked or not.
    UnitsReturn = "fault-semaphore-units-return",
    /// A death takes two units along.
    DeathTakes = "fault-semaphore-death-takes",
    /// A death gives a unit.
    DeathGives = "fault-semaphore-death-gives",
    /// A bound is none.
    BoundIsNone = "fault-bounded-semaphore-bound-is-none",
    /// A refused release counts.
    RefusalCounts = "fault-bounded-semaphore-refusal-counts",
    /// A release of too many fills it up, and is refused.
    FillsUp = "fault-bounded-semaphore-fills-up",
    /// A release looks at the bound first, and adds a little later.
    LooksThenAdds = "fault-bounded-semaphore-looks-then-adds",
    /// Only who has taken a unit gives it back.
    HandOverRefused = "fault-bounded-semaphore-hand-over-refused",
    /// A bound of zero is one of one.
    BoundOfZero = "fault-bounded-semaphore-bound-of-zero",
    /// The units of a dead process stay taken.
    TrackedStay = "fault-tracked-semaphore-units-stay",
    /// They come back without a word.
    TrackedUntold = "fault-tracked-semaphore-untold",
    /// However many there were, one is told of.
    TrackedToldOnce = "fault-tracked-semaphore-told-once",
    /// The end of a child gives its parent's units back.
    TrackedChildReturns = "fault-tracked-semaphore-child-returns",
}

pub(super) const PLAIN: Kind = Kind {
    name: "semaphore",
    form: None,
    machine: Some(|rules, args| made(rules, args, false, false)),
    ..BASE
};

pub(super) const BOUNDED: Kind = Kind {
    name: "bounded-semaphore",
    form: None,
    machine: Some(|rules, args| made(rules, args, true, false)),
    ..BASE
};

pub(super) const TRACKED: Kind = Kind {
    name: "tracked-semaphore",
    form: Some(("semaphore", &[("semaphore-death", "units-return")])),
    machine: Some(|rules, args| made(rules, args, false, true)),
    ..BASE
};

pub(super) const BOUNDED_TRACKED: Kind = Kind {
    name: "bounded-tracked-semaphore",
    form: Some(("bounded-semaphore", &[("semaphore-death", "units-return")])),
    machine: Some(|rules, args| made(rules, args, true, true)),
    ..BASE
};

const BASE: Kind = Kind {
    name: "",
    form: None,
    operations: &["acquire", "try", "release", "value"],
    waits: &["acquire"],
    is_polled: true,
    guard: Some(("acquire", "release")),
    machine: None,
    object: Kind::plain,
};

/// The greatest value, which is that of most systems.
const GREATEST: i64 = i32::MAX as i64;

/// How long a second step takes, where there are two.
const STEP: Duration = Duration::from_millis(300);

/// How long after a look at the bound is added.
const LOOK: Duration = Duration::from_millis(2);

struct Semaphore {
    fault: Fault,
    shared: Shared,
    order: Order,
    is_tracked: bool,
    start: i64,
    bound: i64,
    value: i64,
    waiters: Waiters,
    /// How many units each process has. It matters where they are tracked.
    taken: BTreeMap<i32, i64>,
    /// Units among the free ones that were a dead process's.
    dead_units: i64,
    /// Who took a unit last and has not given it back.
    last: Option<Client>,
    /// Who made it, where that matters.
    maker: Option<Client>,
    is_gone: bool,
    later: Later,
}

/// What is still to come, where something takes two steps.
#[derive(Default)]
struct Later {
    /// Who released, and has not yet woken anybody.
    releaser: Option<Client>,
    /// Who is woken, and has not yet taken anything.
    woken: Option<Client>,
    /// Who released, was not refused, and has not yet added anything.
    adders: Vec<(Client, i64)>,
    /// Who released last.
    merged: Option<Client>,
}

fn made(
    rules: &Rules,
    args: &Arguments,
    is_bounded: bool,
    is_tracked: bool,
) -> Result<Box<dyn Machine>, Refusal> {
    let fault = Fault::named(rules.name);
    let value = match args.get("value") {
        None if fault == Fault::DefaultIsTwo => Some(2),
        None => Some(1),
        Some(value) => value.as_i64(),
    };
    let start = match (value, fault) {
        (Some(0), Fault::ZeroIsOne) => 1,
        (Some(0), Fault::BoundOfZero) if is_bounded => 1,
        (Some(..0), Fault::NegativeIsZero) => 0,
        (Some(value @ 0..=GREATEST), Fault::StartsHigher) => value + 1,
        (Some(value @ 0..=GREATEST), _) => value,
        (Some(1..) | None, Fault::StartIsCut) => GREATEST,
        _ => return Err(Refusal::new("invalid-argument", "no value to start with")),
    };
    let has_bound = (is_bounded || is_tracked) && fault != Fault::BoundIsNone;
    let bound = if has_bound || fault == Fault::NeverRises { start } else { GREATEST };
    Ok(Box::new(Semaphore {
        fault,
        shared: rules.fault,
        order: rules.order,
        is_tracked,
        start,
        bound,
        value: start,
        waiters: Waiters::new(rules.order),
        taken: BTreeMap::new(),
        dead_units: 0,
        last: None,
        maker: None,
        is_gone: false,
        later: Later::default(),
    }))
}

impl Machine for Semaphore {
    fn ask(&mut self, client: Client, asked: &Asked<'_>) -> Said {
        if self.later.merged != Some(client) {
            self.later.merged = None;
        }
        match (asked.op, asked.wait) {
            ("acquire" | "try", _) if self.is_gone => vec![(client, Say::Failed("damaged"))],
            ("acquire", Wait::Not) if self.shared == Shared::ZeroNeverTakes => {
                vec![(client, Say::TIMED_OUT)]
            }
            ("try", _) if self.shared == Shared::TryWaits => self.acquire(client, false),
            ("acquire", Wait::Not) | ("try", _) => self.try_acquire(client),
            ("acquire", wait) => self.acquire(client, wait == Wait::Timed),
            ("release", _) => match asked.args.get("n").map_or(Some(1), |n| n.as_i64()) {
                Some(count) => self.release(client, count),
                None => vec![(client, Say::INVALID_ARGUMENT)],
            },
            ("value", _) => {
                let stays = self.fault == Fault::ValueStays;
                // A dead process's units are no free ones until somebody has taken them.
                let value = if stays { self.start } else { self.value - self.dead_units };
                vec![(client, Say::Value(value.into()))]
            }
            ("drop", _) => self.drop_handle(client),
            ("make", _) => {
                self.maker = Some(client);
                vec![(client, Say::Ok)]
            }
            _ => vec![(client, Say::UNSUPPORTED)],
        }
    }

    fn cancel(&mut self, client: Client) -> Said {
        if !self.waiters.contains(client) {
            // It was let in meanwhile, and has been told.
            return Said::new();
        }
        if self.shared != Shared::TimeoutLeavesTicket {
            self.waiters.remove(client);
        }
        if self.shared == Shared::LimitIsSatOut && self.is_free() {
            return vec![self.admit(client)];
        }
        vec![(client, Say::TIMED_OUT)]
    }

    fn gone(&mut self, client: Client, _: bool) -> Said {
        if self.shared != Shared::WaiterDeathKeepsTicket {
            self.waiters.remove(client);
        }
        self.is_gone |= self.shared == Shared::EndsWithMaker && self.maker == Some(client);
        if self.later.woken == Some(client) {
            self.later.woken = None;
        }
        if self.later.releaser == Some(client) {
            self.later.releaser = None;
        }
        if self.last == Some(client) && self.shared == Shared::StoppedIsDead {
            self.last = None;
            self.value += 1;
        }
        match self.fault {
            Fault::DeathTakes => self.value = (self.value - 2).max(0),
            Fault::DeathGives => self.value += 1,
            _ => {}
        }
        Said::new()
    }

    fn process_gone(&mut self, pid: i32) -> Said {
        let mut taken = self.taken.remove(&pid).unwrap_or(0);
        let returns = self.is_tracked || self.fault == Fault::UnitsReturn;
        if self.fault == Fault::TrackedChildReturns && taken == 0 && self.is_tracked {
            taken = self.taken.values().sum();
            self.taken.clear();
        }
        let is_unseen = self.fault == Fault::TrackedStay || self.shared == Shared::IgnoresDeaths;
        if !returns || is_unseen || taken == 0 {
            return Said::new();
        }
        self.value += taken;
        self.dead_units += match self.fault {
            Fault::TrackedUntold | Fault::UnitsReturn => 0,
            Fault::TrackedToldOnce => 1,
            _ => taken,
        };
        if self.shared == Shared::DeathWakesNobody { Said::new() } else { self.wake(taken) }
    }

    /// Nobody has it to itself, but where somebody who is stopped seems to be dead.
    fn holder(&self) -> Option<Client> {
        self.last.filter(|_| self.shared == Shared::StoppedIsDead)
    }

    fn patience(&self) -> Option<Duration> {
        if !self.later.adders.is_empty() {
            return Some(LOOK);
        }
        if self.later.releaser.is_some() || self.later.woken.is_some() {
            return Some(STEP);
        }
        let waits = self.order == Order::Newcomer && self.is_free() && !self.waiters.is_empty();
        waits.then(|| self.shared.grace())
    }

    fn settle(&mut self) -> Said {
        let mut said = Said::new();
        for (adder, count) in std::mem::take(&mut self.later.adders) {
            self.value += count;
            said.push((adder, Say::Ok));
            said.extend(self.admit_waiters(count));
        }
        if let Some(releaser) = self.later.releaser.take() {
            said.push((releaser, Say::Ok));
            said.extend(self.admit_waiters(i64::MAX));
        }
        if let Some(woken) = self.later.woken.take() {
            self.waiters.remove(woken);
            said.push(self.admit(woken));
        }
        if self.order == Order::Newcomer {
            said.extend(self.admit_waiters(1));
        }
        said
    }
}

impl Semaphore {
    fn is_free(&self) -> bool {
        match self.fault {
            Fault::IsALock => self.value > 0 && self.taken.values().all(|taken| *taken == 0),
            _ => self.value > 0,
        }
    }

    fn acquire(&mut self, client: Client, is_timed: bool) -> Said {
        let sits_out = matches!(
            self.shared,
            Shared::LimitIsSatOut | Shared::LimitRestarts | Shared::LoserGivesUp
        );
        let gets_in = self.is_free() || self.shared == Shared::NeverBlocks;
        if !gets_in || (is_timed && sits_out) {
            self.waiters.push(client, is_timed);
            return Said::new();
        }
        let mut said = vec![self.admit(client)];
        said.extend(self.waiters.timed().map(|client| (client, Say::Lost)));
        if self.shared == Shared::AcquireTakesNothing {
            self.value += 1;
        }
        said
    }

    fn try_acquire(&mut self, client: Client) -> Said {
        if !self.is_free() {
            let is_taken = self.shared == Shared::TryAlwaysTaken;
            return vec![(client, if is_taken { Say::Ok } else { Say::TIMED_OUT })];
        }
        let said = self.admit(client);
        if self.shared == Shared::TryTakesNothing {
            self.value += 1;
        }
        vec![said]
    }

    /// Tracked units come back like a dead process's.
    fn drop_handle(&mut self, client: Client) -> Said {
        let is_held = self.taken.get(&client.pid).is_some_and(|taken| *taken > 0);
        if is_held && self.shared == Shared::DropHangs {
            return Said::new();
        }
        let mut said = if self.is_tracked { self.process_gone(client.pid) } else { Said::new() };
        said.push((client, Say::Ok));
        said
    }

    /// The unit becomes that client's.
    fn admit(&mut self, client: Client) -> (Client, Say) {
        let is_dead_unit = self.dead_units > 0 && self.dead_units >= self.value;
        self.value = (self.value - 1).max(0);
        *self.taken.entry(client.pid).or_default() += 1;
        self.last = Some(client);
        if !is_dead_unit {
            return (client, Say::Ok);
        }
        self.dead_units -= 1;
        (client, Say::OWNER_DIED)
    }

    fn release(&mut self, client: Client, count: i64) -> Said {
        if let Some(refused) = self.refused(client, count) {
            return vec![(client, refused)];
        }
        let merges = self.fault == Fault::ReleasesMerge && self.later.merged == Some(client);
        let is_lost = self.fault == Fault::ReleaseForgotten && self.waiters.is_empty();
        if merges || is_lost {
            return vec![(client, Say::Ok)];
        }
        self.later.merged = Some(client);
        if let Some(taken) = self.taken.get_mut(&client.pid) {
            *taken = (*taken - count).max(0);
        }
        self.last = None;
        match self.fault {
            Fault::LooksThenAdds => {
                self.later.adders.push((client, count));
                return Said::new();
            }
            Fault::ManyAreOne => self.value += 1,
            _ => self.value += count,
        }
        self.value = self.value.min(GREATEST);
        self.wake_by(client, count)
    }

    /// What comes of a release that adds nothing.
    fn refused(&mut self, client: Client, count: i64) -> Option<Say> {
        if count <= 0 {
            let is_taken = self.fault == Fault::NoneIsTaken;
            return Some(if is_taken { Say::Ok } else { Say::INVALID_ARGUMENT });
        }
        let taken = self.taken.get(&client.pid).copied().unwrap_or(0);
        let needs_taken = match self.fault {
            Fault::ReleaseNeedsAcquire | Fault::HandOverRefused => true,
            _ => self.is_tracked && self.shared != Shared::ReleaseByAnyone,
        };
        if needs_taken && taken < count {
            return Some(Say::NOT_OWNER);
        }
        let is_endless = self.fault == Fault::NoGreatest && self.bound == GREATEST;
        let bound = if is_endless { i64::MAX } else { self.bound };
        if self.value.saturating_add(count) <= bound {
            return None;
        }
        match (self.shared, self.fault) {
            (Shared::ReleaseNeverRefused, _) => return Some(Say::Ok),
            (Shared::ReleaseCounts, _) => {
                self.value += count;
                return Some(Say::Ok);
            }
            (_, Fault::RefusalCounts) => self.value += count,
            (_, Fault::FillsUp) => self.value = self.bound,
            (_, Fault::NeverRises) => return Some(Say::Ok),
            _ => {}
        }
        Some(Say::OVER_RELEASED)
    }

    /// Answers a release, and wakes those whom it lets in.
    fn wake_by(&mut self, client: Client, count: i64) -> Said {
        if !self.waiters.is_empty() {
            match self.shared {
                Shared::WakeInTwoSteps => {
                    self.later.releaser = Some(client);
                    return Said::new();
                }
                Shared::WakeDiesWithWoken => {
                    self.later.woken = self.waiters.next(false);
                    return vec![(client, Say::Ok)];
                }
                _ => {}
            }
        }
        let woken = self.wake(count);
        let is_stopped = |(woken, _): &(Client, Say)| process::state(woken.pid) == Some('T');
        let waits = self.shared == Shared::WakeWaitsForWoken && woken.iter().any(is_stopped);
        let own = if waits { Said::new() } else { vec![(client, Say::Ok)] };
        own.into_iter().chain(woken).collect()
    }

    fn wake(&mut self, count: i64) -> Said {
        let said = match (self.shared, self.order, self.fault) {
            (Shared::LostWake, ..) | (_, Order::Newcomer, _) => Said::new(),
            (Shared::WakeAdmitsAll, ..) => self.admit_waiters(i64::MAX),
            (_, _, Fault::ManyWakeOne) => self.admit_waiters(1),
            _ => self.admit_waiters(count),
        };
        if self.shared == Shared::WakeForgetsOthers {
            self.waiters.clear();
        }
        said
    }

    fn admit_waiters(&mut self, max_count: i64) -> Said {
        let mut said = Said::new();
        let admits_all = self.shared == Shared::WakeAdmitsAll;
        while (said.len() as i64) < max_count && (admits_all || self.is_free()) {
            let skips = matches!(self.shared, Shared::TimedNotWoken | Shared::LimitIsSatOut);
            let Some(waiter) = self.waiters.next(skips) else { break };
            said.push(self.admit(waiter));
        }
        said
    }
}
