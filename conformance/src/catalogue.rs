//! The catalogue: what must be true of any implementation, read and checked.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use toml::Spanned;

use crate::contract;
use crate::error::Error;
use crate::nearest::did_you_mean;
use crate::spot::DataFile;

/// All promises, and the closed list of error kinds.
#[derive(Debug)]
pub struct Catalogue {
    /// The promises, group by group in the order of the group's name.
    pub behaviours: Vec<Behaviour>,
    /// The slugs of the error kinds that a subject may answer with.
    pub error_kinds: BTreeSet<String>,
    waiting: BTreeMap<String, String>,
    places: BTreeMap<String, usize>,
    version: String,
}

/// One observable promise, small enough that one test can refute it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Behaviour {
    /// A unique slug that starts with the group's name.
    pub id: String,
    /// The promise in one sentence.
    pub says: String,
    /// How binding it is.
    pub level: Level,
    /// Where it was found: a document, CPython, or purlin itself.
    pub origin: Origin,
    /// The place there.
    pub source: String,
    /// The start of the smallest scenario that shows it.
    pub given: String,
    /// What is done.
    pub when: String,
    /// What must come of it.
    pub then: String,
    /// The error kinds that it involves.
    #[serde(default)]
    pub errors: Vec<String>,
    /// How it can be shown.
    pub check: Check,
    /// What CPython does instead, where more is asked for.
    pub deviates: Option<String>,
    /// A trap for implementers.
    pub note: Option<String>,
    /// `choice:side`, where implementations may rightly differ.
    pub contract: Option<String>,
    /// Why no case can show it.
    pub untested: Option<String>,
    /// The group: the name of the file that it stands in.
    #[serde(skip)]
    pub group: String,
}

/// How binding a promise is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// A break fails the run.
    Must,
    /// A break is reported.
    Should,
    /// Optional; asked only of those who offer it.
    May,
}

/// Where a promise comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// A document states or shows it.
    Documents,
    /// CPython's manual, tests or code.
    Cpython,
    /// Our own, stronger than both.
    Purlin,
}

/// How a promise can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Check {
    /// One actor, no waiting.
    Step,
    /// Several actors, decided by order alone.
    Order,
    /// A call must be shown to wait.
    Blocks,
    /// An actor is killed.
    Death,
    /// A deadline passes.
    Time,
}

impl Catalogue {
    /// The catalogue that this program was built with.
    ///
    /// # Errors
    /// * [`Error::Data`] when it contradicts itself.
    pub fn embedded() -> Result<Self, Error> {
        Self::read(GROUPS, ERRORS)
    }

    /// Reads a catalogue from the text of its groups and of its list of error kinds.
    ///
    /// # Errors
    /// * [`Error::Data`] names the file and what is wrong in it.
    pub fn read(groups: &[(&str, &str)], errors: &str) -> Result<Self, Error> {
        let error_kinds = read_error_kinds(errors)?;
        let mut catalogue = Self {
            behaviours: Vec::new(),
            error_kinds,
            waiting: BTreeMap::new(),
            places: BTreeMap::new(),
            version: String::new(),
        };
        for (group, text) in groups {
            catalogue.read_group(group, text)?;
        }
        catalogue.version = version_of(catalogue.behaviours.len(), groups);
        Ok(catalogue)
    }

    fn read_group(&mut self, group: &str, text: &str) -> Result<(), Error> {
        let name = format!("catalogue/{group}.toml");
        let file = DataFile { name: &name, text };
        let read: GroupFile = toml::from_str(text).map_err(|error| file.unreadable(&error))?;
        if let Some(why) = read.untested {
            if why.get_ref().trim().is_empty() {
                return Err(
                    file.wrong(why.span(), &format!("{group} is untested without a reason"))
                );
            }
            let why = why.into_inner();
            self.waiting.insert(group.to_owned(), why);
        }
        for behaviour in read.behaviour {
            let start = behaviour.span().start;
            let mut behaviour = behaviour.into_inner();
            group.clone_into(&mut behaviour.group);
            let id = behaviour.id.clone();
            check(&behaviour, &self.error_kinds)
                .map_err(|(word, what)| file.wrong_word(start, &word, &what))?;
            if self.places.insert(id.clone(), self.behaviours.len()).is_some() {
                let what = format!("{id} stands in the catalogue twice");
                return Err(file.wrong_word(start, &id, &what));
            }
            self.behaviours.push(behaviour);
        }
        Ok(())
    }

