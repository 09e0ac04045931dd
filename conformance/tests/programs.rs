//! What every adapter of ours makes of programs, spoken to directly.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::support::driver::Driver;
use crate::support::{cpython_by, has_ended, own};
use rustix::process::{Signal, pidfd_send_signal};
use serde_json::{Value, json};

/// Runs a test for each adapter that offers all of this.
fn each(needs: &[&str], test: impl Fn(Driver, &str)) {
    for (command, how) in subjects() {
        let driver = Driver::start(command);
        if needs.iter().all(|need| driver.offers(need)) {
            println!("{}", driver.hello["name"]);
            test(driver, how);
        }
    }
}

/// Adapters, each with a way to start actors that are processes.
fn subjects() -> Vec<(Command, &'static str)> {
    let mut subjects = vec![
        (own("purlin-fork"), "fork"),
        (own("purlin-spawn"), "spawn"),
        (own("purlin-threads"), "fork"),
    ];
    subjects.push((own("honest-server"), "spawn"));
    // Absent otherwise, as the program itself would say.
    for how in ["fork", "spawn"] {
        subjects.extend(cpython_by(how).map(|command| (command, how)));
    }
    subjects
}

fn call(object: &str, op: &str) -> Value {
    json!({"do": "call", "object": object, "op": op})
}

fn add(cell: &str) -> Value {
    json!({"do": "call", "object": cell, "op": "add", "args": {"n": 1}})
}

fn none() -> Value {
    json!([])
}

#[test]
fn loops_count_and_tallies_tell_outcomes() {
    each(&["programs", "cells"], |mut driver, how| {
        driver.create("n", "cell");
        driver.ok(json!({"request": "create", "object": "many", "kind": "lock", "args": {},
            "count": 3}));
        driver.actor("a", how, &["n", "many"], none());
        let took = json!({"do": "call", "object": "many", "index": "i", "op": "try"});
        let program = json!([{"do": "loop", "count": 5, "body": [add("n")]},
            {"do": "loop", "count": 2, "variable": "i", "body": [took]},
            {"do": "check", "object": "n", "value": 5},
            {"do": "tally", "count": 3, "variable": "i", "body": [took]}]);
        assert_eq!(driver.runs("a", program), json!({"ok": 1, "timed-out": 2}));
        assert_eq!(driver.calls("a", "n", "get"), 5);
        let third = json!({"do": "call", "object": "many", "index": 2, "op": "release"});
        assert_eq!(driver.runs("a", json!([third])), Value::Null);
        driver.all_end(false);
    });
}

#[test]
fn failures_end_a_program_unless_they_are_expected() {
    each(&["programs", "cells"], |mut driver, how| {
        driver.create("n", "cell");
        driver.create("x", "lock");
        driver.actor("a", how, &["n", "x"], none());
        let program = json!([call("x", "acquire"), call("x", "try"), add("n")]);
        assert_eq!(driver.runs("a", program), "timed-out");
        let tolerant = json!({"do": "call", "object": "x", "op": "try",
            "or": [{"kind": "timed-out", "body": [add("n"), call("n", "get")]}]});
        assert_eq!(driver.runs("a", json!([tolerant])), 1);
        let program = json!([{"do": "check", "object": "n", "value": 7}]);
        assert_eq!(driver.runs("a", program), "task-failed");
        let rounds = json!([{"do": "tally", "count": 2, "body": [{"do": "fail"}]}]);
        assert_eq!(driver.runs("a", rounds), json!({"task-failed": 2}));
        assert_eq!(driver.runs("a", json!([call("nothing", "get")])), "no-such-name");
        driver.all_end(false);
    });
}

#[test]
fn a_guard_holds_for_its_scope_and_is_left_by_failures() {
    each(&["programs"], |mut driver, how| {
        driver.create("x", "lock");
        driver.actor("a", how, &["x"], none());
        driver.actor("b", how, &["x"], none());
        let with = |body: Value| json!([{"do": "with", "object": "x", "body": body}]);
        let id = driver.run("a", with(json!([{"do": "wait"}])));
        assert_eq!(driver.next(id)["reply"], "entered");
        assert_eq!(driver.next(id)["reply"], "waiting");
        assert_eq!(driver.calls("b", "x", "try"), "timed-out");
        driver.ok(json!({"request": "go", "actor": "a"}));
        assert_eq!(driver.outcome(id), Value::Null);
        assert_eq!(driver.runs("a", with(json!([{"do": "fail"}]))), "task-failed");
        assert_eq!(driver.calls("b", "x", "try"), Value::Null);
        assert_eq!(driver.calls("b", "x", "release"), Value::Null);
        driver.all_end(false);
    });
}

