//! The kinds of object that have a model, and how each is played: what is drawn for it, who is
//! asked to let others in.

use std::fmt;

use super::barrier::{BarrierModel, BarrierState};
use super::call::{Call, Limit, Op, Told};
use super::condition::{ConditionModel, ConditionState};
use super::draw::{self, Draw};
use super::event::{EventModel, EventState};
use super::lock::{Again, Hold, LockModel, LockState, Release};
use super::queue::{QueueModel, QueueState};
use super::rlock::{RLockModel, RLockState};
use super::semaphore::{SemaphoreModel, SemaphoreState};
use super::{Actor, Model};
use crate::contract::AskedForm;
use crate::protocol::Arguments;

macro_rules! kinds {
    ($($kind:ident: $model:ty, $state:ty;)+) => {
        /// An object's model, whatever its kind.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind {
            $(#[doc = concat!("A [`", stringify!($model), "`].")] $kind($model),)+
        }

        /// What an object remembers, whatever its kind.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum State {
            $(#[doc = concat!("A [`", stringify!($state), "`].")] $kind($state),)+
        }

        impl Model for Kind {
            type State = State;
            type Call = Call;
            type Told = Told;

            fn new_state(&self) -> State {
                match self {
                    $(Self::$kind(model) => State::$kind(model.new_state()),)+
                }
            }

            fn step(&self, state: &State, call: &Call) -> Vec<(Told, State)> {
                match (self, state) {
                    $((Self::$kind(model), State::$kind(state)) => {
                        let next = model.step(state, call).into_iter();
                        next.map(|(told, state)| (told, State::$kind(state))).collect()
                    })+
                    _ => unreachable!("a model makes the states of its own kind"),
                }
            }

            fn enter(&self, state: &State, call: &Call) -> State {
                match (self, state) {
                    $((Self::$kind(model), State::$kind(state)) => {
                        State::$kind(model.enter(state, call))
                    })+
                    _ => unreachable!("a model makes the states of its own kind"),
                }
            }
        }

        impl fmt::Display for State {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$kind(state) => state.fmt(f),)+
                }
            }
        }
    };
}

kinds! {
    Lock: LockModel, LockState;
    Semaphore: SemaphoreModel, SemaphoreState;
    Event: EventModel, EventState;
    RLock: RLockModel, RLockState;
    Condition: ConditionModel, ConditionState;
    Barrier: BarrierModel, BarrierState;
    Queue: QueueModel, QueueState;
}

/// The groups of behaviours whose objects have a model.
pub const GROUPS: [&str; 9] = [
    "lock",
    "semaphore",
    "bounded-semaphore",
    "event",
    "rlock",
    "condition",
    "barrier",
    "queue",
    "joinable-queue",
];

impl Kind {
    /// The model of a group's object, in a form that takes these sides.
    #[must_use]
    pub fn of(group: &str, form: &AskedForm<'_>) -> Option<Self> {
        let takes = |side: &str| form.takes([&side.to_owned()]);
        let semaphore = |is_bounded| {
            let is_tracked = takes("semaphore-death:units-return");
            Self::Semaphore(SemaphoreModel { start_count: 1, is_bounded, is_tracked })
        };
        Some(match group {
            "lock" => {
                let is_by_holder = takes("lock-release:by-holder");
                let release = if is_by_holder { Release::ByHolder } else { Release::ByAnyone };
                let is_refused = takes("lock-again:refused");
                let again = if is_refused { Again::Refused } else { Again::Waits };
                Self::Lock(LockModel { release, again })
            }
            "semaphore" => semaphore(false),
            "bounded-semaphore" => semaphore(true),
            "event" => Self::Event(EventModel),
            "rlock" => Self::RLock(RLockModel),
            "condition" => Self::Condition(ConditionModel),
            "barrier" => Self::Barrier(BarrierModel { party_count: 2 }),
            "queue" => Self::Queue(QueueModel { bound: Some(2), is_joinable: false }),
            "joinable-queue" => Self::Queue(QueueModel { bound: Some(2), is_joinable: true }),
            _ => return None,
        })
    }

