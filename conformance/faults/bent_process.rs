//! What can be wrong with starting, joining and naming processes, and with asking about them.

use serde_json::{Value, json};

use super::bent::Bend;
use super::bent::Wrong::{Answers, Fails, Given, Means, Skipped, Swallows, Then};

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
];

fn without(args: &mut purlin_conformance::serve::Arguments, name: &str) {
    args.remove(name);
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
