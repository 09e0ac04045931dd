//! The files of cases: whatever is wrong in one is shown under the line that it is in.

use purlin_conformance::case::Case;
use purlin_conformance::catalogue::Catalogue;
use purlin_conformance::error::Error;

#[test]
fn one_contract_or_several_are_read() {
    let contracts = |line: &str| {
        let text = ONE.replace("script", &format!("{line}\nscript"));
        let catalogue = Catalogue::embedded().unwrap();
        Case::read("lock", &text, &catalogue).unwrap()[0].contracts.clone()
    };
    assert!(contracts("").is_empty());
    assert_eq!(contracts("contract = \"lock-again:waits\""), ["lock-again:waits"]);
    let both = "contract = [\"lock-again:waits\", \"lock-release:by-holder\"]";
    assert_eq!(contracts(both), ["lock-again:waits", "lock-release:by-holder"]);
}

#[test]
fn a_contract_that_is_none_is_shown() {
    let with = |contract: &str| ONE.replace("script", &format!("contract = {contract}\nscript"));
    let shown = "cases/lock.toml:4: there is no contract `lock-again:wait`; did you mean \
                 `lock-again:waits`?
    contract = \"lock-again:wait\"
               ^^^^^^^^^^^^^^^^^";
    assert_eq!(refused(&with("\"lock-again:wait\"")), shown);
    let both = with("[\"lock-again:waits\", \"lock-again:refused\"]");
    assert_marked(&both, "4: a case takes one side of a choice", "\"lock-again:refused\"");
    assert!(refused(&with("7")).contains("a contract is one `choice:side` or a list"));
}

#[test]
fn an_unknown_behaviour_is_shown() {
    let text = ONE.replace("lock-new-is-free", "lock-new-is-fre");
    let shown = "cases/lock.toml:3: there is no behaviour `lock-new-is-fre`; did you mean \
                 `lock-new-is-free`?
    shows = [\"lock-new-is-fre\"]
             ^^^^^^^^^^^^^^^^^";
    assert_eq!(refused(&text), shown);
}

#[test]
fn what_is_shown_twice_or_not_at_all_is_shown() {
    let twice = ONE.replace("\"lock-new-is-free\"", "\"lock-new-is-free\", \"lock-new-is-free\"");
    assert_marked(&twice, "3: lock-new-is-free is shown twice", "\"lock-new-is-free\"");
    let nothing = ONE.replace("\"lock-new-is-free\"", "");
    assert_marked(&nothing, "2: it shows nothing", "\"lock/one\"");
}

#[test]
fn a_behaviour_of_another_side_is_shown() {
    let id = "lock-release-by-other-process-refused";
    let text = ONE.replace("lock-new-is-free", id);
    assert_marked(&text, &format!("3: {id} belongs to the contract"), &format!("\"{id}\""));
}

#[test]
fn a_behaviour_that_is_called_untested_is_shown() {
    let group = include_str!("../catalogue/lock.toml");
    let head = "id = \"lock-new-is-free\"";
    let untested = group.replace(head, &format!("{head}\nuntested = \"no way\""));
    let errors = include_str!("../catalogue/errors.toml");
    let catalogue = Catalogue::read(&[("lock", &untested)], errors).unwrap();
    let error = Case::read("lock", ONE, &catalogue).unwrap_err().to_string();
    let shown = "cases/lock.toml:3: lock-new-is-free is called untested in the catalogue\n";
    assert!(error.starts_with(shown), "{error}");
}

#[test]
fn an_id_that_stands_twice_is_shown_also_over_several_files() {
    let twice = format!("{ONE}\n{ONE}");
    assert_marked(&twice, "11: there are two cases lock/one", "\"lock/one\"");
    let catalogue = Catalogue::embedded().unwrap();
    let error = Case::read_all(&[("lock", ONE), ("lock", ONE)], &catalogue).unwrap_err();
    assert!(error.to_string().starts_with("cases/lock.toml:2: there are two cases"), "{error}");
}

#[test]
fn an_id_of_another_group_is_shown() {
    for id in ["one", "queue/one", "lock/", "lock-one"] {
        let text = ONE.replace("lock/one", id);
        assert_marked(&text, "2: a case here is called lock/name", &format!("\"{id}\""));
    }
}

#[test]
fn an_unknown_or_missing_field_is_shown() {
    let text = ONE.replace("shows", "colour = \"red\"\nshows");
    assert_marked(&text, "3: unknown field `colour`", "colour");
    let text = ONE.replace("id = \"lock/one\"\n", "");
    assert!(refused(&text).starts_with("cases/lock.toml:1: missing field `id`\n    [[case]]\n"));
    let text = ONE.replace("[[case]]", "[[cases]]");
    assert!(refused(&text).starts_with("cases/lock.toml:1: unknown field `cases`"));
}

#[test]
fn what_is_no_toml_is_shown() {
    let text = ONE.replace("shows = [", "shows = ");
    let error = refused(&text);
    assert!(error.starts_with("cases/lock.toml:3: "), "{error}");
    assert!(error.contains("\n    shows = \"lock-new-is-free\"]\n"), "{error}");
}

#[test]
fn an_empty_script_is_shown() {
    let text = ONE.replace("a: x.try() -> ok\n", "");
    let error = refused(&text);
    assert!(error.starts_with("cases/lock.toml:5, case lock/one:\n"), "{error}");
    assert!(error.contains("the script does nothing"), "{error}");
    let text = ONE.replace("object x: lock\nactors a\na: x.try() -> ok\n", "");
    assert!(refused(&text).contains("case lock/one:\n"), "{}", refused(&text));
}

#[test]
fn a_mistake_in_a_script_is_shown() {
    let text = ONE.replace("-> ok", "-> maybe");
    let shown = "cases/lock.toml:7, case lock/one:\n    a: x.try() -> maybe\n";
    assert!(refused(&text).starts_with(shown), "{}", refused(&text));
}

/// The message starts with the line's number and the words, and the mark stands under the part.
fn assert_marked(text: &str, says: &str, part: &str) {
    let error = refused(text);
    assert!(error.starts_with(&format!("cases/lock.toml:{says}")), "{error}");
    let lines: Vec<&str> = error.lines().collect();
    let at = lines[1].find(part).unwrap_or_else(|| panic!("{error}"));
    assert_eq!(lines[2], format!("{}{}", " ".repeat(at), "^".repeat(part.len())), "{error}");
}

fn refused(text: &str) -> String {
    match Case::read("lock", text, &Catalogue::embedded().unwrap()) {
        Err(Error::Data(text)) => text,
        other => panic!("not refused: {other:?}"),
    }
}

const ONE: &str = "[[case]]
id = \"lock/one\"
shows = [\"lock-new-is-free\"]
script = '''
object x: lock
actors a
a: x.try() -> ok
'''
";