#[test]
fn a_forked_child_leaves_the_scope_and_takes_calls() {
    each(&["programs", "fork", "cells"], |mut driver, how| {
        driver.create("x", "lock");
        driver.create("n", "cell");
        driver.actor("a", how, &["x", "n"], json!([{"name": "b", "heirs": [{"name": "c"}]}]));
        let forks = json!({"do": "fork", "name": "b"});
        let program = json!([{"do": "with", "object": "x", "body": [forks, add("n")]}, add("n")]);
        let id = driver.run("a", program);
        let said: Vec<Value> = (0..2).map(|_| driver.next(id)["reply"].clone()).collect();
        assert_eq!(said, ["entered", "started"], "{}", driver.hello["name"]);
        // Where a child's copy of a guard frees the parent's lock, leaving it fails in the parent.
        let (outcome, rounds) = match driver.outcome(id) {
            Value::Null => ("ok", 2),
            kind if kind == "over-released" => ("over-released", 1),
            other => panic!("{other}"),
        };
        assert_eq!(driver.calls("b", "n", "get"), rounds, "{outcome}: only the parent went on");
        assert_eq!(outcome == "ok", driver.hello["contracts"]["lock-release"][0] == "by-holder");
        driver.all_end(false);
    });
}

#[test]
fn descendants_outlive_their_parents_and_end_with_the_adapter() {
    for is_killed in [true, false] {
        each(&["programs", "fork"], |mut driver, how| {
            driver.create("x", "lock");
            driver.actor("z", how, &["x"], none());
            driver.actor("a", how, &["x"], json!([{"name": "b", "heirs": [{"name": "c"}]}]));
            assert_eq!(driver.runs("a", json!([{"do": "fork", "name": "b"}])), Value::Null);
            assert_eq!(driver.runs("b", json!([{"do": "fork", "name": "c"}])), Value::Null);
            assert_eq!(driver.calls("z", "x", "acquire"), Value::Null);
            driver.kill("a");
            assert_eq!(driver.calls("b", "x", "try"), "timed-out");
            driver.kill("b");
            assert_eq!(driver.reap("a"), 9);
            assert_eq!(driver.calls("c", "x", "try"), "timed-out");
            let id = driver.call("c", "x", "acquire");
            assert_eq!(driver.next(id)["reply"], "entered");
            driver.all_end(is_killed);
        });
    }
}

#[test]
fn children_by_the_subjects_own_means_take_calls() {
    each(&["programs", "start", "cells", "logs"], |mut driver, how| {
        driver.create("x", "lock");
        driver.create("n", "cell");
        driver.create("l", "log");
        let tree = json!([{"name": "b", "heirs": [{"name": "c"}]}]);
        driver.actor("a", how, &["x", "n", "l"], tree);
        assert_eq!(driver.calls("a", "x", "acquire"), Value::Null);
        let program = json!([add("n"), {"do": "start", "name": "b"}, add("n")]);
        let id = driver.run("a", program);
        let said: Vec<Value> = (0..3).map(|_| driver.next(id)["reply"].clone()).collect();
        assert_eq!(said, ["entered", "started", "returned"]);
        assert_eq!(driver.runs("b", json!([{"do": "start", "name": "c"}])), Value::Null);
        for actor in ["b", "c"] {
            assert_eq!(driver.calls(actor, "x", "try"), "timed-out");
            assert_eq!(driver.calls(actor, "n", "get"), 2);
            let line = json!({"do": "call", "object": "l", "op": "write", "args": {"text": actor}});
            assert_eq!(driver.runs(actor, json!([line])), Value::Null);
        }
        assert_eq!(driver.calls("a", "l", "lines"), json!(["b", "c"]));
        let id = driver.call("c", "x", "acquire");
        assert_eq!(driver.next(id)["reply"], "entered");
        driver.all_end(true);
    });
}

#[test]
fn threads_take_calls_and_end_one_by_one() {
    each(&["programs", "threads", "ends"], |mut driver, how| {
        driver.create("x", "lock");
        driver.actor("a", how, &["x"], json!([{"name": "t"}, {"name": "u"}]));
        let program = json!([{"do": "thread", "name": "t"}, {"do": "thread", "name": "u"}]);
        assert_eq!(driver.runs("a", program), Value::Null);
        assert_eq!(driver.processes["t"], driver.processes["a"]);
        assert_eq!(driver.calls("t", "x", "acquire"), Value::Null);
        assert_eq!(driver.calls("a", "x", "try"), "timed-out");
        let main = driver.run("a", json!([{"do": "end-thread"}]));
        assert_eq!(driver.next(main)["reply"], "entered");
        let second = driver.run("u", json!([{"do": "end"}]));
        assert_eq!(driver.next(second)["reply"], "entered");
        assert_eq!(driver.calls("t", "x", "release"), Value::Null);
        assert_eq!(driver.calls("t", "x", "try"), Value::Null);
        driver.all_end(true);
    });
}

