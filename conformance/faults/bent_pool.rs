//! What can be wrong with pools, their results and iterators.

use serde_json::{Value, json};

use purlin_conformance::serve::Arguments;
use purlin_process::Builder;

use super::bent::Bend;
use super::bent::Wrong::{Answers, First, Given, GivesUp, Means, Naps, Skipped, Swallows, Then};

const POOL: &str = "pool";
const THREADS: &str = "thread-pool";
const RESULT: &str = "async-result";
const ITERATOR: &str = "iterator";

/// All of it.
pub(super) const BENDS: &[Bend] = &[
    ("fault-pool-starts-nothing", POOL, "start", Skipped),
    ("fault-pool-has-one-worker", POOL, "start", Given(|args| with(args, "workers", json!(1)))),
    ("fault-pool-has-one-more", POOL, "start", Given(one_more)),
    ("fault-pool-usual-size-is-fixed", POOL, "start", Given(fixed)),
    ("fault-pool-forgets-initializer", POOL, "start", Given(|args| without(args, "initializer"))),
    ("fault-pool-replaces-nobody", POOL, "start", Given(|args| without(args, "tasks"))),
    ("fault-pool-replaces-everybody", POOL, "start", Given(|args| with(args, "tasks", json!(1)))),
    ("fault-pool-start-leaks", POOL, "start", First(leak_descriptor)),
    ("fault-pool-leaves-child", POOL, "start", First(leave_child)),
    ("fault-pool-apply-comes-early", POOL, "apply", Skipped),
    ("fault-pool-apply-answers-nothing", POOL, "apply", Answers(|_| json!(null))),
    ("fault-pool-apply-fails-in-vain", POOL, "apply", Swallows("task-failed")),
    ("fault-pool-closed-applies", POOL, "apply", Swallows("pool-not-running")),
    (
        "fault-pool-closed-submits",
        POOL,
        "submit|map|map_async|starmap|imap|imap_unordered",
        Swallows("pool-not-running"),
    ),
    ("fault-pool-others-close-it", POOL, "close|terminate", Swallows("not-the-parent")),
    ("fault-pool-starts-anew", POOL, "apply", Then("start")),
    ("fault-pool-submit-waits", POOL, "submit", Means("apply")),
    ("fault-pool-submit-forgets", POOL, "submit", Skipped),
    ("fault-pool-calls-nobody", POOL, "submit", Given(|args| without(args, "callback"))),
    (
        "fault-pool-calls-nobody-of-failures",
        POOL,
        "submit",
        Given(|args| without(args, "error_callback")),
    ),
    ("fault-pool-mistakes-callbacks", POOL, "submit", Given(swapped)),
    ("fault-pool-map-is-not-told", POOL, "map_async", Given(|args| without(args, "callback"))),
    ("fault-pool-map-comes-early", POOL, "map", Skipped),
    ("fault-pool-map-turns-round", POOL, "map", Answers(turned)),
    ("fault-pool-map-forgets-last", POOL, "map", Given(one_less)),
    ("fault-pool-map-fails-in-vain", POOL, "map", Swallows("task-failed")),
    ("fault-pool-map-loses-in-vain", POOL, "map", Swallows("worker-lost")),
    (
        "fault-pool-map-chunks-alone",
        POOL,
        "map|map_async",
        Given(|args| with(args, "chunk", json!(1))),
    ),
    ("fault-pool-chunk-of-none", POOL, "map|imap|imap_unordered", Swallows("invalid-argument")),
    ("fault-pool-map-async-forgets", POOL, "map_async", Skipped),
    ("fault-pool-imap-forgets", POOL, "imap", Skipped),
    ("fault-pool-imap-is-unordered", POOL, "imap", Means("imap_unordered")),
    ("fault-pool-imap-is-ordered", POOL, "imap_unordered", Means("imap")),
    ("fault-pool-imap-unordered-forgets", POOL, "imap_unordered", Skipped),
    ("fault-pool-imap-reads-all", POOL, "imap", Given(|args| with(args, "chunk", json!(2000)))),
    ("fault-pool-starmap-is-nothing", POOL, "starmap", Skipped),
    ("fault-pool-close-is-nothing", POOL, "close", Skipped),
    ("fault-pool-close-terminates", POOL, "close", Means("terminate")),
    ("fault-pool-terminate-is-nothing", POOL, "terminate", Skipped),
    ("fault-pool-terminate-closes", POOL, "terminate", Means("close")),
    ("fault-pool-join-comes-early", POOL, "join", Skipped),
    ("fault-pool-join-of-open", POOL, "join", Swallows("still-running")),
    ("fault-pool-drop-keeps", POOL, "drop", Skipped),
    ("fault-pool-drop-is-silent", POOL, "drop_warns", Skipped),
    ("fault-pool-worker-is-another", POOL, "worker", Answers(|_| json!(1))),
    ("fault-pool-is-sent", POOL, "send", Skipped),
    ("fault-pool-scope-is-none", POOL, "with", Skipped),
    ("fault-pool-keeps-values", POOL, "traced", Answers(|_| json!(1))),
    ("fault-pool-large-is-cut", POOL, "map_reversed", Answers(|_| json!(2))),
    ("fault-thread-pool-usual-size-is-fixed", THREADS, "start", Given(fixed)),
    ("fault-thread-pool-of-none", THREADS, "start", Swallows("invalid-argument")),
    ("fault-thread-pool-is-another", THREADS, "apply", Answers(|_| json!(1))),
    ("fault-thread-pool-copies", THREADS, "local", Answers(|_| json!([7, false]))),
    ("fault-thread-pool-fails-in-vain", THREADS, "apply", Swallows("task-failed")),
    ("fault-thread-pool-terminate-closes", THREADS, "terminate", Means("close")),
    ("fault-result-comes-early", RESULT, "get", Skipped),
    ("fault-result-is-nothing", RESULT, "get", Answers(|_| json!(null))),
    ("fault-result-limit-is-no-failure", RESULT, "get", Swallows("timed-out")),
    ("fault-result-fails-in-vain", RESULT, "get", Swallows("task-failed")),
    ("fault-result-says-nothing", RESULT, "failure", Answers(|_| json!(false))),
    ("fault-result-lost-in-vain", RESULT, "get", Swallows("worker-lost")),
    ("fault-result-cancelled-in-vain", RESULT, "get", Swallows("cancelled")),
    ("fault-result-wait-comes-early", RESULT, "wait", Skipped),
    ("fault-result-is-always-ready", RESULT, "ready", Answers(|_| json!(true))),
    ("fault-result-is-never-ready", RESULT, "ready", Answers(|_| json!(false))),
    ("fault-result-always-succeeds", RESULT, "successful", Answers(|_| json!(true))),
    ("fault-result-never-succeeds", RESULT, "successful", Answers(|_| json!(false))),
    ("fault-result-succeeds-too-early", RESULT, "successful", Swallows("not-ready")),
    ("fault-iterator-limit-is-no-failure", ITERATOR, "next", Swallows("timed-out")),
    ("fault-iterator-never-stops", ITERATOR, "next", Swallows("stop-iteration")),
    ("fault-iterator-fails-in-vain", ITERATOR, "next", Swallows("task-failed")),
    ("fault-iterator-loses-in-vain", ITERATOR, "next", Swallows("worker-lost")),
    ("fault-iterator-cancelled-in-vain", ITERATOR, "next", Swallows("cancelled")),
    ("fault-iterator-turns-round", ITERATOR, "rest", Answers(turned)),
    // A wait that comes back after a nap.
    ("fault-pool-join-naps", POOL, "join", GivesUp),
    ("fault-pool-apply-naps", POOL, "apply", Naps),
    ("fault-pool-map-naps", POOL, "map", Naps),
    ("fault-result-get-naps", RESULT, "get", GivesUp),
    ("fault-result-wait-naps", RESULT, "wait", GivesUp),
    ("fault-iterator-naps", ITERATOR, "next", GivesUp),
];

