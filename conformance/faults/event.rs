//! An event as a state machine.

use std::time::Duration;

use super::fault::{Fault as Shared, faults};
use super::kind::{Asked, Client, Kind, Machine, Rules, Said, Say, Wait, Waiters};
use super::process;

faults! {
    /// It is set from the start.
    StartsSet = "fault-event-starts-set",
    /// It never says that it is set.
    IsSetLies = "fault-event-is-set-lies",
    /// A set lets one waiter go.
    SetWakesOne = "fault-event-set-wakes-one",
    /// A set with nobody waiting is lost.
    SetForgotten = "fault-event-set-forgotten",
    /// A set of one that is set clears it.
    SetToggles = "fault-event-set-toggles",
    /// A clear does nothing.
    ClearIgnored = "fault-event-clear-ignored",
    /// A clear of one that is not set sets it.
    ClearToggles = "fault-event-clear-toggles",
    /// A wait that has seen it set clears it.
    WaitConsumes = "fault-event-wait-consumes",
    /// Who is woken looks at the flag again, a little later.
    LooksAgain = "fault-event-looks-again",
    /// A set that somebody waited for counts for the next waiter too, cleared or not.
    SetIsOwed = "fault-event-set-is-owed",
    /// Only the first group of waiters is served.
    ServesOnce = "fault-event-serves-once",
    /// When one waiter's limit is over all others are let go.
    TimeoutEndsAll = "fault-event-timeout-ends-all",
    /// A wait whose limit is over says that it was set.
    TimeoutSaysSet = "fault-event-timeout-says-set",
    /// A set wakes a little later than it takes effect, and not at all where it finds the flag set.
    SetInTwoSteps = "fault-event-set-in-two-steps",
    /// A set does not return once a waiter has died.
    DeadWaiterHangsSet = "fault-event-dead-waiter-hangs-set",
    /// After 30 dead waiters it wakes nobody.
    DeadWaitersCount = "fault-event-dead-waiters-count",
    /// A set ends with its setter.
    DiesWithSetter = "fault-event-dies-with-setter",
    /// A caller that was killed has left it locked.
    DeadCallerHolds = "fault-event-dead-caller-holds",
    /// Now and then, between a look at the flag and the sleep, a set is missed.
    SleepsThroughSet = "fault-event-sleeps-through-set",
}

pub(super) const KIND: Kind = Kind {
    name: "event",
    form: None,
    operations: &["set", "clear", "wait", "is_set"],
    waits: &["wait"],
    is_polled: false, // between two questions a set and a clear would go by
    guard: None,
    machine: Some(|rules, _| Ok(Box::new(Event::new(*rules)))),
    object: Kind::plain,
};

/// How long a second step takes, where there are two.
const STEP: Duration = Duration::from_millis(300);

/// How late somebody looks again.
const LOOK: Duration = Duration::from_millis(10);

/// So many dead waiters are too many, where they count.
const DEAD_MAX_COUNT: u32 = 30;

/// Of so many waits one misses the set that comes next.
const MISSES_EVERY: u32 = 10;

struct Event {
    fault: Fault,
    shared: Shared,
    is_set: bool,
    waiters: Waiters,
    /// Who is woken, and looks at the flag again before it believes it.
    looking: Vec<Client>,
    /// Who has set it, and has not yet woken anybody.
    setter: Option<Client>,
    /// Who has set it last.
    last: Option<Client>,
    /// Who made it, where that matters.
    maker: Option<Client>,
    /// Nobody gets an answer any more.
    is_stuck: bool,
    is_gone: bool,
    /// A set is owed to the next waiter.
    owes: bool,
    /// A group of waiters was served.
    has_served: bool,
    /// The process whose loop of calls was cut, where that matters.
    callers: Vec<i32>,
    dead_count: u32,
    wait_count: u32,
}

impl Machine for Event {
    fn ask(&mut self, client: Client, asked: &Asked<'_>) -> Said {
        if self.is_stuck && asked.op != "drop" {
            return Said::new();
        }
        if self.is_gone {
            return vec![(client, Say::Failed("damaged"))];
        }
        match (asked.op, asked.wait) {
            ("set", _) => self.set(client),
            ("clear", _) => self.clear(client),
            ("wait", wait) => self.wait(client, wait),
            ("is_set", _) => {
                let is_set = self.is_set && self.fault != Fault::IsSetLies;
                vec![(client, Say::Value(is_set.into()))]
            }
            ("make", _) => {
                self.maker = Some(client);
                vec![(client, Say::Ok)]
            }
            ("drop", _) => vec![(client, Say::Ok)],
            _ => vec![(client, Say::UNSUPPORTED)],
        }
    }

    fn cancel(&mut self, client: Client) -> Said {
        let is_looking = self.looking.contains(&client);
        if !self.waiters.contains(client) && !is_looking {
            // It was let go meanwhile, and has been told.
            return Said::new();
        }
        self.looking.retain(|looking| *looking != client);
        self.waiters.remove(client);
        let says_set = self.fault == Fault::TimeoutSaysSet;
        let own = (client, if says_set { Say::Ok } else { Say::TIMED_OUT });
        let others =
            if self.fault == Fault::TimeoutEndsAll { self.wake(false) } else { Said::new() };
        std::iter::once(own).chain(others).collect()
    }

