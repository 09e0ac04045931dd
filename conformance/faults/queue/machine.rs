//! What a queue does: items go in at the back and come out at the front.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use purlin_conformance::serve::{Arguments, Refusal};
use serde_json::{Value, json};

use super::super::fault::Fault as Shared;
use super::super::kind::{Asked, Client, Machine, Order, Rules, Said, Say, Wait, Waiters};
use super::super::process;
use super::Fault;
use super::marks::Marks;

/// How long a second step takes, where there are two.
const STEP: Duration = Duration::from_millis(300);

/// How much later an item is there, where that is wrong.
const LATER: Duration = STEP;

/// What is mixed with another's, where that is wrong, has more bytes than this.
const MIXED_BYTES: u64 = 100_000;

/// What is put in two steps has more bytes than this.
const LARGE_BYTES: u64 = 1 << 20;

/// A queue that nobody has said a bound of has room for so many.
const ITEMS_COUNT: u64 = 64;

/// No bound is greater.
const BOUND_MAX: u64 = 1 << 31;

/// What is inside, and who put it.
#[derive(Debug, Clone)]
struct Item {
    value: Value,
    by: Client,
}

pub(super) struct Queue {
    fault: Fault,
    shared: Shared,
    order: Order,
    /// None where its room grows.
    bound: Option<u64>,
    /// None where items may be of any size.
    size_max: Option<u64>,
    items: VecDeque<Item>,
    getters: Waiters,
    putters: Waiters,
    /// What those who wait would put.
    offered: BTreeMap<Client, Value>,
    pub(super) marks: Marks,
    /// The processes that have closed it, and those that have cancelled their flush.
    closed: BTreeSet<i32>,
    cancelled: BTreeSet<i32>,
    is_shut: bool,
    /// Nobody gets an answer any more.
    is_stuck: bool,
    is_gone: bool,
    has_dead: bool,
    maker: Option<Client>,
    /// Who was told that there is something, where that is wrong.
    reserved: Option<Client>,
    /// Items that come later, where that is wrong; and large ones between two steps.
    later: VecDeque<Item>,
    half_put: Option<Item>,
    half_got: Option<Item>,
    /// What each process got last.
    last_got: BTreeMap<i32, Value>,
    /// Who has called.
    callers: BTreeSet<i32>,
    last_putter: Option<i32>,
    put_count: u64,
    try_count: u64,
    /// So many items will be eaten.
    eaten_count: u64,
}

pub(super) fn made(
    rules: &Rules,
    args: &Arguments,
    grows: bool,
) -> Result<Box<dyn Machine>, Refusal> {
    let fault = Fault::named(rules.name);
    let invalid = || Refusal::new("invalid-argument", "no such bound");
    let bound = match args.get("bound") {
        None => args.get("items").and_then(Value::as_u64).filter(|_| !grows),
        Some(bound) => match bound.as_u64() {
            Some(0) if grows => None,
            Some(..=BOUND_MAX) => bound.as_u64(),
            Some(_) if fault == Fault::BoundIsCut => Some(BOUND_MAX),
            None if fault == Fault::BoundIsRead => Some(1),
            _ => return Err(invalid()),
        },
    };
    let is_bounded = bound.is_some() || !grows;
    let bound = match (bound, fault) {
        (Some(bound), Fault::BoundIsMore) => bound + 1,
        (Some(bound @ 2..), Fault::BoundIsLess) => bound - 1,
        (Some(bound), _) => bound,
        (None, _) => ITEMS_COUNT,
    };
    let is_bounded = is_bounded || fault == Fault::GrowsLittle;
    Ok(Box::new(Queue {
        fault,
        shared: rules.fault,
        order: rules.order,
        bound: is_bounded.then_some(bound),
        size_max: args.get("bytes").and_then(Value::as_u64).filter(|_| !grows),
        items: VecDeque::new(),
        getters: Waiters::new(rules.order),
        putters: Waiters::new(rules.order),
        offered: BTreeMap::new(),
        marks: Marks::new(rules),
        closed: BTreeSet::new(),
        cancelled: BTreeSet::new(),
        is_shut: false,
        is_stuck: false,
        is_gone: false,
        has_dead: false,
        maker: None,
        reserved: None,
        later: VecDeque::new(),
        half_put: None,
        half_got: None,
        last_got: BTreeMap::new(),
        callers: BTreeSet::new(),
        last_putter: None,
        put_count: 0,
        try_count: 0,
        eaten_count: 0,
    }))
}

