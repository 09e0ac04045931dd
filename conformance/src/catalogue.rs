//! The catalogue: what must be true of any implementation, read and checked.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::error::Error;

/// All promises, and the closed list of error kinds.
#[derive(Debug)]
pub struct Catalogue {
    /// The promises, group by group in the order of the group's name.
    pub behaviours: Vec<Behaviour>,
    /// The slugs of the error kinds that a subject may answer with.
    pub error_kinds: BTreeSet<String>,
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
        let mut behaviours = Vec::new();
        for (group, text) in groups {
            let file: GroupFile =
                toml::from_str(text).map_err(|error| in_file(group, &error.to_string()))?;
            for mut behaviour in file.behaviour {
                behaviour.group = (*group).to_owned();
                check(&behaviour, &error_kinds).map_err(|what| in_file(group, &what))?;
                behaviours.push(behaviour);
            }
        }
        let mut places = BTreeMap::new();
        for (place, behaviour) in behaviours.iter().enumerate() {
            if places.insert(behaviour.id.clone(), place).is_some() {
                let what = format!("{} stands in the catalogue twice", behaviour.id);
                return Err(in_file(&behaviour.group, &what));
            }
        }
        let version = version_of(behaviours.len(), groups);
        Ok(Self { behaviours, error_kinds, places, version })
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

    /// The side of a choice that stands for a subject which declares none.
    pub fn default_side(choice: &str) -> Option<&'static str> {
        CONTRACTS.iter().find(|(name, _)| *name == choice).map(|(_, sides)| sides[0])
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupFile {
    behaviour: Vec<Behaviour>,
}

#[derive(Deserialize)]
struct ErrorFile {
    error: Vec<ErrorKind>,
}

#[derive(Deserialize)]
struct ErrorKind {
    kind: String,
}

fn read_error_kinds(text: &str) -> Result<BTreeSet<String>, Error> {
    let file: ErrorFile =
        toml::from_str(text).map_err(|error| in_file("errors", &error.to_string()))?;
    let mut kinds = BTreeSet::new();
    for error in file.error {
        if !kinds.insert(error.kind.clone()) {
            return Err(in_file("errors", &format!("{} is listed twice", error.kind)));
        }
    }
    Ok(kinds)
}

fn check(behaviour: &Behaviour, error_kinds: &BTreeSet<String>) -> Result<(), String> {
    let id = &behaviour.id;
    let own = behaviour.id.strip_prefix(&behaviour.group).is_some_and(|rest| rest.starts_with('-'));
    if !own {
        return Err(format!("{id} does not start with the name of its group"));
    }
    if let Some(kind) = behaviour.errors.iter().find(|kind| !error_kinds.contains(*kind)) {
        return Err(format!("{id} names the error kind {kind}, which is not in errors.toml"));
    }
    if let Some(contract) = &behaviour.contract
        && !is_known_contract(contract)
    {
        return Err(format!("{id} belongs to the contract {contract}, which nobody knows"));
    }
    if behaviour.untested.as_deref().is_some_and(|why| why.trim().is_empty()) {
        return Err(format!("{id} is untested without a reason"));
    }
    Ok(())
}

/// Whether `choice:side` is one of the contracts.
pub(crate) fn is_known_contract(contract: &str) -> bool {
    let Some((choice, side)) = contract.split_once(':') else { return false };
    CONTRACTS.iter().any(|(name, sides)| *name == choice && sides.contains(&side))
}

fn in_file(name: &str, what: &str) -> Error {
    Error::Data(format!("catalogue/{name}.toml: {what}"))
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

/// The choices and their sides; the first stands for a subject that declares none.
const CONTRACTS: &[(&str, &[&str])] = &[
    ("lock-release", &["by-anyone", "by-holder"]),
    ("lock-again", &["waits", "refused"]),
    ("semaphore-death", &["units-stay", "units-return"]),
    ("condition-wakeup", &["exact", "may-be-spurious"]),
    ("condition-notify", &["by-holder", "by-anyone"]),
    ("at-exit", &["waits", "leaves"]),
    ("queue-room", &["grows", "fixed"]),
    ("queue-put", &["background", "direct"]),
    ("pipe-message", &["in-pieces", "whole"]),
];

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
