//! Who notices what is wrong with the ends of processes, with daemons, with the list of children,
//! with ways of starting.

use super::Noticed;
use super::Noticed::These;

/// Faults by name.
pub(super) const ENDS: &[(&str, Noticed)] = &[
    (
        "fault-end-status-is-zero",
        These(&[
            "process/status-while-running",
            "process/status-of-an-exit",
            "process/function-fails",
            "process/signals-end-it",
            "process/real-time-signal-ends-it",
            "process/immediate-exit",
            "process/status-is-stable",
            "process/status-without-join",
            "process/exit-number-does-not-fit",
            "process/exit-number-is-absurd",
            "process/terminate",
            "process/terminate-an-endless-loop",
            "process/kill-is-signal-9",
            "process/terminate-is-handled",
            "process/threads-start-processes",
            "process/killed-while-arguments-travel",
        ]),
    ),
    ("fault-end-status-is-refused", These(&["process/status-before-start"])),
    ("fault-end-return-is-status", These(&["process/status-of-a-return"])),
    ("fault-end-status-is-none-to-others", These(&["process/status-asked-by-a-stranger"])),
    (
        "fault-end-exit-has-its-own-number",
        These(&[
            "process/status-of-an-exit",
            "process/exit-without-number",
            "process/exit-with-a-truth-value",
            "process/exit-with-a-text",
        ]),
    ),
    (
        "fault-end-exit-keeps-low-bits",
        These(&["process/exit-number-does-not-fit", "process/exit-number-is-absurd"]),
    ),
    ("fault-end-wait-loses-status", These(&["process/status-at-the-raw-level"])),
    (
        "fault-end-hooks-run-at-once",
        These(&["process/immediate-exit", "process/terminate-cleans-nothing-up"]),
    ),
    ("fault-end-hooks-are-forgotten", These(&["process/exit-hooks"])),
    ("fault-end-threads-are-daemons", These(&["process/end-waits-for-threads"])),
    (
        "fault-end-name-is-lost",
        These(&["process/failure-is-reported", "process/children", "process/description"]),
    ),
    (
        "fault-end-terminate-kills",
        These(&[
            "process/terminate",
            "process/terminate-does-not-wait",
            "process/terminate-is-handled",
            "process/kill-a-stopped-child",
            "process/terminate-an-endless-loop",
        ]),
    ),
    ("fault-end-terminate-joins", These(&["process/terminate-does-not-wait"])),
    (
        "fault-end-terminate-does-nothing",
        These(&[
            "process/terminate",
            "process/terminate-before-start",
            "process/terminate-an-endless-loop",
        ]),
    ),
    ("fault-end-terminate-is-refused", These(&["process/terminate-after-end"])),
    (
        "fault-end-kill-asks",
        These(&[
            "process/kill-is-signal-9",
            "process/kill-right-after-start",
            "process/kill-a-stopped-child",
        ]),
    ),
    ("fault-end-kill-hits-all", These(&["process/siblings-are-spared"])),
    ("fault-end-others-may-terminate", These(&["process/terminate-by-a-stranger"])),
    (
        "fault-end-kill-does-nothing",
        These(&[
            "process/descendants-are-spared",
            "process/joiner-is-killed",
            "process/parent-is-killed",
        ]),
    ),
    ("fault-end-each-signal-is-lost", These(&["process/any-signal"])),
    (
        "fault-end-daemons-are-none",
        These(&[
            "process/daemon-mark",
            "process/daemon-ends-with-parent",
            "process/daemon-output-lost",
            "process/daemon-cut-short",
            "process/daemon-starts-nothing",
            "process/daemon-is-terminated",
            "process/daemon-ignores-termination",
            "process/daemons-after-an-immediate-exit",
            "process/daemons-of-a-killed-parent",
            "process/daemon-of-a-thread",
            "process/end-leaves-no-daemons",
        ]),
    ),
    (
        "fault-end-grandchildren-are-daemons",
        These(&["process/end-waits-for-children", "process/end-leaves-children"]),
    ),
    ("fault-end-nobody-is-left", These(&["process/end-leaves-children"])),
    (
        "fault-end-mark-is-not-set",
        These(&["process/daemon-mark", "process/daemon-mark-after-start"]),
    ),
    (
        "fault-end-mark-is-not-seen",
        These(&["process/daemon-mark", "process/daemon-mark-inherited"]),
    ),
    ("fault-end-own-state-is-lost", These(&["process/own-state"])),
    ("fault-end-daemon-has-pool", These(&["process/daemon-has-no-pool"])),
    ("fault-end-daemon-seems-to-start", These(&["process/daemon-starts-nothing"])),
    ("fault-end-start-joins", These(&["process/siblings-run-side-by-side"])),
    ("fault-end-join-comes-early", These(&["process/daemon-joined-first"])),
    ("fault-end-join-is-cut", These(&["process/join-survives-signals"])),
    (
        "fault-end-children-are-too-many",
        These(&[
            "process/children-at-first",
            "process/children-that-ended",
            "process/children-of-a-child",
        ]),
    ),
    (
        "fault-end-children-are-too-few",
        These(&[
            "process/children",
            "process/children-of-a-child",
            "process/children-are-a-snapshot",
        ]),
    ),
    ("fault-end-emptied-list-is-the-one", These(&["process/children-are-a-snapshot"])),
    ("fault-end-no-processor", These(&["process/processors"])),
    ("fault-end-each-processor", These(&["process/processors"])),
    (
        "fault-end-close-does-nothing",
        These(&["process/close-while-it-runs", "process/close-collects"]),
    ),
    ("fault-end-close-is-refused", These(&["process/close-twice"])),
    ("fault-end-life-cannot-be-asked", These(&["process/use-after-close"])),
    ("fault-end-name-cannot-be-asked", These(&["process/name-after-close"])),
    ("fault-end-description-is-empty", These(&["process/description"])),
    ("fault-end-large-is-cut", These(&["process/large-arguments"])),
    ("fault-end-no-methods", These(&["process/start-methods"])),
    (
        "fault-end-method-can-be-set",
        These(&["process/method-is-set-once", "process/method-of-a-context"]),
    ),
    ("fault-end-method-is-none", These(&["process/method-of-a-child"])),
    (
        "fault-end-method-is-passed-over",
        These(&[
            "process/method-of-each-start",
            "process/method-is-unknown",
            "process/spawn-inherits-nothing",
            "process/signal-handlers-of-a-child",
            "process/spawn-among-siblings",
        ]),
    ),
    (
        "fault-program-run-says-nothing",
        These(&["process/arguments-of-the-program", "process/options-of-the-program"]),
    ),
    (
        "fault-program-main-begins-again",
        These(&["process/main-without-guard", "process/main-with-guard"]),
    ),
    ("fault-end-lock-lets-all-in", These(&["process/objects-cross"])),
    ("fault-end-units-are-lost", These(&["process/objects-are-handed-on"])),
    ("fault-end-thread-is-another", These(&["process/first-thread-of-a-child"])),
];
