//! Adapters that misbehave: each is reported with what it said, in bounded time, and nothing of it
//! stays. Before an adapter has said who it is, that ends the run (status 2); in a case it is the
//! verdict `died` (status 1).

use crate::support::shell::{self, adapter, hello};
use crate::support::{Ran, run_json, run_with};

/// An adapter that does nothing is given up after half a second.
const IMPATIENT: &[(&str, &str)] = &[("PURLIN_PATIENCE", "0.05")];

#[test]
fn one_that_prints_rubbish_is_quoted() {
    refused("echo rubbish; cat >&2", "said what is no reply", "`rubbish`");
    refused("echo rubbish; exit 3", "said what is no reply", "`rubbish`");
    refused("exec <&-; echo rubbish; exit 3", "said what is no reply", "`rubbish`");
    refused("printf '\\033[2J\\n'; cat >&2", "said what is no reply", "\\u{1b}[2J");
    refused("echo '{\"id\":1}'; cat >&2", "said what is no reply", "missing field");
}

#[test]
fn one_that_dies_at_once_is_quoted() {
    refused("echo oh no >&2; exit 3", "ended by itself (exit status: 3)", "`oh no`");
    refused("exec >&-; cat >&2", "closed its standard output", "");
    refused("kill -9 $$", "ended by itself (signal: 9", "");
}

#[test]
fn one_that_says_nothing_is_given_up() {
    refused("sleep 1000", "does not answer", "Hello");
    refused("sleep 1000 & sleep 1000 & wait", "does not answer", "Hello");
    refused("trap '' TERM HUP INT; while :; do sleep 1000; done", "does not answer", "");
}

#[test]
fn one_that_never_stops_talking_is_given_up() {
    refused("tr '\\0' x </dev/zero", "wrote a line without an end", "`xxxx");
    refused("while :; do echo; done", "writes empty lines without end", "");
    refused("tr '\\0' x </dev/zero >&2", "does not answer", "xxxx");
}

#[test]
fn one_of_another_protocol_is_refused() {
    for version in [0, 2] {
        let hello = hello("odd", version);
        let says = format!("speaks version {version} of the protocol, not 1");
        refused(&format!("read x; {hello}; cat >&2"), &says, "");
    }
    let hello = shell::hello("", 1);
    refused(&format!("read x; {hello}; cat >&2"), "has no name", "");
    let error = r#"echo '{"id":1,"reply":"error","kind":"unsupported"}'"#;
    refused(&format!("read x; {error}; cat >&2"), "answers Hello", "unsupported");
    let ok = r#"echo '{"id":1,"reply":"ok"}'"#;
    refused(&format!("read x; {ok}; cat >&2"), "answers Hello", "missing field");
}

#[test]
fn one_that_answers_somebody_else_is_refused() {
    let reply = r#"echo '{"id":77,"reply":"ok"}'"#;
    refused(&format!("{reply}; cat >&2"), "answers what nobody asked", "77");
    let entered = r#"echo '{"id":1,"reply":"entered","at":1}'"#;
    refused(&format!("read x; {entered}; cat >&2"), "answers out of turn", "");
}

#[test]
fn one_that_does_not_leave_is_refused() {
    let bye = r#"echo '{"id":2,"reply":"ok"}'"#;
    let script = format!("read x; {}; read x; {bye}; sleep 1000", hello("odd", 1));
    refused(&script, "does not end after `bye`", "");
}

#[test]
fn helpers_that_leave_the_group_are_killed_too() {
    // That nothing is left is looked at wherever the program is run.
    // The helper has left when it says so, and has a child that is adopted only after its end.
    let helper = r#"x=$(setsid sh -c "(sleep 1000; :) >&2 & echo left")"#;
    refused(&format!("{helper}; exit 3"), "ended by itself (exit status: 3)", "");
    let other = hello("odd", 2);
    refused(&format!("{helper}; {other}; cat >&2"), "speaks version 2 of the protocol", "");
    refused(&format!("{helper}; sleep 1000"), "does not answer", "");
}

