//! The program as its user meets it.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use crate::support::shell::adapter;
use crate::support::{PROGRAM, Scratch, has_ended, pidfd, run, run_json, run_with};
use purlin_conformance::report::shell::quoted;

#[test]
fn help_and_version_are_said() {
    let help = run(&["--help"]);
    assert_eq!(help.status, Some(0));
    let words = "run list explain --subject --group --case --behaviour --form --seed --repeat \
                 --json --junit --html --untested PURLIN_PATIENCE";
    for word in words.split_whitespace() {
        assert!(help.stdout.contains(word), "{word}");
    }
    assert_eq!(run(&["run", "--help"]).stdout, help.stdout);
    for args in [&["-h"][..], &["run", "-h"], &["list", "-h"], &["list", "--help"]] {
        assert_eq!(run(args).stdout, help.stdout, "{args:?}");
    }
    let version = run(&["--version"]);
    for args in [&["-V"][..], &["run", "--version"], &["run", "-V"], &["list", "--version"]] {
        assert_eq!(run(args).stdout, version.stdout, "{args:?}");
    }
    assert_eq!(version.stdout.trim(), concat!("purlin-conformance ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_arguments_are_one_clear_line() {
    let wrong: &[(&[&str], &str)] = &[
        (&["walk"], "unknown command"),
        (&["--colour"], "--colour"),
        (&["run", "--colour"], "--colour"),
        (&["run", "lock"], "lock"),
        (&["run", "--subject"], "--subject"),
        (&["run", "--subject", "nobody"], "no subject here is called `nobody`"),
        (&["run", "--subject", "purlin-fork", "--subject", "x"], "no subject here is called `x`"),
        (&["run", "--group", "locks"], "there is no group `locks`"),
        (&["run", "--case", "lock/none"], "there is no case `lock/none`"),
        (&["run", "--group", "queue", "--case", "lock/try"], "no case is in all"),
        (&["run", "--"], "a command is missing"),
        (&["run", "--subject", "purlin", "--", "true"], "either --subject or a command"),
        (&["run", "--expect", "x"], "--expect is for a command of your own"),
        (
            &["run", "--expect", "/no/such/list", "--", PROGRAM, "adapter", "std-threads"],
            "cannot read",
        ),
        (&["run", "--json", "/no/such/folder/file"], "cannot write /no/such/folder/file"),
        (&["run", "--json", ""], "--json is empty"),
        (&["run", "--html", ""], "--html is empty"),
        (&["run", "--junit", "a", "--junit", "b"], "--junit is given twice"),
        (&["run", "--repeat", "0"], "--repeat is \"0\", not a number from 1 to 1000"),
        (&["run", "--repeat", "often"], "--repeat is \"often\", not a number"),
        (&["random", "--repeat", "2"], "--repeat"),
        (&["random", "--html", "page"], "random has no cases, and no --json, --junit or --html"),
        (&["run", "--json", "a", "--json", "b"], "--json is given twice"),
        (&["list", "--group", "lock", "--group", "pipe"], "--group is given twice"),
        (&["list", "--group", "locks"], "there is no group `locks`"),
        (&["list", "everything"], "everything"),
        (&["adapter", "nobody"], "there is no adapter `nobody`"),
        (&["adapter"], "an adapter needs a name"),
    ];
    for (args, what) in wrong {
        let ran = run(args);
        assert_eq!(ran.status, Some(2), "{args:?}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(what), "{args:?}: {}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{args:?}: {}", ran.stderr);
        assert!(ran.stdout.is_empty(), "{args:?}: {}", ran.stdout);
    }
}

#[test]
fn a_patience_that_is_no_number_is_said() {
    for wrong in ["much", "-1", "0", "nan", "inf", ""] {
        let ran = run_with(&["run", "--case", "lock/try"], &[("PURLIN_PATIENCE", wrong)]);
        assert_eq!(ran.status, Some(2), "{wrong}: {}", ran.stdout);
        assert!(ran.stderr.contains("PURLIN_PATIENCE is"), "{wrong}: {}", ran.stderr);
    }
}

#[test]
fn a_full_disk_is_said() {
    let ran =
        run(&["run", "--subject", "purlin-fork", "--case", "lock/try", "--json", "/dev/full"]);
    assert_eq!(ran.status, Some(2), "{}", ran.stdout);
    assert!(ran.stderr.contains("cannot write /dev/full: No space left"), "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    assert!(ran.stdout.contains("\npurlin-fork ("), "the report is whole: {}", ran.stdout);
}

#[test]
fn a_missing_proc_is_said() {
    let hide = "mount -t tmpfs none /proc && exec \"$0\" \"$@\"";
    let in_a_namespace = |script: &str, args: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", script, PROGRAM]).args(args);
        command.stdin(Stdio::null()).output()
    };
    let is_possible = in_a_namespace("mount -t tmpfs none /proc", &[]);
    if !is_possible.is_ok_and(|tried| tried.status.success()) {
        return; // No right to have a name space of one's own.
    }
    let args = ["run", "--subject", "purlin-fork", "--case", "lock/try"];
    let ran = in_a_namespace(hide, &args).unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(2), "{said}");
    assert!(said.contains("/proc is not mounted"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut command = Command::new(PROGRAM);
    command.arg("list").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    assert!(has_ended(&pidfd(child.id()).unwrap()), "it does not end");
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    assert!(ended.stderr.is_empty(), "{}", String::from_utf8_lossy(&ended.stderr));
}

#[test]
fn the_list_has_every_behaviour() {
    let all = run(&["list"]).stdout;
    assert!(all.lines().count() >= 1186);
    let line = all.lines().find(|line| line.starts_with("lock-new-is-free ")).unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words, ["lock-new-is-free", "must", "lock/new-is-free"]);
    let lock = run(&["list", "--group", "lock"]).stdout;
    assert_eq!(lock.lines().count(), 85);
    assert!(lock.lines().all(|line| line.starts_with("lock-")));
    let untested = run(&["list", "--untested", "--group", "lock"]).stdout;
    assert!(untested.lines().all(|line| line.contains("  untested")));
    let shown = lock.lines().filter(|line| line.contains("lock/")).count();
    assert_eq!(untested.lines().count() + shown, 85);
}

#[test]
fn purlin_keeps_every_case_under_fork_and_threads() {
    // All the other forms and groups are what the program does when nothing is said.
    let words = ["run", "--subject", "purlin", "--group", "lock", "--form", "lock"];
    let (ran, lines) = run_json(&words, &[]);
    assert_eq!(ran.status, Some(0), "{}", ran.stdout);
    let subjects: BTreeSet<&str> =
        lines.iter().map(|line| line["subject"].as_str().unwrap()).collect();
    assert_eq!(subjects, BTreeSet::from(["purlin-fork", "purlin-spawn", "purlin-threads"]));
    let shown = lines.iter().filter(|line| line["case"].is_string());
    for line in shown.clone() {
        let case = line["case"].as_str().unwrap();
        match line["verdict"].as_str().unwrap() {
            // A process's word cannot tell its threads apart, and no promise of those is a must.
            "broken" => assert!(BY_PROCESS.contains(&case), "{line}"),
            verdict => assert!(["kept", "prevented", "unsupported"].contains(&verdict), "{line}"),
        }
    }
    let cases: BTreeSet<&str> = shown.map(|line| line["case"].as_str().unwrap()).collect();
    assert!(cases.len() > 70, "{cases:?}");
    assert!(ran.stdout.contains("forked all the same"), "{}", ran.stdout);
}

const BY_PROCESS: [&str; 2] = ["lock/release-by-other-thread", "lock/thread-ends"];

#[test]
fn the_json_lines_are_as_documented() {
    let (_, lines) = run_json(&["run", "--subject", "purlin-fork", "--group", "rlock"], &[]);
    let (total, verdicts) = lines.split_last().unwrap();
    let fields = "kind subject group behaviour case level verdict expected millis detail form \
                  standing reason seed";
    let fields: BTreeSet<&str> = fields.split_whitespace().collect();
    for line in verdicts {
        let found: BTreeSet<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(found, fields, "{line}");
        assert_eq!(line["kind"], "verdict");
    }
    let fields = "kind subject kept prevented broken hung died unsupported error untested \
                  unexpected seed catalogue purlin version not_judged scaled runs changed";
    let fields: BTreeSet<&str> = fields.split_whitespace().collect();
    let found: BTreeSet<&str> = total.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(found, fields);
    // A behaviour counts once, by however many cases and forms it is shown: with the worst.
    let of = |wanted: &dyn Fn(&serde_json::Value) -> bool| -> BTreeSet<Option<&str>> {
        let found = verdicts.iter().filter(|line| wanted(line));
        found.map(|line| line["behaviour"].as_str()).collect()
    };
    let count = |verdict: &str| {
        let others = of(&|line| line["verdict"] != verdict);
        of(&|line| line["verdict"] == verdict).difference(&others).count()
    };
    assert_eq!(total["kept"], count("kept"));
    assert_eq!(total["untested"], count("untested"));
    assert_eq!(total["unexpected"], 0);
    assert!(count("untested") > 0, "what no case shows is counted, not hidden");
}

/// Asked only of locks that their holder alone releases.
const BY_HOLDER: &str = "lock/release-by-other-process";

#[test]
fn cpython_hangs_where_a_holder_is_killed_and_that_is_known() {
    let cases = ["lock/holder-killed-waiters", "lock/holder-killed-next-told", BY_HOLDER];
    let mut words = vec!["run", "--subject", "cpython"];
    words.extend(cases.iter().flat_map(|case| ["--case", case]));
    let (ran, lines) = run_json(&words, &[]);
    if lines.is_empty() {
        assert_eq!(ran.status, Some(2), "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains("cpython-fork is absent"), "{}", ran.stdout);
        return;
    }
    assert_eq!(ran.status, Some(0), "{}{}", ran.stdout, ran.stderr);
    for case in cases[..2].iter().copied() {
        let line = lines.iter().find(|line| line["case"] == case).unwrap();
        assert_eq!((&line["verdict"], &line["expected"]), (&"hung".into(), &"hung".into()));
    }
    assert!(!lines.iter().any(|line| line["case"] == BY_HOLDER));
    assert!(ran.stdout.contains("hung*") && ran.stdout.contains("known: "), "{}", ran.stdout);
}

/// What they break is looked at by hand and listed; here, that the lists are true of a few cases.
#[test]
fn posix_tells_of_deaths_and_std_has_none() {
    let cases = ["lock/holder-killed-next-told", "lock/warning-stays", "lock/guard-fails"];
    let mut words = vec!["run", "--subject", "posix-fork", "--subject", "std-threads"];
    words.extend(cases.iter().flat_map(|case| ["--case", case]));
    let (ran, lines) = run_json(&words, &[]);
    assert_eq!(ran.status, Some(0), "{}{}", ran.stdout, ran.stderr);
    let verdict = |subject: &str, case: &str| {
        let line = lines.iter().find(|line| line["subject"] == subject && line["case"] == case);
        line.map(|line| line["verdict"].as_str().unwrap().to_owned()).unwrap()
    };
    assert_eq!(cases.map(|case| verdict("posix-fork", case)), ["kept", "broken", "unsupported"]);
    assert_eq!(
        cases.map(|case| verdict("std-threads", case)),
        ["unsupported", "unsupported", "broken"]
    );
    assert!(!ran.stdout.contains("forked all the same"), "{}", ran.stdout);
}

#[test]
fn without_python_the_row_says_absent() {
    let ran = run_with(&["run", "--case", "lock/new-is-free"], &[("PATH", "")]);
    assert_eq!(ran.status, Some(0), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("cpython-fork (absent)"), "{}", ran.stdout);
    assert!(ran.stdout.contains("no python3 in PATH"), "{}", ran.stdout);
}

#[test]
fn nobody_who_was_named_is_no_success() {
    for words in [&["run", "--case", "lock/new-is-free"][..], &["random", "--group", "lock"]] {
        let words = [words, &["--subject", "cpython-fork"]].concat();
        let ran = run_with(&words, &[("PATH", "")]);
        assert_eq!(ran.status, Some(2), "{words:?}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains("no python3 in PATH"), "{words:?}: {}", ran.stdout);
    }
    // Who has no model that fits is not asked either.
    let own = adapter("ok");
    let ran = run_with(&["random", "--group", "event", "--", "sh", "-c", &own], &[]);
    assert_eq!(ran.status, Some(2), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("nobody here could be asked"), "{}", ran.stderr);
}

#[test]
fn a_python_that_does_not_work_is_absent_unless_it_is_asked_for() {
    let folder = Scratch::new();
    fs::create_dir(&folder.path).unwrap();
    let program = folder.path.join("python3");
    fs::write(&program, "#!/bin/sh\necho half installed >&2; exit 7\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let path: &[(&str, &str)] = &[("PATH", folder.path.to_str().unwrap())];
    let ran = run_with(&["run", "--case", "lock/new-is-free"], path);
    assert_eq!(ran.status, Some(0), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("cpython-fork (absent)"), "{}", ran.stdout);
    assert!(ran.stdout.contains("`half installed`"), "{}", ran.stdout);
    let ran = run_with(&["run", "--subject", "cpython"], path);
    assert_eq!(ran.status, Some(2), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("`half installed`"), "{}", ran.stderr);
}

#[test]
fn a_broken_promise_is_shown_with_its_script() {
    let ran = run(&["run", "--subject", "fault-release-by-anyone", "--case", BY_HOLDER]);
    assert_eq!(ran.status, Some(1));
    let shown = "
fault-release-by-anyone  lock/release-by-other-process  broken
    lock-release-by-other-process-refused (must): Only the holder's process can release the lock; \
                 another's release is refused and the lock stays held.

     1  object lock: lock
     2  actors a c
     3  processes b
     4  a: lock.acquire() -> ok
     5  b: lock.release() -> not-owner
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        expected  not-owner
        came      ok
     6  c: lock.try() -> timed-out
";
    assert!(ran.stdout.contains(shown), "{}", ran.stdout);
    let again = format!(
        "again: {} run --subject fault-release-by-anyone --case lock/release-by-other-process\n",
        quoted(PROGRAM)
    );
    assert!(ran.stdout.contains(&again), "{}", ran.stdout);
}

#[test]
fn somebody_elses_adapter_is_judged_without_expectations() {
    let choice = ["run", "--case", "lock/holder-killed-next-told", "--"];
    let command = [PROGRAM, "adapter", "fault-ignores-deaths"];
    let ran = run(&[&choice[..], &command[..]].concat());
    assert_eq!(ran.status, Some(1), "{}", ran.stdout);
    let again = format!("--case lock/holder-killed-next-told -- {}", command.join(" "));
    assert!(ran.stdout.contains(&again), "{}", ran.stdout);
}

#[test]
fn the_line_that_repeats_a_run_repeats_it() {
    let script = format!("exec '{PROGRAM}' adapter \"fault-ignores-deaths\"");
    let args = ["run", "--case", "lock/holder-killed-next-told", "--", "sh", "-c", &script];
    let ran = run(&args);
    assert_eq!(ran.status, Some(1), "{}{}", ran.stdout, ran.stderr);
    let again = |ran: &str| {
        let line = ran.lines().find_map(|line| line.trim().strip_prefix("again: "));
        line.unwrap_or_else(|| panic!("nothing says how to repeat it: {ran}")).to_owned()
    };
    let line = again(&ran.stdout);
    let repeated = Command::new("sh").args(["-c", &line]).stdin(Stdio::null()).output().unwrap();
    assert_eq!(repeated.status.code(), Some(1), "{line}");
    assert_eq!(again(&String::from_utf8_lossy(&repeated.stdout)), line);
}

#[test]
fn the_line_that_repeats_a_run_with_a_list_names_the_list() {
    let list = Scratch::new();
    let known = "[[deviation]]\nbehaviours = [\"lock-try-held-refused\", \"lock-try-free-taken\"]\n\
        verdict = \"broken\"\nreason = \"made up\"\nevidence = \"none\"\n";
    fs::write(&list.path, known).unwrap();
    let path = list.path.to_str().unwrap();
    let choice = ["run", "--case", "lock/try", "--expect", path, "--"];
    let ran = run(&[&choice[..], &[PROGRAM, "adapter", "fault-try-always-taken"]].concat());
    assert_eq!(ran.status, Some(0), "{}{}", ran.stdout, ran.stderr);
    let again = ran.stdout.lines().find_map(|line| line.trim().strip_prefix("again: "));
    let again = again.unwrap_or_else(|| panic!("nothing says how to repeat it: {}", ran.stdout));
    assert!(again.contains(&format!(" --expect {} -- ", quoted(path))), "{again}");
    let repeated = Command::new("sh").args(["-c", again]).stdin(Stdio::null()).output().unwrap();
    assert_eq!(repeated.status.code(), Some(0), "{again}");
}

#[test]
fn whoever_ignores_the_ends_of_children_changes_nothing() {
    // Not `trap`: some shells take it back before they execute a program.
    let deaf = |args: &[&str]| {
        let mut command = Command::new("env");
        command.args(["--ignore-signal=CHLD", PROGRAM]).args(args);
        command.stdin(Stdio::null()).output().unwrap()
    };
    let ran = deaf(&["run", "--subject", "purlin-fork", "--case", "lock/try"]);
    let said = String::from_utf8_lossy(&ran.stdout);
    assert_eq!(ran.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&ran.stderr));
    let ran = deaf(&["run", "--", "sh", "-c", "echo oh no >&2; exit 3"]);
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(said.contains("ended by itself (exit status: 3)"), "{said}");
}

#[test]
fn the_counts_add_up_to_the_catalogue() {
    for choice in [&["--group", "bounded-semaphore"][..], &["--case", "lock/try"]] {
        let args = [&["run", "--subject", "purlin-fork"], choice].concat();
        let ran = run(&args);
        let start = ran.stdout.find("\npurlin-fork (").unwrap();
        let (summary, _) = ran.stdout[start..].split_once(" in all\n").unwrap();
        let (counts, all) = summary.rsplit_once(": ").unwrap();
        let (_, counts) = counts.split_once("): ").unwrap();
        let numbers = counts.split_whitespace().filter_map(|word| word.parse::<u32>().ok());
        let all: u32 = all.parse().unwrap();
        assert_eq!(numbers.sum::<u32>(), all, "{}", &ran.stdout[start..]);
        assert!(all >= 1186);
    }
}
