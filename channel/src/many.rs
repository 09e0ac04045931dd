//! Several messages in one call.

use purlin_sync::Deadline;

use crate::error::Error;
use crate::queue::Queue;
use crate::words::queue_many::Run;

/// Messages that were received together, and the memory that they lie in.
///
/// ```
/// # fn main() -> Result<(), purlin_channel::Error> {
/// use purlin_channel::{Batch, Queue};
///
/// let queue = Queue::bounded(8, 16)?;
/// assert_eq!(queue.send_many(&[b"one", b"", b"three"], None)?, 3);
/// let mut batch = Batch::with_room(8, 128); // for up to 8 messages, of 128 bytes in all
/// assert_eq!(queue.recv_many(&mut batch, None)?, 3);
/// assert_eq!(batch.iter().collect::<Vec<_>>(), [b"one".as_slice(), b"", b"three"]);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Batch {
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
    count_max: usize,
}

impl Batch {
    /// Room for so many messages, of so many bytes in all.
    #[must_use]
    pub fn with_room(count: usize, bytes: usize) -> Self {
        Self { bytes: vec![0; bytes], ends: Vec::with_capacity(count), count_max: count }
    }

    /// How many messages there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The messages, in the order in which they were in the queue.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end])
    }
}

impl Queue {
    /// Puts these messages at the end, in their order, waiting for room until `deadline`; how many
    /// were put: all, unless the deadline or an error came in between.
    ///
    /// They are put in runs: as many as there is room for, 16 KiB at a time, by one store. Of a run
    /// all are inside or none, whenever the sender is killed, and no message of another's is
    /// between them. Runs of several senders come in any order.
    ///
    /// # Errors
    /// * As [`send`](Self::send), where not even the first was put.
    pub fn send_many(
        &self,
        messages: &[&[u8]],
        deadline: impl Into<Deadline>,
    ) -> Result<usize, Error> {
        let view = self.view()?;
        let mut deadline = deadline.into().start();
        let mut sent = 0;
        // Ends: each turn puts one at least, or is the last.
        while sent < messages.len() {
            match view.put_run(&messages[sent..], &mut deadline) {
                Ok(count) => sent += count,
                Err(error) if sent == 0 => return Err(error),
                Err(_) => break,
            }
        }
        Ok(sent)
    }

    /// Takes the oldest messages into `batch`, in place of what is there, waiting for the first
    /// until `deadline`; how many. It takes what is there, as many as have room and 16 KiB at most,
    /// and waits for no second one.
    ///
    /// They are taken by one store: whoever is killed amid the call has had all of them or none.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] for a batch that has room for no message.
    /// * The others as [`recv_into`](Self::recv_into), of the first.
    pub fn recv_many(
        &self,
        batch: &mut Batch,
        deadline: impl Into<Deadline>,
    ) -> Result<usize, Error> {
        let view = self.view()?;
        let Batch { bytes, ends, count_max } = batch;
        ends.clear();
        if *count_max == 0 {
            return Err(Error::InvalidArgument);
        }
        ends.reserve_exact(*count_max); // not under the lock
        let run = Run { bytes, ends, count_max: *count_max };
        let first = view.get_run(run, &mut deadline.into())?;
        if ends.is_empty() {
            ends.push(first.len);
        }
        Ok(ends.len())
    }
}
