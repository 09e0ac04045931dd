//! The programs that show what CPython does not keep, without the suite: each prints what its list
//! says, with the `python3` that is found here.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use crate::support::{LIMIT, MARK, Marked, Scratch, has_ended, pidfd, run};
use purlin_conformance::expect::range::Version;
use purlin_conformance::expect::{Deviation, List, Script};
use purlin_conformance::suite::Suite;
use purlin_conformance::verdict::Verdict;

/// So many programs side by side: nearly all of their time is waiting.
const WORKERS_COUNT: usize = 6;

#[test]
fn each_program_prints_what_its_list_says() {
    let Some(version) = python_version() else { return };
    let lists = lists();
    let scripts: Vec<(&List, &Deviation, &Script)> =
        lists.iter().flat_map(|list| of_version(list, &version)).collect();
    let next = Mutex::new(scripts.iter());
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS_COUNT {
            scope.spawn(|| {
                loop {
                    let Some((list, known, script)) = next.lock().unwrap().next() else { break };
                    let printed = printed(script);
                    if printed.trim() != script.prints {
                        let what = format!("{} {:?}: {printed}", list.name, known.behaviours);
                        wrong.lock().unwrap().push(what);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Those that are about this version.
fn of_version<'a>(list: &'a List, version: &Version) -> Vec<(&'a List, &'a Deviation, &'a Script)> {
    let is_about = |known: &&Deviation| {
        let ranges = [&list.versions, &known.versions].into_iter().flatten();
        ranges.into_iter().all(|range| range.has(version))
    };
    let known = list.deviations.iter().filter(is_about);
    known.filter_map(|known| known.script.as_ref().map(|script| (list, known, script))).collect()
}

/// What a program prints. It ends by itself; nothing that it started outlives it for long.
fn printed(script: &Script) -> String {
    let (file, output, marked) = (Scratch::new(), Scratch::new(), Marked::new());
    fs::write(&file.path, &script.text).unwrap();
    let mut command = Command::new("python3");
    command.arg("-I").arg(&file.path).env(MARK, &marked.value).stdin(Stdio::null());
    // Not a pipe, which a child that is left behind would keep open.
    command.stdout(fs::File::create(&output.path).unwrap()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let has_ended = has_ended(&pidfd(child.id()).unwrap());
    marked.kill();
    child.wait().unwrap();
    assert!(has_ended, "within {LIMIT:?} this does not end:\n{}", script.text);
    fs::read_to_string(&output.path).unwrap()
}

#[test]
fn a_program_that_prints_something_else_is_noticed() {
    if python_version().is_none() {
        return;
    }
    let text = "import sys\nprint('one')\nprint(len(sys.argv))\n".to_owned();
    assert_eq!(printed(&Script { text, prints: String::new() }), "one\n1\n");
}

#[test]
fn all_that_is_not_kept_has_a_program_or_says_why_not() {
    for list in lists() {
        let mut not_kept =
            list.deviations.iter().filter(|known| known.verdict != Verdict::Unsupported);
        let unshown = not_kept.find(|known| known.script.is_none() && known.no_script.is_none());
        assert!(unshown.is_none(), "{}: {:?}", list.name, unshown.unwrap().behaviours);
    }
}

#[test]
fn programs_are_short_and_name_no_file() {
    for list in lists() {
        for script in list.deviations.iter().filter_map(|known| known.script.as_ref()) {
            assert!(script.text.lines().count() <= 25, "{}", script.text);
            assert!(script.text.lines().all(|line| line.len() < 100), "{}", script.text);
            assert!(!script.prints.is_empty() && !script.text.contains('/'), "{}", script.text);
        }
    }
}

#[test]
fn an_explanation_shows_the_program_with_what_it_prints() {
    let told = run(&["explain", "lock-owner-killed-next-told"]).stdout;
    let shown = "
  a program that shows it, with what it prints

      import multiprocessing as mp, os, signal, time
";
    assert!(told.contains(shown), "{told}");
    assert!(told.contains("    > False\n"), "{told}");
    let told = run(&["explain", "semaphore-wakeup-of-killed-waiter"]).stdout;
    assert!(told.contains("\n  no program  The kill has to come between"), "{told}");
}

fn lists() -> Vec<List> {
    let lists = List::embedded(&Suite::embedded().unwrap()).unwrap();
    lists.into_iter().filter(|list| list.name.starts_with("cpython")).collect()
}

fn python_version() -> Option<Version> {
    let said = Command::new("python3").args(["-I", "-V"]).output().ok()?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    Version::parse(said.trim().strip_prefix("Python ")?)
}
