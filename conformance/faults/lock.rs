//! A lock as a state machine.

use std::collections::VecDeque;

use super::fault::{Fault, Side};

/// Who asks: a thread, by the number of its connection, and the process that it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Client {
    pub(super) number: u64,
    pub(super) pid: i32,
}

/// What a client asks, or what becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    Acquire,
    /// With a time limit, which the client watches.
    AcquireTimed,
    Try,
    /// A try by way of a time limit of zero.
    TryByLimit,
    /// The second step of a client that takes in two.
    Sign,
    Release,
    ForceRelease,
    Recover,
    State,
    Damage,
    /// Its process has let go of its last handle.
    DropHandle,
    /// It makes the lock.
    Make,
    /// The time limit of its acquire is over.
    Cancel,
    /// It will not wait any longer, and takes it.
    Grab,
    /// It is dead.
    Gone,
    /// It is dead, and what it held counts as released.
    GoneQuietly,
}

/// What a client is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Say {
    Ok,
    OwnerDied,
    TimedOut,
    NotOwner,
    OverReleased,
    WouldDeadlock,
    Damaged,
    OutOfResources,
    InvalidArgument,
    Free,
    HeldByMe,
    HeldByOther,
    /// It was woken, and somebody else was faster.
    Lost,
}

/// Who is told what.
pub(super) type Said = Vec<(Client, Say)>;

/// One lock.
pub(super) struct Lock {
    fault: Fault,
    side: Side,
    order: Order,
    holder: Option<Holder>,
    waiters: VecDeque<Waiter>,
    /// An owner died, and nobody has vouched for the data since.
    is_suspect: bool,
    is_damaged: bool,
    /// Who made it, where that matters.
    maker: Option<Client>,
    /// Who held it last and lost it to somebody else.
    former: Option<Client>,
    /// Releases of a free lock, where they count.
    spare_count: u32,
    acquired_count: u32,
    death_count: u32,
    /// Waiters that gave up during this hold.
    cancel_count: u32,
}

/// Who is let in first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Order {
    /// Who came first.
    #[default]
    First,
    /// Who came last.
    Last,
    /// Whoever asks next; a waiter is woken, and may be too late.
    Newcomer,
}

#[derive(Debug, Clone, Copy)]
struct Holder {
    client: Client,
    /// It had to wait, and has asked for nothing since.
    is_just_woken: bool,
    /// It is known as the holder.
    has_signed: bool,
}

#[derive(Debug, Clone, Copy)]
struct Waiter {
    client: Client,
    is_timed: bool,
}

impl Lock {
    pub(super) fn new(fault: Fault, side: Side, order: Order) -> Self {
        Self {
            fault,
            side,
            order,
            holder: None,
            waiters: VecDeque::new(),
            is_suspect: fault == Fault::BornSuspect,
            is_damaged: false,
            maker: None,
            former: None,
            spare_count: 0,
            acquired_count: 0,
            death_count: 0,
            cancel_count: 0,
        }
    }

    pub(super) fn holder(&self) -> Option<Client> {
        self.holder.map(|holder| holder.client)
    }

    /// Takes one event and says who is told what.
    pub(super) fn step(&mut self, client: Client, event: Event) -> Said {
        if let Some(holder) = self.holder.as_mut().filter(|holder| holder.client == client) {
            holder.is_just_woken &= matches!(event, Event::Gone | Event::GoneQuietly);
        }
        match event {
            Event::Acquire => self.acquire(client, false),
            Event::AcquireTimed => self.acquire(client, true),
            Event::Try => self.try_acquire(client),
            Event::TryByLimit if self.fault == Fault::ZeroNeverTakes => {
                vec![(client, Say::TimedOut)]
            }
            Event::TryByLimit => self.try_acquire(client),
            Event::Sign => self.sign(client),
            Event::Release => self.release(client),
            Event::ForceRelease => self.force_release(client),
            Event::Recover => self.recover(client),
            Event::State => vec![(client, self.state(client))],
            Event::Damage => {
                self.is_damaged = self.fault != Fault::DamageUnseen;
                vec![(client, Say::Ok)]
            }
            Event::DropHandle => self.drop_handle(client),
            Event::Make => {
                self.maker = Some(client);
                vec![(client, Say::Ok)]
            }
            Event::Cancel => self.cancel(client),
            Event::Grab => {
                self.waiters.retain(|waiter| waiter.client != client);
                vec![(client, Say::Ok)]
            }
            Event::Gone => self.gone(client, false),
            Event::GoneQuietly => self.gone(client, true),
        }
    }

