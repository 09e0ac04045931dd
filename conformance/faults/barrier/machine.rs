//! The barrier's rounds as a state machine: who has come, who runs the action, who leaves.

use std::time::Duration;

use purlin_conformance::serve::{Arguments, Refusal};
use serde_json::Value;

use super::super::fault::Fault as Shared;
use super::super::kind::{Asked, Client, Machine, Rules, Said, Say, Wait};
use super::super::process;
use super::{ACT, ACTED, FAILED, Fault};

/// How late somebody looks again who leaves.
const LOOK: Duration = Duration::from_millis(10);

/// How late somebody leaves, where a death can hit it.
const LEAVE: Duration = Duration::from_millis(100);

const BROKEN: Say = Say::Failed("barrier-broken");

struct Barrier {
    fault: Fault,
    shared: Shared,
    parties: usize,
    has_action: bool,
    is_broken: bool,
    /// Those of the next round to be complete, in the order of their coming.
    came: Vec<Party>,
    acting: Option<Acting>,
    /// Those who run the action.
    runners: Vec<Client>,
    leaving: Vec<Leaver>,
    round: Round,
    enrolled: Vec<Client>,
    /// Who made it, where that matters.
    maker: Option<Client>,
    /// Nobody finds it any more.
    is_gone: bool,
    /// Nobody gets an answer any more.
    is_stuck: bool,
    /// How many have died in a wait.
    dead_count: usize,
    /// Processes with an abort or a reset of their own, where that matters.
    callers: Vec<i32>,
}

/// One that has come.
#[derive(Clone, Copy)]
struct Party {
    client: Client,
    is_timed: bool,
    /// It is dead or has given up, and counts all the same.
    is_ghost: bool,
}

/// A round that is complete, while its action runs.
struct Acting {
    runner: Client,
    parties: Vec<Party>,
    /// Those whose limit has passed meanwhile and does not.
    held: Vec<Client>,
}

/// One that a round lets go, and that is not told yet.
struct Leaver {
    client: Client,
    say: Say,
}

/// What is known of the rounds behind.
#[derive(Default)]
struct Round {
    count: usize,
    /// Those of the last one.
    last: Vec<Client>,
    /// It is open for one more.
    is_open: bool,
}

pub(super) fn made(rules: &Rules, args: &Arguments) -> Result<Box<dyn Machine>, Refusal> {
    let fault = Fault::named(rules.name);
    let parties = match (args.get("parties").and_then(Value::as_i64), fault) {
        (Some(0), Fault::NoneIsOne) => 1,
        (Some(parties @ ..0), Fault::SignIsDropped) => -parties,
        (Some(parties @ 1..), _) => parties,
        _ => return Err(Refusal::new("invalid-argument", "nobody to meet")),
    };
    let parties = usize::try_from(parties).unwrap_or(usize::MAX);
    Ok(Box::new(Barrier {
        fault,
        shared: rules.fault,
        parties,
        has_action: args.contains_key("action") && fault != Fault::ActionNever,
        is_broken: false,
        came: Vec::new(),
        acting: None,
        runners: Vec::new(),
        leaving: Vec::new(),
        round: Round::default(),
        enrolled: Vec::new(),
        maker: None,
        is_gone: false,
        is_stuck: false,
        dead_count: 0,
        callers: Vec::new(),
    }))
}

impl Machine for Barrier {
    fn ask(&mut self, client: Client, asked: &Asked<'_>) -> Said {
        if self.is_stuck && asked.op != "drop" {
            return Said::new();
        }
        if self.is_gone {
            return vec![(client, Say::Failed("damaged"))];
        }
        match asked.op {
            "wait" => self.wait(client, asked.wait),
            ACTED | FAILED => {
                self.runners.retain(|runner| *runner != client);
                if asked.op == ACTED { self.acted(client) } else { self.failed(client) }
            }
            "abort" | "reset" if self.fault == Fault::DeadMustLeave && self.dead_count > 0 => {
                Said::new()
            }
            "abort" => self.abort(client),
            "reset" => self.reset(client),
            "parties" => vec![(client, Say::Value(self.parties.into()))],
            "waiting" => vec![(client, Say::Value(self.waiting().into()))],
            "is_broken" => {
                let is_broken = self.is_broken && self.fault != Fault::BrokenUnsaid;
                vec![(client, Say::Value(is_broken.into()))]
            }
            "enroll" => {
                self.enrolled.push(client);
                vec![(client, Say::Ok)]
            }
            "make" => {
                self.maker = Some(client);
                vec![(client, Say::Ok)]
            }
            "drop" | "sign" => vec![(client, Say::Ok)],
            _ => vec![(client, Say::UNSUPPORTED)],
        }
    }

