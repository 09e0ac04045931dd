//! What the suite says of its own evidence is held against the sources that it names.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::run;
use purlin_conformance::backing::Backing;
use purlin_conformance::catalogue::Catalogue;
use purlin_conformance::errata::Erratum;
use purlin_conformance::error::Error;
use purlin_conformance::suite::Suite;

#[test]
fn every_model_that_is_named_is_one() {
    let backing = Backing::embedded(&Suite::embedded().unwrap()).unwrap();
    let folder = crate_folder().join("src/model");
    for model in &backing.models {
        let text = fs::read_to_string(folder.join(&model.file));
        let text = text.unwrap_or_else(|error| panic!("{}: {error}", model.file));
        assert!(text.contains("impl Model for"), "{} is no model", model.file);
    }
    for group in purlin_conformance::model::kind::GROUPS {
        assert!(backing.models.iter().any(|model| model.group == group), "{group} has a model");
    }
}

#[test]
fn every_model_of_a_word_that_is_named_is_a_test() {
    let backing = Backing::embedded(&Suite::embedded().unwrap()).unwrap();
    for name in backing.looms.iter().flat_map(|loom| &loom.tests) {
        assert!(is_test(name), "there is no test {name} in the models of the words");
    }
    assert!(!is_test("lock_live::nobody_contends"));
    assert!(!is_test("lock_live::one_of_three"));
}

/// Whether `file::test` is a function of the workspace's models, right behind `#[test]`.
fn is_test(name: &str) -> bool {
    let Some((file, test)) = name.split_once("::") else { return false };
    let path = crate_folder().join("../models/src").join(format!("{file}.rs"));
    let Ok(text) = fs::read_to_string(path) else { return false };
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let head = format!("fn {test}() {{");
    lines.windows(2).any(|pair| pair[0] == "#[test]" && pair[1] == head)
}

#[test]
fn every_planted_model_is_noticed_by_a_test_that_is_named_nowhere() {
    // A model of what is planted shows that the others can fail; it stands behind no promise.
    let backing = Backing::embedded(&Suite::embedded().unwrap()).unwrap();
    let mut names = backing.looms.iter().flat_map(|loom| &loom.tests);
    assert!(!names.any(|name| name.contains("planted::")));
}

#[test]
fn what_is_wrong_in_the_evidence_is_shown() {
    let suite = Suite::embedded().unwrap();
    let refused = |text: &str| match Backing::read(text, &suite) {
        Err(Error::Data(text)) => text,
        other => panic!("not refused: {other:?}"),
    };
    let text = include_str!("../evidence.toml");
    let one = "\"lock-new-is-free\", ";
    let shown = refused(&text.replace(one, "\"lock-new-is-fre\", "));
    assert!(shown.contains("did you mean `lock-new-is-free`?"), "{shown}");
    assert!(shown.lines().last().unwrap().contains("^^^^^^^^^^^^^^^^^"), "{shown}");
    let shown = refused(&text.replace(one, "\"event-starts-unset\", "));
    assert!(shown.contains("event-starts-unset does not belong to lock"), "{shown}");
    let shown = refused(&text.replace(one, &one.repeat(2)));
    assert!(shown.contains("lock-new-is-free stands here twice"), "{shown}");
    let shown = refused(&text.replace("groups = [\"value\", \"array\"]", "groups = [\"value\"]"));
    assert!(shown.contains("nothing says why array has no model"), "{shown}");
    let more = "\n[[without]]\nkind = \"loom\"\ngroups = [\"lock\"]\nwhy = \"x\"\n";
    let shown = refused(&format!("{text}{more}"));
    assert!(shown.contains("lock has evidence of this kind"), "{shown}");
}

