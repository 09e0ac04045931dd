//! An adapter's standard output, line by line.

use std::io::Read;

use crate::limits::LINE_MAX_BYTES;

/// A pipe that is read by lines and never waited for.
pub(super) struct Lines<R> {
    pub(super) pipe: R,
    pub(super) bytes: Vec<u8>,
    pub(super) closed: bool,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(pipe: R) -> Self {
        Self { pipe, bytes: Vec::new(), closed: false }
    }

    /// Takes what is there, up to the longest line and a little more.
    pub(super) fn read(&mut self) {
        let mut buffer = [0; 4096];
        while !self.closed && self.bytes.len() <= LINE_MAX_BYTES {
            match self.pipe.read(&mut buffer) {
                Ok(0) => self.closed = true,
                Ok(len) => self.bytes.extend_from_slice(&buffer[..len]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                Err(_) => self.closed = true,
            }
        }
    }

    pub(super) fn next(&mut self) -> Option<String> {
        let end = self.bytes.iter().position(|byte| *byte == b'\n')?;
        let line: Vec<u8> = self.bytes.drain(..=end).collect();
        Some(String::from_utf8_lossy(&line[..end]).into_owned())
    }

    pub(super) fn is_too_long(&self) -> bool {
        self.bytes.len() > LINE_MAX_BYTES
    }

    pub(super) fn drop_what_comes(&mut self) {
        self.read();
        self.bytes.clear();
    }
}
