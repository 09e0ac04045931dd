//! The program: `run`, `list`, `explain`, `random`, and the adapters that are built into it.
#![deny(unsafe_code)]

mod adapter;
mod command_line;
mod files;
mod proofs;
mod random;
mod subjects;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use purlin_conformance::AdapterCommand;
use purlin_conformance::case::{Case, REPLACED as CASES};
use purlin_conformance::errata::Erratum;
use purlin_conformance::error::Error;
use purlin_conformance::expect::List;
use purlin_conformance::limits::PATIENCE_VARIABLE as PATIENCE;
use purlin_conformance::report::plain::plain;
use purlin_conformance::report::progress::Display;
use purlin_conformance::report::shell::quoted;
use purlin_conformance::report::text::{Row, report};
use purlin_conformance::report::{errata, explain, list};
use purlin_conformance::suite::{Plan, Selection, Subject, Suite};

use command_line::{HELP, Listed, Order, RunOrder};
use files::Reports;
use subjects::Found;

fn main() -> ExitCode {
    // A program that a case runs, with a main of its own, which may forget the next line.
    if let Some(code) = adapter::purlin::mains::run_if_one() {
        return code;
    }
    // An actor of purlin's that is started by spawn is this program, and goes no further.
    purlin_process::init();
    // So is a program that took an actor's place; whatever its arguments are.
    purlin_conformance::serve::idle_if_replaced();
    // Whoever started this may ignore the ends of children, which adapters and the runner itself
    // would inherit: nobody would learn how an adapter or an actor ended.
    if let Err(error) = purlin_process::reset_child_signal() {
        return fail(&error.to_string());
    }
    let order = match command_line::read(std::env::args_os().skip(1)) {
        Ok(order) => order,
        Err(what) => return fail(&what),
    };
    let done = match order {
        Order::Run(order) => run(&order),
        Order::List { group, asked } => list(group.as_deref(), asked),
        Order::Errata { group } => errata(group.as_deref()),
        Order::Random(order) => random::run(&order),
        Order::Explain(id) => explain(&id),
        Order::Help => print(HELP),
        Order::Version => print(&format!("purlin-conformance {}\n", env!("CARGO_PKG_VERSION"))),
        Order::CheckAdapter(command) => check_adapter(&command),
        Order::Adapter(words) => be_adapter(&words),
        Order::Ask(command) => be_worker(&command),
    };
    done.unwrap_or_else(|error| fail(&error.to_string()))
}

/// All kept, or as expected.
const KEPT: u8 = 0;
/// A promise is broken.
const BROKEN: u8 = 1;
/// The suite could not run.
const CANNOT_RUN: u8 = 2;

fn run(order: &RunOrder) -> Result<ExitCode, Error> {
    purlin_conformance::limits::patience_factor().map_err(Error::Asked)?;
    let suite = Suite::embedded()?;
    order.plan.selection.check(&suite)?;
    let files = Reports::claim(&order.files)?;
    own_all()?;
    let found = find(order, &suite)?;
    let mut rows = Vec::new();
    for subject in found {
        match subject {
            Found::Here(subject) => {
                let plan = plan_of(&suite, &subject, &order.plan)?;
                rows.push(judge(&suite, &subject, &plan, order.repeat));
            }
            Found::Absent { name, why } => rows.push(Row::Absent { name, why }),
        }
    }
    purlin_conformance::wait_if_ending();
    print(&report(&suite, &rows, &program()))?;
    // Only now: a file that could not be written is no reason to throw the report away.
    files.write(&suite, &rows, &program())?;
    let is_judged = rows.iter().any(|row| matches!(row, Row::Judged(_)));
    if !is_judged && !order.subjects.is_empty() {
        return Err(Error::Asked("none of the subjects that were named is here".to_owned()));
    }
    Ok(ExitCode::from(status(&rows)))
}

