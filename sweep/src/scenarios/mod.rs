//! What is swept. A file a subject; each scenario is a stage and a line in its file's list.

use crate::stage::Scenario;

mod arena;
mod liveness;
mod lock;
mod registration;
mod takeover;
mod world;

/// All scenarios of the library.
#[must_use]
pub fn all() -> Vec<Scenario> {
    let lists: [&[Scenario]; 5] = [
        &registration::SCENARIOS,
        &liveness::SCENARIOS,
        &arena::SCENARIOS,
        &lock::SCENARIOS,
        &takeover::SCENARIOS,
    ];
    lists.concat()
}
