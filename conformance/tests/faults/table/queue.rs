//! Who notices what is wrong with a queue: with what goes through it, its room, its waits.

use super::Noticed::These;
use super::{Noticed, Table, queue_ends};

pub(super) const TABLE: Table = Table {
    groups: &["queue", "joinable-queue", "simple-queue"],
    faults: &[FAULTS, SHARED, queue_ends::FAULTS],
    long: LONG,
};

/// Cases of many rounds, or of many mebibytes.
const LONG: &[&str] = &[
    "joinable-queue/killed-while-marking",
    "queue/consumer-killed-amid-get",
    "queue/data-is-visible",
    "queue/killed-anywhere",
    "queue/limit-is-total",
    "queue/many-to-many",
    "queue/mixed-sizes",
    "queue/producer-killed-amid-put",
    "queue/try-contended",
    "simple-queue/producer-killed-amid-put",
    "simple-queue/writers-do-not-mix",
];

/// Faults that only a queue has.
const FAULTS: &[(&str, Noticed)] = &[
    (
        "fault-queue-loses-tenth",
        These(&[
            "queue/bound-is-exact",
            "queue/many-producers",
            "queue/many-to-many",
            "queue/flush",
            "queue/close-keeps",
            "joinable-queue/joined-again",
            "joinable-queue/workers",
        ]),
    ),
    (
        "fault-queue-swaps",
        These(&[
            "queue/fifo",
            "queue/many-producers",
            "queue/order-of-puts",
            "queue/mixed-sizes",
            "queue/bound-is-exact",
            "queue/fork-with-items",
            "queue/carries-nothing",
            "queue/used-between-threads",
            "simple-queue/order",
        ]),
    ),
    (
        "fault-queue-get-keeps",
        These(&[
            "queue/carries-a-value",
            "queue/get-removes",
            "queue/try-get-empty",
            "queue/hints-reserve-nothing",
            "queue/killed-anywhere",
            "queue/try-contended",
            "queue/many-to-many",
            "simple-queue/empty-tells",
            "simple-queue/order",
        ]),
    ),
    ("fault-queue-try-eats-next", These(&["queue/try-get-races"])),
    ("fault-queue-try-gives-up", These(&["queue/try-contended"])),
    ("fault-queue-try-never-takes", These(&["queue/try-put-room", "queue/try-get-item"])),
    ("fault-queue-mixes-writers", These(&["simple-queue/writers-do-not-mix"])),
    ("fault-queue-there-later", These(&["queue/visible-when-put-returns"])),
    ("fault-queue-overtakes", These(&["queue/order-of-puts"])),
    ("fault-queue-threads-apart", These(&["queue/used-between-threads"])),
    ("fault-queue-null-is-nothing", These(&["queue/carries-nothing"])),
    (
        "fault-queue-large-is-cut",
        These(&[
            "queue/carries-large-item",
            "simple-queue/large",
            "simple-queue/producer-killed-amid-put",
        ]),
    ),
    ("fault-queue-loses-byte", These(&["queue/mixed-sizes"])),
    ("fault-queue-put-is-aliased", These(&["queue/value-fixed-at-put"])),
    ("fault-queue-get-is-aliased", These(&["queue/received-is-a-copy"])),
    (
        "fault-queue-unsendable-takes-place",
        These(&[
            "queue/unsendable-is-harmless",
            "queue/unsendable-is-told",
            "simple-queue/unsendable",
        ]),
    ),
    (
        "fault-queue-unsendable-untold",
        These(&["queue/unsendable-is-told", "simple-queue/unsendable"]),
    ),
    ("fault-queue-unreadable-stays", These(&["queue/unreadable-is-used-up"])),
    ("fault-queue-handle-is-junk", These(&["queue/handle-is-not-sent"])),
    (
        "fault-queue-bound-is-more",
        These(&[
            "queue/put-waits",
            "queue/put-limit",
            "queue/try-put-full",
            "queue/bound-is-exact",
            "queue/full-tells",
            "queue/fixed-room",
            "queue/waits-by-default",
            "queue/try-with-a-limit",
            "queue/short-forms",
            "queue/limit-is-zero",
            "joinable-queue/is-a-queue",
            "joinable-queue/refused-put",
            "joinable-queue/waiting-put",
        ]),
    ),
    (
        "fault-queue-bound-is-less",
        These(&[
            "queue/bound-is-exact",
            "queue/full-tells",
            "queue/fixed-room",
            "queue/killed-anywhere",
        ]),
    ),
    (
        "fault-queue-put-never-waits",
        These(&[
            "queue/put-waits",
            "queue/put-limit",
            "queue/try-put-full",
            "queue/waiting-producer-killed",
            "queue/no-consumer-left",
            "joinable-queue/is-a-queue",
        ]),
    ),
    (
        "fault-queue-full-puts",
        These(&["queue/try-put-full", "queue/bound-is-exact", "queue/fixed-room"]),
    ),
    ("fault-queue-full-untold", These(&["queue/try-put-full", "queue/bound-is-exact"])),
    ("fault-queue-room-shrinks", These(&["queue/fixed-room"])),
    ("fault-queue-nothing-takes-no-place", These(&["queue/fixed-room"])),
    ("fault-queue-grows-little", These(&["queue/without-a-bound", "queue/bound-of-zero"])),
    ("fault-queue-bound-is-read", These(&["queue/bound-is-a-count"])),
    ("fault-queue-bound-is-cut", These(&["queue/bound-too-big"])),
    ("fault-queue-too-large-waits", These(&["queue/too-large-for-ever"])),
    ("fault-queue-too-large-is-cut", These(&["queue/too-large-for-ever"])),
    (
        "fault-queue-get-never-waits",
        These(&[
            "queue/get-waits",
            "queue/get-limit",
            "queue/waits-by-default",
            "queue/no-limit-said",
            "queue/data-is-visible",
            "queue/used-between-threads",
            "simple-queue/get-waits",
        ]),
    ),
    ("fault-queue-null-is-zero", These(&["queue/no-limit-said"])),
    (
        "fault-queue-usual-limit",
        These(&[
            "queue/put-waits",
            "queue/get-waits",
            "queue/waits-by-default",
            "simple-queue/get-waits",
        ]),
    ),
    ("fault-queue-short-forms-wait", These(&["queue/short-forms"])),
    (
        "fault-naps-then-takes",
        These(&[
            "queue/get-waits",
            "queue/put-waits",
            "queue/used-between-threads",
            "joinable-queue/get-is-no-mark",
            "simple-queue/get-waits",
        ]),
    ),
];