    /// Lets waiters in where newcomers have had their chance.
    pub(super) fn settle(&mut self) -> Said {
        if self.is_free() { self.admit_waiters(1) } else { Said::new() }
    }

    /// Whether somebody waits for a lock that is free.
    pub(super) fn is_unsettled(&self) -> bool {
        self.order == Order::Newcomer && self.is_free() && !self.waiters.is_empty()
    }

    fn acquire(&mut self, client: Client, is_timed: bool) -> Said {
        if let Some(said) = self.refused() {
            return vec![(client, said)];
        }
        if self.lets_in(client) && !(is_timed && self.never_lets_timed_in()) {
            let mut said = vec![self.admit(client)];
            if self.fault == Fault::AcquireTakesNothing {
                self.holder = None;
            }
            let overtaken = self.waiters.iter().filter(|waiter| waiter.is_timed);
            said.extend(overtaken.map(|waiter| (waiter.client, Say::Lost)));
            return said;
        }
        if self.side == Side::Checked
            && self.holder() == Some(client)
            && self.fault != Fault::SelfDeadlockWaits
        {
            if self.fault == Fault::SelfDeadlockReleases {
                self.holder = None;
            }
            return vec![(client, Say::WouldDeadlock)];
        }
        self.waiters.push_back(Waiter { client, is_timed });
        Said::new()
    }

    /// What nobody who asks for it gets.
    fn refused(&self) -> Option<Say> {
        if self.is_damaged {
            return Some(Say::Damaged);
        }
        let is_worn = self.fault == Fault::WearsOut && self.acquired_count >= ACQUIRED_MAX_COUNT;
        is_worn.then_some(Say::OutOfResources)
    }

    /// Who has a time limit waits in any case.
    const fn never_lets_timed_in(&self) -> bool {
        matches!(self.fault, Fault::LimitIsSatOut | Fault::LimitRestarts | Fault::LoserGivesUp)
    }

    fn lets_in(&self, client: Client) -> bool {
        let Some(holder) = self.holder else { return true };
        match self.fault {
            Fault::NeverBlocks => true,
            Fault::Recursive => holder.client == client,
            Fault::ThreadsShareHold => holder.client.pid == client.pid,
            _ => self.is_free(),
        }
    }

    fn try_acquire(&mut self, client: Client) -> Said {
        if self.fault == Fault::TryWaits {
            return self.acquire(client, false);
        }
        if let Some(said) = self.refused() {
            return vec![(client, said)];
        }
        let shares = self.fault == Fault::ThreadsShareHold && self.lets_in(client);
        if !self.is_free() && !shares {
            let is_taken = self.fault == Fault::TryAlwaysTaken;
            return vec![(client, if is_taken { Say::Ok } else { Say::TimedOut })];
        }
        if self.is_suspect && self.fault == Fault::TryRefusedAfterDeath {
            return vec![(client, Say::TimedOut)];
        }
        let said = self.admit(client);
        if self.fault == Fault::TryTakesNothing {
            self.holder = None;
        }
        vec![said]
    }

    fn sign(&mut self, client: Client) -> Said {
        if let Some(holder) = self.holder.as_mut().filter(|holder| holder.client == client) {
            holder.has_signed = true;
        }
        vec![(client, Say::Ok)]
    }

    fn release(&mut self, client: Client) -> Said {
        match self.holder {
            None => return vec![(client, self.release_of_free(client))],
            Some(holder) if !self.may_release(client, holder.client) => {
                return vec![(client, Say::NotOwner)];
            }
            Some(_) => self.free(),
        }
        let mut said = vec![(client, Say::Ok)];
        said.extend(match (self.fault, self.order) {
            (Fault::LostWake, _) | (_, Order::Newcomer) => Said::new(),
            (Fault::WakeAdmitsAll, _) => self.admit_waiters(usize::MAX),
            _ => self.admit_waiters(1),
        });
        if self.fault == Fault::WakeForgetsOthers {
            self.waiters.clear();
        }
        said
    }

