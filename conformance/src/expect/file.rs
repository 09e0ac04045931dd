//! The files of `expect/`, read and held against the suite and against a subject.

use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::range::{Range, Version};
use super::{Deviation, Expectations, Script};
use crate::contract::forms;
use crate::error::Error;
use crate::nearest::did_you_mean;
use crate::protocol::Hello;
use crate::selection::unknown_word;
use crate::spot::{DataFile, text_of};
use crate::suite::Suite;
use crate::verdict::Verdict;

/// One file: the known deviations of a subject or of a family of subjects.
#[derive(Debug, Clone)]
pub struct List {
    /// The name of the file without `.toml`: of a subject (`cpython-3.13-fork`), of its family
    /// without the version (`cpython-fork`), or the beginning of that (`cpython`).
    pub name: String,
    /// The versions that it was made for, where it says so.
    pub versions: Option<Range>,
    /// Whether what is no must stands here, too, where it is broken.
    pub is_of_all_levels: bool,
    /// Its entries.
    pub deviations: Vec<Deviation>,
    /// Where each entry starts.
    starts: Vec<usize>,
    text: String,
    /// Where it stands.
    path: String,
}

impl List {
    /// The lists that this program was built with.
    ///
    /// # Errors
    /// * [`Error::Data`] shows the mistake under the line that it is in.
    pub fn embedded(suite: &Suite) -> Result<Vec<Self>, Error> {
        FILES.iter().map(|(name, text)| Self::read(name, text, suite)).collect()
    }

