//! Whom the program finds by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs};

use purlin_conformance::AdapterCommand;
use purlin_conformance::cpython::Interpreter;
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

/// The subjects that `wanted` names, or without it all that a run without a choice asks.
///
/// # Errors
/// * [`Error::Adapter`] when one of the program's own does not work.
/// * [`Error::Asked`] when nobody has one of the names.
pub(crate) fn find(wanted: &[String]) -> Result<Vec<Found>, Error> {
    let mut found = Vec::new();
    for name in crate::adapter::names() {
        if may_be(name, wanted) {
            found.push(own_or_absent(name)?);
        }
    }
    if may_be(CPYTHON, wanted) {
        found.extend(pythons(wanted)?);
    }
    for name in crate::adapter::hidden_names().filter(|name| wanted.iter().any(|w| w == name)) {
        found.push(Found::here(Subject::probe(own(name), "")?));
    }
    let mut unused: Vec<&String> = wanted.iter().collect();
    found.retain(|subject| {
        let name = subject.name();
        unused.retain(|wanted| !names(wanted, name));
        wanted.is_empty() || wanted.iter().any(|wanted| names(wanted, name))
    });
    match unused.first() {
        Some(name) => {
            let known = crate::adapter::names().chain(CPYTHON_FAMILIES);
            let nearest = did_you_mean(name, known.chain(crate::adapter::hidden_names()));
            Err(Error::Asked(format!("no subject here is called `{name}`{nearest}")))
        }
        None => Ok(found),
    }
}

impl Found {
    /// The subject, if it answers.
    pub(crate) fn subject(&mut self) -> Option<&mut Subject> {
        match self {
            Self::Here(subject) => Some(subject),
            Self::Absent { .. } => None,
        }
    }

    fn here(mut subject: Subject) -> Self {
        subject.chosen_by = format!("--subject {}", quoted(&subject.hello.name));
        Self::Here(Box::new(subject))
    }

    fn name(&self) -> &str {
        match self {
            Self::Here(subject) => &subject.hello.name,
            Self::Absent { name, .. } => name,
        }
    }
}

/// Whether one of this family may turn out to be wanted: a version is known only once it was asked.
fn may_be(family: &str, wanted: &[String]) -> bool {
    let first = |text: &str| text.split('-').next().map(str::to_owned);
    wanted.is_empty() || wanted.iter().any(|wanted| first(wanted) == first(family))
}

/// Whether `wanted` is the name, its beginning up to a `-`, or either without the version.
fn names(wanted: &str, name: &str) -> bool {
    [name.to_owned(), family(name)].iter().any(|full| {
        full.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    })
}

/// `cpython-3.13-fork` is of the family `cpython-fork`.
fn family(name: &str) -> String {
    let parts = name.split('-').filter(|part| !part.starts_with(|c: char| c.is_ascii_digit()));
    parts.collect::<Vec<_>>().join("-")
}

/// One of the program's own. That of the system's message queues says so where it has none to
/// judge.
///
/// # Errors
/// * [`Error::Adapter`] when another does not work.
fn own_or_absent(name: &str) -> Result<Found, Error> {
    match Subject::probe(own(name), "") {
        Err(error) if name == crate::adapter::MAY_BE_ABSENT => {
            Ok(Found::Absent { name: name.to_owned(), why: error.to_string() })
        }
        probed => probed.map(Found::here),
    }
}

/// This very program as an adapter, even if its file was replaced meanwhile. Without `/proc` it
/// cannot be started, which ends the run: a suite that quietly leaves out purlin says nothing.
fn own(name: &str) -> AdapterCommand {
    let args = vec!["adapter".into(), name.into()];
    AdapterCommand { program: "/proc/self/exe".into(), args, shown: format!("adapter {name}") }
}

/// Each version of CPython in PATH, once by each way of starting that is asked for.
///
/// # Errors
/// * [`Error::Adapter`] when there are some, they are `wanted`, and none works.
fn pythons(wanted: &[String]) -> Result<Vec<Found>, Error> {
    let ways = ways(wanted);
    let mut versions = BTreeMap::new();
    let mut failed = None;
    for (minor, program) in interpreters() {
        if minor.is_some_and(|minor| versions.contains_key(&minor)) {
            continue;
        }
        // An interpreter that nobody asked about may well be half installed, or too old.
        let python = Interpreter::find(program.as_os_str());
        let all = ways.iter().map(|how| Subject::probe(cpython(&python, &program, how), ""));
        match all.collect::<Result<Vec<_>, _>>() {
            Ok(all) => {
                let minor = all.first().map_or(0, |one| minor_of(&one.hello.version));
                versions.entry(minor).or_insert(all);
            }
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    if !versions.is_empty() {
        return Ok(versions.into_values().flatten().map(Found::here).collect());
    }
    let why = match failed {
        Some(error) if !wanted.is_empty() => return Err(error),
        Some(error) => error.to_string(),
        None => "no python3 in PATH".to_owned(),
    };
    let absent = |how: &&str| Found::Absent { name: format!("{CPYTHON}-{how}"), why: why.clone() };
    Ok(ways.iter().map(absent).collect())
}

/// The ways in which a version is asked: the usual ones, and of the others those that are named.
/// All of them on one machine would take more than the few minutes that CPython may.
fn ways(wanted: &[String]) -> Vec<&'static str> {
    let is_named =
        |how: &&&str| wanted.iter().any(|name| family(name) == format!("{CPYTHON}-{how}"));
    START_METHODS.iter().chain(OTHER_METHODS.iter().filter(is_named)).copied().collect()
}

/// The interpreters in PATH: first those called `python3`, then those that name their version.
fn interpreters() -> Vec<(Option<u32>, PathBuf)> {
    let folders: Vec<PathBuf> = env::var_os("PATH").iter().flat_map(env::split_paths).collect();
    let mut found: Vec<_> = folders.iter().map(|folder| (None, folder.join("python3"))).collect();
    found.retain(|(_, file)| file.is_file());
    for entry in folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten() {
        let name = entry.file_name();
        let minor = name.to_str().and_then(|name| name.strip_prefix("python3.")?.parse().ok());
        if let Some(minor) = minor.filter(|minor| *minor >= CPYTHON_MINOR_MIN) {
            found.push((Some(minor), entry.path()));
        }
    }
    // The same file by another name, as where a folder stands in PATH under two names.
    let mut seen = BTreeSet::new();
    found.retain(|(_, file)| seen.insert(file.canonicalize().unwrap_or_else(|_| file.clone())));
    found
}

fn minor_of(version: &str) -> u32 {
    version.split('.').nth(1).and_then(|minor| minor.parse().ok()).unwrap_or(0)
}

/// The adapter in this interpreter, which was found by another path, perhaps.
fn cpython(python: &Interpreter, found: &Path, how: &str) -> AdapterCommand {
    let args = python.arguments(how).into_iter().map(Into::into).collect();
    let shown = format!("{} cpython.py {how}", found.display());
    AdapterCommand { program: python.program.clone(), args, shown }
}

const CPYTHON: &str = "cpython";
const CPYTHON_FAMILIES: [&str; 4] =
    ["cpython-fork", "cpython-spawn", "cpython-forkserver", "cpython-threads"];
const START_METHODS: [&str; 2] = ["fork", "spawn"];

/// Run only when they are named, such as `cpython-threads` or `cpython-3.13-forkserver`.
const OTHER_METHODS: [&str; 2] = [FORK_SERVER, "threads"];
pub(crate) const FORK_SERVER: &str = "forkserver";

/// The oldest version that the adapter is written for.
const CPYTHON_MINOR_MIN: u32 = 8;
