//! The files that a run writes: whole or not at all, and a place that takes none is found before.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::{PROGRAM, Scratch, run};

const OPTIONS: [&str; 3] = ["--json", "--junit", "--html"];

#[test]
fn a_place_that_takes_no_file_is_said_before_anything_runs() {
    let folder = Scratch::new();
    fs::create_dir(&folder.path).unwrap();
    let started = folder.path.join("started");
    let adapter = format!("touch '{}'; exec '{PROGRAM}' adapter purlin-fork", started.display());
    let own = folder.path.to_str().unwrap();
    let file = folder.path.join("file");
    fs::write(&file, "").unwrap();
    let below = format!("{}/report", file.display());
    let places = [
        ("/no/such/folder/report", "No such file or directory"),
        ("/dev/null/report", "Not a directory"),
        (own, "is a directory"),
        (below.as_str(), "Not a directory"),
        ("/proc/report", "No such file or directory"),
    ];
    for option in OPTIONS {
        for (place, what) in places {
            let words = ["run", "--case", "lock/try", option, place, "--", "sh", "-c", &adapter];
            let ran = run(&words);
            assert_eq!(ran.status, Some(2), "{option} {place}: {}{}", ran.stdout, ran.stderr);
            let says = format!("cannot write {place}: ");
            assert!(ran.stderr.contains(&says), "{option} {place}: {}", ran.stderr);
            assert!(ran.stderr.contains(what), "{option} {place}: {}", ran.stderr);
            assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
            assert!(ran.stdout.is_empty() && !started.exists(), "{option} {place}: it ran");
        }
    }
}

#[test]
fn reports_are_written_whole_and_nothing_is_left_beside_them() {
    let folder = Scratch::new();
    fs::create_dir(&folder.path).unwrap();
    let path = |name: &str| folder.path.join(name);
    let (old, link) = (path("old.html"), path("link.xml"));
    fs::write(&old, "old").unwrap();
    let mut reader = fs::File::open(&old).unwrap();
    fs::set_permissions(&old, fs::Permissions::from_mode(0o640)).unwrap();
    fs::write(path("linked.xml"), "old").unwrap();
    std::os::unix::fs::symlink("linked.xml", &link).unwrap();
    let new = path("new.json");
    let words = words(&[("--html", &old), ("--junit", &link), ("--json", &new)]);
    let ran = run(&words.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(ran.status, Some(0), "{}{}", ran.stdout, ran.stderr);
    let read = |name: &str| fs::read_to_string(path(name)).unwrap();
    assert!(read("old.html").ends_with("</html>\n"), "{}", read("old.html"));
    assert!(read("linked.xml").ends_with("</testsuites>\n"), "{}", read("linked.xml"));
    assert!(read("new.json").contains("\"kind\":\"total\""), "{}", read("new.json"));
    assert!(link.is_symlink(), "the link was replaced");
    let mut begun = String::new();
    reader.read_to_string(&mut begun).unwrap();
    assert_eq!(begun, "old", "who has begun to read the old one reads it to its end");
    assert_eq!(fs::metadata(&old).unwrap().permissions().mode() & 0o777, 0o640);
    let mut names: Vec<_> =
        fs::read_dir(&folder.path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["link.xml", "linked.xml", "new.json", "old.html"]);
}

#[test]
fn a_report_that_is_there_stays_whole_when_the_suite_cannot_run() {
    let file = Scratch::new();
    fs::write(&file.path, "old").unwrap();
    let path = file.path.to_str().unwrap();
    for option in OPTIONS {
        let ran = run(&["run", option, path, "--", "sh", "-c", "exit 3"]);
        assert_eq!(ran.status, Some(2), "{}", ran.stderr);
        assert_eq!(fs::read_to_string(&file.path).unwrap(), "old", "{option}");
    }
}

#[test]
fn two_reports_do_not_go_to_one_file() {
    let folder = Scratch::new();
    fs::create_dir(&folder.path).unwrap();
    let one = folder.path.join("report");
    let same = folder.path.join(".").join("report");
    let words = words(&[("--json", &one), ("--html", &same)]);
    let ran = run(&words.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(ran.status, Some(2), "{}", ran.stdout);
    assert!(ran.stderr.contains("--json and --html name the same file"), "{}", ran.stderr);
}

#[test]
fn what_is_no_file_is_written_as_it_is() {
    let words = ["run", "--subject", "purlin-fork", "--case", "lock/try"];
    let ran = run(&[&words[..], &["--json", "/dev/stdout"]].concat());
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("{\"kind\":\"total\","), "{}", ran.stdout);
    for option in ["--junit", "--html"] {
        let ran = run(&[&words[..], &[option, "/dev/full"]].concat());
        assert_eq!(ran.status, Some(2), "{}", ran.stdout);
        assert!(ran.stderr.contains("cannot write /dev/full: No space left"), "{}", ran.stderr);
        assert!(ran.stdout.contains("\npurlin-fork ("), "the report is whole: {}", ran.stdout);
    }
}

fn words(files: &[(&str, &Path)]) -> Vec<String> {
    let mut words: Vec<String> =
        ["run", "--subject", "purlin-fork", "--case", "lock/try"].map(str::to_owned).into();
    for (option, path) in files {
        words.extend([(*option).to_owned(), path.to_str().unwrap().to_owned()]);
    }
    words
}
