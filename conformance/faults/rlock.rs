//! A recursive lock as a state machine, and the pools of those who wait for a notify under it
//! (`condition.rs`): to wait is to let go of all levels and to come back at as many.

use std::collections::BTreeMap;
use std::time::Duration;

use super::condition::{self, Pools};
use super::fault::{Fault as Shared, Side, faults};
use super::kind::{Asked, Client, Kind, Machine, Rules, Said, Say, Wait, Waiters};
use super::process;

faults! {
    /// One release frees it, however deep its owner is.
    FirstReleaseFrees = "fault-rlock-first-release-frees",
    /// Its owner holds it twice at most.
    TwoLevels = "fault-rlock-two-levels",
    /// The greatest depth is followed by none.
    DepthWraps = "fault-rlock-depth-wraps",
    /// Everybody is told the owner's depth.
    DepthSeenByAll = "fault-rlock-depth-seen-by-all",
    /// Its owner goes no deeper while others wait.
    WaitersComeFirst = "fault-rlock-waiters-come-first",
    /// Who takes over from the dead holds it as deep.
    DepthOfTheDead = "fault-rlock-depth-of-the-dead",
    /// Who took over is told at each level.
    ToldAtEachLevel = "fault-rlock-told-at-each-level",
    /// What a thread held when it ended is any other thread's of its process.
    ThreadsInherit = "fault-rlock-threads-inherit",
    /// Its owner gets no further level without a time to wait.
    OwnerHasNoTime = "fault-rlock-owner-has-no-time",
    /// A try that is refused costs its owner a level.
    TryUndoesLevel = "fault-rlock-try-undoes-level",
}

/// The recursive lock.
pub(super) const KIND: Kind = Kind {
    name: "rlock",
    form: None,
    operations: &["acquire", "try", "release", "recover", "depth", "states_a_greatest_depth"],
    waits: &["acquire"],
    is_polled: true,
    guard: Some(("acquire", "release")),
    machine: Some(|rules, _| Ok(Box::new(RLock::new(*rules)))),
    object: Kind::plain,
};

/// One recursive lock.
pub(super) struct RLock {
    pub(super) shared: Shared,
    fault: Fault,
    pub(super) condition: condition::Fault,
    pub(super) side: Side,
    pub(super) holder: Option<Holder>,
    pub(super) waiters: Waiters,
    /// Those of them who come back from a wait for a notify.
    pub(super) returning: BTreeMap<Client, Returning>,
    pub(super) pools: Pools,
    /// An owner died, and nobody has vouched for the data since.
    pub(super) is_suspect: bool,
    is_damaged: bool,
    maker: Option<Client>,
    /// The depth of the owner that died last.
    dead_depth: u32,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Holder {
    pub(super) client: Client,
    pub(super) depth: u32,
    has_signed: bool,
    /// Its thread has ended, and its process has not.
    is_orphan: bool,
}

/// What somebody comes back to, and from where.
#[derive(Debug, Clone)]
pub(super) struct Returning {
    pub(super) pool: String,
    pub(super) depth: u32,
    pub(super) say: Say,
}

/// The greatest depth.
const DEPTH_MAX_COUNT: u32 = 100;

impl Machine for RLock {
    fn ask(&mut self, client: Client, asked: &Asked<'_>) -> Said {
        match (asked.op, asked.wait) {
            ("acquire", Wait::Not) | ("try", _) => self.try_acquire(client),
            ("acquire", wait) => self.acquire(client, wait == Wait::Timed),
            ("sign", _) => self.sign(client),
            ("release", _) => self.release(client),
            ("recover", _) => self.recover(client),
            ("depth", _) => {
                let holder = self.holder.filter(|holder| {
                    holder.client == client || self.fault == Fault::DepthSeenByAll
                });
                vec![(client, Say::Value(holder.map_or(0, |holder| holder.depth).into()))]
            }
            ("states_a_greatest_depth", _) => vec![(client, Say::Ok)],
            ("wait", wait) => self.wait(client, wait, asked.args),
            ("notify", _) => self.notify(client, asked.args),
            ("drop", _) => self.drop_handle(client),
            ("make", _) => {
                self.maker = Some(client);
                vec![(client, Say::Ok)]
            }
            _ => vec![(client, Say::UNSUPPORTED)],
        }
    }

