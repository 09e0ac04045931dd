//! Scripts that hold together: each part leaves its actors as it found them.

use proptest::collection::vec;
use proptest::prelude::*;
use purlin_conformance::protocol::How;
use purlin_conformance::script::{
    Action, ActorLine, Arguments, Ended, Expected, Moment, ObjectLine, Origin, Outcome, Program,
    Script, Statement, Step,
};
use serde_json::Value;

use super::NOWHERE;
use super::programs::{MANY_COUNT, call, program};
use super::values::{arguments, blocked, kind, nanos, returned, value};

pub(crate) fn script() -> BoxedStrategy<Script> {
    (arguments(None), vec(parts(None, 2), 1..6))
        .prop_map(|(args, parts)| Script {
            objects: objects(args),
            actors: actors(),
            steps: parts.into_iter().flatten().collect(),
        })
        .boxed()
}

fn objects(args: Arguments) -> Vec<ObjectLine> {
    let object = |name: &str, kind: &str| ObjectLine {
        name: name.to_owned(),
        kind: kind.to_owned(),
        args: Arguments::new(),
        count: None,
        maker: None,
        is_late: false,
        span: NOWHERE,
    };
    vec![
        object("n", "cell"),
        object("lock", "lock"),
        ObjectLine { count: Some(MANY_COUNT), ..object("many", "lock") },
        ObjectLine { args, maker: Some("a".to_owned()), ..object("own", "lock") },
        ObjectLine { maker: Some("b".to_owned()), is_late: true, ..object("late", "lock") },
        object("l", "log"),
    ]
}

/// All but the thread are processes, since some part needs it of each.
fn actors() -> Vec<ActorLine> {
    let actor = |name: &str, origin| ActorLine {
        name: name.to_owned(),
        own_process: !matches!(origin, Origin::ThreadOf(_) | Origin::Main),
        origin,
        span: NOWHERE,
    };
    vec![
        actor("a", Origin::Adapter),
        actor("b", Origin::Adapter),
        actor("d", Origin::Adapter),
        actor("e", Origin::Adapter),
        actor("m", Origin::Main),
        actor("t", Origin::ThreadOf("d".to_owned())),
    ]
}

const ACTORS: [&str; 5] = ["a", "b", "d", "e", "t"];

type Variable = Option<&'static str>;

/// Some steps, `depth` blocks deep at most.
fn parts(variable: Variable, depth: u32) -> BoxedStrategy<Vec<Step>> {
    let flat = prop_oneof![
        4 => one_actor(variable),
        1 => disturbed(),
        1 => ended(),
        1 => one_of(),
        1 => each_of(),
        1 => parallel(variable),
    ];
    if depth == 0 {
        return flat.boxed();
    }
    let inner = vec(parts(variable, depth - 1), 1..3).prop_map(|parts| parts.concat());
    // However they stand within each other, these are fewer rounds than there may be.
    let repeat =
        (1..46_u64, inner).prop_map(|(count, body)| vec![step(Action::Repeat { count, body })]);
    if variable.is_some() {
        return prop_oneof![6 => flat, 1 => repeat].boxed();
    }
    let inner = vec(parts(Some("v"), depth - 1), 1..3).prop_map(|parts| parts.concat());
    let forall = (vec(value(), 1..4), inner).prop_map(|(values, body)| {
        vec![step(Action::Forall { variable: "v".to_owned(), values, body })]
    });
    prop_oneof![6 => flat, 1 => repeat, 1 => forall].boxed()
}

fn step(action: Action) -> Step {
    Step { action, span: NOWHERE }
}

fn actor() -> BoxedStrategy<String> {
    prop::sample::select(&ACTORS[..]).prop_map(str::to_owned).boxed()
}

fn run(actor: &str, program: Program, expected: Expected) -> Step {
    step(Action::Run { actor: actor.to_owned(), program, expected })
}

fn await_it(actor: &str, expected: Expected) -> Step {
    step(Action::Await { actor: actor.to_owned(), expected })
}

fn call_it(actor: &str, statement: Statement, expected: Expected) -> Step {
    match statement {
        Statement::Call { target, op, args, .. } => {
            step(Action::Call { actor: actor.to_owned(), target, op, args, expected })
        }
        other => run(actor, vec![other], expected),
    }
}

/// A call or a program of one actor, awaited at once or later.
fn one_actor(variable: Variable) -> BoxedStrategy<Vec<Step>> {
    let at_once = (actor(), call(variable), returned())
        .prop_map(|(actor, call, expected)| vec![call_it(&actor, call, expected)]);
    let later =
        (actor(), call(variable), prop_oneof![blocked(), Just(Expected::Started)], returned())
            .prop_map(|(actor, call, first, then)| {
                vec![call_it(&actor, call, first), await_it(&actor, then)]
            });
    let programs = (actor(), program(variable))
        .prop_map(|(actor, (program, expected))| vec![run(&actor, program, expected)]);
    let waiting = (actor(), program(variable)).prop_map(|(actor, (mut program, expected))| {
        program.insert(0, Statement::Wait);
        let (name, first) = (actor.clone(), run(&actor, program, Expected::Waiting));
        vec![first, step(Action::Go { actor: name }), await_it(&actor, expected)]
    });
    let failing = (actor(), kind()).prop_map(|(actor, kind)| {
        let any_of = vec![Outcome::Error(kind)];
        let expected = Expected::Outcome { any_of, not_before_nanos: None };
        vec![run(&actor, vec![Statement::Fail], expected)]
    });
    prop_oneof![at_once, later, programs, waiting, failing].boxed()
}