impl Machine for Queue {
    fn ask(&mut self, client: Client, asked: &Asked<'_>) -> Said {
        if self.is_stuck && asked.op != "drop" {
            return Said::new();
        }
        if self.is_gone {
            return vec![(client, Say::Failed("damaged"))];
        }
        self.callers.insert(client.pid);
        let zero_fails = self.shared == Shared::ZeroNeverTakes && asked.wait == Wait::Not;
        match asked.op {
            "put" if zero_fails => vec![(client, Say::Failed("full"))],
            "get" if zero_fails => vec![(client, Say::Failed("empty"))],
            "put" => self.put(client, asked),
            "try_put" => {
                self.put(client, &Asked { wait: Wait::Not, op: asked.op, args: asked.args })
            }
            "get" => self.get(client, asked.wait),
            "try_get" => self.try_get(client),
            "qsize" | "empty" | "full" | "something" => vec![(client, self.hint(client, asked.op))],
            "close" => vec![(client, self.close(client))],
            "shutdown" => self.shutdown(client, asked.args.get("immediate") == Some(&json!(true))),
            "join_thread" => self.join_thread(client),
            "cancel_join_thread" => {
                self.cancelled.insert(client.pid);
                vec![(client, Say::Ok)]
            }
            "put_back" => {
                let value = asked.args.get("item").cloned().unwrap_or_default();
                self.items.push_front(Item { value, by: client });
                vec![(client, Say::Ok)]
            }
            "count" => {
                self.marks.put();
                vec![(client, Say::Ok)]
            }
            "task_done" => self.marks.mark(client, self.closed.contains(&client.pid)),
            "join" => self.marks.join(client, asked.wait),
            "make" => {
                self.maker = Some(client);
                vec![(client, Say::Ok)]
            }
            "drop" => vec![(client, Say::Ok)],
            _ => vec![(client, Say::UNSUPPORTED)],
        }
    }

    fn cancel(&mut self, client: Client) -> Said {
        let is_getter = self.getters.contains(client);
        if !is_getter && !self.putters.contains(client) {
            return self.marks.cancel(client);
        }
        if self.fault == Fault::DeathEndsLimits && self.has_dead {
            return Said::new();
        }
        if self.shared != Shared::TimeoutLeavesTicket {
            self.forget(client);
        }
        vec![(client, Say::Failed(if is_getter { "empty" } else { "full" }))]
    }

    fn gone(&mut self, client: Client, _: bool) -> Said {
        self.has_dead = true;
        let was_waiting = self.getters.contains(client) || self.putters.contains(client);
        if self.shared != Shared::WaiterDeathKeepsTicket {
            self.forget(client);
        }
        self.is_gone |= self.shared == Shared::EndsWithMaker && self.maker == Some(client);
        self.is_stuck |= was_waiting && self.fault == Fault::DeadWaiterLocks;
        self.is_stuck |= self.callers.contains(&client.pid) && self.fault == Fault::DeadCallerLocks;
        if let Some(half) = self.half_put.take_if(|half| half.by == client) {
            let value = json!({ "bytes": half.value["bytes"], "seed": "torn" });
            self.items.push_back(Item { value, ..half });
        }
        self.is_stuck |= self.half_got.take_if(|half| half.by == client).is_some();
        let forgets_flushed =
            self.fault == Fault::FlushForgets && self.closed.contains(&client.pid);
        if self.fault == Fault::DiesWithProducer || forgets_flushed {
            self.items.retain(|item| item.by.pid != client.pid);
        }
        if self.fault == Fault::GotComesBack
            && let Some(value) = self.last_got.remove(&client.pid)
        {
            self.items.push_front(Item { value, by: client });
        }
        let mut said = self.marks.gone(client, self.last_got.contains_key(&client.pid));
        self.is_stuck |= self.marks.is_locked;
        said.extend(self.serve());
        said
    }