    fn cancel(&mut self, client: Client) -> Said {
        if self.pools.contains(client) {
            return self.expire(client);
        }
        if self.returning.contains_key(&client) || !self.waiters.contains(client) {
            return Said::new(); // it is told when it has the lock, or has been told
        }
        self.waiters.remove(client);
        vec![(client, Say::TIMED_OUT)]
    }

    fn gone(&mut self, client: Client, quietly: bool) -> Said {
        if self.shared == Shared::EndsWithMaker && self.maker == Some(client) {
            self.is_damaged = true;
        }
        let mut said = self.waiter_gone(client);
        let Some(holder) = self.holder.as_mut().filter(|holder| holder.client == client) else {
            return said;
        };
        if self.fault == Fault::ThreadsInherit {
            holder.is_orphan = true;
            return said;
        }
        let is_unseen = match self.shared {
            Shared::IgnoresDeaths => true,
            Shared::TakesInTwoSteps => !holder.has_signed,
            _ => false,
        };
        if !is_unseen {
            said.extend(self.owner_died(quietly));
        }
        said
    }

    fn process_gone(&mut self, pid: i32) -> Said {
        let is_its = |holder: &Holder| holder.is_orphan && holder.client.pid == pid;
        if self.holder.as_ref().is_some_and(is_its) { self.owner_died(false) } else { Said::new() }
    }

    fn holder(&self) -> Option<Client> {
        self.holder.map(|holder| holder.client)
    }

    /// Who was stopped may go on.
    fn patience(&self) -> Option<Duration> {
        let waits = self.holder.is_none() && !self.returning.is_empty();
        waits.then_some(Duration::from_millis(5))
    }

    fn settle(&mut self) -> Said {
        self.admit_waiters(1)
    }
}

impl RLock {
    pub(super) fn new(rules: Rules) -> Self {
        Self {
            shared: rules.fault,
            fault: Fault::named(rules.name),
            condition: condition::Fault::named(rules.name),
            side: rules.side,
            holder: None,
            waiters: Waiters::new(rules.order),
            returning: BTreeMap::new(),
            pools: Pools::default(),
            is_suspect: false,
            is_damaged: false,
            maker: None,
            dead_depth: 1,
        }
    }

    pub(super) fn is_mine(&self, client: Client) -> bool {
        self.holder.is_some_and(|holder| match (self.shared, holder.is_orphan) {
            (Shared::ThreadsShareHold, _) | (_, true) => holder.client.pid == client.pid,
            _ => holder.client == client,
        })
    }

    fn acquire(&mut self, client: Client, is_timed: bool) -> Said {
        if self.is_damaged {
            return vec![(client, Say::Failed("damaged"))];
        }
        if self.is_mine(client) {
            let yields = self.fault == Fault::WaitersComeFirst && !self.waiters.is_empty();
            if !yields {
                return vec![(client, self.deepen())];
            }
        } else if self.shared == Shared::NeverBlocks {
            return vec![(client, Say::Ok)];
        }
        let sits_out = is_timed && self.shared == Shared::LimitIsSatOut;
        if self.holder.is_none() && !sits_out {
            let said = vec![self.admit(client)];
            if self.shared == Shared::AcquireTakesNothing {
                self.holder = None;
            }
            return said;
        }
        self.waiters.push(client, is_timed);
        Said::new()
    }

    fn try_acquire(&mut self, client: Client) -> Said {
        if self.is_mine(client) {
            if self.fault == Fault::OwnerHasNoTime {
                return vec![(client, Say::TIMED_OUT)];
            }
            return vec![(client, self.deepen())];
        }
        if self.is_damaged {
            return vec![(client, Say::Failed("damaged"))];
        }
        match &mut self.holder {
            None => {
                let said = self.admit(client);
                if self.shared == Shared::TryTakesNothing {
                    self.holder = None;
                }
                vec![said]
            }
            Some(_) if self.shared == Shared::TryAlwaysTaken => vec![(client, Say::Ok)],
            Some(holder) => {
                if self.fault == Fault::TryUndoesLevel && holder.depth > 1 {
                    holder.depth -= 1;
                }
                vec![(client, Say::TIMED_OUT)]
            }
        }
    }

