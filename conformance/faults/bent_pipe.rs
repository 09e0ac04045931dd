//! What can be wrong with the ends of a pipe, and with the wait for several.

use std::sync::Mutex;

use purlin_conformance::serve::Arguments;
use serde_json::{Value, json};

use super::bent::Bend;
use super::bent::Wrong::{Answers, Fails, Given, GivesUp, Means, Skipped, Swallows, Then};

const KIND: &str = "pipe";
const SEVERAL: &str = "several";

/// So many bytes are many, where that is wrong.
const LARGE_BYTES: u64 = 100_000;

/// All of it.
pub(super) const BENDS: &[Bend] = &[
    // What is made.
    ("fault-pipe-is-one-way", KIND, "create", Given(|args| set(args, "one_way", json!(true)))),
    ("fault-pipe-is-two-way", KIND, "create", Given(|args| without(args, "one_way"))),
    ("fault-pipe-is-given-to-nobody", KIND, "create", Given(|args| set(args, "own", json!(true)))),
    ("fault-pipe-is-given-to-all", KIND, "create", Given(|args| without(args, "own"))),
    ("fault-pipe-has-any-number", KIND, "create", Given(|args| without(args, "descriptor"))),
    ("fault-pipe-leaks", KIND, "create", Given(|_| leak())),
    // What goes through it.
    ("fault-pipe-send-is-lost", KIND, "send|send_bytes", Skipped),
    ("fault-pipe-repeats-tenth", KIND, "recv|recv_bytes", Answers(repeat_tenth)),
    ("fault-pipe-large-is-torn", KIND, "recv_bytes", Answers(tear_large)),
    ("fault-pipe-null-is-zero", KIND, "recv", Answers(|got| or(got, Value::Null, json!(0)))),
    ("fault-pipe-fractions-are-cut", KIND, "recv", Answers(cut_fractions)),
    (
        "fault-pipe-byte-is-lost",
        KIND,
        "send_bytes",
        Given(|args| change(args, "bytes", |bytes| (bytes - 1.0).max(0.0))),
    ),
    (
        "fault-pipe-empty-is-nothing",
        KIND,
        "recv_bytes",
        Answers(|got| or(got, json!({"bytes": 0, "seed": 0}), Value::Null)),
    ),
    ("fault-pipe-offset-is-ignored", KIND, "send_bytes", Given(|args| without(args, "offset"))),
    ("fault-pipe-size-is-ignored", KIND, "send_bytes", Given(|args| without(args, "size"))),
    (
        "fault-pipe-window-is-ignored",
        KIND,
        "send_bytes",
        Given(|args| args.retain(|name, _| !["offset", "size"].contains(&name.as_str()))),
    ),
    (
        "fault-pipe-text-is-bytes",
        KIND,
        "send_bytes",
        Given(|args| {
            if args.remove("text").is_some() {
                set(args, "bytes", json!(4));
            }
        }),
    ),
    ("fault-pipe-unsendable-is-untold", KIND, "send_unsendable", Skipped),
    ("fault-pipe-unreadable-is-dropped", KIND, "send_unreadable", Skipped),
    ("fault-pipe-end-is-not-sent", KIND, "send_end", Skipped),
    ("fault-lock-sent-is-a-copy", KIND, "recv_lock_and_try", Swallows("timed-out")),
    (
        "fault-pipe-message-is-left-out",
        KIND,
        "send_mixed",
        Given(|args| change(args, "step", |step| step + 1.0)),
    ),
    ("fault-pipe-part-is-told", KIND, "recv_mixed", Fails("truncated")),
    // Into a buffer, and within a length.
    ("fault-pipe-buffer-is-overrun", KIND, "recv_into", Answers(overrun)),
    (
        "fault-pipe-buffer-offset-is-ignored",
        KIND,
        "recv_into",
        Given(|args| without(args, "offset")),
    ),
    (
        "fault-pipe-read-only-is-written",
        KIND,
        "recv_into",
        Given(|args| without(args, "read_only")),
    ),
    ("fault-pipe-small-buffer-is-untold", KIND, "recv_into", Swallows("message-too-large")),
    ("fault-pipe-small-buffer-is-written", KIND, "touched", Answers(|_| json!(1))),
    ("fault-pipe-refused-is-lost", KIND, "recv_refused", Means("recv_bytes")),
    (
        "fault-pipe-length-is-less",
        KIND,
        "recv_bytes",
        Given(|args| change(args, "limit", |limit| limit - 1.0)),
    ),
    ("fault-pipe-length-is-ignored", KIND, "recv_bytes", Given(|args| without(args, "limit"))),
    // Waiting.
    ("fault-pipe-recv-never-waits", KIND, "recv|recv_bytes", Given(|args| limit(args, json!(0)))),
    ("fault-pipe-send-never-waits", KIND, "send|send_bytes", Given(|args| limit(args, json!(0)))),
    ("fault-pipe-limit-is-none", KIND, "recv|send_bytes", Given(|args| without(args, "timeout"))),
    (
        "fault-pipe-gives-up-early",
        KIND,
        "recv|send_bytes|poll",
        Given(|args| change(args, "timeout", at_once)),
    ),
    ("fault-pipe-poll-is-false", KIND, "poll", Answers(|_| json!(false))),
    ("fault-pipe-poll-is-true", KIND, "poll", Answers(|_| json!(true))),
    ("fault-pipe-poll-never-waits", KIND, "poll", Given(Arguments::clear)),
    ("fault-pipe-poll-takes", KIND, "poll", Then("recv_bytes")),
    ("fault-pipe-negative-is-endless", KIND, "poll", Given(negative_is_none)),
    ("fault-pipe-nan-is-zero", KIND, "poll", Given(nan_is_zero)),
    // Ends.
    ("fault-pipe-end-is-nothing", KIND, "recv|recv_bytes|recv_into", Swallows("end-of-file")),
    ("fault-pipe-closed-is-nothing", KIND, "recv|poll|send|descriptor", Swallows("closed")),
    ("fault-pipe-broken-is-nothing", KIND, "send|send_bytes", Swallows("broken-pipe")),
    ("fault-pipe-close-does-nothing", KIND, "close", Skipped),
    ("fault-pipe-is-closed-once", KIND, "is_closed", Answers(|_| json!(false))),
    ("fault-pipe-scope-keeps", KIND, "with", Skipped),
    ("fault-pipe-number-is-none", KIND, "descriptor", Answers(|_| Value::Null)),
    ("fault-pipe-number-is-readable", KIND, "is_readable", Answers(|_| json!(true))),
    // Several.
    ("fault-pipe-several-tells-first", SEVERAL, "wait", Answers(|_| json!(["p"]))),
    ("fault-pipe-several-tells-nothing", SEVERAL, "wait", Answers(|_| json!([]))),
    ("fault-pipe-several-tells-twice", SEVERAL, "wait", Answers(twice)),
    (
        "fault-pipe-several-never-waits",
        SEVERAL,
        "wait",
        Given(|args| set(args, "timeout", json!(0))),
    ),
    (
        "fault-pipe-several-gives-up-early",
        SEVERAL,
        "wait",
        Given(|args| change(args, "timeout", at_once)),
    ),
    ("fault-pipe-several-negative-is-endless", SEVERAL, "wait", Given(negative_is_none)),
    ("fault-pipe-several-passes-closed", SEVERAL, "wait", Swallows("closed")),
    ("fault-pipe-several-passes-writing", SEVERAL, "wait", Swallows("wrong-direction")),
    ("fault-pipe-several-misses-one", SEVERAL, "drain", Answers(|_| json!(39))),
    // In pieces.
    ("fault-stream-part-is-message", KIND, "recv_bytes", Swallows("truncated")),
    ("fault-stream-any-length", KIND, "recv_bytes", Swallows("damaged")),
    ("fault-stream-poll-sees-a-byte", KIND, "poll", Answers(|_| json!(true))),
    ("fault-stream-long-is-nothing", KIND, "recv_ending", Swallows("message-too-large")),
    ("fault-stream-goes-on-reading", KIND, "poll", Swallows("wrong-direction")),
    // A wait that comes back after a nap.
    ("fault-pipe-recv-naps", KIND, "recv|recv_bytes|recv_into", GivesUp),
    ("fault-pipe-send-naps", KIND, "send|send_bytes", GivesUp),
    ("fault-pipe-poll-naps", KIND, "poll", Given(long_is_nap)),
    ("fault-pipe-several-naps", SEVERAL, "wait", GivesUp),
];

