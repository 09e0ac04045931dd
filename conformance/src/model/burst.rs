//! Bursts: several actors call at the same time, some are killed, and whether what they were told
//! fits together is decided afterwards, over the whole history.

use std::fmt;

use super::call::{Limit, Op};
use super::draw::{self, Draw};
use super::drive::Drive;
use super::ground::Ground;
use super::history::HistoryOf;
use super::kind::{Kind, State};
use super::linear::Refusal;
use super::shown::shown_op;
use super::stage::SLOT_NAMES;
use crate::subject::{AdapterCommand, Blame, Fault};

/// What a burst does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Burst {
    /// What the object is.
    pub model: Kind,
    /// The calls of each actor, one after the other.
    pub lines: Vec<Vec<Op>>,
    /// How it begins.
    pub crowd: Crowd,
    /// Who is killed on the way.
    pub kills: Vec<Kill>,
}

/// How a burst begins. With a crowd the first call of each actor is an acquire without a limit: the
/// first actor has the object, and all others are seen to wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crowd {
    /// All begin at once.
    None,
    /// The first actor makes its second call, a release; what comes of that is looked at alone.
    Released,
    /// The first actor is killed; what comes of that is looked at alone.
    Killed,
}

/// A kill in a burst. Somebody new makes the calls that are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kill {
    /// After so many answers, whatever is under way then.
    pub after_answers_count: usize,
    /// Whose place it is.
    pub place: usize,
}

/// What came of a burst.
#[derive(Debug, Clone, PartialEq)]
pub enum BurstEnd {
    /// There is an order that explains it.
    Explained(Log),
    /// There is none.
    Refused(Log, Refusal<State>),
    /// Somebody was told what no object tells, or a time limit was cut short.
    Wrong(String),
    /// The subject does not offer a call.
    Unsupported(String),
    /// The adapter or an actor ended unasked, fell silent or broke the protocol.
    Died(String),
    /// The suite itself failed.
    Error(String),
}

/// A history, and who stands behind its lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Log {
    /// What the object is called.
    pub object: &'static str,
    /// What happened.
    pub history: HistoryOf<Kind>,
    /// The name of each line's actor.
    pub names: Vec<String>,
}

impl Burst {
    /// Draws a burst.
    #[must_use]
    pub fn draw(draw: &mut Draw, ground: &Ground) -> Self {
        let model = ground.model.resized(draw);
        let line_count = draw.weighted(&[(15, 2), (35, 3), (50, 4)]);
        let crowds = [(40, Crowd::None), (30, Crowd::Released), (30, Crowd::Killed)];
        let crowd = match draw.weighted(&crowds) {
            _ if !model.has_crowds() => Crowd::None,
            Crowd::Killed if !ground.has_deaths => Crowd::Released,
            crowd => crowd,
        };
        let mut lines: Vec<Vec<Op>> = (0..line_count).map(|_| line(draw, model, ground)).collect();
        if crowd != Crowd::None {
            lines.iter_mut().for_each(|line| line.insert(0, Op::Acquire(Limit::None)));
        }
        if crowd == Crowd::Released {
            lines[0].insert(1, Op::Release);
        }
        let kill_count = if !ground.has_deaths { 0 } else { draw.below(3) };
        let answers_max_count = lines.iter().map(Vec::len).sum::<usize>().max(1);
        let kills = (0..kill_count).map(|_| Kill {
            after_answers_count: draw.below(answers_max_count),
            place: draw.below(line_count),
        });
        let kills = kills.collect();
        Self { model, lines, crowd, kills }
    }

    /// Runs it in an adapter of its own.
    #[must_use]
    pub fn run(&self, command: &AdapterCommand, ground: &Ground) -> BurstEnd {
        Drive::whole(command, ground, self).unwrap_or_else(|end| end)
    }
}

/// Mostly what a caller does that means well, with something else in between.
fn line(draw: &mut Draw, model: Kind, ground: &Ground) -> Vec<Op> {
    let mut line = Vec::new();
    for _ in 0..2 + draw.below(3) {
        if draw.percent(25) {
            line.push(draw::op(draw, model));
        }
        line.extend(model.round(draw));
    }
    line.retain(|op| ground.offers(*op) && op.has_one_point());
    line
}

impl fmt::Display for Burst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.crowd {
            Crowd::None => "all begin at once\n",
            Crowd::Released => "a has it, all others wait, a releases\n",
            Crowd::Killed => "a has it, all others wait, a is killed\n",
        })?;
        for (name, line) in SLOT_NAMES.iter().zip(&self.lines) {
            let calls: Vec<String> =
                line.iter().map(|op| shown_op(*op, self.model.names()[0])).collect();
            writeln!(f, "{name}: {}", calls.join("; "))?;
        }
        for Kill { after_answers_count, place } in &self.kills {
            writeln!(f, "after {after_answers_count} answers {} is killed", SLOT_NAMES[*place])?;
        }
        Ok(())
    }
}

impl From<Fault> for BurstEnd {
    fn from(Fault(text, blame): Fault) -> Self {
        match blame {
            Blame::Adapter => Self::Died(format!("the adapter {text}")),
            Blame::Suite => Self::Error(text),
        }
    }
}

impl fmt::Display for BurstEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Explained(log) => write!(f, "an order explains it\n{}", log.shown(None)),
            Self::Refused(log, refusal) => {
                writeln!(f, "no order of these calls explains what they were told")?;
                f.write_str(&log.shown(Some(refusal)))
            }
            Self::Wrong(what) | Self::Unsupported(what) | Self::Died(what) | Self::Error(what) => {
                f.write_str(what)
            }
        }
    }
}