    fn patience(&self) -> Option<Duration> {
        if self.half_put.is_some() || self.half_got.is_some() {
            return Some(STEP);
        }
        if !self.later.is_empty() {
            return Some(LATER);
        }
        let has_item = !self.items.is_empty() && !self.getters.is_empty();
        let has_place = self.has_room() && !self.putters.is_empty();
        let waits = self.order == Order::Newcomer && (has_item || has_place);
        waits.then(|| self.shared.grace())
    }

    fn settle(&mut self) -> Said {
        let mut said = Said::new();
        if let Some(half) = self.half_put.take() {
            said.push((half.by, Say::Ok));
            self.items.push_back(half);
        }
        if let Some(half) = self.half_got.take() {
            said.push((half.by, Say::Value(half.value)));
        }
        self.items.append(&mut self.later);
        said.extend(self.hand_out());
        said
    }
}

impl Queue {
    fn forget(&mut self, client: Client) {
        self.getters.remove(client);
        self.putters.remove(client);
        self.offered.remove(&client);
    }

    fn has_room(&self) -> bool {
        let Some(bound) = self.bound else { return true };
        let bound = match self.fault {
            Fault::RoomShrinks if self.put_count > 500 => bound.saturating_sub(1),
            _ => bound,
        };
        let takes_place = |item: &&Item| {
            self.fault != Fault::NothingTakesNoPlace || item.value["bytes"] != json!(0)
        };
        (self.items.iter().filter(takes_place).count() as u64) < bound
    }

    fn put(&mut self, client: Client, asked: &Asked<'_>) -> Said {
        let is_closed = self.closed.contains(&client.pid);
        let is_shut = self.is_shut && self.fault != Fault::ShutLetsIn;
        if is_closed || is_shut {
            return vec![(client, Say::Failed("closed"))];
        }
        if self.fault == Fault::CancelIsForAll && !self.cancelled.is_empty() {
            return vec![(client, Say::Ok)];
        }
        let mut value = item_of(asked.args);
        let (len, len_max) = (value["bytes"].as_u64(), self.size_max.unwrap_or(u64::MAX));
        if len.is_some_and(|len| len > len_max) {
            match self.fault {
                Fault::TooLargeWaits => return Said::new(),
                Fault::TooLargeIsCut => value["bytes"] = json!(len_max),
                _ => return vec![(client, Say::Failed("message-too-large"))],
            }
        }
        if asked.wait == Wait::Not && self.gives_up() {
            return vec![(client, Say::Failed("full"))];
        }
        if self.has_room() || self.fault == Fault::PutNeverWaits {
            return self.accept(client, value);
        }
        if asked.wait != Wait::Not {
            self.putters.push(client, asked.wait == Wait::Timed);
            self.offered.insert(client, value);
            self.marks.waiting();
            return Said::new();
        }
        self.marks.refused();
        match self.fault {
            Fault::FullPuts => self.items.push_back(Item { value, by: client }),
            Fault::FullUntold => return vec![(client, Say::Ok)],
            _ => {}
        }
        vec![(client, Say::Failed("full"))]
    }

    /// Whether a call that may not wait is told that it would have to.
    fn gives_up(&mut self) -> bool {
        self.try_count += 1;
        match self.fault {
            Fault::TryGivesUp => self.try_count.is_multiple_of(100),
            Fault::TryNeverTakes => true,
            _ => false,
        }
    }

    /// Takes an item in, and says so.
    fn accept(&mut self, client: Client, value: Value) -> Said {
        let is_large = value["bytes"].as_u64().is_some_and(|len| len > LARGE_BYTES);
        self.take_in(client, value);
        if is_large && self.fault == Fault::PutInTwoSteps {
            self.half_put = self.items.pop_back();
            return Said::new();
        }
        let mut said = vec![(client, Say::Ok)];
        said.extend(self.serve());
        said
    }

