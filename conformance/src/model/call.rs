//! What is done to an object, and what the caller is told: the words of all kinds of object.

use std::fmt;

use serde_json::Value;

use super::Actor;
use crate::protocol::Arguments;
use crate::script::Outcome;

/// What is done to an object. Each kind has some of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// `acquire`, with a limit.
    Acquire(Limit),
    /// `try`
    Try,
    /// `release`
    Release,
    /// `release`, of so many.
    ReleaseMany(u32),
    /// `recover`
    Recover,
    /// `value`
    Value,
    /// `depth`
    Depth,
    /// `set`
    Set,
    /// `clear`
    Clear,
    /// `is_set`
    IsSet,
    /// `wait`, with a limit.
    Wait(Limit),
    /// `notify`, of so many.
    Notify(u32),
    /// `notify_all`
    NotifyAll,
    /// `abort`
    Abort,
    /// `reset`
    Reset,
    /// `is_broken`
    IsBroken,
    /// `waiting`
    Waiting,
    /// `put`, of this item, with a limit.
    Put(u32, Limit),
    /// `try_put`, of this item.
    TryPut(u32),
    /// `get`, with a limit.
    Get(Limit),
    /// `try_get`
    TryGet,
    /// `shutdown`; immediate, if so.
    Shutdown(bool),
    /// `task_done`
    TaskDone,
    /// `join`, with a limit.
    Join(Limit),
    /// No call: the caller's process ends, in whatever way, or drops its last handle.
    Gone,
}

/// How long a call may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// As long as it takes.
    None,
    /// Longer than anybody watches: as good as none.
    Long,
    /// A moment that is waited for.
    Short,
    /// Not at all.
    Zero,
}

/// The moment that a short limit waits.
pub const SHORT_NANOS: u64 = 10_000_000;

/// Something done to an object by somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Call {
    /// By whom.
    pub by: Actor,
    /// What.
    pub op: Op,
}

/// What a call is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Told {
    /// It is done; after an acquire or a try the caller has what it asked for.
    Ok,
    /// It has it, and an owner died.
    OwnerDied,
    /// What it waited for did not come.
    TimedOut,
    /// The caller does not hold it.
    NotOwner,
    /// Nobody holds it, or it has no room for more.
    OverReleased,
    /// The caller holds it, and would wait for itself.
    WouldDeadlock,
    /// The barrier is broken.
    BarrierBroken,
    /// There was nothing to get.
    Empty,
    /// There was no room.
    Full,
    /// It is shut down.
    Closed,
    /// All is done that was put.
    TaskDoneTooOften,
    /// A number.
    Number(u32),
    /// Yes or no.
    Is(bool),
}

impl Op {
    /// The word on the line, and the arguments.
    #[must_use]
    pub fn words(self) -> (&'static str, Arguments) {
        let with = |name: &str, value: Value| [(name.to_owned(), value)].into_iter().collect();
        match self {
            Self::Acquire(limit) => ("acquire", limit.argument()),
            Self::Wait(limit) => ("wait", limit.argument()),
            Self::ReleaseMany(count) => ("release", with("n", count.into())),
            Self::Notify(count) => ("notify", with("n", count.into())),
            Self::Put(item, limit) => {
                ("put", with("item", item.into()).into_iter().chain(limit.argument()).collect())
            }
            Self::TryPut(item) => ("try_put", with("item", item.into())),
            Self::Get(limit) => ("get", limit.argument()),
            Self::Join(limit) => ("join", limit.argument()),
            Self::Shutdown(true) => ("shutdown", with("immediate", true.into())),
            plain => (plain.word(), Arguments::new()),
        }
    }

