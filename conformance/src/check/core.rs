//! Who it is, objects, actors, calls.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::talk::{Talk, needed, process_way};
use super::{Row, Wrong, a_lock, a_lock_and_processes, a_process, lock_of, nothing, seen};
use crate::case::Case;
use crate::catalogue::Catalogue;
use crate::contract;
use crate::nearest::slip_of;
use crate::protocol::{Answer, How};
use crate::run::now_nanos;
use crate::serve::CAPABILITIES;
use crate::vocabulary::Vocabulary;

pub(super) const CHECKS: &[Row] = &[
    (
        "hello",
        nothing,
        hello,
        "`hello` is answered with protocol 1, a name, the ways of starting (the usual first), the \
         objects, and the capabilities, sides and forms that docs/protocol.md lists",
    ),
    ("one reply", nothing, one_reply, "every request but `call` and `run` has exactly one reply"),
    (
        "odd lines",
        nothing,
        odd_lines,
        "empty lines and unknown fields are ignored, and an unknown request is answered with \
         `error` of the kind unsupported",
    ),
    (
        "objects",
        nothing,
        objects,
        "every kind that `hello` names can be made, any other is an `error`, unsupported",
    ),
    (
        "actors",
        nothing,
        actors,
        "`actor` is answered with the process and the thread that make the calls, in the adapter's \
         own process group",
    ),
    (
        "calls",
        nothing,
        calls,
        "a call is answered with `entered` and then with what came of it; an operation that there \
         is none of is `unsupported`",
    ),
    (
        "clock",
        a_lock,
        clock,
        "`at` is CLOCK_MONOTONIC in nanoseconds, read by the actor right before and right after \
         the call",
    ),
    ("refusals", a_lock, refusals, "what fails is `failed`, with one of the kinds of errors.toml"),
    (
        "several at once",
        a_lock_and_processes,
        several_at_once,
        "while a call waits, the adapter goes on taking requests for other actors",
    ),
    (
        "own voice",
        a_process,
        own_voice,
        "an actor writes its replies itself, straight to the adapter's standard output",
    ),
];

fn hello(talk: &mut Talk) -> Result<(), Wrong> {
    let hello = &talk.hello;
    let wrong = |what: String| Err(Wrong(what));
    if hello.protocol != crate::limits::PROTOCOL_VERSION {
        return wrong(format!("speaks version {} of the protocol, not 1", hello.protocol));
    }
    if hello.name.is_empty() || hello.name.contains(char::is_whitespace) {
        return wrong(format!("has the name {:?}", hello.name));
    }
    if hello.version.is_empty() {
        return wrong("has no version".to_owned());
    }
    let ways: BTreeSet<&str> = hello.starts.iter().map(|how| how.slug()).collect();
    if hello.starts.is_empty() || ways.len() != hello.starts.len() {
        return wrong(format!("names the ways of starting {:?}", hello.starts));
    }
    let is_known =
        |one: &&String| one.as_str() == "interrupts" || CAPABILITIES.contains(&one.as_str());
    if let Some(odd) = hello.capabilities.iter().find(|one| !is_known(one)) {
        return wrong(format!("offers the capability `{odd}`, which there is none of"));
    }
    let is_none = |kind: &str| !hello.objects.contains_key(kind);
    if let Some((kind, _)) =
        hello.forms.iter().find(|(kind, form)| is_none(kind) || is_none(&form.of))
    {
        return wrong(format!(
            "names a form `{kind}`, which or whose group is not among its objects"
        ));
    }
    let sides = hello.forms.values().map(|form| &form.contracts).chain([&hello.contracts]);
    let sides = sides
        .flatten()
        .flat_map(|(choice, sides)| sides.iter().map(move |side| format!("{choice}:{side}")));
    match sides.into_iter().find(|side| !contract::is_known(side)) {
        Some(odd) => wrong(format!("takes the side `{odd}`, which there is none of")),
        None => no_slips(talk),
    }
}

/// What nobody else says may be a new thing; what is nearly a known word is a slip of the pen, and
/// would be taken for something that the subject does not offer.
fn no_slips(talk: &Talk<'_>) -> Result<(), Wrong> {
    let hello = &talk.hello;
    let cases = Catalogue::embedded().and_then(|catalogue| Case::built_in(&catalogue));
    let known =
        Vocabulary::of(&cases.map_err(|error| Wrong(format!("is not looked at: {error}")))?);
    let kinds = known.kinds.iter().map(String::as_str);
    let kinds: Vec<&str> = kinds.chain(hello.forms.keys().map(String::as_str)).collect();
    let operations: Vec<&str> = known.operations.iter().map(String::as_str).collect();
    is_no_slip("field", &talk.hello_fields, FIELDS)?;
    is_no_slip("kind", hello.objects.keys(), &kinds)?;
    // Of each kind by itself: another may well have the right word.
    hello.objects.values().try_for_each(|own| is_no_slip("operation", own, &operations))
}