    fn take_in(&mut self, client: Client, mut value: Value) {
        self.put_count += 1;
        self.marks.put();
        let len = value["bytes"].as_u64().unwrap_or(0);
        if self.fault == Fault::LargeIsCut && len > LARGE_BYTES << 2 {
            value["bytes"] = json!(LARGE_BYTES << 2);
        }
        let is_of_another =
            self.last_putter.replace(client.pid).is_some_and(|pid| pid != client.pid);
        if self.fault == Fault::MixesWriters && len > MIXED_BYTES && is_of_another {
            value["seed"] = json!("torn");
        }
        let is_lost = match self.fault {
            Fault::LosesTenth => self.put_count.is_multiple_of(10),
            Fault::NullIsNothing => value.is_null(),
            Fault::TryEatsNext => self.eaten_count > 0,
            _ => false,
        };
        self.eaten_count = self.eaten_count.saturating_sub(1);
        let item = Item { value, by: client };
        let last = self.items.back().map(|last| last.by.pid);
        match self.fault {
            _ if is_lost => {}
            Fault::ThereLater => self.later.push_back(item),
            Fault::Swaps if !self.items.is_empty() => self.items.insert(self.items.len() - 1, item),
            Fault::Overtakes if last.is_some_and(|last| last != client.pid) => {
                self.items.push_front(item);
            }
            _ => self.items.push_back(item),
        }
    }

    fn get(&mut self, client: Client, wait: Wait) -> Said {
        if self.closed.contains(&client.pid) {
            return vec![(client, Say::Failed("closed"))];
        }
        let sits_out = matches!(
            self.shared,
            Shared::LimitIsSatOut | Shared::LimitRestarts | Shared::LoserGivesUp
        );
        let is_held_up = self.fault == Fault::StoppedIsServed
            && self.getters.any(|getter| process::state(getter.pid) == Some('T'));
        if is_held_up {
            self.getters.push(client, wait == Wait::Timed);
            return Said::new();
        }
        if self.is_there_for(client) && !(sits_out && wait == Wait::Timed) {
            let mut said = self.give(client);
            said.extend(self.getters.timed().map(|client| (client, Say::Lost)));
            said.extend(self.serve());
            return said;
        }
        if self.is_shut {
            return vec![(client, Say::Failed("closed"))];
        }
        if self.fault == Fault::GetNeverWaits {
            return vec![(client, Say::Ok)];
        }
        if wait == Wait::Not {
            return vec![(client, Say::Failed("empty"))];
        }
        self.getters.push(client, wait == Wait::Timed);
        Said::new()
    }

    fn try_get(&mut self, client: Client) -> Said {
        if self.gives_up() {
            return vec![(client, Say::Failed("empty"))];
        }
        if self.fault == Fault::TryEatsNext && self.items.is_empty() {
            self.eaten_count = 1;
        }
        match self.fault {
            Fault::GetNeverWaits if self.items.is_empty() => {
                vec![(client, Say::Failed("empty"))]
            }
            _ => self.get(client, Wait::Not),
        }
    }

    fn is_there_for(&self, client: Client) -> bool {
        let own = |item: &Item| item.by.pid == client.pid && item.by != client;
        match self.fault {
            Fault::ThreadsApart if self.items.front().is_some_and(own) => false,
            Fault::HintReserves if self.reserved.is_some_and(|by| by != client) => false,
            _ => !self.items.is_empty(),
        }
    }

    /// Gives the first item to somebody.
    fn give(&mut self, client: Client) -> Said {
        let front = match self.fault {
            Fault::GetKeeps => self.items.front().cloned(),
            _ => self.items.pop_front(),
        };
        let Some(Item { value, .. }) = front else { return Said::new() };
        self.reserved = None;
        self.last_got.insert(client.pid, value.clone());
        let mut said = self.marks.got();
        let is_large = value["bytes"].as_u64().is_some_and(|len| len > LARGE_BYTES);
        if is_large && self.fault == Fault::GetInTwoSteps {
            self.half_got = Some(Item { value, by: client });
            return said;
        }
        said.push((client, Say::Value(value)));
        said
    }

    /// Lets in who waits, unless newcomers have the first chance, or somebody who is stopped has.
    fn serve(&mut self) -> Said {
        if matches!(self.shared, Shared::LimitRestarts | Shared::LoserGivesUp) {
            let mut said = self.hand_out();
            let losers = self.getters.timed().filter(|_| !said.is_empty());
            let losers: Said = losers.map(|client| (client, Say::Lost)).collect();
            said.extend(losers);
            return said;
        }
        if self.order == Order::Newcomer || self.shared == Shared::LostWake {
            return Said::new();
        }
        self.hand_out()
    }

