//! `purlin-sweep`: kills at every instruction of what is asked for, and says what came of it.

use std::path::Path;
use std::process::ExitCode;

use purlin_sweep::controller::{Controller, Tally};
use purlin_sweep::faults::{self, Fault, Nursery};
use purlin_sweep::plan::Plan;
use purlin_sweep::report::{Report, not_made, nothing_wrong};
use purlin_sweep::scenarios;
use purlin_sweep::stage::{Scenario, Sweep};

mod command_line;
use command_line::{Mode, Order, SoakOrder, SweepOrder};

fn main() -> ExitCode {
    purlin_process::init(); // of children that a scenario spawns this does not return
    let outcome = match command_line::parse() {
        Ok(Order::Help) => {
            print!("{}", command_line::HELP);
            Ok(true)
        }
        Ok(Order::List) => {
            for scenario in scenarios::all() {
                println!("{:24} {}", scenario.name, scenario.about);
            }
            Ok(true)
        }
        Ok(Order::Sweep(order)) => sweep(&order),
        Ok(Order::Soak(order)) => Ok(soak(&order)),
        Ok(Order::Faults(names)) => try_out_faults(&names),
        Err(says) => {
            eprintln!("purlin-sweep: {says}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("purlin-sweep: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Hammers, and says what came of it.
fn soak(order: &SoakOrder) -> bool {
    let (seconds, seed) = (order.length.as_secs(), order.seed);
    let every = order.period.as_millis();
    println!("soak: {seconds} s each, a kill every {every} ms, seed {seed}");
    let mut is_good = true;
    for kind in &order.kinds {
        let name = kind.name;
        match kind.soak(order.length, order.period, seed) {
            Ok(soaked) => println!("{name}: ok; {soaked}"),
            Err(failure) => {
                let again =
                    format!("cargo xtask soak {seconds} {name} --every {every} --seed {seed}");
                println!("{name}: {failure}; again: {again}");
                is_good = false;
            }
        }
    }
    is_good
}

/// Plants each fault, and says as what it was noticed.
fn try_out_faults(names: &[String]) -> std::io::Result<bool> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let faults = faults::read(&workspace)?;
    let nursery = Nursery::new(&workspace);
    let mut is_good = true;
    let is_chosen = |fault: &&Fault| names.is_empty() || names.contains(&fault.name);
    for fault in faults.iter().filter(is_chosen) {
        let tried = nursery.try_out(fault, &faults, |noticed| {
            println!("{}", noticed.line);
            is_good &= noticed.is_good;
        });
        if let Err(error) = tried {
            println!("{:34} not tried: {error}", fault.name);
            is_good = false;
        }
    }
    Ok(is_good)
}

fn sweep(order: &SweepOrder) -> std::io::Result<bool> {
    let controller = Controller::new(order.failure_count_max)?;
    if let Some(plan) = order.point {
        let points = order.scenarios.iter().map(|scenario| point(&controller, scenario, plan));
        return Ok(points.fold(true, |so_far, is_good| so_far & is_good));
    }
    let mut report = Report::default();
    let (mut is_good, mut made_count, mut not_made_count) = (true, 0, 0);
    for scenario in &order.scenarios {
        let tally = sweep_one(&controller, &mut report, scenario, order);
        match tally.filter(|tally| !tally.is_not_made) {
            Some(tally) => (made_count, is_good) = (made_count + 1, is_good & tally.is_good()),
            None => not_made_count += 1,
        }
    }
    println!("{made_count} scenarios {}, {not_made_count} not made", order.mode.word());
    Ok(is_good)
}

fn point(controller: &Controller, scenario: &Scenario, plan: Plan) -> bool {
    let found = controller.point(scenario, plan);
    let shown = found.as_ref().map(|found| Report::default().found(scenario, found));
    print!("{}", shown.unwrap_or_else(|| nothing_wrong(scenario, plan)));
    found.is_none()
}

/// What came of one scenario; none where there is nothing in it to be swept so, which is said.
fn sweep_one(
    controller: &Controller,
    report: &mut Report,
    scenario: &Scenario,
    order: &SweepOrder,
) -> Option<Tally> {
    let what = order.mode.word();
    if let Some(why) = why_not(order.mode, scenario.sweep) {
        print!("{}", not_made(scenario, what, why));
        return None;
    }
    let tally = match order.mode {
        Mode::Single => controller.singles(scenario, order.density),
        Mode::Double => controller.doubles(scenario, order.density),
        Mode::Pauses => controller.pauses(scenario, order.density),
    };
    print!("{}", report.tally(scenario, what, &tally));
    Some(tally)
}

/// Why a scenario has nothing that could be swept so.
const fn why_not(mode: Mode, sweep: Sweep) -> Option<&'static str> {
    match (mode, sweep) {
        (Mode::Single, Sweep::Single | Sweep::Long | Sweep::Double | Sweep::Whole)
        | (Mode::Double, Sweep::Double)
        | (Mode::Pauses, Sweep::Double | Sweep::Still) => None,
        (Mode::Double, Sweep::Single | Sweep::Long) => Some("it has no second"),
        (Mode::Pauses, Sweep::Single | Sweep::Long) => Some("nobody else acts in it"),
        (Mode::Single | Mode::Double, Sweep::Still) => Some("it would be its neighbour's again"),
        (Mode::Double | Mode::Pauses, Sweep::Whole) => Some("nobody is stepped in it"),
    }
}
