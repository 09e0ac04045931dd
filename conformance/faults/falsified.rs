//! Replies of a sound subject that are changed on their way: what no lock can break, since the
//! system or the adapter itself guarantees it.
//!
//! On its way a reply takes longer than one that an actor writes straight to the runner, and can
//! come after the end of its actor was seen. So these are asked only what they are to fail. How a
//! process ended is falsified where it is collected (`subject.rs`).

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use serde_json::{Value, json};

/// What is changed: `request` is what the reply answers.
pub(crate) type Change = fn(request: &Value, reply: &mut Value);

/// All of them, by name.
pub(crate) const ALL: &[(&str, Change)] = &[
    ("false-failure-swallowed", failure_swallowed),
    ("false-line-elsewhere", line_elsewhere),
    ("false-update-lost", update_lost),
    ("false-outcome-uncounted", outcome_uncounted),
];

/// A failed program has come back as if nothing had been.
fn failure_swallowed(_: &Value, reply: &mut Value) {
    if reply["kind"] == "task-failed" {
        *reply = json!({"id": reply["id"], "reply": "returned", "at": reply["at"], "value": null});
    }
}

/// The first line of a log is its last.
fn line_elsewhere(request: &Value, reply: &mut Value) {
    if request["op"] == "lines"
        && let Some(lines) = reply["value"].as_array_mut().filter(|lines| !lines.is_empty())
    {
        lines.rotate_left(1);
    }
}

/// A large number is one less.
fn update_lost(request: &Value, reply: &mut Value) {
    if request["op"] == "get"
        && let Some(value) = reply["value"].as_i64().filter(|value| *value > 100)
    {
        reply["value"] = json!(value - 1);
    }
}

/// A tally counts one round less.
fn outcome_uncounted(_: &Value, reply: &mut Value) {
    if let Some(count) = reply["value"].as_object_mut().and_then(|tally| tally.values_mut().next())
        && let Some(rounds) = count.as_u64()
    {
        *count = json!(rounds.saturating_sub(1));
    }
}

/// Stands between the runner and the adapter of the sound subject.
///
/// # Errors
/// * What the system refused.
pub(super) fn run(name: &str, change: &Change) -> io::Result<()> {
    let mut adapter = Command::new("/proc/self/exe")
        .args(["adapter", "honest-server"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let asked = Arc::new(Mutex::new(BTreeMap::new()));
    if let Some(mut stdin) = adapter.stdin.take() {
        let asked = Arc::clone(&asked);
        thread::spawn(move || -> io::Result<()> {
            for line in io::stdin().lines() {
                let line = line?;
                let request: Value = serde_json::from_str(&line)?;
                let id = request["id"].as_u64();
                asked.lock().unwrap_or_else(PoisonError::into_inner).insert(id, request);
                writeln!(stdin, "{line}")?;
            }
            Ok(())
        });
    }
    let Some(replies) = adapter.stdout.take() else { return Ok(()) };
    for line in BufReader::new(replies).lines() {
        let mut reply: Value = serde_json::from_str(&line?)?;
        let request = {
            let asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
            asked.get(&reply["id"].as_u64()).cloned().unwrap_or_default()
        };
        if request["request"] == "hello" {
            reply["name"] = json!(name);
        }
        change(&request, &mut reply);
        io::stdout().write_all(format!("{reply}\n").as_bytes())?;
        io::stdout().flush()?;
    }
    adapter.wait().map(|_| ())
}