    fn release_of_free(&mut self, client: Client) -> Say {
        match self.fault {
            Fault::ReleaseCounts => {
                self.spare_count += 1;
                Say::Ok
            }
            Fault::ReleaseNeverRefused => Say::Ok,
            _ if self.former == Some(client) => Say::NotOwner,
            _ => Say::OverReleased,
        }
    }

    fn may_release(&self, client: Client, holder: Client) -> bool {
        let is_own = client == holder;
        match (self.fault, self.side) {
            (Fault::TakerMustRelease, _) => is_own,
            (Fault::ReleaseByAnyone, _) | (_, Side::ByAnyone) => true,
            (Fault::ReleaseByProcess, _) => client.pid == holder.pid,
            (Fault::ForcedHolderStays, _) => is_own || self.former == Some(client),
            _ => is_own,
        }
    }

    fn force_release(&mut self, client: Client) -> Said {
        let Some(holder) = self.holder() else { return vec![(client, Say::OverReleased)] };
        self.former = Some(holder);
        self.free();
        self.is_suspect |= self.fault != Fault::ForcedUntold;
        let mut said = vec![(client, Say::Ok)];
        said.extend(self.admit_waiters(1));
        said
    }

    fn recover(&mut self, client: Client) -> Said {
        if self.holder() != Some(client) && self.fault != Fault::RecoverByAnyone {
            return vec![(client, Say::NotOwner)];
        }
        if !self.is_suspect && self.fault == Fault::RecoverOfSoundRefused {
            return vec![(client, Say::InvalidArgument)];
        }
        self.is_suspect &= self.fault == Fault::WarningStays;
        vec![(client, Say::Ok)]
    }

    fn state(&self, client: Client) -> Say {
        match self.holder() {
            None => Say::Free,
            Some(holder) if holder == client && self.fault != Fault::StateKnowsNoHolder => {
                Say::HeldByMe
            }
            Some(_) => Say::HeldByOther,
        }
    }

    fn drop_handle(&mut self, client: Client) -> Said {
        let mut said = Said::new();
        let is_held_there = self.holder().is_some_and(|holder| holder.pid == client.pid);
        if is_held_there && self.fault == Fault::DropHangs {
            return said;
        }
        if is_held_there && self.fault != Fault::DropKeeps {
            self.free();
            self.is_suspect = true;
            said = self.admit_waiters(1);
        }
        said.push((client, Say::Ok));
        said
    }

    fn cancel(&mut self, client: Client) -> Said {
        if !self.waiters.iter().any(|waiter| waiter.client == client) {
            // It was let in meanwhile, and has been told.
            return Said::new();
        }
        if self.fault != Fault::TimeoutLeavesTicket {
            self.waiters.retain(|waiter| waiter.client != client);
        }
        if self.fault == Fault::LimitIsSatOut && self.is_free() {
            return vec![self.admit(client)];
        }
        self.cancel_count += 1;
        let mut said = vec![(client, Say::TimedOut)];
        if self.fault == Fault::PatienceEnds && self.cancel_count >= CANCEL_MAX_COUNT {
            self.free();
            said.extend(self.admit_waiters(1));
        }
        said
    }

    fn gone(&mut self, client: Client, quietly: bool) -> Said {
        let is_waiter = self.waiters.iter().any(|waiter| waiter.client == client);
        if is_waiter && self.fault != Fault::WaiterDeathKeepsTicket {
            self.waiters.retain(|waiter| waiter.client != client);
            self.is_suspect |= self.fault == Fault::WaiterDeathPoisons;
        }
        if self.fault == Fault::EndsWithMaker && self.maker == Some(client) {
            self.is_damaged = true;
        }
        let was_its = self.fault == Fault::FormerTakerCounts && self.former == Some(client);
        let Some(holder) = self.holder.filter(|holder| holder.client == client || was_its) else {
            return Said::new();
        };
        self.death_count += 1;
        let is_unseen = match self.fault {
            Fault::IgnoresDeaths => true,
            Fault::TenthDeathUnseen => self.death_count == DEATH_UNSEEN_COUNT,
            Fault::WokenDeathUnseen => holder.is_just_woken,
            Fault::TakesInTwoSteps => !holder.has_signed,
            _ => false,
        };
        if is_unseen {
            return Said::new();
        }
        self.free();
        self.is_suspect |= self.fault != Fault::DeathUntold && !quietly;
        let said = match self.fault {
            Fault::DeathWakesNobody => Said::new(),
            Fault::DeathAdmitsAll => self.admit_waiters(usize::MAX),
            _ => self.admit_waiters(1),
        };
        if self.fault == Fault::DeathForgetsOthers {
            self.waiters.clear();
        }
        said
    }

