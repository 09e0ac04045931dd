//! Who notices what is wrong with a pipe.

use super::Noticed::These;
use super::{Noticed, Table};

pub(super) const TABLE: Table =
    Table { groups: &["pipe"], faults: &[FAULTS, WAITS, NAPS], long: LONG };

/// Cases of many rounds, or of many mebibytes.
const LONG: &[&str] = &["pipe/reader-killed-amid-receive", "pipe/writer-killed-anywhere"];

/// What is made, what goes through it, how it ends.
const FAULTS: &[(&str, Noticed)] = &[
    (
        "fault-pipe-is-one-way",
        These(&[
            "pipe/two-way",
            "pipe/either-way",
            "pipe/both-ways-at-once",
            "pipe/handed-to-spawned-children",
            "pipe/rest-although-other-way-unread",
        ]),
    ),
    ("fault-pipe-is-two-way", These(&["pipe/one-way", "pipe/wrong-direction"])),
    (
        "fault-pipe-is-given-to-nobody",
        These(&["pipe/handed-to-forked-children", "pipe/copy-delays-end", "pipe/two-senders"]),
    ),
    ("fault-pipe-is-given-to-all", These(&["pipe/spawned-child-has-no-copy"])),
    ("fault-pipe-has-any-number", These(&["pipe/descriptor-is-none"])),
    ("fault-pipe-leaks", These(&["pipe/leaves-no-descriptor"])),
    (
        "fault-pipe-send-is-lost",
        These(&[
            "pipe/carries-values",
            "pipe/either-way",
            "pipe/parent-closes-after-fork",
            "pipe/parent-closes-after-spawn",
            "pipe/sent-survives-sender",
            "pipe/waiting-reader-killed",
        ]),
    ),
    (
        "fault-pipe-repeats-tenth",
        These(&["pipe/order", "pipe/both-ways-at-once", "pipe/two-receivers", "pipe/two-senders"]),
    ),
    (
        "fault-pipe-large-is-torn",
        These(&[
            "pipe/large-message",
            "pipe/two-receivers",
            "pipe/two-senders",
            "pipe/reader-killed-amid-receive",
        ]),
    ),
    ("fault-pipe-null-is-zero", These(&["pipe/carries-values"])),
    ("fault-pipe-fractions-are-cut", These(&["pipe/carries-values"])),
    (
        "fault-pipe-byte-is-lost",
        These(&["pipe/carries-bytes", "pipe/boundaries", "pipe/mixed-sizes"]),
    ),
    (
        "fault-pipe-empty-is-nothing",
        These(&[
            "pipe/empty-message",
            "pipe/mixed-sizes",
            "pipe/send-offset-at-end",
            "pipe/recv-limit-fits",
        ]),
    ),
    (
        "fault-pipe-offset-is-ignored",
        These(&["pipe/send-offset", "pipe/send-offset-and-size", "pipe/send-offset-at-end"]),
    ),
    ("fault-pipe-size-is-ignored", These(&["pipe/send-offset-and-size"])),
    ("fault-pipe-window-is-ignored", These(&["pipe/send-offset", "pipe/send-window-outside"])),
    ("fault-pipe-text-is-bytes", These(&["pipe/send-bytes-needs-bytes"])),
    ("fault-pipe-unsendable-is-untold", These(&["pipe/unsendable"])),
    ("fault-pipe-unreadable-is-dropped", These(&["pipe/unreadable"])),
    ("fault-pipe-end-is-not-sent", These(&["pipe/end-is-sent"])),
    ("fault-pipe-message-is-left-out", These(&["pipe/writer-killed-anywhere"])),
    ("fault-pipe-part-is-told", These(&["pipe/writer-killed-anywhere"])),
    (
        "fault-pipe-buffer-is-overrun",
        These(&["pipe/recv-into", "pipe/recv-into-offset", "pipe/recv-into-offset-at-end"]),
    ),
    ("fault-pipe-buffer-offset-is-ignored", These(&["pipe/recv-into-bad-offset"])),
    ("fault-pipe-read-only-is-written", These(&["pipe/recv-into-readonly"])),
    ("fault-pipe-small-buffer-is-untold", These(&["pipe/recv-into-too-small"])),
    ("fault-pipe-small-buffer-is-written", These(&["pipe/recv-into-too-small"])),
    ("fault-pipe-refused-is-lost", These(&["pipe/recv-into-too-small"])),
    ("fault-pipe-length-is-less", These(&["pipe/recv-limit-fits"])),
    (
        "fault-pipe-length-is-ignored",
        These(&["pipe/recv-limit-exceeded", "pipe/recv-limit-negative"]),
    ),
    (
        "fault-pipe-end-is-nothing",
        These(&[
            "pipe/end-of-file",
            "pipe/end-is-lasting",
            "pipe/poll-true-at-end",
            "pipe/rest-before-end",
            "pipe/rest-although-other-way-unread",
            "pipe/rest-although-sender-killed",
            "pipe/copy-delays-end",
            "pipe/program-has-no-copy",
            "pipe/dropped-end-closes",
            "pipe/waiting-receiver-learns",
            "pipe/sent-survives-sender",
        ]),
    ),
    ("fault-pipe-closed-is-nothing", These(&["pipe/own-end-closed", "pipe/closed-fails"])),
    (
        "fault-pipe-broken-is-nothing",
        These(&["pipe/no-reader", "pipe/waiting-sender-learns", "pipe/close-in-other-thread"]),
    ),
    (
        "fault-pipe-close-does-nothing",
        These(&[
            "pipe/end-of-file",
            "pipe/own-end-closed",
            "pipe/close-twice",
            "pipe/close-in-other-thread",
        ]),
    ),
    ("fault-pipe-is-closed-once", These(&["pipe/close-twice"])),
    ("fault-pipe-scope-keeps", These(&["pipe/scope-end-closes"])),
    ("fault-pipe-number-is-none", These(&["pipe/descriptor"])),
    ("fault-pipe-number-is-readable", These(&["pipe/descriptor"])),
    (
        "fault-stream-part-is-message",
        These(&[
            "pipe/writer-killed-amid-message",
            "pipe/message-breaks-off-behind-length",
            "pipe/length-breaks-off",
        ]),
    ),
    ("fault-stream-any-length", These(&["pipe/absurd-length"])),
    ("fault-stream-long-is-nothing", These(&["pipe/recv-limit-ends-reading"])),
    ("fault-stream-goes-on-reading", These(&["pipe/recv-limit-ends-reading"])),
];

