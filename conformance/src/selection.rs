//! Which part of the suite is run.

use crate::case::Case;
use crate::catalogue::Behaviour;
use crate::contract;
use crate::error::Error;
use crate::nearest::did_you_mean;
use crate::protocol::Hello;
use crate::suite::Suite;

/// Which part of the suite is run; an empty list is everything.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Names of groups.
    pub groups: Vec<String>,
    /// Ids of cases.
    pub cases: Vec<String>,
    /// Ids of behaviours.
    pub behaviours: Vec<String>,
    /// Kinds of object, such as `handover-lock`.
    pub forms: Vec<String>,
}

impl Selection {
    /// Checks that it selects something of the suite.
    ///
    /// # Errors
    /// * [`Error::Asked`] names the word that nothing answers to, and what was perhaps meant.
    pub fn check(&self, suite: &Suite) -> Result<(), Error> {
        let (behaviours, cases) = (&suite.catalogue.behaviours, &suite.cases);
        check_words("group", &self.groups, suite.catalogue.groups())?;
        check_words("case", &self.cases, cases.iter().map(|case| case.id.as_str()).collect())?;
        let ids = behaviours.iter().map(|behaviour| behaviour.id.as_str()).collect();
        check_words("behaviour", &self.behaviours, ids)?;
        let has_case = cases.iter().any(|case| self.has_case(case));
        let has_behaviour = behaviours.iter().any(|behaviour| self.has_behaviour(behaviour));
        if (!self.cases.is_empty() && !has_case) || !has_behaviour {
            return Err(Error::Asked("no case is in all that was selected".to_owned()));
        }
        Ok(())
    }

    /// Checks that the forms are forms of somebody who is asked.
    ///
    /// # Errors
    /// * [`Error::Asked`] names the one that nobody has, and what was perhaps meant.
    pub fn check_forms<'a>(
        &self,
        suite: &Suite,
        subjects: impl IntoIterator<Item = &'a Hello>,
    ) -> Result<(), Error> {
        let groups = suite.catalogue.groups();
        let mut kinds = Vec::new();
        for hello in subjects {
            for group in &groups {
                let forms = contract::forms(hello, group);
                kinds.extend(forms.iter().map(|form| form.kind.to_owned()));
            }
        }
        check_words("form", &self.forms, kinds.iter().map(String::as_str).collect())
    }

    /// Whether a case is asked.
    pub fn has_case(&self, case: &Case) -> bool {
        let shows_one = || case.shows.iter().any(|id| self.behaviours.contains(id));
        has(&self.groups, &case.group)
            && has(&self.cases, &case.id)
            && (self.behaviours.is_empty() || shows_one())
    }

    /// Whether a form is asked.
    pub fn has_form(&self, kind: &str) -> bool {
        self.forms.is_empty() || self.forms.iter().any(|form| form == kind)
    }

    /// Whether a behaviour is judged in the cases that are asked.
    pub(crate) fn shows(&self, behaviour: &Behaviour) -> bool {
        has(&self.behaviours, &behaviour.id)
    }

    /// Whether a behaviour is among what was chosen by group and by name.
    fn has_behaviour(&self, behaviour: &Behaviour) -> bool {
        has(&self.groups, &behaviour.group) && has(&self.behaviours, &behaviour.id)
    }

    /// Whether a behaviour that no case shows is counted.
    pub(crate) fn has_untested(&self, behaviour: &Behaviour) -> bool {
        self.has_behaviour(behaviour) && self.cases.is_empty() && self.forms.is_empty()
    }
}

fn has(list: &[String], item: &String) -> bool {
    list.is_empty() || list.contains(item)
}

fn check_words(what: &str, words: &[String], known: Vec<&str>) -> Result<(), Error> {
    let unknown = words.iter().find(|word| !known.contains(&word.as_str()));
    unknown.map_or(Ok(()), |word| Err(Error::Asked(unknown_word(what, word, known))))
}

/// One line about a word that nothing answers to.
pub(crate) fn unknown_word<'a>(
    what: &str,
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> String {
    format!("there is no {what} `{word}`{}", did_you_mean(word, known))
}