/// Who is asked, with what is known of each.
fn find(order: &RunOrder, suite: &Suite) -> Result<Vec<Found>, Error> {
    let mut found = if order.command.is_empty() {
        let built_in = if Case::are_replaced() { Some(Suite::built_in()?) } else { None };
        let listed = built_in.as_ref().unwrap_or(suite);
        let lists = List::embedded(listed)?;
        let mut found = subjects::find(&order.subjects)?;
        let here = found.iter_mut().filter_map(Found::subject);
        here.into_iter().try_for_each(|subject| subject.expect(listed, &lists))?;
        found
    } else {
        let mut stranger = stranger(&order.command)?;
        if let Some(path) = &order.expect {
            stranger.expectations = List::open(path, suite)?.of(suite, &stranger.hello)?;
            stranger.chosen_by = format!("--expect {} {}", quoted(path), stranger.chosen_by);
        }
        vec![Found::Here(Box::new(stranger))]
    };
    let hellos = found.iter_mut().filter_map(Found::subject).map(|subject| &subject.hello);
    order.plan.selection.check_forms(suite, hellos)?;
    Ok(found)
}

/// `PURLIN_CPYTHON_GROUPS` names the groups that CPython is asked about where none are chosen: all
/// of it takes longer than everything else together. Says so. By its fork server it is asked about
/// processes alone.
fn plan_of(suite: &Suite, subject: &Subject, plan: &Plan) -> Result<Plan, Error> {
    let mut plan = plan.clone();
    let selection = &mut plan.selection;
    let is_free = selection.groups.is_empty() && selection.cases.is_empty();
    if !is_free || !subject.hello.name.starts_with("cpython") {
        return Ok(plan);
    }
    if subject.hello.name.ends_with(subjects::FORK_SERVER) {
        // All else goes the way of spawn.
        selection.groups = vec!["process".to_owned()];
        return Ok(plan);
    }
    if let Ok(groups) = std::env::var("PURLIN_CPYTHON_GROUPS") {
        print(&format!("{}: PURLIN_CPYTHON_GROUPS is {groups}\n", subject.hello.name))?;
        selection.groups = groups.split(',').map(str::to_owned).collect();
        selection.check(suite)?;
    }
    Ok(plan)
}

fn judge(suite: &Suite, subject: &Subject, plan: &Plan, count: u64) -> Row {
    let name = &subject.hello.name;
    let display = Display::new();
    let run = |number| match count {
        1 => name.clone(),
        _ => format!("{name}, run {number} of {count},"),
    };
    let judgement = suite.judge_repeatedly(
        subject,
        plan,
        count,
        &mut |number, progress| display.draw(&run(number), progress),
        &mut |number, judgement| match count {
            1 => display.clear(),
            _ => display.tell(&run(number), judgement),
        },
    );
    Row::Judged(Box::new(judgement))
}

fn status(rows: &[Row]) -> u8 {
    let judged = rows.iter().filter_map(|row| match row {
        Row::Judged(judgement) => Some(judgement),
        Row::Absent { .. } => None,
    });
    let each = judged.map(|judgement| {
        if judgement.count(purlin_conformance::verdict::Verdict::Error) > 0 {
            CANNOT_RUN
        } else if judgement.fails() {
            BROKEN
        } else {
            KEPT
        }
    });
    each.max().unwrap_or(KEPT)
}

/// Somebody else's adapter; nothing is known of it unless a list is given.
fn stranger(command: &[OsString]) -> Result<Subject, Error> {
    let (words, command) = started_by(command);
    Subject::probe(command, &format!("-- {words}"))
}

/// What is started from now on ends with this program, however it ends but by SIGKILL.
fn own_all() -> Result<(), Error> {
    purlin_conformance::adopt_orphans();
    let ended = purlin_conformance::end_with_all_on_signals();
    ended.map_err(|error| Error::Asked(format!("signals cannot be caught: {error}")))
}

