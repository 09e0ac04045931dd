//! The pipe: with descriptors along, into a buffer, through a socket that is full or empty; by who
//! dies amid it.

use std::os::fd::{AsFd, OwnedFd};

use purlin_channel::{Error, Pipe, RecvIntoError};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::{pread, pwrite};

use super::pipe::{AMID, DONE, NOTED, OWN, ROOM, SMALL, World, failed};
use crate::stage::{AnyStage, Scenario, Stage, Sweep, Turn};
use crate::sys::evidence::{is_asleep, is_gone, sleep_count};
use crate::sys::process::idle_until;
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Kind, Outcome, check};

pub(super) const SCENARIOS: [Scenario; 7] = [
    scenario("pipe-send-with", "send a message with a descriptor along", || {
        Ok(Box::new(SendingWith(World::new(SMALL, 0)?)))
    }),
    scenario("pipe-recv-with", "receive the first of two that have a descriptor along", || {
        Ok(Box::new(ReceivingWith::new()?))
    }),
    scenario("pipe-recv-into", "receive the first of two messages into a buffer", || {
        Ok(Box::new(IntoBuffer { world: World::new(SMALL, 2)?, buffer_len: SMALL }))
    }),
    scenario("pipe-recv-into-small", "the same, into one that is too small", || {
        Ok(Box::new(IntoBuffer { world: World::new(SMALL, 2)?, buffer_len: SMALL - 1 }))
    }),
    scenario("pipe-send-full", "wait for room in the socket beside another, and send", || {
        Ok(Box::new(ThroughFull::new()?))
    }),
    scenario("pipe-recv-empty", "wait for a message beside another, and receive it", || {
        Ok(Box::new(FromEmpty { world: World::new(SMALL, 0)?, is_late: false }))
    }),
    scenario("pipe-recv-late", "the same, when a slice has passed in vain", || {
        Ok(Box::new(FromEmpty { world: World::new(SMALL, 0)?, is_late: true }))
    }),
];

const fn scenario(
    name: &'static str,
    about: &'static str,
    make: fn() -> Result<AnyStage, Failure>,
) -> Scenario {
    Scenario { name, about, make, sweep: Sweep::Double }
}

/// Journal cell: who the victim is.
const VICTIM_PID: usize = 40;

fn come_on(world: &World) {
    world.journal.set_cell(VICTIM_PID, std::process::id().into());
}

/// Idles until the victim sleeps, or is gone.
fn await_victim(world: &World) {
    let waits = |pid| pid != 0 && (is_asleep(pid) || is_gone(pid));
    idle_until(|| waits(world.journal.cell(VICTIM_PID) as i32));
}

/// Idles until the victim has come to sleep a second time, when it has looked again, or is gone.
fn await_victim_again(world: &World) {
    await_victim(world);
    let pid = world.journal.cell(VICTIM_PID) as i32;
    let first = sleep_count(pid);
    idle_until(|| is_gone(pid) || is_asleep(pid) && sleep_count(pid) != first);
}

/// A file that only the message with this number has along.
fn file_of(number: usize) -> Result<OwnedFd, Failure> {
    let file = memfd_create("along", MemfdFlags::CLOEXEC).map_err(std::io::Error::from)?;
    pwrite(&file, &[number as u8], 0).map_err(std::io::Error::from)?;
    Ok(file)
}

fn send_with(writer: &Pipe, world: &World, number: usize, file: &OwnedFd) -> Result<(), Error> {
    writer.send_with(&world.message(number), file, None)
}

/// Each comes with its own file.
fn note_with(world: &World, (message, file): (Vec<u8>, OwnedFd)) -> Outcome {
    world.note(&message)?;
    let mut number = [0];
    let read = pread(file.as_fd(), &mut number, 0).map_err(std::io::Error::from)?;
    let is_its = read == 1 && message == world.message(usize::from(number[0]));
    check(is_its, Kind::Corrupt, || format!("a message with the file of {number:?}"))
}

/// Receives what is inside, with its files.
fn drain_with(world: &World) -> Outcome {
    let reader = world.reader()?;
    loop {
        match reader.recv_with(std::time::Duration::ZERO) {
            Ok(came) => note_with(world, came)?,
            Err(Error::TimedOut) => return Ok(()),
            Err(other) => return Err(failed(other)),
        }
    }
}

