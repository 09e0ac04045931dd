//! Queues: half of them send, half receive. Each message says whose it is, and as which, and has a
//! checksum; whoever has it notes that in a table for its sender, in which a second one of the same
//! number shows, and one that never came.

use purlin_channel::{Error, JoinableQueue, LARGE_BYTES, Queue, Receiver, Sender, Spsc};
use purlin_shm::Segment;

use super::accounts::Accounts;
use super::{Burial, Subject};
use crate::limits::{GLANCE, HAMMER_COUNT};
use crate::sys::cells::Cells;
use crate::sys::process::pause;
use crate::verdict::{Failure, Kind, Outcome, check};

pub(super) fn queue() -> Result<Box<dyn Subject>, Failure> {
    make(Through::Queue(Queue::bounded(COUNT, SIZE).map_err(failed)?))
}

pub(super) fn unbounded() -> Result<Box<dyn Subject>, Failure> {
    make(Through::Queue(Queue::unbounded(1 << 20).map_err(failed)?))
}

pub(super) fn joinable() -> Result<Box<dyn Subject>, Failure> {
    make(Through::Joinable(JoinableQueue::bounded(COUNT, SIZE).map_err(failed)?))
}

pub(super) fn spsc() -> Result<Box<dyn Subject>, Failure> {
    make(Through::Spsc(Spsc::bounded(COUNT, SIZE).map_err(failed)?))
}

const COUNT: usize = 16;
const SIZE: usize = LARGE_BYTES + 64;

/// Every so many messages is copied outside of the locks.
const LARGE_PERIOD: u64 = 32;

/// What a message begins with: its sender, its number, a checksum.
const START_BYTES: usize = 24;

/// How far back the tables reach: what one sends in a second, in which who has had a message may
/// wait for a processor before it notes that.
const WINDOW: u64 = PAGE_CELLS * PAGES_EACH;
const PAGE_CELLS: u64 = 512;
const PAGES_EACH: u64 = 64;

/// What each sender writes down: numbers that were begun, and that were sent.
const BEGUN: usize = 0;
const SENT: usize = 1;
/// What each receiver does: how many it had, and whether it is about to have one.
const HAD: usize = 2;
const AMID: usize = 3;
const MARKED: usize = 4;

/// In cells of their own: how many numbers had not come when the table came round, of all senders,
/// and how many came after all.
const MISSING: usize = 0;
const LATE: usize = 1;

enum Through {
    Queue(Queue),
    Joinable(JoinableQueue),
    Spsc(Spsc),
}

/// An end of one of them, as a hammer has it.
enum End {
    Shared,
    Sender(Sender),
    Receiver(Receiver),
}

struct Queued {
    through: Through,
    segment: Segment,
    accounts: Accounts,
    /// For each sender: the last number that came, plus one, of those that leave the same rest.
    came: Vec<Vec<Cells>>,
    others: Cells,
    /// Those that died amid a call: each may have had one message in its hands.
    deaths: u64,
}

fn make(through: Through) -> Result<Box<dyn Subject>, Failure> {
    let segment = match &through {
        Through::Queue(queue) => queue.segment(),
        Through::Joinable(queue) => queue.segment(),
        Through::Spsc(queue) => queue.segment(),
    };
    let pages = |index: usize| match index.is_multiple_of(2) {
        true => (0..PAGES_EACH).map(|_| Cells::new()).collect::<Result<Vec<_>, _>>(),
        false => Ok(Vec::new()), // it sends nothing
    };
    let came = (0..HAMMER_COUNT).map(pages).collect::<Result<_, _>>()?;
    let (accounts, others) = (Accounts::new()?, Cells::new()?);
    Ok(Box::new(Queued { through, segment, accounts, came, others, deaths: 0 }))
}

fn failed(error: Error) -> Failure {
    Failure::new(Kind::Corrupt, format!("the queue says {error}"))
}

fn checksum(bytes: &[u8]) -> u64 {
    let mix = |sum: u64, byte: &u8| (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, mix)
}

