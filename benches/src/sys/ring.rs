//! A ring of cells for many senders and many receivers, with nothing that could be repaired when
//! one of them dies: D. Vyukov's bounded queue, in memory that processes share. It only spins.
#![expect(unsafe_code, reason = "cells are written and read through pointers")]

use core::cell::UnsafeCell;
use core::hint::spin_loop;
use core::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use std::io;

use super::memory::{Shareable, Shared};

/// Such a ring of messages of `BYTES` each.
#[derive(Debug)]
pub struct BareRing<const CELLS: usize, const BYTES: usize> {
    ends: Shared<Ends>,
    cells: Shared<Cells<CELLS, BYTES>>,
}

/// Each end on a line of its own.
#[derive(Debug)]
#[repr(C, align(128))]
struct End(AtomicU64);

#[derive(Debug)]
#[repr(C)]
struct Ends {
    tail: End,
    head: End,
}

#[derive(Debug)]
#[repr(C)]
struct Cell<const BYTES: usize> {
    /// How often it was written or read, in a way that zeros are what a new ring has.
    turn: AtomicU64,
    bytes: UnsafeCell<[u8; BYTES]>,
}

#[derive(Debug)]
#[repr(transparent)]
struct Cells<const CELLS: usize, const BYTES: usize>([Cell<BYTES>; CELLS]);

// SAFETY: Atomics and bytes, of which zeros and any other bits are values; bytes are touched by
// whoever has their cell only, which the turns hand from one to the next.
unsafe impl<const CELLS: usize, const BYTES: usize> Shareable for Cells<CELLS, BYTES> {}
// SAFETY: As for `Shareable`.
unsafe impl<const CELLS: usize, const BYTES: usize> Sync for Cells<CELLS, BYTES> {}
// SAFETY: Atomics.
unsafe impl Shareable for Ends {}

impl<const CELLS: usize, const BYTES: usize> BareRing<CELLS, BYTES> {
    /// An empty one, in memory that forked children share.
    ///
    /// # Errors
    /// What mmap(2) answers.
    pub fn new() -> io::Result<Self> {
        const { assert!(CELLS.is_power_of_two()) };
        Ok(Self { ends: Shared::zeroed()?, cells: Shared::zeroed()? })
    }

    /// Puts a message, of at most `BYTES`, spinning while there is no room.
    #[inline]
    pub fn send(&self, message: &[u8]) {
        // A cell is free for the n-th message when it was read n / CELLS times: turn 2 of each.
        let (cell, lap) = self.claim(&self.ends.tail.0, 0);
        let len = message.len().min(BYTES);
        // SAFETY: The claim made the cell ours until its turn is moved on; `len` fits both.
        unsafe { message.as_ptr().copy_to_nonoverlapping(cell.bytes.get().cast(), len) };
        cell.turn.store(lap * 2 + 1, Release); // pairs with the Acquire in `claim`
    }

    /// Takes the oldest message, spinning while there is none.
    #[inline]
    pub fn receive(&self, buffer: &mut [u8]) {
        let (cell, lap) = self.claim(&self.ends.head.0, 1);
        let len = buffer.len().min(BYTES);
        // SAFETY: As in `send`.
        unsafe { buffer.as_mut_ptr().copy_from_nonoverlapping(cell.bytes.get().cast(), len) };
        cell.turn.store(lap * 2 + 2, Release); // pairs with the Acquire in `claim`
    }

    /// The next cell at this end, once its turn is `part` of its lap, and that lap.
    #[inline]
    fn claim(&self, end: &AtomicU64, part: u64) -> (&Cell<BYTES>, u64) {
        let mut place = end.load(Relaxed); // Relaxed: the exchange below decides
        // Ends: with a cell, when the other end has got on.
        loop {
            let cell = &self.cells.0[place as usize & (CELLS - 1)];
            let lap = place / CELLS as u64;
            // Acquire pairs with the Release of whoever had the cell before.
            let turn = cell.turn.load(Acquire);
            if turn == lap * 2 + part {
                // Relaxed, both: the turn orders what is in the cell.
                match end.compare_exchange_weak(place, place + 1, Relaxed, Relaxed) {
                    Ok(_) => return (cell, lap),
                    Err(now) => place = now,
                }
            } else {
                spin_loop();
                place = end.load(Relaxed); // Relaxed: as above
            }
        }
    }
}
