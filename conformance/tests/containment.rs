//! What an adapter does to the machine that it runs on stays within its run: it is reported, in
//! bounded time, and every process of it is gone when the program has ended.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Stdio};

use rustix::process::{Signal, pidfd_send_signal};

use crate::support::shell::{adapter, hello};
use crate::support::{
    LIMIT, MARK, Marked, PROGRAM, Ran, Scratch, has_ended, pidfd, run_json, run_with,
};

/// An adapter that does nothing is given up after half a second.
const IMPATIENT: &[(&str, &str)] = &[("PURLIN_PATIENCE", "0.05")];

/// So that a machine that is busy with the processes of a test comes to the point, too.
const PATIENT: &[(&str, &str)] = &[("PURLIN_PATIENCE", "10")];

#[test]
fn nesting_without_end_is_no_reply() {
    let open = "awk 'BEGIN { for (i = 0; i < 60000; i++) printf \"[\"; print \"\" }'";
    refused(&format!("{open}; cat >&2"), "said what is no reply");
    // Also where nobody looks at it.
    let head = r#"printf '{"id":1,"reply":"ok","more":'"#;
    refused(&format!("{head}; {open}; cat >&2"), "said what is no reply");
}

#[test]
fn replies_without_end_are_not_kept() {
    let flood = r#"while :; do echo '{"id":1,"reply":"ok"}'; done"#;
    refused(flood, "answers");
    died(&format!("ok; {flood}"), "answers what nobody asked");
    died(r#"while :; do ok; done"#, "the adapter answers");
    died(r#"tr '\0' x </dev/zero"#, "wrote a line without an end");
}

#[test]
fn one_that_shouts_on_its_standard_error_is_heard_and_judged() {
    // Far more than a pipe holds, before each answer.
    let shout = "head -c 300000 /dev/zero >&2; ok";
    died(&format!("{shout}; exit 4"), "ended by itself (exit status: 4)");
}

#[test]
fn one_that_closes_everything_is_given_up() {
    refused("exec <&- >&- 2>&-; sleep 1000", "closed its standard output");
    died("exec <&- >&- 2>&-; sleep 1000", "closed its standard output");
    died("exec <&-; ok; sleep 1000", "");
}

#[test]
fn a_crowd_that_ignores_signals_is_killed() {
    let crowd = "trap '' TERM HUP INT; i=0
        while [ $i -lt 200 ]; do i=$((i+1)); (trap '' TERM HUP INT; exec sleep 1000) & done";
    refused_patiently(&format!("{crowd}; exit 3"), "ended by itself (exit status: 3)");
    died_patiently(&format!("{crowd}; exit 4"), "ended by itself (exit status: 4)");
}

#[test]
fn daemons_are_killed() {
    died_patiently(&format!("{}; exit 4", daemons(50)), "ended by itself (exit status: 4)");
}

#[test]
fn daemons_of_one_that_ends_in_good_order_are_told() {
    let bye = r#"echo '{"id":2,"reply":"ok"}'"#;
    let script = format!("read x; {}; {}; read x; {bye}", daemons(3), hello("odd", 1));
    let what = "leaves processes behind: `sleep (";
    refused(&script, what);
}

#[test]
fn a_daemon_that_ends_in_time_is_none() {
    let quick = r#"echo '{"id":2,"reply":"ok"}'"#;
    let daemon = "setsid sh -c '(sleep 0.3 &) >&2'";
    let script = format!("read x; {}; read x; {quick}; {daemon}", hello("odd", 1));
    let ran = run_with(&["run", "--group", "pool", "--", "sh", "-c", &script], PATIENT);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
}

#[test]
fn a_chain_of_daemons_is_broken() {
    // Each starts the next one and ends: whoever is killed may have an heir already. At most so
    // many, so that no mistake here stays.
    let link = r#"[ $1 -gt 0 ] && setsid sh "$0" $(($1-1)) >&2 & exit 0"#;
    let chain = format!("f=$(mktemp); echo '{link}' >$f; setsid sh $f 3000 >&2 &");
    died_patiently(&format!("{chain} rm_later=$f; sleep 0.2; rm $f; exit 4"), "ended by itself");
}

/// So many processes, each in a session of its own and nobody's child, which no signal but one ends
/// and which keep the adapter's output open.
fn daemons(count: u32) -> String {
    format!(
        "i=0; while [ $i -lt {count} ]; do i=$((i+1))
            setsid sh -c 'trap \"\" TERM HUP INT; (exec sleep 1000) & exit 0'; done"
    )
}

#[test]
fn a_signal_that_ends_the_run_ends_all_that_it_has_started() {
    let all = ["--group", "lock"];
    // All that there is has been asked by then.
    let one = ["--case", "lock/held-waits"];
    let how = [
        (Signal::TERM, "1", all),
        (Signal::INT, "8", all),
        (Signal::HUP, "8", all),
        (Signal::TERM, "8", one),
    ];
    for (signal, jobs, asked) in how {
        let started = Scratch::new();
        let path = started.path.display();
        // One that left its group, and one that ignores what it could be asked to end by.
        let own = format!(
            "setsid sleep 1000 </dev/null >/dev/null 2>&1 & \
             (trap '' TERM HUP INT; : > {path}; sleep 1000) </dev/null >/dev/null 2>&1 & \
             sleep 1000"
        );
        let marked = Marked::new();
        let own = adapter(&own);
        let report = Scratch::new();
        let json = report.path.to_str().unwrap();
        let words = ["run", "--jobs", jobs, "--json", json].into_iter().chain(asked);
        let words = words.chain(["--", "sh", "-c", &own]);
        let mut command = Command::new(PROGRAM);
        command.args(words).env(MARK, &marked.value).env("PURLIN_PATIENCE", "30");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut run = with_signals(&mut command).spawn().unwrap();
        let begun = std::time::Instant::now();
        while !started.path.exists() {
            assert!(begun.elapsed() < LIMIT, "nothing was started");
            std::thread::yield_now();
        }
        let process = pidfd(run.id()).unwrap();
        pidfd_send_signal(&process, signal).unwrap();
        let ended = has_ended(&process);
        let left = marked.kill();
        assert!(ended, "{signal:?} does not end it");
        let status = run.wait().unwrap();
        assert_eq!(left, [0; 0], "left behind by {signal:?}");
        assert_eq!(status.signal(), Some(signal.as_raw()), "{signal:?}: {status:?}");
        assert!(!report.path.exists(), "{signal:?}: a report of what was not seen");
    }
}

/// Has it find these signals at their defaults. A shell lets what it starts aside ignore SIGINT,
/// and `nohup` SIGHUP; that is inherited, and kept by the runner.
#[expect(unsafe_code, reason = "the actions of signals")]
fn with_signals(command: &mut Command) -> &mut Command {
    let reset = || {
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
            // SAFETY: It sets the default action.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
        }
        Ok(())
    };
    // SAFETY: Between the fork and the execution it makes system calls, and takes no lock and no
    // memory.
    unsafe { command.pre_exec(reset) }
}

/// The run ends with status 2 and one line that has this text.
fn refused(script: &str, what: &str) {
    refused_by(script, what, IMPATIENT);
}

fn refused_patiently(script: &str, what: &str) {
    refused_by(script, what, PATIENT);
}

fn refused_by(script: &str, what: &str, patience: &[(&str, &str)]) {
    let ran = run_with(&["run", "--", "sh", "-c", script], patience);
    assert_eq!(ran.status, Some(2), "{script}: {}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains(what), "{script}: no {what:?} in {}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 1, "{script}: {}", ran.stderr);
}

/// The adapter does this when it is asked for a lock: the case has the verdict `died`, and says
/// why.
fn died(script: &str, what: &str) {
    died_by(script, what, IMPATIENT);
}

fn died_patiently(script: &str, what: &str) {
    died_by(script, what, PATIENT);
}

fn died_by(script: &str, what: &str, patience: &[(&str, &str)]) {
    let (Ran { status, stdout, stderr }, lines) = case(script, patience);
    assert_eq!(status, Some(1), "{script}: {stdout}{stderr}");
    let detail = lines[0]["detail"].as_str().unwrap_or("nothing");
    assert_eq!(lines[0]["verdict"], "died", "{script}: {detail}");
    assert!(detail.contains(what), "{script}: no {what:?} in {detail}");
}

fn case(script: &str, patience: &[(&str, &str)]) -> (Ran, Vec<serde_json::Value>) {
    let adapter = adapter(script);
    run_json(&["run", "--case", "lock/held-waits", "--", "sh", "-c", &adapter], patience)
}
