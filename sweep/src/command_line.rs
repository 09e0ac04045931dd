//! What was asked on the command line.

use std::time::{Duration, SystemTime};

use lexopt::Arg::{Long, Short, Value};
use lexopt::ValueExt;

use purlin_sweep::KILL_PERIOD;
use purlin_sweep::plan::Plan;
use purlin_sweep::scenarios;
use purlin_sweep::soak::{KINDS, Kind};
use purlin_sweep::stage::Scenario;
use purlin_sweep::walk::Density;

/// What to do.
pub(crate) enum Order {
    Sweep(SweepOrder),
    /// Try out the planted faults: those that are named, or all.
    Faults(Vec<String>),
    Soak(SoakOrder),
    List,
    Help,
}

/// What happens at each point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The victim is killed.
    Single,
    /// The victim is killed, and who finds its remains.
    Double,
    /// The victim stands still while another acts.
    Pauses,
}

impl Mode {
    /// What is done to the victims.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Double => "second",
            Self::Pauses => "paused",
        }
    }
}

/// What to sweep, and how closely.
pub(crate) struct SweepOrder {
    pub(crate) scenarios: Vec<Scenario>,
    pub(crate) density: Density,
    pub(crate) mode: Mode,
    pub(crate) point: Option<Plan>,
    pub(crate) failure_count_max: usize,
}

/// What to hammer, and for how long each.
pub(crate) struct SoakOrder {
    pub(crate) kinds: Vec<Kind>,
    pub(crate) length: Duration,
    pub(crate) period: Duration,
    pub(crate) seed: u64,
}

/// Points of each role in a sweep of second deaths: a thousand pairs, about a minute.
const SECOND_POINT_COUNT: u64 = 30;

/// The text of `--help`.
pub(crate) const HELP: &str = "\
Kills at every instruction, and looks whether the survivors mind.

  purlin-sweep [SCENARIO]…           all of them, when none is named
    --stride N         every N-th instruction only
    --points N         about N points of each scenario, and every system call
    --changes          only where what others can see has changed: in between a death makes no
                       difference to them. With --stride, every N-th of these. Not for --pauses,
                       where it matters what the victim has looked at
    --second           kill whoever finds the remains, too: 30 points of each, if not told
    --pauses           kill nobody: the victim stands still at each instruction, while another
                       does all it can to the same objects, and goes on then
    --point POINT      one point: 120, 120+30us, 120+asleep, 120/33, 120+still, lives
    --failures N       leave a scenario after N failures (16)
  purlin-sweep --list                what there is
  purlin-sweep --soak SECONDS [KIND]…
                       hammers an object of each kind, or of those named, for so long; kills one of
                       those who do every 10 ms, and replaces it
    --every MS         kills one every MS milliseconds
    --seed N           whom, and when; printed otherwise
  purlin-sweep --faults [FAULT]…     plants faults in a copy of the sources: is each noticed?
";

pub(crate) fn parse() -> Result<Order, String> {
    parse_from(lexopt::Parser::from_env()).map_err(|error| error.to_string())
}

fn parse_from(mut parser: lexopt::Parser) -> Result<Order, lexopt::Error> {
    let (mut density, mut looks_at_changes) = (None, false);
    let mut order = SweepOrder {
        scenarios: Vec::new(),
        density: Density::Stride(1),
        mode: Mode::Single,
        point: None,
        failure_count_max: 16,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Order::Help),
            Long("list") => return Ok(Order::List),
            Long("soak") => return soak(parser),
            Long("faults") => return names(parser).map(Order::Faults),
            Long("stride") => density = Some(Density::Stride(parser.value()?.parse()?)),
            Long("points") => density = Some(Density::Points(parser.value()?.parse()?)),
            Long("changes") => looks_at_changes = true,
            Long("second") if order.mode != Mode::Pauses => order.mode = Mode::Double,
            Long("pauses") if order.mode != Mode::Double => order.mode = Mode::Pauses,
            Long("second" | "pauses") => return Err("either --second or --pauses".into()),
            Long("point") => order.point = Some(parser.value()?.parse()?),
            Long("failures") => order.failure_count_max = parser.value()?.parse()?,
            Value(name) => order.scenarios.push(named(&name.string()?)?),
            other => return Err(other.unexpected()),
        }
    }
    if looks_at_changes {
        density = Some(changes(order.mode, density)?);
    }
    order.density = density.unwrap_or(match order.mode {
        Mode::Double => Density::Points(SECOND_POINT_COUNT),
        Mode::Single | Mode::Pauses => Density::Stride(1),
    });
    if order.scenarios.is_empty() {
        order.scenarios = scenarios::all();
    }
    Ok(Order::Sweep(order))
}

/// Of changes, as many as a stride leaves.
fn changes(mode: Mode, density: Option<Density>) -> Result<Density, lexopt::Error> {
    match density {
        _ if mode == Mode::Pauses => Err("--changes is not for --pauses".into()),
        None => Ok(Density::Changes(1)),
        Some(Density::Stride(stride)) => Ok(Density::Changes(stride)),
        Some(_) => Err("--changes may have a --stride, and no --points".into()),
    }
}

fn soak(mut parser: lexopt::Parser) -> Result<Order, lexopt::Error> {
    let length = Duration::from_secs(parser.value()?.parse()?);
    let (mut kinds, mut period) = (Vec::new(), KILL_PERIOD);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let mut seed = now.map_or(1, |since| u64::from(since.subsec_nanos()));
    while let Some(argument) = parser.next()? {
        match argument {
            Long("seed") => seed = parser.value()?.parse()?,
            Long("every") => period = Duration::from_millis(parser.value()?.parse()?),
            Value(name) => kinds.push(soaked(&name.string()?)?),
            other => return Err(other.unexpected()),
        }
    }
    if kinds.is_empty() {
        kinds = KINDS.to_vec();
    }
    Ok(Order::Soak(SoakOrder { kinds, length, period, seed }))
}

fn names(mut parser: lexopt::Parser) -> Result<Vec<String>, lexopt::Error> {
    let mut names = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Value(name) => names.push(name.string()?),
            other => return Err(other.unexpected()),
        }
    }
    Ok(names)
}

fn soaked(name: &str) -> Result<Kind, lexopt::Error> {
    let known = || KINDS.map(|kind| kind.name).join(", ");
    Kind::named(name).ok_or_else(|| format!("no soak of `{name}`; there are {}", known()).into())
}

fn named(name: &str) -> Result<Scenario, lexopt::Error> {
    scenarios::named(name)
        .ok_or_else(|| format!("there is no scenario `{name}`; --list shows them").into())
}
