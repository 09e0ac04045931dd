//! The cases: how the promises are shown. Data only, read from `cases/*.toml` and checked.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use crate::catalogue::{Behaviour, Catalogue};
use crate::contract;
use crate::error::Error;
use crate::parse::parse;
use crate::script::Script;
use crate::selection::unknown_word;
use crate::spot::{DataFile, text_of};
use crate::vocabulary::Vocabulary;

/// One script and the promises that it shows.
#[derive(Debug, Clone)]
pub struct Case {
    /// `group/name`, unique.
    pub id: String,
    /// The group: the name of the file that it stands in.
    pub group: String,
    /// The ids of the behaviours that it shows.
    pub shows: Vec<String>,
    /// Only forms that take all these sides are asked, each `choice:side`.
    pub contracts: Vec<String>,
    /// The script as it stands in the file.
    pub text: String,
    /// The script as it is run.
    pub script: Script,
}

impl Case {
    /// The cases that this program was built with, but for those of the files in `PURLIN_CASES`.
    ///
    /// # Errors
    /// * [`Error::Data`] shows the mistake.
    pub fn embedded(catalogue: &Catalogue) -> Result<Vec<Self>, Error> {
        let Some(paths) = std::env::var_os(REPLACED) else {
            return Self::read_all(FILES, catalogue);
        };
        let given = std::env::split_paths(&paths).map(|path| Given::read(&path, catalogue));
        let given = given.collect::<Result<Vec<_>, _>>()?;
        let built_in = Self::read_all(FILES, catalogue)?;
        let is_kept = |file: &&(&str, &str)| given.iter().all(|given| given.place != file.0);
        let mut cases = Vec::new();
        for (file, text) in FILES.iter().filter(is_kept) {
            Self::read_into(&mut cases, file, &name_of(file), text, catalogue)?;
        }
        for Given { place, shown, text } in &given {
            let first = cases.len();
            Self::read_into(&mut cases, place, shown, text, catalogue)?;
            let file = DataFile { name: shown, text };
            let words = Vocabulary::of(&built_in);
            cases[first..].iter().try_for_each(|case| words.check(case, &file))?;
        }
        Ok(cases)
    }

    /// The cases that this program was built with.
    ///
    /// # Errors
    /// * [`Error::Data`] shows the mistake.
    pub fn built_in(catalogue: &Catalogue) -> Result<Vec<Self>, Error> {
        Self::read_all(FILES, catalogue)
    }

    /// Whether files of cases are read in the place of those that this program was built with.
    pub fn are_replaced() -> bool {
        std::env::var_os(REPLACED).is_some()
    }

    /// Reads the cases of one group from the text of its file.
    ///
    /// # Errors
    /// * [`Error::Data`] shows the mistake under the line that it is in.
    pub fn read(group: &str, text: &str, catalogue: &Catalogue) -> Result<Vec<Self>, Error> {
        Self::read_all(&[(group, text)], catalogue)
    }

    /// Reads the cases of several files, each named by its group, or as `group/part` where a group
    /// has several. Their ids differ in all of them.
    ///
    /// # Errors
    /// * [`Error::Data`] shows the mistake under the line that it is in.
    pub fn read_all(files: &[(&str, &str)], catalogue: &Catalogue) -> Result<Vec<Self>, Error> {
        let mut cases: Vec<Self> = Vec::new();
        for (file, text) in files {
            Self::read_into(&mut cases, file, &name_of(file), text, catalogue)?;
        }
        Ok(cases)
    }

    fn read_into(
        cases: &mut Vec<Self>,
        place: &str,
        name: &str,
        text: &str,
        catalogue: &Catalogue,
    ) -> Result<(), Error> {
        let group = group_of(place);
        let file = DataFile { name, text };
        let read: CaseFile = toml::from_str(text).map_err(|error| file.unreadable(&error))?;
        for entry in read.case {
            let start = entry.span().start;
            let case = Reader { group, file, start, catalogue }.case(entry.into_inner())?;
            if cases.iter().any(|other| other.id == case.id) {
                let what = format!("there are two cases {}", case.id);
                return Err(file.wrong_word(start, &case.id, &what));
            }
            cases.push(case);
        }
        Ok(())
    }
}

