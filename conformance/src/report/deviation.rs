//! A promise that is not kept, with all that a reader needs to argue about it.

use std::fmt::Write as _;

use super::plain::in_line;
use super::shell::quoted;
use crate::contract::forms;
use crate::judgement::{CaseOutcome, Judgement, Line, Standing};
use crate::limits::SEED;
use crate::suite::Suite;
use crate::verdict::{Stop, Verdict};

/// What it takes to say how something is repeated.
pub(super) struct Again<'a> {
    pub(super) suite: &'a Suite,
    /// What starts this program, for a shell.
    pub(super) program: &'a str,
}

/// A case that ended before its end, in one form, on one subject.
pub(super) struct Deviation<'a> {
    pub(super) judgement: &'a Judgement,
    pub(super) asked: &'a CaseOutcome,
    pub(super) stop: &'a Stop,
    /// What it shows.
    pub(super) promises: Vec<Promise<'a>>,
    /// Why the subject is so, as far as its list says.
    pub(super) reasons: Vec<&'a str>,
    pub(super) script: &'a str,
    /// The command that repeats exactly this.
    pub(super) again: String,
}

/// A line of the judgement, with the sentence of the catalogue.
pub(super) struct Promise<'a> {
    pub(super) line: &'a Line,
    pub(super) says: &'a str,
}

/// All that came so and is not kept, case by case.
pub(super) fn of_standing<'a>(
    again: &'a Again<'a>,
    judgement: &'a Judgement,
    standing: Standing,
) -> impl Iterator<Item = Deviation<'a>> {
    let outcomes = judgement.outcomes.iter().filter(move |asked| asked.standing == standing);
    outcomes.filter_map(|asked| Deviation::of(again, judgement, asked))
}

impl<'a> Deviation<'a> {
    /// None where all was kept, and where what came is only counted.
    fn of(again: &Again<'a>, judgement: &'a Judgement, asked: &'a CaseOutcome) -> Option<Self> {
        let stop = asked.outcome.stop.as_ref()?;
        let is_counted = matches!(
            asked.outcome.verdict,
            Verdict::Prevented | Verdict::Unsupported | Verdict::Untested
        );
        if is_counted && asked.standing != Standing::Unexpected {
            return None;
        }
        let case = again.suite.cases.iter().find(|case| case.id == asked.case);
        let script = case.map_or("", |case| case.text.as_str());
        let promise = |line: &'a Line| {
            let found = again.suite.catalogue.behaviour(&line.behaviour);
            Promise { line, says: found.map_or("", |found| &found.says) }
        };
        let promises: Vec<Promise<'a>> = judgement.lines_of(asked).map(promise).collect();
        let known = promises.iter().filter(|promise| promise.line.standing == Standing::Known);
        let mut reasons: Vec<&str> =
            known.filter_map(|promise| promise.line.reason.as_deref()).collect();
        reasons.dedup();
        let again = again.command(judgement, asked);
        Some(Self { judgement, asked, stop, promises, reasons, script, again })
    }

    /// How it stands to what was expected, in words; empty where it fails the run.
    pub(super) fn standing(&self) -> String {
        match self.asked.standing {
            Standing::Known => "as known".to_owned(),
            Standing::NotJudged => {
                format!("not judged for version {}", in_line(&self.judgement.hello.version))
            }
            Standing::AsExpected => "which fails no run".to_owned(),
            Standing::Unexpected => String::new(),
        }
    }
}

/// One case in one form, if it is not kept.
pub(super) fn of_one<'a>(
    again: &'a Again<'a>,
    judgement: &'a Judgement,
    asked: &'a CaseOutcome,
) -> Option<Deviation<'a>> {
    Deviation::of(again, judgement, asked)
}

/// What an entry of `expect/` says, and what is so no more.
pub(super) fn stale(judgement: &Judgement) -> impl Iterator<Item = String> {
    judgement.lines.iter().filter(|line| is_stale(line)).map(stale_line)
}

/// The same of one case in one form.
pub(super) fn stale_of<'a>(
    judgement: &'a Judgement,
    asked: &'a CaseOutcome,
) -> impl Iterator<Item = String> {
    judgement.lines_of(asked).filter(|line| is_stale(line)).map(stale_line)
}

fn is_stale(line: &Line) -> bool {
    line.standing == Standing::Unexpected && line.reason.is_some()
}

fn stale_line(line: &Line) -> String {
    let case = line.case.as_deref().unwrap_or_default();
    let form = in_line(line.form.as_deref().unwrap_or_default());
    format!(
        "{}: expect/ says {}, and it is {} in {case} ({form}); correct the list",
        line.behaviour,
        line.expected.slug(),
        line.verdict.slug(),
    )
}

impl Again<'_> {
    /// The command that repeats one case.
    fn command(&self, judgement: &Judgement, asked: &CaseOutcome) -> String {
        let is_usual = asked.seed == SEED;
        let seed = if is_usual { String::new() } else { format!(" --seed {}", asked.seed) };
        self.command_of(judgement, &asked.case, &asked.form, &seed)
    }

    /// The command that asks one case in one form, with more options.
    pub(super) fn command_of(
        &self,
        judgement: &Judgement,
        case: &str,
        form: &str,
        more: &str,
    ) -> String {
        let mut options = format!("--case {case}");
        let group = case.split('/').next().unwrap_or_default();
        if forms(&judgement.hello, group).len() > 1 {
            let _ = write!(options, " --form {}", quoted(form));
        }
        options.push_str(more);
        let (program, chosen_by) = (self.program, &judgement.chosen_by);
        if chosen_by.starts_with("--subject") {
            return format!("{program} run {chosen_by} {options}");
        }
        format!("{program} run {options} {chosen_by}")
    }
}
