//! Known deviations: what a subject does not keep, with the reason, so that a run is green as long
//! as nothing changes. The list stays true: an entry that turns out to be kept fails the run.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::catalogue::Catalogue;
use crate::error::Error;
use crate::verdict::Verdict;

/// The known deviations of one subject, by behaviour.
#[derive(Debug, Clone, Default)]
pub struct Expectations {
    by_behaviour: BTreeMap<String, Deviation>,
}

/// What is known of one behaviour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deviation {
    /// The verdict that is expected.
    pub verdict: Verdict,
    /// Why the subject is so.
    pub reason: String,
}

impl Expectations {
    /// The expectations for the subject `name`, from the files that this program was built with. A
    /// file without a version stands for all versions that have none of their own.
    ///
    /// # Errors
    /// * [`Error::Data`] when a file contradicts the catalogue.
    pub fn embedded(name: &str, catalogue: &Catalogue) -> Result<Self, Error> {
        let family = family(name);
        let found = [name, family.as_str()]
            .into_iter()
            .find_map(|wanted| FILES.iter().find(|(file, _)| *file == wanted));
        found.map_or_else(|| Ok(Self::default()), |(file, text)| Self::read(file, text, catalogue))
    }

    /// Reads one file.
    ///
    /// # Errors
    /// * [`Error::Data`] names the entry and what is wrong with it.
    pub fn read(name: &str, text: &str, catalogue: &Catalogue) -> Result<Self, Error> {
        let wrong = |what: String| Error::Data(format!("expect/{name}.toml: {what}"));
        let file: ExpectFile = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let mut by_behaviour = BTreeMap::new();
        for entry in file.deviation {
            let Entry { behaviours, verdict, reason } = entry;
            if verdict.is_good() || reason.trim().is_empty() || behaviours.is_empty() {
                return Err(wrong(format!(
                    "an entry needs behaviours, a reason, and a verdict that is a deviation: \
                     {behaviours:?}"
                )));
            }
            for id in behaviours {
                if catalogue.behaviour(&id).is_none() {
                    return Err(wrong(format!("there is no behaviour {id}")));
                }
                let deviation = Deviation { verdict, reason: reason.trim().to_owned() };
                if by_behaviour.insert(id.clone(), deviation).is_some() {
                    return Err(wrong(format!("{id} stands here twice")));
                }
            }
        }
        Ok(Self { by_behaviour })
    }

    /// What is known of a behaviour.
    pub fn of(&self, behaviour: &str) -> Option<&Deviation> {
        self.by_behaviour.get(behaviour)
    }

    /// The behaviours that have an entry.
    pub fn behaviours(&self) -> impl Iterator<Item = &str> {
        self.by_behaviour.keys().map(String::as_str)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectFile {
    #[serde(default)]
    deviation: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    behaviours: Vec<String>,
    verdict: Verdict,
    reason: String,
}

/// `cpython-3.13-fork` belongs to the family `cpython-fork`.
fn family(name: &str) -> String {
    let parts = name.split('-').filter(|part| !part.starts_with(|c: char| c.is_ascii_digit()));
    parts.collect::<Vec<_>>().join("-")
}

const FILES: &[(&str, &str)] = &[("cpython-fork", include_str!("../expect/cpython-fork.toml"))];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_not_part_of_the_family() {
        assert_eq!(family("cpython-3.13-fork"), "cpython-fork");
        assert_eq!(family("purlin-threads"), "purlin-threads");
    }
}