fn is_no_slip<'a>(
    what: &str,
    said: impl IntoIterator<Item = &'a String>,
    known: &[&str],
) -> Result<(), Wrong> {
    let said: Vec<&String> = said.into_iter().collect();
    let new = said.iter().filter(|word| !known.contains(&word.as_str()));
    // Fields are few, and no subject has its own.
    let is_any_length = what == "field";
    for word in new.filter(|word| is_any_length || word.len() >= WORD_MIN_BYTES) {
        // Whoever says the other word as well means this one.
        let meant = slip_of(word, known.iter().copied());
        if let Some(meant) = meant.filter(|meant| !said.iter().any(|word| word == meant)) {
            return Err(Wrong(format!("names the {what} `{word}`; did you mean `{meant}`?")));
        }
    }
    Ok(())
}

/// The fields of the reply to `hello`.
const FIELDS: &[&str] = &[
    "protocol",
    "name",
    "version",
    "starts",
    "objects_reach",
    "objects",
    "capabilities",
    "contracts",
    "forms",
    "pace",
];

/// Shorter words are near each other by chance.
const WORD_MIN_BYTES: usize = 6;

fn one_reply(talk: &mut Talk) -> Result<(), Wrong> {
    if let Some(kind) = talk.hello.objects.keys().next().cloned() {
        talk.create("x", &kind)?;
    }
    talk.ask(json!({"request": "drop", "object": "x"}))?;
    match talk.read(seen::AFTERWARDS)? {
        Some(more) => Err(Wrong(format!("says {more:?}, which nobody asked for"))),
        None => Ok(()),
    }
}

fn odd_lines(talk: &mut Talk) -> Result<(), Wrong> {
    for line in ["", "  "] {
        talk.adapter.send_line(line.to_owned())?;
    }
    let kind = talk.hello.objects.keys().next().cloned();
    if let Some(kind) = kind {
        talk.must(json!({"request": "create", "object": "x", "kind": kind, "args": needed(&kind),
            "colour": {"name": "green"}}))?;
    }
    match talk.ask(json!({"request": "paint", "colour": "green"}))? {
        Answer::Error { kind, .. } if kind == "unsupported" => {}
        other => return Err(Wrong(format!("answers the unknown request `paint` with {other:?}"))),
    }
    let way = talk.hello.starts[0];
    talk.actor("a", way, &[], Value::Null).map(drop)
}

fn objects(talk: &mut Talk) -> Result<(), Wrong> {
    let kinds: Vec<String> = talk.hello.objects.keys().cloned().collect();
    for kind in &kinds {
        talk.create(&format!("x-{kind}"), kind)?;
    }
    let request = json!({"request": "create", "object": "y", "kind": "no-such-kind", "args": {}});
    match talk.ask(request)? {
        Answer::Error { kind, .. } if kind == "unsupported" => {}
        other => return Err(Wrong(format!("makes an object of an unknown kind: {other:?}"))),
    }
    for kind in &kinds {
        talk.must(json!({"request": "drop", "object": format!("x-{kind}")}))?;
    }
    match talk.ask(json!({"request": "drop", "object": "y"}))? {
        Answer::Error { .. } => Ok(()),
        other => Err(Wrong(format!("drops an object that there is none of: {other:?}"))),
    }
}

fn actors(talk: &mut Talk) -> Result<(), Wrong> {
    let mut ways = talk.hello.starts.clone();
    // Processes are started before threads.
    ways.sort_by_key(|how| *how == How::Thread);
    let adapter = talk.adapter.pid();
    for how in ways {
        for name in ["a", "b"].map(|name| format!("{name}-{}", how.slug())) {
            let pid = talk.actor(&name, how, &[], Value::Null)?;
            let tid = talk.actors[&name].1;
            if (pid == adapter) != (how == How::Thread) {
                let is = if pid == adapter { "a thread" } else { "a process" };
                return Err(Wrong(format!("starts {name} as {is}, by {}", how.slug())));
            }
            seen::process(pid, adapter)?;
            if !seen::has_thread(pid, tid) {
                let what = format!("names the thread {tid} of the process {pid}, which has none");
                return Err(Wrong(what));
            }
        }
    }
    let ids: BTreeSet<&(i32, i32)> = talk.actors.values().collect();
    if ids.len() < talk.actors.len() {
        return Err(Wrong(format!("gives two actors one thread: {:?}", talk.actors)));
    }
    match talk.ask(json!({"request": "actor", "name": "c", "how": "fork", "parent": null,
        "objects": ["nothing"]}))?
    {
        Answer::Error { .. } => Ok(()),
        other => Err(Wrong(format!("gives an actor an object that there is none of: {other:?}"))),
    }
}