/// Of this number: every so many is large.
fn message(sender: usize, number: u64) -> Vec<u8> {
    let is_large = number.is_multiple_of(LARGE_PERIOD);
    let len = if is_large { LARGE_BYTES + 8 } else { (number * 37 % 200) as usize };
    let mut bytes = vec![0; START_BYTES];
    bytes.extend((0..len).map(|byte| byte as u8 ^ number as u8));
    bytes[..8].copy_from_slice(&(sender as u64).to_le_bytes());
    bytes[8..16].copy_from_slice(&number.to_le_bytes());
    let sum = checksum(&bytes);
    bytes[16..24].copy_from_slice(&sum.to_le_bytes());
    bytes
}

/// Whose it is, and as which.
fn parsed(bytes: &[u8]) -> Result<(usize, u64), Failure> {
    let torn = || Failure::new(Kind::Corrupt, format!("{} bytes of no message", bytes.len()));
    let start = bytes.get(..START_BYTES).ok_or_else(torn)?;
    let word = |at: usize| u64::from_le_bytes(core::array::from_fn(|byte| start[at + byte]));
    let (sender, number) = (word(0) as usize, word(8));
    check(sender < HAMMER_COUNT, Kind::Corrupt, || format!("from nobody: {sender}"))?;
    let mut without = bytes.to_vec();
    without[16..24].fill(0);
    if checksum(&without) == word(16) { Ok((sender, number)) } else { Err(torn()) }
}

impl Queued {
    /// Who sends goes by this number: at a queue of one to one all by the same.
    fn sender_of(&self, index: usize) -> usize {
        if matches!(self.through, Through::Spsc(_)) { 0 } else { index }
    }

    /// The number after the last that was begun. That one may have been sent or not, if whoever
    /// began it died over it.
    fn take_up(&self, sender: usize) -> u64 {
        let begun = self.accounts.get(sender, BEGUN);
        self.accounts.set(sender, SENT, begun);
        begun + 1
    }

    fn send_on(&self, index: usize) -> Outcome {
        let sender = self.sender_of(index);
        let mut end = match &self.through {
            Through::Spsc(queue) => End::Sender(queue.sender(None).map_err(failed)?),
            _ => End::Shared,
        };
        for number in self.take_up(sender).. {
            let message = message(sender, number);
            self.accounts.set(sender, BEGUN, number);
            // Ends: when it is sent; a receiver that died is replaced.
            loop {
                let sent = match (&self.through, &mut end) {
                    (_, End::Sender(sender)) => sender.send(&message, None),
                    (Through::Joinable(queue), _) => queue.send(&message, None),
                    (Through::Queue(queue), _) => queue.send(&message, None),
                    _ => Err(Error::NotOwner),
                };
                match sent {
                    Err(Error::BrokenPipe) => pause(GLANCE),
                    other => break other.map_err(failed)?,
                }
            }
            self.accounts.set(sender, SENT, number);
        }
        Ok(())
    }

    fn receive_on(&self, index: usize) -> Outcome {
        let mut end = match &self.through {
            Through::Spsc(queue) => End::Receiver(queue.receiver(None).map_err(failed)?),
            _ => End::Shared,
        };
        loop {
            self.accounts.set(index, AMID, 1);
            let received = match (&self.through, &mut end) {
                (_, End::Receiver(receiver)) => receiver.recv(None),
                (Through::Joinable(queue), _) => queue.recv(None),
                (Through::Queue(queue), _) => queue.recv(None),
                _ => Err(Error::NotOwner),
            };
            match received {
                Err(Error::EndOfFile) => pause(GLANCE),
                other => self.note(&other.map_err(failed)?)?,
            }
            self.mark(index)?;
            self.accounts.set(index, AMID, 0);
            self.accounts.add_one(index, HAD);
        }
    }

    fn mark(&self, index: usize) -> Outcome {
        if let Through::Joinable(queue) = &self.through {
            queue.task_done().map_err(failed)?;
            self.accounts.add_one(index, MARKED);
        }
        Ok(())
    }

