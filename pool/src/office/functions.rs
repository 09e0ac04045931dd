//! Which functions the workers have been told of.

use std::collections::HashMap;

use crate::worker::{TOLD_BYTES, told};

/// The functions of a pool's jobs, numbered in the order in which they came.
#[derive(Default)]
pub(super) struct Functions {
    numbers: HashMap<u64, u32>,
    offsets: Vec<u64>,
}

impl Functions {
    /// The number of the one at this offset.
    pub(super) fn number(&mut self, offset: u64) -> u32 {
        let next = self.offsets.len() as u32;
        let number = *self.numbers.entry(offset).or_insert(next);
        if number == next {
            self.offsets.push(offset);
        }
        number
    }

    /// What a worker is told of one of them.
    pub(super) fn told(&self, number: u32) -> [u8; TOLD_BYTES] {
        let offset = self.offsets.get(number as usize).copied().unwrap_or(u64::MAX);
        told(number, offset)
    }
}
