//! Adapters that misbehave where actors start actors, or where programs run: the verdict is `died`,
//! and says what they did.

use crate::support::scripts::{ends, run, shell};
use purlin_conformance::verdict::Verdict;

const SCRIPT: &str = "actors a c
    children b of a
    a: fork b -> ok
    b: exit 0 -> gone";

#[test]
fn one_that_lies_about_who_was_started_is_not_believed() {
    let started = |name: &str, pid: &str, tid: &str| {
        format!(r#"say "\"started\",\"name\":\"{name}\",\"pid\":{pid},\"tid\":{tid}""#)
    };
    let said = |reply: String, what: &str| died(&format!("entered; {reply}; read x"), what);
    said(started("b", "1", "1"), "names the process 1 as an actor");
    said(started("b", "-1", "1"), "names the process -1 as an actor");
    said(started("b", "$PPID", "$PPID"), "which is not in its group");
    said(started("b", "$$", "$$"), "names its own process");
    said(started("b", "$c", "1"), "names the thread 1 of the process");
    said(started("b", "$c", "$c"), "once more, which is c");
    said(started("c", "$c", "$c"), "which is not for it to start");
    said(started("nobody", "$c", "$c"), "which is not for it to start");
    let twice = format!("sleep 1000 & {0}; {0}", started("b", "$!", "$!"));
    said(twice, "says twice that it started b");
}

#[test]
fn one_that_answers_a_program_out_of_turn_is_reported() {
    died(r#"say "\"waiting\",\"at\":1"; read x"#, "answers out of turn");
    let waiting = r#"say "\"waiting\",\"at\":1""#;
    died(&format!("entered; {waiting}; {waiting}; read x"), "answers out of turn");
    died("entered; returned; returned; read x", "answers out of turn");
    died("entered; ok; read x", "answers out of turn");
    died("entered; kill -9 $a; read x", "the process of a ended by itself");
    died("entered; exit 3", "ended by itself (exit status: 3)");
}

#[test]
fn an_actor_that_is_said_to_start_and_never_does_hangs() {
    let script = "entered; returned; while read x; do :; done";
    ends(&adapter(script), SCRIPT, Verdict::Hung, 4, &["expected b to be started"]);
}

/// Whether the last words come with those before is open, and so is the line.
fn died(script: &str, what: &str) {
    let (outcome, _) = run(&adapter(script), SCRIPT);
    let stop = outcome.stop.unwrap_or_else(|| panic!("{script}: kept"));
    assert_eq!(outcome.verdict, Verdict::Died, "{script}: {stop:?}");
    assert!(stop.came.contains(what), "{script}: no {what:?} in {}", stop.came);
}

/// Each `sleep` is an actor that this adapter speaks for; a program does what `on_run` does.
fn adapter(on_run: &str) -> purlin_conformance::AdapterCommand {
    let hello = serde_json::json!({
        "id": 1, "reply": "ok", "protocol": 1, "name": "odd", "version": "1", "starts": ["fork"],
        "objects_reach": "start", "objects": {}, "capabilities": ["programs", "fork", "ends"],
    });
    shell(&format!(
        r#"
        say() {{ echo "{{\"id\":$id,\"reply\":$1}}"; }}
        ok() {{ say '"ok"'; }}
        entered() {{ say '"entered","at":1'; }}
        returned() {{ say '"returned","at":2,"value":null'; }}
        while read -r line; do
            id=${{line#*\"id\":}}; id=${{id%%,*}}
            case $line in
            *'"hello"'*) echo '{hello}' ;;
            *'"actor","name":"a"'*) sleep infinity & a=$!; say "\"ok\",\"pid\":$a,\"tid\":$a" ;;
            *'"actor","name":"c"'*) sleep infinity & c=$!; say "\"ok\",\"pid\":$c,\"tid\":$c" ;;
            *'"run"'*) {on_run} ;;
            *) ok ;;
            esac
        done"#
    ))
}
