//! What can be wrong with starting, joining and naming processes, and with asking about them.

use purlin_process::current;
use serde_json::{Value, json};

use super::bent::Wrong::{
    Allows, Answers, Before, Fails, FailsWhere, First, Given, GivesUp, IsForeseen, Means, Naps,
    Refuses, Skipped, Swallows, Then,
};
use super::bent::{ACTOR, Bend};

/// All of it.
pub(super) const BENDS: &[Bend] = &[
    ("fault-process-join-comes-early", "process", "join", Skipped),
    ("fault-process-start-joins", "process", "start", Then("join")),
    ("fault-process-cannot-start", "process", "start", Fails("system")),
    ("fault-process-refusal-is-start", "process", "start", Swallows("out-of-resources")),
    ("fault-process-uncarried-is-start", "process", "start", Swallows("not-transferable")),
    ("fault-process-kill-asks", "process", "kill", Means("terminate")),
    ("fault-process-terminate-kills", "process", "terminate", Means("kill")),
    ("fault-process-limit-is-no-failure", "process", "join", Swallows("timed-out")),
    ("fault-process-join-gives-up", "process", "join", Fails("timed-out")),
    ("fault-process-anybody-joins", "process", "join", Swallows("not-the-parent")),
    ("fault-process-status-is-lost", "process", "exit_status", Answers(|_| json!(0))),
    ("fault-process-status-is-one", "process", "exit_status", Answers(|_| json!(1))),
    ("fault-process-id-is-own", "process", "id", Answers(|_| json!(std::process::id()))),
    ("fault-process-has-one-id", "process", "id_twice", Skipped),
    ("fault-process-is-always-alive", "process", "is_alive", Answers(|_| json!(true))),
    ("fault-process-is-never-alive", "process", "is_alive", Answers(|_| json!(false))),
    ("fault-process-asks-nobody", "process", "is_alive", Skipped),
    ("fault-process-name-is-common", "process", "name", Answers(|_| json!("Process"))),
    ("fault-process-name-is-cut", "process", "is_named", Answers(|_| json!(false))),
    ("fault-process-name-stays", "process", "set_name", Skipped),
    ("fault-process-name-is-read", "process", "create", Given(number_as_name)),
    ("fault-process-close-keeps", "process", "close", Skipped),
    ("fault-process-end-is-unseen", "process", "has_ended", Answers(|_| json!(false))),
    ("fault-process-ends-unstarted", "process", "has_ended", Skipped),
    ("fault-process-end-comes-early", "process", "wait_for_end", Skipped),
    ("fault-process-runs-nothing", "process", "create", Given(|args| without(args, "function"))),
    ("fault-process-names-nothing", "process", "create", Given(|args| without(args, "named"))),
    ("fault-process-keeps-what-it-got", "process", "create", Given(|args| without(args, "gift"))),
    ("fault-process-group-is-ignored", "process", "create", Given(|args| without(args, "group"))),
    ("fault-process-is-half-made", "process", "create", Given(|args| without(args, "half_made"))),
    ("fault-process-key-is-inherited", "process", "create", Given(|args| without(args, "key"))),
    ("fault-process-program-is-own", "process", "create", Given(|args| without(args, "program"))),
    ("fault-process-key-is-anything", "process", "set_key", Skipped),
    ("fault-process-step-runs-nowhere", "process", "run", Skipped),
    ("fault-process-arguments-are-locked", "process", "overwrite_arguments", Fails("system")),
    ("fault-current-fork-gives-zero", "current", "fork", Answers(|_| json!(0))),
    ("fault-current-fork-fails", "current", "fork", Fails("unsupported")),
    ("fault-current-wait-is-lost", "current", "wait", Answers(|_| json!(0))),
    ("fault-current-wait-is-no-signal", "current", "wait", Answers(|status| positive(&status))),
    ("fault-current-wait-comes-early", "current", "wait", Skipped),
    ("fault-current-hook-runs-in-child", "current", "at_exit", Means("fork")),
    ("fault-current-name-is-common", "current", "name", Answers(|_| json!("Process"))),
    ("fault-current-name-is-cut", "current", "is_named", Answers(|_| json!(false))),
    ("fault-current-id-is-parents", "current", "id", Means("parent_id")),
    ("fault-current-is-daemon", "current", "daemon", Answers(|_| json!(true))),
    ("fault-current-asks-nobody", "current", "is_alive", Skipped),
    ("fault-current-joins-itself", "current", "join", Skipped),
    ("fault-current-key-is-own", "current", "key", Answers(|_| json!(std::process::id()))),
    ("fault-current-key-is-empty", "current", "key", Answers(|_| json!(""))),
    ("fault-current-key-is-sent", "current", "send_key", Skipped),
    ("fault-current-parent-is-none", "current", "parent_name", Fails("no-such-name")),
    ("fault-current-parent-lives-on", "current", "parent_is_alive", Answers(|_| json!(true))),
    ("fault-current-parent-is-not-waited-for", "current", "parent_join", Skipped),
    ("fault-current-children-are-foreign", "current", "children", Answers(|_| json!([["f", 1]]))),
    ("fault-current-any-is-first", "current", "wait_any", Answers(|_| json!(["p"]))),
    ("fault-current-any-gives-up", "current", "wait_any", Fails("timed-out")),
    ("fault-event-is-not-shared", "event", "is_set", Answers(|_| json!(false))),
    ("fault-thread-lives-in-copy", "thread", "is_alive", Answers(|_| json!(true))),
    ("fault-thread-is-never-main", "current-thread", "is_main", Answers(|_| json!(false))),
    ("fault-process-join-naps", "process", "join", GivesUp),
    ("fault-process-end-naps", "process", "wait_for_end", GivesUp),
    ("fault-current-any-naps", "current", "wait_any", GivesUp),
    ("fault-current-parent-naps", "current", "parent_join", GivesUp),
    ("fault-current-wait-naps", "current", "wait", Naps),
    ("fault-process-starts-twice", "process", "start", Allows),
    ("fault-process-second-close-is-refused", "process", "close", Refuses("closed")),
    ("fault-process-grandchild-cannot-start", ACTOR, "start", FailsWhere(is_child, "system")),
    ("fault-process-arguments-are-shared", "process", "overwrite_arguments", IsForeseen(two)),
    ("fault-process-starts-when-asked", "process", "id|exit_status|is_alive", Before("start")),
    ("fault-process-arguments-are-lost", "process", "create", Given(|args| without(args, "args"))),
    ("fault-process-arguments-are-some", "process", "create", Given(some)),
    ("fault-process-ways-are-swapped", "process", "create", Given(other_way)),
    ("fault-process-starts-at-the-root", "process", "start", First(to_the_root)),
];