    /// The group whose promises it keeps, which is the kind that a case says.
    #[must_use]
    pub const fn group(&self) -> &'static str {
        match self {
            Self::Lock(_) => "lock",
            Self::Semaphore(SemaphoreModel { is_bounded: false, .. }) => "semaphore",
            Self::Semaphore(_) => "bounded-semaphore",
            Self::Event(_) => "event",
            Self::RLock(_) => "rlock",
            Self::Condition(_) => "condition",
            Self::Barrier(_) => "barrier",
            Self::Queue(QueueModel { is_joinable: true, .. }) => "joinable-queue",
            Self::Queue(_) => "queue",
        }
    }

    /// What two objects are called in a script.
    #[must_use]
    pub const fn names(&self) -> [&'static str; 2] {
        match self {
            Self::Semaphore(_) => ["semaphore", "other"],
            Self::Queue(_) => ["queue", "other"],
            _ => [self.group(), "other"],
        }
    }

    /// The sides that it takes, as `choice:side`.
    #[must_use]
    pub fn sides(&self) -> Vec<&'static str> {
        match self {
            Self::Lock(LockModel { release, again }) => {
                let release = match release {
                    Release::ByHolder => "lock-release:by-holder",
                    Release::ByAnyone => "lock-release:by-anyone",
                };
                let again = match again {
                    Again::Waits => "lock-again:waits",
                    Again::Refused => "lock-again:refused",
                };
                vec![release, again]
            }
            Self::Semaphore(SemaphoreModel { is_tracked: true, .. }) => {
                vec!["semaphore-death:units-return"]
            }
            Self::Semaphore(_) => vec!["semaphore-death:units-stay"],
            Self::Condition(_) => vec!["condition-wakeup:exact", "condition-notify:by-holder"],
            _ => Vec::new(),
        }
    }

    /// The same kind in another size, where it has any.
    #[must_use]
    pub fn resized(self, draw: &mut Draw) -> Self {
        match self {
            Self::Semaphore(model) => {
                // A tracked one of none could never be taken.
                let least = usize::from(model.is_tracked);
                let start_count = small(least + draw.below(3));
                Self::Semaphore(SemaphoreModel { start_count, ..model })
            }
            Self::Barrier(_) => {
                let party_count = draw.weighted(&[(10, 1), (50, 2), (40, 3)]);
                Self::Barrier(BarrierModel { party_count })
            }
            Self::Queue(model) => {
                let bounds = [(30, Some(1)), (30, Some(2)), (20, Some(3)), (20, None)];
                Self::Queue(QueueModel { bound: draw.weighted(&bounds), ..model })
            }
            other => other,
        }
    }

    /// What it is made with.
    #[must_use]
    pub fn args(&self) -> Arguments {
        let named = match self {
            Self::Semaphore(model) => Some(("value", model.start_count)),
            Self::Barrier(model) => Some(("parties", model.party_count)),
            Self::Queue(model) => model.bound.map(|bound| ("bound", bound)),
            _ => None,
        };
        named.map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect()
    }

    /// What is drawn: most of it is what callers do that mean well. A short limit costs its time.
    #[must_use]
    pub const fn ops(&self) -> &'static [(usize, Op)] {
        match self {
            Self::Lock(_) => LOCK_OPS,
            Self::RLock(_) => RLOCK_OPS,
            Self::Semaphore(SemaphoreModel { is_tracked: false, .. }) => SEMAPHORE_OPS,
            Self::Semaphore(_) => TRACKED_OPS,
            Self::Event(_) => EVENT_OPS,
            Self::Condition(_) => CONDITION_OPS,
            Self::Barrier(_) => BARRIER_OPS,
            Self::Queue(QueueModel { is_joinable: true, .. }) => JOINABLE_OPS,
            Self::Queue(_) => QUEUE_OPS,
        }
    }

    /// Who has what only one can have.
    #[must_use]
    pub fn holder(&self, state: &State) -> Option<Actor> {
        let hold = match state {
            State::Lock(state) => state.hold,
            State::RLock(state) => state.hold,
            State::Condition(state) => state.lock.hold,
            State::Semaphore(state) => return state.owner(),
            State::Event(_) | State::Barrier(_) | State::Queue(_) => return None,
        };
        match hold {
            Hold::By(holder) => Some(holder),
            Hold::Free | Hold::Left => None,
        }
    }

    /// Whether the calls and the deaths of two who wait would come to the same here.
    #[must_use]
    pub fn has_alike(&self, state: &State, one: Actor, other: Actor) -> bool {
        match state {
            State::Semaphore(state) => state.has_alike(one, other),
            State::Lock(state) => state.hold.has_alike(one, other),
            State::RLock(state) => state.hold.has_alike(one, other),
            State::Condition(state) => state.lock.hold.has_alike(one, other),
            State::Event(_) | State::Barrier(_) | State::Queue(_) => true,
        }
    }

    /// Whether an owner died, and nobody has vouched for the data since.
    #[must_use]
    pub const fn is_suspect(&self, state: &State) -> bool {
        match state {
            State::Lock(state) => state.is_suspect,
            State::RLock(state) => state.is_suspect,
            State::Condition(state) => state.lock.is_suspect,
            State::Semaphore(_) | State::Event(_) | State::Barrier(_) | State::Queue(_) => false,
        }
    }

    /// Whether it is a barrier that lets nobody through.
    #[must_use]
    pub const fn is_broken(&self, state: &State) -> bool {
        matches!(state, State::Barrier(state) if state.is_broken)
    }

    /// Whether some wait for a notify.
    #[must_use]
    pub fn has_sleepers(&self, state: &State) -> bool {
        matches!(state, State::Condition(state) if state.has_sleepers())
    }

    /// Whether what comes of this call depends on more than the model knows.
    #[must_use]
    pub fn is_open(&self, state: &State, call: &Call) -> bool {
        match (self, state) {
            (_, State::Condition(state)) => state.is_open(call),
            (Self::Queue(model), State::Queue(state)) => model.is_open(state, call),
            _ => false,
        }
    }

    /// Whether nobody but the caller could let it in.
    #[must_use]
    pub fn waits_for_itself(&self, state: &State, call: &Call) -> bool {
        match (self, state) {
            (Self::Lock(model), State::Lock(state)) => {
                model.release == Release::ByHolder && state.hold == Hold::By(call.by)
            }
            _ => false,
        }
    }

    /// Whether what its callers are told is explained by points of time at which their calls take
    /// effect, one each. A wait for a notify, or for a barrier, has two.
    #[must_use]
    pub const fn has_bursts(&self) -> bool {
        !matches!(self, Self::Condition(_) | Self::Barrier(_))
    }

    /// Whether a burst may begin with one that has it, and others that wait.
    #[must_use]
    pub const fn has_crowds(&self) -> bool {
        matches!(self, Self::Lock(_) | Self::RLock(_))
    }

    /// Which call lets somebody in who waits, and who has to make it, if that matters.
    #[must_use]
    pub fn lets_in(&self, state: &State) -> Option<(Option<Actor>, Op)> {
        match (self, state) {
            (Self::Lock(model), State::Lock(LockState { hold: Hold::By(holder), .. })) => {
                // Whoever waits for itself does so for ever, but where another may release.
                let is_by_anyone = model.release == Release::ByAnyone;
                Some((if is_by_anyone { None } else { Some(*holder) }, Op::Release))
            }
            (Self::RLock(_), State::RLock(RLockState { hold: Hold::By(holder), .. })) => {
                Some((Some(*holder), Op::Release))
            }
            (Self::Semaphore(model), State::Semaphore(state)) if state.is_empty() => {
                // A bounded one of none has no room for what a release would give.
                let has_room = !model.is_bounded || model.start_count > 0;
                let by = if model.is_tracked { state.owner() } else { None };
                has_room.then_some((by, Op::Release))
            }
            (Self::Event(_), State::Event(state)) if !state.is_set => Some((None, Op::Set)),
            (Self::Queue(_), State::Queue(state)) if state.has_undone() => {
                Some((None, Op::TaskDone))
            }
            (Self::Queue(_), State::Queue(state)) if state.is_empty() => {
                Some((None, Op::Put(0, Limit::None)))
            }
            (Self::Queue(model), State::Queue(state)) if !model.has_room(state) => {
                Some((None, Op::TryGet))
            }
            _ => None,
        }
    }

    /// A few calls that belong together, for a burst.
    pub(super) fn round(&self, draw: &mut Draw) -> Vec<Op> {
        if matches!(self, Self::Event(_) | Self::Queue(_)) {
            return vec![draw::op(draw, *self), draw::op(draw, *self)];
        }
        let mut round = vec![draw.weighted(ACQUIRES)];
        if draw.percent(25) {
            round.push(Op::Recover);
        }
        if matches!(self, Self::RLock(_)) && draw.percent(25) {
            round.extend([draw.weighted(ACQUIRES), Op::Release]);
        }
        round.push(Op::Release);
        round
    }
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