#[test]
fn a_command_that_is_none_is_refused() {
    for program in ["/no/such/program", "/dev/null", "/"] {
        let ran = run_with(&["run", "--", program], IMPATIENT);
        assert_eq!(ran.status, Some(2), "{}", ran.stderr);
        assert!(ran.stderr.contains("cannot be started"), "{}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    }
}

#[test]
fn one_that_dies_in_a_case_is_reported_there() {
    died("exit 4", "ended by itself (exit status: 4)");
    died("echo oh no; sleep 1000", "said what is no reply");
    died("sleep 1000", "does not answer Create");
    died(r#"say '"error","kind":"weird"'"#, "the kind `weird`, which there is none of");
    died("id=$((id+1)); ok", "answers what nobody asked");
    // Whether the second comes with the first is open, and so is how it is called.
    died("ok; ok", "the adapter answers");
}

#[test]
fn one_that_lies_about_its_actors_is_not_believed() {
    let actor = |fields: &str| format!("ok; read x; id=$((id+1)); ok \",{fields}\"");
    let ids = |pid: &str, tid: &str| format!(r#"\"pid\":{pid},\"tid\":{tid}"#);
    died(&actor(&ids("1", "1")), "names the process 1 as an actor");
    died(&actor(&ids("-1", "1")), "names the process -1 as an actor");
    died(&actor(&ids("$PPID", "$PPID")), "which is not in its group");
    died(&actor(&ids("$$", "1")), "names the thread 1 of the process");
    died(&actor(&ids("$$", "$$")), "as something else than a fork");
    died(&actor(r#"\"pid\":true"#), "answers Actor");
}

#[test]
fn one_that_answers_a_call_wrongly_is_reported() {
    // Each `sleep` is an actor that this adapter speaks for.
    let actor =
        r#"read x; id=$((id+1)); sleep 1000 & first=${first:-$!}; ok ",\"pid\":$!,\"tid\":$!""#;
    let calls = |replies: &str| {
        format!("ok; {actor}; {actor}; read x; id=$((id+1)); {replies}; sleep 1000")
    };
    let entered = r#"say '"entered","at":1'"#;
    let returned = r#"say '"returned","at":2,"value":null'"#;
    let weird = r#"say '"failed","at":2,"kind":"weird"'"#;
    died(&calls(returned), "answers out of turn");
    died(&calls(&format!("{entered}; {entered}")), "answers out of turn");
    died(&calls(&format!("{entered}; {weird}")), "says of a call what none is");
    died(&calls(&format!("{entered}; kill $first")), "the process of a ended by itself");
    died(&calls(":"), "never entered the call");
}

#[test]
fn one_whose_clock_runs_ahead_is_not_believed() {
    // Both actors' calls are answered at once, and the second one says that it took a thousand
    // seconds.
    let actor = r#"read x; id=$((id+1)); sleep 1000 & ok ",\"pid\":$!,\"tid\":$!""#;
    let call = |end: &str| format!(r#"read x; id=$((id+1)); say '"entered","at":1'; say {end}"#);
    let got = call(r#"'"returned","at":2,"value":null'"#);
    let waited = call(r#"'"failed","at":1000000000001,"kind":"timed-out"'"#);
    let script = format!("ok; {actor}; {actor}; {actor}; {got}; {waited}; sleep 1000");
    died_in(
        "lock/limit-passes",
        &script,
        "the adapter says that a call took 1000000ms, which was asked ",
    );
}

#[test]
fn one_that_leaves_processes_behind_is_told() {
    let bye = r#"echo '{"id":2,"reply":"ok"}'"#;
    let script = format!("read x; {}; read x; {bye}; sleep 1000 >&2 &", hello("odd", 1));
    refused(&script, "leaves processes behind: `sleep (", "");
    // One that needs a moment to tidy up is not.
    let script = script.replace("sleep 1000", "sleep 0.3");
    // Nor one that says more than a pipe holds.
    let talker = script.replace("sleep 0.3 >&2", "head -c 300000 /dev/zero >&2");
    for script in [script, talker] {
        let args = ["run", "--group", "pool", "--", "sh", "-c", &script];
        let ran = run_with(&args, &[("PURLIN_PATIENCE", "30")]);
        assert_eq!(ran.status, Some(0), "{script}: {}", ran.stderr);
    }
}

#[test]
fn after_three_deaths_the_rest_of_a_group_is_not_asked() {
    // It has nothing but locks, and dies of them.
    let dies = "exit 4";
    let groups = ["--group", "lock", "--group", "condition", "--group", "event"];
    for jobs in ["1", "8"] {
        let own = adapter(dies);
        let words = ["run", "--jobs", jobs, "--", "sh", "-c", &own];
        let mut words = words.to_vec();
        words.splice(1..1, groups);
        let (ran, lines) = run_json(&words, IMPATIENT);
        assert_eq!(ran.status, Some(1), "{}", ran.stderr);
        let shown = lines.iter().filter(|line| line["case"].is_string());
        let (died, others): (Vec<_>, Vec<_>) = shown.partition(|line| line["group"] == "lock");
        assert!(others.iter().all(|line| line["verdict"] == "unsupported"), "{others:?}");
        let came = |verdict: &str| died.iter().filter(|line| line["verdict"] == verdict).count();
        assert!(came("died") >= 3 && came("untested") > 0, "{died:?}");
        let left = died.iter().filter(|line| line["verdict"] == "untested");
        let is_told = |line: &&&serde_json::Value| {
            let detail = line["detail"].as_str().unwrap_or_default();
            detail.contains("not asked: the adapter died in 3 cases of the group in a row")
        };
        assert!(left.clone().all(|line| is_told(&line)), "{died:?}");
    }
}

/// The run ends with status 2 and one line that has both texts.
fn refused(script: &str, what: &str, said: &str) {
    let ran = run_with(&["run", "--", "sh", "-c", script], IMPATIENT);
    assert_eq!(ran.status, Some(2), "{script}: {}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.is_empty(), "{script}: {}", ran.stdout);
    for text in [what, said] {
        assert!(ran.stderr.contains(text), "{script}: no {text:?} in {}", ran.stderr);
    }
    assert_eq!(ran.stderr.lines().count(), 1, "{script}: {}", ran.stderr);
}

/// The adapter does this when it is asked for a lock: the case has the verdict `died`, says `what`,
/// and the report shows it too.
fn died(script: &str, what: &str) {
    died_in("lock/held-waits", script, what);
}

/// The same in another case.
fn died_in(case: &str, script: &str, what: &str) {
    let args = ["run", "--case", case, "--", "sh", "-c", &adapter(script)];
    let (Ran { status, stdout, stderr }, lines) = run_json(&args, IMPATIENT);
    assert_eq!(status, Some(1), "{script}: {stdout}{stderr}");
    let detail = lines[0]["detail"].as_str().unwrap_or("nothing");
    assert_eq!(lines[0]["verdict"], "died", "{script}: {detail}");
    assert!(detail.contains(what), "{script}: no {what:?} in {detail}");
    assert!(stdout.contains(what), "{script}: no {what:?} in {stdout}");
}
