//! Each promise that is not kept: the sentence, the script with the line that failed, what was
//! expected, what came, why as far as known, and the command that repeats exactly this.

use std::fmt::Write as _;

use super::marked;
use super::plain::in_line;
use super::text::case_name;
use crate::contract::forms;
use crate::judgement::{CaseOutcome, Judgement, Line, Standing};
use crate::limits::SEED;
use crate::suite::Suite;
use crate::verdict::Verdict;

/// What it takes to say how something is repeated.
pub(super) struct Again<'a> {
    pub(super) suite: &'a Suite,
    /// What starts this program, for a shell.
    pub(super) program: &'a str,
}

/// All that came so and is not kept, case by case.
pub(super) fn of_standing(again: &Again<'_>, judgement: &Judgement, standing: Standing) -> String {
    let outcomes = judgement.outcomes.iter().filter(|asked| asked.standing == standing);
    outcomes.map(|asked| block(again, judgement, asked)).collect()
}

/// Whatever was expected to fail and did not.
pub(super) fn stale(judgement: &Judgement) -> String {
    let mut text = String::new();
    let is_stale = |line: &&Line| line.standing == Standing::Unexpected && line.reason.is_some();
    for line in judgement.lines.iter().filter(is_stale) {
        let (name, expected) = (in_line(&judgement.hello.name), line.expected.slug());
        let case = line.case.as_deref().unwrap_or_default();
        let form = in_line(line.form.as_deref().unwrap_or_default());
        let _ = writeln!(
            text,
            "\n{name}  {}: expect/ says {expected}, and it is {} in {case} ({form}); correct the \
             list",
            line.behaviour,
            line.verdict.slug(),
        );
    }
    text
}

fn block(again: &Again<'_>, judgement: &Judgement, asked: &CaseOutcome) -> String {
    let Some(stop) = &asked.outcome.stop else { return String::new() };
    let verdict = asked.outcome.verdict;
    let is_counted = matches!(verdict, Verdict::Prevented | Verdict::Unsupported);
    if is_counted && asked.standing != Standing::Unexpected {
        return String::new();
    }
    let name = in_line(&judgement.hello.name);
    let standing = standing(judgement, asked);
    let mut text = format!("\n{name}  {}  {}{standing}\n", case_name(asked), verdict.slug());
    let lines: Vec<&Line> = judgement.lines_of(asked).collect();
    for line in &lines {
        let says = again.suite.catalogue.behaviour(&line.behaviour).map_or("", |found| &found.says);
        let _ = writeln!(text, "    {} ({}): {says}", line.behaviour, line.level.slug());
    }
    let mut reasons: Vec<&String> = lines
        .iter()
        .filter(|line| line.standing == Standing::Known)
        .filter_map(|line| line.reason.as_ref())
        .collect();
    reasons.dedup();
    for reason in reasons {
        let _ = writeln!(text, "    known: {reason}");
    }
    let case = again.suite.cases.iter().find(|case| case.id == asked.case);
    let script = case.map_or("", |case| case.text.as_str());
    let _ = write!(text, "\n{}", marked::script(script, stop));
    let _ = writeln!(text, "    again: {}", again.command(judgement, asked));
    text
}

fn standing(judgement: &Judgement, asked: &CaseOutcome) -> String {
    match asked.standing {
        Standing::Known => ", as known".to_owned(),
        Standing::NotJudged => {
            format!(", not judged for version {}", in_line(&judgement.hello.version))
        }
        Standing::AsExpected => ", which fails no run".to_owned(),
        Standing::Unexpected => String::new(),
    }
}

impl Again<'_> {
    /// The command that repeats one case.
    fn command(&self, judgement: &Judgement, asked: &CaseOutcome) -> String {
        let mut options = format!("--case {}", asked.case);
        let group = asked.case.split('/').next().unwrap_or_default();
        if forms(&judgement.hello, group).len() > 1 {
            let _ = write!(options, " --form {}", super::shell::quoted(&asked.form));
        }
        if judgement.seed != SEED {
            let _ = write!(options, " --seed {}", judgement.seed);
        }
        let (program, chosen_by) = (self.program, &judgement.chosen_by);
        if chosen_by.starts_with("--subject") {
            return format!("{program} run {chosen_by} {options}");
        }
        format!("{program} run {options} {chosen_by}")
    }
}
