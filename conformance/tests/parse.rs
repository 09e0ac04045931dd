//! The language of the cases: what a line means, and how a mistake is shown.

use std::collections::BTreeSet;

use purlin_conformance::case::Case;
use purlin_conformance::catalogue::Catalogue;
use purlin_conformance::parse::{ParseError, parse};
use purlin_conformance::script::{Action, Expected, Outcome, Script};
use serde_json::json;

#[test]
fn a_script_is_read_line_by_line() {
    let script = read(
        "object lock: lock\n\
         actors a b   # two of them\n\
         processes c\n\
         a: lock.acquire() -> ok\n\
         b: lock.acquire(timeout=50ms) -> blocked\n\
         kill a\n\
         b: -> owner-died | timed-out after 50ms\n",
    );
    assert_eq!(script.objects[0].kind, "lock");
    let processes: Vec<bool> = script.actors.iter().map(|actor| actor.own_process).collect();
    assert_eq!(processes, [true, false, true], "a is killed, c is declared");
    assert_eq!(script.steps[0].span.line, 4);
    let Action::Call { args, expected, .. } = &script.steps[1].action else { panic!() };
    assert_eq!(args["timeout"], json!(0.05));
    assert_eq!(*expected, Expected::BLOCKED);
    let Action::Await { expected, .. } = &script.steps[3].action else { panic!() };
    let outcomes = ["owner-died", "timed-out"].map(|kind| Outcome::Error(kind.to_owned()));
    let nanos = Some(50_000_000);
    assert_eq!(*expected, Expected::Outcome { any_of: outcomes.to_vec(), not_before_nanos: nanos });
}

#[test]
fn values_are_what_they_look_like() {
    let script = read(
        "object x: thing(size=3, name=\"n\", open=true, far=2h, low=-1s)\n\
         actors a\n\
         a: x.get() -> 7 | -7 | 18446744073709551615 | \"text\" | true | null\n",
    );
    let args = serde_json::Value::Object(script.objects[0].args.clone());
    assert_eq!(args, json!({"size": 3, "name": "n", "open": true, "far": 7200.0, "low": -1.0}));
    let Action::Call { expected, .. } = &script.steps[0].action else { panic!() };
    assert_eq!(expected.to_string(), "7 | -7 | 18446744073709551615 | \"text\" | true | ok");
}

/// All of the language in one text; each step is looked at below by what it prints.
#[test]
fn everything_is_read_and_printed() {
    let script = read(EVERYTHING);
    let steps: Vec<String> = script.steps.iter().map(ToString::to_string).collect();
    let printed = script.to_string();
    assert_eq!(read(&printed).to_string(), printed);
    for step in steps {
        assert!(printed.contains(&step), "{step}");
    }
}

const EVERYTHING: &str = r#"
object lock: lock
object many[5000]: lock          # numbered
object own: lock(size=3) made by a
object n: cell
object l: log
actors a b v k
processes c p
main m
threads t u of a
children d e f of b

a: lock.acquire(timeout=50ms) -> ok | timed-out after 50ms
a: many[3].acquire() -> ok
a: { lock.acquire(); lock.release() } -> ok
a: loop 1000 { lock.acquire(); lock.release() } -> ok
a: loop 10 as n { many[n].acquire() } -> ok
b: loop { lock.acquire(); lock.release() } -> started
kill b at random
fresh b
a: tally 10 as n { many[n].acquire() } -> {owner-died: 7, ok: 3}
a: with lock { wait } -> waiting
go a
a: -> ok
a: with lock { fail } -> task-failed
a: {
    lock.acquire() or owner-died { lock.recover() } or timed-out { fail }
    n.add(1)

    check n == -1; pause 1ms     # two on a line
    l.write("a \"line\"")
} -> ok
a: l.lines() -> ["a", "b"]
a: loop 10 as n { many[n].try(x=n, y=["x", n]); l.write(it); l.write([it, n]) } -> ok
a: l.rows(sorted=true) -> ["0..9"]
b: { fork d; start e by spawn; start f } -> ok
d: lock.try(timeout=-1s, x=infinity, y=nan, z=-infinity, w=2.5) -> ok
a: { make own; drop own } -> ok
a: catch -> ok
a: lock.acquire() -> blocked for 300ms using 100ms
signal a every 20ms
a: -> blocked for 1s
interrupt a
a: -> gone
b: end thread -> gone
c: exit 3 -> gone with 3
fresh c
c: abort -> gone by 6
fresh c
c: crash -> gone by 11
fresh c
c: end -> gone with 0
fresh c
c: exec -> ok
kill c
d: lock.acquire() -> started
kill d after entered
e: lock.acquire() -> blocked
freeze e when blocked
thaw e
kill e when blocked
freeze f
kill f without waiting
v: lock.acquire() -> blocked
k: lock.acquire() -> blocked
one of v k: -> ok as w other z
w: lock.release() -> ok
z: -> ok
z: lock.release() -> ok
repeat 100 {
    k: lock.acquire() -> ok
    parallel { k: lock.release() -> ok; v: lock.try() -> ok | timed-out }
    forall s in 1s, 2s, -1s {
        v: lock.acquire(timeout=$s) -> owner-died
    }
    kill v
    fresh v
}
"#;

