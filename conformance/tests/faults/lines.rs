//! The lines that are meant: where a case comes down at another one, the fault shows something
//! else.

/// A fault, a case that notices it, and the line of its script that does.
pub(crate) const LINES: &[(&str, &str, &str)] = &[
    (
        "fault-process-starts-twice",
        "process/start-twice-running",
        "a: p.start() -> already-started",
    ),
    (
        "fault-process-second-close-is-refused",
        "process/close-twice",
        "a: p.close() -> ok | prevented",
    ),
    (
        "fault-process-grandchild-cannot-start",
        "process/nested",
        "b: { l.write(\"a0\"); start d } -> ok",
    ),
    (
        "fault-process-arguments-are-shared",
        "process/arguments-overwritten",
        "a: l.lines() -> [\"[[[\\\"one\\\"]],{}]\"]",
    ),
    (
        "fault-process-starts-when-asked",
        "process/create-starts-nothing",
        "a: p.id() -> ok | prevented",
    ),
    (
        "fault-process-arguments-are-lost",
        "process/arguments",
        "a: l.lines() -> [\"[[1,\\\"zwei\\\",[3,4]],{}]\"]",
    ),
    ("fault-process-arguments-are-some", "process/no-arguments", "a: l.lines() -> [\"[[],{}]\"]"),
    // Each send is given up, and the next one begins.
    ("fault-pipe-send-naps", "pipe/send-waits-when-full", "b: n.get() -> $full"),
    ("fault-process-ways-are-swapped", "process/globals", "b: host.global() -> 2"),
    ("fault-process-ways-are-swapped", "process/memory-copied", "b: host.global() -> 10"),
    (
        "fault-process-starts-at-the-root",
        "process/directory-and-environment",
        "b: host.directory() -> \"/dev\"",
    ),
    ("fault-second-acquire-takes", "lock/second-acquire", "a: lock.acquire() -> blocked for 300ms"),
];