    fn cancel(&mut self, client: Client) -> Said {
        if let Some(at) = self.leaving.iter().position(|leaver| leaver.client == client) {
            let leaver = self.leaving.remove(at);
            return vec![(client, leaver.say)];
        }
        if let Some(acting) = &mut self.acting {
            if self.fault == Fault::ActionHoldsLimits {
                acting.held.push(client);
                return Said::new();
            }
            if acting.parties.iter().any(|party| party.client == client) {
                return self.cut_acting();
            }
        }
        self.expire(client)
    }

    fn gone(&mut self, client: Client, _: bool) -> Said {
        self.is_gone |= self.shared == Shared::EndsWithMaker && self.maker == Some(client);
        self.is_stuck |= self.callers.contains(&client.pid) && self.fault == Fault::DeadCallerHolds;
        self.leaving.retain(|leaver| leaver.client != client);
        if self.round.last.contains(&client) && self.fault == Fault::DeathHitsLeavers {
            return self.hit_leavers();
        }
        if self.acting.as_ref().is_some_and(|acting| acting.runner == client) {
            return self.runner_gone();
        }
        let was_acting = self.acting.as_mut().and_then(|acting| {
            let at = acting.parties.iter().position(|party| party.client == client)?;
            Some(acting.parties.remove(at))
        });
        if was_acting.is_some() {
            return self.cut_acting();
        }
        let is_known = self.enrolled.contains(&client) && self.fault != Fault::EnrolmentForgotten;
        if self.came.iter().any(|party| party.client == client && !party.is_ghost) {
            return self.waiter_gone(client);
        }
        if is_known || self.fault == Fault::AnyDeathBreaks {
            self.is_broken = true;
            return self.free();
        }
        Said::new()
    }

    fn patience(&self) -> Option<Duration> {
        if self.fault == Fault::ChildIsParty && !self.came.is_empty() {
            return Some(LOOK);
        }
        let is_slow = self.fault == Fault::DeathHitsLeavers;
        (!self.leaving.is_empty()).then_some(if is_slow { LEAVE } else { LOOK })
    }

    fn settle(&mut self) -> Said {
        if self.fault == Fault::ChildIsParty {
            return self.complete(self.children_count());
        }
        self.leaving.drain(..).map(|leaver| (leaver.client, leaver.say)).collect()
    }
}

impl Barrier {
    fn waiting(&self) -> usize {
        let dead = if self.fault == Fault::DeadWait { self.dead_count } else { 0 };
        match self.fault {
            Fault::NobodyWaits => 0,
            Fault::WaitingStays if self.came.is_empty() => self.round.last.len(),
            _ => self.came.len() + self.children_count() + dead,
        }
    }

    fn wait(&mut self, client: Client, wait: Wait) -> Said {
        if self.runners.contains(&client) && self.fault != Fault::ActionMayWait {
            return vec![(client, Say::Failed("would-deadlock"))];
        }
        if self.is_broken {
            let sits = wait == Wait::Timed && self.fault == Fault::BrokenIsSatOut;
            return if sits { Said::new() } else { vec![(client, BROKEN)] };
        }
        if std::mem::take(&mut self.round.is_open) || self.is_open_for_stopped() {
            return vec![(client, Say::Value(0.into()))];
        }
        let is_timed = wait == Wait::Timed;
        self.came.push(Party { client, is_timed, is_ghost: false });
        let said = self.complete(0);
        let has_passed = !self.came.iter().any(|party| party.client == client);
        if wait == Wait::Not && !has_passed { self.expire(client) } else { said }
    }

    fn is_open_for_stopped(&self) -> bool {
        self.fault == Fault::StaysOpenForStopped
            && self.round.last.iter().any(|last| process::state(last.pid) == Some('T'))
    }

    /// How many have come, as it counts them.
    fn come_count(&self) -> usize {
        let mut processes: Vec<i32> = self.came.iter().map(|party| party.client.pid).collect();
        match self.fault {
            Fault::ProcessIsParty => {
                processes.sort_unstable();
                processes.dedup();
                processes.len()
            }
            Fault::StoppedIsAway => {
                processes.iter().filter(|pid| process::state(**pid) != Some('T')).count()
            }
            _ => self.came.len(),
        }
    }

    fn children_count(&self) -> usize {
        if self.fault != Fault::ChildIsParty {
            return 0;
        }
        self.came.iter().map(|party| process::children_count(party.client.pid)).sum()
    }

    /// How many a round takes.
    fn needed_count(&self) -> usize {
        let is_tenth = (self.round.count + 1).is_multiple_of(10);
        match self.fault {
            Fault::OneMayMiss => self.parties.saturating_sub(1).max(1),
            Fault::TenthIsEarly if is_tenth => self.parties.saturating_sub(1).max(1),
            Fault::OneIsTwo if self.parties == 1 => 2,
            _ => self.parties,
        }
    }

