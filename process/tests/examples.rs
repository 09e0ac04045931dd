//! The examples, and what is promised of their output: the order where one is promised, what there
//! is where none is.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use purlin_process::command::run;

/// Far beyond what any example needs; whoever takes so long is killed, and has hung.
const LIMIT: Duration = Duration::from_secs(60);

/// The lines that an example prints; it must end well, and complain of nothing.
fn lines_of(name: &str) -> Vec<String> {
    let output = run(Command::new(example(name)), "", LIMIT).unwrap_or_else(|failure| {
        panic!("{failure}; `cargo test -p purlin-process` builds the examples");
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

#[test]
fn threads_speak_between_the_first_word_and_the_last() {
    // shows: thread-join-orders-output, thread-without-join-main-goes-first
    // shows: thread-run-method-overridden
    let lines = lines_of("threads");
    assert_eq!(lines.len(), 18, "{lines:#?}");
    assert_eq!(lines[0], "all begin");
    assert_eq!(lines[16..], ["all have ended", "the straggler comes in"]);
    let mut counts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in &lines[1..16] {
        let (name, number) = line.split_once(" counts ").expect("a count");
        counts.entry(name).or_default().push(number);
    }
    assert_eq!(counts.keys().collect::<Vec<_>>(), [&"Thread-1", &"Thread-2", &"Thread-3"]);
    assert!(counts.values().all(|numbers| *numbers == ["0", "1", "2", "3", "4"]), "{counts:?}");
}

#[test]
fn daemons_end_with_the_program() {
    // shows: thread-daemon-ends-with-main
    let mut lines = lines_of("daemons");
    assert_eq!(lines.pop().as_deref(), Some("the program ends"));
    lines.sort();
    assert_eq!(lines, ["film begins", "radio begins"]);
}

#[test]
fn a_lock_keeps_the_account_and_the_file_whole() {
    // shows: thread-lock-counter-exact
    let lines = lines_of("lock");
    assert_eq!(lines[..3], ["the account has 0", "scoped: status 0", "by hand: status 0"]);
    let (first, second) = lines[3..].split_at(9);
    assert_eq!(second.len(), 9);
    for nine in [first, second] {
        assert!(nine.iter().all(|line| *line == nine[0]), "{nine:?}");
    }
    assert_ne!(first[0], second[0]);
}

#[test]
fn a_reentrant_lock_is_given_back_before_another_has_it() {
    // shows: thread-rlock-reentrant-per-thread
    let lines = lines_of("reentrant");
    assert_eq!(lines.len(), 9);
    let mut owns: Vec<&str> = Vec::new();
    for three in lines.chunks(3) {
        let own = three[0].strip_suffix(" has it").expect("the first word");
        assert_eq!(three[1..], [format!("{own} has it twice"), format!("{own} gives it back")]);
        owns.push(own);
    }
    owns.sort_unstable();
    assert_eq!(owns, ["Thread-1", "Thread-2", "Thread-3"]);
}

/// Whether these come and go with two at once at most; who does, in order of the alphabet.
fn two_at_most<'a>(lines: &'a [String], comes: &str, goes: &str) -> Vec<&'a str> {
    let (mut inside, mut seen): (Vec<&str>, Vec<&str>) = Default::default();
    for line in lines {
        if let Some(name) = line.strip_suffix(comes) {
            inside.push(name);
            seen.push(name);
            assert!(inside.len() <= 2, "{lines:#?}");
        } else {
            let name = line.strip_suffix(goes).expect("one of two words");
            let at = inside.iter().position(|one| *one == name).expect("who goes was inside");
            inside.remove(at);
        }
    }
    assert!(inside.is_empty(), "{lines:#?}");
    seen.sort_unstable();
    seen
}

#[test]
fn no_more_than_two_sit_at_once() {
    // shows: semaphore-never-more-inside
    let mut lines = lines_of("semaphore");
    assert_eq!(lines.pop().as_deref(), Some("2 seats are free"));
    let seen = two_at_most(&lines, " sits down", " leaves");
    assert_eq!(seen, ["guest 1", "guest 2", "guest 3", "guest 4", "guest 5"]);
}

#[test]
fn no_more_than_two_have_a_unit() {
    // shows: semaphore-never-more-inside
    let mut lines = lines_of("units");
    assert_eq!(lines.pop().as_deref(), Some("2 units"));
    let seen = two_at_most(&lines, " takes a unit", " gives it back");
    assert_eq!(seen, ["Process-1", "Process-2", "Process-3", "Process-4", "Process-5"]);
}

#[test]
fn an_event_lets_all_go_and_a_deadline_tells() {
    // shows: thread-event-releases-all, event-timed-out-and-unlimited-waiter
    let lines = lines_of("event");
    let at = |what: &str| {
        let found = lines.iter().position(|line| line == what);
        found.unwrap_or_else(|| panic!("{what} in {lines:#?}"))
    };
    assert_eq!(lines.len(), 12);
    assert!(at("impatient waits") < at("impatient: it is not set"));
    assert!(at("impatient: it is not set") < at("main sets it"));
    assert!(at("main sets it") < at("patient: it is set"));
    assert!(at("patient waits") < at("patient: it is set"));
    let threads = &lines[5..];
    let ready = threads[..3].iter().filter(|line| line.ends_with(" is ready")).count();
    let gone = threads[4..].iter().filter(|line| line.ends_with(": it is set")).count();
    assert_eq!((ready, threads[3].as_str(), gone), (3, "main sets it", 3), "{lines:#?}");
}

#[test]
fn every_item_is_passed_once_and_the_bound_holds() {
    // shows: thread-condition-producer-consumer
    let lines = lines_of("condition");
    assert_eq!(lines[0], "1500 taken, 1500 of them different");
    let most = lines[1].strip_prefix("0 left, ").and_then(|rest| rest.strip_suffix(" at most"));
    let most: u32 = most.and_then(|most| most.parse().ok()).expect("a number");
    assert!((1..=100).contains(&most), "{most}");
}

fn number_after(line: &str, words: &str) -> String {
    line.strip_prefix(words).unwrap_or_else(|| panic!("{words} in {line}")).to_owned()
}

#[test]
fn a_fork_returns_twice_and_each_knows_the_other() {
    let lines = lines_of("fork");
    assert_eq!(lines.len(), 4, "{lines:#?}");
    let own = number_after(&lines[0], "process ");
    let own = own.strip_suffix(" is about to fork").expect("one word before the fork");
    let parent = lines.iter().find(|line| line.starts_with("parent ")).expect("the parent");
    let child = number_after(parent, &format!("parent {own} of "));
    assert_ne!(own, child);
    assert!(lines.contains(&format!("child {child} of {own}")), "{lines:#?}");
    assert_eq!(lines[3], "the child has ended: status 0");
}

#[test]
fn ten_children_have_each_its_own_list() {
    let mut lines = lines_of("children");
    assert_eq!(lines.remove(0), "MainProcess has at least one processor: true");
    assert_eq!(lines.pop().as_deref(), Some("0 are active, and MainProcess has []"));
    lines.sort();
    let mut expected: Vec<_> =
        (0..10).map(|number| format!("Process-{} has [{number}]", number + 1)).collect();
    expected.sort();
    assert_eq!(lines, expected);
}

#[test]
fn a_child_speaks_before_its_parent_has_joined_it() {
    assert_eq!(
        lines_of("process"),
        [
            "MainProcess starts a child",
            "greeter lives: true, status None",
            "greeter is active, its number is its own: true",
            "greeter: hello 1",
            "greeter: hello 2",
            "greeter: hello 3",
            "greeter lives: false, status 0",
        ]
    );
}

#[test]
fn a_step_runs_with_the_state_of_its_value() {
    let expected =
        ["countdown begins", "5", "4", "3", "2", "1", "countdown ends", "MainProcess goes on"];
    assert_eq!(lines_of("run_step"), expected);
}

#[test]
fn active_children_are_listed_before_they_are_let_go() {
    let lines = lines_of("listed");
    assert_eq!(lines.len(), 11, "{lines:#?}");
    let processors = lines[0].strip_suffix(" processors").expect("a number of them");
    assert!(processors.parse::<u32>().expect("a number") >= 1);
    let mut children = BTreeMap::new();
    for line in &lines[1..4] {
        let (name, number) = line.split_once(" is process ").expect("one that is active");
        children.insert(name, number.parse::<u32>().expect("a number"));
    }
    let names = ["Process-1", "Process-2", "Process-3"];
    assert!(children.keys().eq(&names), "{children:?}");
    let numbers: std::collections::BTreeSet<_> = children.values().collect();
    assert_eq!(numbers.len(), 3, "{children:?}");
    assert_eq!(lines[4], "all are listed");
    for (name, task) in names.iter().zip(["bake", "brew", "boil"]) {
        let own: Vec<_> = lines[5..].iter().filter(|line| line.starts_with(name)).collect();
        let expected = [format!("{name} begins to {task}"), format!("{name} has done with it")];
        assert_eq!(own, expected.iter().collect::<Vec<_>>());
    }
}

#[test]
fn a_step_that_never_ends_ends_with_the_parent_of_its_daemon() {
    let expected = [
        "the watch begins",
        "tick 1",
        "tick 2",
        "tick 3",
        "watch is a daemon: true",
        "the program is over",
    ];
    assert_eq!(lines_of("run_daemon"), expected);
}

#[test]
fn a_child_that_is_not_joined_is_known_at_once_and_speaks_last() {
    let lines = lines_of("unjoined");
    let number = number_after(&lines[0], "number: ");
    assert!(number.parse::<u32>().expect("a number") > 1);
    assert_eq!(lines[1..3], ["name: Process-1", "lives: true"]);
    let counts = (1..=5).rev();
    let expected = counts.map(|count| format!("Process-1 of process {number}: {count} to go"));
    assert!(expected.eq(lines[3..].iter().cloned()), "{lines:#?}");
}

#[test]
fn a_parent_that_does_not_join_speaks_first_and_all_is_said() {
    let expected = ["the program has nothing more to do", "the work begins", "the work ends"];
    assert_eq!(lines_of("without_join"), expected);
}

#[test]
fn a_daemon_is_cut_short_unless_it_is_joined() {
    let expected = [
        "whole begins",
        "whole ends",
        "strict: a daemon may not start processes",
        "cut short begins",
        "the program ends",
    ];
    assert_eq!(lines_of("daemon_processes"), expected);
}

#[test]
fn each_child_ends_in_its_own_way() {
    let expected = [
        "returns: Some(0), status 0",
        "returns 3: Some(3), status 3",
        "exits with 4: Some(4), status 4",
        "terminated: Some(-15), ended by signal 15, SIGTERM",
        "killed: Some(-9), ended by signal 9, SIGKILL",
    ];
    assert_eq!(lines_of("status"), expected);
}

#[test]
fn programs_are_run_fed_and_read() {
    let expected = [
        "a program speaks",
        "it ended with status 0",
        "sorted: apple, fig, pear",
        "and another with status 1",
        "there-is-no-such-program: there is no program of this name",
    ];
    assert_eq!(lines_of("programs"), expected);
}

#[test]
fn a_server_has_a_child_for_each_request() {
    let expected = [
        "Process-2 serves bread",
        "Process-3 serves salt",
        "Process-4 serves wine",
        "the client has ended with status 0",
    ];
    assert_eq!(lines_of("server"), expected);
}
