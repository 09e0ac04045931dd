//! How what came stands to what was known.

use crate::catalogue::Level;
use crate::expect::{Deviation, Expectations};
use crate::judgement::{Line, Standing};
use crate::protocol::Hello;
use crate::suite::Suite;
use crate::verdict::Verdict;

/// Settles the standing of all lines of one subject.
pub(crate) fn settle(
    suite: &Suite,
    hello: &Hello,
    expectations: &Expectations,
    lines: &mut [Line],
) {
    for line in lines.iter_mut() {
        line.standing = alone(line, hello, expectations);
    }
    for known in expectations.deviations() {
        for id in &known.behaviours {
            if is_stale(suite, hello, known, id, lines) {
                let covered = lines.iter_mut().filter(|line| is_covered(line, known, id));
                covered.for_each(|line| line.standing = Standing::Unexpected);
            }
        }
    }
}

/// A line that is kept although its behaviour has an entry may be as expected: another case or
/// form may show the deviation.
fn alone(line: &Line, hello: &Hello, expectations: &Expectations) -> Standing {
    let verdict = line.verdict;
    let (Some(case), Some(form)) = (&line.case, &line.form) else { return Standing::AsExpected };
    if let Some(known) = expectations.of(&line.behaviour, case, form) {
        return match verdict {
            _ if verdict == known.verdict => Standing::Known,
            // Nothing was seen that the list could be wrong about.
            Verdict::Untested => Standing::AsExpected,
            _ if verdict.is_good() => Standing::AsExpected,
            _ => Standing::Unexpected,
        };
    }
    // Who has a list says there, too, what is not offered of the kinds that there are.
    let is_kind = hello.objects.contains_key(form) || hello.forms.contains_key(form);
    let is_missing = expectations.is_listed
        && is_kind
        && verdict == Verdict::Unsupported
        && Verdict::Broken.fails(line.level);
    let level = if expectations.is_of_all_levels { Level::Must } else { line.level };
    match verdict {
        Verdict::Died | Verdict::Error => Standing::Unexpected,
        _ if !verdict.fails(level) && !is_missing => Standing::AsExpected,
        _ if expectations.knows_version => Standing::Unexpected,
        _ => Standing::NotJudged,
    }
}

/// An entry is stale when everything that it speaks of was asked, and all of it is kept; one whose
/// deviation takes a chance never is.
fn is_stale(
    suite: &Suite,
    hello: &Hello,
    known: &Deviation,
    behaviour: &str,
    lines: &[Line],
) -> bool {
    let covered: Vec<&Line> =
        lines.iter().filter(|line| is_covered(line, known, behaviour)).collect();
    let questions = suite.questions(hello).into_iter().filter(|(case, form)| {
        case.shows.iter().any(|id| id == behaviour) && known.covers(behaviour, &case.id, form)
    });
    !known.by_chance
        && !covered.is_empty()
        && covered.len() == questions.count()
        && covered.iter().all(|line| line.verdict.is_good())
}

fn is_covered(line: &Line, known: &Deviation, behaviour: &str) -> bool {
    let (Some(case), Some(form)) = (&line.case, &line.form) else { return false };
    line.behaviour == behaviour && known.covers(behaviour, case, form)
}