const LOCK_OPS: &[(usize, Op)] = &[
    (28, Op::Acquire(Limit::None)),
    (6, Op::Acquire(Limit::Long)),
    (4, Op::Acquire(Limit::Short)),
    (6, Op::Acquire(Limit::Zero)),
    (10, Op::Try),
    (38, Op::Release),
    (8, Op::Recover),
];

const RLOCK_OPS: &[(usize, Op)] = &[
    (30, Op::Acquire(Limit::None)),
    (4, Op::Acquire(Limit::Long)),
    (3, Op::Acquire(Limit::Short)),
    (5, Op::Acquire(Limit::Zero)),
    (8, Op::Try),
    (36, Op::Release),
    (6, Op::Recover),
    (8, Op::Depth),
];

const SEMAPHORE_OPS: &[(usize, Op)] = &[
    (30, Op::Acquire(Limit::None)),
    (5, Op::Acquire(Limit::Long)),
    (4, Op::Acquire(Limit::Short)),
    (5, Op::Acquire(Limit::Zero)),
    (10, Op::Try),
    (28, Op::Release),
    (10, Op::ReleaseMany(2)),
    (8, Op::Value),
];

const TRACKED_OPS: &[(usize, Op)] = &[
    (36, Op::Acquire(Limit::None)),
    (5, Op::Acquire(Limit::Long)),
    (4, Op::Acquire(Limit::Short)),
    (5, Op::Acquire(Limit::Zero)),
    (10, Op::Try),
    (40, Op::Release),
];