/// A file of cases that is read when the program runs.
struct Given {
    /// As [`FILES`] calls it: what it replaces.
    place: String,
    /// As it was given.
    shown: String,
    text: String,
}

impl Given {
    fn read(path: &Path, catalogue: &Catalogue) -> Result<Self, Error> {
        let shown = path.display().to_string();
        let wrong = |what: &dyn std::fmt::Display| Error::Data(format!("{shown}: {what}"));
        let text = text_of(path).map_err(|error| wrong(&error))?;
        let place = place_of(path);
        let groups = || catalogue.behaviours.iter().map(|behaviour| behaviour.group.as_str());
        if !groups().any(|group| group == group_of(&place)) {
            return Err(wrong(&unknown_word("group", group_of(&place), groups())));
        }
        Ok(Self { place, shown, text })
    }
}

/// What a file replaces: `lock`, or `queue/order` where its folder is called as the group is.
fn place_of(path: &Path) -> String {
    let name = |part: Option<&OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let file = name(path.file_stem());
    let folder = name(path.parent().and_then(Path::file_name));
    let is_of_folder = FILES
        .iter()
        .any(|(place, _)| place.strip_prefix(&*folder).is_some_and(|rest| rest.starts_with('/')));
    if is_of_folder { format!("{folder}/{file}") } else { file }
}

fn group_of(place: &str) -> &str {
    place.split('/').next().unwrap_or(place)
}

fn name_of(place: &str) -> String {
    format!("cases/{place}.toml")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    #[serde(default)]
    case: Vec<Spanned<CaseEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseEntry {
    id: String,
    shows: Vec<String>,
    #[serde(default)]
    contract: Contracts,
    script: Spanned<String>,
}

/// One `choice:side`, or a list of them.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a contract is one `choice:side` or a list of them")]
enum Contracts {
    One(String),
    All(Vec<String>),
}

impl Default for Contracts {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

/// What stands around an entry while it is read.
struct Reader<'a> {
    group: &'a str,
    file: DataFile<'a>,
    /// Where the entry starts.
    start: usize,
    catalogue: &'a Catalogue,
}

impl Reader<'_> {
    fn case(&self, entry: CaseEntry) -> Result<Case, Error> {
        let CaseEntry { id, shows, contract, script } = entry;
        let is_own = id
            .split_once('/')
            .is_some_and(|(prefix, name)| prefix == self.group && !name.is_empty());
        if !is_own {
            let what = format!("a case here is called {}/name", self.group);
            return Err(self.file.wrong_word(self.start, &id, &what));
        }
        let contracts = match contract {
            Contracts::One(one) => vec![one],
            Contracts::All(all) => all,
        };
        self.check_contracts(&contracts)?;
        self.check_shows(&id, &shows, &contracts)?;
        let start = script.span().start;
        let text = script.into_inner();
        let script = self.script(&id, &text, start)?;
        Ok(Case { id, group: self.group.to_owned(), shows, contracts, text, script })
    }

    fn check_contracts(&self, contracts: &[String]) -> Result<(), Error> {
        let mut choices = BTreeSet::new();
        for contract in contracts {
            if !contract::is_known(contract) {
                let known: Vec<String> = contract::all().collect();
                let what = unknown_word("contract", contract, known.iter().map(String::as_str));
                return Err(self.file.wrong_word(self.start, contract, &what));
            }
            let choice = contract.split(':').next();
            if !choices.insert(choice) {
                let what = "a case takes one side of a choice";
                return Err(self.file.wrong_word(self.start, contract, what));
            }
        }
        Ok(())
    }

    fn check_shows(&self, id: &str, shows: &[String], contracts: &[String]) -> Result<(), Error> {
        if shows.is_empty() {
            return Err(self.file.wrong_word(self.start, id, "it shows nothing"));
        }
        let mut seen = BTreeSet::new();
        for shown in shows {
            let wrong = |what: String| Err(self.file.wrong_word(self.start, shown, &what));
            let Some(behaviour) = self.catalogue.behaviour(shown) else {
                let ids = self.catalogue.behaviours.iter().map(|behaviour| behaviour.id.as_str());
                return wrong(unknown_word("behaviour", shown, ids));
            };
            if let Err(what) = fits(behaviour, contracts) {
                return wrong(what);
            }
            if !seen.insert(shown) {
                return wrong(format!("{shown} is shown twice"));
            }
        }
        Ok(())
    }

    fn script(&self, id: &str, text: &str, start: usize) -> Result<Script, Error> {
        parse(text, &self.catalogue.error_kinds).map_err(|error| {
            let line = line_of_script(self.file.text, start) + error.span.line - 1;
            let shown = error.render(text);
            Error::Data(format!("{}:{line}, case {id}:\n{shown}", self.file.name))
        })
    }
}

