//! What is swept. A file a subject; each scenario is a stage and a line in its file's list.

use crate::stage::Scenario;

mod lock;

/// All scenarios of the library.
#[must_use]
pub fn all() -> Vec<Scenario> {
    lock::SCENARIOS.to_vec()
}
