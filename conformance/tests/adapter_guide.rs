//! What the guide for adapters says is so: its worked adapter in C compiles, is sound and keeps
//! what it is known to keep, its transcript is a run, and its template in Rust is an adapter.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{
    self, MARK, Marked, PROGRAM, Ran, Replies, Scratch, has_ended, pidfd, run_json, run_with,
};
use rustix::process::{Signal, pidfd_send_signal};
use serde_json::Value;

const GUIDE: &str = include_str!("../docs/adapter-guide.md");

/// The adapter in C, compiled as the guide says; none, with a line, where there is no compiler.
fn compiled() -> Option<Scratch> {
    if Command::new("cc").arg("--version").output().is_err() {
        eprintln!("not looked at: there is no cc here to compile the adapter in C with");
        return None;
    }
    let program = Scratch::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("adapters/pthread.c");
    let mut command = Command::new("cc");
    command.args(["-O2", "-pthread", "-Wall", "-Wextra", "-Werror", "-o"]);
    let done = command.arg(&program.path).arg(&source).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Some(program)
}

#[test]
fn the_adapter_in_c_is_sound() {
    let Some(program) = compiled() else { return };
    is_sound(&program.path, "15 ok, 0 wrong, 17 not made");
}

#[test]
fn the_template_in_rust_is_sound() {
    let template = template();
    is_sound(&template, " 0 wrong, ");
    let command = ["run", "--group", "lock", "--", template.to_str().unwrap()];
    let (ran, lines) = run_json(&command, &[]);
    assert_eq!(ran.status, Some(0), "{}{}", ran.stdout, ran.stderr);
    let total = lines.last().unwrap();
    assert!(total["kept"].as_u64() >= Some(20) && total["broken"] == 0, "{total}");
}

/// A build of all tests builds the examples, too; one of this test alone does not.
fn template() -> PathBuf {
    let template = PathBuf::from(PROGRAM).with_file_name("examples").join("adapter_template");
    if !template.exists() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.args(["build", "-p", "purlin-conformance", "--example", "adapter_template"]);
        build.args(
            template.components().any(|part| part.as_os_str() == "release").then_some("--release"),
        );
        let built = build.output().unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    }
    template
}

fn is_sound(program: &Path, says: &str) {
    let Ran { status, stdout, stderr } =
        run_with(&["check-adapter", "--", program.to_str().unwrap()], &[]);
    assert_eq!(status, Some(0), "{stdout}{stderr}");
    assert!(stdout.contains(says), "{stdout}");
}

#[test]
fn the_adapter_in_c_keeps_what_it_is_known_to_keep() {
    let Some(program) = compiled() else { return };
    let path = program.path.to_str().unwrap();
    let verdicts = verdicts(
        &["lock", "semaphore", "condition"].map(|g| ["--group", g]).concat(),
        &["--", path],
    );
    let broken: BTreeSet<&str> =
        verdicts.iter().filter(|(_, v)| *v == "broken").map(|((_, b), _)| b.as_str()).collect();
    // What POSIX has otherwise, or glibc: expect/posix-fork.toml says which.
    let known = [
        "lock-owner-died-stays-until-recovered",
        "lock-recover-needs-hold",
        "lock-recover-of-sound-lock",
    ];
    assert_eq!(broken, known.into());
    assert!(verdicts.len() > 50, "{verdicts:?}");
    // The adapter in Rust for the same library, which shares no line with it, says the same.
    let cases: BTreeSet<&str> = verdicts.keys().map(|(case, _)| case.as_str()).collect();
    let chosen: Vec<&str> = cases.into_iter().flat_map(|case| ["--case", case]).collect();
    let other = self::verdicts(
        &chosen,
        &[
            "--subject",
            "posix-fork",
            "--form",
            "lock",
            "--form",
            "semaphore",
            "--form",
            "condition",
        ],
    );
    for (what, verdict) in &verdicts {
        assert_eq!(other.get(what), Some(verdict), "{what:?}");
    }
}

/// What came of each case for each behaviour, but for what is not offered.
fn verdicts(chosen: &[&str], subject: &[&str]) -> BTreeMap<(String, String), String> {
    let (ran, lines) = run_json(&[&["run"], chosen, subject].concat(), &[]);
    assert!(ran.status.is_some_and(|status| status < 2), "{}{}", ran.stdout, ran.stderr);
    let asked = lines.iter().filter(|line| line["kind"] == "verdict" && !line["case"].is_null());
    let each = asked.map(|line| {
        let word = |field: &str| line[field].as_str().unwrap().to_owned();
        ((word("case"), word("behaviour")), word("verdict"))
    });
    each.filter(|(_, verdict)| !["unsupported", "untested"].contains(&verdict.as_str())).collect()
}

#[test]
fn the_transcript_is_a_run() {
    let Some(program) = compiled() else { return };
    let marked = Marked::new();
    let mut command = Command::new(&program.path);
    command.env(MARK, &marked.value).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut adapter = command.spawn().unwrap();
    let replies = Replies::of(&mut adapter);
    let (mut asked, mut actors) = (Value::Null, BTreeMap::new());
    for line in transcript() {
        let (mark, rest) = line.split_once(' ').unwrap();
        match mark {
            ">" => {
                asked = serde_json::from_str(rest).unwrap();
                support::say(&mut adapter, rest);
            }
            "<" => {
                let reply = replies.next();
                if asked["request"] == "actor" {
                    let name = asked["name"].as_str().unwrap().to_owned();
                    actors.insert(name, reply["pid"].as_u64().unwrap());
                }
                assert_eq!(masked(reply), written(rest), "{line}");
            }
            _ => kill(actors[rest.strip_prefix("kill ").unwrap()]),
        }
    }
    assert!(has_ended(&pidfd(adapter.id()).unwrap()), "it does not end after `bye`");
    assert!(adapter.wait().unwrap().success());
}

fn transcript() -> Vec<&'static str> {
    let (_, rest) = GUIDE.split_once("```transcript\n").unwrap();
    let lines: Vec<&str> = rest.split_once("```").unwrap().0.lines().collect();
    assert!(lines.len() > 20);
    lines
}

/// A reply as the guide shows it.
fn written(line: &str) -> Value {
    let quoted = line.replace("\"at\":T", "\"at\":\"T\"");
    let quoted = quoted.replace("\"pid\":P", "\"pid\":\"P\"").replace("\"tid\":P", "\"tid\":\"P\"");
    without_foreign_text(serde_json::from_str(&quoted).unwrap())
}

/// What differs from run to run has a letter in its place.
fn masked(mut reply: Value) -> Value {
    for (field, letter) in [("at", "T"), ("pid", "P"), ("tid", "P"), ("version", "V")] {
        if let Some(value) = reply.get_mut(field) {
            *value = letter.into();
        }
    }
    without_foreign_text(reply)
}

/// How the C library words its errors is its own.
fn without_foreign_text(mut reply: Value) -> Value {
    if reply["reply"] == "failed" {
        reply["text"] = "".into();
    }
    reply
}

fn kill(pid: u64) {
    let process = pidfd(u32::try_from(pid).unwrap()).unwrap();
    pidfd_send_signal(&process, Signal::KILL).unwrap();
    assert!(has_ended(&process));
}