#[test]
fn the_list_says_what_stands_behind_each_promise() {
    let ran = run(&["list", "--evidence", "--group", "lock"]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let row = |id: &str| -> Vec<String> {
        let line = ran.stdout.lines().find(|line| line.starts_with(&format!("{id} ")));
        line.unwrap().split_whitespace().map(str::to_owned).collect()
    };
    let head: Vec<&str> = ran.stdout.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(head, ["behaviour", "level", "cases", "faults", "model", "loom"]);
    let told = row("lock-owner-killed-next-told");
    assert_eq!((&*told[1], &*told[4]), ("must", "lock"));
    assert!(told[2].parse::<u32>().unwrap() > 0 && told[3].parse::<u32>().unwrap() > 0);
    assert!(told[5].parse::<u32>().unwrap() >= 4, "{told:?}");
    assert_eq!(row("lock-timeout-monotonic")[2], "–", "no case can show it");
    for gap in ["without a case: `list --untested`", "without a model: about what no", "loom: "] {
        assert!(ran.stdout.contains(gap), "no {gap} in {}", ran.stdout);
    }
    let all = run(&["list", "--evidence"]).stdout;
    let catalogue = Catalogue::embedded().unwrap();
    for behaviour in &catalogue.behaviours {
        assert!(all.contains(&format!("\n{} ", behaviour.id)), "{}", behaviour.id);
    }
    assert!(!all.contains("with cases and without a fault"), "{all}");
}

#[test]
fn the_list_of_faults_has_each_case() {
    let ran = run(&["list", "--faults"]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let line = ran.stdout.lines().find(|line| line.starts_with("fault-ignores-deaths ")).unwrap();
    assert!(line.contains("  implementation  "), "{line}");
    assert!(line.contains("lock/holder-killed-next-told"), "{line}");
    let line = ran.stdout.lines().find(|line| line.starts_with("false-exit-status ")).unwrap();
    assert!(line.contains("  reply  "), "{line}");
    for case in &Suite::embedded().unwrap().cases {
        assert!(ran.stdout.contains(&case.id), "{}", case.id);
    }
    assert!(ran.stdout.ends_with("; brought down by none: no case\n"), "{}", ran.stdout);
    let lock = run(&["list", "--faults", "--group", "value"]).stdout;
    assert!(lock.contains("value/") && !lock.contains("lock/"), "{lock}");
    let both = run(&["list", "--faults", "--evidence"]);
    assert_eq!(both.status, Some(2));
    assert!(both.stderr.contains("either --untested, --evidence or --faults"), "{}", both.stderr);
}

#[test]
fn an_explanation_names_the_evidence() {
    let told = run(&["explain", "lock-owner-killed-next-told"]).stdout;
    let evidence = told.split("\nevidence\n").nth(1).unwrap_or_else(|| panic!("{told}"));
    let evidence = evidence.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(evidence.contains("lock/holder-killed-next-told is brought down by"), "{evidence}");
    assert!(evidence.contains("fault-ignores-deaths"), "{evidence}");
    assert!(evidence.contains("model src/model/lock.rs"), "{evidence}");
    assert!(evidence.contains("loom lock_killed::a_user_dies_beside_one,"), "{evidence}");
    let none = run(&["explain", "lock-by-name-is-shared"]).stdout;
    assert!(none.contains("model     none; those without: about what no single"), "{none}");
    let case = run(&["explain", "lock/try"]).stdout;
    assert!(case.contains("  faults    lock/try is brought down by fault-"), "{case}");
}

#[test]
fn the_errata_are_a_page_with_what_says_them_right() {
    let ran = run(&["errata"]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let catalogue = Catalogue::embedded().unwrap();
    let errata = Erratum::embedded(&catalogue).unwrap();
    assert!(errata.len() >= 80, "{}", errata.len());
    let page = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for erratum in &errata {
        let claim = erratum.claims.split_whitespace().collect::<Vec<_>>().join(" ");
        let truth = erratum.truth.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(page.contains(&claim) && page.contains(&truth), "{claim}");
        assert!(erratum.behaviours.iter().all(|id| page.contains(&format!("{id}: "))), "{claim}");
    }
    assert!(page.starts_with(&format!("{} mistakes in what the documents say", errata.len())));
    let own = run(&["errata", "--group", "barrier"]).stdout;
    assert!(own.len() < ran.stdout.len() && own.contains("barrier-"), "{own}");
    assert_eq!(run(&["errata", "--group", "barier"]).status, Some(2));
}

#[test]
fn an_erratum_that_nothing_says_right_is_shown() {
    let catalogue = Catalogue::embedded().unwrap();
    let one =
        "[[erratum]]\ndocument = \"a.txt\"\nclaims = \"x\"\ntruth = \"y\"\nbehaviours = [B]\n";
    let refused = |behaviours: &str| match Erratum::read(&one.replace('B', behaviours), &catalogue)
    {
        Err(Error::Data(text)) => text,
        other => panic!("not refused: {other:?}"),
    };
    let shown = refused("\"lock-new-is-fre\"");
    assert!(shown.starts_with("catalogue/errata.toml:5: there is no behaviour"), "{shown}");
    assert!(shown.contains("did you mean `lock-new-is-free`?"), "{shown}");
    assert!(
        refused("").starts_with("catalogue/errata.toml:2: an erratum names"),
        "{}",
        refused("")
    );
}

fn crate_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}
