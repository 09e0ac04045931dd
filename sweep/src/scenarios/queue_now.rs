//! The queue that is shut down and emptied at once: by who dies amid it, and who was just taking.

use std::time::Duration;

use purlin_channel::{Error, Queue};

use super::queue::{AMID, CAPACITY, DONE, LARGE, OWN, SMALL, World, failed};
use crate::stage::{AnyStage, Scenario, Stage, Sweep};
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Kind, Outcome, check};

pub(super) const SCENARIOS: [Scenario; 3] = [
    scenario("queue-shutdown-now", "shut it down and drop three; one sleeps for room", || {
        Ok(Box::new(Dropping(World::new(SMALL, CAPACITY)?)))
    }),
    scenario("queue-shutdown-now-first", "the same of an empty one; one sleeps for one", || {
        Ok(Box::new(Dropping(World::new(SMALL, 0)?)))
    }),
    scenario("queue-get-dropped", "take a large one, which another drops meanwhile", || {
        Ok(Box::new(Taking(World::new(LARGE, 2)?)))
    }),
];

const fn scenario(
    name: &'static str,
    about: &'static str,
    make: fn() -> Result<AnyStage, Failure>,
) -> Scenario {
    Scenario { name, about, make, sweep: Sweep::Double }
}

/// Whether no message is inside, and none will come.
fn is_at_end(queue: &Queue) -> bool {
    queue.recv(Duration::ZERO) == Err(Error::Closed)
}

/// It is full, and one sleeps for room; or empty, and one sleeps for a message. It is to be told.
struct Dropping(World);

impl Dropping {
    fn shut(&self, mortal: usize, mark: &Mark) -> Outcome {
        self.0.act(mortal, mark, || self.0.queue.shutdown_now())
    }

    fn is_told(&self) -> bool {
        (0..2).any(|mortal| self.0.step(mortal) == DONE)
    }

    fn is_empty(&self) -> Result<bool, Failure> {
        self.0.queue.is_empty().map_err(failed)
    }
}

/// Journal cell: what the peer was made for: it waits for room, and not for a message.
const INSIDE: usize = 40;

impl Stage for Dropping {
    fn peer_count(&self) -> usize {
        1
    }

    fn peer(&self, _index: usize) -> Outcome {
        let waits_for_room = self.0.queue.is_full().map_err(failed)?;
        self.0.journal.set_cell(INSIDE, if waits_for_room { CAPACITY as u64 } else { 0 });
        let told = match waits_for_room {
            true => self.0.queue.send(&self.0.message(OWN + 2), None),
            false => self.0.queue.recv(None).map(drop),
        };
        check(told == Err(Error::Closed), Kind::Corrupt, || format!("{told:?}, not closed"))
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        self.shut(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.shut(1, mark)
    }

    /// Has it shut by all means, and nothing dropped: whoever sleeps is told.
    fn aftermath(&mut self) -> Outcome {
        let is_over = is_at_end_without_taking(&self.0.queue)?;
        check(is_over || !self.is_told(), Kind::Lost, || "a shutdown left no trace".to_owned())?;
        check(self.is_empty()? || !self.is_told(), Kind::Duplicate, || {
            "it is shut down and emptied, and something is inside".to_owned()
        })?;
        self.0.queue.shutdown().map_err(failed)
    }

    /// All are dropped, or none is.
    fn check(&self) -> Outcome {
        let inside = self.0.journal.cell(INSIDE) as usize;
        self.0.drain()?;
        let count = (0..CAPACITY).filter(|number| self.0.had(*number)).count();
        let is_whole = count == 0 || count == inside;
        check(is_whole, Kind::Lost, || format!("{} of {inside} are dropped", inside - count))?;
        let may_be_dropped = inside == 0 || (0..2).any(|mortal| self.0.step(mortal) != 0);
        check(count == inside || may_be_dropped, Kind::Lost, || "nobody dropped it".to_owned())?;
        check(is_at_end(&self.0.queue), Kind::Corrupt, || "shut, and not at its end".to_owned())?;
        let put = self.0.queue.try_send(&[]);
        check(put == Err(Error::Closed), Kind::Corrupt, || format!("shut, and says {put:?}"))?;
        self.0.journal.check_accused()
    }
}

/// Whether it is shut: a put is refused. One that has room would put something, so that it is too
/// large to be put.
fn is_at_end_without_taking(queue: &Queue) -> Result<bool, Failure> {
    match queue.reserve(0, Duration::ZERO) {
        Err(Error::Closed) => Ok(true),
        Ok(place) => {
            drop(place);
            Ok(false)
        }
        Err(Error::Full) => Ok(false),
        Err(other) => Err(failed(other)),
    }
}

/// What stands in the victim's step that has written down what it had.
const NOTED: u64 = 3;

/// Two large ones are inside. The victim takes the first one, if nobody drops it.
struct Taking(World);

impl Taking {
    /// Takes one, or is told that it was dropped.
    fn take(&self, mark: &Mark) -> Outcome {
        let mut message = vec![0; LARGE];
        mark.begin();
        self.0.set_step(0, AMID);
        let received = self.0.queue.recv_into(&mut message, None);
        self.0.set_step(0, DONE);
        mark.end();
        let noted = match received {
            Ok(len) => self.0.note(&message[..len]).and_then(|number| {
                check(number == 0, Kind::Lost, || format!("{number} came first"))
            }),
            Err(Error::Closed) => Ok(()),
            Err(other) => Err(failed(other)),
        };
        self.0.set_step(0, NOTED);
        self.0.journal.accuse(noted)
    }
}

impl Stage for Taking {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.take(mark)
    }

    /// Drops what is inside, be it that the first was taking it, and is killed in that.
    fn second(&self, mark: &Mark) -> Outcome {
        self.0.act(1, mark, || self.0.queue.shutdown_now())
    }

    fn check(&self) -> Outcome {
        let is_told = self.0.step(1) == DONE;
        let is_empty = self.0.queue.is_empty().map_err(failed)?;
        check(is_empty || !is_told, Kind::Duplicate, || "dropped, and still inside".to_owned())?;
        self.0.queue.shutdown().map_err(failed)?;
        self.0.drain()?;
        // Without a drop, only who died amid a get can have one.
        let missing = (0..2).filter(|number| !self.0.had(*number)).count();
        let may_have = usize::from([AMID, DONE].contains(&self.0.step(0)));
        check(self.0.step(1) != 0 || missing <= may_have, Kind::Lost, || {
            format!("{missing} messages")
        })?;
        check(is_at_end(&self.0.queue), Kind::Corrupt, || "shut, and not at its end".to_owned())?;
        self.0.journal.check_accused()
    }
}
