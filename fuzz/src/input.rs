//! Numbers and strings of bytes, taken from the front of an input.

/// What is left of an input. Beyond its end there are zeros.
pub(super) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) const fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// As many bytes as are left, `len` at most.
    pub(super) fn bytes(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// A number of `size_bytes`, eight at most, little endian.
    pub(super) fn number(&mut self, size_bytes: usize) -> u64 {
        let mut bytes = [0; 8];
        let taken = self.bytes(size_bytes);
        bytes[..taken.len()].copy_from_slice(taken);
        u64::from_le_bytes(bytes)
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.number(1) as u8
    }

    pub(super) const fn rest(self) -> &'a [u8] {
        self.0
    }
}
