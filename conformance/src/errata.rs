//! What the documents that started the catalogue get wrong, and which promises say it right.

use serde::Deserialize;
use toml::Spanned;

use crate::catalogue::Catalogue;
use crate::error::Error;
use crate::selection::unknown_word;
use crate::spot::DataFile;

/// A claim that is not so.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Erratum {
    /// Where it stands.
    pub document: String,
    /// What is claimed.
    pub claims: String,
    /// What is so.
    pub truth: String,
    /// The promises that encode it.
    pub behaviours: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ErrataFile {
    erratum: Vec<Spanned<Erratum>>,
}

impl Erratum {
    /// All that this program was built with.
    ///
    /// # Errors
    /// * [`Error::Data`] shows the mistake under the line that it is in.
    pub fn embedded(catalogue: &Catalogue) -> Result<Vec<Self>, Error> {
        Self::read(include_str!("../catalogue/errata.toml"), catalogue)
    }

    /// Reads them, and holds them against the catalogue.
    ///
    /// # Errors
    /// * [`Error::Data`] shows the mistake under the line that it is in.
    pub fn read(text: &str, catalogue: &Catalogue) -> Result<Vec<Self>, Error> {
        let file = DataFile { name: "catalogue/errata.toml", text };
        let read: ErrataFile = toml::from_str(text).map_err(|error| file.unreadable(&error))?;
        let mut errata = Vec::new();
        for entry in read.erratum {
            let start = entry.span().start;
            let erratum = entry.into_inner();
            let ids = || catalogue.behaviours.iter().map(|behaviour| behaviour.id.as_str());
            let unknown = erratum.behaviours.iter().find(|id| catalogue.behaviour(id).is_none());
            if let Some(id) = unknown {
                return Err(file.wrong_word(start, id, &unknown_word("behaviour", id, ids())));
            }
            if erratum.behaviours.is_empty() {
                let what = "an erratum names the behaviours that say it right";
                return Err(file.wrong_word(start, &erratum.document, what));
            }
            errata.push(erratum);
        }
        Ok(errata)
    }
}