const EVENT_OPS: &[(usize, Op)] = &[
    (34, Op::Wait(Limit::None)),
    (6, Op::Wait(Limit::Long)),
    (5, Op::Wait(Limit::Short)),
    (6, Op::Wait(Limit::Zero)),
    (20, Op::Set),
    (20, Op::Clear),
    (9, Op::IsSet),
];

const CONDITION_OPS: &[(usize, Op)] = &[
    (24, Op::Acquire(Limit::None)),
    (5, Op::Try),
    (18, Op::Release),
    (5, Op::Recover),
    (24, Op::Wait(Limit::None)),
    (3, Op::Wait(Limit::Long)),
    (3, Op::Wait(Limit::Short)),
    (3, Op::Wait(Limit::Zero)),
    (8, Op::Notify(1)),
    (3, Op::Notify(2)),
    (4, Op::NotifyAll),
];

const BARRIER_OPS: &[(usize, Op)] = &[
    (60, Op::Wait(Limit::None)),
    (6, Op::Wait(Limit::Long)),
    (4, Op::Wait(Limit::Short)),
    (4, Op::Wait(Limit::Zero)),
    (5, Op::Abort),
    (9, Op::Reset),
    (6, Op::IsBroken),
    (6, Op::Waiting),
];

const QUEUE_OPS: &[(usize, Op)] = &[
    (30, Op::Put(0, Limit::None)),
    (4, Op::Put(0, Limit::Long)),
    (4, Op::Put(0, Limit::Short)),
    (4, Op::Put(0, Limit::Zero)),
    (8, Op::TryPut(0)),
    (30, Op::Get(Limit::None)),
    (4, Op::Get(Limit::Long)),
    (4, Op::Get(Limit::Short)),
    (4, Op::Get(Limit::Zero)),
    (8, Op::TryGet),
    (3, Op::Shutdown(false)),
    (2, Op::Shutdown(true)),
];

const JOINABLE_OPS: &[(usize, Op)] = &[
    (24, Op::Put(0, Limit::None)),
    (4, Op::Put(0, Limit::Short)),
    (8, Op::TryPut(0)),
    (18, Op::Get(Limit::None)),
    (4, Op::Get(Limit::Short)),
    (8, Op::TryGet),
    (24, Op::TaskDone),
    (10, Op::Join(Limit::None)),
    (2, Op::Join(Limit::Long)),
    (3, Op::Join(Limit::Short)),
    (4, Op::Join(Limit::Zero)),
];

const ACQUIRES: &[(usize, Op)] = &[
    (60, Op::Acquire(Limit::None)),
    (10, Op::Acquire(Limit::Long)),
    (10, Op::Acquire(Limit::Short)),
    (5, Op::Acquire(Limit::Zero)),
    (15, Op::Try),
];
