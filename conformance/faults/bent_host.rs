//! What the system guarantees of processes, and the lines that say what one did: no call of
//! purlin's can be wrong about that, so that what tells of it is: these are no faulty
//! implementations.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde_json::{Value, json};

use super::bent::Bend;
use super::bent::Wrong::Answers;

const KIND: &str = "host";

/// All of it.
pub(super) const BENDS: &[Bend] = &[
    ("false-log-lines-doubled", "log", "lines", Answers(doubled)),
    // Every process has in ordinary memory what the program begins with.
    ("false-host-global-fresh", KIND, "global", Answers(|_| json!(1))),
    ("false-host-environment-fresh", KIND, "environment", Answers(|_| Value::Null)),
    ("false-host-directory-fresh", KIND, "directory", Answers(|_| json!("/"))),
    // Whoever has started a process is not its parent.
    ("false-host-parent-is-first", KIND, "parent", Answers(|_| json!(1))),
    ("false-host-count-differs", KIND, "threads|descriptors|children", Answers(never_as_before)),
    // Standard input has something for everybody.
    ("false-host-input-shared", KIND, "read", Answers(|_| json!("x"))),
    // Whoever was there once is not collected.
    ("false-host-state-ended", KIND, "state", Answers(|_| json!("ended"))),
    ("false-host-signal-ignored", KIND, "ignores", Answers(|_| json!(true))),
];

fn doubled(lines: Value) -> Value {
    match lines {
        Value::Array(lines) => [lines.clone(), lines].concat().into(),
        other => other,
    }
}

fn never_as_before(_: Value) -> Value {
    static NEXT: AtomicU64 = AtomicU64::new(1000);
    json!(NEXT.fetch_add(1, Relaxed)) // Relaxed: each number once is all that is asked
}