fn without(args: &mut Arguments, name: &str) {
    args.remove(name);
}

fn with(args: &mut Arguments, name: &str, value: Value) {
    args.insert(name.to_owned(), value);
}

fn one_more(args: &mut Arguments) {
    if let Some(count) = args.get("workers").and_then(Value::as_u64) {
        with(args, "workers", json!(count + 1));
    }
}

/// So many workers where the script says nothing: more than a machine has processors.
fn fixed(args: &mut Arguments) {
    if !args.contains_key("workers") {
        with(args, "workers", json!(97));
    }
}

fn one_less(args: &mut Arguments) {
    if let Some(count) = args.get("over").and_then(Value::as_u64) {
        with(args, "over", json!(count.saturating_sub(1)));
    }
}

fn swapped(args: &mut Arguments) {
    let (one, other) = (args.remove("callback"), args.remove("error_callback"));
    args.extend(one.map(|one| ("error_callback".to_owned(), one)));
    args.extend(other.map(|other| ("callback".to_owned(), other)));
}

fn turned(value: Value) -> Value {
    match value {
        Value::Array(values) => values.into_iter().rev().collect(),
        other => other,
    }
}

/// One descriptor more, for as long as the process lives.
fn leak_descriptor() {
    std::mem::forget(std::io::pipe());
}

/// One child more; it ends with this process.
fn leave_child() {
    std::mem::forget(Builder::new().daemon(true).fork(rest));
}

fn rest() {
    loop {
        std::thread::park();
    }
}
