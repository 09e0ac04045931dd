//! The unbounded queue, and the queue of one to one: by who dies amid it.

use purlin_channel::{Error, Queue, Spsc};

use super::ensemble::{self, Ensemble};
use crate::journal::Journal;
use crate::stage::{AnyStage, Scenario, Stage, Sweep, Turn};
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Kind, Outcome, check};

pub(super) const SCENARIOS: [Scenario; 6] = [
    scenario("unbounded-put", "put a message for which pages are taken", || {
        Ok(Box::new(Pages::new(FIRST_CHUNK, true)?))
    }),
    scenario("unbounded-get", "take a message behind which pages are given back", || {
        Ok(Box::new(Pages::new(2 * FIRST_CHUNK + 1, false)?))
    }),
    Scenario {
        name: "unbounded-get-beside",
        about: "the same, while another puts where those pages were",
        make: || Ok(Box::new(Beside(Pages::new(2 * FIRST_CHUNK + 1, false)?))),
        sweep: Sweep::Still,
    },
    scenario("spsc-send", "claim the end to send by, and send to one who sleeps", || {
        Ok(Box::new(OneToOne::new(true)?))
    }),
    scenario("spsc-recv", "claim the end to receive by, and receive", || {
        Ok(Box::new(OneToOne::new(false)?))
    }),
    Scenario {
        name: "spsc-live",
        about: "one sends and one receives, through room for one: nobody is left asleep",
        make: || Ok(ensemble::stage(SpscLive::new()?)),
        sweep: Sweep::Whole,
    },
];

const fn scenario(
    name: &'static str,
    about: &'static str,
    make: fn() -> Result<AnyStage, Failure>,
) -> Scenario {
    Scenario { name, about, make, sweep: Sweep::Double }
}

pub(super) fn failed(error: Error) -> Failure {
    Failure::new(Kind::Corrupt, format!("the queue says {error}"))
}

/// Journal cells: how far each of the mortal has come, how often each number came; and, while the
/// victim stands still or goes on, whether another has the end.
pub(super) const STEPS: usize = 16;
const HAD: usize = 20;
const IS_HELD_BY_ANOTHER: usize = 40;

pub(super) const AMID: u64 = 1;
pub(super) const DONE: u64 = 2;

/// Steps between the marks, written down before and after.
pub(super) fn amid(
    journal: &Journal,
    mortal: usize,
    mark: &Mark,
    act: impl FnOnce() -> Outcome,
) -> Outcome {
    mark.begin();
    journal.set_cell(STEPS + mortal, AMID);
    let outcome = act();
    if outcome.is_ok() {
        journal.set_cell(STEPS + mortal, DONE);
    }
    mark.end();
    journal.accuse(outcome)
}

pub(super) fn count_of(journal: &Journal, step: u64) -> u64 {
    (0..2).filter(|mortal| journal.cell(STEPS + mortal) == step).count() as u64
}

/// An unbounded queue that is filled up to the end of a chunk, or taken up to it.
struct Pages {
    journal: Journal,
    queue: Queue,
    puts: bool,
    inside_count: u64,
}

/// So many messages of this size, with their headers, fill a chunk.
const PAGE_MESSAGE: usize = 1016;
const FIRST_CHUNK: u64 = 256;

/// The numbers of what the mortal put, and of what is put to fill it.
const OWN: u64 = 10_000;
const FILLING: u64 = 20_000;

/// What is taken at a time, and in what the system counts it.
const CHUNK_BYTES: u64 = 1 << 18;
const BLOCK_BYTES: u64 = 512;

/// Journal cell: how many were put to fill it.
const FILLING_COUNT: usize = 41;

impl Pages {
    fn new(put_count: u64, puts: bool) -> Result<Self, Failure> {
        let queue = Queue::unbounded(1 << 20).map_err(failed)?;
        let taken_count = if puts { 0 } else { put_count - 2 };
        for number in 0..put_count {
            queue.try_send(&Self::message(number)).map_err(failed)?;
        }
        for _ in 0..taken_count {
            queue.try_recv().map_err(failed)?;
        }
        let inside_count = put_count - taken_count;
        Ok(Self { journal: Journal::new()?, queue, puts, inside_count })
    }

    fn message(number: u64) -> Vec<u8> {
        let mut message = vec![number as u8; PAGE_MESSAGE];
        message[..8].copy_from_slice(&number.to_le_bytes());
        message
    }

    fn note(&self, message: &[u8]) -> Result<u64, Failure> {
        let number = u64::from_le_bytes(core::array::from_fn(|byte| message[byte]));
        check(message == Self::message(number), Kind::Corrupt, || "a torn message".to_owned())?;
        if (OWN..FILLING).contains(&number) {
            let before = self.journal.swap_cell(HAD + (number - OWN) as usize, 1);
            check(before == 0, Kind::Duplicate, || format!("{number} came twice"))?;
        }
        Ok(number)
    }