    /// Lets a round begin to leave if it has all that it needs, and no other has its action run.
    fn complete(&mut self, children: usize) -> Said {
        let needed = self.needed_count();
        if self.acting.is_some() || self.come_count() + children < needed {
            return Said::new();
        }
        let parties: Vec<Party> = self.came.drain(..needed.min(self.came.len())).collect();
        let Some(last) = parties.last().map(|last| last.client) else { return Said::new() };
        match self.fault {
            _ if !self.has_action => self.leave(&parties, None),
            Fault::ActionByEach => {
                self.round.last = clients(&parties);
                parties.iter().map(|party| self.runs(party.client)).collect()
            }
            Fault::ActionIsLate => {
                let mut said = self.leave(&parties, Some(last));
                said.push(self.runs(last));
                said
            }
            _ => {
                self.acting = Some(Acting { runner: last, parties, held: Vec::new() });
                vec![self.runs(last)]
            }
        }
    }

    /// This one is to run the action.
    fn runs(&mut self, client: Client) -> (Client, Say) {
        self.runners.push(client);
        (client, Say::Value(ACT.into()))
    }

    /// All but one are told their numbers.
    fn leave(&mut self, parties: &[Party], but: Option<Client>) -> Said {
        self.round.count += 1;
        self.round.last = clients(parties);
        self.round.is_open = self.fault == Fault::NextPassesToo;
        let last = parties.last().map(|last| last.client);
        let is_late = |client| match self.fault {
            Fault::ResetHitsLeavers | Fault::AbortHitsLeavers | Fault::DeathHitsLeavers => {
                Some(client) != last
            }
            _ => false,
        };
        let forgets = self.fault == Fault::HundredthForgetsOne;
        let is_hundredth = forgets && self.round.count.is_multiple_of(100);
        let mut said = Said::new();
        for (number, party) in parties.iter().enumerate() {
            let client = party.client;
            let is_last = Some(client) == last;
            let is_dulled = match self.shared {
                Shared::LostWake => !is_last,
                Shared::TimedNotWoken => !is_last && party.is_timed,
                _ => false,
            };
            if party.is_ghost || Some(client) == but || is_dulled || (is_hundredth && number == 0) {
                continue;
            }
            let say = Say::Value(self.number(number).into());
            if is_late(client) {
                self.leaving.push(Leaver { client, say });
            } else {
                said.push((client, say));
            }
        }
        let is_stopped = |(woken, _): &(Client, Say)| process::state(woken.pid) == Some('T');
        if self.shared == Shared::WakeWaitsForWoken && said.iter().any(is_stopped) {
            said.retain(|(woken, _)| Some(*woken) != last);
        }
        said
    }

    fn number(&self, number: usize) -> usize {
        match self.fault {
            Fault::NumberTwice => number.saturating_sub(1),
            Fault::NumbersFromOne => number + 1,
            Fault::NumbersRunOn => number + (self.round.count - 1) * self.parties,
            _ => number,
        }
    }

    /// Who ran the action says that it has ended.
    fn acted(&mut self, client: Client) -> Said {
        if matches!(self.fault, Fault::ActionByEach | Fault::ActionIsLate) {
            let number = self.round.last.iter().position(|last| *last == client);
            return vec![(client, Say::Value(number.into()))];
        }
        let Some(acting) = self.acting.take_if(|acting| acting.runner == client) else {
            return vec![(client, BROKEN)];
        };
        let mut said = self.leave(&acting.parties, None);
        for held in acting.held {
            said.extend(self.expire(held));
        }
        said.extend(self.complete(0));
        said
    }

    /// Who ran the action says that it has failed.
    fn failed(&mut self, client: Client) -> Said {
        let mut said = vec![(client, Say::Ok)];
        let Some(acting) = self.acting.take_if(|acting| acting.runner == client) else {
            return said;
        };
        if self.fault == Fault::FailureUnseen {
            said.extend(self.leave(&acting.parties, Some(client)));
            return said;
        }
        self.is_broken = self.fault != Fault::FailureBreaksOnce;
        self.came.splice(0..0, acting.parties.into_iter().filter(|party| party.client != client));
        said.extend(self.free());
        said
    }

    /// A round whose action runs is broken; who runs it is told when that has ended.
    fn cut_acting(&mut self) -> Said {
        if let Some(acting) = self.acting.take() {
            let others = acting.parties.into_iter().filter(|party| party.client != acting.runner);
            self.came.splice(0..0, others);
        }
        self.is_broken = true;
        self.free()
    }

