//! Whom the program finds by itself.

use std::env;
use std::path::PathBuf;

use purlin_conformance::AdapterCommand;
use purlin_conformance::error::Error;
use purlin_conformance::nearest::did_you_mean;
use purlin_conformance::report::shell::quoted;
use purlin_conformance::suite::Subject;

/// A subject that may be on this machine.
pub(crate) enum Found {
    /// It answers.
    Here(Box<Subject>),
    /// It is not there.
    Absent { name: String, why: String },
}

impl Found {
    /// The subject, if it answers.
    pub(crate) fn subject(&mut self) -> Option<&mut Subject> {
        match self {
            Self::Here(subject) => Some(subject),
            Self::Absent { .. } => None,
        }
    }
}

/// The subjects that `wanted` names, or without it all that a run without a choice asks.
///
/// # Errors
/// * [`Error::Adapter`] when one that is there does not work.
/// * [`Error::Asked`] when nobody has one of the names.
pub(crate) fn find(wanted: &[String]) -> Result<Vec<Found>, Error> {
    let mut found = Vec::new();
    let mut unused: Vec<&String> = wanted.iter().collect();
    for (family, command) in candidates(wanted) {
        let subject = look(family, command, wanted.is_empty())?;
        let name = match &subject {
            Found::Here(subject) => &subject.hello.name,
            Found::Absent { name, .. } => name,
        };
        if wanted.is_empty() || wanted.iter().any(|wanted| names(wanted, family, name)) {
            unused.retain(|wanted| !names(wanted, family, name));
            found.push(subject);
        }
    }
    match unused.first() {
        Some(name) => {
            let families = known().into_iter().map(|(family, _)| family);
            let nearest = did_you_mean(name, families.chain(crate::adapter::hidden_names()));
            Err(Error::Asked(format!("no subject here is called `{name}`{nearest}")))
        }
        None => Ok(found),
    }
}

/// Those that may turn out to be wanted: a version is known only once it was asked.
fn candidates(wanted: &[String]) -> Vec<(&'static str, Command)> {
    let first = |text: &str| text.split('-').next().map(str::to_owned);
    let may_be = |family: &str| wanted.iter().any(|wanted| first(wanted) == first(family));
    let mut candidates = known();
    candidates.retain(|(family, _)| wanted.is_empty() || may_be(family));
    let hidden = crate::adapter::hidden_names().filter(|name| wanted.iter().any(|w| w == name));
    candidates.extend(hidden.map(|name| (name, own(name))));
    candidates
}

fn look(family: &str, command: Command, is_optional: bool) -> Result<Found, Error> {
    let absent = |why: String| Ok(Found::Absent { name: family.to_owned(), why });
    let mut subject = match command.map(|command| Subject::probe(command, "")) {
        Ok(Ok(subject)) => subject,
        // An interpreter that nobody asked about may well be half installed.
        Ok(Err(error)) if is_optional && family == CPYTHON_FAMILY => {
            return absent(error.to_string());
        }
        Ok(Err(error)) => return Err(error),
        Err(why) => return absent(why),
    };
    let name = &subject.hello.name;
    subject.chosen_by = format!("--subject {}", quoted(name));
    Ok(Found::Here(Box::new(subject)))
}

/// Whether `wanted` is the name, the family, or the beginning of either up to a `-`.
fn names(wanted: &str, family: &str, name: &str) -> bool {
    [family, name].into_iter().any(|full| {
        full.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    })
}

type Command = Result<AdapterCommand, String>;

fn known() -> Vec<(&'static str, Command)> {
    let mut known: Vec<(&str, Command)> = Vec::new();
    known.extend(crate::adapter::NAMES.iter().map(|name| (*name, own(name))));
    known.push((CPYTHON_FAMILY, cpython()));
    known
}

/// This very program as an adapter, even if its file was replaced meanwhile. Without `/proc` it
/// cannot be started, which ends the run: a suite that quietly leaves out purlin says nothing.
fn own(name: &str) -> Command {
    let args = vec!["adapter".into(), name.into()];
    Ok(AdapterCommand { program: "/proc/self/exe".into(), args, shown: format!("adapter {name}") })
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

const CPYTHON_FAMILY: &str = "cpython-fork";
const CPYTHON: &str = include_str!("../adapters/cpython.py");
