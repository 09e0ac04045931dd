//! A handle of a worker's mailbox: its words, with the rings of inputs and outputs.

use core::ops::Range;

use purlin_shm::Place;

use super::bell::Bell;
use super::bodies::{Bodies, units_of};
use super::rack::{RackWords, Spot, racks};
use super::slots::{Body, MailboxWords, Seen};
use super::space::Space;
use crate::error::Error;
use crate::limits::SLOT_COUNT;

/// See `slots` for what is done with it.
#[derive(Clone)]
pub(crate) struct Mailbox {
    place: Place<RackWords>,
    spot: Spot,
    inputs: Range<usize>,
    outputs: Range<usize>,
}

/// Where a worker is in its mailbox.
pub(crate) struct Reader {
    slot: usize,
    outputs: Space,
    /// How many units of outputs it has put, in all.
    put_count: u64,
    /// How often it looks before it sleeps.
    look_count: u32,
}

impl Reader {
    /// Has it look so often before it sleeps.
    pub(crate) fn set_look_count(&mut self, count: u32) {
        self.look_count = count;
    }
}

/// Where an input was put.
#[derive(Clone, Copy)]
pub(crate) struct Input {
    at: u64,
    unit_count: u64,
}

impl Mailbox {
    /// So many, whose inputs, and whose outputs, have so many bytes at most, rounded up to a page;
    /// and the bell of the pool.
    ///
    /// # Errors
    /// * As `racks`.
    pub(crate) fn all(count: usize, body_max_bytes: usize) -> Result<(Vec<Self>, Bell), Error> {
        let mailboxes = racks(count, body_max_bytes)?
            .into_iter()
            .map(|(place, spot)| Self::at(place, spot))
            .collect::<Result<Vec<_>, _>>()?;
        let bell = Bell(mailboxes.first().ok_or(Error::InvalidArgument)?.place.clone());
        Ok((mailboxes, bell))
    }

    /// The one in this spot of a rack.
    ///
    /// # Errors
    /// * [`Error::Damaged`] for a spot in no rack.
    pub(crate) fn at(place: Place<RackWords>, spot: Spot) -> Result<Self, Error> {
        let (inputs, outputs) = spot.units(place.row().len())?;
        Ok(Self { place, spot, inputs, outputs })
    }

    /// What [`at`](Self::at) takes.
    pub(crate) fn into_parts(self) -> (Place<RackWords>, Spot) {
        (self.place, self.spot)
    }

    /// The owner's ring of inputs, with nothing in it.
    pub(crate) fn input_space(&self) -> Space {
        Space::new(self.inputs().unit_count())
    }

    /// H1 to H3: hands a task over in a free slot. `None` when there is no room for its input
    /// before others are done.
    ///
    /// # Errors
    /// * [`Error::TooLarge`], [`Error::OutOfResources`]: nothing was handed over.
    pub(crate) fn hand(
        &self,
        slot: usize,
        space: &mut Space,
        function: u32,
        input: &[u8],
    ) -> Result<Option<Input>, Error> {
        let unit_count = units_of(input.len());
        if !space.could_fit(unit_count) {
            return Err(Error::TooLarge { len: input.len() });
        }
        self.inputs().give_surplus(space);
        let Some(at) = space.take(unit_count) else { return Ok(None) };
        if let Err(error) = self.inputs().prepare(space, at, unit_count) {
            space.take_back(at, unit_count);
            return Err(error);
        }
        self.inputs().write(at, input); // H1
        self.words().hand(slot, function, Body { at, len_bytes: input.len() as u64 });
        Ok(Some(Input { at, unit_count }))
    }

    /// S1: takes the youngest task back if nobody has begun it; whether it did.
    pub(crate) fn take_back(&self, slot: usize, space: &mut Space, input: Input) -> bool {
        let is_taken = self.words().take_back(slot);
        if is_taken {
            space.take_back(input.at, input.unit_count);
        }
        is_taken
    }

    /// What stands in a slot that something was handed over in.
    #[inline]
    pub(crate) fn look(&self, slot: usize) -> Seen {
        self.words().look(slot)
    }

    /// C1 and C2: what came of the oldest task, which is done; its slot is free.
    ///
    /// # Errors
    /// * [`Error::Damaged`] for a place or a length that no worker leaves.
    pub(crate) fn collect(
        &self,
        slot: usize,
        space: &mut Space,
        input: Input,
    ) -> Result<Vec<u8>, Error> {
        let body = self.words().output(slot);
        let output = self.outputs().read(body.at, body.len_bytes);
        space.free(input.unit_count);
        self.words().free(slot, units_of(output.as_ref().map_or(0, Vec::len)));
        output
    }

