//! Who notices what is wrong with managers and the objects that their servers keep.

use super::Noticed::These;
use super::{Noticed, Table};

pub(super) const TABLE: Table = Table { groups: &["manager"], faults: &[FAULTS, NAPS], long: &[] };

/// Each is purlin with one call that is wrong.
const FAULTS: &[(&str, Noticed)] = &[
    (
        "fault-manager-start-is-nothing",
        These(&[
            "manager/start-again",
            "manager/after-the-shutdown",
            "manager/initializer",
            "manager/address-in-use",
        ]),
    ),
    ("fault-manager-forgets-initializer", These(&["manager/initializer"])),
    ("fault-manager-address-is-always-free", These(&["manager/address-in-use"])),
    (
        "fault-manager-address-is-never-free",
        These(&["manager/same-address-again", "manager/stale-path"]),
    ),
    ("fault-manager-scope-is-none", These(&["manager/scope"])),
    (
        "fault-manager-shutdown-is-nothing",
        These(&[
            "manager/shutdown",
            "manager/after-the-shutdown",
            "manager/shutdown-by-another",
            "manager/shutdown-wakes",
            "manager/shutdown-of-stuck",
            "manager/two-servers",
            "manager/same-address-again",
        ]),
    ),
    ("fault-manager-is-no-child", These(&["manager/own-process"])),
    (
        "fault-manager-server-is-another",
        These(&["manager/ends-with-owner", "manager/ends-with-killed-owner"]),
    ),
    ("fault-manager-heeds-interrupt", These(&["manager/interrupt"])),
    (
        "fault-manager-counts-nothing",
        These(&[
            "manager/freed-when-unused",
            "manager/freed-when-user-killed",
            "manager/nested-alone",
            "manager/list-arithmetic",
        ]),
    ),
    (
        "fault-manager-refuses-all",
        These(&[
            "manager/from-elsewhere",
            "manager/address",
            "manager/wrong-key",
            "manager/inherited-key",
        ]),
    ),
    ("fault-manager-takes-any-key", These(&["manager/wrong-key", "manager/false-server"])),
    ("fault-manager-hears-at-once", These(&["manager/nobody-listens"])),
    ("fault-manager-serves-strangers", These(&["manager/before-the-key"])),
    ("fault-manager-is-open", These(&["manager/private-socket"])),
    ("fault-managed-list-is-nowhere", These(&["manager/not-started"])),
    ("fault-managed-list-leaks", These(&["manager/freed-when-unused"])),
    (
        "fault-managed-list-forgets",
        These(&[
            "manager/objects-for-others",
            "manager/by-message",
            "manager/after-a-fork",
            "manager/list-in-itself",
            "manager/half-a-request",
            "manager/call-with-a-limit",
        ]),
    ),
    ("fault-managed-list-nests-copies", These(&["manager/nested", "manager/nested-queue"])),
    ("fault-managed-list-never-turns", These(&["manager/list"])),
    ("fault-managed-list-never-repeats", These(&["manager/list-arithmetic"])),
    (
        "fault-managed-list-loses-server",
        These(&[
            "manager/two-servers",
            "manager/garbage",
            "manager/idle-stranger",
            "manager/interrupt",
            "manager/long-call",
        ]),
    ),
    ("fault-managed-list-has-no-end", These(&["manager/kinds-of-errors"])),
    ("fault-managed-list-copy-is-live", These(&["manager/copies"])),
    ("fault-managed-list-takes-no-copy", These(&["manager/copies"])),
    ("fault-managed-list-is-not-received", These(&["manager/by-message"])),
    ("fault-managed-list-takes-anything", These(&["manager/unsendable"])),
    ("fault-managed-list-walk-is-old", These(&["manager/list-walked"])),
    ("fault-managed-list-equals-nothing", These(&["manager/compare-and-text"])),
    ("fault-managed-list-never-waits", These(&["manager/server-stopped"])),
    ("fault-managed-list-limit-is-no-failure", These(&["manager/call-with-a-limit"])),
    (
        "fault-managed-list-is-short",
        These(&["manager/client-killed-in-call", "manager/many-clients"]),
    ),
    ("fault-managed-dict-forgets", These(&["manager/dict", "manager/huge"])),
    ("fault-managed-dict-nests-copies", These(&["manager/nested-alone"])),
    (
        "fault-managed-dict-get-is-another",
        These(&["manager/by-threads", "manager/huge", "manager/dict"]),
    ),
    ("fault-managed-dict-outlives-server", These(&["manager/server-killed"])),
    ("fault-managed-dict-walk-is-sure", These(&["manager/dict-changed-meanwhile"])),
    ("fault-managed-namespace-keeps-all", These(&["manager/namespace"])),
    ("fault-managed-namespace-refuses", These(&["manager/namespace-hidden"])),
    (
        "fault-registered-calls-another",
        These(&["manager/unknown-method", "manager/own-types", "manager/failing-method"]),
    ),
    ("fault-registered-fails-in-vain", These(&["manager/failing-method", "manager/own-types"])),
    ("fault-registered-returns-anything", These(&["manager/unsendable"])),
    ("fault-registered-says-nothing", These(&["manager/failing-method"])),
    ("fault-registered-never-stops", These(&["manager/walked"])),
    (
        "fault-managed-value-forgets",
        These(&["manager/value", "manager/value-of-a-type", "manager/value-under-a-lock"]),
    ),
    (
        "fault-managed-array-forgets",
        These(&["manager/array", "manager/array-of-a-type", "manager/objects-for-others"]),
    ),
    ("fault-managed-lock-is-free", These(&["manager/lock", "manager/lock-limit"])),
    ("fault-managed-lock-stays", These(&["manager/lock", "manager/lock-waiter-killed"])),
    ("fault-managed-lock-is-released-anyway", These(&["manager/lock-released-by-another"])),
    ("fault-managed-lock-limit-is-no-failure", These(&["manager/lock-limit"])),
    ("fault-managed-lock-hides-death", These(&["manager/lock-holder-killed"])),
    ("fault-managed-rlock-hides-death", These(&["manager/lock-holder-killed"])),
    ("fault-managed-rlock-is-anybodys", These(&["manager/rlock"])),
    ("fault-managed-semaphore-never-ends", These(&["manager/semaphore"])),
    (
        "fault-managed-condition-needs-no-lock",
        These(&["manager/condition", "manager/condition-without-lock"]),
    ),
    ("fault-managed-condition-limit-is-none", These(&["manager/condition-for"])),
    ("fault-managed-event-is-set", These(&["manager/event"])),
    ("fault-managed-barrier-is-open", These(&["manager/barrier"])),
    ("fault-managed-barrier-never-breaks", These(&["manager/barrier-party-killed"])),
    (
        "fault-managed-queue-forgets",
        These(&["manager/queue", "manager/queue-putter-killed", "manager/queue-getter-killed"]),
    ),
    (
        "fault-managed-queue-has-something",
        These(&["manager/long-call", "manager/queue-getter-killed", "manager/from-elsewhere"]),
    ),
    ("fault-managed-queue-never-empties", These(&["manager/queue-limits"])),
    (
        "fault-managed-queue-outlives-server",
        These(&["manager/server-killed-meanwhile", "manager/shutdown-wakes"]),
    ),
    ("fault-managed-queue-is-always-done", These(&["manager/queue-join"])),
    ("fault-managed-queue-is-given-nothing", These(&["manager/queue-for-tasks"])),
    ("fault-managed-pool-is-none", These(&["manager/pool"])),
];

/// Waits that nap and then come back.
const NAPS: &[(&str, Noticed)] = &[
    ("fault-managed-list-naps", These(&["manager/server-stopped"])),
    ("fault-managed-queue-join-naps", These(&["manager/queue-join"])),
    ("fault-lock-naps", These(&["manager/lock"])),
    ("fault-condition-naps", These(&["manager/condition"])),
    ("fault-event-naps", These(&["manager/event"])),
    ("fault-barrier-naps", These(&["manager/barrier"])),
    ("fault-queue-get-naps", These(&["manager/long-call", "manager/shutdown-wakes"])),
];
