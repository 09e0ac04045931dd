//! Who notices what is wrong with processes.

use super::Noticed::These;
use super::process_ends::ENDS;
use super::{Noticed, Table};

pub(super) const TABLE: Table =
    Table { groups: &["process"], faults: &[FAULTS, ENDS, NAPS, LINES], long: LONG };

/// Cases of many rounds.
const LONG: &[&str] = &[];

/// Faults by name.
const FAULTS: &[(&str, Noticed)] = &[
    (
        "fault-process-join-comes-early",
        These(&[
            "process/join-waits",
            "process/join-orders",
            "process/join-limits",
            "process/join-limit-early-end",
            "process/join-despite-signals",
            "process/join-from-threads",
            "process/join-limit-huge",
            "process/join-not-started",
            "process/alive-while-stopped",
            "process/join-limit-not-a-number",
        ]),
    ),
    ("fault-process-start-joins", These(&["process/join-waits"])),
    (
        "fault-process-cannot-start",
        These(&[
            "process/function",
            "process/start-by-either-way",
            "process/start-twice-running",
            "process/fork-beside-library-call",
            "process/id",
            "process/step",
            "process/nested",
        ]),
    ),
    ("fault-process-refusal-is-start", These(&["process/fork-refused", "process/spawn-refused"])),
    ("fault-process-uncarried-is-start", These(&["process/uncarriable", "process/start-failure"])),
    ("fault-process-kill-asks", These(&["process/kill", "process/join-from-threads"])),
    ("fault-process-terminate-kills", These(&["process/kill", "process/many-terminated"])),
    (
        "fault-process-limit-is-no-failure",
        These(&[
            "process/kill",
            "process/join-limits",
            "process/join-despite-signals",
            "process/many",
            "process/alive-while-stopped",
        ]),
    ),
    (
        "fault-process-join-gives-up",
        These(&[
            "process/join-beside-grandchild",
            "process/join-waits",
            "process/join-many-times",
            "process/join-collected-elsewhere",
            "process/join-signal-ignored",
            "process/foreign-children",
        ]),
    ),
    ("fault-process-anybody-joins", These(&["process/join-by-stranger"])),
    (
        "fault-process-status-is-lost",
        These(&[
            "process/function",
            "process/unreadable-argument",
            "process/many",
            "process/many-terminated",
            "process/join-many-times",
            "process/next-start-collects",
            "process/join-limit-early-end",
            "process/fork-beside-library-call",
            "process/join-from-threads",
            "process/join-collected-elsewhere",
        ]),
    ),
    (
        "fault-process-status-is-one",
        These(&[
            "process/no-function",
            "process/streams-closed-in-child",
            "process/streams-closed-in-parent",
            "process/many",
            "process/start-by-either-way",
            "process/join-beside-grandchild",
            "process/sentinel",
            "process/alive-after-end",
            "process/output-flushed",
        ]),
    ),
    (
        "fault-process-id-is-own",
        These(&[
            "process/start-runs-function",
            "process/start-by-either-way",
            "process/id",
            "process/step",
        ]),
    ),
    ("fault-process-has-one-id", These(&["process/id-two-names"])),
    (
        "fault-process-is-always-alive",
        These(&[
            "process/join-waits",
            "process/alive-after-end",
            "process/join-collected-elsewhere",
            "process/join-signal-ignored",
        ]),
    ),
    (
        "fault-process-is-never-alive",
        These(&[
            "process/join-waits",
            "process/join-limits",
            "process/alive-while-stopped",
            "process/sentinels",
            "process/many",
            "process/pipeline",
        ]),
    ),
    (
        "fault-process-asks-nobody",
        These(&["process/alive-after-end", "process/alive-before-start"]),
    ),
    (
        "fault-process-name-is-common",
        These(&[
            "process/names-by-number",
            "process/name-given",
            "process/name-empty",
            "process/name-changed",
            "process/name-twice",
            "process/names-in-children",
            "process/name-of-grandchild",
        ]),
    ),
    ("fault-process-name-is-cut", These(&["process/name-long"])),
    ("fault-process-name-stays", These(&["process/name-changed", "process/name-set-to-number"])),
    ("fault-process-name-is-read", These(&["process/name-made-of-number"])),
    (
        "fault-process-close-keeps",
        These(&["process/descriptors-left", "process/start-after-close"]),
    ),
    (
        "fault-process-end-is-unseen",
        These(&["process/sentinel", "process/sentinel-beside-grandchild"]),
    ),
    ("fault-process-ends-unstarted", These(&["process/sentinel-not-started"])),
    ("fault-process-end-comes-early", These(&["process/sentinel"])),
    (
        "fault-process-runs-nothing",
        These(&[
            "process/function",
            "process/join-orders",
            "process/fork-without-serial-form",
            "process/start-twice",
        ]),
    ),
    ("fault-process-names-nothing", These(&["process/named-arguments"])),
    (
        "fault-process-keeps-what-it-got",
        These(&[
            "process/uncarriable",
            "process/unreadable-argument",
            "process/arguments-released",
            "process/start-failure",
        ]),
    ),
    ("fault-process-group-is-ignored", These(&["process/group"])),
    ("fault-process-is-half-made", These(&["process/half-made"])),
    ("fault-process-key-is-inherited", These(&["process/key-changed"])),
    ("fault-process-program-is-own", These(&["process/program-is-chosen"])),
    ("fault-process-key-is-anything", These(&["process/key-is-no-number"])),
    ("fault-process-step-runs-nowhere", These(&["process/run-in-caller"])),
    ("fault-process-arguments-are-locked", These(&["process/arguments-overwritten"])),
    (
        "fault-current-fork-gives-zero",
        These(&["process/fork-two-sides", "process/fork-many", "process/fork-from-thread"]),
    ),
    (
        "fault-current-fork-fails",
        These(&[
            "process/fork-two-sides",
            "process/fork-many",
            "process/fork-memory",
            "process/fork-wait",
            "process/fork-threads",
            "process/fork-for-each-request",
            "process/fork-other-threads",
            "process/fork-from-thread",
            "process/fork-descriptors",
            "process/fork-orphan",
            "process/fork-buffered-output",
            "process/fork-wait-no-hang-ended",
            "process/fork-wait-twice",
        ]),
    ),
    (
        "fault-current-wait-is-lost",
        These(&[
            "process/fork-wait",
            "process/fork-wait-waits",
            "process/fork-wait-signal",
            "process/fork-wait-no-hang-ended",
        ]),
    ),
    ("fault-current-wait-is-no-signal", These(&["process/fork-wait-signal"])),
    (
        "fault-current-wait-comes-early",
        These(&[
            "process/fork-wait-waits",
            "process/fork-wait-twice",
            "process/fork-wait-stranger",
            "process/fork-wait",
        ]),
    ),
    ("fault-current-hook-runs-in-child", These(&["process/fork-exit-hooks"])),
    (
        "fault-current-name-is-common",
        These(&[
            "process/names-by-number",
            "process/name-given",
            "process/name-changed",
            "process/main",
            "process/names-in-children",
            "process/name-of-grandchild",
        ]),
    ),
    ("fault-current-name-is-cut", These(&["process/name-long"])),
    ("fault-current-id-is-parents", These(&["process/id", "process/main"])),
    ("fault-current-is-daemon", These(&["process/main"])),
    ("fault-current-asks-nobody", These(&["process/main-lives", "process/current-in-child"])),
    ("fault-current-joins-itself", These(&["process/join-itself"])),
    ("fault-current-key-is-own", These(&["process/key"])),
    ("fault-current-key-is-empty", These(&["process/key", "process/key-changed"])),
    ("fault-current-key-is-sent", These(&["process/key-sent"])),
    ("fault-current-parent-is-none", These(&["process/start-by-either-way", "process/main"])),
    ("fault-current-parent-lives-on", These(&["process/parent-dies"])),
    (
        "fault-current-parent-is-not-waited-for",
        These(&["process/parent-dies", "process/parent-join-limit"]),
    ),
    (
        "fault-current-children-are-foreign",
        These(&[
            "process/foreign-children",
            "process/start-by-stranger",
            "process/many",
            "process/start-failure",
            "process/fork-refused",
            "process/spawn-refused",
        ]),
    ),
    ("fault-current-any-is-first", These(&["process/sentinels"])),
    (
        "fault-current-any-gives-up",
        These(&["process/sentinel", "process/sentinels", "process/sentinel-beside-grandchild"]),
    ),
    ("fault-event-is-not-shared", These(&["process/shared-stay-shared"])),
    ("fault-thread-lives-in-copy", These(&["process/fork-other-threads"])),
    ("fault-thread-is-never-main", These(&["process/fork-from-thread"])),
    (
        "false-log-lines-doubled",
        These(&[
            "process/fork-two-sides",
            "process/fork-exit-hooks",
            "process/arguments",
            "process/no-arguments",
            "process/fork-buffered-output",
        ]),
    ),
    (
        "false-host-global-fresh",
        These(&[
            "process/fork-memory",
            "process/memory-copied",
            "process/globals",
            "process/run-in-caller",
        ]),
    ),
    (
        "false-host-environment-fresh",
        These(&["process/fork-memory", "process/directory-and-environment"]),
    ),
    ("false-host-directory-fresh", These(&["process/directory-and-environment"])),
    (
        "false-host-parent-is-first",
        These(&[
            "process/fork-two-sides",
            "process/fork-many",
            "process/fork-orphan",
            "process/start-by-either-way",
        ]),
    ),
    (
        "false-host-count-differs",
        These(&[
            "process/fork-two-sides",
            "process/fork-threads",
            "process/descriptors-left",
            "process/start-failure",
            "process/fork-refused",
            "process/spawn-refused",
            "process/create-starts-nothing",
            "process/run-in-caller",
        ]),
    ),
    ("false-host-input-shared", These(&["process/input-is-empty"])),
    (
        "false-host-state-ended",
        These(&[
            "process/next-start-collects",
            "process/alive-after-end",
            "process/join-beside-grandchild",
        ]),
    ),
    (
        "false-host-signal-ignored",
        These(&["process/signals-left-alone", "process/signals-left-alone-by-objects"]),
    ),
];

