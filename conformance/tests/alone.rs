//! The program alone, as after an installation: no folder of the project's, no environment.

use std::fs;
use std::process::{Command, Stdio};

use crate::support::{MARK, Marked, PROGRAM, Scratch};

#[test]
fn all_that_it_needs_is_inside_of_it() {
    let (home, empty) = (Scratch::new(), Scratch::new());
    fs::create_dir(&home.path).unwrap();
    fs::create_dir(&empty.path).unwrap();
    let program = home.path.join("purlin-conformance");
    fs::copy(PROGRAM, &program).unwrap();
    let marked = Marked::new();
    let alone = |args: &[&str], path: Option<&str>| {
        let mut command = Command::new(&program);
        command.args(args).current_dir(&empty.path).env_clear().env(MARK, &marked.value);
        command.envs(path.map(|path| ("PATH", path))).stdin(Stdio::null());
        let ran = command.output().unwrap();
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        (ran.status.code(), String::from_utf8_lossy(&ran.stdout).into_owned(), said)
    };

    let (status, said, wrong) = alone(&["run", "--case", "lock/new-is-free"], None);
    assert_eq!(status, Some(0), "{said}{wrong}");
    assert!(said.contains("\npurlin-fork (") && said.contains("\npurlin-spawn ("), "{said}");
    assert!(said.contains("cpython-fork is absent: no python3 in PATH"), "{said}");
    // Side by side, by workers that are this program again.
    let words = ["run", "--subject", "purlin-threads", "--group", "event", "--html", "page"];
    let (status, said, wrong) = alone(&words, None);
    assert_eq!(status, Some(0), "{said}{wrong}");
    for words in [&["list", "--evidence"][..], &["list", "--faults"], &["errata"]] {
        let (status, said, wrong) = alone(words, None);
        assert_eq!(status, Some(0), "{wrong}");
        assert!(said.lines().count() > 100, "{said}");
    }
    // The adapter for CPython is inside, too.
    let path = std::env::var("PATH").unwrap_or_default();
    let words = ["run", "--subject", "cpython", "--case", "lock/new-is-free"];
    let (status, said, wrong) = alone(&words, Some(&path));
    let is_here = said.contains("\ncpython-3");
    let wanted = if is_here { 0 } else { 2 };
    assert!(is_here || said.contains("is absent"), "{said}{wrong}");
    assert_eq!(status, Some(wanted), "{said}{wrong}");

    let left: Vec<_> = fs::read_dir(&empty.path).unwrap().flatten().collect();
    assert_eq!(left.len(), 1, "only the page that was asked for: {left:?}");
    assert!(marked.kill().is_empty());
}