/// A call that is disturbed from outside and yet comes back.
fn disturbed() -> BoxedStrategy<Vec<Step>> {
    let name = prop::sample::select(&["a", "b"][..]);
    (name, call(None), blocked(), nanos(), returned(), any::<[bool; 3]>())
        .prop_map(|(name, call, blocked, every_nanos, then, [freeze, when_blocked, interrupt])| {
            let actor = || name.to_owned();
            let ok = Expected::Outcome {
                any_of: vec![Outcome::Value(Value::Null)],
                not_before_nanos: None,
            };
            let mut steps =
                vec![run(name, vec![Statement::Catch], ok), call_it(name, call, blocked)];
            if freeze {
                let moment = if when_blocked { Moment::WhenBlocked } else { Moment::AtRandom };
                steps.push(step(Action::Freeze { actor: actor(), moment }));
                steps.push(step(Action::Thaw { actor: actor() }));
            }
            steps.push(step(Action::Signal { actor: actor(), every_nanos }));
            if interrupt {
                steps.push(step(Action::Interrupt { actor: actor() }));
            }
            steps.push(await_it(name, then));
            steps
        })
        .boxed()
}

/// An actor that is killed or ends, and a fresh one.
fn ended() -> BoxedStrategy<Vec<Step>> {
    let moments = [
        Moment::Now,
        Moment::WhenBlocked,
        Moment::AfterEntered,
        Moment::AtRandom,
        Moment::WithoutWaiting,
    ];
    let killed = (call(None), prop::sample::select(moments.to_vec())).prop_map(|(call, moment)| {
        let begun = call_it("b", call, Expected::Started);
        vec![begun, step(Action::Kill { actor: "b".to_owned(), moment })]
    });
    let last = prop_oneof![
        (0..=255_i32).prop_map(|code| Statement::Exit { code }),
        Just(Statement::End),
        Just(Statement::Abort),
        Just(Statement::Crash),
    ];
    let how = prop_oneof![
        Just(None),
        (0..=255_i32).prop_map(|code| Some(Ended::Code(code))),
        (1..=64_i32).prop_map(|signal| Some(Ended::Signal(signal))),
    ];
    let gone =
        (last, how).prop_map(|(last, ended)| vec![run("b", vec![last], Expected::Gone { ended })]);
    prop_oneof![killed, gone]
        .prop_map(|mut steps| {
            steps.push(step(Action::Fresh { actor: "b".to_owned() }));
            steps
        })
        .boxed()
}

/// Two that wait, and a name for each of them.
fn one_of() -> BoxedStrategy<Vec<Step>> {
    (call(None), call(None), returned(), returned(), any::<bool>())
        .prop_map(|(first, second, wins, then, is_named)| {
            let name = |name: &str| is_named.then(|| name.to_owned());
            let waits = Expected::BLOCKED;
            let actors = ["a", "e"].map(str::to_owned).to_vec();
            let one = |winner, loser, expected| {
                let actors = actors.clone();
                step(Action::OneOf { actors, expected, winner, loser })
            };
            let mut steps = vec![call_it("a", first, waits.clone()), call_it("e", second, waits)];
            steps.push(one(name("w"), name("o"), wins));
            steps.push(if is_named { await_it("o", then) } else { one(None, None, then) });
            steps
        })
        .boxed()
}

/// Two whose calls come back together.
fn each_of() -> BoxedStrategy<Vec<Step>> {
    let outcome = prop_oneof![
        value().prop_map(Outcome::Value),
        Just(Outcome::Error("timed-out".to_owned())),
        Just(Outcome::Error("owner-died".to_owned())),
    ];
    (call(None), call(None), vec(vec(outcome, 2), 1..4))
        .prop_map(|(first, second, any_of)| {
            let actors = ["a", "e"].map(str::to_owned).to_vec();
            vec![
                call_it("a", first, Expected::BLOCKED),
                call_it("e", second, Expected::Started),
                step(Action::EachOf { actors, any_of }),
            ]
        })
        .boxed()
}

fn parallel(variable: Variable) -> BoxedStrategy<Vec<Step>> {
    let one = || (call(variable), returned());
    (one(), program(variable))
        .prop_map(|((call, expected), (program, other))| {
            let body = vec![call_it("a", call, expected), run("b", program, other)];
            vec![step(Action::Parallel { body })]
        })
        .boxed()
}

#[test]
fn every_way_of_starting_is_read_back() {
    let ways = [None, Some(How::Fork), Some(How::Spawn)];
    for how in ways {
        let mut program = vec![Statement::Start { name: "c".to_owned(), how }];
        program.push(Statement::Make {
            object: "own".to_owned(),
            kind: "lock".to_owned(),
            args: Arguments::new(),
            count: None,
        });
        let any_of = vec![Outcome::Value(Value::Null)];
        let expected = Expected::Outcome { any_of, not_before_nanos: None };
        let mut actors = actors();
        let origin = Origin::ChildOf("a".to_owned());
        let (name, own_process, span) = ("c".to_owned(), true, NOWHERE);
        actors.push(ActorLine { name, own_process, origin, span });
        let steps = vec![run("a", program, expected)];
        let script = Script { objects: objects(Arguments::new()), actors, steps };
        let read = purlin_conformance::parse::parse(&script.to_string(), &super::kinds()).unwrap();
        assert_eq!(super::without_places(read), script);
    }
}
