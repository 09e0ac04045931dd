//! One JSON line a verdict, one a case whose verdict changed from run to run, and one with totals
//! at the end of each subject. The format has its own section in `docs/protocol.md`; fields and
//! kinds of lines are added, never changed.

use serde::Serialize;

use super::text::Row;
use crate::catalogue::Catalogue;
use crate::judgement::{Change, Judgement, Line, Standing};
use crate::verdict::Verdict;

/// The lines of all subjects that were judged.
pub fn lines(rows: &[Row], catalogue: &Catalogue) -> String {
    let judged = rows.iter().filter_map(Row::judgement);
    judged.map(|judgement| subject(judgement, catalogue)).collect()
}

fn subject(judgement: &Judgement, catalogue: &Catalogue) -> String {
    let verdicts = judgement.lines.iter().map(|found| line(&VerdictLine::of(judgement, found)));
    let changes = judgement.changes.iter().map(|found| line(&ChangedLine::of(judgement, found)));
    let total = line(&TotalLine::of(judgement, catalogue));
    verdicts.chain(changes).chain([total]).collect()
}

fn line(line: &impl Serialize) -> String {
    // Nothing in it is a map with keys that are no text, so it can be written.
    serde_json::to_string(line).map_or_else(|_| String::new(), |text| text + "\n")
}

#[derive(Serialize)]
struct VerdictLine<'a> {
    kind: &'a str,
    subject: &'a str,
    group: &'a str,
    behaviour: &'a str,
    case: Option<&'a str>,
    level: &'a str,
    verdict: &'a str,
    expected: &'a str,
    millis: u64,
    detail: Option<&'a str>,
    form: Option<&'a str>,
    standing: &'a str,
    reason: Option<&'a str>,
    seed: u64,
}

impl<'a> VerdictLine<'a> {
    fn of(judgement: &'a Judgement, line: &'a Line) -> Self {
        let asked = judgement.outcomes.iter().find(|asked| line.is_of(asked));
        Self {
            kind: "verdict",
            subject: &judgement.hello.name,
            group: &line.group,
            behaviour: &line.behaviour,
            case: line.case.as_deref(),
            level: line.level.slug(),
            verdict: line.verdict.slug(),
            expected: line.expected.slug(),
            millis: line.millis,
            detail: line.detail.as_deref(),
            form: line.form.as_deref(),
            standing: line.standing.slug(),
            reason: line.reason.as_deref(),
            seed: asked.map_or(judgement.seeds[0], |asked| asked.seed),
        }
    }
}

#[derive(Serialize)]
struct ChangedLine<'a> {
    kind: &'a str,
    subject: &'a str,
    case: &'a str,
    form: &'a str,
    known: bool,
    runs: Vec<RunOfChange<'a>>,
}

#[derive(Serialize)]
struct RunOfChange<'a> {
    seed: u64,
    verdict: &'a str,
}

impl<'a> ChangedLine<'a> {
    fn of(judgement: &'a Judgement, change: &'a Change) -> Self {
        let run =
            |(seed, verdict): &(u64, Verdict)| RunOfChange { seed: *seed, verdict: verdict.slug() };
        Self {
            kind: "changed",
            subject: &judgement.hello.name,
            case: &change.case,
            form: &change.form,
            known: change.is_known,
            runs: change.verdicts.iter().map(run).collect(),
        }
    }
}

#[derive(Serialize)]
struct TotalLine<'a> {
    kind: &'a str,
    subject: &'a str,
    kept: usize,
    prevented: usize,
    broken: usize,
    hung: usize,
    died: usize,
    unsupported: usize,
    error: usize,
    untested: usize,
    unexpected: usize,
    seed: u64,
    catalogue: &'a str,
    purlin: &'a str,
    version: &'a str,
    not_judged: usize,
    scaled: usize,
    runs: usize,
    changed: usize,
}

impl<'a> TotalLine<'a> {
    fn of(judgement: &'a Judgement, catalogue: &'a Catalogue) -> Self {
        let count = |verdict| judgement.count(verdict);
        Self {
            kind: "total",
            subject: &judgement.hello.name,
            kept: count(Verdict::Kept),
            prevented: count(Verdict::Prevented),
            broken: count(Verdict::Broken),
            hung: count(Verdict::Hung),
            died: count(Verdict::Died),
            unsupported: count(Verdict::Unsupported),
            error: count(Verdict::Error),
            untested: count(Verdict::Untested),
            unexpected: judgement.unexpected_count(),
            seed: judgement.seeds[0],
            catalogue: catalogue.version(),
            purlin: env!("CARGO_PKG_VERSION"),
            version: &judgement.hello.version,
            not_judged: judgement.standing_count(Standing::NotJudged),
            scaled: judgement.outcomes.iter().filter(|asked| asked.outcome.is_scaled).count(),
            runs: judgement.seeds.len(),
            changed: judgement.changes.len(),
        }
    }
}
