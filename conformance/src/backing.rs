//! What stands behind a promise besides its cases: models that random scripts are held against, and
//! models of the words that loom walks through. `evidence.toml` says which, and why where none do.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::error::Error;
use crate::selection::unknown_word;
use crate::spot::DataFile;
use crate::suite::Suite;

/// All that `evidence.toml` says.
#[derive(Debug)]
pub struct Backing {
    /// The models, each with the behaviours that it implies.
    pub models: Vec<Model>,
    /// Tests of the words' models, each with the behaviours that they would refute.
    pub looms: Vec<Loom>,
    without: BTreeMap<(Kind, String), String>,
}

/// A kind of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A model that random scripts and bursts are held against.
    Model,
    /// A model of a word, in every interleaving.
    Loom,
}

/// A model that random scripts and bursts are held against.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// The group that it is about.
    pub group: String,
    /// The file, below `src/model/`.
    pub file: String,
    /// What could not be broken without being noticed.
    pub behaviours: Vec<String>,
    /// Why the others of the group are not among them.
    pub otherwise: Option<String>,
}

/// Tests of a word's model.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Loom {
    /// The group that they are about.
    pub group: String,
    /// Each as `file::test`, below the workspace's `models/src/`.
    pub tests: Vec<String>,
    /// What could not be broken in the word without one of them failing.
    pub behaviours: Vec<String>,
    /// Why the others of the group are not among them.
    pub otherwise: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BackingFile {
    #[serde(default)]
    model: Vec<Spanned<Model>>,
    #[serde(default)]
    loom: Vec<Spanned<Loom>>,
    #[serde(default)]
    without: Vec<Spanned<Without>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Without {
    kind: Kind,
    groups: Vec<String>,
    why: String,
}

impl Backing {
    /// What this program was built with.
    ///
    /// # Errors
    /// * [`Error::Data`] shows the mistake under the line that it is in.
    pub fn embedded(suite: &Suite) -> Result<Self, Error> {
        Self::read(include_str!("../evidence.toml"), suite)
    }

    /// Reads it, and holds it against the suite.
    ///
    /// # Errors
    /// * [`Error::Data`] shows the mistake under the line that it is in.
    pub fn read(text: &str, suite: &Suite) -> Result<Self, Error> {
        let file = DataFile { name: "evidence.toml", text };
        let read: BackingFile = toml::from_str(text).map_err(|error| file.unreadable(&error))?;
        let reader = Reader { file, suite };
        let mut backing = Self { models: Vec::new(), looms: Vec::new(), without: BTreeMap::new() };
        for entry in read.model {
            let start = entry.span().start;
            let model = entry.into_inner();
            reader.check(start, &model.group, &model.behaviours)?;
            backing.excuse(Kind::Model, &model.group, model.otherwise.as_ref());
            backing.models.push(model);
        }
        for entry in read.loom {
            let start = entry.span().start;
            let loom = entry.into_inner();
            reader.check(start, &loom.group, &loom.behaviours)?;
            backing.excuse(Kind::Loom, &loom.group, loom.otherwise.as_ref());
            backing.looms.push(loom);
        }
        for entry in read.without {
            let start = entry.span().start;
            let Without { kind, groups, why } = entry.into_inner();
            for group in groups {
                reader.check(start, &group, &[])?;
                if backing.has(kind, &group) {
                    let what = format!("{group} has evidence of this kind");
                    return Err(file.wrong_word(start, &group, &what));
                }
                backing.excuse(kind, &group, Some(&why));
            }
        }
        backing.check_whole(suite)?;
        Ok(backing)
    }

    /// The model that a behaviour follows from.
    pub fn model(&self, behaviour: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.behaviours.iter().any(|id| id == behaviour))
    }

    /// The tests of words' models that would refute a break.
    pub fn looms(&self, behaviour: &str) -> Vec<&str> {
        let own = self.looms.iter().filter(|loom| loom.behaviours.iter().any(|id| id == behaviour));
        own.flat_map(|loom| &loom.tests).map(String::as_str).collect()
    }

    /// Why behaviours of a group have no evidence of this kind.
    pub fn why_not(&self, kind: Kind, group: &str) -> Option<&str> {
        self.without.get(&(kind, group.to_owned())).map(String::as_str)
    }

    fn has(&self, kind: Kind, group: &str) -> bool {
        match kind {
            Kind::Model => self.models.iter().any(|model| model.group == group),
            Kind::Loom => self.looms.iter().any(|loom| loom.group == group),
        }
    }

    fn excuse(&mut self, kind: Kind, group: &str, why: Option<&String>) {
        if let Some(why) = why {
            self.without.insert((kind, group.to_owned()), why.clone());
        }
    }

    /// Every group has a word about each kind.
    fn check_whole(&self, suite: &Suite) -> Result<(), Error> {
        for group in suite.catalogue.groups() {
            for (kind, name) in [(Kind::Model, "model"), (Kind::Loom, "loom")] {
                if self.why_not(kind, group).is_none_or(|why| why.trim().is_empty()) {
                    let what = format!("evidence.toml: nothing says why {group} has no {name}");
                    return Err(Error::Data(what));
                }
            }
        }
        Ok(())
    }
}

struct Reader<'a> {
    file: DataFile<'a>,
    suite: &'a Suite,
}

impl Reader<'_> {
    /// The group is one, and the behaviours are its own, each once.
    fn check(&self, start: usize, group: &str, behaviours: &[String]) -> Result<(), Error> {
        let wrong = |word: &str, what: &str| Err(self.file.wrong_word(start, word, what));
        let groups = self.suite.catalogue.groups();
        if !groups.contains(&group) {
            return wrong(group, &unknown_word("group", group, groups));
        }
        for (place, id) in behaviours.iter().enumerate() {
            let Some(behaviour) = self.suite.catalogue.behaviour(id) else {
                let ids = self.suite.catalogue.behaviours.iter();
                let ids = ids.map(|behaviour| behaviour.id.as_str());
                return wrong(id, &unknown_word("behaviour", id, ids));
            };
            if behaviour.group != group {
                return wrong(id, &format!("{id} does not belong to {group}"));
            }
            if behaviours[..place].contains(id) {
                return wrong(id, &format!("{id} stands here twice"));
            }
        }
        Ok(())
    }
}
