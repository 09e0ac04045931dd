//! A lock as a state machine.

use std::time::Duration;

use super::fault::{Fault, Side};
use super::kind::{Asked, Client, Kind, Machine, Order, Rules, Said, Say, Wait, Waiters};

/// The lock, and all that its side of the contracts offers.
pub(super) const KIND: Kind = Kind {
    name: "lock",
    form: None,
    operations: &["acquire", "try", "release", "recover", "state", "damage", "force_release"],
    waits: &["acquire"],
    is_polled: true,
    guard: Some(("acquire", "release")),
    machine: Some(|rules, _| Ok(Box::new(Lock::new(*rules)))),
    object: Kind::plain,
};

/// One lock.
struct Lock {
    fault: Fault,
    side: Side,
    order: Order,
    holder: Option<Holder>,
    waiters: Waiters,
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

#[derive(Debug, Clone, Copy)]
struct Holder {
    client: Client,
    /// It had to wait, and has asked for nothing since.
    is_just_woken: bool,
    /// It is known as the holder.
    has_signed: bool,
}

impl Machine for Lock {
    fn ask(&mut self, client: Client, asked: &Asked<'_>) -> Said {
        if let Some(holder) = self.holder.as_mut().filter(|holder| holder.client == client) {
            holder.is_just_woken = false;
        }
        match (asked.op, asked.wait) {
            ("acquire", Wait::Not) if self.fault == Fault::ZeroNeverTakes => {
                vec![(client, Say::TIMED_OUT)]
            }
            ("acquire", Wait::Not) | ("try", _) => self.try_acquire(client),
            ("acquire", wait) => self.acquire(client, wait == Wait::Timed),
            ("sign", _) => self.sign(client),
            ("release", _) => self.release(client),
            ("force_release", _) => self.force_release(client),
            ("recover", _) => self.recover(client),
            ("state", _) => vec![(client, Say::Value(self.state(client).into()))],
            ("damage", _) => {
                self.is_damaged = self.fault != Fault::DamageUnseen;
                vec![(client, Say::Ok)]
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
        if self.fault != Fault::TimeoutLeavesTicket {
            self.waiters.remove(client);
        }
        if self.fault == Fault::LimitIsSatOut && self.is_free() {
            return vec![self.admit(client)];
        }
        self.cancel_count += 1;
        let mut said = vec![(client, Say::TIMED_OUT)];
        if self.fault == Fault::PatienceEnds && self.cancel_count >= CANCEL_MAX_COUNT {
            self.free();
            said.extend(self.admit_waiters(1));
        }
        said
    }

    fn gone(&mut self, client: Client, quietly: bool) -> Said {
        if self.waiters.contains(client) && self.fault != Fault::WaiterDeathKeepsTicket {
            self.waiters.remove(client);
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

    fn holder(&self) -> Option<Client> {
        self.holder.map(|holder| holder.client)
    }

    fn settle(&mut self) -> Said {
        if self.is_free() { self.admit_waiters(1) } else { Said::new() }
    }

    fn patience(&self) -> Option<Duration> {
        let waits = self.order == Order::Newcomer && self.is_free() && !self.waiters.is_empty();
        waits.then(|| self.fault.grace())
    }
}

impl Lock {
    fn new(Rules { fault, side, order, .. }: Rules) -> Self {
        Self {
            fault,
            side,
            order,
            holder: None,
            waiters: Waiters::new(order),
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

    fn acquire(&mut self, client: Client, is_timed: bool) -> Said {
        if let Some(said) = self.refused() {
            return vec![(client, said)];
        }
        if self.lets_in(client) && !(is_timed && self.never_lets_timed_in()) {
            let mut said = vec![self.admit(client)];
            if self.fault == Fault::AcquireTakesNothing {
                self.holder = None;
            }
            said.extend(self.waiters.timed().map(|client| (client, Say::Lost)));
            return said;
        }
        if self.side == Side::Checked
            && self.holder() == Some(client)
            && self.fault != Fault::SelfDeadlockWaits
        {
            if self.fault == Fault::SelfDeadlockReleases {
                self.holder = None;
            }
            return vec![(client, Say::Failed("would-deadlock"))];
        }
        self.waiters.push(client, is_timed);
        Said::new()
    }

    /// What nobody who asks for it gets.
    fn refused(&self) -> Option<Say> {
        if self.is_damaged {
            return Some(Say::Failed("damaged"));
        }
        let is_worn = self.fault == Fault::WearsOut && self.acquired_count >= ACQUIRED_MAX_COUNT;
        is_worn.then_some(Say::OUT_OF_RESOURCES)
    }

    /// Who has a time limit waits in any case.
    const fn never_lets_timed_in(&self) -> bool {
        matches!(self.fault, Fault::LimitIsSatOut | Fault::LimitRestarts | Fault::LoserGivesUp)
    }

    fn lets_in(&self, client: Client) -> bool {
        let Some(holder) = self.holder else { return true };
        match self.fault {
            Fault::NeverBlocks => true,
            Fault::Recursive | Fault::SecondAcquireTakes => holder.client == client,
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
            return vec![(client, if is_taken { Say::Ok } else { Say::TIMED_OUT })];
        }
        if self.is_suspect && self.fault == Fault::TryRefusedAfterDeath {
            return vec![(client, Say::TIMED_OUT)];
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
                return vec![(client, Say::NOT_OWNER)];
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
            _ if self.former == Some(client) => Say::NOT_OWNER,
            _ => Say::OVER_RELEASED,
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
        let Some(holder) = self.holder() else { return vec![(client, Say::OVER_RELEASED)] };
        self.former = Some(holder);
        self.free();
        self.is_suspect |= self.fault != Fault::ForcedUntold;
        let mut said = vec![(client, Say::Ok)];
        said.extend(self.admit_waiters(1));
        said
    }

    fn recover(&mut self, client: Client) -> Said {
        if self.holder() != Some(client) && self.fault != Fault::RecoverByAnyone {
            return vec![(client, Say::NOT_OWNER)];
        }
        if !self.is_suspect && self.fault == Fault::RecoverOfSoundRefused {
            return vec![(client, Say::INVALID_ARGUMENT)];
        }
        self.is_suspect &= self.fault == Fault::WarningStays;
        vec![(client, Say::Ok)]
    }

    fn state(&self, client: Client) -> &'static str {
        match self.holder() {
            None => "free",
            Some(holder) if holder == client && self.fault != Fault::StateKnowsNoHolder => {
                "held-by-me"
            }
            Some(_) => "held-by-other",
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
        self.waiters.next(match self.fault {
            Fault::TimedNotWoken => !self.is_suspect,
            Fault::DeathWakesNoTimed => self.is_suspect,
            Fault::LimitIsSatOut => true,
            _ => false,
        })
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
        (client, Say::OWNER_DIED)
    }
}

/// After so many acquires one that wears out is worn.
const ACQUIRED_MAX_COUNT: u32 = 500;

/// After so many waiters have given up, one whose patience ends takes the lock away.
const CANCEL_MAX_COUNT: u32 = 3;

/// The death that is not seen, where one is not.
const DEATH_UNSEEN_COUNT: u32 = 10;
