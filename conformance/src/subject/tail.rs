//! An adapter's standard error, of which the end is kept.

use std::io::Read;
use std::process::ChildStderr;

use super::quote;
use crate::limits::{QUOTE_MAX_BYTES, STDERR_KEPT_BYTES};

/// The last that an adapter said on its standard error.
pub(super) struct Tail {
    pub(super) pipe: ChildStderr,
    kept: Vec<u8>,
    pub(super) closed: bool,
}

impl Tail {
    pub(super) fn new(pipe: ChildStderr) -> Self {
        Self { pipe, kept: Vec::new(), closed: false }
    }

    pub(super) fn read(&mut self) {
        let mut buffer = [0; 4096];
        // A bound, so that an adapter that never stops cannot hold the runner here.
        for _ in 0..64 {
            match self.pipe.read(&mut buffer) {
                Ok(0) => {
                    self.closed = true;
                    break;
                }
                Ok(len) => self.kept.extend_from_slice(&buffer[..len]),
                Err(_) => break,
            }
            let surplus = self.kept.len().saturating_sub(STDERR_KEPT_BYTES);
            self.kept.drain(..surplus);
        }
    }

    pub(super) fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.kept);
        let text = text.trim();
        // The last lines say what went wrong.
        let mut starts = text.char_indices().map(|(at, _)| at);
        let start = starts.find(|at| text.len() - at <= QUOTE_MAX_BYTES).unwrap_or(0);
        if text.is_empty() { String::new() } else { quote(&text[start..]) }
    }
}