    /// The list for a subject of this name: the one that says most of the name.
    pub fn find<'a>(lists: &'a [Self], subject: &str) -> Option<&'a Self> {
        let names = names(subject);
        names.iter().find_map(|wanted| lists.iter().find(|list| list.name == *wanted))
    }

    /// Reads a list that this program was not built with.
    ///
    /// # Errors
    /// * [`Error::Asked`] when the file cannot be read.
    /// * [`Error::Data`] shows the mistake under the line that it is in.
    pub fn open(path: &str, suite: &Suite) -> Result<Self, Error> {
        let text = text_of(Path::new(path));
        let text = text.map_err(|error| Error::Asked(format!("cannot read {path}: {error}")))?;
        let name = Path::new(path).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Self::read_from(path.to_owned(), &name, &text, suite)
    }

    /// Reads one file and holds it against the suite.
    ///
    /// # Errors
    /// * [`Error::Data`] shows the mistake under the line that it is in.
    pub fn read(name: &str, text: &str, suite: &Suite) -> Result<Self, Error> {
        Self::read_from(format!("expect/{name}.toml"), name, text, suite)
    }

    fn read_from(path: String, name: &str, text: &str, suite: &Suite) -> Result<Self, Error> {
        let file = DataFile { name: &path, text };
        let read: ExpectFile = toml::from_str(text).map_err(|error| file.unreadable(&error))?;
        let versions = read.versions.map(|versions| range(&file, versions)).transpose()?;
        let mut list = Self {
            name: name.to_owned(),
            versions,
            is_of_all_levels: read.all_levels,
            deviations: Vec::new(),
            starts: Vec::new(),
            text: text.to_owned(),
            path: path.clone(),
        };
        for entry in read.deviation {
            let start = entry.span().start;
            let deviation = entry.into_inner().check(&file, start, suite)?;
            let both = list.deviations.iter().find_map(|earlier| deviation.overlap(earlier));
            if let Some(id) = both {
                let what = format!("another entry says something about {id}, too");
                return Err(file.wrong_word(start, id, &what));
            }
            list.deviations.push(deviation);
            list.starts.push(start);
        }
        Ok(list)
    }

    /// What it says of a subject in its version.
    ///
    /// # Errors
    /// * [`Error::Data`] when an entry names a form that the subject does not have, or something
    ///   that it is never asked.
    pub fn of(&self, suite: &Suite, hello: &Hello) -> Result<Expectations, Error> {
        let version = Version::parse(&hello.version);
        let is_in = |range: Option<&Range>| {
            range.is_none_or(|range| version.as_ref().is_some_and(|version| range.has(version)))
        };
        let mut deviations = Vec::new();
        for (known, start) in self.deviations.iter().zip(&self.starts) {
            if is_in(self.versions.as_ref()) && is_in(known.versions.as_ref()) {
                self.check_asked(known, *start, suite, hello)?;
                deviations.push(known.clone());
            }
        }
        let knows_version = match &self.versions {
            Some(range) => is_in(Some(range)),
            None => {
                let mut ranges = self.deviations.iter().map(|known| known.versions.as_ref());
                self.deviations.is_empty() || ranges.any(is_in)
            }
        };
        let is_of_all_levels = self.is_of_all_levels;
        Ok(Expectations { is_listed: true, knows_version, is_of_all_levels, deviations })
    }

    fn check_asked(
        &self,
        known: &Deviation,
        start: usize,
        suite: &Suite,
        hello: &Hello,
    ) -> Result<(), Error> {
        let file = DataFile { name: &self.path, text: &self.text };
        let groups = known.behaviours.iter().filter_map(|id| suite.catalogue.behaviour(id));
        let kinds: Vec<&str> = groups
            .flat_map(|behaviour| forms(hello, &behaviour.group))
            .map(|form| form.kind)
            .collect();
        if let Some(form) = known.forms.iter().find(|form| !kinds.contains(&form.as_str())) {
            let nearest = did_you_mean(form, kinds);
            let what = format!("{} has no form `{form}` of that{nearest}", hello.name);
            return Err(file.wrong_word(start, form, &what));
        }
        let questions = suite.questions(hello);
        for id in &known.behaviours {
            let is_asked = questions
                .iter()
                .any(|(case, form)| case.shows.contains(id) && known.covers(id, &case.id, form));
            if !is_asked {
                let what = format!("{} is never asked for {id}: it takes another side", hello.name);
                return Err(file.wrong_word(start, id, &what));
            }
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectFile {
    versions: Option<Spanned<String>>,
    #[serde(default)]
    all_levels: bool,
    #[serde(default)]
    deviation: Vec<Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    behaviours: Vec<String>,
    #[serde(default)]
    forms: Vec<String>,
    #[serde(default)]
    cases: Vec<String>,
    verdict: Spanned<Verdict>,
    reason: String,
    evidence: Option<String>,
    versions: Option<Spanned<String>>,
    script: Option<Spanned<String>>,
    prints: Option<Spanned<String>>,
    no_script: Option<Spanned<String>>,
    #[serde(default)]
    by_chance: bool,
}

impl Entry {
    fn check(self, file: &DataFile<'_>, start: usize, suite: &Suite) -> Result<Deviation, Error> {
        let verdict = *self.verdict.get_ref();
        let wrong = |what: &str| Err(file.wrong(self.verdict.span(), what));
        if verdict.is_good() || verdict == Verdict::Untested {
            return wrong("an entry needs a verdict that is a deviation");
        }
        if self.behaviours.is_empty() || self.reason.trim().is_empty() {
            return wrong("an entry needs behaviours, and a reason");
        }
        let evidence = self.evidence.map(|text| text.trim().to_owned());
        let has_evidence = evidence.as_ref().is_some_and(|text| !text.is_empty());
        if !has_evidence && verdict != Verdict::Unsupported {
            return wrong("an entry needs its evidence: what came when it was seen");
        }
        let script = match (self.script, self.prints) {
            (Some(text), Some(prints)) => {
                let (text, prints) = (text.into_inner(), prints.into_inner().trim().to_owned());
                Some(Script { text, prints })
            }
            (Some(alone), None) | (None, Some(alone)) => {
                let what = "a script needs what it prints, and what is printed a script";
                return Err(file.wrong(alone.span(), what));
            }
            (None, None) => None,
        };
        let no_script = self.no_script.as_ref();
        if let Some(why) = no_script.filter(|why| script.is_some() || why.get_ref().is_empty()) {
            let what = "either a script, or why there is none";
            return Err(file.wrong(why.span(), what));
        }
        check_known(file, start, suite, &self.behaviours, &self.cases)?;
        check_shown(file, start, suite, &self.behaviours, &self.cases)?;
        Ok(Deviation {
            behaviours: self.behaviours,
            forms: self.forms,
            cases: self.cases,
            verdict,
            reason: self.reason.trim().to_owned(),
            evidence,
            versions: self.versions.map(|versions| range(file, versions)).transpose()?,
            script,
            no_script: self.no_script.map(Spanned::into_inner),
            by_chance: self.by_chance,
        })
    }
}

/// Every word is one of the suite's.
fn check_known(
    file: &DataFile<'_>,
    start: usize,
    suite: &Suite,
    behaviours: &[String],
    cases: &[String],
) -> Result<(), Error> {
    if let Some(id) = behaviours.iter().find(|id| suite.catalogue.behaviour(id).is_none()) {
        let ids = suite.catalogue.behaviours.iter().map(|behaviour| behaviour.id.as_str());
        return Err(file.wrong_word(start, id, &unknown_word("behaviour", id, ids)));
    }
    let ids: Vec<&str> = suite.cases.iter().map(|case| case.id.as_str()).collect();
    if let Some(id) = cases.iter().find(|id| !ids.contains(&id.as_str())) {
        return Err(file.wrong_word(start, id, &unknown_word("case", id, ids)));
    }
    Ok(())
}

/// Each behaviour is shown by a case that the entry speaks of, and each case shows one of them.
fn check_shown(
    file: &DataFile<'_>,
    start: usize,
    suite: &Suite,
    behaviours: &[String],
    cases: &[String],
) -> Result<(), Error> {
    for (place, id) in behaviours.iter().enumerate() {
        let wrong = |what: &str| Err(file.wrong_word(start, id, what));
        let mut shown = suite.cases_of(id).peekable();
        if shown.peek().is_none() {
            return wrong(&format!("no case shows {id}, so nobody can have seen it"));
        }
        if !cases.is_empty() && !shown.any(|case| cases.contains(&case.id)) {
            return wrong(&format!("none of the entry's cases shows {id}"));
        }
        if behaviours[..place].contains(id) {
            return wrong(&format!("{id} stands here twice"));
        }
    }
    let is_idle = |id: &&String| {
        let shows = |behaviour: &String| suite.cases_of(behaviour).any(|case| case.id == **id);
        !behaviours.iter().any(shows)
    };
    if let Some(id) = cases.iter().find(is_idle) {
        let what = format!("the case {id} shows nothing that the entry speaks of");
        return Err(file.wrong_word(start, id, &what));
    }
    Ok(())
}

fn range(file: &DataFile<'_>, text: Spanned<String>) -> Result<Range, Error> {
    Range::parse(text.get_ref()).map_err(|what| file.wrong(text.span(), &what))
}

/// The names that a list for this subject may have: `cpython-3.13-fork`, `cpython-fork`, `cpython`.
fn names(subject: &str) -> Vec<String> {
    let is_word = |part: &&str| !part.starts_with(|c: char| c.is_ascii_digit());
    let words: Vec<&str> = subject.split('-').filter(is_word).collect();
    let shorter = (1..=words.len()).rev().map(|count| words[..count].join("-"));
    std::iter::once(subject.to_owned()).chain(shorter).collect()
}

macro_rules! lists {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../expect/", $name, ".toml")))),*]
    };
}

const FILES: &[(&str, &str)] = lists![
    "cpython-fork",
    "cpython-forkserver",
    "cpython-spawn",
    "cpython-threads",
    "posix-fork",
    "posix-mq-fork",
    "purlin",
    "purlin-threads",
    "std-threads",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_not_part_of_the_family() {
        assert_eq!(names("cpython-3.13-fork"), ["cpython-3.13-fork", "cpython-fork", "cpython"]);
        assert_eq!(names("purlin-threads"), ["purlin-threads", "purlin-threads", "purlin"]);
    }
}
