//! Texts that are no scripts, or hardly.

use proptest::collection::vec;
use proptest::prelude::*;
use purlin_conformance::script::Script;

/// Words of the language in any order, and whatever.
pub(crate) fn text() -> BoxedStrategy<String> {
    let words = vec(prop::sample::select(WORDS), 0..60).prop_map(|words| words.join(" "));
    let headed = words.clone().prop_map(|words| format!("{HEAD}{words}"));
    prop_oneof![2 => any::<String>(), 4 => words, 8 => headed].boxed()
}

const HEAD: &str = "object lock: lock\nobject many[3]: lock\nobject n: cell\nactors a b c\n\
    threads t of a\nchildren d of a\n";

const WORDS: &[&str] = &[
    "a:",
    "b:",
    "c:",
    "t:",
    "d:",
    "a",
    "b",
    "c",
    "w",
    "->",
    "ok",
    "blocked",
    "started",
    "waiting",
    "gone",
    "with",
    "by",
    "{",
    "}",
    "{",
    "}",
    ";",
    "\n",
    "\n",
    "\n",
    "lock.acquire()",
    "lock",
    "lock.acquire(timeout=1s)",
    "many[",
    "]",
    "2",
    "many[1].try()",
    "n.add(1)",
    "check n == 0",
    "n == 0",
    "lock.try({",
    "f={ n.get() }",
    "loop",
    "loop 3 as i",
    "tally 3",
    "fail",
    "pause 1ms",
    "wait",
    "fork d",
    "start d",
    "thread t",
    "drop lock",
    "exit 3",
    "end",
    "end thread",
    "abort",
    "exec",
    "catch",
    "or owner-died",
    "one of",
    "as",
    "other",
    "kill a",
    "kill",
    "when blocked",
    "at random",
    "fresh",
    "freeze",
    "thaw",
    "signal",
    "every 1ms",
    "interrupt",
    "go",
    "repeat 3 {",
    "repeat",
    "parallel {",
    "forall v in 1, 2 {",
    "$v",
    "(",
    ")",
    "=",
    ",",
    "|",
    "after 5ms",
    "\"x\"",
    "\"",
    "#",
    "-",
    "ä",
    "a: lock.acquire() -> ok\n",
    "b: lock.acquire() -> blocked\n",
    "b: -> ok\n",
    "kill b\n",
    "fresh b\n",
    "[",
    "[[",
    "{ok: 1}",
];

/// A script with a few characters replaced by the beginning of a word.
pub(crate) fn changed(script: BoxedStrategy<Script>) -> BoxedStrategy<String> {
    let change = (any::<prop::sample::Index>(), 0..6_usize, prop::sample::select(WORDS));
    (script, vec(change, 1..4))
        .prop_map(|(script, changes)| {
            let mut chars: Vec<char> = script.to_string().chars().collect();
            for (place, removed, word) in changes {
                let at = place.index(chars.len() + 1).min(chars.len());
                let end = (at + removed).min(chars.len());
                chars.splice(at..end, word.chars().take(removed + 1));
            }
            chars.into_iter().collect()
        })
        .boxed()
}
