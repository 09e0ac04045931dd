//! A lock as a state machine, and every way in which it can be wrong.

use std::collections::VecDeque;

/// What is wrong; each has one place below, or in the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// A new lock tells of a death.
    BornSuspect,
    /// All names lead to one lock.
    OneForAll,
    /// An acquire of a held lock succeeds.
    NeverBlocks,
    /// A release wakes nobody.
    LostWake,
    /// A try succeeds and leaves the lock free.
    TryTakesNothing,
    /// A try succeeds also when the lock is held.
    TryAlwaysTaken,
    /// A time limit is over at half time; the client does this.
    GivesUpEarly,
    /// Who timed out is still served, and never releases.
    TimeoutLeavesTicket,
    /// A time limit of zero fails also when the lock is free.
    ZeroNeverTakes,
    /// A release of a free lock counts, so that two get in later.
    ReleaseNeverRefused,
    /// Whoever releases, the lock is free.
    ReleaseByAnyone,
    /// A release lets all waiters in.
    WakeAdmitsAll,
    /// A dead holder holds for ever.
    IgnoresDeaths,
    /// A death is told to later callers, and to no waiter.
    DeathWakesNobody,
    /// A death lets all waiters in.
    DeathAdmitsAll,
    /// A death frees the lock without a word.
    DeathUntold,
    /// Who is told of a death does not hold the lock.
    ToldButNotHeld,
    /// The warning is used up by being read.
    ForgetsTheWarning,
    /// The warning cannot be cleared.
    WarningStays,
    /// The death of a waiter is told like one of a holder.
    WaiterDeathPoisons,
    /// A dead waiter is still served.
    WaiterDeathKeepsTicket,
}

/// What a client asks, or what becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    Acquire,
    Try,
    /// A try by way of a time limit of zero.
    TryByLimit,
    Release,
    Recover,
    /// The time limit of its acquire is over.
    Cancel,
    /// It is dead.
    Gone,
}

/// What a client is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Say {
    Ok,
    OwnerDied,
    TimedOut,
    NotOwner,
    OverReleased,
}

/// A client's number.
pub(super) type Client = u64;

/// One lock.
pub(super) struct Lock {
    fault: Fault,
    holder: Option<Client>,
    waiters: VecDeque<Client>,
    /// An owner died, and nobody has vouched for the data since.
    is_suspect: bool,
    /// Releases of a free lock, where they count.
    spare_count: u32,
}

impl Lock {
    pub(super) fn new(fault: Fault) -> Self {
        let is_suspect = fault == Fault::BornSuspect;
        Self { fault, holder: None, waiters: VecDeque::new(), is_suspect, spare_count: 0 }
    }

    /// Takes one event and says who is told what.
    pub(super) fn step(&mut self, client: Client, event: Event) -> Vec<(Client, Say)> {
        match event {
            Event::Acquire => self.acquire(client),
            Event::Try => self.try_acquire(client),
            Event::TryByLimit if self.fault == Fault::ZeroNeverTakes => {
                vec![(client, Say::TimedOut)]
            }
            Event::TryByLimit => self.try_acquire(client),
            Event::Release => self.release(client),
            Event::Recover => self.recover(client),
            Event::Cancel => self.cancel(client),
            Event::Gone => self.gone(client),
        }
    }

    fn acquire(&mut self, client: Client) -> Vec<(Client, Say)> {
        if self.is_free() || self.fault == Fault::NeverBlocks {
            return vec![self.admit(client)];
        }
        self.waiters.push_back(client);
        Vec::new()
    }

    fn try_acquire(&mut self, client: Client) -> Vec<(Client, Say)> {
        if !self.is_free() {
            let is_taken = self.fault == Fault::TryAlwaysTaken;
            return vec![(client, if is_taken { Say::Ok } else { Say::TimedOut })];
        }
        let said = self.admit(client);
        if self.fault == Fault::TryTakesNothing {
            self.holder = None;
        }
        vec![said]
    }

    fn release(&mut self, client: Client) -> Vec<(Client, Say)> {
        match self.holder {
            None if self.fault == Fault::ReleaseNeverRefused => self.spare_count += 1,
            None => return vec![(client, Say::OverReleased)],
            Some(holder) if holder != client && self.fault != Fault::ReleaseByAnyone => {
                return vec![(client, Say::NotOwner)];
            }
            Some(_) => self.holder = None,
        }
        let mut said = vec![(client, Say::Ok)];
        if self.fault != Fault::LostWake {
            said.extend(self.admit_waiters(self.fault == Fault::WakeAdmitsAll));
        }
        said
    }

    fn recover(&mut self, client: Client) -> Vec<(Client, Say)> {
        if self.holder != Some(client) {
            return vec![(client, Say::NotOwner)];
        }
        self.is_suspect &= self.fault == Fault::WarningStays;
        vec![(client, Say::Ok)]
    }

    fn cancel(&mut self, client: Client) -> Vec<(Client, Say)> {
        if !self.waiters.contains(&client) {
            // It was let in meanwhile, and has been told.
            return Vec::new();
        }
        if self.fault != Fault::TimeoutLeavesTicket {
            self.waiters.retain(|waiter| *waiter != client);
        }
        vec![(client, Say::TimedOut)]
    }

    fn gone(&mut self, client: Client) -> Vec<(Client, Say)> {
        if self.waiters.contains(&client) && self.fault != Fault::WaiterDeathKeepsTicket {
            self.waiters.retain(|waiter| *waiter != client);
            self.is_suspect |= self.fault == Fault::WaiterDeathPoisons;
        }
        if self.holder != Some(client) || self.fault == Fault::IgnoresDeaths {
            return Vec::new();
        }
        self.holder = None;
        self.is_suspect |= self.fault != Fault::DeathUntold;
        if self.fault == Fault::DeathWakesNobody {
            return Vec::new();
        }
        self.admit_waiters(self.fault == Fault::DeathAdmitsAll)
    }

    fn is_free(&self) -> bool {
        self.holder.is_none() || self.spare_count > 0
    }

    fn admit_waiters(&mut self, all: bool) -> Vec<(Client, Say)> {
        let count = if all { self.waiters.len() } else { 1 };
        let first: Vec<Client> = self.waiters.drain(..count.min(self.waiters.len())).collect();
        first.into_iter().map(|waiter| self.admit(waiter)).collect()
    }

    fn admit(&mut self, client: Client) -> (Client, Say) {
        if self.holder.is_some() {
            self.spare_count = self.spare_count.saturating_sub(1);
        }
        self.holder = Some(client);
        if !self.is_suspect {
            return (client, Say::Ok);
        }
        self.is_suspect = self.fault != Fault::ForgetsTheWarning;
        if self.fault == Fault::ToldButNotHeld {
            self.holder = None;
        }
        (client, Say::OwnerDied)
    }
}

impl Event {
    pub(super) fn from_word(word: &str) -> Option<Self> {
        ALL.into_iter().find(|event| event.word() == word)
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Acquire => "acquire",
            Self::Try => "try",
            Self::TryByLimit => "try-by-limit",
            Self::Release => "release",
            Self::Recover => "recover",
            Self::Cancel => "cancel",
            Self::Gone => "gone",
        }
    }
}

/// What a client can ask; nobody says of itself that it is dead.
const ALL: [Event; 6] =
    [Event::Acquire, Event::Try, Event::TryByLimit, Event::Release, Event::Recover, Event::Cancel];

impl Say {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::OwnerDied => "owner-died",
            Self::TimedOut => "timed-out",
            Self::NotOwner => "not-owner",
            Self::OverReleased => "over-released",
        }
    }
}
