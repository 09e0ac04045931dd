//! A barrier: its rounds are the server's (`barrier/machine.rs`), its action is run by an actor.

mod machine;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use purlin_conformance::serve::{Arguments, CallResult, Function, Functions, Object};
use serde_json::Value;

use super::client::Context;
use super::fault::faults;
use super::handle::Handle;
use super::kind::{Kind, Made};

faults! {
    // Meeting.
    /// One party less is enough.
    OneMayMiss = "fault-barrier-one-may-miss",
    /// Every tenth round one party less is enough.
    TenthIsEarly = "fault-barrier-tenth-is-early",
    /// Every hundredth round forgets who came first.
    HundredthForgetsOne = "fault-barrier-hundredth-forgets-one",
    /// A barrier of one waits for another.
    OneIsTwo = "fault-barrier-one-is-two",
    /// A barrier of none is one of one.
    NoneIsOne = "fault-barrier-none-is-one",
    /// A barrier of less than none is one of as many.
    SignIsDropped = "fault-barrier-sign-is-dropped",
    /// Threads of one process are one party.
    ProcessIsParty = "fault-barrier-process-is-party",
    /// Who comes next behind a round passes with it.
    NextPassesToo = "fault-barrier-next-passes-too",
    /// While one of the last round is stopped, who comes passes with it.
    StaysOpenForStopped = "fault-barrier-stays-open-for-stopped",
    /// Who is stopped has not come.
    StoppedIsAway = "fault-barrier-stopped-is-away",
    /// The child of who waits is a party.
    ChildIsParty = "fault-barrier-child-is-party",

    // What it says.
    /// A number is given twice.
    NumberTwice = "fault-barrier-number-twice",
    /// The numbers begin at one.
    NumbersFromOne = "fault-barrier-numbers-from-one",
    /// The numbers run on from round to round.
    NumbersRunOn = "fault-barrier-numbers-run-on",
    /// After a reset there is a party less.
    PartiesShrink = "fault-barrier-parties-shrink",
    /// Nobody is ever said to wait.
    NobodyWaits = "fault-barrier-nobody-waits",
    /// Those that a round had are said to wait behind it.
    WaitingStays = "fault-barrier-waiting-stays",
    /// The dead are said to wait.
    DeadWait = "fault-barrier-dead-wait",
    /// It is never said to be broken.
    BrokenUnsaid = "fault-barrier-broken-unsaid",

    // Actions.
    /// The action is never run.
    ActionNever = "fault-barrier-action-never",
    /// The action is run twice.
    ActionTwice = "fault-barrier-action-twice",
    /// Each party runs the action.
    ActionByEach = "fault-barrier-action-by-each",
    /// The others pass before the action has ended.
    ActionIsLate = "fault-barrier-action-is-late",
    /// An action that fails has ended, for the others.
    FailureUnseen = "fault-barrier-failure-unseen",
    /// An action that fails breaks the round, and not the barrier.
    FailureBreaksOnce = "fault-barrier-failure-breaks-once",
    /// An action's failure is no more than a broken barrier to who ran it.
    FailureIsBroken = "fault-barrier-failure-is-broken",
    /// An action waits at its own barrier.
    ActionMayWait = "fault-barrier-action-may-wait",
    /// While the action runs nobody's limit passes.
    ActionHoldsLimits = "fault-barrier-action-holds-limits",
    /// When who runs the action dies, another runs it.
    ActionRunsAgain = "fault-barrier-action-runs-again",
    /// When who runs the action dies, nobody is told.
    RunnerDeathUntold = "fault-barrier-runner-death-untold",

    // Limits.
    /// A limit that passes breaks nothing.
    LimitBreaksNothing = "fault-barrier-limit-breaks-nothing",
    /// A limit that passes breaks the round, and not the barrier.
    LimitBreaksOnce = "fault-barrier-limit-breaks-once",
    /// A limit that passes breaks the barrier, and nobody is told who waits.
    LimitFreesNobody = "fault-barrier-limit-frees-nobody",
    /// Whose limit passes is not told that the barrier is broken.
    LimitIsTimedOut = "fault-barrier-limit-is-timed-out",
    /// Whose limit has passed counts as come.
    ExpiredCount = "fault-barrier-expired-count",
    /// The limit of the making counts for nothing.
    MadeLimitIsNone = "fault-barrier-made-limit-is-none",
    /// The limit of the making counts for all.
    MadeLimitIsAll = "fault-barrier-made-limit-is-all",

    // Abort and reset.
    /// An abort does nothing.
    AbortForgotten = "fault-barrier-abort-forgotten",
    /// An abort breaks the round, and not the barrier.
    AbortBreaksOnce = "fault-barrier-abort-breaks-once",
    /// An abort wakes nobody.
    AbortFreesNobody = "fault-barrier-abort-frees-nobody",
    /// A second abort mends.
    AbortToggles = "fault-barrier-abort-toggles",
    /// Who comes to a broken barrier with a limit waits for that.
    BrokenIsSatOut = "fault-barrier-broken-is-sat-out",
    /// A reset wakes nobody.
    ResetFreesNobody = "fault-barrier-reset-frees-nobody",
    /// A reset lets who waits pass.
    ResetLetsPass = "fault-barrier-reset-lets-pass",
    /// A reset under which somebody waits leaves it broken.
    ResetBreaks = "fault-barrier-reset-breaks",
    /// A reset of a whole one breaks it.
    IdleResetBreaks = "fault-barrier-idle-reset-breaks",
    /// A reset does not mend.
    ResetMendsNothing = "fault-barrier-reset-mends-nothing",
    /// Who leaves a round looks once more, and finds a reset.
    ResetHitsLeavers = "fault-barrier-reset-hits-leavers",
    /// Who leaves a round looks once more, and finds an abort.
    AbortHitsLeavers = "fault-barrier-abort-hits-leavers",

    // Deaths.
    /// A death breaks the round, and not the barrier.
    DeathBreaksOnce = "fault-barrier-death-breaks-once",
    /// The death of one that has left a round breaks it for those who leave behind it.
    DeathHitsLeavers = "fault-barrier-death-hits-leavers",
    /// The death of anybody breaks it.
    AnyDeathBreaks = "fault-barrier-any-death-breaks",
    /// After a reset the dead count.
    ResetCallsTheDead = "fault-barrier-reset-calls-the-dead",
    /// Abort and reset wait for the dead to leave.
    DeadMustLeave = "fault-barrier-dead-must-leave",
    /// Who dies after an abort or a reset of its own has left it locked.
    DeadCallerHolds = "fault-barrier-dead-caller-holds",
    /// Nobody notes who has enrolled.
    EnrolmentForgotten = "fault-barrier-enrolment-forgotten",
}

