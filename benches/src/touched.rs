//! Messages that are made and looked at: what is saved where they are written and read in their
//! place, and what it costs.

use std::cell::RefCell;

use purlin_channel::Queue;

use crate::traffic::Carries;

/// Writes the first bytes of a message, as whoever has something to say.
#[inline]
pub fn write_first(place: &mut [u8], what: u8) {
    place.fill(what);
}

/// Reads them all, as whoever is told something.
#[inline]
pub fn read_first(place: &[u8]) {
    let (words, rest) = place.as_chunks::<8>();
    let sum = words.iter().fold(0, |sum: u64, word| sum.wrapping_add(u64::from_ne_bytes(*word)));
    std::hint::black_box((sum, rest));
}

/// Made in a buffer, copied in by one that carries, copied out, and looked at in another buffer.
#[derive(Debug)]
pub struct Copied<C> {
    carrier: C,
    touched_bytes: usize,
    made: RefCell<Vec<u8>>,
}

impl<C> Copied<C> {
    /// By `carrier`, of messages of which so many bytes are written and read.
    pub const fn by(carrier: C, touched_bytes: usize) -> Self {
        Self { carrier, touched_bytes, made: RefCell::new(Vec::new()) }
    }
}

impl<C: Carries> Carries for Copied<C> {
    #[inline]
    fn send(&self, message: &[u8]) {
        let mut made = self.made.borrow_mut();
        made.resize(message.len(), 0);
        write_first(&mut made[..self.touched_bytes], message[0]);
        self.carrier.send(&made);
    }

    #[inline]
    fn receive(&self, buffer: &mut [u8]) {
        self.carrier.receive(buffer);
        read_first(&buffer[..self.touched_bytes]);
    }
}

/// Made where it goes, and looked at where it came.
#[derive(Debug)]
pub struct InPlace {
    queue: Queue,
    touched_bytes: usize,
}

impl InPlace {
    /// In `queue`, of messages of which so many bytes are written and read.
    #[must_use]
    pub const fn of(queue: Queue, touched_bytes: usize) -> Self {
        Self { queue, touched_bytes }
    }
}

impl Carries for InPlace {
    #[inline]
    fn send(&self, message: &[u8]) {
        let mut place = self.queue.reserve(message.len(), None).expect("it is open");
        write_first(&mut place[..self.touched_bytes], message[0]);
        place.commit().expect("it is ours");
    }

    #[inline]
    fn receive(&self, _: &mut [u8]) {
        let lent = self.queue.recv_ref(None).expect("it is open");
        read_first(&lent[..self.touched_bytes]);
        lent.finish().expect("it is ours");
    }
}