    /// The owner goes one level deeper.
    fn deepen(&mut self) -> Say {
        let max_count = if self.fault == Fault::TwoLevels { 2 } else { DEPTH_MAX_COUNT };
        let Some(holder) = &mut self.holder else { return Say::Ok };
        if holder.depth == max_count {
            if self.fault == Fault::DepthWraps {
                self.holder = None;
            }
            return Say::Failed("out-of-range");
        }
        holder.depth += 1;
        let is_told = self.is_suspect && self.fault == Fault::ToldAtEachLevel;
        if is_told { Say::OWNER_DIED } else { Say::Ok }
    }

    fn sign(&mut self, client: Client) -> Said {
        if let Some(holder) = self.holder.as_mut().filter(|holder| holder.client == client) {
            holder.has_signed = true;
        }
        vec![(client, Say::Ok)]
    }

    fn release(&mut self, client: Client) -> Said {
        let may = self.is_mine(client)
            || match (self.shared, self.holder) {
                (Shared::ReleaseByAnyone, Some(_)) => true,
                (Shared::ReleaseByProcess, Some(holder)) => holder.client.pid == client.pid,
                _ => false,
            };
        let Some(holder) = self.holder.as_mut().filter(|_| may) else {
            let is_taken = self.shared == Shared::ReleaseNeverRefused;
            return vec![(client, if is_taken { Say::Ok } else { Say::NOT_OWNER })];
        };
        holder.depth -= 1;
        let mut said = vec![(client, Say::Ok)];
        if holder.depth == 0 || self.fault == Fault::FirstReleaseFrees {
            said.extend(self.let_go());
        }
        said
    }

    /// Nobody holds it any more, and whoever is next gets in.
    pub(super) fn let_go(&mut self) -> Said {
        self.holder = None;
        self.condition_let_go();
        let said = match self.shared {
            Shared::LostWake => Said::new(),
            Shared::WakeAdmitsAll => self.admit_waiters(usize::MAX),
            _ => self.admit_waiters(1),
        };
        if self.shared == Shared::WakeForgetsOthers {
            self.waiters.clear();
        }
        said
    }

    fn recover(&mut self, client: Client) -> Said {
        if !self.is_mine(client) && self.shared != Shared::RecoverByAnyone {
            return vec![(client, Say::NOT_OWNER)];
        }
        self.is_suspect &= self.shared == Shared::WarningStays;
        vec![(client, Say::Ok)]
    }

    fn drop_handle(&mut self, client: Client) -> Said {
        let is_held = self.holder.is_some_and(|holder| holder.client.pid == client.pid);
        if is_held && self.shared == Shared::DropHangs {
            return Said::new();
        }
        let mut said = if is_held { self.owner_died(false) } else { Said::new() };
        said.push((client, Say::Ok));
        said
    }

    fn owner_died(&mut self, quietly: bool) -> Said {
        self.dead_depth = self.holder.map_or(1, |holder| holder.depth);
        self.holder = None;
        self.is_suspect |= self.shared != Shared::DeathUntold && !quietly;
        if self.shared == Shared::DeathWakesNobody {
            return Said::new();
        }
        self.call_a_sleeper();
        self.admit_waiters(1)
    }

    pub(super) fn admit_waiters(&mut self, max_count: usize) -> Said {
        let mut said = Said::new();
        if self.holder.is_some() && max_count == 1 {
            return said;
        }
        let mut stopped = Vec::new();
        while said.len() < max_count {
            let skips = self.shared == Shared::LimitIsSatOut;
            let Some(waiter) = self.waiters.next(skips) else { break };
            if self.returning.contains_key(&waiter) && process::state(waiter.pid) == Some('T') {
                stopped.push(waiter);
                continue;
            }
            said.push(self.admit(waiter));
        }
        // Nobody waits for one that is stopped, though it was notified.
        stopped.into_iter().for_each(|waiter| self.waiters.push(waiter, false));
        said
    }

    pub(super) fn admit(&mut self, client: Client) -> (Client, Say) {
        let returning = self.returning.remove(&client);
        let mut depth = returning.as_ref().map_or(1, |returning| returning.depth);
        if self.is_suspect && self.fault == Fault::DepthOfTheDead {
            depth = self.dead_depth;
        }
        self.holder = Some(Holder { client, depth, has_signed: false, is_orphan: false });
        let say = returning.map_or(Say::Ok, |returning| returning.say);
        if !self.is_suspect || self.hides_death(&say) {
            return (client, say);
        }
        self.is_suspect = self.shared != Shared::ForgetsTheWarning;
        (client, Say::OWNER_DIED)
    }
}
