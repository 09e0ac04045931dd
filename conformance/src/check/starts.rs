//! Actors that other actors start, and objects that actors make and drop.

use serde_json::{Value, json};

use super::talk::{Talk, is_failure};
use super::{Row, Wrong, a_lock, lock_of, offers, partings, seen};
use crate::evidence;
use crate::protocol::{Answer, How};

pub(super) const CHECKS: &[Row] = &[
    (
        "threads",
        |hello| offers(hello, "threads"),
        threads,
        "`thread t` starts a thread of the actor's process, which says `started` with the id of \
         the `run` and takes calls",
    ),
    (
        "fork",
        |hello| offers(hello, "fork").or_else(|| a_lock(hello)),
        fork,
        "`fork b` makes a child that says `started` with the id of the `run` and takes calls, also \
         after its parent's death, and ends with the adapter: the adapter makes the pipes of all \
         `heirs`, and the reading ends are inherited",
    ),
    (
        "start",
        |hello| offers(hello, "start").or_else(|| a_lock(hello)),
        start,
        "`start b` makes a child in the usual way, `by` another in that way, that says `started` \
         and has its parent's objects",
    ),
    (
        "make",
        |hello| offers(hello, "make").or_else(|| a_lock(hello)),
        make,
        "`make` makes an object in the actor",
    ),
    (
        "drop",
        |hello| offers(hello, "drop").or_else(|| a_lock(hello)),
        let_go,
        "`drop` lets go of the actor's last handle of an object",
    ),
];

/// Runs a statement that starts an actor, which must say so itself before the program is over.
fn starts(talk: &mut Talk, by: &str, statement: Value, name: &str) -> Result<i32, Wrong> {
    talk.returns(by, json!([statement]), &Value::Null)?;
    let (pid, tid) = talk.actor_ids(name)?;
    seen::process(pid, talk.adapter.pid())?;
    if !seen::has_thread(pid, tid) {
        return Err(Wrong(format!("names the thread {tid} of the process {pid}, which has none")));
    }
    Ok(pid)
}

fn threads(talk: &mut Talk) -> Result<(), Wrong> {
    let kind = lock_of(&talk.hello).map(str::to_owned);
    let objects: &[&str] = if kind.is_some() { &["x"] } else { &[] };
    if let Some(kind) = &kind {
        talk.create("x", kind)?;
    }
    let pid = talk.process("a", objects, json!([{"name": "t"}]))?;
    let same = starts(talk, "a", json!({"do": "thread", "name": "t"}), "t")?;
    let (first, second) = (talk.actor_ids("a")?, talk.actor_ids("t")?);
    if same != pid || first == second {
        return Err(Wrong(format!("starts the thread {second:?} of the process {first:?}")));
    }
    if kind.is_some() {
        talk.gives("a", "x", "acquire", &Value::Null)?;
        is_failure(&talk.call("t", "x", "try")?, "timed-out", "a thread's try on a held lock")?;
    }
    Ok(())
}

fn fork(talk: &mut Talk) -> Result<(), Wrong> {
    talk.create_lock("x")?;
    let heirs = json!([{"name": "b", "heirs": [{"name": "c"}]}]);
    let parent = talk.process("a", &["x"], heirs)?;
    talk.process("z", &["x"], Value::Null)?;
    talk.gives("z", "x", "acquire", &Value::Null)?;
    let child = starts(talk, "a", json!({"do": "fork", "name": "b"}), "b")?;
    if !evidence::children(parent).contains(&child) {
        return Err(Wrong(format!("forks {child}, which is no child of {parent}")));
    }
    starts(talk, "b", json!({"do": "fork", "name": "c"}), "c")?;
    for name in ["a", "b"] {
        let (pid, _) = talk.actor_ids(name)?;
        seen::kill(&seen::process(pid, talk.adapter.pid())?)?;
    }
    is_failure(&talk.call("c", "x", "try")?, "timed-out", "a try of an orphan on a held lock")?;
    talk.begins("c", "x", "acquire")?;
    ends_with_the_adapter(talk)
}

fn start(talk: &mut Talk) -> Result<(), Wrong> {
    talk.create_lock("x")?;
    let mut ways: Vec<Option<How>> = talk.hello.starts.iter().copied().map(Some).collect();
    ways.retain(|how| *how != Some(How::Thread));
    ways.truncate(1); // what another way makes of an object is for the suite to judge
    ways.push(None);
    let names: Vec<String> = (0..ways.len()).map(|place| format!("b{place}")).collect();
    let heirs: Vec<Value> = names.iter().map(|name| json!({"name": name})).collect();
    talk.process("a", &["x"], heirs.into())?;
    talk.gives("a", "x", "acquire", &Value::Null)?;
    for (how, name) in ways.into_iter().zip(&names) {
        let mut statement = json!({"do": "start", "name": name});
        if let Some(how) = how {
            statement["how"] = how.slug().into();
        }
        starts(talk, "a", statement, name)?;
        is_failure(&talk.call(name, "x", "try")?, "timed-out", "a child's try on a held lock")?;
    }
    talk.begins(&names[0], "x", "acquire")?;
    ends_with_the_adapter(talk)
}

fn make(talk: &mut Talk) -> Result<(), Wrong> {
    let kind = lock_of(&talk.hello).unwrap_or_default().to_owned();
    talk.process("a", &[], Value::Null)?;
    talk.returns("a", json!([{"do": "make", "object": "x", "kind": kind}]), &Value::Null)?;
    talk.gives("a", "x", "acquire", &Value::Null)?;
    let id = talk.send_run("a", json!([{"do": "make", "object": "y", "kind": "no-such-kind"}]))?;
    match talk.outcome(id)? {
        Answer::Unsupported => Ok(()),
        other => Err(Wrong(format!("makes an object of an unknown kind: {other:?}"))),
    }
}

fn let_go(talk: &mut Talk) -> Result<(), Wrong> {
    talk.create_lock("x")?;
    talk.process("a", &["x"], Value::Null)?;
    talk.returns("a", json!([{"do": "drop", "object": "x"}]), &Value::Null)?;
    match talk.call("a", "x", "try")? {
        Answer::Error { kind, .. } | Answer::Failed { kind, .. } if kind == "no-such-name" => {
            Ok(())
        }
        other => Err(Wrong(format!("answers a call on what was dropped with {other:?}"))),
    }
}

/// Everything, also what was started by actors, ends when the adapter is killed.
fn ends_with_the_adapter(talk: &mut Talk) -> Result<(), Wrong> {
    let group = talk.adapter.pid();
    let all = evidence::process_group(group).into_iter();
    let all: Vec<_> = all.filter_map(|pid| Some((pid, seen::process(pid, group).ok()?))).collect();
    talk.adapter.kill_alone();
    partings::all_end(&all, "the adapter's death")
}