    /// After the worker's death: all slots are free.
    pub(crate) fn clear(&self) {
        self.words().clear();
    }

    /// The worker says that it begins to take tasks.
    pub(crate) fn set_ready(&self) {
        self.words().set_ready();
    }

    /// Whether its worker has ever begun to take tasks.
    pub(crate) fn is_ready(&self) -> bool {
        self.words().is_ready()
    }

    /// Tells the worker to end when it has nothing more to do.
    pub(crate) fn end(&self) {
        self.words().end();
    }

    /// A worker's start, which sleeps at once.
    pub(crate) fn reader(&self) -> Reader {
        let outputs = Space::new(self.outputs().unit_count());
        Reader { slot: 0, outputs, put_count: 0, look_count: 0 }
    }

    /// W1: the worker's next task, its function and its input, waiting for one. `None` when it is
    /// to end.
    ///
    /// # Errors
    /// * [`Error::Damaged`] for a place or a length that no owner leaves.
    pub(crate) fn next(&self, reader: &Reader) -> Result<Option<(u32, Vec<u8>)>, Error> {
        let Some((function, input)) = self.words().next(reader.slot, reader.look_count)? else {
            return Ok(None);
        };
        Ok(Some((function, self.inputs().read(input.at, input.len_bytes)?)))
    }

    /// W2 to W3: says what came of the task that was begun, waiting for room. The caller rings.
    ///
    /// # Errors
    /// * [`Error::TooLarge`], [`Error::OutOfResources`]: nothing was said.
    pub(crate) fn answer(&self, reader: &mut Reader, output: &[u8]) -> Result<(), Error> {
        let at = self.room(reader, output.len())?;
        let unit_count = units_of(output.len());
        if let Err(error) = self.outputs().prepare(&mut reader.outputs, at, unit_count) {
            reader.outputs.take_back(at, unit_count);
            return Err(error);
        }
        self.outputs().write(at, output);
        reader.put_count += unit_count;
        self.words().done(reader.slot, Body { at, len_bytes: output.len() as u64 });
        reader.slot = (reader.slot + 1) % SLOT_COUNT;
        Ok(())
    }

    /// Where the next output goes.
    fn room(&self, reader: &mut Reader, len: usize) -> Result<u64, Error> {
        let unit_count = units_of(len);
        if !reader.outputs.could_fit(unit_count) {
            return Err(Error::TooLarge { len });
        }
        self.words().room(reader.look_count, |taken_count| {
            reader.outputs.set_used(reader.put_count.wrapping_sub(taken_count));
            self.outputs().give_surplus(&mut reader.outputs);
            reader.outputs.take(unit_count)
        })
    }

    fn words(&self) -> &MailboxWords {
        &self.place.mailboxes[self.spot.index]
    }

    fn inputs(&self) -> Bodies<'_, RackWords> {
        Bodies { place: &self.place, units: self.inputs.clone() }
    }

    fn outputs(&self) -> Bodies<'_, RackWords> {
        Bodies { place: &self.place, units: self.outputs.clone() }
    }
}

#[cfg(test)]
impl Mailbox {
    /// W1, of whatever slot: what no worker does beside another.
    pub(crate) fn begin_at(&self, slot: usize) {
        assert!(self.words().next(slot, 0).is_ok());
    }
}

#[cfg(test)]
mod tests {
    use purlin_sync::parts::EventCount;

    use super::*;

    #[test]
    fn who_finds_room_has_said_to_nobody_that_it_may_sleep() {
        let (mailboxes, _) = Mailbox::all(1, 4096).unwrap();
        let mailbox = &mailboxes[0];
        let (mut inputs, mut reader) = (mailbox.input_space(), mailbox.reader());
        let input = mailbox.hand(0, &mut inputs, 0, &[1; 8]).unwrap().unwrap();
        assert_eq!(mailbox.next(&reader), Ok(Some((0, vec![1; 8]))));
        mailbox.answer(&mut reader, &[2; 8]).unwrap();
        assert_eq!(mailbox.collect(0, &mut inputs, input), Ok(vec![2; 8]));
        // A call that wakes moves the word on.
        let untouched = format!("{:?}", EventCount::default().prepare());
        assert_eq!(format!("{:?}", mailbox.words().room.prepare()), untouched);
        assert_eq!(format!("{:?}", mailbox.words().news.prepare()), untouched);
    }
}