#[test]
fn the_ways_to_end_are_seen_by_the_parent() {
    let ends = [("exit", 3), ("end", 0), ("abort", 6), ("crash", 11)];
    each(&["programs", "ends"], |mut driver, how| {
        for (way, expected) in ends {
            driver.actor(way, how, &[], none());
            let mut statement = json!({"do": way});
            if way == "exit" {
                statement["code"] = 3.into();
            }
            let process = driver.pidfd(way);
            driver.run(way, json!([statement]));
            assert!(has_ended(&process), "{way}");
            assert_eq!(driver.reap(way), expected, "{way}");
        }
        driver.all_end(false);
    });
}

#[test]
fn a_forked_child_ends_by_itself_too() {
    each(&["programs", "fork", "ends"], |mut driver, how| {
        driver.actor("a", how, &[], json!([{"name": "b"}]));
        for program in [json!([{"do": "end"}]), json!([{"do": "exit", "code": 3}])] {
            assert_eq!(driver.runs("a", json!([{"do": "fork", "name": "b"}])), Value::Null);
            let process = driver.pidfd("b");
            driver.run("b", program);
            assert!(has_ended(&process));
        }
        driver.all_end(false);
    });
}

#[test]
fn a_replaced_program_says_so_and_idles() {
    each(&["programs", "exec"], |mut driver, how| {
        driver.create("x", "lock");
        driver.actor("a", how, &["x"], none());
        driver.actor("b", how, &["x"], none());
        assert_eq!(driver.calls("a", "x", "acquire"), Value::Null);
        let before = fs::read(format!("/proc/{}/maps", driver.processes["a"])).unwrap();
        assert_eq!(driver.runs("a", json!([{"do": "exec"}])), Value::Null);
        let after = fs::read(format!("/proc/{}/maps", driver.processes["a"])).unwrap();
        assert_ne!(before, after, "it is the same program still");
        let is_told =
            driver.hello["objects"]["lock"].as_array().unwrap().contains(&"recover".into());
        let expected = if is_told { "owner-died" } else { "timed-out" };
        assert_eq!(driver.calls("b", "x", "try"), expected);
        driver.all_end(true);
    });
}

#[test]
fn a_caught_signal_does_not_end_a_wait() {
    each(&["programs", "catch"], |mut driver, how| {
        driver.create("x", "lock");
        driver.actor("a", how, &["x"], none());
        driver.actor("b", how, &["x"], none());
        assert_eq!(driver.calls("a", "x", "acquire"), Value::Null);
        assert_eq!(driver.runs("b", json!([{"do": "catch"}])), Value::Null);
        let id = driver.call("b", "x", "acquire");
        assert_eq!(driver.next(id)["reply"], "entered");
        for _ in 0..20 {
            pidfd_send_signal(driver.pidfd("b"), Signal::USR1).unwrap();
        }
        assert_eq!(driver.calls("a", "x", "release"), Value::Null);
        assert_eq!(driver.outcome(id), Value::Null);
        driver.all_end(false);
    });
}

#[test]
fn what_an_actor_made_is_shared_with_its_children_and_can_be_dropped() {
    each(&["programs", "make", "drop", "fork"], |mut driver, how| {
        driver.actor("a", how, &[], json!([{"name": "b"}, {"name": "c"}]));
        let make = json!({"do": "make", "object": "x", "kind": "lock"});
        assert_eq!(driver.runs("a", json!([make, {"do": "fork", "name": "b"}])), Value::Null);
        if driver.offers("start") {
            assert_eq!(driver.runs("a", json!([{"do": "start", "name": "c"}])), Value::Null);
        } else {
            assert_eq!(driver.runs("a", json!([{"do": "fork", "name": "c"}])), Value::Null);
        }
        assert_eq!(driver.calls("c", "x", "acquire"), Value::Null);
        assert_eq!(driver.calls("b", "x", "try"), "timed-out");
        assert_eq!(driver.runs("c", json!([{"do": "drop", "object": "x"}])), Value::Null);
        assert_eq!(driver.calls("c", "x", "try"), "no-such-name");
        let is_told =
            driver.hello["objects"]["lock"].as_array().unwrap().contains(&"recover".into());
        let expected = if is_told { "owner-died" } else { "timed-out" };
        assert_eq!(driver.calls("b", "x", "try"), expected);
        driver.all_end(false);
    });
}

