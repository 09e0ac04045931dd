//! What an adapter must put up with: empty lines, and fields that it does not know.

use std::process::{Command, Stdio};

use crate::support::{MARK, Marked, Replies, cpython, has_ended, own, pidfd, say};
use serde_json::{Value, json};

#[test]
fn purlin_ignores_what_it_does_not_know() {
    ignores_what_it_does_not_know(&mut own("purlin-fork"), "fork");
    ignores_what_it_does_not_know(&mut own("purlin-spawn"), "spawn");
    ignores_what_it_does_not_know(&mut own("purlin-threads"), "thread");
}

#[test]
fn a_server_ignores_what_it_does_not_know() {
    ignores_what_it_does_not_know(&mut own("honest-server"), "spawn");
}

#[test]
fn cpython_ignores_what_it_does_not_know() {
    // Absent otherwise, as the program itself would say.
    if let Some(mut command) = cpython() {
        ignores_what_it_does_not_know(&mut command, "fork");
    }
}

#[test]
fn what_a_type_rules_out_is_unsupported_where_the_suite_asks_for_it() {
    let marked = Marked::new();
    let mut command = own("std-threads");
    command.env(MARK, &marked.value).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut adapter = command.spawn().unwrap();
    let replies = Replies::of(&mut adapter);
    // A Condvar takes the guard of a Mutex, and there is none of this name.
    let args = json!({"lock": "nobody"});
    let request =
        json!({"id": 1, "request": "create", "object": "x", "kind": "condition", "args": args});
    say(&mut adapter, &request.to_string());
    let reply = replies.next();
    assert_eq!((&reply["reply"], &reply["kind"]), (&json!("error"), &json!("unsupported")));
    drop(adapter.stdin.take());
    assert!(adapter.wait().unwrap().success());
}

fn ignores_what_it_does_not_know(command: &mut Command, how: &str) {
    let marked = Marked::new();
    command.env(MARK, &marked.value).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut adapter = command.spawn().unwrap();
    let end = pidfd(adapter.id()).unwrap();
    let replies = Replies::of(&mut adapter);
    let mut requests = vec![
        json!({"request": "hello", "protocol": 1}),
        json!({"request": "create", "object": "x", "kind": "lock", "args": {}}),
        json!({"request": "actor", "name": "a", "how": how, "parent": null, "objects": ["x"]}),
        json!({"request": "call", "actor": "a", "object": "x", "op": "try", "args": {}}),
    ];
    if how == "thread" {
        requests.pop(); // An adapter whose threads hold locks cannot drop them in good order.
    }
    requests.extend([json!({"request": "drop", "object": "x"}), json!({"request": "bye"})]);
    for (id, mut request) in requests.into_iter().enumerate() {
        request["id"] = (id + 1).into();
        request["colour"] = json!({"name": "green"});
        for line in ["", "  ", &request.to_string()] {
            say(&mut adapter, line);
        }
        answered(&replies, &request);
    }
    assert!(has_ended(&end), "{how}: it does not end after `bye`");
    assert!(adapter.wait().unwrap().success(), "{how}");
}

fn answered(replies: &Replies, request: &Value) {
    let is_call = request["request"] == "call";
    let expected: &[&str] = if is_call { &["entered", "returned"] } else { &["ok"] };
    for word in expected {
        let reply = replies.next();
        assert_eq!((&reply["id"], &reply["reply"]), (&request["id"], &json!(word)), "{request}");
    }
}