    /// Why no case shows a behaviour of this group yet, where that holds for all of them.
    pub fn untested_group(&self, group: &str) -> Option<&str> {
        self.waiting.get(group).map(String::as_str)
    }

    /// Why no case shows this behaviour, by its own word or by its group's.
    pub fn untested<'a>(&'a self, behaviour: &'a Behaviour) -> Option<&'a str> {
        behaviour.untested.as_deref().or_else(|| self.untested_group(&behaviour.group))
    }

    /// The behaviour with this id.
    pub fn behaviour(&self, id: &str) -> Option<&Behaviour> {
        self.places.get(id).map(|place| &self.behaviours[*place])
    }

    /// The names of the groups, in order.
    pub fn groups(&self) -> Vec<&str> {
        let mut groups: Vec<&str> = self.behaviours.iter().map(|b| b.group.as_str()).collect();
        groups.dedup();
        groups
    }

    /// The number of promises and a fingerprint of their text.
    pub fn version(&self) -> &str {
        &self.version
    }
}

impl Level {
    /// The word in files and reports.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Should => "should",
            Self::May => "may",
        }
    }
}

impl Origin {
    /// The word in files and reports.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Documents => "documents",
            Self::Cpython => "cpython",
            Self::Purlin => "purlin",
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupFile {
    untested: Option<Spanned<String>>,
    behaviour: Vec<Spanned<Behaviour>>,
}

#[derive(Deserialize)]
struct ErrorFile {
    error: Vec<Spanned<ErrorKind>>,
}

#[derive(Deserialize)]
struct ErrorKind {
    kind: String,
}

fn read_error_kinds(text: &str) -> Result<BTreeSet<String>, Error> {
    let file = DataFile { name: "catalogue/errors.toml", text };
    let read: ErrorFile = toml::from_str(text).map_err(|error| file.unreadable(&error))?;
    let mut kinds = BTreeSet::new();
    for error in read.error {
        let start = error.span().start;
        let kind = error.into_inner().kind;
        if !kinds.insert(kind.clone()) {
            return Err(file.wrong_word(start, &kind, &format!("{kind} is listed twice")));
        }
    }
    Ok(kinds)
}

/// The word in question, and what is wrong with it.
fn check(behaviour: &Behaviour, error_kinds: &BTreeSet<String>) -> Result<(), (String, String)> {
    let id = &behaviour.id;
    let wrong = |word: &str, what: String| Err((word.to_owned(), what));
    let own = behaviour.id.strip_prefix(&behaviour.group).is_some_and(|rest| rest.starts_with('-'));
    if !own {
        return wrong(id, format!("{id} does not start with the name of its group"));
    }
    if let Some(kind) = behaviour.errors.iter().find(|kind| !error_kinds.contains(*kind)) {
        let nearest = did_you_mean(kind, error_kinds.iter().map(String::as_str));
        let what = format!("{id} names the error kind {kind}, which is not in errors.toml");
        return wrong(kind, format!("{what}{nearest}"));
    }
    if let Some(contract) = &behaviour.contract
        && !contract::is_known(contract)
    {
        let known: Vec<String> = contract::all().collect();
        let nearest = did_you_mean(contract, known.iter().map(String::as_str));
        let what = format!("{id} belongs to the contract {contract}, which nobody knows");
        return wrong(contract, format!("{what}{nearest}"));
    }
    if let Some(why) = behaviour.untested.as_deref().filter(|why| why.trim().is_empty()) {
        return wrong(why, format!("{id} is untested without a reason"));
    }
    Ok(())
}

/// The count, and an FNV-1a sum over the text: enough to tell two catalogues apart.
fn version_of(count: usize, groups: &[(&str, &str)]) -> String {
    let bytes = groups.iter().flat_map(|(_, text)| text.bytes());
    let sum = bytes.fold(FNV_START, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(FNV_FACTOR));
    format!("{count}-{sum:08x}")
}

// The 32-bit parameters of Fowler, Noll and Vo.
const FNV_START: u32 = 0x811c_9dc5;
const FNV_FACTOR: u32 = 0x0100_0193;

const ERRORS: &str = include_str!("../catalogue/errors.toml");

macro_rules! groups {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../catalogue/", $name, ".toml")))),+]
    };
}

const GROUPS: &[(&str, &str)] = groups![
    "array",
    "async-result",
    "barrier",
    "bounded-semaphore",
    "condition",
    "event",
    "joinable-queue",
    "lock",
    "manager",
    "pipe",
    "pool",
    "process",
    "queue",
    "rlock",
    "semaphore",
    "simple-queue",
    "subprocess",
    "thread",
    "value",
];
