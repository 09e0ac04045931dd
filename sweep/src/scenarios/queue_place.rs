//! The queue: messages written and read where they stand, and several at once, by who dies amid it.

use std::time::Duration;

use purlin_channel::{Batch, Error, Queue};

use super::queue::{AMID, CAPACITY, DONE, LARGE, OWN, SMALL, World, failed};
use crate::stage::{AnyStage, Scenario, Stage, Sweep, Turn};
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Kind, Outcome, check};

pub(super) const SCENARIOS: [Scenario; 13] = [
    scenario("queue-reserve", "reserve a place, write there, commit", || {
        Ok(Box::new(Reserving(World::new(SMALL, 1)?)))
    }),
    scenario("queue-reserve-first", "the same, for who sleeps for a message", || {
        Ok(Box::new(ReservingFirst(World::new(SMALL, 0)?)))
    }),
    scenario("queue-reserve-drop", "reserve a place, and drop it", || {
        Ok(Box::new(Dropping(World::new(SMALL, 0)?)))
    }),
    scenario("queue-borrow", "borrow the first of two messages, read it, take it", || {
        Ok(Box::new(Borrowing { world: World::new(SMALL, 2)?, is_taken: true }))
    }),
    scenario("queue-borrow-large", "the same of large ones", || {
        Ok(Box::new(Borrowing { world: World::new(LARGE, 2)?, is_taken: true }))
    }),
    scenario("queue-borrow-back", "borrow the first of two messages, and give it back", || {
        Ok(Box::new(Borrowing { world: World::new(SMALL, 2)?, is_taken: false }))
    }),
    scenario("queue-put-many", "put two messages at once", || {
        Ok(Box::new(PuttingMany(World::new(SMALL, 1)?)))
    }),
    scenario("queue-get-many", "take two messages at once", || {
        Ok(Box::new(GettingMany(World::new(SMALL, 2)?)))
    }),
    scenario("queue-reserve-large", "reserve a place for a large one, write there, commit", || {
        Ok(Box::new(Reserving(World::new(LARGE, 1)?)))
    }),
    scenario("queue-reserve-round", "the same of one that goes round the end of the ring", || {
        Ok(Box::new(Reserving(World::behind(BEFORE_LAST, SMALL, 1)?)))
    }),
    scenario("queue-borrow-round", "borrow one that goes round the end, read it, take it", || {
        Ok(Box::new(Borrowing { world: World::behind(BEFORE_END, SMALL, 2)?, is_taken: true }))
    }),
    scenario("queue-put-many-round", "put two at once, which go round the end of the ring", || {
        Ok(Box::new(PuttingMany(World::behind(BEFORE_LAST, SMALL, 1)?)))
    }),
    scenario(
        "queue-get-many-round",
        "take two at once, which go round the end of the ring",
        || Ok(Box::new(GettingMany(World::behind(BEFORE_END, SMALL, 2)?))),
    ),
];

/// The ring has room for sixteen units, and a small message takes four. Behind these it is two
/// units to the end of the ring: a body goes round it, and its header does not.
const BEFORE_END: [usize; 4] = [SMALL, SMALL, SMALL, 8];

/// One message less.
const BEFORE_LAST: [usize; 3] = [SMALL, SMALL, 8];

const fn scenario(
    name: &'static str,
    about: &'static str,
    make: fn() -> Result<AnyStage, Failure>,
) -> Scenario {
    Scenario { name, about, make, sweep: Sweep::Double }
}

fn reserve_and_commit(queue: &Queue, message: &[u8]) -> Result<(), Error> {
    let mut place = queue.reserve(message.len(), None)?;
    place.copy_from_slice(message);
    place.commit()
}

fn reserve(world: &World, mortal: usize, mark: &Mark) -> Outcome {
    let message = world.message(OWN + mortal);
    world.act(mortal, mark, || reserve_and_commit(&world.queue, &message))
}

/// One message is inside; two write one more each.
struct Reserving(World);

