//! Every way in which the subjects here are wrong, but for what concerns one further kind alone and
//! stands in that kind's file. Each has its one place: in the lock (`lock.rs`), in the server that
//! sees deaths (`server.rs`), or in the client (`client.rs`, `handle.rs`). What makes sense for
//! several kinds, such as a release that wakes nobody, is one fault and has a place in each.

use std::time::Duration;

/// What a lock's kind promises where implementations may rightly differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Side {
    /// Only the holder releases, and waits when it acquires again.
    #[default]
    ByHolder,
    /// Anyone releases.
    ByAnyone,
    /// Only the holder releases, and is refused when it acquires again.
    Checked,
}

/// Lists faults: an enum `Fault`, whose first value is none, and the names of all others.
macro_rules! faults {
    ($($(#[doc = $says:literal])+ $fault:ident = $name:literal,)+) => {
        /// What is wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub(crate) enum Fault {
            /// Nothing, as far as this list knows.
            #[default]
            None,
            $($(#[doc = $says])+ $fault,)+
        }

        /// The names.
        pub(crate) const NAMES: &[&str] = &[$($name,)+];

        impl Fault {
            /// What is wrong with the subject of this name.
            pub(crate) fn named(name: &str) -> Self {
                match name {
                    $($name => Self::$fault,)+
                    _ => Self::None,
                }
            }
        }
    };
}

pub(super) use faults;

faults! {
    // Taking it.
    /// Who waits keeps processors busy.
    WaitBurns = "fault-wait-burns",
    /// A new lock tells of a death.
    BornSuspect = "fault-born-suspect",
    /// All names lead to one lock.
    OneForAll = "fault-one-for-all",
    /// An acquire of a held lock succeeds.
    NeverBlocks = "fault-never-blocks",
    /// An acquire of a held lock succeeds after 40 ms; so does any other wait without a limit.
    NapsThenTakes = "fault-naps-then-takes",
    /// An acquire succeeds and leaves the lock free.
    AcquireTakesNothing = "fault-acquire-takes-nothing",
    /// The holder's own acquire succeeds.
    Recursive = "fault-recursive",
    /// After 500 acquires there are no more.
    WearsOut = "fault-wears-out",
    /// A try succeeds and leaves the lock free.
    TryTakesNothing = "fault-try-takes-nothing",
    /// A try succeeds also when the lock is held.
    TryAlwaysTaken = "fault-try-always-taken",
    /// A try waits like an acquire.
    TryWaits = "fault-try-waits",
    /// A try with a time limit waits so long.
    TryHonoursLimit = "fault-try-honours-limit",
    /// Threads of one process hold it together.
    ThreadsShareHold = "fault-threads-share-hold",
    /// The state says that one's own hold is another's.
    StateKnowsNoHolder = "fault-state-knows-no-holder",
    /// Another mapping of the same memory is another lock.
    TwinIsAnother = "fault-twin-is-another",
    /// What was taken by one mapping cannot be given back by another.
    TwinCannotRelease = "fault-twin-cannot-release",
    /// An impossible state counts as free.
    DamageUnseen = "fault-damage-unseen",
    /// The lock ends with the process that made it.
    EndsWithMaker = "fault-ends-with-maker",
    /// A child that an actor starts gets a lock of its own.
    ChildGetsCopy = "fault-child-gets-copy",
    /// A program that is executed anew gets a lock of its own.
    SpawnGetsCopy = "fault-spawn-gets-copy",

    // Time limits.
    /// A time limit is over after a hundredth of it.
    GivesUpEarly = "fault-gives-up-early",
    /// Who timed out is still served, and never releases.
    TimeoutLeavesTicket = "fault-timeout-leaves-ticket",
    /// A time limit of zero fails also when the lock is free.
    ZeroNeverTakes = "fault-zero-never-takes",
    /// A time limit of zero is none.
    ZeroIsForever = "fault-zero-is-forever",
    /// A negative time limit is none.
    NegativeIsForever = "fault-negative-is-forever",
    /// An acquire with a time limit takes a free lock only when the limit is over.
    LimitIsSatOut = "fault-limit-is-sat-out",
    /// A release wakes nobody who waits with a time limit.
    TimedNotWoken = "fault-timed-not-woken",
    /// A time limit of more than 2^31 s is over at once.
    HugeWraps = "fault-huge-wraps",
    /// A time limit of more than 2^60 s is refused.
    HugeRefused = "fault-huge-refused",
    /// An infinite time limit is over at once.
    InfinityIsZero = "fault-infinity-is-zero",
    /// A time limit that is no number is one of zero.
    NanIsZero = "fault-nan-is-zero",
    /// A waiter that loses a race begins its time limit anew.
    LimitRestarts = "fault-limit-restarts",
    /// A waiter that loses a race gives up.
    LoserGivesUp = "fault-loser-gives-up",
    /// A signal ends a time limit.
    SignalCuts = "fault-signal-cuts",
    /// A signal begins a time limit anew.
    SignalRestarts = "fault-signal-restarts",
    /// When the third waiter has given up, the holder loses the lock.
    PatienceEnds = "fault-patience-ends",
    /// An interrupted waiter is still served.
    InterruptLeavesTicket = "fault-interrupt-leaves-ticket",

    // Giving it back.
    /// A release wakes nobody.
    LostWake = "fault-lost-wake",
    /// A release lets all waiters in.
    WakeAdmitsAll = "fault-wake-admits-all",
    /// A release lets one waiter in and forgets the others.
    WakeForgetsOthers = "fault-wake-forgets-others",
    /// A release takes effect first, and wakes a little later; who dies between wakes nobody.
    WakeInTwoSteps = "fault-wake-in-two-steps",
    /// Who is woken takes a little later; who dies between leaves the others asleep.
    WakeDiesWithWoken = "fault-wake-dies-with-woken",
    /// A release does not return before the woken one runs.
    WakeWaitsForWoken = "fault-wake-waits-for-woken",
    /// A release of a free lock counts, so that two get in later.
    ReleaseCounts = "fault-release-counts",
    /// A release of a free lock is not refused.
    ReleaseNeverRefused = "fault-release-never-refused",
    /// Whoever releases, the lock is free.
    ReleaseByAnyone = "fault-release-by-anyone",
    /// Any thread of the holder's process releases it.
    ReleaseByProcess = "fault-release-by-process",
    /// After a forced release the former holder can release, too.
    ForcedHolderStays = "fault-forced-holder-stays",
    /// A forced release is not told.
    ForcedUntold = "fault-forced-untold",
    /// A lock that anyone may release is released by its taker only.
    TakerMustRelease = "fault-taker-must-release",
    /// The death of who took it counts after it was handed over.
    FormerTakerCounts = "fault-former-taker-counts",
    /// A holder that acquires again need not wait.
    SecondAcquireTakes = "fault-second-acquire-takes",
    /// A holder that acquires again is left to wait for itself.
    SelfDeadlockWaits = "fault-self-deadlock-waits",
    /// A holder that acquires again is refused, and holds it no more.
    SelfDeadlockReleases = "fault-self-deadlock-releases",

    // Guards and handles.
    /// A guard lets go at once.
    GuardLetsGo = "fault-guard-lets-go",
    /// A guard never lets go.
    GuardKeeps = "fault-guard-keeps",
    /// A guard that is left by a failure does not let go.
    GuardKeepsOnFailure = "fault-guard-keeps-on-failure",
    /// A guard's entry does not wait.
    GuardNeverWaits = "fault-guard-never-waits",
    /// Dropping the handle of a held lock never comes back.
    DropHangs = "fault-drop-hangs",
    /// Who drops its last handle still holds the lock.
    DropKeeps = "fault-drop-keeps",

    // Forks.
    /// A forked child acts in its parent's name.
    ChildIsParent = "fault-child-is-parent",
    /// A forked child's copy of a guard releases.
    GuardCopyReleases = "fault-guard-copy-releases",
    /// While a forked child lives, its parent seems to.
    ChildKeepsParentAlive = "fault-child-keeps-parent-alive",
    /// Nobody sees a forked child's death.
    ForkedDeathUnseen = "fault-forked-death-unseen",

    // Deaths.
    /// A dead holder holds for ever.
    IgnoresDeaths = "fault-ignores-deaths",
    /// A death is told to later callers, and to no waiter.
    DeathWakesNobody = "fault-death-wakes-nobody",
    /// A death wakes nobody who waits with a time limit.
    DeathWakesNoTimed = "fault-death-wakes-no-timed",
    /// A death lets all waiters in.
    DeathAdmitsAll = "fault-death-admits-all",
    /// A death lets one waiter in and forgets the others.
    DeathForgetsOthers = "fault-death-forgets-others",
    /// A death frees the lock without a word.
    DeathUntold = "fault-death-untold",
    /// A try is refused while nobody has recovered.
    TryRefusedAfterDeath = "fault-try-refused-after-death",
    /// Who is told of a death does not hold the lock.
    ToldButNotHeld = "fault-told-but-not-held",
    /// The warning is used up by being read.
    ForgetsTheWarning = "fault-forgets-the-warning",
    /// The warning cannot be cleared.
    WarningStays = "fault-warning-stays",
    /// Anyone clears the warning.
    RecoverByAnyone = "fault-recover-by-anyone",
    /// A recover where nothing is to be recovered is refused.
    RecoverOfSoundRefused = "fault-recover-of-sound-refused",
    /// The tenth death in a row is not seen.
    TenthDeathUnseen = "fault-tenth-death-unseen",
    /// A holder that ends by itself has released.
    ExitReleases = "fault-exit-releases",
    /// A holder that ends by a crash has released.
    CrashReleases = "fault-crash-releases",
    /// A holder that executes another program still holds.
    ExecKeeps = "fault-exec-keeps",
    /// A thread that ends still holds.
    ThreadEndKeeps = "fault-thread-end-keeps",
    /// Who was not collected is not dead.
    ZombieLives = "fault-zombie-lives",
    /// Who is stopped is dead.
    StoppedIsDead = "fault-stopped-is-dead",
    /// Who is stopped holds up all others.
    StoppedHoldsUpAll = "fault-stopped-holds-up-all",
    /// Whose first thread has ended is dead.
    FirstThreadIsAll = "fault-first-thread-is-all",
    /// Of a dead holder's locks five are found.
    FindsFive = "fault-finds-five",
    /// Of a dead holder's locks 2048 are found.
    FindsTwoThousand = "fault-finds-two-thousand",
    /// The death of a waiter is told like one of a holder.
    WaiterDeathPoisons = "fault-waiter-death-poisons",
    /// A dead waiter is still served.
    WaiterDeathKeepsTicket = "fault-waiter-death-keeps-ticket",
    /// Who was woken and has done nothing yet dies unseen.
    WokenDeathUnseen = "fault-woken-death-unseen",
    /// To take it and to be known as its holder are two steps.
    TakesInTwoSteps = "fault-takes-in-two-steps",
    /// After 600 users there is no place for another.
    PlacesRunOut = "fault-places-run-out",

    // Names.
    /// To open a name that nobody made makes it.
    OpenMakes = "fault-open-makes",
    /// Each that opens a name has a lock of its own.
    NamesApart = "fault-names-apart",
    /// Each that makes a name has a lock of its own, taken or not.
    NameMadeTwice = "fault-name-made-twice",
    /// What is opened as a lock is taken for one.
    KindUnchecked = "fault-kind-unchecked",

    // No lock can break this: how a process ended is falsified.
    /// Who ended by itself had the status 1.
    ExitStatusLost = "false-exit-status",
    /// Who was ended by a signal was ended by another.
    SignalLost = "false-signal-number",
}

impl Fault {
    /// How long what is free waits for newcomers, where waiters do not come first.
    pub(crate) const fn grace(self) -> Duration {
        match self {
            Self::LimitRestarts | Self::LoserGivesUp => Duration::from_millis(300),
            _ => Duration::ZERO,
        }
    }

    /// The side of the subject that has it.
    pub(crate) const fn side(self) -> Side {
        match self {
            Self::TakerMustRelease | Self::FormerTakerCounts | Self::SecondAcquireTakes => {
                Side::ByAnyone
            }
            Self::SelfDeadlockWaits | Self::SelfDeadlockReleases => Side::Checked,
            _ => Side::ByHolder,
        }
    }
}