    /// How many bytes of its segment are there.
    fn byte_count(&self) -> Result<u64, Failure> {
        let stat = rustix::fs::fstat(self.queue.segment().descriptor());
        Ok(stat.map_err(std::io::Error::from)?.st_blocks as u64 * BLOCK_BYTES)
    }

    /// What is put where pages were taken for it, or have been now, has all pages of its chunk.
    fn check_pages(&self) -> Outcome {
        self.queue.try_send(&Self::message(FILLING)).map_err(failed)?;
        let byte_count = self.byte_count()?;
        check(byte_count >= 2 * CHUNK_BYTES, Kind::Corrupt, || {
            format!("two chunks are taken, and {byte_count} bytes are there")
        })
    }

    fn act(&self, mortal: usize, mark: &Mark) -> Outcome {
        let message = Self::message(OWN + mortal as u64);
        let mut buffer = vec![0; PAGE_MESSAGE];
        amid(&self.journal, mortal, mark, || {
            if self.puts {
                return self.queue.send(&message, None).map_err(failed);
            }
            let len = self.queue.recv_into(&mut buffer, None).map_err(failed)?;
            self.note(&buffer[..len]).map(drop)
        })
    }

    /// Puts what there is room for.
    fn fill(&self) -> Outcome {
        for count in 0.. {
            match self.queue.try_send(&Self::message(FILLING + count)) {
                Ok(()) => self.journal.set_cell(FILLING_COUNT, count + 1),
                Err(Error::Full) => break,
                Err(other) => return Err(failed(other)),
            }
        }
        Ok(())
    }

    /// What is left, in its order.
    fn drain(&self) -> Result<u64, Failure> {
        let (mut count, mut last) = (0, None);
        while let Ok(message) = self.queue.try_recv() {
            let number = self.note(&message)?;
            let is_later = number >= OWN || last.is_none_or(|last| last < number);
            check(is_later, Kind::Duplicate, || format!("{number} after {last:?}"))?;
            (count, last) = (count + 1, Some(number));
        }
        Ok(count)
    }
}

impl Stage for Pages {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.act(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.act(1, mark)
    }

    /// Puts what there is room for, over what the victim may be about to give back.
    fn other(&self, _turn: &Turn<'_>) -> Outcome {
        self.act(1, &Mark::UNARMED)?;
        if self.puts { Ok(()) } else { self.fill() }
    }

    fn check(&self) -> Outcome {
        if self.puts {
            self.check_pages()?;
        }
        let filling_count = self.journal.cell(FILLING_COUNT) + u64::from(self.puts);
        let count = self.drain()?.saturating_sub(filling_count);
        let (done, amid) = (count_of(&self.journal, DONE), count_of(&self.journal, AMID));
        let (least, most) = match self.puts {
            true => (self.inside_count + done, self.inside_count + done + amid),
            false => (self.inside_count - done - amid, self.inside_count - done),
        };
        check(count >= least, Kind::Lost, || format!("{count} came, not {least}"))?;
        check(count <= most, Kind::Duplicate, || format!("{count} came, not {most}"))?;
        // Laps more, at the limit: whatever was not given back would be missed.
        for lap in 0..3 {
            let mut sent = 0;
            while self.queue.try_send(&Self::message(sent)).is_ok() {
                sent += 1;
            }
            check(sent >= 2 * FIRST_CHUNK, Kind::Lost, || format!("lap {lap}: room for {sent}"))?;
            let came = self.drain()?;
            check(came == sent, Kind::Lost, || format!("lap {lap}: {came} of {sent} came"))?;
        }
        self.journal.check_accused()
    }
}

/// Who comes takes nothing, so that it does not wait for the lock of who does: it puts as much as
/// it is told that there is room for.
struct Beside(Pages);

impl Stage for Beside {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.0.act(0, mark)
    }

    fn other(&self, _turn: &Turn<'_>) -> Outcome {
        self.0.fill()
    }

    fn check(&self) -> Outcome {
        self.0.check()
    }
}

/// Two messages are inside. The mortal claim an end, one after the other, and use it.
struct OneToOne {
    journal: Journal,
    queue: Spsc,
    sends: bool,
}

const SPSC_INSIDE: u8 = 2;
const SPSC_OWN: u8 = 8;

impl OneToOne {
    fn new(sends: bool) -> Result<Self, Failure> {
        let queue = Spsc::bounded(5, 8).map_err(failed)?;
        let mut sender = queue.sender(None).map_err(failed)?;
        let mut receiver = queue.receiver(None).map_err(failed)?;
        for _ in 0..5 {
            sender.try_send(&[9; 8]).map_err(failed)?;
            receiver.try_recv().map_err(failed)?;
        }
        for number in 0..SPSC_INSIDE {
            sender.try_send(&[number; 8]).map_err(failed)?;
        }
        drop((sender, receiver));
        Ok(Self { journal: Journal::new()?, queue, sends })
    }