fn set(args: &mut Arguments, name: &str, value: Value) {
    args.insert(name.to_owned(), value);
}

fn without(args: &mut Arguments, name: &str) {
    args.remove(name);
}

/// A limit where none is said.
fn limit(args: &mut Arguments, limit: Value) {
    args.entry("timeout").or_insert(limit);
}

fn change(args: &mut Arguments, name: &str, change: fn(f64) -> f64) {
    if let Some(number) = args.get(name).and_then(Value::as_f64) {
        let changed = change(number);
        let is_whole = name != "timeout";
        set(args, name, if is_whole { json!(changed as i64) } else { json!(changed) });
    }
}

/// So early that hardly a machine is so slow that it looks like the whole limit.
fn at_once(timeout: f64) -> f64 {
    timeout / 100.0
}

/// A long limit is a short one.
fn long_is_nap(args: &mut Arguments) {
    const LONG_SECONDS: f64 = 60.0;
    change(args, "timeout", |timeout| if timeout < LONG_SECONDS { timeout } else { 0.04 });
}

fn negative_is_none(args: &mut Arguments) {
    if args.get("timeout").and_then(Value::as_f64).is_some_and(|timeout| timeout < 0.0) {
        set(args, "timeout", Value::Null);
    }
}

fn nan_is_zero(args: &mut Arguments) {
    if args.get("timeout") == Some(&json!("nan")) {
        set(args, "timeout", json!(0));
    }
}

/// A descriptor that nobody closes.
fn leak() {
    if let Ok((reads, _writes)) = std::io::pipe() {
        std::mem::forget(reads);
    }
}

fn or(got: Value, odd: Value, other: Value) -> Value {
    if got == odd { other } else { got }
}

/// Each tenth is the one before once more.
fn repeat_tenth(got: Value) -> Value {
    static LAST: Mutex<(u32, Value)> = Mutex::new((0, Value::Null));
    let mut last = LAST.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    last.0 += 1;
    if last.0.is_multiple_of(10) {
        return last.1.clone();
    }
    last.1 = got.clone();
    got
}

fn tear_large(mut got: Value) -> Value {
    if got["bytes"].as_u64().is_some_and(|len| len > LARGE_BYTES) {
        got["seed"] = json!("torn");
    }
    got
}

fn cut_fractions(mut got: Value) -> Value {
    for one in got.as_array_mut().into_iter().flatten() {
        if let Some(fraction) = one.as_f64() {
            *one = json!(fraction as i64);
        }
    }
    got
}

fn overrun(mut got: Value) -> Value {
    got[2] = json!(1);
    got
}

fn twice(got: Value) -> Value {
    match got {
        Value::Array(names) => [names.clone(), names].concat().into(),
        other => other,
    }
}
