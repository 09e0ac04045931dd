//! What the suite says of its own evidence: the tables of faults are those that its tests go by.

use std::collections::BTreeMap;

use purlin_conformance::backing::Backing;
use purlin_conformance::error::Error;
use purlin_conformance::report::evidence::{self, Fault, Known};
use purlin_conformance::suite::Suite;

use table::{Noticed, TABLES};

#[path = "../tests/faults/table/mod.rs"]
#[expect(dead_code, reason = "which honest subjects there are, and what is sampled, is for tests")]
mod table;

/// What is asked about the evidence.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Asked {
    /// Which kinds stand behind each promise.
    Evidence,
    /// Which cases each fault brings down.
    Faults,
}

/// The answer, about one group or all.
pub(crate) fn list(suite: &Suite, asked: Asked, group: Option<&str>) -> Result<String, Error> {
    let (backing, faults) = (Backing::embedded(suite)?, faults());
    let known = Known { suite, backing: &backing, faults: &faults };
    Ok(match asked {
        Asked::Evidence => evidence::evidence(&known, group),
        Asked::Faults => evidence::faults(&known, group),
    })
}

/// All evidence for a behaviour, or for a case.
pub(crate) fn of(suite: &Suite, id: &str) -> Result<String, Error> {
    let (backing, faults) = (Backing::embedded(suite)?, faults());
    let known = Known { suite, backing: &backing, faults: &faults };
    Ok(match suite.catalogue.behaviour(id) {
        Some(behaviour) => evidence::of_behaviour(&known, behaviour),
        None => format!("\nevidence\n{}", evidence::of_case(&known, id)),
    })
}

/// Each fault once, with its cases of all groups.
fn faults() -> Vec<Fault> {
    let mut faults: BTreeMap<&'static str, Vec<&'static str>> = BTreeMap::new();
    for (name, noticed) in TABLES.iter().flat_map(|table| table.faults.iter().copied().flatten()) {
        let cases = faults.entry(*name).or_default();
        if let Noticed::These(own) = noticed {
            cases.extend(*own);
        }
    }
    faults.into_iter().map(|(name, cases)| Fault { name, cases }).collect()
}
