//! The command `random`: scripts and bursts that nobody wrote down.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use lexopt::ValueExt;
use purlin_conformance::contract::forms;
use purlin_conformance::error::Error;
use purlin_conformance::model::ground::Ground;
use purlin_conformance::model::kind::GROUPS;
use purlin_conformance::model::random::{Amount, Asked};
use purlin_conformance::report::plain::in_line;
use purlin_conformance::report::random as report;
use purlin_conformance::report::shell::quoted;
use purlin_conformance::suite::{Subject, Suite};

use crate::command_line::RunOrder;
use crate::subjects::Found;
use crate::{BROKEN, CANNOT_RUN, KEPT, print, program};

/// What to ask at random.
#[derive(Debug)]
pub(crate) struct RandomOrder {
    /// Whom, in which forms, from which seed.
    pub(crate) run: RunOrder,
    pub(crate) scripts_count: u64,
    pub(crate) bursts_count: u64,
    /// Nobody dies.
    pub(crate) without_deaths: bool,
}

impl Default for RandomOrder {
    fn default() -> Self {
        let run = RunOrder::default();
        Self {
            run,
            scripts_count: SCRIPTS_COUNT,
            bursts_count: BURSTS_COUNT,
            without_deaths: false,
        }
    }
}

impl RandomOrder {
    /// Takes an option that only this command has.
    pub(crate) fn take(
        &mut self,
        option: &str,
        parser: &mut lexopt::Parser,
    ) -> Result<(), lexopt::Error> {
        let place = match option {
            "scripts" => &mut self.scripts_count,
            "bursts" => &mut self.bursts_count,
            _ => {
                self.without_deaths = true;
                return Ok(());
            }
        };
        let text = parser.value()?.string()?;
        *place = text.parse().map_err(|_| format!("--{option} is {text:?}, not a number"))?;
        Ok(())
    }
}

/// Some ten seconds a form for a subject that is fast.
const SCRIPTS_COUNT: u64 = 200;
const BURSTS_COUNT: u64 = 100;

/// Whoever is known to break one of these is asked without deaths about the group of that name.
const TELLS_OF_DEATHS: &[&str] = &[
    "lock-owner-killed-next-told",
    "lock-owner-died-stays-until-recovered",
    "rlock-owner-killed-deep",
    "rlock-warning-stays-until-recovered",
    "condition-notifier-killed-holding",
    "condition-killed-waiter-is-no-dead-owner",
    "condition-notified-waiter-killed-passes-on",
    "barrier-party-killed-waiting",
];

/// Whoever is known to break one of these is asked without the call, in every group: nothing that
/// came behind it could be judged.
const SPOILS: &[(&str, &str)] =
    &[("lock-recover-needs-hold", "recover"), ("rlock-recover-needs-owner", "recover")];

/// Asks, and prints what came, subject by subject.
pub(crate) fn run(order: &RandomOrder) -> Result<ExitCode, Error> {
    purlin_conformance::limits::patience_factor().map_err(Error::Asked)?;
    let suite = Suite::embedded()?;
    order.run.plan.selection.check(&suite)?;
    let groups = &order.run.plan.selection.groups;
    if let Some(group) = groups.iter().find(|group| !GROUPS.contains(&group.as_str())) {
        let known = GROUPS.join(", ");
        return Err(Error::Asked(format!("the group {group} has no model; {known} have")));
    }
    let asked = |group: &str| groups.is_empty() || groups.iter().any(|other| other == group);
    crate::own_all()?;
    let mut status = KEPT;
    let mut asked_count = 0;
    for found in crate::find(&order.run, &suite)? {
        match found {
            Found::Absent { name, why } => {
                print(&format!("{name}  is not here: {}\n", in_line(&why)))?;
            }
            Found::Here(subject) => {
                let selection = &order.run.plan.selection;
                for group in GROUPS.into_iter().filter(|group| asked(group)) {
                    let forms = forms(&subject.hello, group);
                    // What is a group's own has a model of its own there.
                    let own = |kind: &str| kind == group || !GROUPS.contains(&kind);
                    let forms = forms.iter().filter(|form| own(form.kind));
                    for form in forms.filter(|form| selection.has_form(form.kind)) {
                        match Ground::new(&subject.hello, group, form) {
                            Ok(ground) => {
                                asked_count += 1;
                                status = status.max(ask(order, &suite, &subject, ground)?);
                            }
                            Err(why) => print(&format!("{}\n", in_line(&why))).map(|_| ())?,
                        }
                    }
                }
            }
        }
    }
    if asked_count == 0 {
        return Err(Error::Asked("nobody here could be asked".to_owned()));
    }
    Ok(ExitCode::from(status))
}

fn ask(order: &RandomOrder, suite: &Suite, subject: &Subject, ground: Ground) -> Result<u8, Error> {
    let known = subject.expectations.deviations().iter();
    let known: Vec<&str> =
        known.flat_map(|deviation| &deviation.behaviours).map(String::as_str).collect();
    let of_group = format!("{}-", ground.model.group());
    let tells = |id: &&str| id.starts_with(&of_group) && TELLS_OF_DEATHS.contains(id);
    let without_deaths = order.without_deaths || known.iter().any(tells);
    let ground = if without_deaths { ground.without_deaths() } else { ground };
    let spoils = SPOILS.iter().filter(|(id, op)| {
        known.contains(id) && ground.operations.iter().any(|offered| offered == op)
    });
    let left_out: BTreeSet<&str> = spoils.map(|(_, op)| *op).collect();
    let ground = left_out.iter().fold(ground, |ground, op| ground.without_call(op));
    let (scripts_count, bursts_count) = (order.scripts_count, order.bursts_count);
    let amount = Amount { scripts_count, bursts_count, seed: order.run.plan.seed };
    let name = &subject.hello.name;
    let is_terminal = io::stderr().is_terminal();
    let draw = |what: &str| {
        if is_terminal {
            // Nobody is harmed by a line that cannot be drawn.
            let _ = write!(io::stderr(), "\r\x1b[K{what}");
        }
    };
    let error_kinds = &suite.catalogue.error_kinds;
    let asked = Asked { command: &subject.command, ground: &ground, error_kinds };
    let came = asked.ask(&amount, &mut |what| draw(&format!("{}: {what}", in_line(name))));
    draw("");
    let status = match (came.is_error(), came.is_good()) {
        (true, _) => CANNOT_RUN,
        (false, true) => KEPT,
        (false, false) => BROKEN,
    };
    let again = again(order, subject, &ground);
    print(&report::random(&report::Asked {
        hello: &subject.hello,
        ground: &ground,
        amount,
        came,
        again,
        left_out: left_out.into_iter().collect(),
    }))?;
    Ok(status)
}

/// What asks the same form again, before and behind the amount.
fn again(order: &RandomOrder, subject: &Subject, ground: &Ground) -> [String; 2] {
    let (group, form) = (ground.model.group(), quoted(&ground.kind));
    let mut words = format!("{} random --group {group} --form {form}", program());
    if order.without_deaths {
        words.push_str(" --without-deaths");
    }
    let chosen_by = subject.chosen_by.clone();
    if order.run.command.is_empty() {
        return [format!("{words} {chosen_by}"), String::new()];
    }
    [words, format!(" {chosen_by}")]
}
