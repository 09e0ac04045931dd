//! Who notices what is wrong with threads.

use super::Noticed::These;
use super::{Noticed, Table};

pub(super) const TABLE: Table =
    Table { groups: &["thread"], faults: &[LIVES, MARKS, SHARED, NAPS], long: &[] };

/// Starts, joins, ends.
const LIVES: &[(&str, Noticed)] = &[
    (
        "fault-thread-runs-nothing",
        These(&[
            "thread/runs-function",
            "thread/side-by-side",
            "thread/own-run-step",
            "thread/sequence-as-argument",
            "thread/started-twice",
            "thread/join-orders-output",
            "thread/main-goes-first",
            "thread/joined-often",
            "thread/many",
            "thread/failure",
            "thread/memory",
            "thread/lock-counter",
            "thread/failure-inside-lock",
            "thread/producers-and-consumers",
            "thread/bounded-semaphore",
            "thread/event",
            "thread/threads-of-processes",
            "thread/stack-size",
        ]),
    ),
    ("fault-thread-start-joins", These(&["thread/start-returns", "thread/side-by-side"])),
    ("fault-thread-cannot-start", These(&["thread/no-function", "thread/runs-function"])),
    ("fault-thread-refusal-is-no-failure", These(&["thread/start-fails"])),
    ("fault-thread-stack-of-any-size", These(&["thread/stack-size"])),
    ("fault-thread-run-does-nothing", These(&["thread/run-in-caller"])),
    (
        "fault-thread-join-comes-early",
        These(&[
            "thread/join-waits",
            "thread/join-orders-output",
            "thread/join-not-started",
            "thread/join-self",
            "thread/joined-often",
            "thread/join-limited",
            "thread/join-limit-is-huge",
            "thread/others-go-on",
        ]),
    ),
    ("fault-thread-limit-is-no-failure", These(&["thread/join-limited"])),
    ("fault-thread-joins-itself", These(&["thread/join-self"])),
    ("fault-thread-main-join-comes-early", These(&["thread/main-joined"])),
    (
        "fault-thread-lives-for-ever",
        These(&["thread/alive", "thread/join-limited", "thread/no-function", "thread/failure"]),
    ),
    (
        "fault-thread-is-never-alive",
        These(&["thread/alive", "thread/join-limited", "thread/start-returns"]),
    ),
    ("fault-thread-hook-is-forgotten", These(&["thread/failure-hook"])),
    ("fault-thread-exit-does-nothing", These(&["thread/exit-call"])),
    ("fault-thread-timer-runs-nothing", These(&["thread/timer"])),
];

/// Names, numbers, marks.
const MARKS: &[(&str, Noticed)] = &[
    (
        "fault-thread-name-is-lost",
        These(&[
            "thread/names-given",
            "thread/own-name",
            "thread/own-run-step",
            "thread/list",
            "thread/failure",
        ]),
    ),
    ("fault-thread-names-are-alike", These(&["thread/names-by-default", "thread/names-given"])),
    ("fault-thread-has-no-name", These(&["thread/names-by-default"])),
    ("fault-thread-name-stays", These(&["thread/names-given"])),
    ("fault-thread-is-called-main", These(&["thread/own-name", "thread/names-given"])),
    ("fault-thread-is-main", These(&["thread/main-known"])),
    ("fault-thread-id-is-zero", These(&["thread/id"])),
    ("fault-thread-ids-are-alike", These(&["thread/native-ids"])),
    ("fault-thread-list-keeps-all", These(&["thread/list", "thread/start-fails"])),
    ("fault-thread-list-is-empty", These(&["thread/list"])),
    (
        "fault-thread-all-are-daemons",
        These(&[
            "thread/daemon-mark",
            "thread/main-goes-first",
            "thread/started-by-thread",
            "thread/keeps-process",
        ]),
    ),
    ("fault-thread-daemon-is-waited-for", These(&["thread/daemon-mark", "thread/daemons-end"])),
    ("fault-thread-mark-set-in-vain", These(&["thread/daemon-mark-too-late"])),
    ("fault-thread-mark-not-passed-on", These(&["thread/daemon-mark"])),
];

/// What threads share.
const SHARED: &[(&str, Noticed)] = &[
    ("fault-thread-lock-is-open", These(&["thread/lock", "thread/alive", "thread/others-go-on"])),
    ("fault-thread-scope-is-open", These(&["thread/lock-and-failure"])),
    ("fault-thread-death-is-not-told", These(&["thread/process-killed"])),
    ("fault-thread-rlock-is-open", These(&["thread/rlock", "thread/others-go-on"])),
    ("fault-thread-rlock-freed-by-anybody", These(&["thread/rlock"])),
    ("fault-thread-condition-does-not-wait", These(&["thread/condition", "thread/others-go-on"])),
    ("fault-thread-notify-wakes-nobody", These(&["thread/condition", "thread/others-go-on"])),
    ("fault-thread-semaphore-is-open", These(&["thread/semaphore", "thread/others-go-on"])),
    ("fault-thread-bound-is-no-bound", These(&["thread/bounded-semaphore"])),
    (
        "fault-thread-event-is-set",
        These(&["thread/event", "thread/join-orders-output", "thread/main-goes-first"]),
    ),
    ("fault-thread-barrier-is-open", These(&["thread/barrier", "thread/others-go-on"])),
    ("fault-process-join-comes-early", These(&["thread/others-go-on-at-process"])),
    ("fault-thread-child-not-waited-for", These(&["thread/forks"])),
    ("fault-thread-local-is-shared", These(&["thread/local"])),
    ("fault-thread-pipe-carries-nothing", These(&["thread/pipe"])),
    ("fault-thread-pool-answers-nothing", These(&["thread/pool"])),
    (
        "fault-thread-queue-carries-nothing",
        These(&["thread/queue", "thread/queue-full", "thread/others-go-on-at-queue"]),
    ),
    (
        "fault-thread-queue-does-not-wait",
        These(&["thread/queue-full", "thread/others-go-on-at-queue"]),
    ),
];

/// Waits that nap and then come back.
const NAPS: &[(&str, Noticed)] = &[
    ("fault-thread-join-naps", These(&["thread/join-waits", "thread/event"])),
    ("fault-thread-main-join-naps", These(&["thread/main-joined"])),
    ("fault-lock-naps", These(&["thread/lock"])),
    ("fault-rlock-naps", These(&["thread/rlock"])),
    ("fault-condition-naps", These(&["thread/condition"])),
    ("fault-semaphore-naps", These(&["thread/semaphore"])),
    ("fault-event-naps", These(&["thread/event"])),
    ("fault-barrier-naps", These(&["thread/barrier"])),
    ("fault-queue-put-naps", These(&["thread/queue-full"])),
];
