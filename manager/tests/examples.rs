//! The examples, and what they print.

use std::path::PathBuf;
use std::process::Command;

use purlin_process::command::run;

use crate::bounded::{LIMIT, Test};

pub(crate) const TESTS: &[Test] = &[
    ("others_change_a_value_an_array_and_a_list", others_change_them),
    ("clients_by_tcp_share_a_queue", clients_by_tcp_share_a_queue),
    ("many_calls_take_no_memory", many_calls_take_no_memory),
];

/// The lines that an example prints; it must end well, and complain of nothing.
fn lines_of(name: &str, arguments: &[&str]) -> Vec<String> {
    let mut command = Command::new(example(name));
    command.args(arguments);
    let output = run(command, "", LIMIT).unwrap_or_else(|failure| {
        panic!("{failure}; `cargo test -p purlin-manager` builds the examples");
    });
    let text = |bytes: Option<Vec<u8>>| String::from_utf8(bytes.expect("a pipe")).expect("text");
    assert_eq!(text(output.stderr), "");
    assert!(output.status.is_success(), "{name} has ended with {}", output.status);
    text(output.stdout).lines().map(str::to_owned).collect()
}

/// Beside the folder of this test program.
fn example(name: &str) -> PathBuf {
    let mut path = std::env::current_exe().expect("this program");
    path.pop();
    path.pop();
    path.join("examples").join(name)
}

fn others_change_them() {
    // shows: manager-holds-objects-for-others
    let expected = ["3.14", "[5, 1, 2, 3, 4, 5, 6, 7, 8, 9]", "[\"Hello\"]"];
    assert_eq!(lines_of("server_process", &[]), expected);
}

fn clients_by_tcp_share_a_queue() {
    // shows: manager-remote-by-address-and-key
    let lines = lines_of("far", &[]);
    assert_eq!(lines.len(), 6, "{lines:#?}");
    let mut squares = lines[..4].to_vec();
    squares.sort();
    assert_eq!(squares, ["1 squared is 1", "2 squared is 4", "3 squared is 9", "4 squared is 16"]);
    assert_eq!(lines[4], "with another key: authentication-failed");
    assert_eq!(lines[5], "the workers: status 0 and status 0");
}

fn many_calls_take_no_memory() {
    let lines = lines_of("million", &["20000"]);
    assert_eq!(lines.iter().filter(|line| line.contains("KiB")).count(), 10, "{lines:#?}");
}
