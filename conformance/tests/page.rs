//! The page of the language, `docs/cases.md`, says nothing that the parser does not read.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use purlin_conformance::catalogue::Catalogue;
use purlin_conformance::parse::{ParseError, parse};
use purlin_conformance::script::Script;

const PAGE: &str = include_str!("../docs/cases.md");

const OBJECTS: &str = "object lock: lock\nobject many[10]: lock\nobject n: cell\nobject l: log\n\
    object own: lock made by a\nobject p: process made by a\n";
const ACTORS: &str = "actors a b c s x y z\nchildren d of a\n";

/// Somebody is gone, frozen, waiting, blocked with a handler, and blocked.
const SITUATION: &str = "kill z\nfreeze y\nx: wait -> waiting\n\
    s: { catch; lock.acquire() } -> blocked\nb: lock.acquire() -> blocked\n";

/// A line of a table with what may be around it; one of them must be right.
fn tries(table: &str, line: &str) -> Vec<String> {
    let after = |before: &str| format!("{OBJECTS}{ACTORS}{before}{line}\n");
    match table {
        "line" => vec![
            format!("{line}\nactors a\na: pause 1ms -> ok\n"),
            format!("{line}\na: pause 1ms -> ok\n"),
            format!("{line}\nc: pause 1ms -> ok\n"),
            format!("actors a\n{line}\na: pause 1ms -> ok\n"),
            after(SITUATION),
            after(&format!("{SITUATION}c: lock.acquire() -> blocked\n")),
            after(
                "b: { lock.acquire(); wait } -> blocked\nc: { lock.acquire(); wait } -> blocked\n",
            ),
        ],
        "behind the arrow" => vec![
            after("a: lock.acquire() -> "),
            after("a: tally 10 as i { many[i].try() } -> "),
            after("a: wait -> "),
            after("a: exit 3 -> "),
            after("a: n.get() -> value as pid\na: n.get() -> "),
        ],
        "statement" => vec![format!("{OBJECTS}{ACTORS}a: {{ pause 1ms; {line} }} -> started\n")],
        "value" => vec![
            format!("{OBJECTS}{ACTORS}a: lock.try(x={line}) -> ok\n"),
            format!("{OBJECTS}{ACTORS}a: p.start(actor={line}) -> ok\n"),
        ],
        other => panic!("nobody knows what to do with the table of `{other}`"),
    }
}

/// Why a line is never right.
fn refused(table: &str, line: &str) -> Option<String> {
    let mut reasons = String::new();
    for text in tries(table, line) {
        match read(&text) {
            Ok(_) => return None,
            Err(error) => reasons += &format!("{}\n", error.render(&text)),
        }
    }
    Some(reasons)
}

#[test]
fn each_line_of_the_tables_is_read() {
    let lines = lines_of_tables();
    assert!(lines.len() > 80, "only {} lines were found", lines.len());
    for (table, line) in lines {
        let reasons = refused(&table, &line);
        assert!(reasons.is_none(), "`{line}`:\n{}", reasons.unwrap_or_default());
    }
}

#[test]
fn what_is_no_line_of_the_language_would_be_found() {
    for (table, line) in [
        ("line", "object lock"),
        ("line", "thaw a when blocked"),
        ("line", "a: lock.acquire()"),
        ("behind the arrow", "okay"),
        ("behind the arrow", "blocked using 100ms"),
        ("statement", "sleep 1ms"),
        ("value", "5days"),
    ] {
        assert!(refused(table, line).is_some(), "`{line}`");
    }
}

#[test]
fn each_script_is_read_and_each_mistake_is_shown() {
    let (mut script_count, mut mistake_count) = (0, 0);
    for (kind, text) in blocks() {
        if kind == "case" {
            read(&text).unwrap_or_else(|error| panic!("{}", error.render(&text)));
            script_count += 1;
            continue;
        }
        let is_mark = |line: &&str| line.trim_start().starts_with('^');
        let script: Vec<&str> = text.lines().filter(|line| !is_mark(line)).collect();
        let script = script.join("\n");
        let error = read(&script).unwrap_err();
        let mark = text.lines().nth(error.span.line).unwrap();
        assert!(error.render(&script).ends_with(&format!("\n    {mark}")), "{mark}");
        mistake_count += 1;
    }
    assert!(script_count >= 2 && mistake_count >= 2);
}

/// The words of the script that has all of the language in it.
#[test]
fn each_key_word_is_on_the_page() {
    let script = include_str!("parse.rs").split("EVERYTHING: &str").nth(1).unwrap();
    let script = script.split("\"#;").next().unwrap();
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    let mut missing: Vec<&str> = script
        .lines()
        .flat_map(|line| line.split('#').next().unwrap_or("").split(|letter| !is_letter(letter)))
        .filter(|word| word.len() > 2 && word.starts_with(|first: char| first.is_ascii_lowercase()))
        .filter(|word| !PAGE.contains(word))
        .collect();
    missing.dedup();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The first column's lines, each with the heading of its column.
fn lines_of_tables() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut table = String::new();
    for line in PAGE.lines() {
        // A bar that belongs to a line is written with a backslash.
        let cells = line.replace("\\|", "\u{1}");
        let Some(cell) = cells.strip_prefix("| ").and_then(|rest| rest.split(" | ").next()) else {
            continue;
        };
        if !cell.contains('`') {
            table = cell.to_owned();
            continue;
        }
        let quoted = cell.split('`').skip(1).step_by(2);
        found.extend(quoted.map(|line| (table.clone(), line.replace('\u{1}', "|"))));
    }
    found
}

/// The fenced blocks, each with its kind.
fn blocks() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for block in PAGE.split("\n```").skip(1).step_by(2) {
        let (kind, text) = block.split_once('\n').unwrap();
        assert!(kind == "case" || kind == "mistake", "{kind}");
        found.push((kind.to_owned(), text.to_owned()));
    }
    found
}

fn read(text: &str) -> Result<Script, ParseError> {
    static KINDS: LazyLock<BTreeSet<String>> =
        LazyLock::new(|| Catalogue::embedded().unwrap().error_kinds);
    parse(text, &KINDS)
}