/// A command as it is typed, and as it is started.
fn started_by(command: &[OsString]) -> (String, AdapterCommand) {
    let words: Vec<_> = command.iter().map(|word| quoted(&word.to_string_lossy())).collect();
    let words = words.join(" ");
    // Shown within a line, whatever stands in it.
    let shown = words.replace(char::is_control, " ");
    let program = command.first().cloned().unwrap_or_default();
    let args = command.iter().skip(1).cloned().collect();
    (words, AdapterCommand { program, args, shown })
}

fn check_adapter(command: &[OsString]) -> Result<ExitCode, Error> {
    purlin_conformance::limits::patience_factor().map_err(Error::Asked)?;
    own_all()?;
    let report = purlin_conformance::check::check(&started_by(command).1)?;
    purlin_conformance::wait_if_ending();
    print(&report.text())?;
    Ok(ExitCode::from(if report.is_sound() { KEPT } else { BROKEN }))
}

/// As it was started: found in PATH, or by a path that leads to it from here, as patient, and with
/// the same files of cases.
fn program() -> String {
    let name = std::env::args_os().next().unwrap_or_default();
    let name = if name.is_empty() { "purlin-conformance".into() } else { name.to_string_lossy() };
    let set = |name: &str| {
        let text = std::env::var(name).map(|text| format!("{name}={} ", quoted(&text)));
        text.unwrap_or_default()
    };
    format!("{}{}{}", set(PATIENCE), set(CASES), quoted(&name))
}

fn list(group: Option<&str>, asked: Listed) -> Result<ExitCode, Error> {
    let suite = suite_with(group)?;
    match asked {
        Listed::All => print(&list::list(&suite, group, false)),
        Listed::Untested => print(&list::list(&suite, group, true)),
        Listed::Evidence => print(&proofs::list(&suite, proofs::Asked::Evidence, group)?),
        Listed::Faults => print(&proofs::list(&suite, proofs::Asked::Faults, group)?),
    }
}

fn errata(group: Option<&str>) -> Result<ExitCode, Error> {
    let suite = suite_with(group)?;
    let errata = Erratum::embedded(&suite.catalogue)?;
    print(&errata::errata(&suite, &errata, group))
}

/// The suite, which has this group.
fn suite_with(group: Option<&str>) -> Result<Suite, Error> {
    let suite = Suite::embedded()?;
    let groups = group.map(str::to_owned).into_iter().collect();
    Selection { groups, ..Selection::default() }.check(&suite)?;
    Ok(suite)
}

fn explain(id: &str) -> Result<ExitCode, Error> {
    let suite = Suite::embedded()?;
    let lists = List::embedded(&Suite::built_in()?)?;
    print(&(explain::explain(&suite, &lists, id)? + &proofs::of(&suite, id)?))
}

fn be_worker(command: &[OsString]) -> Result<ExitCode, Error> {
    let suite = Suite::embedded()?;
    let [program, args @ ..] = command else {
        return Err(Error::Asked("a worker is started by a run".to_owned()));
    };
    let (program, args) = (program.clone(), args.to_vec());
    let command = AdapterCommand { program, args, shown: String::new() };
    match purlin_conformance::workers::work(&suite, &command) {
        Ok(()) => Ok(ExitCode::from(KEPT)),
        Err(error) => Ok(fail(&error.to_string())),
    }
}

fn be_adapter(words: &[String]) -> Result<ExitCode, Error> {
    match adapter::run(words) {
        Ok(()) => std::process::exit(i32::from(KEPT)),
        Err(error) => Ok(fail(&error.to_string())),
    }
}

/// A reader that has gone away, as `head` does, is no reason to fail.
fn print(text: &str) -> Result<ExitCode, Error> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(source) if source.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::Write { path: "to standard output".to_owned(), source })
        }
        _ => Ok(ExitCode::from(KEPT)),
    }
}

fn fail(what: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "purlin-conformance: {}", plain(what));
    ExitCode::from(CANNOT_RUN)
}