impl Stage for Reserving {
    fn victim(&self, mark: &Mark) -> Outcome {
        reserve(&self.0, 0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        reserve(&self.0, 1, mark)
    }

    /// Puts and takes what it can, also while the victim has a place.
    fn other(&self, _turn: &Turn<'_>) -> Outcome {
        reserve(&self.0, 1, &Mark::UNARMED)?;
        self.0.drain()
    }

    fn check(&self) -> Outcome {
        self.0.drain()?;
        check(self.0.had(0), Kind::Lost, || "what was inside before".to_owned())?;
        self.0.check_puts()?;
        self.0.settle()
    }
}

/// One sleeps for a message, without a limit.
struct ReservingFirst(World);

impl Stage for ReservingFirst {
    fn peer_count(&self) -> usize {
        1
    }

    fn peer(&self, _index: usize) -> Outcome {
        let lent = self.0.queue.recv_ref(None).map_err(failed)?;
        self.0.note(&lent)?;
        lent.finish().map_err(failed)
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        reserve(&self.0, 0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        reserve(&self.0, 1, mark)
    }

    /// Whoever sleeps gets one, in any case.
    fn aftermath(&mut self) -> Outcome {
        self.0.queue.try_send(&self.0.message(0)).map_err(failed)
    }

    fn check(&self) -> Outcome {
        self.0.drain()?;
        check(self.0.had(0), Kind::Lost, || "the message of the end".to_owned())?;
        self.0.check_puts()?;
        self.0.settle()
    }
}

/// Nothing is inside. Two reserve a place each, and drop it.
struct Dropping(World);

impl Dropping {
    fn reserve_and_drop(&self, mortal: usize, mark: &Mark) -> Outcome {
        self.0.act(mortal, mark, || self.0.queue.reserve(self.0.size, None).map(drop))
    }
}

impl Stage for Dropping {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.reserve_and_drop(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.reserve_and_drop(1, mark)
    }

    /// Puts one before and one behind what it drops itself. It lives: only by what it has dropped,
    /// and by no death, does the second one come out, unless the victim has a place before it.
    fn other(&self, _turn: &Turn<'_>) -> Outcome {
        self.0.queue.try_send(&self.0.message(OWN + 2)).map_err(failed)?;
        self.reserve_and_drop(1, &Mark::UNARMED)?;
        let is_amid = self.0.step(0) == AMID;
        match self.0.queue.try_send(&self.0.message(OWN + 3)) {
            Ok(()) => {}
            Err(Error::Full) if is_amid => {}
            Err(other) => return Err(failed(other)),
        }
        self.0.drain()?;
        check(is_amid || self.0.had(OWN + 3), Kind::Lost, || "what stood behind it".to_owned())
    }

    /// Nothing came of it, and its room is there: swept by puts only, for nobody takes anything.
    fn check(&self) -> Outcome {
        self.0.drain()?;
        self.0.settle()?;
        check(self.0.queue.len() == Ok(0), Kind::Corrupt, || "not empty".to_owned())
    }
}

/// Two messages are inside; two borrow one each.
struct Borrowing {
    world: World,
    is_taken: bool,
}

impl Borrowing {
    fn borrow(&self, mortal: usize, mark: &Mark) -> Outcome {
        let (mut seen, is_taken) = (Vec::with_capacity(self.world.size), self.is_taken);
        self.world.act(mortal, mark, || {
            let lent = self.world.queue.recv_ref(None)?;
            seen.extend_from_slice(&lent);
            if is_taken {
                return lent.finish();
            }
            lent.give_back();
            Ok(())
        })?;
        if is_taken && self.world.step(mortal) == DONE {
            return self.world.journal.accuse(self.world.note(&seen).map(drop));
        }
        Ok(())
    }
}

impl Stage for Borrowing {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.borrow(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.borrow(1, mark)
    }

    /// Takes what it can, and fills the ring, over what the victim may still be reading.
    fn other(&self, _turn: &Turn<'_>) -> Outcome {
        match self.world.queue.try_recv() {
            Ok(message) => self.world.note(&message).map(drop)?,
            Err(Error::Empty) => {}
            Err(other) => return Err(failed(other)),
        }
        for number in [OWN, OWN + 1, OWN + 2] {
            match self.world.queue.try_send(&self.world.message(number)) {
                Ok(()) | Err(Error::Full) => {}
                Err(other) => return Err(failed(other)),
            }
        }
        Ok(())
    }

