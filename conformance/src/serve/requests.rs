//! Requests on their way in.

use std::io::{BufRead, BufReader, Read};

use serde::Deserialize;

use super::replies::say;
use crate::protocol::{Answer, Request};

/// A line that is no request that is known here.
pub(super) enum Unread {
    /// It has an id, and maybe an actor for whom it is meant.
    Request { id: u64, actor: Option<String> },
    /// Not even that.
    Nothing,
}

/// Reads a line; fields that are not known are ignored.
pub(super) fn read(line: &str) -> Result<Request, Unread> {
    #[derive(Deserialize)]
    struct Head {
        id: u64,
        actor: Option<String>,
    }
    serde_json::from_str(line).map_err(|_| match serde_json::from_str(line) {
        Ok(Head { id, actor }) => Unread::Request { id, actor },
        Err(_) => Unread::Nothing,
    })
}

/// An actor's requests up to the end of its pipe, or up to the first that is none.
pub(super) fn requests(commands: impl Read) -> impl Iterator<Item = Request> {
    let mut lines = BufReader::new(commands);
    std::iter::from_fn(move || next_of(&mut lines))
}

/// The next of them. What is not known here is answered on the spot.
pub(super) fn next_of(lines: &mut impl BufRead) -> Option<Request> {
    loop {
        let mut line = String::new();
        match lines.read_line(&mut line) {
            Ok(0) | Err(_) => return None,
            Ok(_) => {}
        }
        match read(&line) {
            Ok(request) => return Some(request),
            Err(Unread::Request { id, .. }) => say(id, Answer::Unsupported),
            Err(Unread::Nothing) => return None,
        }
    }
}