    /// It came: once, and the one so far before it had come, too.
    fn note(&self, bytes: &[u8]) -> Outcome {
        let (sender, number) = parsed(bytes)?;
        let is_sender = sender.is_multiple_of(2);
        check(is_sender, Kind::Corrupt, || format!("{sender} sends nothing"))?;
        let (page, cell) = self.cell(sender, number);
        let before = page.swap(cell, number + 1);
        check(before != number + 1, Kind::Duplicate, || format!("{number} of {sender} again"))?;
        if before > number + 1 {
            page.set(cell, before);
            self.others.add(LATE, 1);
            return Ok(());
        }
        let is_begun = number <= self.accounts.get(sender, BEGUN);
        check(is_begun, Kind::Corrupt, || format!("{number} of {sender} was never sent"))?;
        let expected = (number + 1).saturating_sub(WINDOW);
        if expected > 1 && before != expected {
            self.others.add(MISSING, 1);
        }
        Ok(())
    }

    fn cell(&self, sender: usize, number: u64) -> (&Cells, usize) {
        let place = number % WINDOW;
        (&self.came[sender][(place / PAGE_CELLS) as usize], (place % PAGE_CELLS) as usize)
    }

    /// What is inside, noted.
    fn drain(&self) -> Outcome {
        loop {
            let received = match &self.through {
                Through::Queue(queue) => queue.try_recv(),
                Through::Joinable(queue) => queue.try_recv(),
                Through::Spsc(queue) => {
                    queue.receiver(None).and_then(|mut receiver| receiver.try_recv())
                }
            };
            match received {
                Ok(bytes) => self.note(&bytes)?,
                Err(Error::Empty | Error::EndOfFile) => return Ok(()),
                Err(other) => return Err(failed(other)),
            }
        }
    }

    /// Those of the last window that never came.
    fn missing_at_the_end(&self, sender: usize) -> u64 {
        let last = self.accounts.get(sender, BEGUN);
        let first = (last + 1).saturating_sub(WINDOW).max(1);
        let came = |number: u64| {
            let (page, cell) = self.cell(sender, number);
            page.get(cell) == number + 1
        };
        (first..=last).filter(|number| !came(*number)).count() as u64
    }

    /// As many marks as messages, and then nobody waits.
    fn settle_marks(&self, deaths: u64) -> Outcome {
        let Through::Joinable(queue) = &self.through else { return Ok(()) };
        let mut count = 0;
        let inside = queue.len().map_err(failed)? as u64;
        while queue.task_done().is_ok() {
            count += 1;
        }
        check(count <= inside + deaths, Kind::Lost, || format!("{count} were not marked"))?;
        check(count >= inside, Kind::Duplicate, || format!("{count} of {inside} left to mark"))?;
        queue.join(None).map_err(failed)
    }
}

impl Subject for Queued {
    fn segment(&self) -> &Segment {
        &self.segment
    }

    fn hammer(&self, index: usize) -> Outcome {
        match index.is_multiple_of(2) {
            true => self.send_on(index),
            false => self.receive_on(index),
        }
    }

    fn bury(&mut self, index: usize) -> Result<Burial, Failure> {
        let is_sender = index.is_multiple_of(2);
        let sender = self.sender_of(index);
        let is_amid = match is_sender {
            true => self.accounts.get(sender, BEGUN) != self.accounts.get(sender, SENT),
            false => self.accounts.get(index, AMID) != 0,
        };
        self.accounts.set(index, AMID, 0);
        // Of a sender what it died over may be missing; of a receiver what it had in its hands.
        self.deaths += u64::from(is_amid);
        Ok(Burial { is_holder: is_amid, is_time_to_settle: false })
    }

    /// All that was sent has come, but for what died in somebody's hands.
    fn settle(&self) -> Outcome {
        self.settle_marks(self.deaths)?;
        self.drain()?;
        let senders = (0..HAMMER_COUNT).step_by(2);
        let last = senders.map(|sender| self.missing_at_the_end(sender)).sum::<u64>();
        let missing = (self.others.get(MISSING) + last).saturating_sub(self.others.get(LATE));
        let deaths = self.deaths;
        check(missing <= deaths, Kind::Lost, || format!("{missing} never came, {deaths} died"))
    }

    fn done_count(&self) -> u64 {
        self.accounts.sum(HAD)
    }
}
