//! Who notices what is wrong with an event.

use super::Noticed::These;
use super::{Noticed, Table};

pub(super) const TABLE: Table = Table { groups: &["event"], faults: &[FAULTS], long: LONG };

/// Cases of many rounds.
const LONG: &[&str] = &[
    "event/caller-stopped",
    "event/caller-stopped-is-set",
    "event/data-is-visible",
    "event/killed-at-any-point",
    "event/no-wakeup-lost",
    "event/set-then-clear",
    "event/setter-killed-inside",
    "event/waiters-killed",
];

/// Faults by name.
const FAULTS: &[(&str, Noticed)] = &[
    (
        "fault-event-starts-set",
        These(&[
            "event/starts-unset",
            "event/is-set",
            "event/wait",
            "event/set-wakes-all",
            "event/again",
            "event/waiter-after-clear",
            "event/limit-passes",
            "event/limit-is-a-fraction",
            "event/limit-of-another",
            "event/result-tells",
            "event/limit-is-zero",
            "event/limit-is-negative",
            "event/limit-met",
            "event/limit-is-huge",
            "event/signals",
            "event/shared-with-child",
            "event/any-start-method",
            "event/maker-killed",
            "event/waiter-killed",
            "event/waiter-stopped",
            "event/setter-killed",
        ]),
    ),
    (
        "fault-event-is-set-lies",
        These(&[
            "event/is-set",
            "event/set-twice",
            "event/clear-twice",
            "event/wait",
            "event/wait-again",
            "event/limit-of-another",
            "event/shared-with-child",
            "event/waiter-killed",
            "event/setter-killed",
        ]),
    ),
    (
        "fault-event-set-wakes-one",
        These(&[
            "event/set-wakes-all",
            "event/again",
            "event/waiter-after-clear",
            "event/any-start-method",
        ]),
    ),
    (
        "fault-event-set-forgotten",
        These(&[
            "event/is-set",
            "event/set-twice",
            "event/clear-twice",
            "event/wait-when-set",
            "event/wait-again",
            "event/set-remembered",
            "event/result-tells",
            "event/limit-is-zero",
            "event/limit-is-negative",
        ]),
    ),
    ("fault-event-set-toggles", These(&["event/set-twice"])),
    (
        "fault-event-clear-ignored",
        These(&[
            "event/is-set",
            "event/set-twice",
            "event/wait-after-clear",
            "event/again",
            "event/waiter-after-clear",
            "event/limit-is-huge",
        ]),
    ),
    ("fault-event-clear-toggles", These(&["event/clear-twice"])),
    ("fault-event-wait-consumes", These(&["event/wait-when-set", "event/wait-again"])),
    ("fault-event-looks-again", These(&["event/set-then-clear", "event/waiter-after-clear"])),
    (
        "fault-event-set-is-owed",
        These(&["event/again", "event/waiter-after-clear", "event/limit-is-huge"]),
    ),
    ("fault-event-serves-once", These(&["event/again", "event/limit-is-huge"])),
    ("fault-event-timeout-ends-all", These(&["event/limit-of-another"])),
    (
        "fault-event-timeout-says-set",
        These(&[
            "event/limit-passes",
            "event/limit-is-a-fraction",
            "event/limit-of-another",
            "event/result-tells",
            "event/signals",
        ]),
    ),
    ("fault-event-set-in-two-steps", These(&["event/setter-killed-inside"])),
    ("fault-event-dead-waiter-hangs-set", These(&["event/waiter-killed"])),
    ("fault-event-dead-waiters-count", These(&["event/waiters-killed"])),
    ("fault-event-dies-with-setter", These(&["event/set-remembered", "event/setter-killed"])),
    (
        "fault-event-dead-caller-holds",
        These(&["event/set-remembered", "event/killed-at-any-point", "event/setter-killed"]),
    ),
    ("fault-event-sleeps-through-set", These(&["event/no-wakeup-lost"])),
    (
        "fault-gives-up-early",
        These(&[
            "event/limit-passes",
            "event/limit-is-a-fraction",
            "event/limit-of-another",
            "event/result-tells",
            "event/signals",
        ]),
    ),
    ("fault-zero-is-forever", These(&["event/limit-is-zero"])),
    ("fault-timed-not-woken", These(&["event/limit-met", "event/limit-is-huge"])),
    ("fault-negative-is-forever", These(&["event/limit-is-negative"])),
    ("fault-huge-wraps", These(&["event/limit-is-huge"])),
    (
        "fault-lost-wake",
        These(&[
            "event/wait",
            "event/set-wakes-all",
            "event/wait-after-clear",
            "event/again",
            "event/waiter-after-clear",
            "event/limit-of-another",
            "event/limit-met",
            "event/limit-is-huge",
            "event/shared-with-child",
            "event/any-start-method",
            "event/maker-killed",
            "event/waiter-killed",
            "event/waiter-stopped",
            "event/setter-killed",
        ]),
    ),
    ("fault-huge-refused", These(&["event/limit-is-huge"])),
    ("fault-signal-cuts", These(&["event/signals"])),
    ("fault-signal-restarts", These(&["event/signals"])),
    ("fault-ends-with-maker", These(&["event/maker-killed"])),
    ("fault-child-gets-copy", These(&["event/shared-with-child", "event/any-start-method"])),
    ("fault-spawn-gets-copy", These(&["event/shared-with-child", "event/any-start-method"])),
    ("fault-wake-waits-for-woken", These(&["event/waiter-stopped"])),
    (
        "fault-stopped-holds-up-all",
        These(&["event/waiter-stopped", "event/caller-stopped-is-set", "event/caller-stopped"]),
    ),
    ("false-update-lost", These(&["event/data-is-visible"])),
    (
        "fault-naps-then-takes",
        These(&[
            "event/wait",
            "event/wait-after-clear",
            "event/set-wakes-all",
            "event/shared-with-child",
        ]),
    ),
];
