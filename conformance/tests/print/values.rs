//! Values, arguments and what is expected.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use purlin_conformance::script::{Arguments, Expected, Outcome, Statement, Target, function_value};
use serde_json::Value;

pub(crate) const KINDS: [&str; 4] = ["owner-died", "timed-out", "task-failed", "not-owner"];

pub(crate) fn kind() -> BoxedStrategy<String> {
    prop::sample::select(&KINDS[..]).prop_map(str::to_owned).boxed()
}

/// Any value that a script can write.
pub(crate) fn value() -> BoxedStrategy<Value> {
    let number = any::<f64>().prop_filter("JSON has finite numbers only", |size| size.is_finite());
    let plain = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        number.prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::sample::select(&["infinity", "-infinity", "nan"][..]).prop_map(Value::from),
    ];
    plain.prop_recursive(2, 8, 3, |inner| vec(inner, 0..3).prop_map(Value::from)).boxed()
}

pub(crate) fn arguments(variable: Option<&'static str>) -> BoxedStrategy<Arguments> {
    let value = match variable {
        Some(name) => prop_oneof![value(), Just(serde_json::json!({ "var": name }))].boxed(),
        None => value().boxed(),
    };
    let value = prop_oneof![6 => value, 1 => function()];
    btree_map("[a-z][a-z0-9_]{0,5}|function", value, 0..3)
        .prop_map(|args| args.into_iter().collect())
        .boxed()
}

/// A function as an argument, which has one of its own now and then.
fn function() -> BoxedStrategy<Value> {
    let object = "n".to_owned();
    let equals =
        any::<i64>().prop_map(move |value| Statement::Equals { object: object.clone(), value });
    let pause = (0.0..1e6_f64).prop_map(|seconds| Statement::Pause { seconds });
    let plain = prop_oneof![equals, pause, Just(Statement::Wait), Just(Statement::Fail)];
    let last = vec(plain, 1..2).prop_map(|program| function_value(&program));
    last.prop_recursive(2, 4, 1, |inner| {
        inner.prop_map(|function| {
            let target = Target { object: "lock".to_owned(), index: None };
            let args = [("function".to_owned(), function)].into_iter().collect();
            let (op, or) = ("wait_for".to_owned(), Vec::new());
            function_value(&vec![Statement::Call { target, op, args, or }])
        })
    })
    .boxed()
}

pub(crate) fn nanos() -> BoxedStrategy<u64> {
    prop_oneof![
        1_u64..1000,
        (1_u64..1_000_000).prop_map(|micros| micros * 1000),
        (1_u64..1_000_000).prop_map(|millis| millis * 1_000_000),
        1_u64..1_u64 << 50,
    ]
    .boxed()
}

pub(crate) fn blocked() -> BoxedStrategy<Expected> {
    option::of((nanos(), option::of(nanos())))
        .prop_map(|times| {
            let (for_nanos, using_nanos) =
                times.map_or((None, None), |(long, used)| (Some(long), used));
            Expected::Blocked { for_nanos, using_nanos }
        })
        .boxed()
}

/// This, or something else that can come of a call.
pub(crate) fn outcome(first: Value) -> BoxedStrategy<Expected> {
    (vec(kind(), 0..3), option::of(nanos()))
        .prop_map(move |(kinds, not_before_nanos)| {
            let mut any_of = vec![Outcome::Value(first.clone())];
            any_of.extend(kinds.into_iter().map(Outcome::Error));
            Expected::Outcome { any_of, not_before_nanos }
        })
        .boxed()
}

/// What a call returns: any value, or a map.
pub(crate) fn returned() -> BoxedStrategy<Expected> {
    let map = btree_map(any::<String>(), value(), 0..3)
        .prop_filter("a map of one `var` is a variable", |map| !map.contains_key("var"))
        .prop_map(|map| Value::Object(map.into_iter().collect()));
    prop_oneof![4 => value(), 1 => map].prop_flat_map(outcome).boxed()
}
