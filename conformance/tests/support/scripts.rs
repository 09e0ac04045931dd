//! Scripts run through the library, and what came of them.

use std::collections::BTreeSet;
use std::ffi::OsString;

use purlin_conformance::AdapterCommand;
use purlin_conformance::catalogue::Catalogue;
use purlin_conformance::parse::parse;
use purlin_conformance::run::{Event, run_script};
use purlin_conformance::script::Script;
use purlin_conformance::verdict::{Outcome, Verdict};

use crate::support::PROGRAM;

/// One of the program's own adapters.
pub(crate) fn own(name: &str) -> AdapterCommand {
    command(PROGRAM, &["adapter", name])
}

/// An adapter in the shell.
pub(crate) fn shell(script: &str) -> AdapterCommand {
    command("sh", &["-c", script])
}

fn command(program: &str, args: &[&str]) -> AdapterCommand {
    let shown = args.join(" ");
    AdapterCommand {
        program: program.into(),
        args: args.iter().map(OsString::from).collect(),
        shown,
    }
}

/// What comes of a script, and all that happened.
pub(crate) fn run(command: &AdapterCommand, script: &str) -> (Outcome, Vec<Event>) {
    run_parsed(command, &parsed(script))
}

/// The same, of one that no text may stand for.
pub(crate) fn run_parsed(command: &AdapterCommand, script: &Script) -> (Outcome, Vec<Event>) {
    run_script(command, script, 1, &error_kinds())
}

pub(crate) fn parsed(script: &str) -> Script {
    parse(script, &error_kinds()).unwrap_or_else(|error| panic!("{}", error.render(script)))
}

fn error_kinds() -> BTreeSet<String> {
    Catalogue::embedded().unwrap().error_kinds
}

/// The script is kept.
pub(crate) fn kept(command: &AdapterCommand, script: &str) -> Vec<Event> {
    let (outcome, events) = run(command, script);
    assert_eq!(outcome.verdict, Verdict::Kept, "{script}\n{:?}", outcome.stop);
    events
}

/// The script ends with this verdict, in this line, and says all of this.
pub(crate) fn ends(
    command: &AdapterCommand,
    script: &str,
    verdict: Verdict,
    line: usize,
    says: &[&str],
) -> Outcome {
    let (outcome, _) = run(command, script);
    let stop = outcome.stop.as_ref().unwrap_or_else(|| panic!("{script}\nis {outcome:?}"));
    assert_eq!(outcome.verdict, verdict, "{script}\n{stop:?}");
    assert_eq!(stop.span.map(|span| span.line), Some(line), "{script}\n{stop:?}");
    for text in says {
        assert!(stop.detail().contains(text), "{script}\nno {text:?} in {}", stop.detail());
    }
    outcome
}