/// Who waits, how long and for what.
const WAITS: &[(&str, Noticed)] = &[
    ("fault-pipe-recv-never-waits", These(&["pipe/recv-waits", "pipe/signals"])),
    (
        "fault-pipe-send-never-waits",
        These(&["pipe/send-waits-when-full", "pipe/waiting-sender-learns"]),
    ),
    ("fault-pipe-limit-is-none", These(&["pipe/recv-limit-of-time", "pipe/send-limit-of-time"])),
    (
        "fault-pipe-gives-up-early",
        These(&["pipe/poll-limit", "pipe/recv-limit-of-time", "pipe/send-limit-of-time"]),
    ),
    (
        "fault-pipe-poll-is-false",
        These(&[
            "pipe/empty-message",
            "pipe/poll-tells",
            "pipe/poll-wakes",
            "pipe/poll-endless",
            "pipe/poll-takes-nothing",
            "pipe/poll-elsewhere",
            "pipe/poll-true-at-end",
        ]),
    ),
    (
        "fault-pipe-poll-is-true",
        These(&["pipe/poll-tells", "pipe/poll-limit", "pipe/copy-delays-end"]),
    ),
    (
        "fault-pipe-poll-never-waits",
        These(&["pipe/poll-limit", "pipe/poll-wakes", "pipe/poll-endless"]),
    ),
    ("fault-pipe-poll-takes", These(&["pipe/poll-takes-nothing"])),
    ("fault-pipe-negative-is-endless", These(&["pipe/poll-negative"])),
    ("fault-pipe-nan-is-zero", These(&["pipe/poll-no-number"])),
    ("fault-stream-poll-sees-a-byte", These(&["pipe/poll-means-recv-returns"])),
    (
        "fault-pipe-several-tells-first",
        These(&["pipe/several-returns-ready", "pipe/several-all-ready", "pipe/several-nothing"]),
    ),
    (
        "fault-pipe-several-tells-nothing",
        These(&[
            "pipe/several-returns-ready",
            "pipe/several-all-ready",
            "pipe/several-with-process",
            "pipe/several-same-end-twice",
        ]),
    ),
    ("fault-pipe-several-tells-twice", These(&["pipe/several-same-end-twice"])),
    (
        "fault-pipe-several-never-waits",
        These(&["pipe/several-returns-ready", "pipe/several-limit", "pipe/several-with-process"]),
    ),
    (
        "fault-pipe-several-gives-up-early",
        These(&["pipe/several-limit", "pipe/several-limit-is-total"]),
    ),
    ("fault-pipe-several-negative-is-endless", These(&["pipe/several-negative-limit"])),
    ("fault-pipe-several-passes-closed", These(&["pipe/several-closed"])),
    ("fault-pipe-several-passes-writing", These(&["pipe/several-writing-end"])),
    ("fault-pipe-several-misses-one", These(&["pipe/several-end-is-ready"])),
];

/// Waits that nap and then come back.
const NAPS: &[(&str, Noticed)] = &[
    (
        "fault-pipe-recv-naps",
        These(&[
            "pipe/recv-waits",
            "pipe/close-in-other-thread",
            "pipe/copy-delays-end",
            "pipe/signals",
        ]),
    ),
    ("fault-pipe-send-naps", These(&["pipe/send-waits-when-full"])),
    ("fault-pipe-poll-naps", These(&["pipe/poll-wakes"])),
    (
        "fault-pipe-several-naps",
        These(&["pipe/several-returns-ready", "pipe/several-with-process"]),
    ),
];
