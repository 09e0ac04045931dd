//! Subjects that are wrong on purpose, and odd ones that are right: who checks the suite.
//!
//! Their locks have nothing in common with purlin's. A server in the adapter owns them, each thread
//! that makes calls has a connection to it, and the end of a connection or of its process is a
//! death. What a lock does is one small state machine (`lock.rs`), in which most faults have their
//! one place (`fault.rs` lists them).
//!
//! What the system itself guarantees no lock can break. There a reply of a sound subject is
//! falsified on its way (`falsified.rs`).
//!
//! `tests/faults/table.rs` is the table fault by case.

mod client;
mod falsified;
mod fault;
mod handle;
mod lock;
mod named;
mod names;
mod process;
mod server;
mod subject;

use std::io;
use std::sync::Arc;

use purlin_conformance::serve;

use client::{Context, Manner};
use fault::{Fault, Side};
use lock::Order;
use subject::{Served, Shape};

/// All of them, by name.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let faults = fault::FAULTS.iter().map(|(name, _)| *name);
    let honest = HONEST.iter().map(|(name, ..)| *name);
    faults.chain(honest).chain(falsified::ALL.iter().map(|(name, _)| *name))
}

/// Those that are right, by name.
const HONEST: &[(&str, Shape)] = &[
    ("honest-server", Shape::USUAL),
    // Actors are threads.
    ("honest-threads", Shape { has_threads: true, ..Shape::USUAL }),
    // Actors are programs that are executed anew.
    ("honest-programs", Shape { has_programs: true, ..Shape::USUAL }),
    // The other sides of the contracts.
    ("honest-handover", Shape { side: Side::ByAnyone, ..Shape::USUAL }),
    ("honest-checked", Shape { side: Side::Checked, ..Shape::USUAL }),
    // Who waits never sleeps.
    ("honest-spinner", Shape { manner: Manner::Spin, ..Shape::USUAL }),
    // Who waits asks again and again.
    ("honest-poller", Shape { manner: Manner::Poll, ..Shape::USUAL }),
    // Who waits wakes for nothing, again and again.
    ("honest-fidget", Shape { manner: Manner::Fidget, ..Shape::USUAL }),
    // Who waited comes back late.
    ("honest-late", Shape { manner: Manner::Late, ..Shape::USUAL }),
    // Who came last is served first.
    ("honest-last-first", Shape { order: Order::Last, ..Shape::USUAL }),
    // Newcomers overtake those who wait.
    ("honest-newcomer-first", Shape { order: Order::Newcomer, ..Shape::USUAL }),
    // The core of the protocol, and nothing else.
    ("honest-core", Shape { is_core: true, ..Shape::USUAL }),
];

/// Is the adapter of one of them.
///
/// # Errors
/// * What the system refused, or that there is none of this name.
pub(crate) fn run(name: &str) -> io::Result<()> {
    if let Some((_, change)) = falsified::ALL.iter().find(|(known, _)| *known == name) {
        return falsified::run(name, change);
    }
    let (fault, shape) = known(name)?;
    let address = server::start(fault, shape.side, shape.order)?;
    let context = Context { address, fault, manner: shape.manner };
    serve::serve(Arc::new(Served::new(name, shape, context)))
}

fn known(name: &str) -> io::Result<(Fault, Shape)> {
    if let Some((_, shape)) = HONEST.iter().find(|(known, _)| *known == name) {
        return Ok((Fault::None, *shape));
    }
    let fault = fault::FAULTS.iter().find(|(known, _)| *known == name).map(|(_, fault)| *fault);
    let fault = fault.ok_or_else(|| io::Error::other(format!("there is no adapter `{name}`")))?;
    let order = match fault {
        Fault::LimitRestarts | Fault::LoserGivesUp => Order::Newcomer,
        _ => Order::First,
    };
    Ok((fault, Shape { side: fault.side(), order, ..Shape::USUAL }))
}

/// The word with which the program is started as an actor.
pub(crate) const ACTOR: &str = "actor-of-server";

/// Is an actor: `NAME ADDRESS TWIN=LOCK…`, the adapter's name, its server's address, and which
/// objects are other mappings of which.
///
/// # Errors
/// * What the system refused, or words that no adapter gave.
pub(crate) fn run_actor(words: &[String]) -> io::Result<()> {
    let [name, address, twins @ ..] = words else {
        return Err(io::Error::other("an actor is started by its adapter"));
    };
    let (fault, shape) = known(name)?;
    let context = Context { address: address.clone(), fault, manner: shape.manner };
    subject::run_program(Served::new(name, shape, context), twins)
}
