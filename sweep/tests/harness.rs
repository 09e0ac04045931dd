//! The instrument itself: what is wrong with a scenario is told from what is wrong with the
//! library, and nothing is left behind.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use purlin_sweep::report::NO_TRACING;

use crate::support::{
    PROGRAM, forbid_tracing, said_by, said_by_command, say_not_made, wait_for_end_of,
};

fn assert_says(arguments: &[&str], words: &[&str]) {
    let (is_good, text) = said_by(arguments);
    assert!(!is_good, "{text}");
    for word in words {
        assert!(text.contains(word), "`{word}` is not in:\n{text}");
    }
}

#[test]
fn a_setup_that_fails_is_no_failure_of_the_library() {
    assert_says(&["wrong-setup"], &["setup failed: ", "there is no such thing"]);
    assert_says(&["wrong-setup-panics"], &["setup failed: ", "the setup panicked"]);
}

#[test]
fn a_mark_that_is_never_reached_is_told() {
    assert_says(&["wrong-no-begin"], &["met another trap before its begin mark"]);
    assert_says(&["wrong-no-end"], &["mark never reached: "]);
}

#[test]
fn children_left_behind_are_told_and_ended() {
    assert_says(&["wrong-leaves-children"], &["left children behind: "]);
}

#[test]
fn a_failure_without_a_kill_is_told_as_such() {
    for (name, kind) in [
        ("wrong-checker", "corrupt: "),
        ("wrong-hangs", "hang: "),
        ("wrong-panics-stepped", "crashed: "),
    ] {
        assert_says(&[name], &[kind, "although nobody was killed"]);
    }
}

#[test]
fn a_step_that_sleeps_for_good_is_killed_asleep() {
    let (is_good, text) = said_by(&["wrong-sleeps", "--points", "1"]);
    assert!(is_good && text.contains("a step sleeps for good"), "{text}");
}

#[test]
fn a_role_that_has_not_had_its_time_on_a_processor_is_not_hung() {
    let (is_good, text) = said_by(&["wrong-slow", "--point", "lives"]);
    assert!(is_good, "{text}");
}

#[test]
fn a_lock_that_forgets_its_owner_is_noticed() {
    let arguments = ["wrong-lock", "--failures", "1"];
    assert_says(&arguments, &["hang: ", "the victim was killed after", "--point "]);
}

#[test]
fn it_is_noticed_where_only_changes_are_looked_at_too() {
    let arguments = ["wrong-lock", "--failures", "1", "--changes"];
    assert_says(&arguments, &["hang: ", "the victim was killed after", "--point "]);
}

/// Fewer than all there are, or than thirty of each role, and yet all that differ.
#[test]
fn of_changes_there_are_few_and_each_is_made() {
    let points = |text: &str| -> u64 {
        let said = text.split(" points").next().and_then(|said| said.split_whitespace().last());
        said.and_then(|count| count.parse().ok()).expect("the points are counted")
    };
    for (mode, density) in [
        (&["lock-uncontended"][..], &[][..]),
        (&["lock-uncontended", "--second"], &["--points", "30"]),
    ] {
        let (is_good, text) = said_by(&[mode, density].concat());
        let (is_good_too, fewer) = said_by(&[mode, &["--changes"]].concat());
        if text.contains(NO_TRACING) {
            return say_not_made("changes: this system does not let us trace");
        }
        assert!(is_good && is_good_too, "{text}{fewer}");
        // Its journal and its word change a dozen times.
        assert!(points(&fewer) >= 12 && points(&fewer) < points(&text), "{text}{fewer}");
    }
}

#[test]
fn a_victim_that_goes_another_way_is_stepped_whole_and_that_is_told() {
    let (is_good, text) = said_by(&["wrong-ways"]);
    if text.contains(NO_TRACING) {
        return say_not_made("ways: this system does not let us trace");
    }
    assert!(is_good && text.contains(" were stepped whole"), "{text}");
}

#[test]
fn a_point_that_failed_is_made_again() {
    let (_, text) = said_by(&["wrong-lock", "--failures", "1"]);
    let again = text.split("--point ").nth(1).and_then(|rest| rest.split_whitespace().next());
    let point = again.expect("the point is named");
    assert_says(&["wrong-lock", "--point", point], &["hang: "]);
    assert!(said_by(&["wrong-lock", "--point", "0"]).0, "before it has begun nothing is held");
}

#[test]
fn where_tracing_is_forbidden_nothing_fails_and_that_is_said() {
    let mut command = Command::new(PROGRAM);
    command.args(["lock-uncontended", "--points", "5"]);
    // SAFETY: The function makes system calls only.
    match said_by_command(unsafe { command.pre_exec(forbid_tracing) }) {
        Ok((is_good, text)) => assert!(is_good && text.contains(NO_TRACING), "{text}"),
        Err(why) => say_not_made(&format!("this system does not let us forbid tracing: {why}")),
    }
}

#[test]
fn what_cannot_be_swept_so_is_said_and_counted() {
    let names = ["detach", "arena-allocate", "name-open-replaced", "race-allocate"];
    let points = ["--points", "1"];
    for (modes, lines) in [
        (&["--second"][..], &["detach: it has no second", "name-open-replaced: it would be"][..]),
        (&["--pauses"], &["detach: nobody else acts in it", "race-allocate: nobody is stepped"]),
    ] {
        let (is_good, text) = said_by(&[&names[..], &points, modes].concat());
        if text.contains(NO_TRACING) {
            return say_not_made("sweeps of other kinds: this system does not let us trace");
        }
        assert!(is_good, "{text}");
        for line in lines {
            let (name, why) = line.split_once(": ").unwrap();
            let is_it = |said: &str| said.starts_with(name) && said.contains(why);
            assert!(text.lines().any(is_it), "{line} is not said:\n{text}");
        }
        let made = if modes == ["--pauses"] { 2 } else { 1 };
        let counted = format!("{made} scenarios {}", if made == 2 { "paused" } else { "second" });
        let last = format!("{counted}, {} not made", names.len() - made);
        assert_eq!(text.lines().last(), Some(last.as_str()), "{text}");
    }
}

/// What is swept for minutes where nobody ends it.
const LONG: [&str; 4] = ["attach", "takeover-sleepers", "takeover-running", "lock-timed-out"];

#[test]
fn a_sweep_that_is_killed_leaves_nobody_behind() {
    for scenario in [
        "takeover-sleepers",
        "orphan-raw-clone",
        "lock-timed-out",
        "start-child-late",
        "start-daemon-beside",
    ] {
        let mut command = Command::new(PROGRAM);
        command.arg(scenario).args(LONG).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut output = child.stdout.take().unwrap();
        // Amid a sweep of minutes: its children exist.
        crate::support::wait_for_children_of(child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        // Every role has this pipe for its output, so that its end is the end of all.
        wait_for_end_of(&output);
        let mut text = String::new();
        output.read_to_string(&mut text).unwrap();
    }
}

#[test]
fn nonsense_on_the_command_line_is_refused() {
    for arguments in [
        &["--point", "soon"][..],
        &["no-such-scenario"],
        &["--stride"],
        &["--nope"],
        &["--pauses", "--changes"],
    ] {
        assert!(!said_by(arguments).0, "{arguments:?}");
    }
}
