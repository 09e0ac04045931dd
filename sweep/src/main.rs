//! `purlin-sweep`: kills at every instruction of what is asked for, and says what came of it.

use std::process::ExitCode;

use purlin_sweep::controller::Controller;
use purlin_sweep::report::{Report, nothing_wrong};
use purlin_sweep::scenarios;
use purlin_sweep::stage::Scenario;

mod command_line;
use command_line::{Order, SweepOrder};

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
    let tally = if order.is_second {
        controller.doubles(scenario, order.density)
    } else {
        controller.singles(scenario, order.density)
    };
    let deaths = if order.is_second { "double" } else { "single" };
    print!("{}", report.tally(scenario, deaths, &tally));
    tally.is_good()
}
