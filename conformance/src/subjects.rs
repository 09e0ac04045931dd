//! Whom the program finds by itself.

use std::env;
use std::path::PathBuf;

use purlin_conformance::AdapterCommand;
use purlin_conformance::catalogue::Catalogue;
use purlin_conformance::error::Error;
use purlin_conformance::expect::Expectations;
use purlin_conformance::suite::Subject;

/// A subject that may be on this machine.
pub(crate) enum Found {
    /// It answers.
    Here(Box<Subject>),
    /// It is not there.
    Absent { name: String, why: String },
}

/// The subjects that a run without a choice asks: those that `wanted` names, or all.
///
/// # Errors
/// * [`Error::Adapter`] when one that is there does not work.
/// * [`Error::Nothing`] when nobody has one of the names.
pub(crate) fn find(wanted: &[String], catalogue: &Catalogue) -> Result<Vec<Found>, Error> {
    let mut found = Vec::new();
    let mut unused: Vec<&String> = wanted.iter().collect();
    let hidden = crate::adapter::hidden_names().filter(|name| wanted.iter().any(|w| w == name));
    let hidden: Vec<_> = hidden.map(|name| (name, own(name))).collect();
    for (family, command) in known().into_iter().chain(hidden) {
        // The version is known only once it was asked.
        if !wanted.iter().any(|name| may_name(name, family)) && !wanted.is_empty() {
            continue;
        }
        match command {
            Ok(command) => {
                let mut subject = Subject::probe(command, "")?;
                let name = subject.hello.name.clone();
                if !wanted.is_empty() && !wanted.iter().any(|w| names(w, family, &name)) {
                    continue;
                }
                unused.retain(|wanted| !names(wanted, family, &name));
                subject.chosen_by = format!("--subject {name}");
                subject.expectations = Expectations::embedded(&name, catalogue)?;
                found.push(Found::Here(Box::new(subject)));
            }
            Err(why) => {
                unused.retain(|wanted| !may_name(wanted, family));
                found.push(Found::Absent { name: family.to_owned(), why });
            }
        }
    }
    match unused.first() {
        Some(name) => Err(Error::Nothing(format!("no subject here is called `{name}`"))),
        None => Ok(found),
    }
}

/// Whether `wanted` is the name, the family, or the beginning of either up to a `-`.
fn names(wanted: &str, family: &str, name: &str) -> bool {
    [family, name].into_iter().any(|full| {
        full.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    })
}

/// Whether `wanted` may turn out to name a subject of this family.
fn may_name(wanted: &str, family: &str) -> bool {
    let first = |text: &str| text.split('-').next().unwrap_or("").to_owned();
    first(wanted) == first(family)
}

type Command = Result<AdapterCommand, String>;

fn known() -> Vec<(&'static str, Command)> {
    let mut known: Vec<(&str, Command)> = Vec::new();
    known.extend(crate::adapter::NAMES.iter().map(|name| (*name, own(name))));
    known.push(("cpython-fork", cpython()));
    known
}

/// This very program, as an adapter.
fn own(name: &str) -> Command {
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let args = vec!["adapter".into(), name.into()];
    Ok(AdapterCommand { program: program.into(), args, shown: format!("adapter {name}") })
}

fn cpython() -> Command {
    let program = find_in_path("python3").ok_or("no python3 in PATH")?;
    // -I: neither the environment nor the user's own modules change what is judged.
    let args = vec!["-I".into(), "-c".into(), CPYTHON.into()];
    let shown = format!("{} cpython.py", program.display());
    Ok(AdapterCommand { program: program.into(), args, shown })
}

fn find_in_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

const CPYTHON: &str = include_str!("../adapters/cpython.py");
