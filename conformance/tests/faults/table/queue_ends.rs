//! Who notices what is wrong with a queue's hints, with its ends, with the deaths of its users, and
//! with its marks.

use super::Noticed;
use super::Noticed::These;

/// Faults that only a queue has.
pub(super) const FAULTS: &[(&str, Noticed)] = &[
    (
        "fault-queue-empty-is-true",
        These(&[
            "queue/empty-tells",
            "queue/hints-reserve-nothing",
            "queue/visible-when-put-returns",
            "simple-queue/empty-tells",
        ]),
    ),
    (
        "fault-queue-empty-is-false",
        These(&["queue/empty-tells", "simple-queue/empty-tells", "simple-queue/unsendable"]),
    ),
    ("fault-queue-full-is-false", These(&["queue/full-tells"])),
    (
        "fault-queue-full-is-true",
        These(&["queue/full-tells", "queue/never-full", "queue/bound-of-zero"]),
    ),
    ("fault-queue-size-counts-puts", These(&["queue/size", "queue/waiting-producer-killed"])),
    ("fault-queue-hint-reserves", These(&["queue/hints-reserve-nothing"])),
    (
        "fault-queue-close-ignored",
        These(&[
            "queue/closed-refuses-put",
            "queue/closed-refuses-get",
            "queue/closed-has-no-hints",
            "simple-queue/closed-refuses",
            "joinable-queue/is-a-queue",
        ]),
    ),
    (
        "fault-queue-close-is-for-all",
        These(&["queue/close-is-local", "queue/child-closes", "simple-queue/close-is-local"]),
    ),
    ("fault-queue-closed-once", These(&["queue/closed-twice", "simple-queue/closed-twice"])),
    ("fault-queue-close-drops", These(&["queue/close-keeps", "queue/flush"])),
    (
        "fault-queue-closed-tells",
        These(&["queue/closed-has-no-hints", "simple-queue/closed-refuses"]),
    ),
    ("fault-queue-shut-lets-in", These(&["queue/shutdown-refuses-put"])),
    ("fault-queue-shut-drops", These(&["queue/shutdown-refuses-put"])),
    ("fault-queue-shut-wakes-nobody", These(&["queue/shutdown-wakes"])),
    ("fault-queue-shut-keeps", These(&["queue/shutdown-drops"])),
    ("fault-queue-flush-open-waits", These(&["queue/flush-needs-close"])),
    ("fault-queue-flush-forgets", These(&["queue/flush"])),
    ("fault-queue-flush-is-not-cancelled", These(&["queue/flush-cancelled"])),
    ("fault-queue-cancel-is-for-all", These(&["queue/exit-without-flush"])),
    (
        "fault-queue-dead-waiter-locks",
        These(&[
            "queue/waiting-consumer-killed",
            "queue/consumer-terminated",
            "queue/waiting-producer-killed",
            "queue/killed-under-spawn",
            "simple-queue/waiting-consumer-killed",
        ]),
    ),
    ("fault-queue-stopped-is-served", These(&["queue/consumer-stopped"])),
    (
        "fault-queue-dies-with-producer",
        These(&["queue/exit-delivers", "queue/killed-after-put", "queue/close-keeps"]),
    ),
    ("fault-queue-got-comes-back", These(&["queue/killed-after-get"])),
    (
        "fault-queue-put-in-two-steps",
        These(&["queue/producer-killed-amid-put", "simple-queue/producer-killed-amid-put"]),
    ),
    ("fault-queue-get-in-two-steps", These(&["queue/consumer-killed-amid-get"])),
    (
        "fault-queue-dead-caller-locks",
        These(&[
            "queue/killed-anywhere",
            "queue/killed-after-put",
            "queue/maker-killed",
            "queue/no-producer-left",
            "queue/no-consumer-left",
            "queue/killed-after-get",
            "joinable-queue/killed-while-marking",
            "joinable-queue/consumer-killed",
        ]),
    ),
    ("fault-queue-death-ends-limits", These(&["queue/no-producer-left", "queue/no-consumer-left"])),
    ("fault-queue-tenth-counts-twice", These(&["joinable-queue/killed-while-marking"])),
    ("fault-queue-refused-counts", These(&["joinable-queue/refused-put"])),
    ("fault-queue-waiting-counts", These(&["joinable-queue/waiting-put"])),
    ("fault-queue-unsendable-counts", These(&["joinable-queue/unsendable-put"])),
    ("fault-queue-closed-marks-nothing", These(&["joinable-queue/mark-after-close"])),
    ("fault-queue-death-marks", These(&["joinable-queue/consumer-killed"])),
    ("fault-queue-dead-joiner-locks", These(&["joinable-queue/joiner-killed"])),
    ("fault-queue-death-unmarks", These(&["joinable-queue/killed-while-marking"])),
    (
        "fault-queue-join-waits-for-nothing",
        These(&[
            "joinable-queue/join-waits",
            "joinable-queue/get-is-no-mark",
            "joinable-queue/several-join",
            "joinable-queue/late-put",
            "joinable-queue/join-limit",
            "joinable-queue/joined-again",
            "joinable-queue/waiting-put",
            "joinable-queue/consumer-killed",
        ]),
    ),
    (
        "fault-queue-join-waits-for-mark",
        These(&["joinable-queue/join-of-nothing", "joinable-queue/mark-too-many"]),
    ),
    (
        "fault-queue-get-marks",
        These(&["joinable-queue/get-is-no-mark", "joinable-queue/join-waits"]),
    ),
    (
        "fault-queue-marks-unlimited",
        These(&[
            "joinable-queue/mark-too-many",
            "joinable-queue/mark-before-get",
            "joinable-queue/joined-again",
            "joinable-queue/refused-put",
        ]),
    ),
    ("fault-queue-mark-needs-get", These(&["joinable-queue/mark-before-get"])),
    ("fault-queue-mark-wakes-one", These(&["joinable-queue/several-join"])),
    ("fault-queue-join-is-of-before", These(&["joinable-queue/late-put"])),
    ("fault-queue-join-takes-away", These(&["joinable-queue/join-limit"])),
    ("fault-queue-join-has-no-limit", These(&["joinable-queue/join-limit"])),
];
