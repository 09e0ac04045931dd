//! A ring of cells for one sender and one receiver, with nothing that could tell of a death, in
//! memory that processes share. It only spins. Each side keeps how far it may go by where it saw
//! the other last, as every fast one does.
#![expect(unsafe_code, reason = "cells are written and read through pointers")]

use core::cell::{Cell, UnsafeCell};
use core::hint::spin_loop;
use core::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use std::io;

use super::memory::{Shareable, Shared};

/// Such a ring of messages of `BYTES` each. A forked child has copies of what each side keeps: one
/// process sends, and another receives.
#[derive(Debug)]
pub struct BareSpsc<const CELLS: usize, const BYTES: usize> {
    ends: Shared<Ends>,
    cells: Shared<Cells<CELLS, BYTES>>,
    /// Of the sender: its place, and up to where it may go.
    sending: Cell<(u64, u64)>,
    /// Of the receiver: likewise.
    receiving: Cell<(u64, u64)>,
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
#[repr(transparent)]
struct Cells<const CELLS: usize, const BYTES: usize>([UnsafeCell<[u8; BYTES]>; CELLS]);

// SAFETY: Bytes, of which zeros and any other bits are values; they are touched by whoever has
// their cell only, which the ends hand from one to the other.
unsafe impl<const CELLS: usize, const BYTES: usize> Shareable for Cells<CELLS, BYTES> {}
// SAFETY: As for `Shareable`.
unsafe impl<const CELLS: usize, const BYTES: usize> Sync for Cells<CELLS, BYTES> {}
// SAFETY: Atomics.
unsafe impl Shareable for Ends {}

impl<const CELLS: usize, const BYTES: usize> BareSpsc<CELLS, BYTES> {
    /// An empty one, in memory that forked children share.
    ///
    /// # Errors
    /// What mmap(2) answers.
    pub fn new() -> io::Result<Self> {
        const { assert!(CELLS.is_power_of_two()) };
        let (sending, receiving) = (Cell::new((0, CELLS as u64)), Cell::new((0, 0)));
        Ok(Self { ends: Shared::zeroed()?, cells: Shared::zeroed()?, sending, receiving })
    }

    /// Puts a message, of at most `BYTES`, spinning while there is no room.
    #[inline]
    pub fn send(&self, message: &[u8]) {
        let (place, mut limit) = self.sending.get();
        // Ends: when the other has made room.
        while place == limit {
            // Acquire pairs with the Release in `receive`: the cell has been read.
            limit = self.ends.head.0.load(Acquire) + CELLS as u64;
            if place == limit {
                spin_loop();
            }
        }
        let (cell, len) = (self.cell(place), message.len().min(BYTES));
        // SAFETY: The cell is ours until the tail has passed it; `len` fits both.
        unsafe { message.as_ptr().copy_to_nonoverlapping(cell.get().cast(), len) };
        self.sending.set((place + 1, limit));
        self.ends.tail.0.store(place + 1, Release); // pairs with the Acquire in `receive`
    }

    /// Takes the oldest message, spinning while there is none.
    #[inline]
    pub fn receive(&self, buffer: &mut [u8]) {
        let (place, mut limit) = self.receiving.get();
        // Ends: when the other has put one.
        while place == limit {
            limit = self.ends.tail.0.load(Acquire); // pairs with the Release in `send`
            if place == limit {
                spin_loop();
            }
        }
        let (cell, len) = (self.cell(place), buffer.len().min(BYTES));
        // SAFETY: As in `send`.
        unsafe { buffer.as_mut_ptr().copy_from_nonoverlapping(cell.get().cast(), len) };
        self.receiving.set((place + 1, limit));
        self.ends.head.0.store(place + 1, Release); // pairs with the Acquire in `send`
    }

    /// How many are inside: a hint.
    pub fn len(&self) -> u64 {
        // Relaxed, both: a hint.
        self.ends.tail.0.load(Relaxed).saturating_sub(self.ends.head.0.load(Relaxed))
    }

    /// Whether nothing is inside: a hint.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn cell(&self, place: u64) -> &UnsafeCell<[u8; BYTES]> {
        &self.cells.0[place as usize & (CELLS - 1)]
    }
}
