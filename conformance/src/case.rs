//! The cases: how the promises are shown. Data only, read from `cases/*.toml` and checked.

use std::collections::BTreeSet;

use serde::Deserialize;
use toml::Spanned;

use crate::catalogue::{Behaviour, Catalogue};
use crate::error::Error;
use crate::parse::parse;
use crate::script::Script;

/// One script and the promises that it shows.
#[derive(Debug, Clone)]
pub struct Case {
    /// `group/name`, unique.
    pub id: String,
    /// The group: the name of the file that it stands in.
    pub group: String,
    /// The ids of the behaviours that it shows.
    pub shows: Vec<String>,
    /// Only subjects of this side of a choice are asked.
    pub contract: Option<String>,
    /// The script as it stands in the file.
    pub text: String,
    /// The script as it is run.
    pub script: Script,
}

impl Case {
    /// The cases that this program was built with.
    ///
    /// # Errors
    /// * [`Error::Data`] shows the mistake.
    pub fn embedded(catalogue: &Catalogue) -> Result<Vec<Self>, Error> {
        let mut cases = Vec::new();
        for (group, text) in FILES {
            cases.extend(Self::read(group, text, catalogue)?);
        }
        Ok(cases)
    }

    /// Reads the cases of one group from the text of its file.
    ///
    /// # Errors
    /// * [`Error::Data`] shows the mistake; one in a script is marked under its line.
    pub fn read(group: &str, text: &str, catalogue: &Catalogue) -> Result<Vec<Self>, Error> {
        let file: CaseFile = toml::from_str(text)
            .map_err(|error| Error::Data(format!("cases/{group}.toml: {error}")))?;
        let mut cases: Vec<Self> = Vec::new();
        for entry in file.case {
            let case = entry.into_case(group, text, catalogue)?;
            if cases.iter().any(|other| other.id == case.id) {
                return Err(wrong(group, &case.id, "this id stands here twice"));
            }
            cases.push(case);
        }
        Ok(cases)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    case: Vec<CaseEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseEntry {
    id: String,
    shows: Vec<String>,
    contract: Option<String>,
    script: Spanned<String>,
}

impl CaseEntry {
    fn into_case(self, group: &str, file: &str, catalogue: &Catalogue) -> Result<Case, Error> {
        if self.id.split_once('/').is_none_or(|(prefix, name)| prefix != group || name.is_empty()) {
            return Err(wrong(group, &self.id, &format!("a case here is called {group}/name")));
        }
        if self.shows.is_empty() {
            return Err(wrong(group, &self.id, "it shows nothing"));
        }
        let mut seen = BTreeSet::new();
        for id in &self.shows {
            let behaviour = catalogue.behaviour(id);
            let behaviour = behaviour
                .ok_or_else(|| wrong(group, &self.id, &format!("there is no behaviour {id}")))?;
            fits(behaviour, self.contract.as_deref())
                .map_err(|what| wrong(group, &self.id, &what))?;
            if !seen.insert(id) {
                return Err(wrong(group, &self.id, &format!("{id} is shown twice")));
            }
        }
        let first_line = line_of_script(file, self.script.span().start);
        let text = self.script.into_inner();
        let script = parse(&text, &catalogue.error_kinds).map_err(|error| {
            let line = first_line + error.span.line - 1;
            let shown = error.render(&text);
            Error::Data(format!("cases/{group}.toml:{line}, case {}:\n{shown}", self.id))
        })?;
        let (id, shows, contract) = (self.id, self.shows, self.contract);
        Ok(Case { id, group: group.to_owned(), shows, contract, text, script })
    }
}

/// A behaviour of one side of a choice needs a case that is asked only of that side.
fn fits(behaviour: &Behaviour, contract: Option<&str>) -> Result<(), String> {
    let id = &behaviour.id;
    if behaviour.untested.is_some() {
        return Err(format!("{id} is called untested in the catalogue"));
    }
    if behaviour.contract.is_some() && behaviour.contract.as_deref() != contract {
        return Err(format!("{id} belongs to another contract than the case"));
    }
    Ok(())
}

fn wrong(group: &str, id: &str, what: &str) -> Error {
    Error::Data(format!("cases/{group}.toml, case {id}: {what}"))
}

/// The line of the file on which a script begins; the line break behind `'''` is not part of it.
fn line_of_script(file: &str, start: usize) -> usize {
    let before = file.get(..start).unwrap_or("").matches('\n').count() + 1;
    let opened = file.get(start..).unwrap_or("");
    before + usize::from(opened.starts_with("'''\n") || opened.starts_with("\"\"\"\n"))
}

const FILES: &[(&str, &str)] = &[("lock", include_str!("../cases/lock.toml"))];
