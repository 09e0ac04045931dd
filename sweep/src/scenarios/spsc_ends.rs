//! The queue of one to one: who waits at an end, takes what the other end may write over, or leaves
//! it beside those who sleep; by who dies amid it.

use purlin_channel::{Error, Receiver, Sender, Spsc};

use super::queue_faces::{AMID, DONE, STEPS, amid, failed};
use crate::journal::Journal;
use crate::stage::{AnyStage, Scenario, Stage, Sweep, Turn};
use crate::sys::evidence::{is_asleep_on_futex, is_gone};
use crate::sys::process::idle_until;
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Kind, Outcome, check};

pub(super) const SCENARIOS: [Scenario; 6] = [
    scenario("spsc-wait-message", "wait for a message, be woken, take it", || {
        Ok(Box::new(ForMessage(Canal::new(0)?)))
    }),
    scenario("spsc-wait-room", "wait for room, be woken, send", || {
        Ok(Box::new(ForRoom(Canal::new(COUNT)?)))
    }),
    scenario("spsc-take", "receive what the sender may soon write over", || {
        Ok(Box::new(Taking(Canal::new(COUNT)?)))
    }),
    scenario(
        "spsc-leave-sender",
        "leave the end; one sleeps for a message, one for the end",
        || Ok(Box::new(LeavingSender(Canal::new(0)?))),
    ),
    scenario(
        "spsc-leave-dead",
        "send, and leave; one sleeps for the message, then the end",
        || Ok(Box::new(SendingLast(Canal::new(0)?))),
    ),
    scenario("spsc-leave-receiver", "leave the end; one sleeps for room, one for the end", || {
        Ok(Box::new(LeavingReceiver(Canal::new(COUNT)?)))
    }),
];

const fn scenario(
    name: &'static str,
    about: &'static str,
    make: fn() -> Result<AnyStage, Failure>,
) -> Scenario {
    Scenario { name, about, make, sweep: Sweep::Double }
}

/// How many messages it takes; with their headers they are all of the ring, so that the next one is
/// written over what was just taken.
const COUNT: u8 = 4;
const SIZE: usize = 24;

/// What has passed before: the second of those inside goes round the end of the ring.
const GONE: [usize; 3] = [SIZE, SIZE, 8];

/// The numbers of what the mortal send.
const OWN: u8 = 4;
const NUMBER_MAX: u8 = OWN + 4;

/// Journal cells, beside those of `amid`: which message somebody had; who the victim is; whether
/// the other end is a peer's, without which it would be at its end; what was noted of what somebody
/// had.
const HAD: usize = 20;
const VICTIM_PID: usize = 40;
const IS_THERE: usize = 41;
const SETTLED: usize = 44;

/// A queue whose ends stand amid the ring, with some messages inside.
struct Canal {
    journal: Journal,
    queue: Spsc,
}

impl Canal {
    fn new(inside_count: u8) -> Result<Self, Failure> {
        let queue = Spsc::bounded(COUNT.into(), SIZE).map_err(failed)?;
        let mut sender = queue.sender(None).map_err(failed)?;
        let mut receiver = queue.receiver(None).map_err(failed)?;
        for len in GONE {
            sender.try_send(&vec![9; len]).map_err(failed)?;
            receiver.try_recv().map_err(failed)?;
        }
        for number in 0..inside_count {
            sender.try_send(&message(number)).map_err(failed)?;
        }
        drop((sender, receiver));
        Ok(Self { journal: Journal::new()?, queue })
    }

    fn sender(&self) -> Result<Sender, Failure> {
        self.queue.sender(None).map_err(failed)
    }

    fn receiver(&self) -> Result<Receiver, Failure> {
        self.queue.receiver(None).map_err(failed)
    }

    fn come_on(&self) {
        self.journal.set_cell(VICTIM_PID, std::process::id().into());
    }

    /// Idles until the victim waits, or is gone.
    fn await_victim(&self) {
        let waits = |pid| pid != 0 && (is_asleep_on_futex(pid) || is_gone(pid));
        idle_until(|| waits(self.journal.cell(VICTIM_PID) as i32));
    }

    /// Each comes once, and whole.
    fn note(&self, came: &[u8]) -> Outcome {
        let number = came.first().copied().unwrap_or(u8::MAX);
        let is_ours = number < NUMBER_MAX && came == message(number);
        check(is_ours, Kind::Corrupt, || format!("{came:?} was never sent"))?;
        let before = self.journal.swap_cell(HAD + usize::from(number), 1);
        check(before == 0, Kind::Duplicate, || format!("{number} came twice"))
    }

    fn had(&self, number: u8) -> bool {
        self.journal.cell(HAD + usize::from(number)) != 0
    }

