//! Programs, and what they are compared by.

use serde_json::{Value, json};

use super::talk::{Talk, is_failure, is_value, needed};
use super::{Row, Wrong, lock_of, offers};
use crate::protocol::{Answer, Hello};

pub(super) const CHECKS: &[Row] = &[
    (
        "programs",
        |hello| offers(hello, "programs"),
        programs,
        "`run` is answered with `entered`, then with what came of the last statement; `fail` and a \
         failed `check` are `failed` with task-failed, an unknown statement is `unsupported`",
    ),
    (
        "waiting",
        |hello| offers(hello, "programs"),
        waiting,
        "the statement `wait` says `waiting` and goes on when `go` is asked, which the actor \
         answers with `ok`",
    ),
    (
        "scopes",
        |hello| offers(hello, "programs").or_else(|| super::a_lock(hello)),
        scopes,
        "`with` runs its body inside the subject's own guard, which is left however the body ends",
    ),
    (
        "cells",
        |hello| offers(hello, "cells"),
        cells,
        "a cell is a whole number of 64 bits, 0 at first, that all its actors share: get, \
         set(value), add(n)",
    ),
    (
        "logs",
        |hello| offers(hello, "logs"),
        logs,
        "a log holds lines in the order in which they were written: write(text), lines()",
    ),
    (
        "functions",
        |hello| offers(hello, "functions").or_else(|| takes_function(hello)),
        functions,
        "a function is run in the thread of the call that it is given to; its value is that of its \
         last statement, its failure that of the call, and its `wait` says `waiting` for the call",
    ),
    (
        "several objects",
        |hello| offers(hello, "programs"),
        several,
        "`create` with a count makes so many objects under one name; `index` says which",
    ),
];

fn programs(talk: &mut Talk) -> Result<(), Wrong> {
    talk.process("a", &[], Value::Null)?;
    let nothing = json!([{"do": "loop", "count": 3, "variable": "n", "body": []},
        {"do": "pause", "seconds": 0.001}]);
    talk.returns("a", nothing, &Value::Null)?;
    talk.returns("a", json!([]), &Value::Null)?;
    let fails = json!([{"do": "fail"}]);
    let id = talk.send_run("a", fails.clone())?;
    is_failure(&talk.outcome(id)?, "task-failed", "`fail`")?;
    let tally = json!([{"do": "tally", "count": 3, "body": fails}]);
    talk.returns("a", tally, &json!({"task-failed": 3}))?;
    let id = talk.send_run("a", json!([{"do": "paint"}]))?;
    match talk.outcome(id)? {
        Answer::Unsupported => {}
        other => return Err(Wrong(format!("answers an unknown statement with {other:?}"))),
    }
    let id = talk.send_run("a", json!([{"do": "call", "object": "nothing", "op": "get"}]))?;
    is_failure(&talk.outcome(id)?, "no-such-name", "a call on what there is none of")
}

fn waiting(talk: &mut Talk) -> Result<(), Wrong> {
    talk.process("a", &[], Value::Null)?;
    let id = talk.send_run("a", json!([{"do": "wait"}, {"do": "wait"}]))?;
    let first = talk.next(id)?;
    if !matches!(first, Answer::Entered { .. }) {
        return Err(Wrong(format!("begins a program with {first:?}")));
    }
    for _ in 0..2 {
        match talk.next(id)? {
            Answer::Waiting { .. } => {}
            other => return Err(Wrong(format!("comes to `wait` and says {other:?}"))),
        }
        talk.must(json!({"request": "go", "actor": "a"}))?;
    }
    is_value(&talk.next(id)?, &Value::Null, "a program that went on")
}

fn scopes(talk: &mut Talk) -> Result<(), Wrong> {
    talk.create_lock("x")?;
    talk.process("a", &["x"], Value::Null)?;
    talk.process("b", &["x"], Value::Null)?;
    let with = |body: Value| json!([{"do": "with", "object": "x", "body": body}]);
    let id = talk.send_run("a", with(json!([{"do": "wait"}])))?;
    talk.next(id)?;
    match talk.next(id)? {
        Answer::Waiting { .. } => {}
        Answer::Unsupported => return Ok(()), // it has no guard, and says so
        other => return Err(Wrong(format!("runs a scope and says {other:?}"))),
    }
    is_failure(&talk.call("b", "x", "try")?, "timed-out", "a try while another is in its scope")?;
    talk.must(json!({"request": "go", "actor": "a"}))?;
    is_value(&talk.next(id)?, &Value::Null, "a scope")?;
    let id = talk.send_run("a", with(json!([{"do": "fail"}])))?;
    is_failure(&talk.outcome(id)?, "task-failed", "a scope that fails")?;
    talk.gives("b", "x", "try", &Value::Null)
}

fn cells(talk: &mut Talk) -> Result<(), Wrong> {
    talk.create("n", "cell")?;
    talk.process("a", &["n"], Value::Null)?;
    talk.process("b", &["n"], Value::Null)?;
    talk.gives("a", "n", "get", &json!(0))?;
    let add = json!({"do": "call", "object": "n", "op": "add", "args": {"n": 2}});
    talk.returns("a", json!([{"do": "loop", "count": 3, "body": [add]}]), &Value::Null)?;
    talk.gives("b", "n", "get", &json!(6))?;
    let set = json!({"do": "call", "object": "n", "op": "set", "args": {"value": -7}});
    talk.returns("b", json!([set, {"do": "check", "object": "n", "value": -7}]), &Value::Null)?;
    let id = talk.send_run("a", json!([{"do": "check", "object": "n", "value": 6}]))?;
    is_failure(&talk.outcome(id)?, "task-failed", "a check of a cell that has another value")
}

