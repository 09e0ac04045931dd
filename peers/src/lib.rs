//! What the adapters for other people's crates have in common.
//!
//! Each program under `src/bin` is an adapter of its own, written as somebody would who uses the
//! crate by its documentation, and without help: no loop, no check that the crate leaves out.
//!
//! # What this crate does not do
//! * Judge: that is `purlin-conformance`, which starts these programs.
//! * Repair: what a crate breaks stays broken here, and stands in `expect/`.
//! * Measure: crates are compared for speed in `benches/`.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use purlin_conformance::limits::PROTOCOL_VERSION;
use purlin_conformance::serve::{self, Actor, Child, Hello, How, Pace, Reach, Refusal, Subject};

/// What a subject says of itself; the rest is the same for all of them.
pub struct Face {
    /// Its name, with the way in which actors are started.
    pub name: &'static str,
    /// The version of the crate.
    pub version: &'static str,
    /// The one way in which actors are started.
    pub start: How,
    /// The kinds of object, with their operations.
    pub objects: &'static [(&'static str, &'static [&'static str])],
    /// The sides that it takes.
    pub sides: &'static [(&'static str, &'static str)],
    /// What the interpreter offers to it.
    pub capabilities: &'static [&'static str],
}

/// What is offered to threads.
pub const FOR_THREADS: &[&str] =
    &["programs", "cells", "logs", "functions", "threads", "ends", "catch"];

impl Face {
    /// The answer to `hello`.
    pub fn hello(&self) -> Hello {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let objects = self.objects.iter().map(|(kind, all)| ((*kind).to_owned(), words(all)));
        Hello {
            protocol: PROTOCOL_VERSION,
            name: self.name.to_owned(),
            version: self.version.to_owned(),
            starts: vec![self.start],
            objects_reach: Reach::Start,
            objects: objects.collect(),
            capabilities: words(self.capabilities),
            contracts: sides(self.sides),
            forms: BTreeMap::new(),
            pace: Pace::Fast,
        }
    }
}

/// Sides as `hello` has them.
pub fn sides(sides: &[(&str, &str)]) -> BTreeMap<String, Vec<String>> {
    let each = sides.iter().map(|(choice, side)| ((*choice).to_owned(), vec![(*side).to_owned()]));
    each.collect()
}

/// Is the adapter for this subject until its standard input ends.
///
/// # Errors
/// * What reading standard input gave.
pub fn run(subject: impl Subject + 'static) -> io::Result<()> {
    serve::serve(Arc::new(subject))?;
    // Threads that wait in a call for ever are no reason to stay.
    std::process::exit(0)
}

/// Runs an actor in a thread of its own.
///
/// # Errors
/// * `unsupported` when no thread was asked for, `out-of-resources` when the system refused.
pub fn start_thread(how: How, actor: Actor) -> Result<Box<dyn Child>, Refusal> {
    if how != How::Thread {
        return Err(Refusal::unsupported("its objects are of one process"));
    }
    serve::start_thread(actor)
}
