//! What can be wrong with other programs.

use serde_json::json;

use super::bent::Bend;
use super::bent::Wrong::{Answers, Fails, Given, GivesUp, Means, Skipped, Swallows};

const KIND: &str = "program";

/// All of it.
pub(super) const BENDS: &[Bend] = &[
    ("fault-program-run-says-nothing", KIND, "run", Answers(|_| json!([0, "", ""]))),
    ("fault-program-run-fails", KIND, "run", Fails("system")),
    ("fault-program-run-is-nothing", KIND, "run", Skipped),
    ("fault-program-run-limit-is-no-failure", KIND, "run", Swallows("timed-out")),
    ("fault-program-check-checks-nothing", KIND, "check", Means("run")),
    ("fault-program-check-refuses-all", KIND, "check", Fails("task-failed")),
    ("fault-program-start-is-nothing", KIND, "start", Skipped),
    ("fault-program-missing-is-no-failure", KIND, "start", Swallows("no-such-program")),
    ("fault-program-no-directory-is-no-failure", KIND, "start", Swallows("no-such-name")),
    ("fault-program-odd-text-is-no-failure", KIND, "start", Swallows("invalid-argument")),
    ("fault-program-too-long-is-no-failure", KIND, "start", Swallows("out-of-resources")),
    (
        "fault-program-output-goes-nowhere",
        KIND,
        "create",
        Given(|args| {
            args.insert("output".to_owned(), json!("null"));
        }),
    ),
    (
        "fault-program-ends-with-caller",
        KIND,
        "create",
        Given(|args| {
            args.insert("with_caller".to_owned(), json!(true));
        }),
    ),
    (
        "fault-program-never-ends-with-caller",
        KIND,
        "create",
        Given(|args| {
            args.remove("with_caller");
        }),
    ),
    (
        "fault-program-text-as-it-is",
        KIND,
        "create",
        Given(|args| {
            args.remove("text");
        }),
    ),
    (
        "fault-program-main-begins-again",
        KIND,
        "create",
        Given(|args| {
            if args.contains_key("main") {
                args.insert("main".to_owned(), json!("late"));
            }
        }),
    ),
    (
        "fault-program-user-stays",
        KIND,
        "create",
        Given(|args| {
            args.remove("user");
        }),
    ),
    ("fault-program-wait-comes-early", KIND, "wait", Skipped),
    ("fault-program-wait-succeeds", KIND, "wait", Answers(|_| json!(0))),
    ("fault-program-wait-limit-is-no-failure", KIND, "wait", Swallows("timed-out")),
    ("fault-program-always-ended", KIND, "poll", Answers(|_| json!(0))),
    ("fault-program-terminate-kills", KIND, "terminate", Means("kill")),
    ("fault-program-kill-fails", KIND, "kill", Fails("system")),
    ("fault-program-broken-pipe-is-no-failure", KIND, "write", Swallows("broken-pipe")),
    ("fault-program-output-is-cut", KIND, "read_count", Answers(|_| json!(1))),
    ("fault-program-exchange-says-nothing", KIND, "exchange", Answers(|_| json!([0, null, "?"]))),
    ("fault-program-exchange-limit-is-no-failure", KIND, "exchange", Swallows("timed-out")),
    ("fault-program-resume-is-nothing", KIND, "resume", Skipped),
    ("fault-program-never-let-go", KIND, "drop", Skipped),
    ("fault-program-scope-forgets-status", KIND, "scope", Answers(|_| json!(0))),
    ("fault-program-wait-naps", KIND, "wait", GivesUp),
];