/// Waits that nap and then come back.
const NAPS: &[(&str, Noticed)] = &[
    (
        "fault-process-join-naps",
        These(&[
            "process/join-waits",
            "process/join-limit-early-end",
            "process/end-waits-for-children",
            "process/end-waits-for-threads",
        ]),
    ),
    ("fault-process-end-naps", These(&["process/sentinel"])),
    ("fault-current-any-naps", These(&["process/sentinels"])),
    ("fault-current-parent-naps", These(&["process/parent-dies"])),
    ("fault-current-wait-naps", These(&["process/fork-wait-waits"])),
];

/// What is wrong at the one line that a case is about; `lines.rs` names it.
const LINES: &[(&str, Noticed)] = &[
    ("fault-process-starts-twice", These(&["process/start-twice-running"])),
    ("fault-process-second-close-is-refused", These(&["process/close-twice"])),
    ("fault-process-grandchild-cannot-start", These(&["process/nested"])),
    ("fault-process-arguments-are-shared", These(&["process/arguments-overwritten"])),
    ("fault-process-starts-when-asked", These(&["process/create-starts-nothing"])),
    ("fault-process-arguments-are-lost", These(&["process/arguments"])),
    ("fault-process-arguments-are-some", These(&["process/no-arguments"])),
    ("fault-process-ways-are-swapped", These(&["process/globals", "process/memory-copied"])),
    ("fault-process-starts-at-the-root", These(&["process/directory-and-environment"])),
];
