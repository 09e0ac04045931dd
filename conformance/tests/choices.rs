//! What can be chosen and looked up: groups, cases, behaviours, forms, seeds; list and explain.

use std::collections::BTreeSet;

use crate::support::{self, PROGRAM, Scratch, dressed, run, run_json, run_with};
use purlin_conformance::expect::List;
use purlin_conformance::report::explain::explain;
use purlin_conformance::suite::Suite;

#[test]
fn an_unknown_word_is_answered_with_what_was_perhaps_meant() {
    let wrong: &[(&[&str], &str)] = &[
        (&["rnu"], "did you mean `run`?"),
        (&["run", "--subjct", "x"], "did you mean `--subject`?"),
        (&["run", "--subject", "purlin-frok"], "did you mean `purlin-fork`?"),
        (&["run", "--group", "lokc"], "there is no group `lokc`; did you mean `lock`?"),
        (&["run", "--case", "lock/tyr"], "did you mean `lock/try`?"),
        (&["run", "--case", "new-is-free"], "did you mean `lock/new-is-free`?"),
        (&["run", "--behaviour", "lock-new-is-fee"], "did you mean `lock-new-is-free`?"),
        (&["run", "--subject", "honest-server", "--form", "lick"], "did you mean `lock`?"),
        (&["list", "--json", "x"], "--json is an option of another command; see --help"),
        (&["check-adapter", "./x"], "the command stands behind `--`: `check-adapter -- ./x …`"),
        (&["list", "--untestd"], "did you mean `--untested`?"),
        (&["explain", "lock-new-is-fee"], "did you mean `lock-new-is-free`?"),
        (&["explain", "lock/tyr"], "did you mean `lock/try`?"),
        (&["explain", "lock"], "`lock` is a group of behaviours; see `list --group lock`"),
        (&["explain"], "explain needs the id of a behaviour or a case"),
        (&["explain", "lock/try", "lock/timeouts"], "unexpected argument"),
        (&["run", "--seed", "much"], "--seed is \"much\", not a number"),
        (&["run", "--seed", "1", "--seed", "2"], "--seed is given twice"),
        (&["run", "--behaviour", "lock-new-is-free", "--group", "pipe"], "no case is in all"),
    ];
    for (args, what) in wrong {
        let ran = run(args);
        assert_eq!(ran.status, Some(2), "{args:?}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(what), "{args:?}: {}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{args:?}: {}", ran.stderr);
    }
    let far = run(&["run", "--group", "aardvark"]).stderr;
    assert!(!far.contains("did you mean"), "{far}");
}

#[test]
fn cases_that_are_read_anew_are_checked_before_anything_runs() {
    let file = Scratch::new();
    let path = format!("{}.toml", file.path.display());
    let asked = |text: Option<&str>| {
        if let Some(text) = text {
            std::fs::write(&path, text).unwrap();
        }
        let ran = run_with(&["run", "--subject", "purlin-fork"], &[("PURLIN_CASES", &path)]);
        let _ = std::fs::remove_file(&path);
        assert_eq!(ran.status, Some(2), "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.is_empty(), "{}", ran.stdout);
        ran.stderr
    };
    let gone = asked(None);
    assert!(gone.contains("No such file or directory"), "{gone}");
    let case = "[[case]]\nid = \"lock/x\"\nshows = [\"lock-new-is-free\"]\nscript = \"\"\n";
    let wrong = asked(Some(case));
    assert!(wrong.contains(".toml: there is no group `"), "{wrong}");
    assert!(wrong.contains("purlin-conformance: /"), "the file's own name: {wrong}");
    let endless = run_with(&["list"], &[("PURLIN_CASES", "/dev/zero")]);
    assert_eq!(endless.status, Some(2), "{}", endless.stdout);
    assert!(endless.stderr.contains("/dev/zero: it has more than "), "{}", endless.stderr);
    let endless = run(&["run", "--expect", "/dev/zero", "--", PROGRAM, "adapter", "purlin-fork"]);
    assert!(endless.stderr.contains("/dev/zero: it has more than "), "{}", endless.stderr);
}

#[test]
fn a_slip_in_a_new_case_is_no_gap_of_the_subject() {
    let folder = Scratch::new();
    std::fs::create_dir(&folder.path).unwrap();
    let file = folder.path.join("event.toml");
    let own = include_str!("../cases/event.toml");
    let asked = |object: &str, call: &str| {
        let case = format!(
            "{own}\n[[case]]\nid = \"event/x\"\nshows = [\"event-starts-unset\"]\n\
             script = '''\nobject ev: {object}\nactors a\na: {call}\n'''\n"
        );
        std::fs::write(&file, case).unwrap();
        let words = ["run", "--subject", "purlin-fork", "--case", "event/x"];
        run_with(&words, &[("PURLIN_CASES", file.to_str().unwrap())])
    };
    let line = own.lines().count() + 8;
    let refused = |object: &str, call: &str, says: &str| {
        let ran = asked(object, call);
        assert_eq!(ran.status, Some(2), "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(&format!("/event.toml:{says}")), "{}", ran.stderr);
    };
    let says = format!("{line}: no other case has the operation `is_sett`; did you mean `is_set`?");
    refused("event", "ev.is_sett() -> false", &says);
    refused("event", "{ loop 2 { ev.is_sett() } } -> false", &says);
    let line = line - 2;
    let says =
        format!("{line}: no other case has the kind of object `evnt`; did you mean `event`?");
    refused("evnt", "ev.is_set() -> false", &says);
    let new = asked("event", "ev.paint_green() -> ok");
    assert_eq!(new.status, Some(1), "a new word is a new thing: {}{}", new.stdout, new.stderr);
    assert!(new.stdout.contains("no such call"), "{}", new.stdout);
    assert_eq!(asked("event", "ev.is_set() -> false").status, Some(0));
    let line = line + 2;
    let says = format!(
        "{line}: no other case gives `timout` to `wait`; did you mean `timeout`?\n    a: ev.wait("
    );
    refused("event", "ev.wait(timout=50ms) -> timed-out", &says);
    let says = format!("{line}: \"50ms\" is a text, and other cases give a number here");
    refused("event", "ev.wait(timeout=\"50ms\") -> timed-out", &says);
    let says = format!("{}: no other case gives `partis` to `barrier`", line - 2);
    refused("barrier(partis=3)", "ev.wait() -> 0", &says);
    let says = format!("{line}: no other case has the operation `is_sett`");
    refused("event", "ev.wait_for({ ev.is_sett() }) -> ok", &says);
    let process = "event\nobject p: process(function={ ev.is_sett() }) made by a";
    let says = format!("{}: no other case has the operation `is_sett`", line - 1);
    refused(process, "p.start() -> ok", &says);
}

#[test]
fn cases_of_ones_own_are_not_held_against_the_lists_for_others() {
    let folder = Scratch::new();
    std::fs::create_dir(&folder.path).unwrap();
    let file = folder.path.join("event.toml");
    let asked = |expected: &str| {
        let case = format!(
            "[[case]]\nid = \"event/x\"\nshows = [\"event-starts-unset\"]\n\
             script = '''\nobject ev: event\nactors a\na: ev.is_set() -> {expected}\n'''\n"
        );
        std::fs::write(&file, case).unwrap();
        let words = ["run", "--subject", "purlin-fork", "--group", "event"];
        run_with(&words, &[("PURLIN_CASES", file.to_str().unwrap())])
    };
    let kept = asked("false");
    assert_eq!(kept.status, Some(0), "{}{}", kept.stdout, kept.stderr);
    let broken = asked("true");
    assert_eq!(broken.status, Some(1), "{}{}", broken.stdout, broken.stderr);
    let again = broken.stdout.lines().find(|line| line.contains("again: ")).unwrap();
    assert!(again.contains(&format!("PURLIN_CASES={} ", file.display())), "{again}");
}

#[test]
fn a_behaviour_is_asked_by_the_cases_that_show_it() {
    let id = "lock-try-free-taken";
    let (ran, lines) = run_json(&["run", "--subject", "honest-server", "--behaviour", id], &[]);
    assert_eq!(ran.status, Some(0), "{}{}", ran.stdout, ran.stderr);
    let (total, verdicts) = lines.split_last().unwrap();
    assert!(!verdicts.is_empty());
    for line in verdicts {
        assert_eq!((&line["behaviour"], &line["verdict"]), (&id.into(), &"kept".into()));
    }
    assert_eq!((&total["kept"], &total["untested"]), (&1.into(), &0.into()));
}

#[test]
fn a_behaviour_that_no_case_shows_is_counted_with_its_reason() {
    let (id, reason) = untested();
    let (ran, lines) = run_json(&["run", "--subject", "honest-server", "--behaviour", &id], &[]);
    assert_eq!(ran.status, Some(0), "{}{}", ran.stdout, ran.stderr);
    let expected = (&(*id).into(), &"untested".into());
    assert_eq!((&lines[0]["behaviour"], &lines[0]["verdict"]), expected);
    assert!(lines[0]["form"].is_null() && lines[0]["case"].is_null());
    assert!(lines[0]["detail"].as_str().unwrap().contains(&reason), "{}", lines[0]);
    assert!(ran.stdout.contains(" list --untested\n"), "{}", ran.stdout);
}

#[test]
fn each_form_that_takes_the_side_is_asked() {
    let command = two_forms();
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    let ask = |choice: &[&str]| {
        let args = [&["run"], choice, &["--"], &command].concat();
        let (ran, lines) = run_json(&args, &[]);
        assert_eq!(ran.status, Some(0), "{}{}", ran.stdout, ran.stderr);
        let text = |line: &serde_json::Value, field: &str| line[field].as_str().map(str::to_owned);
        let shown = lines.iter().filter(|line| line["case"].is_string());
        let asked = shown.map(|line| (text(line, "case").unwrap(), text(line, "form").unwrap()));
        (ran, asked.collect::<BTreeSet<_>>())
    };
    let pairs = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(case, form)| ((*case).to_owned(), (*form).to_owned())).collect()
    };
    let (_, asked) = ask(&["--case", "lock/try"]);
    assert_eq!(asked, pairs(&[("lock/try", "lock"), ("lock/try", "turn-lock")]));
    let (_, asked) = ask(&["--case", "lock/try", "--form", "turn-lock"]);
    assert_eq!(asked, pairs(&[("lock/try", "turn-lock")]));
    // The second form says that anybody may release it.
    let by_holder = "lock-release-by-other-process-refused";
    let (_, asked) = ask(&["--behaviour", by_holder]);
    assert!(!asked.is_empty() && asked.iter().all(|(_, form)| form == "lock"), "{asked:?}");
}

#[test]
fn a_seed_is_printed_and_taken_back() {
    let choice = ["run", "--subject", "fault-try-always-taken", "--case", "lock/try"];
    let (ran, lines) = run_json(&choice, &[]);
    assert!(ran.stdout.lines().next().unwrap().ends_with(", seed 1"), "{}", ran.stdout);
    assert_eq!(lines.last().unwrap()["seed"], 1);
    assert!(ran.stdout.contains("--case lock/try\n"), "the usual seed: {}", ran.stdout);
    let seed = ["--seed", "18446744073709551615"];
    let (ran, lines) = run_json(&[&choice[..], &seed].concat(), &[]);
    assert_eq!(lines.last().unwrap()["seed"], u64::MAX);
    assert!(ran.stdout.contains("--case lock/try --seed 18446744073709551615\n"), "{}", ran.stdout);
}

#[test]
fn the_patience_of_a_run_is_part_of_its_repetition() {
    let choice = ["run", "--subject", "fault-try-always-taken", "--case", "lock/try"];
    let ran = support::run_with(&choice, &[("PURLIN_PATIENCE", "2")]);
    assert!(ran.stdout.contains("    again: PURLIN_PATIENCE=2 "), "{}", ran.stdout);
}

#[test]
fn a_behaviour_is_explained_without_a_run() {
    let ran = run(&["explain", "lock-owner-killed-waiter-woken"]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    for shown in [
        "lock-owner-killed-waiter-woken  must\n",
        "  A waiter that already waits without a limit is woken by the owner's death.\n",
        "  given     a holds the lock; b: lock.acquire() is still waiting\n",
        "  when      kill a\n",
        "  then      b's acquire -> owner-died\n",
        "  source    purlin\n",
        "  deviates  CPython",
        "  errors    owner-died\n",
        "  contract  lock-owner:known\n",
        "shown by lock/holder-killed-waiters",
        "    kill a\n",
        "known deviations\n",
        "cpython-",
        "  reason    ",
        "  evidence  ",
    ] {
        let is_shown = ran.stdout.contains(shown)
            || ran.stdout.lines().any(|line| line.trim().ends_with(shown.trim()));
        assert!(is_shown, "{shown}: {}", ran.stdout);
    }
}

#[test]
fn a_behaviour_that_no_case_shows_is_explained_with_its_reason() {
    let (id, reason) = untested();
    let ran = run(&["explain", &id]);
    assert!(ran.stdout.contains(&format!("\nuntested: {reason}")), "{}", ran.stdout);
}

#[test]
fn a_case_is_explained_with_what_it_shows() {
    let ran = run(&["explain", "lock/release-by-other-process"]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let head = "lock/release-by-other-process, asked only of lock-release:by-holder\n";
    assert!(ran.stdout.starts_with(head), "{}", ran.stdout);
    assert!(ran.stdout.contains("\n     1  object"), "{}", ran.stdout);
    let shown = "shows\n  lock-release-by-other-process-refused  must\n      Only the holder's";
    assert!(ran.stdout.contains(shown), "{}", ran.stdout);
}

#[test]
fn every_behaviour_and_every_case_can_be_explained() {
    let suite = Suite::embedded().unwrap();
    let lists = List::embedded(&suite).unwrap();
    let ids = suite.catalogue.behaviours.iter().map(|behaviour| &behaviour.id);
    for id in ids.chain(suite.cases.iter().map(|case| &case.id)) {
        let text = explain(&suite, &lists, id).unwrap();
        assert!(text.starts_with(id), "{text}");
        assert!(text.lines().count() > 5, "{text}");
    }
}

#[test]
fn what_is_listed_stands_in_columns() {
    let listed = run(&["list", "--untested"]).stdout;
    let column = |line: &str| {
        let rest = line.find(' ').unwrap();
        rest + line[rest..].find(|letter| letter != ' ').unwrap()
    };
    let columns: BTreeSet<usize> = listed.lines().map(column).collect();
    assert_eq!(columns.len(), 1, "{listed}");
    assert!(listed.lines().all(|line| line.contains("untested: ")), "{listed}");
}

#[test]
fn a_subject_with_a_strange_name_is_shown_as_it_is() {
    let hello = "1s/\"name\":\"[^\"]*\"/\"name\":\"x\\\\u001b[31m\\\\ny\"/";
    let command = dressed("fault-try-always-taken", hello, "");
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    let args = [&["run", "--case", "lock/try", "--"], &command[..]].concat();
    let (ran, lines) = run_json(&args, &[]);
    assert_eq!(ran.status, Some(1), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("x\\u{1b}[31m\\u{a}y"), "{}", ran.stdout);
    assert!(!ran.stdout.contains('\u{1b}') && !ran.stderr.contains('\u{1b}'), "{}", ran.stdout);
    assert_eq!(lines[0]["subject"], "x\u{1b}[31m\ny");
}

/// A behaviour that no case shows, and the beginning of why.
fn untested() -> (String, String) {
    let suite = Suite::embedded().unwrap();
    let reasons = suite.catalogue.behaviours.iter().filter_map(|behaviour| {
        Some((behaviour.id.clone(), behaviour.untested.as_ref()?.chars().take(20).collect()))
    });
    reasons.into_iter().next().expect("some behaviour cannot be shown")
}

/// A subject with two kinds of lock, the second released by anybody.
fn two_forms() -> [String; 3] {
    let form = "\"turn-lock\":{\"of\":\"lock\",\"contracts\":{\"lock-release\":[\"by-anyone\"]}}";
    let forms = format!("1s/\"forms\":{{/&{form},/");
    let objects = "1s/\"lock\":\\(\\[[^]]*\\]\\)/&,\"turn-lock\":\\1/";
    let kinds = "s/\"kind\":\"turn-lock\"/\"kind\":\"lock\"/";
    dressed("honest-server", &format!("{forms};{objects}"), kinds)
}