#[test]
fn one_of_leaves_its_actors_open() {
    let script = read(&format!("{WAITING}one of b c: -> ok\n"));
    let Action::OneOf { actors, .. } = &script.steps[3].action else { panic!() };
    assert_eq!(actors, &["b", "c"]);
}

#[test]
fn a_mistake_is_marked_in_its_line() {
    let text = "object lock: lock\nactors a\na: lock.acquire( -> ok\n";
    let error = wrong(text);
    assert_eq!(error.span.line, 3);
    let shown = "    a: lock.acquire( -> ok\n                     ^^ an argument is `name=value`";
    assert_eq!(error.render(text), shown);
}

/// The list shows each mistake as it is shown to whoever makes it: the mark and the reason stand
/// under the line.
#[test]
fn every_mistake_has_a_place_and_a_reason() {
    let list = include_str!("mistakes.txt");
    let mut mistakes = list.trim_end().split("\n\n").filter(|block| !block.starts_with('#'));
    let head = mistakes.next().unwrap();
    for block in mistakes {
        let is_mark = |line: &&str| line.trim_start().starts_with('^');
        let marked = block.lines().position(|line| is_mark(&line)).expect(block);
        let script: Vec<&str> = block.lines().filter(|line| !is_mark(line)).collect();
        let declares = ["object", "actors", "threads", "children"];
        let is_whole = declares.iter().any(|word| script[0].starts_with(word));
        let head = if is_whole { "" } else { head };
        let text = format!("{head}\n{}\n", script.join("\n"));
        let error = wrong(&text);
        let shown = error.render(&text);
        let shown: Vec<&str> = shown.lines().filter_map(|line| line.get(4..)).collect();
        let lines: Vec<&str> = block.lines().collect();
        assert_eq!(shown, lines[marked - 1..=marked], "in:\n{block}");
        assert_eq!(error.span.line, head.lines().count() + marked + usize::from(is_whole));
    }
    assert_eq!(wrong("actors a\n").message, "the script does nothing");
    assert_eq!(wrong("object x: lock\n").message, "the script has no actors");
    let deep = format!("actors a\na: {} ", "loop { ".repeat(100_000));
    assert_eq!(wrong(&deep).message, "this is nested too deep");
}

#[test]
fn a_mistake_in_a_file_is_found_there() {
    let catalogue = Catalogue::embedded().unwrap();
    let text = "\n[[case]]\nid = \"lock/x\"\nshows = [\"lock-new-is-free\"]\n\
                script = '''\nobject x: lock\nactors a\na: x.try() -> maybe\n'''\n";
    let error = Case::read("lock", text, &catalogue).unwrap_err().to_string();
    assert!(
        error.starts_with("cases/lock.toml:8, case lock/x:\n    a: x.try() -> maybe"),
        "{error}"
    );
}

#[test]
fn a_case_that_does_not_fit_the_catalogue_is_refused() {
    let catalogue = Catalogue::embedded().unwrap();
    let case = |id: &str, rest: &str| {
        let text = format!(
            "[[case]]\nid = \"{id}\"\n{rest}\nscript = '''\n\
             object x: lock\nactors a\na: x.try() -> ok\n'''\n"
        );
        Case::read("lock", &text, &catalogue).map(|_| ()).map_err(|error| error.to_string())
    };
    let shows = "shows = [\"lock-new-is-free\"]";
    assert_eq!(case("lock/x", shows), Ok(()));
    let refused = |id, rest, why: &str| {
        let error = case(id, rest).unwrap_err();
        assert!(error.contains(why), "{error}");
    };
    refused("x", shows, "a case here is called lock/name");
    refused("queue/x", shows, "a case here is called lock/name");
    refused("lock/x", "shows = []", "shows nothing");
    refused("lock/x", "shows = [\"lock-is-red\"]", "there is no behaviour");
    refused("lock/x", "shows = [\"lock-new-is-free\", \"lock-new-is-free\"]", "twice");
    refused("lock/x", "shows = [\"lock-release-by-other-process-refused\"]", "does not name");
}

const WAITING: &str = "object lock: lock\nactors a b c\n\
    a: lock.acquire() -> ok\nb: lock.acquire() -> blocked\nc: lock.acquire() -> blocked\n";

fn kinds() -> BTreeSet<String> {
    ["timed-out", "owner-died", "task-failed", "not-owner"].map(str::to_owned).into()
}

fn read(text: &str) -> Script {
    parse(text, &kinds()).unwrap_or_else(|error| panic!("{}", error.render(text)))
}

fn wrong(text: &str) -> ParseError {
    parse(text, &kinds()).unwrap_err()
}