/// A barrier, with the action and the limit that it is made with.
pub(super) const KIND: Kind = Kind {
    name: "barrier",
    form: None,
    operations: &["wait", "abort", "reset", "parties", "waiting", "is_broken", "enroll"],
    waits: &["wait"],
    is_polled: false, // a wait without a time to wait breaks it
    guard: None,
    machine: Some(machine::made),
    object: |made, context| Arc::new(Barrier::new(made, context)),
};

/// The answer to a wait whose caller is to run the action, and to say then how it ended.
const ACT: &str = "act";

/// The action has ended.
const ACTED: &str = "acted";

/// The action has failed.
const FAILED: &str = "failed";

/// As an actor has it.
struct Barrier {
    handle: Handle,
    fault: Fault,
    action: Option<Function>,
    timeout: Option<Value>,
}

impl Barrier {
    fn new(made: &Made, context: Arc<Context>) -> Self {
        let fault = Fault::named(context.name);
        let action = Function::of(&made.args, "action");
        let timeout = made.args.get("timeout").cloned();
        let timeout = timeout.filter(|_| fault != Fault::MadeLimitIsNone);
        Self { handle: Handle::new(made.clone(), context), fault, action, timeout }
    }

    fn wait(&self, args: &Arguments, functions: &mut Functions<'_>) -> CallResult {
        let mut args = args.clone();
        if let Some(timeout) = &self.timeout
            && (!args.contains_key("timeout") || self.fault == Fault::MadeLimitIsAll)
        {
            args.insert("timeout".to_owned(), timeout.clone());
        }
        match (self.handle.wait_for("wait", &args), &self.action) {
            (CallResult::Value(said), Some(action)) if said == ACT => self.act(action, functions),
            (said, _) => said,
        }
    }

    fn act(&self, action: &Function, functions: &mut Functions<'_>) -> CallResult {
        let fails = SaysThatItFailed(&self.handle);
        let ran = if self.fault == Fault::FailureIsBroken {
            catch_unwind(AssertUnwindSafe(|| functions.run(action))).map(|_| ())
        } else {
            functions.run(action);
            Ok(())
        };
        if ran.is_err() {
            return CallResult::failed("barrier-broken", "");
        }
        if self.fault == Fault::ActionTwice {
            functions.run(action);
        }
        std::mem::forget(fails);
        self.handle.ask(ACTED, &Arguments::new())
    }
}

/// Says so when it is not forgotten.
struct SaysThatItFailed<'a>(&'a Handle);

impl Drop for SaysThatItFailed<'_> {
    fn drop(&mut self) {
        self.0.ask(FAILED, &Arguments::new());
    }
}

impl Object for Barrier {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        self.handle.call(op, args)
    }

    fn call_with(&self, op: &str, args: &Arguments, functions: &mut Functions<'_>) -> CallResult {
        if op == "wait" { self.wait(args, functions) } else { self.call(op, args) }
    }
}
