//! What did not come the same in every run.

use std::fmt::Write as _;

use super::deviation::Again;
use super::plain::in_line;
use super::text::{counted, form_of};
use crate::judgement::{Change, Judgement};
use crate::limits::SEED;

/// Each change of one subject, with the seeds of each verdict.
pub(super) fn changed(again: &Again<'_>, judgement: &Judgement) -> String {
    if judgement.changes.is_empty() {
        return String::new();
    }
    let count = counted(judgement.seeds.len(), "run");
    let mut text =
        format!("\n{} does not answer the same in {count}\n", in_line(&judgement.hello.name));
    for change in &judgement.changes {
        let known = if change.is_known { ", known to depend on chance" } else { "" };
        let name = form_of(&change.case, &change.form);
        let _ = writeln!(text, "    {name}: {}{known}", verdicts(change));
        let _ = writeln!(text, "        again: {}", command(again, judgement, change));
    }
    text
}

/// `kept (seeds 1, 2, 4), hung (seed 3)`.
pub(super) fn verdicts(change: &Change) -> String {
    let mut found = Vec::new();
    for (_, verdict) in &change.verdicts {
        if !found.contains(verdict) {
            found.push(*verdict);
        }
    }
    let shown = found.into_iter().map(|verdict| {
        let own = change.verdicts.iter().filter(|(_, other)| *other == verdict);
        let seeds: Vec<u64> = own.map(|(seed, _)| *seed).collect();
        format!("{} ({})", verdict.slug(), self::seeds(&seeds))
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// `seed 3`, `seeds 1, 2, 4`, `seeds 1 to 8`.
pub(super) fn seeds(seeds: &[u64]) -> String {
    let follows = |pair: &[u64]| pair[0].checked_add(1) == Some(pair[1]);
    match seeds {
        [one] => format!("seed {one}"),
        [first, .., last] if seeds.len() > 2 && seeds.windows(2).all(follows) => {
            format!("seeds {first} to {last}")
        }
        _ => {
            let shown: Vec<String> = seeds.iter().map(u64::to_string).collect();
            format!("seeds {}", shown.join(", "))
        }
    }
}

/// The command that asks this case as often, from the same seed.
pub(super) fn command(again: &Again<'_>, judgement: &Judgement, change: &Change) -> String {
    let first = judgement.seeds.first().copied().unwrap_or(SEED);
    let mut more = format!(" --repeat {}", judgement.seeds.len());
    if first != SEED {
        let _ = write!(more, " --seed {first}");
    }
    again.command_of(judgement, &change.case, &change.form, &more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_said_shortly() {
        assert_eq!(seeds(&[3]), "seed 3");
        assert_eq!(seeds(&[1, 2]), "seeds 1, 2");
        assert_eq!(seeds(&[1, 2, 3]), "seeds 1 to 3");
        assert_eq!(seeds(&[1, 2, 4]), "seeds 1, 2, 4");
        assert_eq!(seeds(&[u64::MAX, 0, 1]), format!("seeds {}, 0, 1", u64::MAX));
    }
}
