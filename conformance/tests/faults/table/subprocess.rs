//! Who notices what is wrong with other programs.

use super::Noticed::These;
use super::{Noticed, Table};

pub(super) const TABLE: Table =
    Table { groups: &["subprocess"], faults: &[FAULTS, NAPS], long: &[] };

/// Faults by name.
const FAULTS: &[(&str, Noticed)] = &[
    (
        "fault-program-run-says-nothing",
        These(&[
            "subprocess/run-result",
            "subprocess/status",
            "subprocess/arguments",
            "subprocess/environment-names",
            "subprocess/environment",
            "subprocess/directory",
            "subprocess/name",
            "subprocess/umask",
            "subprocess/session",
            "subprocess/signals-at-default",
            "subprocess/descriptors",
            "subprocess/descriptor-passed",
            "subprocess/errors-into-output",
            "subprocess/leaks-nothing",
            "subprocess/shell",
        ]),
    ),
    (
        "fault-program-run-fails",
        These(&["subprocess/streams-closed-in-caller", "subprocess/search-path"]),
    ),
    ("fault-program-run-is-nothing", These(&["subprocess/stream-conflicts"])),
    (
        "fault-program-run-limit-is-no-failure",
        These(&["subprocess/run-limit", "subprocess/limit-beside-descendant"]),
    ),
    ("fault-program-check-checks-nothing", These(&["subprocess/check"])),
    ("fault-program-check-refuses-all", These(&["subprocess/check"])),
    (
        "fault-program-start-is-nothing",
        These(&["subprocess/no-words", "subprocess/output-into-output"]),
    ),
    (
        "fault-program-missing-is-no-failure",
        These(&[
            "subprocess/not-found",
            "subprocess/not-executable",
            "subprocess/search-path",
            "subprocess/leaks-nothing",
        ]),
    ),
    ("fault-program-no-directory-is-no-failure", These(&["subprocess/no-directory"])),
    (
        "fault-program-odd-text-is-no-failure",
        These(&["subprocess/zero-byte", "subprocess/environment-names"]),
    ),
    ("fault-program-too-long-is-no-failure", These(&["subprocess/too-long"])),
    (
        "fault-program-output-goes-nowhere",
        These(&[
            "subprocess/own-output",
            "subprocess/errors-into-own-output",
            "subprocess/files",
            "subprocess/three-streams",
        ]),
    ),
    ("fault-program-ends-with-caller", These(&["subprocess/caller-killed"])),
    ("fault-program-never-ends-with-caller", These(&["subprocess/ends-with-caller"])),
    ("fault-program-text-as-it-is", These(&["subprocess/text"])),
    (
        "fault-program-wait-comes-early",
        These(&[
            "subprocess/waits",
            "subprocess/input",
            "subprocess/output",
            "subprocess/wait-from-threads",
        ]),
    ),
    (
        "fault-program-wait-succeeds",
        These(&[
            "subprocess/wait-again",
            "subprocess/child-signal-ignored",
            "subprocess/signals",
            "subprocess/no-signal-blocked",
            "subprocess/killed-amid-output",
        ]),
    ),
    ("fault-program-wait-limit-is-no-failure", These(&["subprocess/limit", "subprocess/stopped"])),
    (
        "fault-program-always-ended",
        These(&["subprocess/poll", "subprocess/limit", "subprocess/stopped"]),
    ),
    (
        "fault-program-terminate-kills",
        These(&["subprocess/signals", "subprocess/no-signal-blocked"]),
    ),
    (
        "fault-program-kill-fails",
        These(&["subprocess/signal-after-end", "subprocess/signals", "subprocess/limit-is-total"]),
    ),
    ("fault-program-broken-pipe-is-no-failure", These(&["subprocess/write-after-end"])),
    ("fault-program-output-is-cut", These(&["subprocess/killed-amid-output"])),
    (
        "fault-program-exchange-says-nothing",
        These(&[
            "subprocess/three-streams",
            "subprocess/null-device",
            "subprocess/large-both-ways",
            "subprocess/bytes-unchanged",
            "subprocess/reads-nothing",
            "subprocess/exchange-twice",
            "subprocess/end-of-streams",
            "subprocess/signal-in-exchange",
        ]),
    ),
    (
        "fault-program-exchange-limit-is-no-failure",
        These(&[
            "subprocess/exchange-goes-on",
            "subprocess/no-second-input",
            "subprocess/limit-is-total",
        ]),
    ),
    (
        "fault-program-resume-is-nothing",
        These(&["subprocess/exchange-twice", "subprocess/exchange-goes-on"]),
    ),
    ("fault-program-user-stays", These(&["subprocess/other-user"])),
    ("fault-program-never-let-go", These(&["subprocess/streams-are-closed"])),
    ("fault-program-scope-forgets-status", These(&["subprocess/scope"])),
];

/// Waits that nap and then come back.
const NAPS: &[(&str, Noticed)] = &[("fault-program-wait-naps", These(&["subprocess/waits"]))];
