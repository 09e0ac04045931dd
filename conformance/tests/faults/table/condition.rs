//! Who notices what is wrong with a condition. What else notices it has not been looked at.

use super::Noticed::These;
use super::{Noticed, Table};

pub(super) const TABLE: Table = Table { groups: &["condition"], faults: &[FAULTS], long: LONG };

/// Many rounds, or many processes.
const LONG: &[&str] = &[
    "condition/dead-waiters-leave-no-trace",
    "condition/killed-at-any-point",
    "condition/killed-inside-notify-all",
    "condition/notify-near-a-limit",
    "condition/picked-waiter-killed",
    "condition/ping-pong",
    "condition/producers-and-consumers",
];

/// Faults by name.
const FAULTS: &[(&str, Noticed)] = &[
    ("fault-condition-lock-apart", These(&["condition/over-a-lock", "condition/over-an-rlock"])),
    ("fault-condition-over-anything", These(&["condition/over-something-else"])),
    ("fault-condition-one-pool", These(&["condition/two-over-one-lock"])),
    ("fault-condition-room-for-all", These(&["condition/no-room"])),
    ("fault-condition-keeps-lock", These(&["condition/wait-gives-lock-up", "condition/notify"])),
    ("fault-condition-one-level-up", These(&["condition/wait-frees-all-levels"])),
    ("fault-condition-depth-is-lost", These(&["condition/wait-restores-depth"])),
    (
        "fault-condition-wait-unheld",
        These(&["condition/wait-unheld", "condition/predicate-unheld"]),
    ),
    ("fault-condition-waits-once", These(&["condition/waits-again"])),
    (
        "fault-condition-limit-takes-no-lock",
        These(&["condition/lock-taken-at-the-limit", "condition/limit-passes"]),
    ),
    (
        "fault-condition-limit-is-notify",
        These(&[
            "condition/limit-passes",
            "condition/limit-is-zero",
            "condition/limit-is-negative",
            "condition/nobody-woken-without-cause",
        ]),
    ),
    ("fault-condition-notify-is-limit", These(&["condition/notified-in-time"])),
    (
        "fault-condition-expired-count",
        These(&["condition/expired-waiters-do-not-count", "condition/notify-near-a-limit"]),
    ),
    ("fault-condition-limit-hides-death", These(&[])),
    ("fault-condition-notify-releases", These(&["condition/lock-calls"])),
    (
        "fault-condition-notify-is-lost",
        These(&[
            "condition/notify",
            "condition/notify-some",
            "condition/no-order",
            "condition/passed-to-child",
            "condition/any-start-method",
            "condition/producers-and-consumers",
        ]),
    ),
    ("fault-condition-ninth-is-lost", These(&["condition/ping-pong"])),
    ("fault-condition-notify-is-kept", These(&["condition/notify-is-not-kept"])),
    ("fault-condition-notify-wakes-all", These(&["condition/notify-one", "condition/notify-some"])),
    (
        "fault-condition-notify-wakes-one",
        These(&["condition/notify-all", "condition/notify-some", "condition/fork-beside-a-waiter"]),
    ),
    (
        "fault-condition-one-of-a-process",
        These(&["condition/processes-and-threads", "condition/notify-all"]),
    ),
    ("fault-condition-none-is-one", These(&["condition/notify-none"])),
    ("fault-condition-less-is-none", These(&["condition/notify-less-than-none"])),
    (
        "fault-condition-notify-unheld",
        These(&[
            "condition/notify-unheld",
            "condition/notify-all-unheld",
            "condition/held-by-another",
        ]),
    ),
    ("fault-condition-held-by-process", These(&["condition/held-by-another"])),
    ("fault-condition-late-are-woken", These(&["condition/late-waiters"])),
    (
        "fault-condition-release-wakes",
        These(&["condition/release-wakes-nobody", "condition/nobody-woken-without-cause"]),
    ),
    (
        "fault-condition-woken-takes-no-lock",
        These(&["condition/returns-after-release", "condition/one-at-a-time"]),
    ),
    ("fault-condition-waits-first", These(&["condition/predicate-true-at-once"])),
    ("fault-condition-notify-is-enough", These(&["condition/predicate-becomes-true"])),
    ("fault-condition-limit-restarts", These(&["condition/limit-of-a-predicate-is-total"])),
    ("fault-condition-yes-or-no", These(&["condition/value-of-a-predicate"])),
    ("fault-condition-predicate-unlocked", These(&["condition/predicate-under-lock"])),
    ("fault-condition-failure-releases", These(&["condition/predicate-fails"])),
    (
        "fault-condition-false-is-answered",
        These(&[
            "condition/predicate-stays-false",
            "condition/predicate-with-zero-limit",
            "condition/predicate-with-negative-limit",
        ]),
    ),
    ("fault-condition-predicate-hides-death", These(&["condition/predicate-meets-dead-owner"])),
    (
        "fault-condition-waits-for-the-dead",
        These(&[
            "condition/notify-with-a-dead-waiter",
            "condition/notify-all-with-dead-waiters",
            "condition/dead-waiters-leave-no-trace",
        ]),
    ),
    ("fault-condition-waits-for-the-stopped", These(&["condition/waiter-stopped"])),
    ("fault-condition-spent-on-the-dead", These(&["condition/notify-passes-over-the-dead"])),
    ("fault-condition-dies-with-woken", These(&["condition/picked-waiter-killed"])),
    ("fault-condition-woken-death-poisons", These(&["condition/woken-waiter-killed"])),
    ("fault-condition-sleeper-death-poisons", These(&["condition/killed-waiter-was-no-holder"])),
    ("fault-condition-sleepers-are-untold", These(&["condition/holder-killed"])),
    ("fault-condition-all-are-called", These(&["condition/holder-killed"])),
    ("fault-signal-cuts", These(&["condition/signals"])),
    ("fault-interrupt-leaves-ticket", These(&["condition/interrupt"])),
    ("fault-huge-wraps", These(&["condition/limit-is-huge"])),
    ("fault-guard-keeps-on-failure", These(&["condition/guard"])),
    ("fault-zero-is-forever", These(&["condition/limit-is-zero"])),
    ("fault-negative-is-forever", These(&["condition/limit-is-negative"])),
    ("fault-guard-lets-go", These(&["condition/guard"])),
    ("fault-child-is-parent", These(&["condition/forked-child-of-holder"])),
    ("fault-gives-up-early", These(&["condition/limit-passes"])),
    ("fault-ends-with-maker", These(&["condition/maker-killed"])),
    ("fault-child-gets-copy", These(&["condition/passed-to-child", "condition/any-start-method"])),
    ("fault-lost-wake", These(&[])),
    ("fault-taker-must-release", These(&["condition/notify-by-anyone"])),
    ("fault-try-always-taken", These(&["condition/own-lock", "condition/over-an-rlock"])),
    (
        "fault-ignores-deaths",
        These(&[
            "condition/notifier-killed",
            "condition/holder-killed-before-a-limit",
            "condition/killed-inside-notify-all",
            "condition/killed-at-any-point",
        ]),
    ),
    (
        "fault-naps-then-takes",
        These(&[
            "condition/notify",
            "condition/notify-all",
            "condition/waits-again",
            "condition/wait-frees-all-levels",
        ]),
    ),
];