fn logs(talk: &mut Talk) -> Result<(), Wrong> {
    talk.create("l", "log")?;
    talk.process("a", &["l"], Value::Null)?;
    talk.process("b", &["l"], Value::Null)?;
    for text in ["a", "b", "a"] {
        let write = json!({"do": "call", "object": "l", "op": "write", "args": {"text": text}});
        talk.returns(text, json!([write, write]), &Value::Null)?;
    }
    talk.gives("b", "l", "lines", &json!(["a", "a", "b", "b", "a", "a"]))
}

/// What a function can be given to, in the order in which it is looked for.
const TAKERS: [(&str, &str); 2] = [("condition", "wait_for"), ("barrier", "wait")];

fn taker(hello: &Hello) -> Option<&'static str> {
    let offers = |kind: &str, op: &str| {
        hello.objects.get(kind).is_some_and(|all| all.iter().any(|one| one == op))
    };
    TAKERS.into_iter().find(|(kind, op)| offers(kind, op)).map(|(kind, _)| kind)
}

fn takes_function(hello: &Hello) -> Option<String> {
    let has_cells = hello.capabilities.iter().any(|name| name == "cells");
    let is_there = taker(hello).is_some() && has_cells;
    (!is_there).then(|| "no condition and no barrier, or no cells".to_owned())
}

fn functions(talk: &mut Talk) -> Result<(), Wrong> {
    let kind = taker(&talk.hello).unwrap_or_default();
    let counts = json!([on("n", "add", json!({"n": 1})), on("n", "get", json!({}))]);
    let waits = json!([{"do": "wait"}, on("n", "get", json!({}))]);
    let bodies = [("x", counts), ("y", json!([{"do": "fail"}])), ("z", waits)];
    talk.create("n", "cell")?;
    let [counts, fails, waits] = if kind == "barrier" {
        for (name, body) in bodies {
            let args = json!({"parties": 1, "action": {"program": body}});
            talk.must(json!({"request": "create", "object": name, "kind": kind, "args": args}))?;
        }
        talk.process("a", &["n", "x", "y", "z"], Value::Null)?;
        let wait = |name| json!([on(name, "wait", json!({})), on("n", "get", json!({}))]);
        ["x", "y", "z"].map(wait)
    } else {
        talk.create("x", kind)?;
        talk.process("a", &["n", "x"], Value::Null)?;
        talk.gives("a", "x", "acquire", &Value::Null)?;
        bodies.map(|(_, body)| {
            let args = json!({"function": {"program": body}, "timeout": 0});
            json!([on("x", "wait_for", args)])
        })
    };
    talk.returns("a", counts, &json!(1))?;
    runs_functions(talk, fails, waits)
}

fn on(object: &str, op: &str, args: Value) -> Value {
    json!({"do": "call", "object": object, "op": op, "args": args})
}

/// One that fails, and one that stands still. Either program ends with the value of the cell.
fn runs_functions(talk: &mut Talk, fails: Value, waits: Value) -> Result<(), Wrong> {
    let id = talk.send_run("a", fails)?;
    is_failure(&talk.outcome(id)?, "task-failed", "a call whose function fails")?;
    let id = talk.send_run("a", waits)?;
    talk.next(id)?;
    match talk.next(id)? {
        Answer::Waiting { .. } => {}
        other => return Err(Wrong(format!("comes to `wait` in a function and says {other:?}"))),
    }
    talk.must(json!({"request": "go", "actor": "a"}))?;
    is_value(&talk.next(id)?, &json!(1), "a call whose function went on")
}

fn several(talk: &mut Talk) -> Result<(), Wrong> {
    let Some(kind) = some_kind(&talk.hello) else { return Ok(()) };
    talk.must(json!({"request": "create", "object": "many", "kind": kind, "args": needed(&kind),
        "count": 3}))?;
    talk.process("a", &["many"], Value::Null)?;
    let on = |index: Value| {
        let op = if kind == "cell" { "get" } else { "no-such-operation" };
        json!({"do": "call", "object": "many", "index": index, "op": op})
    };
    let answer = |talk: &mut Talk, program: Value| {
        let id = talk.send_run("a", program)?;
        talk.outcome(id)
    };
    let each = json!([{"do": "loop", "count": 3, "variable": "i", "body": [on(json!("i"))]}]);
    match answer(talk, each)? {
        Answer::Unsupported => {}
        Answer::Returned { value, .. } if value == 0 => {}
        other => return Err(Wrong(format!("answers a call on each of several with {other:?}"))),
    }
    match answer(talk, json!([on(json!(3))]))? {
        Answer::Failed { .. } => Ok(()),
        other => Err(Wrong(format!("answers a call on the fourth of three with {other:?}"))),
    }
}

fn some_kind(hello: &Hello) -> Option<String> {
    let is_there = hello.objects.contains_key("cell");
    if is_there { Some("cell".to_owned()) } else { lock_of(hello).map(str::to_owned) }
}