    /// The call that these words are.
    #[must_use]
    pub fn read(word: &str, args: &Arguments) -> Option<Self> {
        let count = args.get("n").map(Value::as_u64);
        let count = count.map(|count| count.and_then(|count| u32::try_from(count).ok()));
        let item = args.get("item").and_then(Value::as_u64);
        let item = item.and_then(|item| u32::try_from(item).ok());
        match (word, count) {
            ("put", None) => Limit::read(args).and_then(|limit| Some(Self::Put(item?, limit))),
            ("try_put", None) => item.map(Self::TryPut),
            ("get", None) => Limit::read(args).map(Self::Get),
            ("join", None) => Limit::read(args).map(Self::Join),
            ("shutdown", None) => {
                let is_immediate = args.get("immediate").and_then(Value::as_bool);
                Some(Self::Shutdown(is_immediate.unwrap_or(false)))
            }
            ("acquire", None) => Limit::read(args).map(Self::Acquire),
            ("wait", None) => Limit::read(args).map(Self::Wait),
            ("release", Some(count)) => count.map(Self::ReleaseMany),
            ("notify", count) => count.unwrap_or(Some(1)).map(Self::Notify),
            _ => Self::PLAIN.into_iter().find(|op| op.word() == word),
        }
    }

    /// The limit of a call that may wait.
    #[must_use]
    pub const fn limit(self) -> Option<Limit> {
        match self {
            Self::Acquire(limit)
            | Self::Wait(limit)
            | Self::Get(limit)
            | Self::Put(_, limit)
            | Self::Join(limit) => Some(limit),
            _ => None,
        }
    }

    /// Whether it takes effect at one point of time. An immediate shutdown first refuses what is
    /// put, and then drops what is inside.
    #[must_use]
    pub const fn has_one_point(self) -> bool {
        !matches!(self, Self::Shutdown(true))
    }

    /// The same call, with this item if it has one.
    #[must_use]
    pub const fn with_item(self, item: u32) -> Self {
        match self {
            Self::Put(_, limit) => Self::Put(item, limit),
            Self::TryPut(_) => Self::TryPut(item),
            other => other,
        }
    }

    /// Those without an argument.
    const PLAIN: [Self; 16] = [
        Self::TryGet,
        Self::TaskDone,
        Self::Try,
        Self::Release,
        Self::Recover,
        Self::Value,
        Self::Depth,
        Self::Set,
        Self::Clear,
        Self::IsSet,
        Self::NotifyAll,
        Self::Abort,
        Self::Reset,
        Self::IsBroken,
        Self::Waiting,
        Self::Gone,
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::Acquire(_) => "acquire",
            Self::Try => "try",
            Self::Release | Self::ReleaseMany(_) => "release",
            Self::Recover => "recover",
            Self::Value => "value",
            Self::Depth => "depth",
            Self::Set => "set",
            Self::Clear => "clear",
            Self::IsSet => "is_set",
            Self::Wait(_) => "wait",
            Self::Notify(_) => "notify",
            Self::NotifyAll => "notify_all",
            Self::Abort => "abort",
            Self::Reset => "reset",
            Self::IsBroken => "is_broken",
            Self::Waiting => "waiting",
            Self::Put(..) => "put",
            Self::TryPut(_) => "try_put",
            Self::Get(_) => "get",
            Self::TryGet => "try_get",
            Self::Shutdown(_) => "shutdown",
            Self::TaskDone => "task_done",
            Self::Join(_) => "join",
            Self::Gone => "gone", // never asked: a death is no call
        }
    }
}

impl Limit {
    /// What the argument `timeout` is, in seconds.
    #[must_use]
    pub const fn seconds(self) -> Option<f64> {
        match self {
            Self::None => None,
            Self::Long => Some(3600.0),
            Self::Short => Some(SHORT_NANOS as f64 / 1e9),
            Self::Zero => Some(0.0),
        }
    }

    fn argument(self) -> Arguments {
        let seconds = self.seconds().map(Value::from);
        seconds.map(|seconds| ("timeout".to_owned(), seconds)).into_iter().collect()
    }

