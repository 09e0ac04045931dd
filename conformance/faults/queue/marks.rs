//! What a queue counts: items that were put and not marked done.

use super::super::kind::{Client, Order, Rules, Said, Say, Wait, Waiters};
use super::Fault;

/// The count, and who waits for it to be zero.
pub(super) struct Marks {
    fault: Fault,
    unfinished_count: u64,
    /// Got and not marked.
    in_hand_count: u64,
    mark_count: u64,
    joiners: Waiters,
    /// So many marks end the waits, where what is put meanwhile does not count.
    left_count: u64,
    /// Who was killed in a wait has locked it.
    pub(super) is_locked: bool,
    /// Who has marked.
    markers: Vec<i32>,
}

impl Marks {
    pub(super) fn new(rules: &Rules) -> Self {
        Self {
            fault: Fault::named(rules.name),
            unfinished_count: 0,
            in_hand_count: 0,
            mark_count: 0,
            joiners: Waiters::new(Order::First),
            left_count: 0,
            is_locked: false,
            markers: Vec::new(),
        }
    }

    /// An item was put.
    pub(super) fn put(&mut self) {
        self.unfinished_count += 1;
    }

    /// A put waits for room.
    pub(super) fn waiting(&mut self) {
        self.unfinished_count += u64::from(self.fault == Fault::WaitingCounts);
    }

    /// A put was told full.
    pub(super) fn refused(&mut self) {
        self.unfinished_count += u64::from(self.fault == Fault::RefusedCounts);
    }

    /// An item was got.
    pub(super) fn got(&mut self) -> Said {
        self.in_hand_count += 1;
        if self.fault != Fault::GetMarks {
            return Said::new();
        }
        self.unfinished_count = self.unfinished_count.saturating_sub(1);
        self.let_go()
    }

    pub(super) fn mark(&mut self, client: Client, is_closed: bool) -> Said {
        let is_refused = self.unfinished_count == 0 && self.fault != Fault::MarksUnlimited;
        if is_refused || self.fault == Fault::MarkNeedsGet && self.in_hand_count == 0 {
            return vec![(client, Say::Failed("task-done-too-often"))];
        }
        if is_closed && self.fault == Fault::ClosedMarksNothing {
            return vec![(client, Say::Failed("closed"))];
        }
        self.mark_count += 1;
        self.markers.push(client.pid);
        let counts_twice =
            self.fault == Fault::TenthCountsTwice && self.mark_count.is_multiple_of(10);
        let marked = if counts_twice { 2 } else { 1 };
        self.unfinished_count = self.unfinished_count.saturating_sub(marked);
        self.in_hand_count = self.in_hand_count.saturating_sub(1);
        self.left_count = self.left_count.saturating_sub(1);
        let mut said = vec![(client, Say::Ok)];
        said.extend(self.let_go());
        said
    }

    /// Lets those go who wait, when nothing is left.
    fn let_go(&mut self) -> Said {
        let is_of_before = self.fault == Fault::JoinIsOfBefore && self.left_count == 0;
        if self.unfinished_count > 0 && !is_of_before {
            return Said::new();
        }
        let max_count = if self.fault == Fault::MarkWakesOne { 1 } else { usize::MAX };
        let mut said = Said::new();
        while said.len() < max_count {
            let Some(joiner) = self.joiners.next(false) else { break };
            said.push((joiner, Say::Ok));
        }
        said
    }

    pub(super) fn join(&mut self, client: Client, wait: Wait) -> Said {
        let waits = self.unfinished_count > 0 || self.fault == Fault::JoinWaitsForMark;
        if !waits || self.fault == Fault::JoinWaitsForNothing {
            return vec![(client, Say::Ok)];
        }
        if wait == Wait::Not {
            return vec![(client, Say::TIMED_OUT)];
        }
        if self.joiners.is_empty() {
            self.left_count = self.unfinished_count;
        }
        self.joiners.push(client, wait == Wait::Timed);
        Said::new()
    }

    pub(super) fn cancel(&mut self, client: Client) -> Said {
        if !self.joiners.contains(client) || self.fault == Fault::JoinHasNoLimit {
            return Said::new();
        }
        self.joiners.remove(client);
        if self.fault == Fault::JoinTakesAway {
            self.unfinished_count = 0;
        }
        vec![(client, Say::TIMED_OUT)]
    }

    /// Somebody is dead; it may have got something.
    pub(super) fn gone(&mut self, client: Client, has_got: bool) -> Said {
        self.is_locked |= self.joiners.contains(client) && self.fault == Fault::DeadJoinerLocks;
        self.joiners.remove(client);
        if self.fault == Fault::DeathUnmarks && self.markers.contains(&client.pid) {
            self.unfinished_count += 2;
        }
        if self.fault == Fault::DeathMarks && has_got {
            self.unfinished_count = self.unfinished_count.saturating_sub(1);
            return self.let_go();
        }
        Said::new()
    }
}