fn check_sent(world: &World) -> Outcome {
    for mortal in 0..2 {
        let (step, had) = (world.step(mortal), world.had(OWN + mortal));
        check(step != DONE || had, Kind::Lost, || format!("the message of {mortal}"))?;
        check(step != 0 || !had, Kind::Corrupt, || format!("{mortal} had sent nothing"))?;
    }
    Ok(())
}

/// Of those that were inside, as many are missing at most as have died with one.
fn check_received(world: &World, inside_count: usize) -> Outcome {
    let missing = (0..inside_count).filter(|number| !world.had(*number)).count();
    let dead = (0..2).filter(|mortal| matches!(world.step(*mortal), AMID | DONE)).count();
    check(missing <= dead, Kind::Lost, || format!("{missing} messages, by {dead} in a call"))
}

/// What is swept of a send, from its begin to its end.
fn send(
    world: &World,
    mortal: usize,
    mark: &Mark,
    send: impl FnOnce() -> Result<(), Error>,
) -> Outcome {
    mark.begin();
    world.set_step(mortal, AMID);
    let sent = send();
    world.set_step(mortal, DONE);
    mark.end();
    world.journal.accuse(sent.map_err(failed))
}

/// What is swept of a receive; what came is noted behind the mark.
fn recv<T>(
    world: &World,
    mortal: usize,
    mark: &Mark,
    recv: impl FnOnce() -> Result<T, Failure>,
    note: impl FnOnce(T) -> Outcome,
) -> Outcome {
    mark.begin();
    world.set_step(mortal, AMID);
    let received = recv();
    if received.is_ok() {
        world.set_step(mortal, DONE);
    }
    mark.end();
    let noted = received.and_then(note);
    world.set_step(mortal, NOTED);
    world.journal.accuse(noted)
}

/// Two send one each, with a descriptor along.
struct SendingWith(World);

impl SendingWith {
    fn send(&self, mortal: usize, mark: &Mark) -> Outcome {
        let (writer, file) = (self.0.writer()?, file_of(OWN + mortal)?);
        send(&self.0, mortal, mark, || send_with(&writer, &self.0, OWN + mortal, &file))
    }
}

impl Stage for SendingWith {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.send(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.send(1, mark)
    }

    fn other(&self, _turn: &Turn<'_>) -> Outcome {
        self.send(1, &Mark::UNARMED)?;
        drain_with(&self.0)
    }

    fn check(&self) -> Outcome {
        drain_with(&self.0)?;
        check_sent(&self.0)?;
        self.0.settle()
    }
}

/// Two are inside, with a descriptor along each; two receive one each.
struct ReceivingWith(World);

impl ReceivingWith {
    fn new() -> Result<Self, Failure> {
        let world = World::new(SMALL, 0)?;
        let writer = world.writer()?;
        for number in 0..2 {
            send_with(&writer, &world, number, &file_of(number)?).map_err(failed)?;
        }
        Ok(Self(world))
    }

    fn recv(&self, mortal: usize, mark: &Mark) -> Outcome {
        let reader = self.0.reader()?;
        let come = || reader.recv_with(None).map_err(failed);
        recv(&self.0, mortal, mark, come, |came| note_with(&self.0, came))
    }
}

impl Stage for ReceivingWith {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.recv(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.recv(1, mark)
    }

    fn check(&self) -> Outcome {
        drain_with(&self.0)?;
        check_received(&self.0, 2)?;
        self.0.settle()
    }
}

/// Two are inside; two receive one each, into a buffer.
struct IntoBuffer {
    world: World,
    buffer_len: usize,
}

impl IntoBuffer {
    fn recv(&self, mortal: usize, mark: &Mark) -> Outcome {
        let (reader, mut buffer) = (self.world.reader()?, vec![0; self.buffer_len]);
        let is_small = self.buffer_len < self.world.size;
        let come = || match reader.recv_into(&mut buffer, None) {
            Ok(len) if !is_small => Ok(buffer[..len].to_vec()),
            Err(RecvIntoError::TooLarge(message)) if is_small => Ok(message),
            other => Err(Failure::new(Kind::Corrupt, format!("into a buffer: {other:?}"))),
        };
        recv(&self.world, mortal, mark, come, |came| self.world.note(&came))
    }
}