    fn note(&self, message: &[u8]) -> Outcome {
        let is_whole = message.len() == 8 && message.iter().all(|byte| *byte == message[0]);
        check(is_whole, Kind::Corrupt, || format!("{message:?} was never sent"))?;
        let before = self.journal.swap_cell(HAD + usize::from(message[0]), 1);
        check(before == 0, Kind::Duplicate, || format!("{} came twice", message[0]))
    }

    fn had(&self, number: u8) -> bool {
        self.journal.cell(HAD + usize::from(number)) != 0
    }

    /// Uses the end; `with_it` is called while it is held.
    fn act(&self, mortal: usize, mark: &Mark, with_it: impl FnOnce() -> Outcome) -> Outcome {
        let message = [SPSC_OWN + mortal as u8; 8];
        let mut buffer = [0; 8];
        amid(&self.journal, mortal, mark, || {
            if self.sends {
                let mut sender = self.queue.sender(None).map_err(failed)?;
                sender.send(&message, None).map_err(failed)?;
                return with_it();
            }
            let mut receiver = self.queue.receiver(None).map_err(failed)?;
            receiver.recv_into(&mut buffer, None).map_err(failed)?;
            self.note(&buffer)?;
            with_it()
        })
    }

    fn check_alone(&self) -> Outcome {
        let is_alone = self.journal.cell(IS_HELD_BY_ANOTHER) == 0;
        check(is_alone, Kind::Duplicate, || "two have the end".to_owned())
    }
}

impl Stage for OneToOne {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.act(0, mark, || self.check_alone())
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.act(1, mark, || Ok(()))
    }

    /// Has the end for as long as the victim gets on without it.
    fn other(&self, turn: &Turn<'_>) -> Outcome {
        self.act(1, &Mark::UNARMED, || {
            self.journal.set_cell(IS_HELD_BY_ANOTHER, 1);
            turn.stay();
            self.journal.set_cell(IS_HELD_BY_ANOTHER, 0);
            Ok(())
        })
    }

    fn check(&self) -> Outcome {
        let mut receiver = self.queue.receiver(None).map_err(failed)?;
        while let Ok(message) = receiver.try_recv() {
            self.note(&message)?;
        }
        for mortal in 0..2 {
            let step = self.journal.cell(STEPS + mortal);
            let had = self.had(SPSC_OWN + mortal as u8);
            let is_lost = self.sends && step == DONE && !had;
            check(!is_lost, Kind::Lost, || format!("the message of {mortal}"))?;
        }
        let missing = (0..SPSC_INSIDE).filter(|number| !self.had(*number)).count() as u64;
        let amid = if self.sends { 0 } else { count_of(&self.journal, AMID) };
        check(missing <= amid, Kind::Lost, || format!("{missing} of those inside"))?;
        let mut sender = self.queue.sender(None).map_err(failed)?;
        for _ in 0..5 {
            sender.try_send(&[1; 8]).map_err(failed)?;
        }
        let full = sender.try_send(&[]);
        check(full == Err(Error::Full), Kind::Corrupt, || format!("full, and says {full:?}"))?;
        for _ in 0..5 {
            let message = receiver.try_recv().map_err(failed)?;
            check(message == [1; 8], Kind::Corrupt, || "another message".to_owned())?;
        }
        self.journal.check_accused()
    }
}

const LIVE_MESSAGE_COUNT: u64 = 4000;

/// Room for one: each waits for the other, every time.
struct SpscLive {
    journal: Journal,
    queue: Spsc,
}

impl SpscLive {
    fn new() -> Result<Self, Failure> {
        Ok(Self { journal: Journal::new()?, queue: Spsc::bounded(1, 8).map_err(failed)? })
    }
}

impl Ensemble for SpscLive {
    fn player_count(&self) -> usize {
        2
    }

    fn play(&self, index: usize) -> Outcome {
        if index == 0 {
            let mut sender = self.queue.sender(None).map_err(failed)?;
            return (0..LIVE_MESSAGE_COUNT)
                .try_for_each(|number| sender.send(&number.to_le_bytes(), None))
                .map_err(failed);
        }
        let mut receiver = self.queue.receiver(None).map_err(failed)?;
        for number in 0..LIVE_MESSAGE_COUNT {
            if number % 16 == 0 {
                crate::sys::process::pause(crate::limits::GLANCE); // the other falls asleep
            }
            let message = receiver.recv(None).map_err(failed)?;
            let is_this = message == number.to_le_bytes();
            check(is_this, Kind::Lost, || format!("{message:?}, not {number}"))?;
            self.journal.set_cell(STEPS, number);
        }
        let end = receiver.recv(None);
        check(end == Err(Error::EndOfFile), Kind::Corrupt, || format!("{end:?} at the end"))
    }

    fn pulse(&self) -> u64 {
        self.journal.cell(STEPS)
    }

    fn check(&self) -> Outcome {
        self.journal.check_accused()
    }
}