    fn is_free(&self) -> bool {
        self.holder.is_none() || self.spare_count > 0
    }

    /// Nobody holds it any more.
    fn free(&mut self) {
        if self.side == Side::ByAnyone {
            self.former = self.holder();
        }
        self.holder = None;
        self.cancel_count = 0;
    }

    fn admit_waiters(&mut self, max_count: usize) -> Said {
        let mut said = Said::new();
        while said.len() < max_count {
            let Some(waiter) = self.next_waiter() else { break };
            said.push(self.admit(waiter));
            if let Some(holder) = &mut self.holder {
                holder.is_just_woken = true;
            }
        }
        said
    }

    fn next_waiter(&mut self) -> Option<Client> {
        let skips = match self.fault {
            Fault::TimedNotWoken => !self.is_suspect,
            Fault::DeathWakesNoTimed => self.is_suspect,
            Fault::LimitIsSatOut => true,
            _ => false,
        };
        let can = |waiter: &Waiter| !(skips && waiter.is_timed);
        let place = match self.order {
            Order::First | Order::Newcomer => self.waiters.iter().position(can),
            Order::Last => self.waiters.iter().rposition(can),
        }?;
        self.waiters.remove(place).map(|waiter| waiter.client)
    }

    fn admit(&mut self, client: Client) -> (Client, Say) {
        if self.holder.is_some() {
            self.spare_count = self.spare_count.saturating_sub(1);
        }
        self.acquired_count += 1;
        self.holder = Some(Holder { client, is_just_woken: false, has_signed: false });
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

/// After so many acquires one that wears out is worn.
const ACQUIRED_MAX_COUNT: u32 = 500;

/// After so many waiters have given up, one whose patience ends takes the lock away.
const CANCEL_MAX_COUNT: u32 = 3;

/// The death that is not seen, where one is not.
const DEATH_UNSEEN_COUNT: u32 = 10;

/// What clients and the server write, a line each.
macro_rules! words {
    ($kind:ident { $($variant:ident = $word:literal,)+ }) => {
        impl $kind {
            pub(super) const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

impl Event {
    /// What a client can ask; nobody says of itself that it is dead.
    pub(super) fn from_word(word: &str) -> Option<Self> {
        ASKED.into_iter().find(|event| event.word() == word)
    }
}

const ASKED: [Event; 14] = [
    Event::Acquire,
    Event::AcquireTimed,
    Event::Try,
    Event::TryByLimit,
    Event::Sign,
    Event::Release,
    Event::ForceRelease,
    Event::Recover,
    Event::State,
    Event::Damage,
    Event::DropHandle,
    Event::Make,
    Event::Cancel,
    Event::Grab,
];

words!(Event {
    Acquire = "acquire",
    AcquireTimed = "acquire-timed",
    Try = "try",
    TryByLimit = "try-by-limit",
    Sign = "sign",
    Release = "release",
    ForceRelease = "force-release",
    Recover = "recover",
    State = "state",
    Damage = "damage",
    DropHandle = "drop",
    Make = "make",
    Cancel = "cancel",
    Grab = "grab",
    Gone = "gone",
    GoneQuietly = "gone-quietly",
});

words!(Say {
    Ok = "ok",
    OwnerDied = "owner-died",
    TimedOut = "timed-out",
    NotOwner = "not-owner",
    OverReleased = "over-released",
    WouldDeadlock = "would-deadlock",
    Damaged = "damaged",
    OutOfResources = "out-of-resources",
    InvalidArgument = "invalid-argument",
    Free = "free",
    HeldByMe = "held-by-me",
    HeldByOther = "held-by-other",
    Lost = "lost",
});
