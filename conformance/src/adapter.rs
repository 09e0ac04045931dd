//! This program as an adapter: the subjects that are built into it.

use std::io;
use std::sync::Arc;

use posix::{Posix, Queues};
use purlin::Purlin;
use purlin_conformance::serve::{idle_if_replaced, serve};
use std_threads::StdThreads;

#[path = "../faults/mod.rs"]
mod faults;
#[path = "../adapters/odd.rs"]
mod odd;
#[path = "../adapters/pipe.rs"]
mod pipe;
#[path = "../adapters/posix.rs"]
pub(crate) mod posix;
#[path = "../adapters/purlin.rs"]
pub(crate) mod purlin;
#[path = "../adapters/several.rs"]
mod several;
#[path = "../adapters/std_threads.rs"]
mod std_threads;

/// The subjects that a run without a choice asks.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    Purlin::NAMES.iter().copied().chain([Posix::NAME, Queues::NAME, StdThreads::NAME])
}

/// The one of these that the system may not offer.
pub(crate) const MAY_BE_ABSENT: &str = Queues::NAME;

/// The subjects that check the suite; they are run only when they are named.
pub(crate) fn hidden_names() -> impl Iterator<Item = &'static str> {
    faults::names()
}

/// Is one of them until its standard input ends. The process ends with it: threads that wait in a
/// call for ever are no reason to stay.
///
/// # Errors
/// * What the system refused, or that there is none of this name.
pub(crate) fn run(words: &[String]) -> io::Result<()> {
    idle_if_replaced();
    match words {
        [word, name] if word == odd::ODD => odd::run(name),
        [word, rest @ ..] if word == faults::ACTOR => faults::run_actor(rest),
        [name] if name == Posix::NAME => serve(Arc::new(Posix::new()?)),
        [name] if name == Queues::NAME => serve(Arc::new(Queues::new()?)),
        [name] if name == StdThreads::NAME => serve(Arc::new(StdThreads::default())),
        [name] => match Purlin::new(name) {
            Some(purlin) => serve(Arc::new(purlin)),
            None => faults::run(name),
        },
        _ => {
            let names: Vec<&str> = names().chain(hidden_names()).collect();
            Err(io::Error::other(format!("an adapter needs a name: {}", names.join(", "))))
        }
    }
}
