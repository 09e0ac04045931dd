//! `purlin-sweep`: kills at every instruction of what is asked for, and says what came of it.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use purlin_sweep::controller::Controller;
use purlin_sweep::faults::{self, Fault, Nursery};
use purlin_sweep::report::{Report, nothing_wrong};
use purlin_sweep::scenarios;
use purlin_sweep::soak;
use purlin_sweep::stage::{Scenario, Sweep};

mod command_line;
use command_line::{Mode, Order, SweepOrder};

fn main() -> ExitCode {
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
        Ok(Order::Soak { seconds, seed }) => Ok(soak_for(seconds, seed)),
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
fn soak_for(seconds: u64, seed: u64) -> bool {
    println!("soak: {seconds} s, seed {seed}");
    match soak::soak(Duration::from_secs(seconds), seed) {
        Ok(soaked) => {
            println!(
                "soak: ok; {} killed, {} of them holding or about to, {} visits, {} deaths told",
                soaked.killed_count, soaked.holder_count, soaked.visit_count, soaked.told_count
            );
            true
        }
        Err(failure) => {
            println!("soak: {failure}; again: cargo xtask soak {seconds} --seed {seed}");
            false
        }
    }
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
    let mut report = Report::default();
    let mut is_good = true;
    for scenario in &order.scenarios {
        is_good &= sweep_one(&controller, &mut report, scenario, order);
    }
    Ok(is_good)
}

fn sweep_one(
    controller: &Controller,
    report: &mut Report,
    scenario: &Scenario,
    order: &SweepOrder,
) -> bool {
    if let Some(plan) = order.point {
        let found = controller.point(scenario, plan);
        let shown = found.as_ref().map(|found| report.found(scenario, found));
        print!("{}", shown.unwrap_or_else(|| nothing_wrong(scenario, plan)));
        return found.is_none();
    }
    if order.mode != Mode::Single && scenario.sweep != Sweep::Double {
        return true; // nobody else comes
    }
    let (what, tally) = match order.mode {
        Mode::Single => ("single", controller.singles(scenario, order.density)),
        Mode::Double => ("double", controller.doubles(scenario, order.density)),
        Mode::Pauses => ("paused", controller.pauses(scenario, order.density)),
    };
    print!("{}", report.tally(scenario, what, &tally));
    tally.is_good()
}