impl Stage for IntoBuffer {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.recv(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.recv(1, mark)
    }

    fn check(&self) -> Outcome {
        self.world.drain()?;
        check_received(&self.world, 2)?;
        self.world.settle()
    }
}

/// The socket takes no more. Peer 0 receives three as soon as the victim sleeps for room; peer 1
/// sleeps for room, too, without a limit.
struct ThroughFull {
    world: World,
    inside_count: usize,
}

/// Nearly all that goes in at once: a few fill the socket.
const BULKY: usize = ROOM / 2 - 200;

impl ThroughFull {
    fn new() -> Result<Self, Failure> {
        let world = World::new(BULKY, 0)?;
        let writer = world.writer()?;
        for number in 0..=OWN {
            match writer.try_send(&world.message(number)) {
                Ok(()) => {}
                Err(Error::TimedOut) => return Ok(Self { world, inside_count: number }),
                Err(other) => return Err(failed(other)),
            }
        }
        Err(Failure::new(Kind::SetupFailed, "the socket does not become full"))
    }

    fn send(&self, mortal: usize, mark: &Mark) -> Outcome {
        let (writer, message) = (self.world.writer()?, self.world.message(OWN + mortal));
        send(&self.world, mortal, mark, || writer.send(&message, None))
    }
}

impl Stage for ThroughFull {
    fn peer_count(&self) -> usize {
        2
    }

    fn peer(&self, index: usize) -> Outcome {
        if index == 1 {
            let (writer, message) = (self.world.writer()?, self.world.message(OWN + 2));
            return writer.send(&message, None).map_err(failed);
        }
        let reader = self.world.reader()?;
        await_victim(&self.world);
        (0..3).try_for_each(|_| self.world.note(&reader.recv(None).map_err(failed)?))
    }

    fn is_in_place(&self, index: usize, pid: i32) -> bool {
        index == 0 || is_asleep(pid)
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        come_on(&self.world);
        self.send(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.send(1, mark)
    }

    /// Makes room before the victim sees that there is none, or after.
    fn other(&self, _turn: &Turn<'_>) -> Outcome {
        let came = self.world.reader()?.recv(None).map_err(failed)?;
        self.world.note(&came)
    }

    fn check(&self) -> Outcome {
        self.world.drain()?;
        let has_all = (0..self.inside_count).chain([OWN + 2]).all(|number| self.world.had(number));
        check(has_all, Kind::Lost, || "what was inside, or waited for room".to_owned())?;
        check_sent(&self.world)?;
        self.world.settle()
    }
}

/// Peer 0 sends three as soon as the victim sleeps for one; peer 1 sleeps for one, too, without a
/// limit.
struct FromEmpty {
    world: World,
    /// Peer 0 waits for a second sleep of the victim's.
    is_late: bool,
}

impl FromEmpty {
    fn recv(&self, mortal: usize, mark: &Mark) -> Outcome {
        let reader = self.world.reader()?;
        let come = || reader.recv(None).map_err(failed);
        recv(&self.world, mortal, mark, come, |came| self.world.note(&came))
    }
}

impl Stage for FromEmpty {
    fn peer_count(&self) -> usize {
        2
    }

    fn peer(&self, index: usize) -> Outcome {
        if index == 1 {
            let came = self.world.reader()?.recv(None).map_err(failed)?;
            return self.world.note(&came);
        }
        let writer = self.world.writer()?;
        match self.is_late {
            true => await_victim_again(&self.world),
            false => await_victim(&self.world),
        }
        (0..3).try_for_each(|number| writer.send(&self.world.message(number), None).map_err(failed))
    }

    fn is_in_place(&self, index: usize, pid: i32) -> bool {
        index == 0 || is_asleep(pid)
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        come_on(&self.world);
        self.recv(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.recv(1, mark)
    }

    /// Sends one before the victim sees that there is none, or after.
    fn other(&self, _turn: &Turn<'_>) -> Outcome {
        self.world.writer()?.send(&self.world.message(3), None).map_err(failed)
    }

    fn check(&self) -> Outcome {
        self.world.drain()?;
        check_received(&self.world, 3)?;
        self.world.settle()
    }
}
