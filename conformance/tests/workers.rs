//! Many cases are asked side by side, by processes of their own.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::support::{LIMIT, MARK, Marked, PROGRAM, has_ended, pidfd, run, run_json};
use purlin_conformance::limits::JOBS_COUNT;
use rustix::process::{Pid, Signal, kill_process};

const SUBJECT: [&str; 7] = ["run", "--subject", "purlin-fork", "--group", "lock", "--form", "lock"];

#[test]
fn side_by_side_and_in_turn_come_to_the_same_in_the_same_order() {
    let lines_of = |jobs: &str| {
        let (ran, lines) = run_json(&[&SUBJECT[..], &["--jobs", jobs]].concat(), &[]);
        assert_eq!(ran.status, Some(0), "{}", ran.stdout);
        let line = |line: &serde_json::Value| {
            format!("{} {} {}", line["behaviour"], line["case"], line["verdict"])
        };
        lines.iter().map(line).collect::<Vec<_>>()
    };
    assert_eq!(lines_of("4"), lines_of("1"));
}

#[test]
fn jobs_are_a_number_of_some() {
    for jobs in ["0", "65", "many", "-1", "1.5"] {
        let ran = run(&["run", "--jobs", jobs]);
        assert_eq!(ran.status, Some(2), "{jobs}");
        assert!(ran.stderr.contains("not a number from 1 to 64"), "{jobs}: {}", ran.stderr);
    }
}

#[test]
fn a_killed_worker_is_an_error_of_the_suite_and_nothing_hangs() {
    let marked = Marked::new();
    let mut command = Command::new(PROGRAM);
    command.args(SUBJECT).args(["--jobs", "2"]).env(MARK, &marked.value);
    let mut runner = command.stdout(Stdio::null()).spawn().unwrap();
    let worker = a_worker(&marked, &mut runner);
    kill_process(worker, Signal::KILL).unwrap();
    assert!(has_ended(&pidfd(runner.id()).unwrap()), "it waits for a worker that is dead");
    assert_eq!(runner.wait().unwrap().code(), Some(2), "the suite could not run a case");
    assert!(marked.processes().is_empty(), "left behind: {:?}", marked.processes());
}

#[test]
fn everything_ends_with_a_killed_runner() {
    let marked = Marked::new();
    let mut command = Command::new(PROGRAM);
    command.args(SUBJECT).args(["--jobs", "4"]).env(MARK, &marked.value);
    let mut runner = command.stdout(Stdio::null()).spawn().unwrap();
    a_worker(&marked, &mut runner);
    runner.kill().unwrap();
    runner.wait().unwrap();
    let deadline = Instant::now() + LIMIT;
    while !marked.processes().is_empty() {
        assert!(Instant::now() < deadline, "left behind: {:?}", marked.processes());
        std::thread::yield_now();
    }
}

#[test]
fn without_the_word_it_runs_as_with_it() {
    let choice = ["--subject", "purlin-threads", "--group", "event"];
    for word in [&[][..], &["run"]] {
        assert_eq!(workers_count(&[word, &choice].concat()), JOBS_COUNT, "{word:?}");
        assert_eq!(workers_count(&[word, &choice, &["--jobs", "3"]].concat()), 3, "{word:?}");
    }
}

/// The most processes that ask at once, in a run to its end.
fn workers_count(words: &[&str]) -> usize {
    let marked = Marked::new();
    let mut command = Command::new(PROGRAM);
    command.args(words).env(MARK, &marked.value).stdin(Stdio::null()).stdout(Stdio::null());
    let mut runner = command.spawn().unwrap();
    let (deadline, mut most) = (Instant::now() + LIMIT, 0);
    while runner.try_wait().unwrap().is_none() {
        // One that is about to execute an adapter still has its worker's words.
        let own = |pid: &u32| is_worker(pid) && parent_of(*pid) == Some(runner.id());
        most = most.max(marked.processes().into_iter().filter(own).count());
        assert!(Instant::now() < deadline, "{words:?} does not end");
        std::thread::yield_now();
    }
    most
}

fn parent_of(pid: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
}

fn is_worker(pid: &u32) -> bool {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    line.split(|byte| *byte == 0).nth(1) == Some(b"ask".as_slice())
}

/// One of the processes that ask, once it has an adapter.
fn a_worker(marked: &Marked, runner: &mut std::process::Child) -> Pid {
    let deadline = Instant::now() + LIMIT;
    loop {
        let found = marked.processes();
        let worker = found.iter().find(|pid| is_worker(pid));
        if let Some(worker) = worker.filter(|_| found.len() >= 6) {
            return Pid::from_raw(i32::try_from(*worker).unwrap()).unwrap();
        }
        assert_eq!(runner.try_wait().unwrap(), None, "it never had a worker");
        assert!(Instant::now() < deadline, "it does not come to have a worker");
        std::thread::yield_now();
    }
}
