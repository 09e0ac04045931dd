//! Which functions the workers have been told of.

use std::collections::HashMap;

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

    /// Where those lie that somebody does not know who knows so many.
    pub(super) fn beyond(&self, known_count: usize) -> &[u64] {
        self.offsets.get(known_count..).unwrap_or_default()
    }
}