    fn step(&self, mortal: usize) -> u64 {
        self.journal.cell(STEPS + mortal)
    }

    /// Receives one, which is noted behind the mark.
    fn recv(&self, mortal: usize, receiver: &mut Receiver, mark: &Mark) -> Outcome {
        let mut buffer = [0; SIZE];
        amid(&self.journal, mortal, mark, || {
            receiver.recv_into(&mut buffer, None).map(drop).map_err(failed)
        })?;
        let noted = self.note(&buffer);
        self.journal.set_cell(SETTLED + mortal, 1);
        self.journal.accuse(noted)
    }

    fn send(&self, mortal: usize, sender: &mut Sender, mark: &Mark) -> Outcome {
        let message = message(OWN + mortal as u8);
        amid(&self.journal, mortal, mark, || sender.send(&message, None).map_err(failed))
    }

    fn drain(&self) -> Outcome {
        let mut receiver = self.receiver()?;
        while let Ok(message) = receiver.try_recv() {
            self.note(&message)?;
        }
        Ok(())
    }

    /// Of those that were inside, as many are missing at most as have died with one.
    fn check_taken(&self, inside_count: u8) -> Outcome {
        let missing = (0..inside_count).filter(|number| !self.had(*number)).count();
        let may_have = |mortal: &usize| {
            [AMID, DONE].contains(&self.step(*mortal)) && self.journal.cell(SETTLED + mortal) == 0
        };
        let dead = (0..2).filter(may_have).count();
        check(missing <= dead, Kind::Lost, || format!("{missing} messages, by {dead} in a call"))
    }

    fn check_sent(&self) -> Outcome {
        for mortal in 0..2 {
            let (step, had) = (self.step(mortal), self.had(OWN + mortal as u8));
            check(step != DONE || had, Kind::Lost, || format!("the message of {mortal}"))?;
            check(step != 0 || !had, Kind::Corrupt, || format!("{mortal} had sent nothing"))?;
        }
        Ok(())
    }

    /// It is as good as new.
    fn settle(&self) -> Outcome {
        let (mut sender, mut receiver) = (self.sender()?, self.receiver()?);
        for number in 0..COUNT {
            sender.try_send(&message(number)).map_err(failed)?;
        }
        let full = sender.try_send(&[]);
        check(full == Err(Error::Full), Kind::Corrupt, || format!("full, and says {full:?}"))?;
        for number in 0..COUNT {
            let came = receiver.try_recv().map_err(failed)?;
            check(came == message(number), Kind::Corrupt, || "another message".to_owned())?;
        }
        self.journal.check_accused()
    }
}

/// A message that begins with its number.
fn message(number: u8) -> [u8; SIZE] {
    core::array::from_fn(|byte| number.wrapping_add((byte as u8).wrapping_mul(31)))
}

/// Peer 0 sends two as soon as the victim waits for one.
struct ForMessage(Canal);

impl Stage for ForMessage {
    fn peer_count(&self) -> usize {
        1
    }

    fn peer(&self, _index: usize) -> Outcome {
        let mut sender = self.0.sender()?;
        self.0.journal.set_cell(IS_THERE, 1);
        self.0.await_victim();
        (0..2).try_for_each(|number| sender.send(&message(number), None).map_err(failed))
    }

    fn is_in_place(&self, _index: usize, _pid: i32) -> bool {
        self.0.journal.cell(IS_THERE) == 1
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        self.0.come_on();
        let mut receiver = self.0.receiver()?;
        self.0.recv(0, &mut receiver, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        let mut receiver = self.0.receiver()?;
        self.0.recv(1, &mut receiver, mark)
    }

    fn check(&self) -> Outcome {
        self.0.drain()?;
        self.0.check_taken(2)?;
        self.0.settle()
    }
}

/// It is full. Peer 0 takes two as soon as the victim waits for room.
struct ForRoom(Canal);

impl Stage for ForRoom {
    fn peer_count(&self) -> usize {
        1
    }

    fn peer(&self, _index: usize) -> Outcome {
        let mut receiver = self.0.receiver()?;
        self.0.journal.set_cell(IS_THERE, 1);
        self.0.await_victim();
        (0..2).try_for_each(|_| self.0.note(&receiver.recv(None).map_err(failed)?))
    }

