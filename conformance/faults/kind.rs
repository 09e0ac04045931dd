//! What a kind of object is: a state machine on the server, and what an actor can ask of it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use purlin_conformance::serve::{Arguments, Object, Refusal};
use serde_json::Value;

use super::client::Context;
use super::fault::{Fault, Side};
use super::handle::Handle;

/// A kind of object.
pub(super) struct Kind {
    /// Also the name of its group of cases, or of a form of one.
    pub(super) name: &'static str,
    /// The kind that it is a form of, and the sides that it takes.
    pub(super) form: Option<FormOf>,
    /// What can be asked of it.
    pub(super) operations: &'static [&'static str],
    /// The operations that may wait, and take a time limit.
    pub(super) waits: &'static [&'static str],
    /// Whoever waits may as well ask again and again with a time limit of zero.
    pub(super) is_polled: bool,
    /// The operations by which a guard enters and leaves.
    pub(super) guard: Option<(&'static str, &'static str)>,
    /// Its state machine; none where the kind is a matter of the actors alone.
    pub(super) machine: Option<MakeMachine>,
    /// It as an actor has it; most are as [`Kind::plain`] has them.
    pub(super) object: fn(&Made, Arc<Context>) -> Arc<dyn Object>,
}

/// The kind that one is a form of, with `choice` and `side` of each contract that it takes.
pub(super) type FormOf = (&'static str, &'static [(&'static str, &'static str)]);

/// Makes a state machine. It is also called only to see whether the arguments are refused.
pub(super) type MakeMachine = fn(&Rules, &Arguments) -> Result<Box<dyn Machine>, Refusal>;

impl Kind {
    /// Each call is one request to the server.
    pub(super) fn plain(made: &Made, context: Arc<Context>) -> Arc<dyn Object> {
        Arc::new(Handle::new(made.clone(), context))
    }
}

/// How an object was made.
#[derive(Clone)]
pub(super) struct Made {
    /// By this name the server knows it.
    pub(super) name: String,
    pub(super) kind: &'static Kind,
    pub(super) args: Arguments,
    /// It is another mapping of the memory of the object of this name.
    pub(super) is_twin: bool,
}

/// What a machine goes by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    /// The subject's name: what is wrong with a kind alone is found by it (`faults!`).
    pub(super) name: &'static str,
    pub(super) fault: Fault,
    pub(super) side: Side,
    pub(super) order: Order,
}

/// Who asks: a thread, by the number of its connection, and the process that it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Client {
    pub(super) number: u64,
    pub(super) pid: i32,
}

/// What a client asks for.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) op: &'a str,
    pub(super) wait: Wait,
    pub(super) args: &'a Arguments,
}

/// How long a client waits, where an operation waits at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    ForEver,
    /// It has a time limit, which it watches itself.
    Timed,
    /// It has a time limit of zero.
    Not,
}

impl Wait {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::ForEver => "for-ever",
            Self::Timed => "timed",
            Self::Not => "not",
        }
    }

    pub(super) fn from_word(word: &str) -> Self {
        let known = [Self::Timed, Self::Not].into_iter().find(|wait| wait.word() == word);
        known.unwrap_or(Self::ForEver)
    }
}

/// What a client is told.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Say {
    Ok,
    Value(Value),
    /// A kind of `errors.toml`.
    Failed(&'static str),
    /// It was woken, and somebody else was faster.
    Lost,
}

impl Say {
    pub(super) const OWNER_DIED: Self = Self::Failed("owner-died");
    pub(super) const TIMED_OUT: Self = Self::Failed("timed-out");
    pub(super) const NOT_OWNER: Self = Self::Failed("not-owner");
    pub(super) const OVER_RELEASED: Self = Self::Failed("over-released");
    pub(super) const INVALID_ARGUMENT: Self = Self::Failed("invalid-argument");
    pub(super) const OUT_OF_RESOURCES: Self = Self::Failed("out-of-resources");
    pub(super) const UNSUPPORTED: Self = Self::Failed("unsupported");

    /// Its line: `ok`, `ok VALUE`, `lost`, or the kind of the failure.
    pub(super) fn line(&self) -> String {
        match self {
            Self::Ok => "ok".to_owned(),
            Self::Value(value) => format!("ok {value}"),
            Self::Failed(kind) => (*kind).to_owned(),
            Self::Lost => LOST.to_owned(),
        }
    }
}

/// The line of [`Say::Lost`].
pub(super) const LOST: &str = "lost";

/// Who is told what. Who waits is told later; nobody is told twice.
pub(super) type Said = Vec<(Client, Say)>;

/// An object on the server. It takes one event at a time.
pub(super) trait Machine: Send {
    /// A client asks for something. Besides the kind's operations, clients send `make` (to be
    /// answered, like `drop`) where an actor makes the object, `drop` where a process lets go of
    /// its last handle, and `sign` where one is told in two steps.
    fn ask(&mut self, client: Client, asked: &Asked<'_>) -> Said;

    /// The time limit of a wait is over, or an interrupt has ended it: who waits is told
    /// `timed-out`, and waits no more. Who was told already is told nothing.
    fn cancel(&mut self, client: Client) -> Said;

    /// A thread is dead, alone or with its process. When it is so `quietly`, all that it held
    /// counts as given back.
    fn gone(&mut self, client: Client, quietly: bool) -> Said;

    /// A process is dead; each of its threads is, or will be, gone as well.
    fn process_gone(&mut self, _pid: i32) -> Said {
        Said::new()
    }

    /// The one thread that has it to itself, where there is such a thing.
    fn holder(&self) -> Option<Client> {
        None
    }

    /// How long nobody asks for anything before `settle` is called; none where nothing is left to
    /// be settled.
    fn patience(&self) -> Option<Duration> {
        None
    }

    /// Does what was left for later, such as to let waiters in once newcomers had their chance.
    fn settle(&mut self) -> Said {
        Said::new()
    }
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

/// Those who wait for one thing.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    order: Order,
    waiters: VecDeque<Waiter>,
}

#[derive(Debug, Clone, Copy)]
struct Waiter {
    client: Client,
    is_timed: bool,
}

impl Waiters {
    pub(super) fn new(order: Order) -> Self {
        Self { order, waiters: VecDeque::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    pub(super) fn contains(&self, client: Client) -> bool {
        self.waiters.iter().any(|waiter| waiter.client == client)
    }

    pub(super) fn any(&self, is: impl Fn(Client) -> bool) -> bool {
        self.waiters.iter().any(|waiter| is(waiter.client))
    }

    pub(super) fn push(&mut self, client: Client, is_timed: bool) {
        self.waiters.push_back(Waiter { client, is_timed });
    }

    pub(super) fn remove(&mut self, client: Client) {
        self.waiters.retain(|waiter| waiter.client != client);
    }

    pub(super) fn clear(&mut self) {
        self.waiters.clear();
    }

    /// Those with a time limit.
    pub(super) fn timed(&self) -> impl Iterator<Item = Client> {
        self.waiters.iter().filter(|waiter| waiter.is_timed).map(|waiter| waiter.client)
    }

    /// Takes out who is next; `skips_timed` leaves those with a time limit where they are.
    pub(super) fn next(&mut self, skips_timed: bool) -> Option<Client> {
        let can = |waiter: &Waiter| !(skips_timed && waiter.is_timed);
        let place = match self.order {
            Order::First | Order::Newcomer => self.waiters.iter().position(can),
            Order::Last => self.waiters.iter().rposition(can),
        }?;
        self.waiters.remove(place).map(|waiter| waiter.client)
    }
}
