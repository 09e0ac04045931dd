//! What can be wrong with a shared value.

use serde_json::{Value, json};

use purlin_conformance::serve::Arguments;

use super::bent::Bend;
use super::bent::Wrong::{Answers, Fails, Given, Leaks, Means, Naps, Skipped, Swallows};

/// All of it.
pub(super) const BENDS: &[Bend] = &[
    ("fault-value-set-is-lost", "value", "set", Skipped),
    ("fault-value-set-is-refused", "value", "set", Fails("closed")),
    (
        "fault-value-begins-otherwise",
        "value",
        "create",
        Given(|args| {
            args.insert("value".to_owned(), json!(1));
        }),
    ),
    ("fault-value-keeps-16-bits", "value", "get", Answers(low_bits)),
    ("fault-value-is-finite", "value", "get", Answers(finite)),
    ("fault-value-has-no-sign", "value", "is_negative", Answers(|_| json!(false))),
    ("fault-value-is-rounded-to-less", "value", "get", Answers(rounded)),
    ("fault-value-wraps", "value", "set", Given(|args| change(args, "value", wrapped))),
    ("fault-value-takes-anything", "value", "set", Given(|args| change(args, "value", guessed))),
    ("fault-value-type-is-guessed", "value", "create", Given(guessed_type)),
    // A record's fields are its maker's.
    ("fault-record-is-a-copy", "record", "get", Answers(|_| json!([3, 2.0]))),
    ("fault-value-lock-always-taken", "value", "acquire", Swallows("timed-out")),
    ("fault-value-lock-is-none", "value", "acquire|release", Skipped),
    ("fault-value-get-passes-lock-by", "value", "get", Means("load")),
    ("fault-value-set-passes-lock-by", "value", "set", Means("store")),
    ("fault-value-has-another-lock", "value", "create", Given(without_lock)),
    ("fault-value-always-has-a-lock", "value", "create", Given(with_own_lock)),
    ("fault-value-add-is-lost", "value", "add", Skipped),
    ("fault-value-adds-too-much", "value", "add", Given(|args| change(args, "n", |_| json!(1000)))),
    ("fault-value-atomic-add-is-none", "value", "fetch_add", Means("add")),
    ("fault-value-is-written-in-halves", "value", "alternate", Given(halves)),
    ("fault-value-death-untold", "value", "acquire", Swallows("owner-died")),
    ("fault-value-access-fails-for-ever", "value", "get", Fails("damaged")),
    ("fault-value-scope-takes-nothing", "value", "with", Skipped),
    ("fault-value-sent-is-a-copy", "value", "send_handle", Skipped),
    ("fault-value-copy-is-the-same", "value", "copy_and_set", Answers(|_| json!(2))),
    ("fault-value-is-never-freed", "value", "create", Leaks),
    ("fault-value-naps", "value", "set|get|add", Naps),
];

/// Changes one of the arguments, where it is there.
pub(super) fn change(args: &mut Arguments, name: &str, change: fn(&Value) -> Value) {
    if let Some(value) = args.get_mut(name) {
        *value = change(value);
    }
}

/// Each type letter that nobody knows is one that everybody does.
pub(super) fn guessed_type(args: &mut Arguments) {
    change(args, "type", |of| if of == "z" { json!("i32") } else { of.clone() });
}

pub(super) fn without_lock(args: &mut Arguments) {
    args.remove("lock");
}

pub(super) fn with_own_lock(args: &mut Arguments) {
    args.remove("locked");
}

/// Before each of the values there is, again and again, one that has the low half of the last.
pub(super) fn halves(args: &mut Arguments) {
    let half = |value: &Value| json!(value.as_u64().unwrap_or(0) & 0xffff_ffff);
    if let Some(values) = args.get_mut("values").and_then(Value::as_array_mut) {
        // Most of the time, so that whoever reads while the writer has no processor finds one, too.
        let torn = vec![values.last().map_or(Value::Null, half); 8];
        let shown = values.drain(..).flat_map(|value| [torn.clone(), vec![value]].concat());
        *values = shown.collect();
    }
}

/// What a number becomes that is too large for its type, as far as anybody asks.
pub(super) fn wrapped(value: &Value) -> Value {
    value.as_i64().filter(|value| *value > 127).map_or_else(|| value.clone(), |_| json!(-1))
}

/// What is no whole number is zero.
pub(super) fn guessed(value: &Value) -> Value {
    if value.is_i64() { value.clone() } else { json!(0) }
}

fn low_bits(value: Value) -> Value {
    value.as_i64().map_or(value, |value| json!(value & 0xffff))
}

fn finite(value: Value) -> Value {
    if value.is_string() { json!(0.0) } else { value }
}

fn rounded(value: Value) -> Value {
    if value == json!(3.0) { json!(2.0) } else { value }
}