    fn is_in_place(&self, _index: usize, _pid: i32) -> bool {
        self.0.journal.cell(IS_THERE) == 1
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        self.0.come_on();
        let mut sender = self.0.sender()?;
        self.0.send(0, &mut sender, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        let mut sender = self.0.sender()?;
        self.0.send(1, &mut sender, mark)
    }

    fn check(&self) -> Outcome {
        self.0.drain()?;
        let has_all = (0..COUNT).all(|number| self.0.had(number));
        check(has_all, Kind::Lost, || "what was inside".to_owned())?;
        self.0.check_sent()?;
        self.0.settle()
    }
}

/// It is full; two take one each.
struct Taking(Canal);

impl Stage for Taking {
    fn victim(&self, mark: &Mark) -> Outcome {
        let mut receiver = self.0.receiver()?;
        self.0.recv(0, &mut receiver, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        let mut receiver = self.0.receiver()?;
        self.0.recv(1, &mut receiver, mark)
    }

    /// Fills what the victim has left free, over what it may still be reading.
    fn other(&self, _turn: &Turn<'_>) -> Outcome {
        let mut sender = self.0.sender()?;
        for number in OWN..NUMBER_MAX {
            match sender.try_send(&message(number)) {
                Ok(()) => {}
                Err(Error::Full) => return Ok(()),
                Err(other) => return Err(failed(other)),
            }
        }
        Err(Failure::new(Kind::Corrupt, "more than it has room for"))
    }

    fn check(&self) -> Outcome {
        self.0.drain()?;
        self.0.check_taken(COUNT)?;
        self.0.settle()
    }
}

/// Nothing is inside. Peer 0 sleeps for a message, and is to be told of the end; peer 1 sleeps for
/// the end to send by.
struct LeavingSender(Canal);

impl Stage for LeavingSender {
    fn peer_count(&self) -> usize {
        2
    }

    fn peer(&self, index: usize) -> Outcome {
        if index == 1 {
            return self.0.sender().map(drop);
        }
        let told = self.0.receiver()?.recv(None);
        check(told == Err(Error::EndOfFile), Kind::Corrupt, || format!("{told:?}, not the end"))
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        let sender = self.0.sender()?;
        amid(&self.0.journal, 0, mark, || {
            drop(sender);
            Ok(())
        })
    }

    /// Claims it, and leaves it in turn.
    fn second(&self, mark: &Mark) -> Outcome {
        amid(&self.0.journal, 1, mark, || self.0.sender().map(drop))
    }

    fn check(&self) -> Outcome {
        self.0.settle()
    }
}

/// Nothing is inside. Peer 0 receives until the end, which it is told by a death too, and takes all
/// that was sent before.
struct SendingLast(Canal);

impl Stage for SendingLast {
    fn peer_count(&self) -> usize {
        1
    }

    fn peer(&self, _index: usize) -> Outcome {
        let mut receiver = self.0.receiver()?;
        loop {
            match receiver.recv(None) {
                Ok(message) => self.0.note(&message)?,
                Err(Error::EndOfFile) => return Ok(()),
                Err(other) => return Err(failed(other)),
            }
        }
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        let mut sender = self.0.sender()?;
        let message = message(OWN);
        mark.begin();
        self.0.journal.set_cell(STEPS, AMID);
        let sent = sender.send(&message, None);
        self.0.journal.set_cell(STEPS, DONE);
        drop(sender);
        mark.end();
        self.0.journal.accuse(sent.map_err(failed))
    }

    /// Sends one more, which the peer has only if it has not been told of the end yet.
    fn second(&self, mark: &Mark) -> Outcome {
        let mut sender = self.0.sender()?;
        self.0.send(1, &mut sender, mark)
    }

    fn check(&self) -> Outcome {
        let (step, had) = (self.0.step(0), self.0.had(OWN));
        check(step != DONE || had, Kind::Lost, || "what was sent before the end".to_owned())?;
        check(step != 0 || !had, Kind::Corrupt, || "nothing was sent".to_owned())?;
        self.0.drain()?;
        self.0.check_sent()?;
        self.0.settle()
    }
}

/// It is full. Peer 0 sleeps for room, and is to be told of the end; peer 1 sleeps for the end to
/// receive by.
struct LeavingReceiver(Canal);

impl Stage for LeavingReceiver {
    fn peer_count(&self) -> usize {
        2
    }

    fn peer(&self, index: usize) -> Outcome {
        if index == 1 {
            return self.0.receiver().map(drop);
        }
        let told = self.0.sender()?.send(&message(OWN + 2), None);
        check(told == Err(Error::BrokenPipe), Kind::Corrupt, || format!("{told:?}, not the end"))
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        let receiver = self.0.receiver()?;
        amid(&self.0.journal, 0, mark, || {
            drop(receiver);
            Ok(())
        })
    }

    fn second(&self, mark: &Mark) -> Outcome {
        amid(&self.0.journal, 1, mark, || self.0.receiver().map(drop))
    }

    /// Nothing of what is inside went with anybody.
    fn check(&self) -> Outcome {
        self.0.drain()?;
        let has_all = (0..COUNT).all(|number| self.0.had(number));
        check(has_all, Kind::Lost, || "what was inside".to_owned())?;
        self.0.settle()
    }
}
