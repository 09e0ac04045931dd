//! `check-adapter`: what is wrong with an adapter itself, for whoever writes it.
//!
//! Each check has an adapter process of its own, so that one fault is told once, where it belongs,
//! and hides nothing else. They come in the order of `docs/protocol.md`: whoever is wrong early is
//! mended first.

mod core;
mod ends;
mod lines;
mod partings;
mod programs;
mod seen;
mod starts;
mod talk;

use std::fmt::Write as _;

use crate::catalogue::Catalogue;
use crate::error::Error;
use crate::protocol::Hello;
use crate::subject::AdapterCommand;
use talk::Talk;

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing wrong.
    Sound,
    /// It was not made, since the adapter does not offer what it is about.
    NotMade(String),
    /// What came instead.
    Wrong(String),
}

/// One check with what it found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What was looked at.
    pub name: &'static str,
    /// What was found.
    pub found: Found,
    /// What an adapter has to do.
    pub rule: &'static str,
}

/// All checks of one adapter.
#[derive(Debug)]
pub struct Report {
    /// The subject's name, as far as it told.
    pub subject: String,
    /// A line each.
    pub lines: Vec<Line>,
}

/// Looks at an adapter from all sides.
///
/// # Errors
/// * [`Error::Adapter`] when it cannot be started, or does not say who it is: then nothing can be
///   checked.
pub fn check(command: &AdapterCommand) -> Result<Report, Error> {
    let error_kinds = Catalogue::embedded()?.error_kinds;
    let broken = |what: String| Error::Adapter { command: command.shown.clone(), what };
    let hello = Talk::open(command, &error_kinds).map_err(|wrong| broken(wrong.0))?.hello;
    let mut lines = Vec::new();
    for Check { name, needs, run, rule } in all() {
        let found = match needs(&hello) {
            Some(why) => Found::NotMade(why),
            None => match Talk::open(command, &error_kinds).and_then(|mut talk| run(&mut talk)) {
                Ok(()) => Found::Sound,
                Err(wrong) => Found::Wrong(wrong.0),
            },
        };
        lines.push(Line { name, found, rule });
    }
    Ok(Report { subject: hello.name, lines })
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.lines.iter().all(|line| !matches!(line.found, Found::Wrong(_)))
    }

    /// A line a check; under one that found something, what an adapter has to do.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n", self.subject);
        for Line { name, found, rule } in &self.lines {
            let _ = match found {
                Found::Sound => writeln!(text, "  {name:<22} ok"),
                Found::NotMade(why) => writeln!(text, "  {name:<22} not made: {why}"),
                Found::Wrong(what) => writeln!(text, "  {name:<22} WRONG: {what}\n{:26}{rule}", ""),
            };
        }
        let count =
            |is_it: fn(&Found) -> bool| self.lines.iter().filter(|line| is_it(&line.found)).count();
        let wrong = count(|found| matches!(found, Found::Wrong(_)));
        let not_made = count(|found| matches!(found, Found::NotMade(_)));
        let sound = self.lines.len() - wrong - not_made;
        let _ = writeln!(text, "{sound} ok, {wrong} wrong, {not_made} not made");
        text
    }
}

/// What came instead of what should have come; the text goes on from "the adapter".
#[derive(Debug)]
struct Wrong(String);

struct Check {
    name: &'static str,
    /// Why it cannot be made of an adapter that says this of itself.
    needs: fn(&Hello) -> Option<String>,
    run: fn(&mut Talk) -> Result<(), Wrong>,
    rule: &'static str,
}

fn all() -> impl Iterator<Item = Check> {
    let parts = [core::CHECKS, lines::CHECKS, partings::CHECKS, programs::CHECKS, starts::CHECKS];
    parts.into_iter().chain([ends::CHECKS]).flatten().map(|(name, needs, run, rule)| Check {
        name,
        needs: *needs,
        run: *run,
        rule,
    })
}

/// A check as it stands in its table.
type Row =
    (&'static str, fn(&Hello) -> Option<String>, fn(&mut Talk) -> Result<(), Wrong>, &'static str);

fn nothing(_: &Hello) -> Option<String> {
    None
}

/// It takes an object that one actor has and another waits for, and actors that are processes.
fn a_lock(hello: &Hello) -> Option<String> {
    lock_of(hello).is_none().then(|| "no kind with acquire, try and release".to_owned())
}

fn a_process(hello: &Hello) -> Option<String> {
    talk::process_way(hello).is_none().then(|| "no actor is a process".to_owned())
}

fn a_lock_and_processes(hello: &Hello) -> Option<String> {
    a_lock(hello).or_else(|| a_process(hello))
}

fn offers(hello: &Hello, capability: &str) -> Option<String> {
    let all = &hello.capabilities;
    let is_offered = |name: &str| all.iter().any(|offered| offered == name);
    let missing = ["programs", capability].into_iter().find(|name| !is_offered(name));
    missing.map(|name| format!("{name} is not offered")).or_else(|| a_process(hello))
}

/// The kind with which waiting is shown; the plainest name, if there are several.
fn lock_of(hello: &Hello) -> Option<&str> {
    let has_all = |operations: &Vec<String>| {
        ["acquire", "try", "release"].iter().all(|op| operations.iter().any(|one| one == op))
    };
    let kinds = hello.objects.iter().filter(|(_, operations)| has_all(operations));
    kinds.map(|(kind, _)| kind.as_str()).min_by_key(|kind| kind.len())
}
