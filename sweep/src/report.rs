//! What the reader gets: a line a scenario, and for each failure where it was and how to see it
//! again.

use std::collections::BTreeMap;

use crate::controller::{Found, Tally};
use crate::limits::SHOWN_COUNT;
use crate::plan::{Fate, Kill, Plan};
use crate::stage::{Scenario, Sweep};
use crate::symbols::Symbols;

/// Writes what came of scenarios, and knows the names of addresses.
#[derive(Debug, Default)]
pub struct Report {
    symbols: Symbols,
}

impl Report {
    /// One scenario: a line of figures, then what was found.
    pub fn tally(&mut self, scenario: &Scenario, what: &str, tally: &Tally) -> String {
        if tally.is_not_made {
            return not_made(scenario, what, NO_TRACING);
        }
        let verdict = if tally.is_good() { "ok".to_owned() } else { counts(&tally.found) };
        let stuck = match tally.stuck_count {
            0 => String::new(),
            count => format!("; in {count} of them a step sleeps for good"),
        };
        let stuck = match tally.off_path_count {
            0 => stuck,
            count => format!("{stuck}; {count} were stepped whole"),
        };
        let extent = match scenario.sweep {
            Sweep::Whole => format!("{:6} rounds      ", tally.round_count),
            Sweep::Long if tally.step_count == 0 => {
                format!("{:6} system calls", tally.call_count)
            }
            _ => format!("{:6} instructions", tally.step_count),
        };
        let mut text = format!(
            "{:24} {what} {:6} points {extent}  {:6.1} s  {verdict}{stuck}\n",
            scenario.name,
            tally.point_count,
            tally.took.as_secs_f64()
        );
        for found in tally.found.iter().take(SHOWN_COUNT) {
            text += &self.found(scenario, found);
        }
        if tally.found.len() > SHOWN_COUNT {
            text += &format!("    and {} more\n", tally.found.len() - SHOWN_COUNT);
        }
        text
    }

    /// One failure.
    pub fn found(&mut self, scenario: &Scenario, found: &Found) -> String {
        let mut text = format!("    {}\n", found.failure);
        if found.is_unkilled {
            text += "      although nobody was killed\n";
        } else {
            text += &self.place("victim", found.plan.victim, found, 0);
            text += &self.place("second", found.plan.second, found, 1);
        }
        let plan = found.plan;
        text + &format!("      again: cargo xtask sweep {} --point {plan}\n", scenario.name)
    }

    fn place(&mut self, role: &str, fate: Fate, found: &Found, index: usize) -> String {
        let (what, after) = match fate {
            Fate::Dies(kill) if kill.calls > 0 => {
                let after =
                    format!("{} system calls and {}", kill.calls, Kill { calls: 0, ..kill });
                ("was killed", after)
            }
            Fate::Dies(kill) => ("was killed", kill.to_string()),
            Fate::StandsStill { steps } => ("stood still", steps.to_string()),
            Fate::Absent | Fate::Lives => return String::new(),
        };
        let name = self.symbols.name(found.addresses[index]);
        let call = found.system_calls[index]
            .map_or(String::new(), |number| format!(", system call {number}"));
        format!("      the {role} {what} after {after} instructions, at {name}{call}\n")
    }
}

/// Why nothing is made where nobody can be stepped.
pub const NO_TRACING: &str = "the system does not let us trace, or this is no x86-64";

/// A scenario of which this was not made.
#[must_use]
pub fn not_made(scenario: &Scenario, what: &str, why: &str) -> String {
    format!("{:24} {what} not made: {why}\n", scenario.name)
}

/// `3 hang, 1 lost`.
fn counts(found: &[Found]) -> String {
    let mut counts = BTreeMap::new();
    for one in found {
        *counts.entry(one.failure.kind).or_insert(0) += 1;
    }
    let parts: Vec<_> = counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let unkilled = found.iter().any(|one| one.is_unkilled);
    format!("{}{}", parts.join(", "), if unkilled { " (unkilled)" } else { "" })
}

/// What a single point says when nothing is wrong there.
#[must_use]
pub fn nothing_wrong(scenario: &Scenario, plan: Plan) -> String {
    format!("{} --point {plan}: ok\n", scenario.name)
}