/// A behaviour of one side of a choice needs a case that is asked only of that side.
fn fits(behaviour: &Behaviour, contracts: &[String]) -> Result<(), String> {
    let id = &behaviour.id;
    if behaviour.untested.is_some() {
        return Err(format!("{id} is called untested in the catalogue"));
    }
    match &behaviour.contract {
        Some(contract) if !contracts.contains(contract) => {
            Err(format!("{id} belongs to the contract {contract}, which the case does not name"))
        }
        _ => Ok(()),
    }
}

/// The line of the file on which a script begins; the line break behind `'''` is not part of it.
fn line_of_script(file: &str, start: usize) -> usize {
    let before = file.get(..start).unwrap_or("").matches('\n').count() + 1;
    let opened = file.get(start..).unwrap_or("");
    before + usize::from(opened.starts_with("'''\n") || opened.starts_with("\"\"\"\n"))
}

/// Names files, with a colon between them, that are read when the program runs in the place of
/// those of the same name that it was built with: for whoever writes cases.
pub const REPLACED: &str = "PURLIN_CASES";

const FILES: &[(&str, &str)] = &[
    ("lock", include_str!("../cases/lock.toml")),
    ("rlock", include_str!("../cases/rlock.toml")),
    ("condition", include_str!("../cases/condition.toml")),
    ("barrier", include_str!("../cases/barrier.toml")),
    ("semaphore", include_str!("../cases/semaphore.toml")),
    ("bounded-semaphore", include_str!("../cases/bounded-semaphore.toml")),
    ("event", include_str!("../cases/event.toml")),
    ("manager/servers", include_str!("../cases/manager/servers.toml")),
    ("manager/proxies", include_str!("../cases/manager/proxies.toml")),
    ("manager/objects", include_str!("../cases/manager/objects.toml")),
    ("manager/waits", include_str!("../cases/manager/waits.toml")),
    ("manager/remote", include_str!("../cases/manager/remote.toml")),
    ("manager/deaths", include_str!("../cases/manager/deaths.toml")),
    ("pipe/messages", include_str!("../cases/pipe/messages.toml")),
    ("pipe/waits", include_str!("../cases/pipe/waits.toml")),
    ("pipe/ends", include_str!("../cases/pipe/ends.toml")),
    ("process/start", include_str!("../cases/process/start.toml")),
    ("process/fork", include_str!("../cases/process/fork.toml")),
    ("process/state", include_str!("../cases/process/state.toml")),
    ("process/identity", include_str!("../cases/process/identity.toml")),
    ("process/join", include_str!("../cases/process/join.toml")),
    ("process/alive", include_str!("../cases/process/alive.toml")),
    ("process/status", include_str!("../cases/process/status.toml")),
    ("process/daemon", include_str!("../cases/process/daemon.toml")),
    ("process/children", include_str!("../cases/process/children.toml")),
    ("process/spawn", include_str!("../cases/process/spawn.toml")),
    ("queue/order", include_str!("../cases/queue/order.toml")),
    ("queue/room", include_str!("../cases/queue/room.toml")),
    ("queue/ends", include_str!("../cases/queue/ends.toml")),
    ("pool/work", include_str!("../cases/pool/work.toml")),
    ("pool/maps", include_str!("../cases/pool/maps.toml")),
    ("pool/ends", include_str!("../cases/pool/ends.toml")),
    ("pool/deaths", include_str!("../cases/pool/deaths.toml")),
    ("async-result", include_str!("../cases/async-result.toml")),
    ("simple-queue", include_str!("../cases/simple-queue.toml")),
    ("joinable-queue", include_str!("../cases/joinable-queue.toml")),
    ("value", include_str!("../cases/value.toml")),
    ("array", include_str!("../cases/array.toml")),
    ("subprocess", include_str!("../cases/subprocess.toml")),
    ("thread", include_str!("../cases/thread.toml")),
];
