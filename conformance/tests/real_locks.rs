//! Random programs of one caller on the real locks, held against the model. A death is played by
//! dropping the last handle, and whoever comes fresh opens the lock anew.
//!
//! What fails is shrunk and printed as a case. The numbers are the same in every run.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use purlin_conformance::model::call::{Limit, Op, Told};
use purlin_conformance::model::ground::Ground;
use purlin_conformance::model::kind::Kind;
use purlin_conformance::model::lock::{Again, LockModel, Release};
use purlin_conformance::model::plan::{Move, Plan, What};
use purlin_conformance::protocol::How;
use purlin_conformance::report::random::case;
use purlin_conformance::script::{Action, Expected, Script};
use purlin_sync::{
    Acquired, ByAnyone, ByHolder, ByThread, Deadline, Error, Exclusive, Rules, Told as Held,
};

const BY_HOLDER: LockModel = LockModel { release: Release::ByHolder, again: Again::Waits };
const BY_ANYONE: LockModel = LockModel { release: Release::ByAnyone, again: Again::Waits };
const CHECKED: LockModel = LockModel { release: Release::ByHolder, again: Again::Refused };

#[test]
fn a_lock_does_what_the_model_says() {
    holds::<ByHolder>(BY_HOLDER);
}

#[test]
fn a_handover_lock_does_what_the_model_says() {
    holds::<ByAnyone>(BY_ANYONE);
}

#[test]
fn a_checked_lock_does_what_the_model_says() {
    holds::<ByThread>(CHECKED);
}

/// The checked lock is no plain lock: the difference is found, and made as small as can be.
#[test]
fn a_lock_of_another_contract_is_found_out() {
    let found = first_wrong(BY_HOLDER, agrees_with::<ByThread>);
    let found = found.expect("nobody noticed that a second acquire is refused");
    let script = found.script(&ground(BY_HOLDER)).to_string();
    let lines: Vec<&str> = script.lines().skip(2).collect();
    let [first, second] = lines[..] else { panic!("{script}") };
    assert!(first.ends_with("-> ok"), "{script}");
    assert_eq!(second, "a: lock.acquire(timeout=0.01) -> timed-out after 10ms");
}

/// A lock whose warning is used up by being read; shrunk to the six steps that show it.
#[test]
fn a_forgetful_lock_is_found_out() {
    let found = first_wrong(BY_HOLDER, |script| play(script, &mut Forgetful(Real::new())));
    let found = found.expect("nobody noticed that the warning is used up");
    let script = found.script(&ground(BY_HOLDER));
    let expected: Vec<String> = script.steps.iter().map(ToString::to_string).collect();
    assert_eq!(expected.len(), 6, "{script}");
    assert_eq!(expected[1..3], ["kill a", "fresh a"]);
    assert!(expected[3].ends_with("-> owner-died"), "{script}");
    assert_eq!(expected[4], "a: lock.release() -> ok");
    assert!(expected[5].ends_with("-> owner-died"), "{script}");
}

fn holds<R: Rules>(model: LockModel) {
    if let Some(plan) = first_wrong(model, agrees_with::<R>) {
        let ground = ground(model);
        let script = plan.script(&ground);
        let why = agrees_with::<R>(&script).err().unwrap_or_default();
        panic!("{why}\n{}", case("lock/found-alone", &script, &ground));
    }
}