fn without(args: &mut purlin_conformance::serve::Arguments, name: &str) {
    args.remove(name);
}

/// Whether this is a process that an actor has started: actors of the suite have a letter.
fn is_child() -> bool {
    current().parent().is_some() && current().name() != "a"
}

/// What the script writes over `[["one"]]`.
fn two(args: &mut purlin_conformance::serve::Arguments) {
    if args.get("args") == Some(&json!([["one"]])) {
        args.insert("args".to_owned(), json!([["two"]]));
    }
}

/// An argument where there is none.
fn some(args: &mut purlin_conformance::serve::Arguments) {
    if args.contains_key("echo") {
        args.entry("args").or_insert(json!([0]));
    }
}

fn other_way(args: &mut purlin_conformance::serve::Arguments) {
    let other = match args.get("how").and_then(Value::as_str) {
        Some("fork") => "spawn",
        Some("spawn") => "fork",
        _ => return,
    };
    args.insert("how".to_owned(), json!(other));
}

fn to_the_root() {
    let _ = std::env::set_current_dir("/");
}

/// A name that is a number is the text of it.
fn number_as_name(args: &mut purlin_conformance::serve::Arguments) {
    if let Some(name) = args.get_mut("name").filter(|name| name.is_number()) {
        *name = name.to_string().into();
    }
}

fn positive(status: &Value) -> Value {
    status.as_i64().map_or(Value::Null, |status| status.abs().into())
}
