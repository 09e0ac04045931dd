//! Subjects that are wrong on purpose, and odd ones that are right: who checks the suite.
//!
//! Their objects have nothing in common with purlin's. A server in the adapter owns them, each
//! thread that makes calls has a connection to it, and the end of a connection or of its process
//! is a death. What a lock does is one small state machine (`lock.rs`), in which most faults have
//! their one place (`fault.rs` lists them). So it is with every other kind.
//!
//! # How a kind is added
//! 1. A file with its state machine, a `kind::Machine`: who asks for what, who waits, whose limit
//!    is over, who is dead. It answers at once or later, and everybody once. It knows of no
//!    connection.
//! 2. In that file a `Kind`: its name, its operations, which of them wait, its guard; and a
//!    `faults!` list of what can be wrong with it alone, which the machine finds by `Rules::name`.
//!    A fault that is listed in `fault.rs` already, and makes sense for the new kind, is heeded
//!    there too (`Rules::fault`); those of time limits, signals, forks and guards come for nothing.
//! 3. A line in each of the two lists of `kinds.rs`.
//! 4. Where a call is more than one request to the server, an `Object` of its own, around a
//!    `Handle`.
//! 5. A list of who notices what, in `tests/faults/table/`, named in `table.rs`.
//!
//! What the system itself guarantees no lock can break. There a reply of a sound subject is
//! falsified on its way (`falsified.rs`).
//!
//! Of processes, threads and programs no state machine is a model, of pipes the system itself is
//! the better one, and shared numbers are too many for a server: there one call of purlin's is
//! wrong, or of POSIX's (`bent.rs`; a line of its lists is a fault).
//!
//! `tests/faults/table.rs` is the table fault by case.

mod barrier;
mod bent;
mod bent_array;
mod bent_end;
mod bent_host;
mod bent_manager;
mod bent_pipe;
mod bent_pool;
mod bent_process;
mod bent_program;
mod bent_thread;
mod bent_value;
mod client;
mod condition;
mod event;
mod falsified;
mod fault;
mod handle;
mod kind;
mod kinds;
mod lock;
mod named;
mod names;
mod process;
mod queue;
mod rlock;
mod semaphore;
mod server;
mod subject;

use std::io;
use std::sync::Arc;

use purlin_conformance::serve;

use client::{Context, Manner};
use fault::{Fault, Side};
use kind::{Order, Rules};
use subject::{Served, Shape};

/// All of them, by name.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let faults = kinds::FAULTS.iter().copied().flatten().copied();
    let honest = HONEST.iter().map(|(name, ..)| *name);
    let bent = bent::BENDS.iter().copied().flatten().map(|(name, ..)| *name);
    faults.chain(honest).chain(bent).chain(falsified::ALL.iter().map(|(name, _)| *name))
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
    if let Some(subject) = bent::known(name).and_then(bent::Bent::new) {
        return serve::serve(Arc::new(subject));
    }
    let (rules, shape) = known(name)?;
    let address = server::start(rules)?;
    let (name, fault, manner) = (rules.name, rules.fault, shape.manner);
    let context = Context { name, address, fault, manner };
    serve::serve(Arc::new(Served::new(rules, shape, context)))
}

fn known(name: &str) -> io::Result<(Rules, Shape)> {
    if let Some((name, shape)) = HONEST.iter().find(|(known, _)| *known == name) {
        let (side, order) = (shape.side, shape.order);
        return Ok((Rules { name, fault: Fault::None, side, order }, *shape));
    }
    let listed = kinds::FAULTS.iter().copied().flatten().find(|known| **known == name);
    let none = || io::Error::other(format!("there is no adapter `{name}`"));
    let name = *listed.ok_or_else(none)?;
    let fault = Fault::named(name);
    let order = match fault {
        Fault::LimitRestarts | Fault::LoserGivesUp => Order::Newcomer,
        _ => Order::First,
    };
    let rules = Rules { name, fault, side: fault.side(), order };
    Ok((rules, Shape { side: rules.side, order, ..Shape::USUAL }))
}

/// The word with which the program is started as an actor.
pub(crate) const ACTOR: &str = "actor-of-server";

/// Is an actor: `NAME ADDRESS OBJECT=KIND=ARGUMENTS…`, the adapter's name, its server's address,
/// and how objects were made.
///
/// # Errors
/// * What the system refused, or words that no adapter gave.
pub(crate) fn run_actor(words: &[String]) -> io::Result<()> {
    let [name, address, made @ ..] = words else {
        return Err(io::Error::other("an actor is started by its adapter"));
    };
    let (rules, shape) = known(name)?;
    let (address, fault, manner) = (address.clone(), rules.fault, shape.manner);
    let context = Context { name: rules.name, address, fault, manner };
    subject::run_program(Served::new(rules, shape, context), made)
}