/// The first plan that the lock does not play as the model does, shrunk.
fn first_wrong(model: LockModel, agrees: impl Fn(&Script) -> Result<(), String>) -> Option<Plan> {
    let config = Config { cases: 500, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let ground = ground(model);
    let ran = runner.run(&plans(Kind::Lock(model)), |plan| {
        agrees(&plan.script(&ground)).map_err(TestCaseError::fail)
    });
    match ran {
        Ok(()) => None,
        Err(TestError::Fail(_, plan)) => Some(plan.pruned(&ground)),
        Err(TestError::Abort(why)) => panic!("no programs were drawn: {why}"),
    }
}

/// One caller, in whose place others come.
fn plans(model: Kind) -> impl Strategy<Value = Plan> {
    let ops = [
        Op::Try,
        Op::Release,
        Op::Recover,
        Op::Acquire(Limit::Zero),
        Op::Acquire(Limit::None),
        Op::Acquire(Limit::Short),
    ];
    let what = prop_oneof![
        8 => select(ops.to_vec()).prop_map(|op| What::Call { object: 0, op }),
        1 => Just(What::Kill),
        2 => Just(What::Fresh),
    ];
    let moves = vec(what.prop_map(|what| Move { slot: 0, what }), 0..25);
    moves.prop_map(move |moves| Plan { model, slot_count: 1, object_count: 1, moves })
}

fn ground(model: LockModel) -> Ground {
    Ground {
        model: Kind::Lock(model),
        kind: "lock".to_owned(),
        operations: ["acquire", "try", "release", "recover"].map(str::to_owned).to_vec(),
        how: How::Fork,
        has_deaths: true,
        can_drop: false,
        can_end: false,
    }
}

/// A lock under test, as one caller after the other has it.
trait Subject {
    fn call(&mut self, op: Op) -> Told;
    /// The caller is gone; somebody else comes.
    fn replace_caller(&mut self);
}

fn agrees_with<R: Rules>(script: &Script) -> Result<(), String> {
    play(script, &mut Real::<R>::new())
}

/// Plays a script of one caller; says where the lock does something else.
fn play(script: &Script, subject: &mut dyn Subject) -> Result<(), String> {
    for step in &script.steps {
        match &step.action {
            // Whoever waits for itself would do so for ever: here the program ends.
            Action::Call { expected: Expected::Blocked { .. }, .. } => return Ok(()),
            Action::Call { op, args, expected: Expected::Outcome { any_of, .. }, .. } => {
                let told = subject.call(Op::read(op, args).expect("no such call is drawn"));
                if !any_of.contains(&told.outcome()) {
                    return Err(format!("{step}, and came {told}"));
                }
            }
            Action::Kill { .. } => {}
            Action::Fresh { .. } => subject.replace_caller(),
            other => return Err(format!("no program has {other:?}")),
        }
    }
    Ok(())
}

/// A lock of purlin.
struct Real<R: Rules> {
    lock: Option<Exclusive<R>>,
}

impl<R: Rules> Real<R> {
    fn new() -> Self {
        Self { lock: Some(Exclusive::new().unwrap()) }
    }
}

impl<R: Rules> Subject for Real<R> {
    fn call(&mut self, op: Op) -> Told {
        let lock = self.lock.as_ref().expect("there is a caller");
        match op {
            Op::Acquire(limit) => {
                let limit = limit.seconds().map(Duration::from_secs_f64);
                taken(lock.acquire(limit.map_or_else(Deadline::never, Deadline::after)))
            }
            Op::Try => taken(lock.try_acquire()),
            Op::Release => done(lock.release()),
            Op::Recover => done(lock.recover()),
            other => unreachable!("no call of a lock: {other:?}"),
        }
    }

    fn replace_caller(&mut self) {
        let lock = self.lock.take().expect("there is a caller");
        let (segment, offset) = (lock.segment(), lock.offset());
        drop(lock);
        self.lock = Some(Exclusive::open(&segment, offset).unwrap());
    }
}

fn taken<R: Rules>(acquired: Result<Acquired<'_, R>, Error>) -> Told {
    match acquired.map(Acquired::keep) {
        Ok(Held::Held) => Told::Ok,
        Ok(Held::OwnerDied) => Told::OwnerDied,
        Err(error) => refused(error),
    }
}

fn done(result: Result<(), Error>) -> Told {
    result.map_or_else(refused, |()| Told::Ok)
}

fn refused(error: Error) -> Told {
    Told::from_word(error.kind()).unwrap_or_else(|| panic!("no lock is told {error}"))
}

/// Wrong on purpose: who is told of a death has vouched for the data by that.
struct Forgetful(Real<ByHolder>);

impl Subject for Forgetful {
    fn call(&mut self, op: Op) -> Told {
        let told = self.0.call(op);
        if told == Told::OwnerDied {
            self.0.call(Op::Recover);
        }
        told
    }

    fn replace_caller(&mut self) {
        self.0.replace_caller();
    }
}
