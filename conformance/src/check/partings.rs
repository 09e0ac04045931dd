//! How actors, objects and the adapter go.

use std::os::fd::OwnedFd;

use serde_json::{Value, json};

use super::talk::Talk;
use super::{Row, Wrong, a_lock_and_processes, a_process, nothing, seen};
use crate::evidence;
use crate::protocol::Answer;

pub(super) const CHECKS: &[Row] = &[
    (
        "reap",
        a_process,
        reap,
        "a killed actor stays a zombie until `reap`, which waits for it and says how it ended",
    ),
    ("bye", nothing, bye, "`bye` is answered with `ok`; then the adapter and all of it end"),
    (
        "end of input",
        a_lock_and_processes,
        end_of_input,
        "the adapter ends when its standard input ends, and its actors end when their pipes end, \
         also one that waits in a call for ever",
    ),
    (
        "killed adapter",
        a_lock_and_processes,
        killed_adapter,
        "an actor reads its calls in a thread of their own, which ends the process when the pipe \
         ends; so no process but the adapter keeps a writing end",
    ),
];

fn reap(talk: &mut Talk) -> Result<(), Wrong> {
    let pid = talk.process("a", &[], Value::Null)?;
    let process = seen::process(pid, talk.adapter.pid())?;
    seen::kill(&process)?;
    // It answers something else first. (But a library may collect when it starts another.)
    talk.ask(json!({"request": "drop", "object": "nothing"}))?;
    if !seen::is_zombie(pid) {
        return Err(Wrong(format!("collects the process {pid} before it is asked to")));
    }
    let fields = talk.must(json!({"request": "reap", "actor": "a"}))?;
    if fields["signal"] != 9 {
        return Err(Wrong(format!("says that a killed actor ended with {fields}")));
    }
    if seen::is_zombie(pid) {
        return Err(Wrong(format!("answers `reap` and leaves the process {pid} a zombie")));
    }
    match talk.ask(json!({"request": "reap", "actor": "nobody"}))? {
        Answer::Error { .. } => Ok(()),
        other => Err(Wrong(format!("reaps an actor that there is none of: {other:?}"))),
    }
}

fn bye(talk: &mut Talk) -> Result<(), Wrong> {
    talk.must(json!({"request": "bye"}))?;
    Ok(talk.adapter.wait_for_end()?)
}

fn end_of_input(talk: &mut Talk) -> Result<(), Wrong> {
    let all = wait_in_a_call(talk)?;
    talk.adapter.let_go();
    all_end(&all, "the end of its standard input")
}

fn killed_adapter(talk: &mut Talk) -> Result<(), Wrong> {
    let all = wait_in_a_call(talk)?;
    talk.adapter.kill_alone();
    all_end(&all, "the adapter's death")
}

/// One actor holds what another waits for; a third does nothing.
fn wait_in_a_call(talk: &mut Talk) -> Result<Vec<(i32, OwnedFd)>, Wrong> {
    talk.create_lock("x")?;
    for name in ["a", "b", "c"] {
        talk.process(name, &["x"], Value::Null)?;
    }
    talk.gives("a", "x", "acquire", &Value::Null)?;
    talk.begins("b", "x", "acquire")?;
    let group = talk.adapter.pid();
    let all = evidence::process_group(group).into_iter();
    let all: Vec<_> = all.filter_map(|pid| Some((pid, seen::process(pid, group).ok()?))).collect();
    for (pid, _) in talk.actors.values() {
        seen::process(*pid, group)?;
    }
    Ok(all)
}

pub(super) fn all_end(all: &[(i32, OwnedFd)], after: &str) -> Result<(), Wrong> {
    for (pid, process) in all {
        seen::ends(process, "").map_err(|_| {
            let name = evidence::name(*pid);
            Wrong(format!("leaves the process {pid} ({name}) behind after {after}"))
        })?;
    }
    Ok(())
}