#[test]
fn no_actor_keeps_a_pipe_that_is_not_its_own() {
    each(&["programs", "fork"], |mut driver, how| {
        if driver.hello["name"].as_str().unwrap().starts_with("cpython") {
            return; // its library keeps pipes of its own, and lets children inherit them
        }
        // What the test itself was given, and what the adapter has of its own.
        let (mut known, others) = pipes(driver.adapter_pid());
        known.extend(others);
        driver.actor("z", how, &[], none());
        driver.actor("a", how, &[], json!([{"name": "b"}, {"name": "c"}]));
        assert_eq!(driver.runs("a", json!([{"do": "fork", "name": "b"}])), Value::Null);
        let starts = if driver.offers("start") { "start" } else { "fork" };
        assert_eq!(driver.runs("a", json!([{"do": starts, "name": "c"}])), Value::Null);
        for (actor, reads) in [("z", 1), ("a", 3), ("b", 1), ("c", 1)] {
            // One that was started by an actor says so first, and then lets go of the pipe by which
            // its starter waits for it: between the two it has that pipe. Asked here, it is past
            // both.
            assert_eq!(driver.runs(actor, json!([])), Value::Null);
            let (reading, writing) = pipes(driver.processes[actor]);
            let new = |pipes: BTreeSet<PathBuf>| pipes.difference(&known).count();
            let found = (new(reading), new(writing));
            assert_eq!(found, (reads, 0), "{actor} of {}", driver.hello["name"]);
        }
        driver.all_end(false);
    });
}

/// The pipes that a process can read, and those that it can write.
fn pipes(pid: i32) -> (BTreeSet<PathBuf>, BTreeSet<PathBuf>) {
    let (mut reading, mut writing) = (BTreeSet::new(), BTreeSet::new());
    for entry in fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten() {
        let leads_to = fs::read_link(entry.path()).unwrap_or_default();
        if !leads_to.to_string_lossy().starts_with("pipe:") {
            continue;
        }
        let name = entry.file_name().into_string().unwrap();
        let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{name}")).unwrap();
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap();
        let is_read = u32::from_str_radix(flags.trim(), 8).unwrap() & 3 == 0;
        if is_read { &mut reading } else { &mut writing }.insert(leads_to);
    }
    (reading, writing)
}

#[test]
fn each_lock_of_purlin_keeps_its_contract_and_can_be_damaged() {
    let kinds = [("lock", false, false), ("handover-lock", true, false)];
    for (kind, is_anyones, is_refused) in kinds.into_iter().chain([("checked-lock", false, true)]) {
        let mut driver = Driver::start(own("purlin-fork"));
        driver.create("x", kind);
        driver.actor("a", "fork", &["x"], none());
        driver.actor("b", "fork", &["x"], none());
        assert_eq!(driver.calls("a", "x", "acquire"), Value::Null);
        let expected = if is_anyones { Value::Null } else { "not-owner".into() };
        assert_eq!(driver.calls("b", "x", "release"), expected, "{kind}");
        if is_refused {
            assert_eq!(driver.calls("a", "x", "acquire"), "would-deadlock", "{kind}");
        }
        assert_eq!(driver.calls("a", "x", "damage"), Value::Null, "{kind}");
        for actor in ["a", "b"] {
            assert_eq!(driver.calls(actor, "x", "try"), "damaged", "{kind}");
        }
        driver.all_end(false);
    }
}

#[test]
fn what_a_duration_cannot_be_is_prevented_or_unsupported() {
    let mut driver = Driver::start(own("purlin-fork"));
    driver.create("x", "lock");
    driver.actor("a", "fork", &["x"], none());
    let limits = [(json!("nan"), "prevented"), (json!("infinity"), "unsupported")];
    for (timeout, expected) in limits {
        let id = driver.send(json!({"request": "call", "actor": "a", "object": "x",
            "op": "acquire", "args": {"timeout": timeout}}));
        assert_eq!(driver.outcome(id), expected, "{timeout}");
    }
    let id = driver.send(json!({"request": "call", "actor": "a", "object": "x", "op": "acquire",
        "args": {"block": false, "timeout": 3600}}));
    assert_eq!(driver.outcome(id), "unsupported");
    assert_eq!(driver.calls("a", "x", "try"), Value::Null, "nothing was done");
    // What has passed long ago is a deadline that has passed.
    let id = driver.send(json!({"request": "call", "actor": "a", "object": "x", "op": "acquire",
        "args": {"timeout": -1}}));
    assert_eq!(driver.outcome(id), "timed-out");
    driver.all_end(false);
}