    fn hand_out(&mut self) -> Said {
        let mut said = Said::new();
        let skips = matches!(
            self.shared,
            Shared::TimedNotWoken
                | Shared::LimitIsSatOut
                | Shared::LimitRestarts
                | Shared::LoserGivesUp
        );
        loop {
            let count = said.len();
            if !self.items.is_empty()
                && let Some(getter) = self.getters.next(skips)
            {
                let is_stopped =
                    self.fault == Fault::StoppedIsServed && process::state(getter.pid) == Some('T');
                if !self.is_there_for(getter) || is_stopped {
                    self.getters.push(getter, false);
                    break;
                }
                said.extend(self.give_to_all(getter));
            }
            let admits = self.shared == Shared::WakeAdmitsAll && count > 0;
            if (self.has_room() || admits)
                && let Some(putter) = self.putters.next(skips)
            {
                let value = self.offered.remove(&putter).unwrap_or_default();
                self.take_in(putter, value);
                said.push((putter, Say::Ok));
            }
            if said.len() == count {
                break;
            }
            if self.shared == Shared::WakeForgetsOthers {
                self.getters.clear();
                self.putters.clear();
            }
        }
        said
    }

    fn give_to_all(&mut self, first: Client) -> Said {
        let mut said = self.give(first);
        if self.shared == Shared::WakeAdmitsAll
            && let Some((_, Say::Value(value))) = said.last().cloned()
        {
            while let Some(other) = self.getters.next(false) {
                said.push((other, Say::Value(value.clone())));
            }
        }
        said
    }

    fn hint(&mut self, client: Client, what: &str) -> Say {
        if self.closed.contains(&client.pid) && self.fault != Fault::ClosedTells {
            return Say::Failed("closed");
        }
        let is_empty = self.items.is_empty();
        if what == "empty" && !is_empty && self.fault == Fault::HintReserves {
            self.reserved = Some(client);
        }
        Say::Value(match (what, self.fault) {
            ("something", _) => json!(!is_empty),
            ("qsize", Fault::SizeCountsPuts) => json!(self.put_count),
            ("qsize", _) => json!(self.items.len()),
            ("empty", Fault::EmptyIsTrue) => json!(true),
            ("empty", Fault::EmptyIsFalse) => json!(false),
            ("empty", _) => json!(is_empty),
            (_, Fault::FullIsTrue) => json!(true),
            (_, Fault::FullIsFalse) => json!(false),
            _ => json!(!self.has_room()),
        })
    }

    fn close(&mut self, client: Client) -> Say {
        if self.fault == Fault::CloseIgnored {
            return Say::Ok;
        }
        if !self.closed.insert(client.pid) && self.fault == Fault::ClosedOnce {
            return Say::Failed("closed");
        }
        match self.fault {
            Fault::CloseIsForAll => self.is_shut = true,
            Fault::CloseDrops => self.items.retain(|item| item.by.pid != client.pid),
            _ => {}
        }
        Say::Ok
    }

    fn shutdown(&mut self, client: Client, is_immediate: bool) -> Said {
        self.is_shut = true;
        if is_immediate && self.fault != Fault::ShutKeeps || self.fault == Fault::ShutDrops {
            self.items.clear();
        }
        let mut said = vec![(client, Say::Ok)];
        if self.fault == Fault::ShutWakesNobody {
            return said;
        }
        while let Some(waiter) = self.getters.next(false).or_else(|| self.putters.next(false)) {
            said.push((waiter, Say::Failed("closed")));
        }
        said
    }

    /// What was put is there already, so there is nothing to wait for.
    fn join_thread(&mut self, client: Client) -> Said {
        let is_cancelled = self.cancelled.contains(&client.pid);
        match self.fault {
            Fault::FlushIsNotCancelled if is_cancelled => Said::new(),
            _ if self.closed.contains(&client.pid) => vec![(client, Say::Ok)],
            Fault::FlushOpenWaits => Said::new(),
            _ => vec![(client, Say::Failed("still-running"))],
        }
    }
}

/// The item among the arguments: a value, or a byte string as it is told.
fn item_of(args: &Arguments) -> Value {
    let seed = args.get("seed").and_then(Value::as_u64).unwrap_or(0);
    match args.get("bytes") {
        Some(bytes) if !args.contains_key("item") => json!({
            "bytes": bytes,
            "seed": if *bytes == json!(0) { 0 } else { seed % 251 },
        }),
        _ => args.get("item").cloned().unwrap_or_default(),
    }
}
