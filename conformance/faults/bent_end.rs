//! What can be wrong with how processes end, and how they are ended; with daemons, with the list
//! of children, with ways of starting.

use purlin_conformance::serve::Arguments;
use purlin_process::{active_children, current};
use serde_json::json;

use super::bent::Bend;
use super::bent::Wrong::{Answers, Fails, First, Given, Means, Runs, Skipped, Swallows, Then};

/// All of it.
pub(super) const BENDS: &[Bend] = &[
    ("fault-end-status-is-zero", "process", "exit_status", Answers(|_| json!(0))),
    ("fault-end-status-is-refused", "process", "exit_status", Fails("system")),
    ("fault-end-return-is-status", "process", "create", Given(exit_with_what_returns)),
    ("fault-end-status-is-none-to-others", "process", "exit_status", Swallows("not-the-parent")),
    (
        "fault-end-exit-has-its-own-number",
        "current",
        "exit",
        Given(|args| {
            args.insert("code".to_owned(), json!(3));
        }),
    ),
    (
        "fault-end-exit-keeps-low-bits",
        "current",
        "exit",
        Given(|args| {
            let code = args.get("code").and_then(serde_json::Value::as_i64).unwrap_or(0);
            args.insert("code".to_owned(), json!(code & 0xff));
        }),
    ),
    ("fault-end-wait-loses-status", "current", "wait", Answers(|_| json!(0))),
    ("fault-end-hooks-run-at-once", "current", "at_exit", Runs),
    ("fault-end-hooks-are-forgotten", "current", "at_exit", Skipped),
    (
        "fault-end-threads-are-daemons",
        "thread",
        "create",
        Given(|args| {
            args.insert("daemon".to_owned(), json!(true));
        }),
    ),
    (
        "fault-end-name-is-lost",
        "process",
        "create",
        Given(|args| {
            args.remove("name");
        }),
    ),
    ("fault-end-terminate-kills", "process", "terminate", Means("kill")),
    ("fault-end-terminate-joins", "process", "terminate", Then("join")),
    ("fault-end-terminate-does-nothing", "process", "terminate", Skipped),
    ("fault-end-terminate-is-refused", "process", "terminate", Fails("not-started")),
    ("fault-end-kill-asks", "process", "kill", Means("terminate")),
    ("fault-end-kill-hits-all", "process", "kill", First(kill_all)),
    ("fault-end-others-may-terminate", "process", "terminate", Swallows("not-the-parent")),
    ("fault-end-kill-does-nothing", "process", "kill", Skipped),
    ("fault-end-each-signal-is-lost", "process", "signal", Skipped),
    (
        "fault-end-daemons-are-none",
        "process",
        "create",
        Given(|args| {
            args.remove("daemon");
        }),
    ),
    (
        "fault-end-grandchildren-are-daemons",
        "process",
        "create",
        Given(|args| {
            if current().name() != "a" {
                args.insert("daemon".to_owned(), json!(true));
            }
        }),
    ),
    ("fault-end-mark-is-not-set", "process", "set_daemon", Skipped),
    ("fault-end-mark-is-not-seen", "process", "daemon", Answers(|_| json!(false))),
    ("fault-end-own-state-is-lost", "shouter", "submit", Fails("end-of-file")),
    ("fault-end-daemon-has-pool", "pool", "start", Swallows("daemon-may-not-have-children")),
    (
        "fault-end-daemon-seems-to-start",
        "process",
        "start",
        Swallows("daemon-may-not-have-children"),
    ),
    ("fault-end-start-joins", "process", "start", Then("join")),
    ("fault-end-join-comes-early", "process", "join", Skipped),
    ("fault-end-join-is-cut", "process", "join", Fails("interrupted")),
    (
        "fault-end-children-are-too-many",
        "current",
        "children",
        Answers(|mut all| {
            if let Some(all) = all.as_array_mut() {
                all.push(json!(["nobody", 1]));
            }
            all
        }),
    ),
    ("fault-end-children-are-too-few", "current", "children", Answers(|_| json!([]))),
    ("fault-end-emptied-list-is-the-one", "current", "empty_children", First(kill_all)),
    ("fault-end-no-processor", "current", "processors", Answers(|_| json!(0))),
    ("fault-end-each-processor", "current", "usable_processors", Answers(|_| json!(4097))),
    ("fault-end-close-does-nothing", "process", "close", Skipped),
    ("fault-end-close-is-refused", "process", "close", Fails("closed")),
    ("fault-end-life-cannot-be-asked", "process", "is_alive", Fails("system")),
    ("fault-end-name-cannot-be-asked", "process", "name", Fails("system")),
    ("fault-end-description-is-empty", "process", "description", Answers(|_| json!("process"))),
    (
        "fault-end-large-is-cut",
        "process",
        "create",
        Given(|args| {
            if args.contains_key("bulk") {
                args.insert("bulk".to_owned(), json!(1 << 20));
            }
        }),
    ),
    ("fault-end-nobody-is-left", "current", "leave_at_exit", Skipped),
    ("fault-end-no-methods", "current", "start_methods", Skipped),
    ("fault-end-method-can-be-set", "current", "set_start_method", Skipped),
    ("fault-end-method-is-none", "current", "start_method", Skipped),
    (
        "fault-end-method-is-passed-over",
        "process",
        "create",
        Given(|args| {
            args.remove("how");
        }),
    ),
    ("fault-end-lock-lets-all-in", "lock", "try", Skipped),
    ("fault-end-units-are-lost", "semaphore", "release", Skipped),
    ("fault-end-thread-is-another", "current-thread", "native_id", Answers(|_| json!(1))),
];

fn kill_all() {
    for child in active_children() {
        // Who has ended is dead enough; the others are gone before this returns.
        let _ = child.kill().and_then(|()| child.join(None));
    }
}

/// What a function returns is what it exits with.
fn exit_with_what_returns(args: &mut Arguments) {
    let Some(code) = args.remove("returns") else { return };
    let exit = json!({"do": "call", "object": "me", "op": "exit", "args": {"code": code}});
    let function = args.get_mut("function").and_then(|function| function.get_mut("program"));
    if let Some(program) = function.and_then(serde_json::Value::as_array_mut) {
        program.push(exit);
    }
}
