//! Programs that pass: nothing in them keeps the last statement from being reached.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use purlin_conformance::script::{Expected, Or, Program, Statement, Target};
use serde_json::Value;

use super::values::{arguments, kind, outcome, returned};

/// `many` has so many; no loop with a variable runs more often.
pub(crate) const MANY_COUNT: u64 = 50;

/// A program, and what can come of it.
pub(crate) fn program(variable: Option<&'static str>) -> BoxedStrategy<(Program, Expected)> {
    vec(statement(variable, 0), 1..5)
        .prop_flat_map(|program| {
            let expected = match program.last() {
                Some(Statement::Tally { count, .. }) => {
                    outcome(serde_json::json!({ "ok": *count - 1, "owner-died": 1 })).boxed()
                }
                Some(Statement::Call { .. }) => returned().boxed(),
                _ => outcome(Value::Null).boxed(),
            };
            (Just(program), expected)
        })
        .boxed()
}

/// Each level of loops has a variable of its own.
const VARIABLES: [&str; 3] = ["i", "j", "k"];

fn target(depth: usize) -> BoxedStrategy<Target> {
    let one = |object: &str| Just(Target { object: object.to_owned(), index: None });
    let many = |index: Value| Target { object: "many".to_owned(), index: Some(index) };
    let by_number = (0..MANY_COUNT).prop_map(move |index| many(Value::from(index)));
    let plain = prop_oneof![one("lock"), one("own"), by_number];
    match depth {
        0 => plain.boxed(),
        _ => prop_oneof![plain, Just(many(Value::from(VARIABLES[depth - 1])))].boxed(),
    }
}

pub(crate) fn call(variable: Option<&'static str>) -> BoxedStrategy<Statement> {
    plain_call(variable, 0).boxed()
}

fn plain_call(variable: Option<&'static str>, depth: usize) -> BoxedStrategy<Statement> {
    let on_cell = (any::<i64>(), prop::sample::select(&[("set", "value"), ("add", "n")][..]))
        .prop_map(|(number, (op, name))| {
            let args = [(name.to_owned(), Value::from(number))].into_iter().collect();
            let target = Target { object: "n".to_owned(), index: None };
            Statement::Call { target, op: op.to_owned(), args, or: Vec::new() }
        });
    let other = (target(depth), "try|acquire|force_release", arguments(variable))
        .prop_map(|(target, op, args)| Statement::Call { target, op, args, or: Vec::new() });
    prop_oneof![1 => on_cell, 3 => other].boxed()
}

/// A statement with `depth` loops around it.
fn statement(variable: Option<&'static str>, depth: usize) -> BoxedStrategy<Statement> {
    let plain = prop_oneof![
        4 => plain_call(variable, depth),
        1 => (0.0..1e6_f64).prop_map(|seconds| Statement::Pause { seconds }),
        1 => any::<i64>().prop_map(|value| Statement::Check { object: "n".to_owned(), value }),
        1 => any::<i64>().prop_map(|value| Statement::Equals { object: "n".to_owned(), value }),
        1 => Just(Statement::Drop { object: "lock".to_owned() }),
        1 => Just(Statement::Catch),
    ];
    if depth == VARIABLES.len() {
        return plain.boxed();
    }
    let body = move || vec(statement(variable, depth + 1), 0..3);
    let flat =
        move || vec(statement(variable, VARIABLES.len()).prop_filter("no variable", is_flat), 0..3);
    let or = (plain_call(variable, depth), vec((kind(), flat(), any::<bool>()), 1..3))
        .prop_map(|(call, others)| with_others(call, others));
    let named = (2..MANY_COUNT, body());
    let counted = (1..1000_u64, flat());
    prop_oneof![
        6 => plain,
        1 => or,
        1 => named.clone().prop_map(move |(count, body)| Statement::Loop {
            count: Some(count),
            variable: Some(VARIABLES[depth].to_owned()),
            body,
        }),
        1 => counted.prop_map(|(count, body)| {
            Statement::Loop { count: Some(count), variable: None, body }
        }),
        1 => (named, option::of(Just(VARIABLES[depth].to_owned()))).prop_filter_map(
            "a body without its variable",
            |((count, body), variable)| {
                let is_sound = variable.is_some() || body.iter().all(is_flat);
                is_sound.then_some(Statement::Tally { count, variable, body })
            }
        ),
        1 => (target(depth), flat()).prop_map(|(target, body)| Statement::With { target, body }),
    ]
    .boxed()
}

/// Nothing in it needs the variable of a loop.
fn is_flat(statement: &Statement) -> bool {
    let is_number = |target: &Target| target.index.as_ref().is_none_or(Value::is_number);
    match statement {
        Statement::Call { target, or, .. } => {
            is_number(target) && or.iter().all(|or| or.body.iter().all(is_flat))
        }
        Statement::With { target, body } => is_number(target) && body.iter().all(is_flat),
        Statement::Loop { body, .. } | Statement::Tally { body, .. } => body.iter().all(is_flat),
        _ => true,
    }
}

/// `or KIND { … }`, each kind once; some fail for good.
fn with_others(call: Statement, others: Vec<(String, Program, bool)>) -> Statement {
    let Statement::Call { target, op, args, .. } = call else { return call };
    let mut or: Vec<Or> = Vec::new();
    for (kind, mut body, fails) in others {
        if fails {
            body.push(Statement::Fail);
        }
        if or.iter().all(|other| other.kind != kind) {
            or.push(Or { kind, body });
        }
    }
    Statement::Call { target, op, args, or }
}
