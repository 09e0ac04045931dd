//! The examples, and what is promised of their output: the order where one is promised, what there
//! is where none is.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use purlin_process::command::run;

use crate::bounded::LIMIT;

/// The lines that an example prints; it must end well, and complain of nothing.
fn lines_of(name: &str) -> Vec<String> {
    let output = run(Command::new(example(name)), "", LIMIT).unwrap_or_else(|failure| {
        panic!("{failure}; `cargo test -p purlin-channel` builds the examples");
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

/// What stands behind `start` in each line that begins with it, in order, with the line's place.
fn after(lines: &[String], start: &str) -> Vec<(usize, String)> {
    let places = lines.iter().enumerate();
    places.filter_map(|(at, line)| Some((at, line.strip_prefix(start)?.to_owned()))).collect()
}

/// Both lists are `what`, in this order, and each of the second comes later than its like.
fn assert_handed_on(first: &[(usize, String)], then: &[(usize, String)], what: &[&str]) {
    let names = |list: &[(usize, String)]| -> Vec<String> {
        list.iter().map(|(_, name)| name.clone()).collect()
    };
    assert_eq!(names(first), what);
    assert_eq!(names(then), what);
    assert!(first.iter().zip(then).all(|(first, then)| first.0 < then.0), "{first:?} {then:?}");
}

#[test]
fn what_is_put_is_got_later_and_in_order() {
    // shows: queue-carries-value-between-processes, queue-fifo-single-producer
    let lines = lines_of("queue");
    assert_eq!(lines.len(), 8, "{lines:#?}");
    let (puts, gets) = (after(&lines, "puts "), after(&lines, "gets "));
    assert_handed_on(&puts, &gets, &["bread", "salt", "wine"]);
    let writer = after(&lines, "the writer: ");
    assert_eq!(writer[0].1, "status 0");
    assert!(writer[0].0 > puts[2].0);
    assert_eq!(lines[7], "the reader: status 0");
}

#[test]
fn a_reader_that_is_terminated_spoils_nothing() {
    // shows: queue-waiting-consumer-can-be-terminated
    let expected =
        ["the reader gets one", "the reader: ended by signal 15, SIGTERM", "main gets two"];
    assert_eq!(lines_of("terminated"), expected);
}

#[test]
fn who_does_not_wait_is_told_full_or_empty() {
    // shows: queue-put-nowait-full, queue-put-timeout-full, queue-full-tells
    // shows: queue-get-nowait-empty, queue-get-timeout-empty, queue-empty-tells
    // shows: queue-try-get-races-with-put
    let lines = lines_of("no_wait");
    let expected = [
        "10 inside, full: true",
        "one more at once: full",
        "one more within 20 ms: full",
        "0 inside, empty: true",
        "another at once: empty",
        "another within 20 ms: empty",
    ];
    assert_eq!(lines[..6], expected);
    let outcomes = [["the reader gets 1", "0 left"], ["the reader finds nothing", "1 left"]];
    assert!(outcomes.iter().any(|outcome| lines[6..] == *outcome), "{lines:#?}");
}

#[test]
fn each_writers_items_come_in_its_order() {
    // shows: queue-many-producers-order-kept-each
    let lines = lines_of("writers");
    assert_eq!(lines.len(), 19, "{lines:#?}");
    for number in 1..=3 {
        let own = after(&lines[..15], &format!("writer {number}: item "));
        let items: Vec<&str> = own.iter().map(|(_, item)| item.as_str()).collect();
        assert_eq!(items, ["0", "1", "2", "3", "4"], "writer {number}");
    }
    let ends = ["writer 1: status 0", "writer 2: status 0", "writer 3: status 0", "0 left"];
    assert_eq!(lines[15..], ends);
}

#[test]
fn threads_take_every_item_once() {
    // shows: queue-used-between-threads
    assert_eq!(lines_of("queue_threads"), ["1500 of 1500 taken", "1500 of them different, 0 left"]);
}

#[test]
fn all_is_done_when_the_join_returns() {
    // shows: joinable-queue-workers-drain, joinable-queue-join-waits-for-all-done
    let mut lines = lines_of("joinable");
    let sent = lines.iter().position(|line| line == "all 8 are sent").expect("it says so");
    lines.remove(sent);
    let mut workers: BTreeMap<String, String> = BTreeMap::new();
    for line in &lines[..8] {
        let (worker, task) = line.split_once(" does task ").expect("a task");
        assert!(["worker 1", "worker 2", "worker 3"].contains(&worker), "{line}");
        assert_eq!(workers.insert(task.to_owned(), worker.to_owned()), None, "{line}");
    }
    assert!((0..8).all(|task| workers.contains_key(&task.to_string())), "{workers:?}");
    let expected = [
        "all are done, 0 unfinished",
        "one mark more: task-done-too-often",
        "worker 1: status 0",
        "worker 2: status 0",
        "worker 3: status 0",
    ];
    assert_eq!(lines[8..], expected);
}

#[test]
fn a_pipe_keeps_the_order_and_tells_the_end() {
    // shows: pipe-keeps-order, pipe-one-way-first-reads, pipe-wrong-direction
    // shows: pipe-end-of-file-after-last-writer, pipe-two-way-by-default
    let lines = lines_of("pipe");
    assert_eq!(lines.len(), 17, "{lines:#?}");
    let refused =
        ["to send by the first end: wrong-direction", "to receive by the second: wrong-direction"];
    assert_eq!(lines[..2], refused);
    let (sent, received) = (after(&lines, "sends "), after(&lines[..12], "receives "));
    assert_handed_on(&sent, &received, &["0", "1", "2", "3", "4"]);
    let expected = [
        "receives no more",
        "2 squared is 4",
        "3 squared is 9",
        "4 squared is 16",
        "the squarer: status 0",
    ];
    assert_eq!(lines[12..], expected);
}

#[test]
fn two_receivers_share_the_messages() {
    // shows: pipe-two-receivers-share-messages
    let lines = lines_of("receivers");
    assert_eq!(lines.len(), 22, "{lines:#?}");
    assert_eq!(lines[20..], ["one: status 0", "other: status 0"]);
    let mut all: Vec<u8> = Vec::new();
    for name in ["one", "other"] {
        let own = after(&lines[..20], &format!("{name} gets "));
        let number = |line: &str| line.strip_suffix(", whole: true")?.parse().ok();
        let own: Vec<u8> =
            own.iter().map(|(_, line)| number(line).expect("a whole message")).collect();
        assert!(own.is_sorted(), "{name}: {own:?}");
        all.extend(own);
    }
    all.sort_unstable();
    assert_eq!(all, (0..20).collect::<Vec<u8>>());
}

#[test]
fn a_parent_sees_what_its_child_has_changed() {
    // shows: value-child-writes-parent-reads, array-child-writes-parent-reads
    let expected = [
        "before: 0, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 0",
        "after: 2.75, [50, 1, 2, 3, 4, 5, 6, -7, -8, 9], 0",
    ];
    assert_eq!(lines_of("shared"), expected);
}

#[test]
fn no_count_and_no_sum_is_lost() {
    // shows: value-increment-under-lock-exact, array-range-access-is-one-step
    let lines = lines_of("together");
    let ends: Vec<String> = (1..=4).map(|number| format!("Process-{number}: status 0")).collect();
    assert_eq!(lines[..4], ends);
    let sums =
        ["40000 by updates", "40000 by reads and writes under the lock", "300 in 3 accounts"];
    assert_eq!(lines[4..], sums);
}
