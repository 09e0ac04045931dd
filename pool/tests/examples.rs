//! The examples, and what is promised of their output: the order where one is promised, what there
//! is where none is.

use std::path::PathBuf;
use std::process::Command;

use purlin_process::command::run;

use crate::bounded::{LIMIT, Test};

pub(crate) const TESTS: &[Test] = &[
    ("tasks_run_while_main_goes_on", tasks_run_while_main_goes_on),
    ("plain_calls_wait_for_their_tasks", plain_calls_wait_for_their_tasks),
    ("functions_meet_in_processes_of_their_own", functions_meet_in_processes_of_their_own),
    ("many_numbers_are_squared", many_numbers_are_squared),
    ("threads_see_what_is_here", threads_see_what_is_here),
];

/// The lines that an example prints, and what it complains of; it must end well.
fn said_by(name: &str) -> (Vec<String>, String) {
    let output = run(Command::new(example(name)), "", LIMIT).unwrap_or_else(|failure| {
        panic!("{failure}; `cargo test -p purlin-pool` builds the examples");
    });
    let text = |bytes: Option<Vec<u8>>| String::from_utf8(bytes.expect("a pipe")).expect("text");
    let (lines, complaints) = (text(output.stdout), text(output.stderr));
    assert!(output.status.is_success(), "{name} has ended with {}: {complaints}", output.status);
    (lines.lines().map(str::to_owned).collect(), complaints)
}

fn lines_of(name: &str) -> Vec<String> {
    let (lines, complaints) = said_by(name);
    assert_eq!(complaints, "");
    lines
}

/// Beside the folder of this test program.
fn example(name: &str) -> PathBuf {
    let mut path = std::env::current_exe().expect("this program");
    path.pop();
    path.pop();
    path.join("examples").join(name)
}

fn place(lines: &[String], line: &str) -> usize {
    let found = lines.iter().position(|other| other == line);
    found.unwrap_or_else(|| panic!("no line {line}: {lines:#?}"))
}

fn tasks_run_while_main_goes_on() {
    // shows: pool-submit-does-not-wait, pool-extra-task-waits, pool-join-needs-close
    // shows: pool-closed-refuses-tasks, async-result-get-after-pool-ended
    let lines = lines_of("background");
    assert_eq!(lines.len(), 16, "{lines:#?}");
    let names = ["Ada", "Bo", "Cy", "Di"];
    let [begun, ended] =
        ["begins", "ends"].map(|word| names.map(|name| place(&lines, &format!("{word} {name}"))));
    assert!(begun.iter().zip(&ended).all(|(begun, ended)| begun < ended), "{lines:#?}");
    assert!(begun[3] > *ended.iter().min().expect("there are some"), "{lines:#?}");
    assert!(place(&lines, "a join too early: still-running") > place(&lines, "main goes on"));
    place(&lines, "one more task: pool-not-running");
    let mut last = names.map(|name| format!("main gets an answer to {name}")).to_vec();
    last.push("all is done".to_owned());
    assert_eq!(lines[11..], last);
}

fn plain_calls_wait_for_their_tasks() {
    // shows: pool-apply-waits, pool-apply-returns-value, pool-task-failure-keeps-worker
    let (lines, _) = said_by("one_by_one");
    let expected = [
        "divides by 12",
        "main gets 1",
        "divides by 4",
        "main gets 3",
        "divides by 0",
        "main is told task-failed",
        "divides by 3",
        "main gets 4",
    ];
    assert_eq!(lines, expected);
}

fn functions_meet_in_processes_of_their_own() {
    // shows: pool-different-functions
    let lines = lines_of("functions");
    assert_eq!(lines.len(), 10, "{lines:#?}");
    place(&lines, "main waits");
    for whence in ["north", "east", "south", "west"] {
        let came = place(&lines, &format!("from the {whence}"));
        for other in ["north", "east", "south", "west"] {
            assert!(came < place(&lines, &format!("the {other} has met the others: true")));
        }
    }
    assert_eq!(lines[9], "5 processes");
}

fn many_numbers_are_squared() {
    // shows: pool-map-in-order, async-result-each-keeps-its-own, pool-imap-in-order-lazy
    // shows: pool-imap-unordered-by-completion, pool-starmap-spreads-arguments
    let squares: Vec<u64> = (0..10).map(|number| number * number).collect();
    let expected = [
        format!("a map: {squares:?}"),
        format!("by results: {squares:?}"),
        format!("in order: {squares:?}"),
        format!("as it comes, sorted: {squares:?}"),
        "pairs: [6, 20]".to_owned(),
    ];
    assert_eq!(lines_of("squares"), expected);
}

fn threads_see_what_is_here() {
    // shows: pool-thread-pool-same-face, pool-thread-pool-runs-in-process
    let expected = [
        "in this process: [true, true, true, true]",
        "seen, sorted: [1, 2, 3, 4]",
        "one more: pool-not-running",
    ];
    assert_eq!(lines_of("thread_pool"), expected);
}
