//! Interleaved rounds of rivals, as `rounds` has them of single contenders.

use core::fmt;
use core::time::Duration;
use std::io;

use crate::contended::{Actors, Contention, contend};
use crate::effort::Effort;
use crate::figures::Spread;
use crate::pair::Pair;
use crate::rounds::turns;

/// Rivals for one pair, or a peer that is not there.
pub struct Rivals<'a> {
    name: String,
    turn: Result<Turn<'a>, String>,
}

type Turn<'a> = Box<dyn Fn(Duration) -> io::Result<Contention> + 'a>;

impl<'a> Rivals<'a> {
    /// So many rivals for `pair`.
    pub fn present<P: Pair + Sync + 'a>(
        name: impl Into<String>,
        actors: Actors,
        count: u32,
        pair: P,
    ) -> Self {
        let turn = move |turn| contend(&pair, actors, count, turn);
        Self { name: name.into(), turn: Ok(Box::new(turn)) }
    }

    /// A peer that this machine does not have, or that cannot be shared like this, and why.
    pub fn absent(name: impl Into<String>, why: impl fmt::Display) -> Self {
        Self { name: name.into(), turn: Err(why.to_string()) }
    }
}

impl fmt::Debug for Rivals<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Rivals").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What the rounds have shown.
#[derive(Clone, Debug)]
pub struct ContentionTable {
    rows: Vec<(String, Result<Figures, String>)>,
    round_count: u32,
}

/// Over rounds: pairs a second, the least share, the share of handovers, the longest run.
type Figures = [Spread; 4];

impl ContentionTable {
    /// Lets every two rivals have their turn in every round. Who fails once is left out from there
    /// on, and its row says why.
    #[must_use]
    pub fn measure(effort: Effort, rivals: &mut [Rivals<'_>]) -> Self {
        let round_count = effort.round_count();
        let mut samples = vec![Vec::new(); rivals.len()];
        for index in turns(round_count, rivals.len()) {
            let Ok(turn) = &rivals[index].turn else { continue };
            match turn(effort.contended_turn()) {
                Ok(contention) => samples[index].push(contention),
                Err(error) => rivals[index].turn = Err(format!("failed: {error}")),
            }
        }
        let row = |(rivals, samples): (&Rivals<'_>, &Vec<Contention>)| {
            let why_not = rivals.turn.as_ref().err().cloned();
            let figures = why_not.map_or_else(|| over_rounds(samples), Err);
            (rivals.name.clone(), figures)
        };
        Self { rows: rivals.iter().zip(&samples).map(row).collect(), round_count }
    }
}

fn over_rounds(samples: &[Contention]) -> Result<Figures, String> {
    let spread = |field: fn(&Contention) -> f64| {
        let values: Vec<f64> = samples.iter().map(field).collect();
        Spread::of(&values).ok_or_else(|| "no rounds".to_owned())
    };
    Ok([
        spread(|sample| sample.pairs_per_second / 1e6)?,
        spread(|sample| sample.least_share * 100.0)?,
        spread(|sample| sample.handover_share * 100.0)?,
        spread(|sample| sample.longest_run as f64)?,
    ])
}

impl fmt::Display for ContentionTable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        write!(out, "{:width$}   million pairs/s (min – max)   unluckier's share", "")?;
        writeln!(out, "   handed over   longest run (max)")?;
        for (name, figures) in &self.rows {
            write!(out, "{name:width$}   ")?;
            match figures {
                Ok([pairs, least, handed, run]) => {
                    write!(out, "{:15.2} ", pairs.median)?;
                    write!(out, "{:>12}   ", format!("({:.2} – {:.2})", pairs.min, pairs.max))?;
                    write!(out, "{:15.1} %   {:9.2} %   ", least.median, handed.median)?;
                    writeln!(out, "{:9.0} ({:.0})", run.median, run.max)?;
                }
                Err(why) => writeln!(out, "absent: {why}")?,
            }
        }
        write!(out, "{} interleaved rounds, medians; a run is in pairs", self.round_count)
    }
}
