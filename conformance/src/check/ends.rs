//! How actors end by themselves, turn into something else, and catch a signal.

use rustix::process::{Signal, pidfd_send_signal};
use serde_json::{Value, json};

use super::talk::{Talk, is_failure};
use super::{Row, Wrong, offers, seen};
use crate::subject::is_readable;

pub(super) const CHECKS: &[Row] = &[
    (
        "ends",
        |hello| offers(hello, "ends"),
        ends,
        "`exit 3` ends the process with that status, `end` as at the end of any program, `abort` \
         by SIGABRT and `crash` by SIGSEGV; `reap` says so",
    ),
    (
        "end of a thread",
        |hello| offers(hello, "ends").or_else(|| offers(hello, "threads")),
        end_of_a_thread,
        "`end thread` ends the thread that takes the calls, be it the first; the others go on",
    ),
    (
        "exec",
        |hello| offers(hello, "exec"),
        exec,
        "`exec` executes another program, which says `returned` itself and idles until its pipe \
         ends",
    ),
    (
        "catch",
        |hello| offers(hello, "catch"),
        catch,
        "`catch` sets a handler for SIGUSR1 that does nothing",
    ),
    (
        "interrupts",
        |hello| offers(hello, "interrupts").or_else(|| super::a_lock(hello)),
        interrupts,
        "SIGINT ends a call that waits, which fails with interrupted, and the actor goes on",
    ),
];

fn ends(talk: &mut Talk) -> Result<(), Wrong> {
    let ways = [
        ("exit", json!({"do": "exit", "code": 3}), json!({"code": 3})),
        ("end", json!({"do": "end"}), json!({"code": 0})),
        ("abort", json!({"do": "abort"}), json!({"signal": 6})),
        ("crash", json!({"do": "crash"}), json!({"signal": 11})),
    ];
    for (name, statement, expected) in ways {
        let pid = talk.process(name, &[], Value::Null)?;
        let process = seen::process(pid, talk.adapter.pid())?;
        talk.send_run(name, json!([statement]))?;
        seen::ends(&process, &format!("an actor that was told to {name}"))?;
        let fields = talk.must(json!({"request": "reap", "actor": name}))?;
        let (field, value) = expected.as_object().into_iter().flatten().next().unzip();
        let found = field.map(|field| &fields[field]);
        if found != value {
            return Err(Wrong(format!("says that an actor told to {name} ended with {fields}")));
        }
    }
    Ok(())
}

fn end_of_a_thread(talk: &mut Talk) -> Result<(), Wrong> {
    let pid = talk.process("a", &[], json!([{"name": "t"}, {"name": "u"}]))?;
    let both = json!([{"do": "thread", "name": "t"}, {"do": "thread", "name": "u"}]);
    talk.returns("a", both, &Value::Null)?;
    let process = seen::process(pid, talk.adapter.pid())?;
    for name in ["t", "a"] {
        let (pid, tid) = talk.actor_ids(name)?;
        talk.send_run(name, json!([{"do": "end-thread"}]))?;
        let what = format!("has the thread {tid} of {name} go on after `end thread`");
        seen::becomes(&what, || seen::thread_has_ended(pid, tid))?;
    }
    if is_readable(&process, seen::AFTERWARDS) {
        return Err(Wrong("ends a whole process where one thread should end".to_owned()));
    }
    talk.returns("u", json!([]), &Value::Null)
}

fn exec(talk: &mut Talk) -> Result<(), Wrong> {
    let pid = talk.process("a", &[], Value::Null)?;
    let process = seen::process(pid, talk.adapter.pid())?;
    let before = seen::program(pid);
    talk.returns("a", json!([{"do": "exec"}]), &Value::Null)?;
    if seen::program(pid) == before {
        return Err(Wrong(format!("says that the process {pid} was replaced, which it was not")));
    }
    if is_readable(&process, seen::AFTERWARDS) {
        return Err(Wrong("executes a program that ends at once".to_owned()));
    }
    talk.adapter.kill_alone();
    seen::ends(&process, "a program that took an actor's place, and lost its adapter,")
}

fn catch(talk: &mut Talk) -> Result<(), Wrong> {
    const SIGUSR1: i32 = libc::SIGUSR1;
    let pid = talk.process("a", &[], Value::Null)?;
    talk.returns("a", json!([{"do": "catch"}]), &Value::Null)?;
    if !seen::catches(pid, SIGUSR1) {
        return Err(Wrong(format!("has no handler for SIGUSR1 in the process {pid}")));
    }
    Ok(())
}

fn interrupts(talk: &mut Talk) -> Result<(), Wrong> {
    talk.create_lock("x")?;
    talk.process("a", &["x"], Value::Null)?;
    let pid = talk.process("b", &["x"], Value::Null)?;
    let (_, tid) = talk.actor_ids("b")?;
    let process = seen::process(pid, talk.adapter.pid())?;
    talk.gives("a", "x", "acquire", &Value::Null)?;
    let id = talk.begins("b", "x", "acquire")?;
    // One that never sleeps is interrupted wherever it is.
    let _ = seen::becomes("", seen::sleeps_on(pid, tid));
    let _ = pidfd_send_signal(&process, Signal::INT);
    is_failure(&talk.next(id)?, "interrupted", "a call that was interrupted")?;
    is_failure(&talk.call("b", "x", "try")?, "timed-out", "a try after an interrupted call")
}
