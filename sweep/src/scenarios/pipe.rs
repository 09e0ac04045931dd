//! The pipe: messages sent and received, small ones and large ones, by who dies amid it.

use std::os::fd::OwnedFd;

use purlin_channel::{Error, Pipe};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use crate::journal::Journal;
use crate::stage::{AnyStage, Scenario, Stage, Sweep, Turn};
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Kind, Outcome, check};

pub(super) const SMALL: usize = 20;
/// The room of the sockets, as it is asked for: a quarter of twice that goes in at once. Of a large
/// message the rest lies in a file.
pub(super) const ROOM: usize = 6000;
pub(super) const LARGE: usize = ROOM / 2 + 200;

pub(super) const SCENARIOS: [Scenario; 4] = [
    scenario("pipe-send", "send a message behind another", || {
        Ok(Box::new(Sending(World::new(SMALL, 1)?)))
    }),
    scenario("pipe-send-large", "send one of which a part lies in a file", || {
        Ok(Box::new(Sending(World::new(LARGE, 1)?)))
    }),
    scenario("pipe-recv", "receive the first of two messages", || {
        Ok(Box::new(Receiving(World::new(SMALL, 2)?)))
    }),
    scenario("pipe-recv-large", "receive one of which a part lies in a file", || {
        Ok(Box::new(Receiving(World::new(LARGE, 2)?)))
    }),
];

const fn scenario(
    name: &'static str,
    about: &'static str,
    make: fn() -> Result<AnyStage, Failure>,
) -> Scenario {
    Scenario { name, about, make, sweep: Sweep::Double }
}

/// The two sockets of a pipe, of which each role makes ends of its own, and who did what to it.
pub(super) struct World {
    pub(super) journal: Journal,
    to_receive: OwnedFd,
    to_send: OwnedFd,
    pub(super) size: usize,
}

/// Journal cells: how far each of the mortal has come, and which message somebody had, once each.
const STEPS: usize = 16;
const HAD: usize = 20;

/// What stands in the first of them.
pub(super) const AMID: u64 = 1;
pub(super) const DONE: u64 = 2;
pub(super) const NOTED: u64 = 3;

/// Messages by their numbers: those that are there before, and those of the mortal.
pub(super) const OWN: usize = 4;
const NUMBER_MAX: usize = OWN + 4;

