//! What was asked on the command line.

use lexopt::Arg::{Long, Short, Value};
use lexopt::ValueExt;

use purlin_sweep::controller::Density;
use purlin_sweep::plan::Plan;
use purlin_sweep::scenarios;
use purlin_sweep::stage::Scenario;

/// What to do.
pub(crate) enum Order {
    Sweep(SweepOrder),
    List,
    Help,
}

/// What to sweep, and how closely.
pub(crate) struct SweepOrder {
    pub(crate) scenarios: Vec<Scenario>,
    pub(crate) density: Density,
    pub(crate) is_second: bool,
    pub(crate) point: Option<Plan>,
    pub(crate) failure_count_max: usize,
}

/// The text of `--help`.
pub(crate) const HELP: &str = "\
Kills at every instruction, and looks whether the survivors mind.

  purlin-sweep [SCENARIO]…           all of them, when none is named
    --stride N         every N-th instruction only
    --points N         about N points of each scenario, and every system call
    --second           kill whoever finds the remains, too
    --point POINT      one point: 120, 120+30us, 120+asleep, 120/33, lives
    --failures N       leave a scenario after N failures (16)
  purlin-sweep --list                what there is
";

pub(crate) fn parse() -> Result<Order, String> {
    parse_from(lexopt::Parser::from_env()).map_err(|error| error.to_string())
}

fn parse_from(mut parser: lexopt::Parser) -> Result<Order, lexopt::Error> {
    let mut order = SweepOrder {
        scenarios: Vec::new(),
        density: Density::Stride(1),
        is_second: false,
        point: None,
        failure_count_max: 16,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Order::Help),
            Long("list") => return Ok(Order::List),
            Long("stride") => order.density = Density::Stride(parser.value()?.parse()?),
            Long("points") => order.density = Density::Points(parser.value()?.parse()?),
            Long("second") => order.is_second = true,
            Long("point") => order.point = Some(parser.value()?.parse()?),
            Long("failures") => order.failure_count_max = parser.value()?.parse()?,
            Value(name) => order.scenarios.push(named(&name.string()?)?),
            other => return Err(other.unexpected()),
        }
    }
    if order.scenarios.is_empty() {
        order.scenarios = scenarios::all();
    }
    Ok(Order::Sweep(order))
}

fn named(name: &str) -> Result<Scenario, lexopt::Error> {
    let found = scenarios::all().into_iter().find(|scenario| scenario.name == name);
    found.ok_or_else(|| format!("there is no scenario `{name}`; --list shows them").into())
}
