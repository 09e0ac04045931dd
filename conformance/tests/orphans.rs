//! Nothing outlives its runner: when an adapter is killed, or hears nothing more, its actors end,
//! also those that wait in a lock for ever.

use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::support::{LIMIT, MARK, Marked, PROGRAM, Replies, cpython, has_ended, own, pidfd, say};
use serde_json::json;

#[test]
fn the_actors_of_purlin_end_with_their_adapter() {
    ends_with_its_adapter(&mut own("purlin-fork"), "fork");
    ends_with_its_adapter(&mut own("purlin-spawn"), "spawn");
    ends_with_its_adapter(&mut own("purlin-threads"), "thread");
    ends_with_its_adapter(&mut own("purlin-threads"), "fork");
}

#[test]
fn the_actors_of_a_server_end_with_their_adapter() {
    ends_with_its_adapter(&mut own("honest-server"), "spawn");
}

#[test]
fn the_actors_of_cpython_end_with_their_adapter() {
    // Absent otherwise, as the program itself would say.
    if let Some(mut command) = cpython() {
        ends_with_its_adapter(&mut command, "fork");
    }
}

#[test]
fn everything_ends_with_a_killed_runner() {
    let marked = Marked::new();
    let mut command = Command::new(PROGRAM);
    command.args(["run", "--subject", "fault-lost-wake", "--case", "lock/held-waits"]);
    command.env(MARK, &marked.value).stdout(Stdio::null());
    let runner = command.spawn().unwrap();
    // The runner, the adapter and two actors; the case takes a second to hang.
    all_end_with(runner, &marked, 4);
}

#[test]
fn one_that_hears_nothing_ends_with_a_killed_runner() {
    let marked = Marked::new();
    let mut command = Command::new(PROGRAM);
    // It keeps its pipes, and does nothing with them.
    let script = "trap '' TERM HUP INT PIPE; exec sleep 1000";
    command.args(["run", "--", "sh", "-c", script]).env("PURLIN_PATIENCE", "100");
    command.env(MARK, &marked.value).stdout(Stdio::null()).stderr(Stdio::null());
    let runner = command.spawn().unwrap();
    // The runner and the adapter.
    all_end_with(runner, &marked, 2);
}

/// Kills the runner once it has so many processes, itself included: all of them end.
fn all_end_with(mut runner: Child, marked: &Marked, count: usize) {
    let deadline = Instant::now() + LIMIT;
    let living = loop {
        let found = marked.processes();
        if found.len() >= count {
            break found;
        }
        assert_eq!(runner.try_wait().unwrap(), None, "it never had {count} processes");
        assert!(Instant::now() < deadline, "it does not come to have {count} processes");
        std::thread::yield_now();
    };
    let living: Vec<_> = living.into_iter().filter_map(|pid| pidfd(pid).ok()).collect();
    runner.kill().unwrap();
    runner.wait().unwrap();
    assert!(living.iter().all(has_ended));
    none_left(marked);
}

/// One that was just being started ends a moment later than those that were seen.
fn none_left(marked: &Marked) {
    let deadline = Instant::now() + LIMIT;
    while !marked.processes().is_empty() {
        assert!(Instant::now() < deadline, "left behind: {:?}", marked.processes());
        std::thread::yield_now();
    }
}

#[test]
fn a_child_that_the_program_did_not_start_is_left_alone() {
    let marked = Marked::new();
    let script = "sleep 1000 >&- 2>&- & exec \"$0\" run --subject purlin-fork --case lock/try";
    let mut command = Command::new("sh");
    command.args(["-c", script, PROGRAM]).env(MARK, &marked.value);
    let mut runner = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    assert!(has_ended(&pidfd(runner.id()).unwrap()), "it does not end");
    assert!(runner.wait().unwrap().success());
    assert_eq!(marked.processes().len(), 1, "only the child that it had before");
}

fn ends_with_its_adapter(command: &mut Command, how: &str) {
    for is_killed in [true, false] {
        let marked = Marked::new();
        command.env(MARK, &marked.value).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut adapter = command.spawn().unwrap();
        let replies = wait_in_a_lock(&mut adapter, how);
        let living: Vec<_> =
            marked.processes().into_iter().map(|pid| pidfd(pid).unwrap()).collect();
        let count = if how == "thread" { 1 } else { 3 };
        assert_eq!(living.len(), count, "{how}");
        if is_killed {
            adapter.kill().unwrap();
        } else {
            drop(adapter.stdin.take());
        }
        assert!(living.iter().all(has_ended), "{how}: {:?}", marked.processes());
        adapter.wait().unwrap();
        drop(replies);
    }
}

/// Two actors; one has the lock, the other waits for it.
fn wait_in_a_lock(adapter: &mut Child, how: &str) -> Replies {
    let replies = Replies::of(adapter);
    let actor = |id, name| {
        json!({"id": id, "request": "actor", "name": name, "how": how, "parent": null,
               "objects": ["x"]})
    };
    let call = |id, actor| {
        json!({"id": id, "request": "call", "actor": actor, "object": "x", "op": "acquire",
               "args": {}})
    };
    let object = json!({"id": 1, "request": "create", "object": "x", "kind": "lock", "args": {}});
    for (request, last) in
        [(object, "ok"), (actor(2, "a"), "ok"), (actor(3, "b"), "ok"), (call(4, "a"), "returned")]
    {
        say(adapter, &request.to_string());
        while replies.next()["reply"] != last {}
    }
    say(adapter, &call(5, "b").to_string());
    assert_eq!(replies.next()["reply"], "entered");
    replies
}