    fn runner_gone(&mut self) -> Said {
        self.dead_count += 1;
        match self.fault {
            Fault::RunnerDeathUntold => {
                self.acting = None;
                self.is_broken = true;
                Said::new()
            }
            Fault::ActionRunsAgain => {
                let Some(acting) = &mut self.acting else { return Said::new() };
                acting.parties.pop();
                let next = acting.parties.last().map(|next| next.client);
                acting.runner = next.unwrap_or(acting.runner);
                next.into_iter().map(|next| self.runs(next)).collect()
            }
            _ if self.shared == Shared::IgnoresDeaths => Said::new(),
            _ => self.cut_acting(),
        }
    }

    /// The limit of one that waits has passed; who was told already is told nothing.
    fn expire(&mut self, client: Client) -> Said {
        let Some(at) = self.came.iter().position(|party| party.client == client) else {
            let is_open = self.is_broken && self.fault == Fault::BrokenIsSatOut;
            return if is_open { vec![(client, BROKEN)] } else { Said::new() };
        };
        if self.fault == Fault::ExpiredCount {
            self.came[at].is_ghost = true;
            return vec![(client, BROKEN)];
        }
        self.came.remove(at);
        let is_bare = self.fault == Fault::LimitIsTimedOut;
        let mut said = vec![(client, if is_bare { Say::TIMED_OUT } else { BROKEN })];
        match self.fault {
            Fault::LimitBreaksNothing => return said,
            Fault::LimitBreaksOnce => {}
            _ => self.is_broken = true,
        }
        if self.fault == Fault::LimitFreesNobody {
            self.came.clear();
        }
        said.extend(self.free());
        said
    }

    /// Somebody dies in its wait.
    fn waiter_gone(&mut self, client: Client) -> Said {
        self.dead_count += 1;
        if self.shared == Shared::IgnoresDeaths {
            let dead = self.came.iter_mut().filter(|party| party.client == client);
            dead.for_each(|party| party.is_ghost = true);
            return Said::new();
        }
        self.came.retain(|party| party.client != client);
        if self.shared == Shared::DeathUntold {
            return Said::new();
        }
        self.is_broken = self.fault != Fault::DeathBreaksOnce;
        match self.shared {
            Shared::DeathWakesNobody => self.came.clear(),
            Shared::DeathWakesNoTimed => self.came.retain(|party| !party.is_timed),
            _ => {}
        }
        self.free()
    }

    fn abort(&mut self, client: Client) -> Said {
        self.callers.push(client.pid);
        let mut said = vec![(client, Say::Ok)];
        if self.fault == Fault::AbortForgotten {
            return said;
        }
        if self.fault == Fault::AbortHitsLeavers {
            said.extend(self.hit_leavers());
        }
        if self.fault == Fault::AbortFreesNobody {
            self.came.clear();
        }
        let was_broken = self.is_broken;
        said.extend(if self.acting.is_some() { self.cut_acting() } else { self.free() });
        self.is_broken = match self.fault {
            Fault::AbortBreaksOnce => false,
            Fault::AbortToggles => !was_broken,
            _ => true,
        };
        said
    }

    fn reset(&mut self, client: Client) -> Said {
        self.callers.push(client.pid);
        let mut said = vec![(client, Say::Ok)];
        if self.fault == Fault::ResetHitsLeavers {
            said.extend(self.hit_leavers());
        }
        let was_idle = self.came.is_empty();
        let was_broken = self.is_broken;
        if self.fault == Fault::ResetFreesNobody {
            self.came.clear();
        }
        if self.fault == Fault::ResetLetsPass {
            let parties: Vec<Party> = self.came.drain(..).collect();
            said.extend(self.leave(&parties, None));
        }
        said.extend(if self.acting.is_some() { self.cut_acting() } else { self.free() });
        self.is_broken = match self.fault {
            Fault::ResetBreaks => !was_idle,
            Fault::IdleResetBreaks => was_idle && !was_broken,
            Fault::ResetMendsNothing => was_broken,
            _ => false,
        };
        if self.fault == Fault::PartiesShrink {
            self.parties = self.parties.saturating_sub(1).max(1);
        }
        if self.fault == Fault::ResetCallsTheDead {
            let ghost =
                Party { client: Client { number: 0, pid: 0 }, is_timed: false, is_ghost: true };
            self.came.extend(std::iter::repeat_n(ghost, std::mem::take(&mut self.dead_count)));
        }
        said
    }

    /// All who have come are told that it is broken.
    fn free(&mut self) -> Said {
        let came = self.came.drain(..).filter(|party| !party.is_ghost);
        came.map(|party| (party.client, BROKEN)).collect()
    }

    fn hit_leavers(&mut self) -> Said {
        self.leaving.drain(..).map(|leaver| (leaver.client, BROKEN)).collect()
    }
}

fn clients(parties: &[Party]) -> Vec<Client> {
    parties.iter().map(|party| party.client).collect()
}
