//! `check-adapter` says of sound adapters that they are sound, and of each wrong one what is wrong.

use crate::support::{PROGRAM, Ran, cpython_by, run_with};

/// Those that fall silent are given up after so many times ten seconds.
const PATIENCE: &[(&str, &str)] = &[("PURLIN_PATIENCE", "0.3")];

#[test]
fn sound_adapters_are_sound() {
    for name in [
        "purlin-fork",
        "purlin-threads",
        "posix-fork",
        "posix-mq-fork",
        "std-threads",
        "honest-server",
    ] {
        is_sound(&[PROGRAM, "adapter", name], name);
    }
}

#[test]
fn the_adapter_for_cpython_is_sound() {
    for how in ["fork", "spawn"] {
        // Absent otherwise, as the program itself would say.
        let Some(command) = cpython_by(how) else { return };
        let words = [command.get_program()].into_iter().chain(command.get_args());
        let words: Vec<&str> = words.map(|word| word.to_str().unwrap()).collect();
        is_sound(&words, "cpython-3.");
    }
}

fn is_sound(command: &[&str], name: &str) {
    let args = [&["check-adapter", "--"], command].concat();
    let Ran { status, stdout, stderr } = run_with(&args, &[]);
    assert_eq!(status, Some(0), "{stdout}{stderr}");
    assert!(stdout.starts_with(name), "{stdout}");
    assert!(stdout.contains(", 0 wrong, "), "{stdout}");
    // What offers everything is looked at from all sides.
    let is_whole = !stdout.contains("not made: ");
    assert_eq!(is_whole, stdout.contains("32 ok, 0 wrong, 0 not made"), "{stdout}");
}

#[test]
fn who_it_is_is_looked_at() {
    for name in
        ["has-no-name", "has-an-odd-capability", "takes-an-odd-side", "starts-twice-the-same"]
    {
        is_noticed(name, "hello");
    }
    for name in ["misspells-a-field", "misspells-an-operation", "misspells-a-kind"] {
        is_noticed(name, "hello");
    }
}

#[test]
fn replies_are_looked_at() {
    is_noticed("answers-twice", "one reply");
    is_noticed("answers-somebody-else", "one reply");
    is_noticed("dies-of-empty-lines", "odd lines");
    is_noticed("dies-of-unknown-requests", "odd lines");
    is_noticed("makes-anything", "objects");
    is_noticed("names-the-first-process", "actors");
    is_noticed("names-the-first-thread", "actors");
}

#[test]
fn calls_are_looked_at() {
    is_noticed("knows-every-operation", "calls");
    is_noticed("never-enters", "calls");
    is_noticed("enters-twice", "calls");
    is_noticed("has-a-clock-of-its-own", "clock");
    is_noticed("returns-before-it-enters", "clock");
    is_noticed("invents-error-kinds", "refusals");
}

#[test]
fn actors_are_looked_at() {
    is_noticed("does-one-thing-at-a-time", "several at once");
    is_noticed("speaks-for-its-actors", "own voice");
    is_noticed("writes-long-lines", "whole lines");
    is_noticed("tears-lines", "whole lines");
    is_noticed("collects-early", "reap");
    is_noticed("tells-of-another-end", "reap");
}

#[test]
fn partings_are_looked_at() {
    is_noticed("stays-after-bye", "bye");
    is_noticed("stays-at-the-end-of-input", "end of input");
    is_noticed("keeps-pipes-open", "killed adapter");
}

#[test]
fn programs_are_looked_at() {
    is_noticed("tallies-nothing", "programs");
    is_noticed("does-not-say-that-it-waits", "waiting");
    is_noticed("does-not-wait", "waiting");
    is_noticed("enters-no-scope", "scopes");
    is_noticed("does-not-add", "cells");
    is_noticed("writes-no-log", "logs");
    is_noticed("makes-one-of-several", "several objects");
}

#[test]
fn starts_are_looked_at() {
    is_noticed("forks-for-threads", "threads");
    is_noticed("does-not-fork", "fork");
    is_noticed("makes-threads-for-forks", "fork");
    is_noticed("does-not-start", "start");
    is_noticed("does-not-make", "make");
    is_noticed("does-not-drop", "drop");
}

#[test]
fn ends_are_looked_at() {
    is_noticed("exits-with-another-status", "ends");
    is_noticed("ends-no-thread", "end of a thread");
    is_noticed("does-not-execute", "exec");
    is_noticed("does-not-catch", "catch");
    is_noticed("ignores-interrupts", "interrupts");
    is_noticed("dies-of-interrupts", "interrupts");
}

#[test]
fn one_that_cannot_be_checked_is_told_so() {
    for (command, what) in [
        (&["/no/such/program"][..], "cannot be started"),
        (&["sh", "-c", "echo rubbish; cat >&2"], "said what is no reply"),
        (&["sh", "-c", "exit 3"], "ended by itself"),
        (&["sh", "-c", "exec sleep 1000"], "does not answer"),
    ] {
        let args = [&["check-adapter", "--"], command].concat();
        let Ran { status, stderr, .. } = run_with(&args, PATIENCE);
        assert_eq!(status, Some(2), "{stderr}");
        assert!(stderr.contains(what), "{stderr}");
    }
    for args in [&["check-adapter"][..], &["check-adapter", "--"], &["check-adapter", "x"]] {
        assert_eq!(run_with(args, &[]).status, Some(2), "{args:?}");
    }
}

/// The first check that finds something is this one: what is wrong is told where it belongs. That
/// a relay speaks for the actors is a fault of its own.
fn is_noticed(name: &str, check: &str) {
    let args = ["check-adapter", "--", PROGRAM, "adapter", "odd", name];
    let Ran { status, stdout, stderr } = run_with(&args, PATIENCE);
    assert_eq!(status, Some(1), "{name}: {stdout}{stderr}");
    let wrong = stdout.lines().filter_map(|line| line.trim().split_once(" WRONG: "));
    let wrong: Vec<&str> = wrong.map(|(name, _)| name.trim()).collect();
    let is_relay = wrong.contains(&"own voice") && check != "own voice";
    let first = wrong.iter().find(|found| !is_relay || **found != "own voice");
    assert_eq!(first, Some(&check), "{name}: {stdout}");
}