/// Faults that other kinds have, too.
const SHARED: &[(&str, Noticed)] = &[
    (
        "fault-lost-wake",
        These(&[
            "queue/get-waits",
            "queue/put-waits",
            "queue/one-put-one-get",
            "queue/used-between-threads",
            "simple-queue/get-waits",
        ]),
    ),
    ("fault-wake-admits-all", These(&["queue/one-put-one-get", "queue/one-get-one-put"])),
    ("fault-wake-forgets-others", These(&["queue/one-put-one-get", "queue/one-get-one-put"])),
    ("fault-try-waits", These(&["queue/try-get-empty", "queue/try-put-full"])),
    ("fault-try-honours-limit", These(&["queue/try-with-a-limit"])),
    ("fault-gives-up-early", These(&["queue/get-limit", "queue/put-limit", "queue/signals"])),
    ("fault-timeout-leaves-ticket", These(&["queue/put-limit"])),
    ("fault-zero-never-takes", These(&["queue/limit-is-zero"])),
    ("fault-zero-is-forever", These(&["queue/limit-is-zero"])),
    ("fault-negative-is-forever", These(&["queue/limit-is-negative"])),
    ("fault-limit-is-sat-out", These(&["queue/get-limit"])),
    ("fault-timed-not-woken", These(&["queue/limit-is-huge"])),
    ("fault-huge-wraps", These(&["queue/limit-is-huge"])),
    ("fault-huge-refused", These(&["queue/limit-is-huge"])),
    ("fault-nan-is-zero", These(&["queue/limit-is-no-number"])),
    ("fault-limit-restarts", These(&["queue/limit-is-total"])),
    ("fault-signal-cuts", These(&["queue/signals"])),
    (
        "fault-waiter-death-keeps-ticket",
        These(&[
            "queue/waiting-consumer-killed",
            "queue/waiting-producer-killed",
            "simple-queue/waiting-consumer-killed",
        ]),
    ),
    ("fault-ends-with-maker", These(&["queue/maker-killed"])),
    (
        "fault-child-gets-copy",
        These(&[
            "queue/handed-over-at-start",
            "queue/fork-with-items",
            "simple-queue/handed-over-at-start",
        ]),
    ),
    ("fault-spawn-gets-copy", These(&["queue/killed-under-spawn"])),
    ("fault-one-for-all", These(&["queue/shutdown-wakes", "queue/limit-is-zero"])),
];
