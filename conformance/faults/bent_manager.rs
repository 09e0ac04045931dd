//! What can be wrong with managers and with the objects that their servers keep.

use serde_json::{Value, json};

use purlin_conformance::serve::Arguments;

use super::bent::Bend;
use super::bent::Wrong::{Answers, Fails, Given, GivesUp, Leaks, Means, Skipped, Swallows};

const MANAGER: &str = "manager";
const LIST: &str = "list";
const DICT: &str = "dict";
const NAMESPACE: &str = "namespace";
const REGISTERED: &str = "registered";

/// All of it.
pub(super) const BENDS: &[Bend] = &[
    ("fault-manager-start-is-nothing", MANAGER, "start", Skipped),
    (
        "fault-manager-forgets-initializer",
        MANAGER,
        "start",
        Given(|args| without("initializer", args)),
    ),
    ("fault-manager-address-is-always-free", MANAGER, "start", Swallows("already-exists")),
    ("fault-manager-address-is-never-free", MANAGER, "start", Fails("already-exists")),
    ("fault-manager-scope-is-none", MANAGER, "with", Skipped),
    ("fault-manager-shutdown-is-nothing", MANAGER, "shutdown", Skipped),
    ("fault-manager-is-no-child", MANAGER, "is_child", Answers(|_| json!(false))),
    ("fault-manager-server-is-another", MANAGER, "process_id", Answers(parent)),
    ("fault-manager-heeds-interrupt", "host", "send", Given(terminated)),
    ("fault-manager-counts-nothing", MANAGER, "objects", Answers(|_| json!(0))),
    ("fault-manager-refuses-all", MANAGER, "connect", Fails("authentication-failed")),
    ("fault-manager-takes-any-key", MANAGER, "connect", Swallows("authentication-failed")),
    ("fault-manager-hears-at-once", MANAGER, "connect", Swallows("connection-refused")),
    ("fault-manager-serves-strangers", MANAGER, "intrude", Skipped),
    ("fault-manager-is-open", MANAGER, "is_private", Answers(|_| json!(false))),
    ("fault-managed-list-is-nowhere", LIST, "create", Given(|args| without("manager", args))),
    ("fault-managed-list-leaks", LIST, "create", Leaks),
    ("fault-managed-list-forgets", LIST, "append", Skipped),
    ("fault-managed-list-nests-copies", LIST, "append", Given(copied)),
    ("fault-managed-list-never-turns", LIST, "reverse", Skipped),
    ("fault-managed-list-never-repeats", LIST, "repeat", Skipped),
    ("fault-managed-list-loses-server", LIST, "get|length", Fails("server-gone")),
    ("fault-managed-list-has-no-end", LIST, "get", Swallows("out-of-range")),
    ("fault-managed-list-copy-is-live", LIST, "get_and_change", Means("change_and_set")),
    ("fault-managed-list-takes-no-copy", LIST, "change_and_set", Means("get_and_change")),
    ("fault-managed-list-is-not-received", LIST, "recv_from", Skipped),
    ("fault-managed-list-takes-anything", LIST, "append_unsendable", Swallows("not-transferable")),
    ("fault-managed-list-walk-is-old", LIST, "next", Answers(|_| json!(0))),
    ("fault-managed-list-equals-nothing", LIST, "equals", Answers(|_| json!(false))),
    ("fault-managed-list-never-waits", LIST, "length", Skipped),
    ("fault-managed-list-limit-is-no-failure", LIST, "length", Swallows("timed-out")),
    ("fault-managed-list-is-short", LIST, "length", Answers(|_| json!(3))),
    ("fault-managed-dict-forgets", DICT, "set", Skipped),
    ("fault-managed-dict-nests-copies", DICT, "set", Given(copied)),
    ("fault-managed-dict-get-is-another", DICT, "get", Answers(|_| json!(-1))),
    ("fault-managed-dict-outlives-server", DICT, "get", Swallows("server-gone")),
    ("fault-managed-dict-walk-is-sure", DICT, "walk|next", Skipped),
    ("fault-managed-namespace-keeps-all", NAMESPACE, "delete", Skipped),
    ("fault-managed-namespace-refuses", NAMESPACE, "set", Fails("invalid-argument")),
    ("fault-registered-calls-another", REGISTERED, "call", Given(|args| with("method", "f", args))),
    ("fault-registered-fails-in-vain", REGISTERED, "call", Swallows("task-failed")),
    ("fault-registered-returns-anything", REGISTERED, "call", Swallows("not-transferable")),
    ("fault-registered-says-nothing", REGISTERED, "failure", Answers(|_| json!(false))),
    ("fault-registered-never-stops", REGISTERED, "next", Swallows("stop-iteration")),
    ("fault-managed-value-forgets", "value", "set|add", Skipped),
    ("fault-managed-array-forgets", "array", "set", Skipped),
    ("fault-managed-lock-is-free", "lock", "acquire", Skipped),
    ("fault-managed-lock-stays", "lock", "release", Skipped),
    ("fault-managed-lock-is-released-anyway", "lock", "release", Swallows("over-released")),
    ("fault-managed-lock-limit-is-no-failure", "lock", "acquire", Swallows("timed-out")),
    ("fault-managed-lock-hides-death", "lock", "acquire", Swallows("owner-died")),
    ("fault-managed-rlock-hides-death", "rlock", "acquire", Swallows("owner-died")),
    ("fault-managed-rlock-is-anybodys", "rlock", "release", Swallows("not-owner")),
    ("fault-managed-semaphore-never-ends", "semaphore", "acquire", Swallows("timed-out")),
    ("fault-managed-condition-needs-no-lock", "condition", "notify", Swallows("not-owner")),
    ("fault-managed-condition-limit-is-none", "condition", "wait_for", Swallows("timed-out")),
    ("fault-managed-event-is-set", "event", "wait", Skipped),
    ("fault-managed-barrier-is-open", "barrier", "wait", Skipped),
    ("fault-managed-barrier-never-breaks", "barrier", "wait", Swallows("barrier-broken")),
    ("fault-managed-queue-forgets", "queue", "put|put_kinds", Skipped),
    ("fault-managed-queue-has-something", "queue", "get", Skipped),
    ("fault-managed-queue-never-empties", "queue", "get", Swallows("empty")),
    ("fault-managed-queue-outlives-server", "queue", "get", Swallows("server-gone")),
    ("fault-managed-queue-is-always-done", "joinable-queue", "join", Skipped),
    ("fault-managed-queue-is-given-nothing", "pool", "map_puts", Fails("not-transferable")),
    // Purlin has none: what stands for it knows nothing.
    ("fault-managed-pool-is-none", "pool", "map", Answers(|_| json!(null))),
    // A wait that comes back after a nap.
    ("fault-managed-list-naps", LIST, "length", GivesUp),
    ("fault-managed-queue-join-naps", "joinable-queue", "join", GivesUp),
];

fn without(name: &str, args: &mut Arguments) {
    args.remove(name);
}

fn with(name: &str, value: &str, args: &mut Arguments) {
    args.insert(name.to_owned(), value.into());
}

/// The process that has started the one which asks.
fn parent(_: Value) -> Value {
    std::os::unix::process::parent_id().into()
}

/// The signal that asks for the end, in the place of the keyboard's.
fn terminated(args: &mut Arguments) {
    if args.get("signal") == Some(&json!(2)) {
        args.insert("signal".to_owned(), json!(15));
    }
}

/// What is no stand-in, in the place of one.
fn copied(args: &mut Arguments) {
    if args.remove("object").is_some() {
        args.insert("item".to_owned(), json!([0, 1, 2]));
        args.insert("value".to_owned(), json!([0, 1, 2]));
    }
}