    fn read(args: &Arguments) -> Option<Self> {
        let Some(timeout) = args.get("timeout") else { return Some(Self::None) };
        let known = [Self::Zero, Self::Short, Self::Long];
        known.into_iter().find(|limit| limit.seconds() == timeout.as_f64())
    }
}

impl Told {
    /// What an error kind says.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        let errors = [
            Self::OwnerDied,
            Self::TimedOut,
            Self::NotOwner,
            Self::OverReleased,
            Self::WouldDeadlock,
            Self::BarrierBroken,
            Self::Empty,
            Self::Full,
            Self::Closed,
            Self::TaskDoneTooOften,
        ];
        errors.into_iter().find(|told| told.error() == Some(word))
    }

    /// What came on the line; nothing for what no object of ours says.
    #[must_use]
    pub fn read(outcome: &Outcome) -> Option<Self> {
        match outcome {
            Outcome::Value(Value::Null) => Some(Self::Ok),
            Outcome::Value(Value::Bool(is)) => Some(Self::Is(*is)),
            Outcome::Value(Value::Number(number)) => {
                number.as_u64().and_then(|number| u32::try_from(number).ok()).map(Self::Number)
            }
            Outcome::Value(_) | Outcome::Kept(_) | Outcome::OtherThan(_) | Outcome::Prevented => {
                None
            }
            Outcome::Error(kind) => Self::from_word(kind),
        }
    }

    /// As a script expects it.
    #[must_use]
    pub fn outcome(self) -> Outcome {
        match (self, self.error()) {
            (_, Some(error)) => Outcome::Error(error.to_owned()),
            (Self::Number(number), _) => Outcome::Value(number.into()),
            (Self::Is(is), _) => Outcome::Value(is.into()),
            _ => Outcome::Value(Value::Null),
        }
    }

    const fn error(self) -> Option<&'static str> {
        match self {
            Self::Ok | Self::Number(_) | Self::Is(_) => None,
            Self::OwnerDied => Some("owner-died"),
            Self::TimedOut => Some("timed-out"),
            Self::NotOwner => Some("not-owner"),
            Self::OverReleased => Some("over-released"),
            Self::WouldDeadlock => Some("would-deadlock"),
            Self::BarrierBroken => Some("barrier-broken"),
            Self::Empty => Some("empty"),
            Self::Full => Some("full"),
            Self::Closed => Some("closed"),
            Self::TaskDoneTooOften => Some("task-done-too-often"),
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Is(is) => write!(f, "{is}"),
            other => f.write_str(other.error().unwrap_or("ok")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_read_back_from_its_words() {
        let limits = [Limit::None, Limit::Long, Limit::Short, Limit::Zero];
        let timed = limits.into_iter().flat_map(|limit| [Op::Acquire(limit), Op::Wait(limit)]);
        let counted = [Op::ReleaseMany(3), Op::Notify(1), Op::Notify(7), Op::TryPut(5)];
        let queued = limits.into_iter().flat_map(|limit| [Op::Put(9, limit), Op::Get(limit)]);
        let joined = limits.into_iter().map(Op::Join);
        let shut = [Op::Shutdown(false), Op::Shutdown(true)];
        let timed = timed.chain(queued).chain(joined).chain(shut);
        for op in timed.chain(counted).chain(Op::PLAIN) {
            let (word, args) = op.words();
            assert_eq!(Op::read(word, &args), Some(op));
        }
        assert_eq!(Op::read("fly", &Arguments::new()), None);
    }

    #[test]
    fn what_is_told_is_read_back_from_its_outcome() {
        let values = [Told::Ok, Told::Number(0), Told::Number(9), Told::Is(true), Told::Is(false)];
        let errors = [Told::OwnerDied, Told::TimedOut, Told::BarrierBroken, Told::NotOwner];
        for told in values.into_iter().chain(errors) {
            assert_eq!(Told::read(&told.outcome()), Some(told));
        }
        assert_eq!(Told::read(&Outcome::Error("no-such-name".to_owned())), None);
    }
}