fn calls(talk: &mut Talk) -> Result<(), Wrong> {
    let Some(kind) = talk.hello.objects.keys().next().cloned() else { return Ok(()) };
    talk.create("x", &kind)?;
    let way = talk.hello.starts[0];
    talk.actor("a", way, &["x"], Value::Null)?;
    match talk.call("a", "x", "no-such-operation")? {
        Answer::Unsupported => {}
        other => return Err(Wrong(format!("answers an unknown operation with {other:?}"))),
    }
    if let Some(kind) = lock_of(&talk.hello).map(str::to_owned) {
        talk.create("y", &kind)?;
        talk.actor("b", way, &["y"], Value::Null)?;
        for op in ["acquire", "release", "try", "release"] {
            talk.gives("b", "y", op, &Value::Null)?;
        }
    }
    let request = json!({"request": "call", "actor": "nobody", "object": "x", "op": "try",
        "args": {}});
    match talk.ask(request)? {
        Answer::Error { .. } => Ok(()),
        other => Err(Wrong(format!("answers a call of an unknown actor with {other:?}"))),
    }
}

fn clock(talk: &mut Talk) -> Result<(), Wrong> {
    talk.create_lock("x")?;
    let way = talk.hello.starts[0];
    talk.actor("a", way, &["x"], Value::Null)?;
    for op in ["acquire", "release"] {
        let before = now_nanos();
        let id = talk.send_call("a", "x", op)?;
        let (first, second) = (talk.next(id)?, talk.next(id)?);
        let after = now_nanos();
        let (Answer::Entered { at: entered }, Answer::Returned { at: returned, .. }) =
            (&first, &second)
        else {
            return Err(Wrong(format!("answers a call with {first:?} and {second:?}")));
        };
        let times = [before, *entered, *returned, after];
        if !times.is_sorted() {
            return Err(Wrong(format!(
                "says that it entered a call at {entered} and returned at {returned}, and was \
                 asked at {before} and heard at {after}"
            )));
        }
    }
    Ok(())
}

fn refusals(talk: &mut Talk) -> Result<(), Wrong> {
    talk.create_lock("x")?;
    let way = talk.hello.starts[0];
    talk.actor("a", way, &["x"], Value::Null)?;
    talk.gives("a", "x", "acquire", &Value::Null)?;
    // Whether its kind is in the list is looked at wherever a reply is read.
    for op in ["try", "release", "release"] {
        match talk.call("a", "x", op)? {
            Answer::Returned { value: Value::Null, .. }
            | Answer::Failed { .. }
            | Answer::Prevented { .. } => {}
            other => return Err(Wrong(format!("answers {op} with {other:?}"))),
        }
    }
    Ok(())
}

fn several_at_once(talk: &mut Talk) -> Result<(), Wrong> {
    talk.create_lock("x")?;
    talk.process("a", &["x"], Value::Null)?;
    talk.process("b", &["x"], Value::Null)?;
    talk.gives("a", "x", "acquire", &Value::Null)?;
    let waits = talk.begins("b", "x", "acquire")?;
    talk.create_lock("y")?;
    talk.process("c", &["x", "y"], Value::Null)?;
    talk.gives("c", "y", "acquire", &Value::Null)?;
    talk.gives("a", "x", "release", &Value::Null)?;
    match talk.next(waits)? {
        Answer::Returned { .. } => Ok(()),
        other => Err(Wrong(format!("answers a call that waited with {other:?}"))),
    }
}

fn own_voice(talk: &mut Talk) -> Result<(), Wrong> {
    let Some(how) = process_way(&talk.hello) else { return Ok(()) };
    let pid = talk.actor("a", how, &[], Value::Null)?;
    if seen::holds(pid, &talk.adapter.output()) {
        return Ok(());
    }
    Err(Wrong(format!("has an actor {pid} that cannot write to the adapter's standard output")))
}
