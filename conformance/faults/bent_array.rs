//! What can be wrong with a shared array.

use serde_json::{Value, json};

use purlin_conformance::serve::Arguments;

use super::bent::Bend;
use super::bent::Wrong::{Answers, Fails, Given, Means, Naps, Skipped, Swallows};
use super::bent_value::{
    change, guessed, guessed_type, halves, with_own_lock, without_lock, wrapped,
};

/// All of it.
pub(super) const BENDS: &[Bend] = &[
    ("fault-array-set-is-lost", "array", "set", Skipped),
    ("fault-array-set-is-refused", "array", "set", Fails("closed")),
    ("fault-array-add-is-lost", "array", "add", Skipped),
    (
        "fault-array-adds-elsewhere",
        "array",
        "add",
        Given(|args| change(args, "index", |_| json!(0))),
    ),
    ("fault-array-begins-with-ones", "array", "create", Given(ones)),
    ("fault-array-loses-the-last", "array", "create", Given(without_last)),
    ("fault-array-grows", "array", "append|delete", Skipped),
    ("fault-array-is-never-empty", "array", "create", Given(one_at_least)),
    ("fault-array-length-has-no-sign", "array", "create", Given(unsigned)),
    ("fault-array-size-is-cut", "array", "create", Given(cut)),
    ("fault-array-type-is-guessed", "array", "create", Given(guessed_type)),
    ("fault-array-counts-by-guess", "array", "create", Given(counted)),
    ("fault-array-index-unchecked", "array", "get|set", Swallows("out-of-range")),
    (
        "fault-array-index-has-no-sign",
        "array",
        "get",
        Given(|args| change(args, "index", |index| json!(index.as_i64().map(i64::abs)))),
    ),
    (
        "fault-array-range-ends-late",
        "array",
        "read",
        Given(|args| change(args, "end", |end| json!(end.as_i64().map(|end| end + 1)))),
    ),
    ("fault-array-copy-is-changed-first", "array", "read_and_change", Answers(zeros)),
    (
        "fault-array-step-is-one",
        "array",
        "read",
        Given(|args| {
            args.remove("step");
        }),
    ),
    ("fault-array-write-is-lost", "array", "write", Skipped),
    ("fault-array-range-length-unchecked", "array", "write", Swallows("invalid-argument")),
    ("fault-array-takes-anything", "array", "set|write", Given(anything)),
    ("fault-array-is-made-of-anything", "array", "create", Given(anything)),
    ("fault-array-wraps", "array", "set", Given(|args| change(args, "value", wrapped))),
    ("fault-array-is-made-wrapped", "array", "create", Given(wrapped_all)),
    ("fault-array-goes-backwards", "array", "iterate", Answers(backwards)),
    ("fault-array-contains-all", "array", "contains", Answers(|_| json!(true))),
    // A record's fields are its maker's.
    ("fault-records-are-copies", "record-array", "get", Answers(|_| json!([1.875, -6.25]))),
    ("fault-array-text-is-short", "array", "text", Answers(|_| json!("hello"))),
    ("fault-array-text-of-any-length", "array", "set_text", Swallows("invalid-argument")),
    ("fault-array-raw-ends-at-zero", "array", "raw", Answers(up_to_zero)),
    ("fault-array-set-passes-lock-by", "array", "set", Means("store")),
    ("fault-array-lock-is-none", "array", "acquire|release", Skipped),
    ("fault-array-has-another-lock", "array", "create", Given(without_lock)),
    ("fault-array-always-has-a-lock", "array", "create", Given(with_own_lock)),
    (
        "fault-array-range-is-many-steps",
        "array",
        "span",
        Given(|args| {
            args.insert("one_by_one".to_owned(), json!(true));
        }),
    ),
    ("fault-array-is-written-in-halves", "array", "alternate", Given(halves)),
    ("fault-array-death-untold", "array", "acquire", Swallows("owner-died")),
    ("fault-array-access-fails-for-ever", "array", "get", Fails("damaged")),
    ("fault-array-torn-range-untold", "array", "read", Swallows("owner-died")),
    ("fault-array-sent-is-a-copy", "array", "send_handle", Skipped),
    ("fault-array-naps", "array", "set", Naps),
];

/// Numbers that are made of a length begin with ones.
fn ones(args: &mut Arguments) {
    if args.get("type") == Some(&json!("char")) {
        return;
    }
    if let Some(len) = args.get("length").and_then(Value::as_u64).filter(|len| *len < 100) {
        args.insert("values".to_owned(), (0..len).map(|_| json!(1)).collect());
    }
}

fn without_last(args: &mut Arguments) {
    if let Some(values) = args.get_mut("values").and_then(Value::as_array_mut) {
        values.pop();
    }
}

fn one_at_least(args: &mut Arguments) {
    change(args, "length", |len| json!(len.as_u64().unwrap_or(0).max(1)));
}

fn unsigned(args: &mut Arguments) {
    change(args, "length", |len| json!(len.as_i64().map(i64::abs)));
}

/// Of a length the low bits.
fn cut(args: &mut Arguments) {
    change(args, "length", |len| json!(len.as_u64().map(|len| len & 0xffff)));
}

fn counted(args: &mut Arguments) {
    let uncounted = args.remove("uncounted").map(|values| ("values".to_owned(), values));
    args.extend(uncounted);
}

fn anything(args: &mut Arguments) {
    change(args, "value", guessed);
    change(args, "values", |values| values.as_array().into_iter().flatten().map(guessed).collect());
}

fn wrapped_all(args: &mut Arguments) {
    change(args, "values", |values| values.as_array().into_iter().flatten().map(wrapped).collect());
}

fn zeros(elements: Value) -> Value {
    elements.as_array().into_iter().flatten().map(|_| json!(0)).collect()
}

fn backwards(elements: Value) -> Value {
    elements.as_array().into_iter().flatten().rev().cloned().collect()
}

fn up_to_zero(bytes: Value) -> Value {
    let bytes = bytes.as_array().into_iter().flatten();
    bytes.take_while(|byte| **byte != json!(0)).cloned().collect()
}
