//! What is swept. A file a subject; each scenario is a stage and a line in its file's list.

use crate::stage::Scenario;

mod arena;
mod barrier;
mod barrier_live;
mod barrier_world;
mod checked;
mod condition;
mod ensemble;
mod event;
mod every_lock;
mod handover;
mod household;
mod liveness;
mod lock;
mod manager;
mod name;
mod name_world;
mod pipe;
mod pipe_ways;
mod pool;
mod queue;
mod queue_faces;
mod queue_join;
mod queue_now;
mod queue_place;
mod queue_wait;
mod registration;
mod rlock;
mod semaphore;
mod semaphore_late;
mod semaphore_live;
mod semaphore_world;
mod shared;
mod spsc_ends;
mod start;
mod takeover;
mod tracked;
mod whole;
mod world;
mod wrong;

/// The scenario that goes by this name, those that are wrong on purpose included.
#[must_use]
pub fn named(name: &str) -> Option<Scenario> {
    all().into_iter().chain(wrong::SCENARIOS).find(|scenario| scenario.name == name)
}

/// All scenarios of the library.
#[must_use]
pub fn all() -> Vec<Scenario> {
    let lists: [&[Scenario]; 34] = [
        &registration::SCENARIOS,
        &liveness::SCENARIOS,
        &arena::SCENARIOS,
        &lock::SCENARIOS,
        &takeover::SCENARIOS,
        &every_lock::HANDOVER,
        &handover::SCENARIOS,
        &every_lock::CHECKED,
        &checked::SCENARIOS,
        &condition::SCENARIOS,
        &every_lock::RLOCK,
        &rlock::SCENARIOS,
        &event::SCENARIOS,
        &barrier::SCENARIOS,
        &barrier_live::SCENARIOS,
        &semaphore::SCENARIOS,
        &tracked::SCENARIOS,
        &semaphore_late::SCENARIOS,
        &semaphore_live::SCENARIOS,
        &name::SCENARIOS,
        &start::SCENARIOS,
        &queue::SCENARIOS,
        &queue_join::SCENARIOS,
        &queue_faces::SCENARIOS,
        &shared::SCENARIOS,
        &pipe::SCENARIOS,
        &pool::SCENARIOS,
        &manager::SCENARIOS,
        &queue_place::SCENARIOS,
        &queue_wait::SCENARIOS,
        &queue_now::SCENARIOS,
        &spsc_ends::SCENARIOS,
        &pipe_ways::SCENARIOS,
        &whole::SCENARIOS,
    ];
    lists.concat()
}