    fn gone(&mut self, client: Client, _: bool) -> Said {
        let was_waiting = self.waiters.contains(client);
        self.waiters.remove(client);
        self.looking.retain(|looking| *looking != client);
        self.is_gone |= self.shared == Shared::EndsWithMaker && self.maker == Some(client);
        self.dead_count += u32::from(was_waiting);
        self.is_stuck |= was_waiting && self.fault == Fault::DeadWaiterHangsSet;
        self.is_stuck |= self.callers.contains(&client.pid) && self.fault == Fault::DeadCallerHolds;
        if self.setter == Some(client) {
            self.setter = None;
        }
        if self.fault == Fault::DiesWithSetter && self.last == Some(client) {
            self.is_set = false;
        }
        Said::new()
    }

    fn patience(&self) -> Option<Duration> {
        if self.setter.is_some() {
            return Some(STEP);
        }
        (!self.looking.is_empty()).then_some(LOOK)
    }

    fn settle(&mut self) -> Said {
        let mut said = Said::new();
        if let Some(setter) = self.setter.take() {
            said.push((setter, Say::Ok));
            said.extend(self.wake(false));
        }
        for looking in std::mem::take(&mut self.looking) {
            if self.is_set {
                said.push((looking, Say::Ok));
            } else {
                self.waiters.push(looking, false);
            }
        }
        said
    }
}

impl Event {
    fn new(Rules { name, fault: shared, order, .. }: Rules) -> Self {
        let fault = Fault::named(name);
        Self {
            fault,
            shared,
            is_set: fault == Fault::StartsSet,
            waiters: Waiters::new(order),
            looking: Vec::new(),
            setter: None,
            last: None,
            maker: None,
            is_stuck: false,
            is_gone: false,
            owes: false,
            has_served: false,
            callers: Vec::new(),
            dead_count: 0,
            wait_count: 0,
        }
    }

    fn set(&mut self, client: Client) -> Said {
        self.callers.push(client.pid);
        let was_set = self.is_set;
        let is_lost = self.fault == Fault::SetForgotten && self.waiters.is_empty();
        let is_undone = was_set && self.fault == Fault::SetToggles;
        self.is_set = !is_lost && !is_undone;
        self.last = Some(client);
        self.owes |= self.fault == Fault::SetIsOwed && !self.waiters.is_empty();
        if self.fault == Fault::SetInTwoSteps && !self.waiters.is_empty() {
            if !was_set {
                self.setter = Some(client);
                return Said::new();
            }
            return vec![(client, Say::Ok)];
        }
        let skips_timed = self.shared == Shared::TimedNotWoken;
        let woken = self.wake(skips_timed);
        let is_stopped = |(woken, _): &(Client, Say)| process::state(woken.pid) == Some('T');
        let waits = self.shared == Shared::WakeWaitsForWoken && woken.iter().any(is_stopped);
        let own = if waits { Said::new() } else { vec![(client, Say::Ok)] };
        own.into_iter().chain(woken).collect()
    }

    fn clear(&mut self, client: Client) -> Said {
        self.callers.push(client.pid);
        self.is_set = match self.fault {
            Fault::ClearIgnored => self.is_set,
            Fault::ClearToggles => !self.is_set,
            _ => false,
        };
        vec![(client, Say::Ok)]
    }

    fn wait(&mut self, client: Client, wait: Wait) -> Said {
        self.wait_count += 1;
        let misses =
            self.fault == Fault::SleepsThroughSet && self.wait_count.is_multiple_of(MISSES_EVERY);
        if std::mem::take(&mut self.owes) {
            return vec![(client, Say::Ok)];
        }
        if self.is_set && !misses {
            self.is_set = self.fault != Fault::WaitConsumes;
            return vec![(client, Say::Ok)];
        }
        if wait == Wait::Not {
            return vec![(client, Say::TIMED_OUT)];
        }
        self.waiters.push(client, wait == Wait::Timed);
        Said::new()
    }

    /// Lets those go who wait.
    fn wake(&mut self, skips_timed: bool) -> Said {
        let is_dulled = match self.fault {
            Fault::ServesOnce => self.has_served,
            Fault::DeadWaitersCount => self.dead_count >= DEAD_MAX_COUNT,
            _ => self.shared == Shared::LostWake,
        };
        let mut said = Said::new();
        let max_count = if self.fault == Fault::SetWakesOne { 1 } else { usize::MAX };
        while !is_dulled && said.len() < max_count {
            let Some(waiter) = self.waiters.next(skips_timed) else { break };
            if self.fault == Fault::LooksAgain {
                self.looking.push(waiter);
            } else {
                said.push((waiter, Say::Ok));
            }
        }
        self.has_served |= !said.is_empty();
        said
    }
}
