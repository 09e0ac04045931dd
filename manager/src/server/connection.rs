//! One connection, from its greeting to its end.

use std::os::fd::{AsFd, BorrowedFd};

use super::turn::{Caller, ClientNumber};
use crate::error::Error;
use crate::limits::{BUFFER_KEPT_BYTES, READ_BYTES};
use crate::line::Line;
use crate::sys::socket::{self, Moved};
use crate::wire::proof::{Nonce, PROOF_BYTES};
use crate::wire::{ObjectId, Reply};

/// A connection, never given twice.
pub(crate) type ConnectionNumber = u64;

/// How many pieces of a long message are read before others have their turn.
const PIECES_MAX: usize = 16;

/// One connection.
pub(crate) struct Connection {
    socket: Line,
    pub(crate) phase: Phase,
    /// What came, and how much of it is understood.
    came: Vec<u8>,
    understood_len: usize,
    /// What is to go, and how much of it is gone.
    going: Vec<u8>,
    gone_len: usize,
    /// The last answer, as long as its caller may say that it has given up before it came.
    pub(crate) last: Option<Last>,
}

/// Who is at the other side.
pub(crate) enum Phase {
    /// Nobody knows. Whoever it is was greeted with this nonce.
    Stranger(Nonce),
    Client(ClientNumber),
}

/// An answer that its caller may never have taken notice of.
pub(crate) struct Last {
    pub(crate) caller: Caller,
    pub(crate) reply: Reply,
    /// The references that it gave.
    pub(crate) refs: Vec<ObjectId>,
}

/// What came of reading.
pub(crate) enum Came {
    /// Perhaps something, and there may be more.
    Some,
    /// All that there will ever be.
    End,
}

impl Connection {
    pub(crate) fn new(socket: Line, nonce: Nonce) -> Self {
        let phase = Phase::Stranger(nonce);
        Self {
            socket,
            phase,
            came: Vec::new(),
            understood_len: 0,
            going: Vec::new(),
            gone_len: 0,
            last: None,
        }
    }

    pub(crate) fn is_gone(&self) -> bool {
        socket::is_gone(self.socket.as_fd())
    }

    /// Whether something waits for room to go.
    pub(crate) fn is_going(&self) -> bool {
        !self.going.is_empty()
    }

    /// Reads what is there, up to a bound. Of a stranger not more than a proof is long.
    pub(crate) fn read(&mut self, scratch: &mut [u8; READ_BYTES]) -> Came {
        let mut piece_count = 0;
        // Ends with less than a piece, or after so many.
        loop {
            let room = match self.phase {
                Phase::Stranger(_) => PROOF_BYTES.saturating_sub(self.unread().len()),
                Phase::Client(_) => READ_BYTES,
            };
            if room == 0 {
                return Came::Some;
            }
            match socket::read(self.socket.as_fd(), &mut scratch[..room], false) {
                Moved::Some(count) => {
                    self.came.extend_from_slice(&scratch[..count]);
                    piece_count += 1;
                    if count < room || piece_count == PIECES_MAX {
                        return Came::Some;
                    }
                }
                Moved::Nothing => return Came::Some,
                Moved::End => return Came::End,
            }
        }
    }

    /// What came and is not understood yet.
    pub(crate) fn unread(&self) -> &[u8] {
        &self.came[self.understood_len..]
    }

    /// So much more has been understood.
    pub(crate) fn advance(&mut self, len: usize) {
        self.understood_len += len;
    }

    /// Takes off what has been understood: once for all of it, since the rest is moved.
    pub(crate) fn tidy(&mut self) {
        self.came.drain(..core::mem::take(&mut self.understood_len));
        if self.came.is_empty() && self.came.capacity() > BUFFER_KEPT_BYTES {
            self.came = Vec::new();
        }
    }

    /// Sends this behind what is on its way, as far as there is room.
    ///
    /// # Errors
    /// * [`Error::ServerGone`] when nobody is at the other side.
    pub(crate) fn send(&mut self, bytes: Vec<u8>) -> Result<(), Error> {
        if self.is_going() {
            self.going.extend_from_slice(&bytes);
        } else {
            self.going = bytes;
        }
        self.flush()
    }

    /// Sends what there is room for now.
    ///
    /// # Errors
    /// * [`Error::ServerGone`] when nobody is at the other side.
    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        // Ends with all, or without room.
        while self.gone_len < self.going.len() {
            match socket::write(self.socket.as_fd(), &self.going[self.gone_len..]) {
                Moved::Some(count) => self.gone_len += count,
                Moved::Nothing => return Ok(()),
                Moved::End => return Err(Error::ServerGone),
            }
        }
        self.going = Vec::new();
        self.gone_len = 0;
        Ok(())
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
