//! What can be wrong with processes.

use serde_json::json;

use super::bent::Bend;
use super::bent::Wrong::{Answers, Fails, Given, Means, Skipped, Swallows, Then};

/// All of it.
pub(super) const BENDS: &[Bend] = &[
    ("fault-process-join-comes-early", "process", "join", Skipped),
    ("fault-process-start-joins", "process", "start", Then("join")),
    ("fault-process-cannot-start", "process", "start", Fails("system")),
    ("fault-process-kill-asks", "process", "kill", Means("terminate")),
    ("fault-process-limit-is-no-failure", "process", "join", Swallows("timed-out")),
    ("fault-process-status-is-lost", "process", "exit_status", Answers(|_| json!(0))),
    ("fault-process-id-is-own", "process", "id", Answers(|_| json!(std::process::id()))),
    (
        "fault-process-runs-nothing",
        "process",
        "create",
        Given(|args| {
            args.remove("function");
        }),
    ),
];