    fn check(&self) -> Outcome {
        self.world.drain()?;
        if self.is_taken {
            self.world.check_gets(2)?;
        } else {
            let has_both = self.world.had(0) && self.world.had(1);
            check(has_both, Kind::Lost, || "one that nobody took".to_owned())?;
        }
        self.world.settle()
    }
}

/// What stands in a mortal's step that was told that there is no room.
const TOLD_FULL: u64 = 3;

/// One message is inside; two put two more each, or what there is room for.
struct PuttingMany(World);

impl PuttingMany {
    fn put(&self, mortal: usize, mark: &Mark) -> Outcome {
        let messages = [OWN + mortal, OWN + 2 + mortal].map(|number| self.0.message(number));
        let both = [messages[0].as_slice(), &messages[1]];
        mark.begin();
        self.0.set_step(mortal, AMID);
        let answer = self.0.queue.send_many(&both, Duration::ZERO);
        let is_full = answer == Err(Error::Full);
        // Whoever had no room has put nothing.
        self.0.set_step(mortal, if is_full { TOLD_FULL } else { DONE });
        mark.end();
        self.0.journal.accuse(if is_full { Ok(()) } else { answer.map(drop).map_err(failed) })
    }
}

impl Stage for PuttingMany {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.put(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.put(1, mark)
    }

    /// Takes first, so that there is room for both of each.
    fn other(&self, _turn: &Turn<'_>) -> Outcome {
        self.0.drain()?;
        self.put(1, &Mark::UNARMED)?;
        self.0.drain()
    }

    fn check(&self) -> Outcome {
        self.0.drain()?;
        check(self.0.had(0), Kind::Lost, || "what was inside before".to_owned())?;
        self.0.check_puts()?;
        // Of the victim's, for which there is room; the second finds what that has left.
        let (first, last) = (self.0.had(OWN), self.0.had(OWN + 2));
        check(first == last, Kind::Lost, || "one of two that were put at once".to_owned())?;
        let (first, last) = (self.0.had(OWN + 1), self.0.had(OWN + 3));
        check(first || !last, Kind::Lost, || "the first of two".to_owned())?;
        // Only the other's two leave no room.
        let (is_told, is_put) = (self.0.step(1) == TOLD_FULL, self.0.had(OWN));
        check(!is_told || is_put && !first, Kind::Corrupt, || "full with room".to_owned())?;
        self.0.settle()
    }
}

/// What stands in a mortal's step that has taken what there was, and written down what it was.
const NOTED: u64 = 4;

/// Two messages are inside; two take both, if there are any.
struct GettingMany(World);

impl GettingMany {
    fn get(&self, mortal: usize, mark: &Mark) -> Outcome {
        let mut batch = Batch::with_room(CAPACITY, CAPACITY * self.0.size);
        self.0.act(mortal, mark, || match self.0.queue.recv_many(&mut batch, Duration::ZERO) {
            Ok(_) | Err(Error::Empty) => Ok(()),
            Err(other) => Err(other),
        })?;
        let noted = batch.iter().try_for_each(|message| self.0.note(message).map(drop));
        self.0.set_step(mortal, NOTED);
        self.0.journal.accuse(noted)
    }
}

impl Stage for GettingMany {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.get(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.get(1, mark)
    }

    fn check(&self) -> Outcome {
        self.0.drain()?;
        let missing = (0..2).filter(|number| !self.0.had(*number)).count();
        check(missing != 1, Kind::Lost, || "one of two that were taken at once".to_owned())?;
        // Only who died amid it, or with them in its hands, can have had both.
        let may_have_them = |mortal| [AMID, DONE].contains(&self.0.step(mortal));
        check(missing == 0 || (0..2).any(may_have_them), Kind::Lost, || {
            format!("{missing} messages")
        })?;
        self.0.settle()
    }
}
