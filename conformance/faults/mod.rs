//! Subjects that are wrong on purpose, and odd ones that are right: who checks the suite.
//!
//! They have nothing in common with purlin. A server in the adapter owns the locks, each actor is a
//! program of its own with a connection to it, and the end of a connection is a death. What a lock
//! does is one small state machine (`lock.rs`), in which every fault has its one place.
//!
//! `tests/faults.rs` holds the table fault by case.

mod client;
mod lock;
mod server;

use std::collections::BTreeMap;
use std::io;
use std::process::Command;
use std::sync::Arc;

use purlin_conformance::limits::PROTOCOL_VERSION;
use purlin_conformance::serve::{
    self, Actor, Arguments, CallResult, Hello, How, Object, Pace, Reach, Refusal, Subject,
};

use client::{Connection, Manner};
use lock::Fault;

/// Those that are wrong, by name.
pub(crate) const FAULTS: &[(&str, Fault)] = &[
    ("fault-born-suspect", Fault::BornSuspect),
    ("fault-one-for-all", Fault::OneForAll),
    ("fault-never-blocks", Fault::NeverBlocks),
    ("fault-lost-wake", Fault::LostWake),
    ("fault-try-takes-nothing", Fault::TryTakesNothing),
    ("fault-try-always-taken", Fault::TryAlwaysTaken),
    ("fault-gives-up-early", Fault::GivesUpEarly),
    ("fault-timeout-leaves-ticket", Fault::TimeoutLeavesTicket),
    ("fault-zero-never-takes", Fault::ZeroNeverTakes),
    ("fault-release-never-refused", Fault::ReleaseNeverRefused),
    ("fault-release-by-anyone", Fault::ReleaseByAnyone),
    ("fault-wake-admits-all", Fault::WakeAdmitsAll),
    ("fault-ignores-deaths", Fault::IgnoresDeaths),
    ("fault-death-wakes-nobody", Fault::DeathWakesNobody),
    ("fault-death-admits-all", Fault::DeathAdmitsAll),
    ("fault-death-untold", Fault::DeathUntold),
    ("fault-told-but-not-held", Fault::ToldButNotHeld),
    ("fault-forgets-the-warning", Fault::ForgetsTheWarning),
    ("fault-warning-stays", Fault::WarningStays),
    ("fault-waiter-death-poisons", Fault::WaiterDeathPoisons),
    ("fault-waiter-death-keeps-ticket", Fault::WaiterDeathKeepsTicket),
];

/// Those that are right, by name: a plain one, one that never sleeps while it waits, one that asks
/// again and again.
pub(crate) const HONEST: &[(&str, Manner)] = &[
    ("honest-server", Manner::Sleep),
    ("honest-spinner", Manner::Spin),
    ("honest-poller", Manner::Poll),
];

/// Is the adapter of one of them.
///
/// # Errors
/// * What the system refused, or that there is none of this name.
pub(crate) fn run(name: &str) -> io::Result<()> {
    let fault = FAULTS.iter().find(|(known, _)| *known == name).map(|(_, fault)| *fault);
    let manner = HONEST.iter().find(|(known, _)| *known == name).map(|(_, manner)| *manner);
    if fault.is_none() && manner.is_none() {
        return Err(io::Error::other(format!("there is no adapter `{name}`")));
    }
    let fault = fault.unwrap_or(Fault::None);
    let address = server::start(fault)?;
    let manner =
        if fault == Fault::GivesUpEarly { Manner::Hurry } else { manner.unwrap_or_default() };
    serve::serve(Arc::new(Served { name: name.to_owned(), address, manner }))
}

/// The word with which the program is started as an actor.
pub(crate) const ACTOR: &str = "actor-of-server";

/// Is an actor: `NAME ADDRESS MANNER`.
///
/// # Errors
/// * What the system refused, or words that no adapter gave.
pub(crate) fn run_actor(words: &[String]) -> io::Result<()> {
    let [name, address, manner] = words else {
        return Err(io::Error::other("an actor is started by its adapter"));
    };
    let manner = Manner::from_word(manner);
    let connection = Arc::new(Connection::open(address, manner)?);
    let open = |name: &str| -> io::Result<Arc<dyn Object>> {
        Ok(Arc::new(client::Lock::new(name, Arc::clone(&connection))))
    };
    let subject = Served { name: name.clone(), address: address.clone(), manner };
    serve::run_in_program(Arc::new(subject), open)
}

struct Served {
    name: String,
    address: String,
    manner: Manner,
}

impl Subject for Served {
    fn hello(&self) -> Hello {
        let operations = ["acquire", "try", "release", "recover"].map(str::to_owned);
        let sides = |side: &str| vec![side.to_owned()];
        Hello {
            protocol: PROTOCOL_VERSION,
            name: self.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            starts: vec![How::Spawn],
            objects_reach: Reach::Start,
            objects: BTreeMap::from([("lock".to_owned(), operations.to_vec())]),
            capabilities: CAPABILITIES.map(str::to_owned).to_vec(),
            contracts: BTreeMap::from([
                ("lock-release".to_owned(), sides("by-holder")),
                ("lock-again".to_owned(), sides("waits")),
            ]),
            forms: BTreeMap::new(),
            pace: Pace::Fast,
        }
    }

    /// The server makes a lock when it is first asked for it; the adapter itself has no use for it.
    fn create(&self, _: &str, kind: &str, _: &Arguments) -> Result<Arc<dyn Object>, Refusal> {
        if kind != "lock" {
            return Err(Refusal::unsupported(kind));
        }
        Ok(Arc::new(NotHere))
    }

    fn start(&self, how: How, actor: Actor) -> Result<Box<dyn serve::Child>, Refusal> {
        if how != How::Spawn {
            return Err(Refusal::unsupported(how.slug()));
        }
        let mut command = Command::new("/proc/self/exe");
        command.args(["adapter", ACTOR, &self.name, &self.address, self.manner.word()]);
        actor.spawn(command)
    }
}

/// A forked copy would share its parent's connection, and a thread too, so neither is offered.
const CAPABILITIES: [&str; 7] = ["programs", "cells", "logs", "ends", "exec", "catch", "start"];

struct NotHere;

impl Object for NotHere {
    fn call(&self, _: &str, _: &Arguments) -> CallResult {
        CallResult::Unsupported
    }
}
