//! Interleaved rounds: what the machine does to one contender it does to all.
//!
//! Every round gives every contender one turn, each time starting with another. A ratio is taken
//! within a round, and the median is over rounds: a slow second of the machine slows both sides of
//! a ratio, and the next round decides.

use core::fmt;
use core::time::Duration;
use std::time::Instant;

use crate::effort::Effort;
use crate::figures::Spread;
use crate::limits::{FIRST_ITERATIONS, MAX_ITERATIONS};

/// Somebody who does an operation many times, or a peer that is not there.
pub struct Contender<'a> {
    name: String,
    turn: Result<Turn<'a>, String>,
}

type Turn<'a> = Box<dyn FnMut(u64) + 'a>;

impl<'a> Contender<'a> {
    /// Somebody who does `operation`. The loop around it is compiled with it: what is measured has
    /// no call through a pointer in it.
    pub fn present(name: impl Into<String>, mut operation: impl FnMut() + 'a) -> Self {
        let turn = move |iterations| {
            for _ in 0..iterations {
                operation();
            }
        };
        Self { name: name.into(), turn: Ok(Box::new(turn)) }
    }

    /// Somebody who does so many operations at once as it is told.
    pub fn whole(name: impl Into<String>, turn: impl FnMut(u64) + 'a) -> Self {
        Self { name: name.into(), turn: Ok(Box::new(turn)) }
    }

    /// A peer that this machine does not have, and why.
    pub fn absent(name: impl Into<String>, why: impl fmt::Display) -> Self {
        Self { name: name.into(), turn: Err(why.to_string()) }
    }

    /// What its row is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The time that `iterations` operations take, or none where it is absent.
    pub fn time(&mut self, iterations: u64) -> Option<Duration> {
        let turn = self.turn.as_mut().ok()?;
        let start = Instant::now();
        turn(iterations);
        Some(start.elapsed())
    }

    /// How many operations fill `turn`, about.
    fn calibrate(&mut self, turn: Duration) -> u64 {
        let mut iterations = FIRST_ITERATIONS;
        // Ends: the operations double until they take a quarter of the turn, or are too many.
        while iterations < MAX_ITERATIONS
            && self.time(iterations).is_some_and(|time| time < turn / 4)
        {
            iterations *= 2;
        }
        let time = self.time(iterations).unwrap_or(turn).as_secs_f64().max(f64::MIN_POSITIVE);
        let wanted = (iterations as f64 * turn.as_secs_f64() / time).ceil() as u64;
        wanted.clamp(1, MAX_ITERATIONS)
    }
}

impl fmt::Debug for Contender<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Contender").field("name", &self.name).finish_non_exhaustive()
    }
}

/// How many rounds, and how long a turn.
#[derive(Clone, Copy, Debug)]
pub struct Rounds {
    count: u32,
    turn: Duration,
}

impl Rounds {
    /// The rounds that an effort allows.
    #[must_use]
    pub const fn of(effort: Effort) -> Self {
        Self { count: effort.round_count(), turn: effort.turn() }
    }

    /// Lets every contender have its turn in every round. The first one is what the others are
    /// compared with.
    #[must_use]
    pub fn run(self, contenders: &mut [Contender<'_>]) -> Table {
        let iterations: Vec<u64> =
            contenders.iter_mut().map(|contender| contender.calibrate(self.turn)).collect();
        let mut samples = vec![Vec::new(); contenders.len()];
        for index in turns(self.count, contenders.len()) {
            if let Some(time) = contenders[index].time(iterations[index]) {
                samples[index].push(time.as_secs_f64() * 1e9 / iterations[index] as f64);
            }
        }
        Table::new(contenders, &samples, self.count)
    }
}

/// Whose turn it is: `rounds` times everybody, each round beginning with the next one.
pub(crate) fn turns(rounds: u32, contender_count: usize) -> impl Iterator<Item = usize> {
    (0..rounds as usize).flat_map(move |round| {
        (0..contender_count).map(move |step| (round + step) % contender_count)
    })
}

/// What the rounds have shown.
#[derive(Clone, Debug)]
pub struct Table {
    rows: Vec<Row>,
    round_count: u32,
}

/// One contender's figures, or why it has none.
#[derive(Clone, Debug)]
pub struct Row {
    /// Whose.
    pub name: String,
    /// Nanoseconds an operation.
    pub nanos: Result<Spread, String>,
    /// How many times the first contender's, round by round.
    pub ratio: Option<Spread>,
}

impl Table {
    /// How many times the first contender's operation that of `name` takes: the median over rounds.
    #[must_use]
    pub fn ratio(&self, name: &str) -> Option<f64> {
        self.rows.iter().find(|row| row.name == name)?.ratio.map(|ratio| ratio.median)
    }

    /// How many nanoseconds the operation of `name` takes: the median over rounds.
    #[must_use]
    pub fn median(&self, name: &str) -> Option<f64> {
        let row = self.rows.iter().find(|row| row.name == name)?;
        row.nanos.as_ref().ok().map(|nanos| nanos.median)
    }

    fn new(contenders: &[Contender<'_>], samples: &[Vec<f64>], round_count: u32) -> Self {
        let row = |(contender, own): (&Contender<'_>, &Vec<f64>)| Row {
            name: contender.name.clone(),
            nanos: match &contender.turn {
                Ok(_) => Spread::of(own).ok_or_else(|| "no rounds".to_owned()),
                Err(why) => Err(why.clone()),
            },
            ratio: Spread::of(&ratios(own, &samples[0])),
        };
        Self { rows: contenders.iter().zip(samples).map(row).collect(), round_count }
    }
}

fn ratios(own: &[f64], first: &[f64]) -> Vec<f64> {
    own.iter().zip(first).map(|(own, first)| own / first).collect()
}

impl fmt::Display for Table {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
        let first = self.rows.first().map_or("", |row| &row.name);
        writeln!(out, "{:width$}   median ns     min – max ns   times the first (min – max)", "")?;
        for Row { name, nanos, ratio } in &self.rows {
            match nanos {
                Ok(Spread { median, min, max }) => {
                    write!(out, "{name:width$}   {median:9.2}   {min:6.2} – {max:7.2}   ")?;
                }
                Err(why) => write!(out, "{name:width$}   absent: {why}")?,
            }
            if let Some(Spread { median, min, max }) = ratio {
                write!(out, "{median:.3} ({min:.3} – {max:.3})")?;
            }
            writeln!(out)?;
        }
        let rounds = self.round_count;
        write!(out, "{rounds} interleaved rounds; the first is {first}, compared round by round")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_round_starts_with_another_contender() {
        assert_eq!(turns(3, 3).collect::<Vec<_>>(), [0, 1, 2, 1, 2, 0, 2, 0, 1]);
    }

    #[test]
    fn absent_contender_is_a_row_that_says_so() {
        let mut contenders =
            [Contender::present("here", || ()), Contender::absent("there", "not built")];
        let table = Rounds::of(Effort::Glance).run(&mut contenders);
        assert!(table.to_string().contains("there   absent: not built"));
    }
}