impl World {
    /// With so many messages inside.
    pub(super) fn new(size: usize, inside_count: usize) -> Result<Self, Failure> {
        let pair =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None);
        let (to_receive, to_send) = pair.map_err(std::io::Error::from)?;
        let room = rustix::net::sockopt::set_socket_send_buffer_size(&to_send, ROOM);
        room.map_err(std::io::Error::from)?;
        let world = Self { journal: Journal::new()?, to_receive, to_send, size };
        let writer = world.writer()?;
        for number in 0..inside_count {
            writer.try_send(&world.message(number)).map_err(failed)?;
        }
        Ok(world)
    }

    pub(super) fn writer(&self) -> Result<Pipe, Failure> {
        Pipe::from_descriptor(self.to_send.try_clone()?, false, true).map_err(failed)
    }

    pub(super) fn reader(&self) -> Result<Pipe, Failure> {
        let reader = Pipe::from_descriptor(self.to_receive.try_clone()?, true, false);
        let reader = reader.map_err(failed)?;
        // The first receive of a thread makes the place where messages come to.
        let (other, writer) = Pipe::simplex().map_err(failed)?;
        writer.try_send(b"").and_then(|()| other.try_recv()).map_err(failed)?;
        Ok(reader)
    }

    pub(super) fn message(&self, number: usize) -> Vec<u8> {
        (0..self.size).map(|byte| (number * 31 + byte) as u8).collect()
    }

    /// Which message it is; each may come once.
    pub(super) fn note(&self, message: &[u8]) -> Outcome {
        let found = (0..NUMBER_MAX).find(|number| *message == *self.message(*number));
        let torn = || Failure::new(Kind::Corrupt, format!("{} bytes of no message", message.len()));
        let number = found.ok_or_else(torn)?;
        let before = self.journal.swap_cell(HAD + number, 1);
        check(before == 0, Kind::Duplicate, || format!("message {number} came twice"))
    }

    pub(super) fn had(&self, number: usize) -> bool {
        self.journal.cell(HAD + number) != 0
    }

    pub(super) fn step(&self, mortal: usize) -> u64 {
        self.journal.cell(STEPS + mortal)
    }

    pub(super) fn set_step(&self, mortal: usize, step: u64) {
        self.journal.set_cell(STEPS + mortal, step);
    }

    fn send(&self, mortal: usize, mark: &Mark) -> Outcome {
        let (writer, message) = (self.writer()?, self.message(OWN + mortal));
        mark.begin();
        self.journal.set_cell(STEPS + mortal, AMID);
        let sent = writer.send(&message, None);
        self.journal.set_cell(STEPS + mortal, DONE);
        mark.end();
        self.journal.accuse(sent.map_err(failed))
    }

    fn recv(&self, mortal: usize, mark: &Mark) -> Outcome {
        let reader = self.reader()?;
        mark.begin();
        self.journal.set_cell(STEPS + mortal, AMID);
        let received = reader.try_recv();
        if received.is_ok() {
            self.journal.set_cell(STEPS + mortal, DONE);
        }
        mark.end();
        self.journal.accuse(match received {
            Ok(message) => {
                let noted = self.note(&message);
                self.journal.set_cell(STEPS + mortal, NOTED);
                noted
            }
            Err(Error::TimedOut) if mortal != 0 => Ok(()), // the others had all
            Err(other) => Err(failed(other)),
        })
    }

    /// Receives what is inside.
    pub(super) fn drain(&self) -> Outcome {
        let reader = self.reader()?;
        loop {
            match reader.try_recv() {
                Ok(message) => self.note(&message)?,
                Err(Error::TimedOut) => return Ok(()),
                Err(other) => return Err(failed(other)),
            }
        }
    }

    /// It is as good as new.
    pub(super) fn settle(&self) -> Outcome {
        let (reader, writer) = (self.reader()?, self.writer()?);
        for number in 0..2 {
            writer.try_send(&self.message(number)).map_err(failed)?;
        }
        for number in 0..2 {
            let message = reader.try_recv().map_err(failed)?;
            check(message == self.message(number), Kind::Corrupt, || "another message".to_owned())?;
        }
        self.journal.check_accused()
    }
}

pub(super) fn failed(error: Error) -> Failure {
    Failure::new(Kind::Corrupt, format!("the pipe says {error}"))
}

/// One message is inside; two send one more each.
struct Sending(World);

impl Stage for Sending {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.0.send(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.0.send(1, mark)
    }

    /// Sends and receives what it can, also while the victim is amid its send.
    fn other(&self, _turn: &Turn<'_>) -> Outcome {
        self.0.send(1, &Mark::UNARMED)?;
        self.0.drain()
    }

    fn check(&self) -> Outcome {
        self.0.drain()?;
        check(self.0.had(0), Kind::Lost, || "what was inside before".to_owned())?;
        for mortal in 0..2 {
            let (step, had) = (self.0.step(mortal), self.0.had(OWN + mortal));
            check(step != DONE || had, Kind::Lost, || format!("the message of {mortal}"))?;
            check(step != 0 || !had, Kind::Corrupt, || format!("{mortal} had sent nothing"))?;
        }
        self.0.settle()
    }
}

/// Two messages are inside; two receive one each.
struct Receiving(World);

impl Stage for Receiving {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.0.recv(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.0.recv(1, mark)
    }

    /// Of those that were inside, as many are missing at most as have died with one.
    fn check(&self) -> Outcome {
        self.0.drain()?;
        let missing = (0..2).filter(|number| !self.0.had(*number)).count();
        let dead = (0..2).filter(|mortal| matches!(self.0.step(*mortal), AMID | DONE)).count();
        check(missing <= dead, Kind::Lost, || format!("{missing} messages, by {dead} in a call"))?;
        self.0.settle()
    }
}
