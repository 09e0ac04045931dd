//! One connection of a client's, on which one call is made at a time.

use std::os::fd::AsFd;

use purlin_process::Key;
use purlin_sync::Deadline;

use crate::address::Address;
use crate::error::Error;
use crate::limits::{BUFFER_KEPT_BYTES, READ_BYTES};
use crate::line::Line;
use crate::spins::Spins;
use crate::sys::random;
use crate::sys::socket::{self, Moved, spare_capacity};
use crate::wire::frame::{self, Begun, HEAD_BYTES};
use crate::wire::proof::{self, GREETING_BYTES, Handshake, WELCOME_BYTES, Welcome};
use crate::wire::{Answer, ClientId, Reply, Request};

/// So much is read at once, unless more is known to come.
const SMALL_BYTES: usize = 4 << 10;

pub(crate) struct Connection {
    socket: Line,
    /// The longest message that the server takes.
    limit: usize,
    /// What is to go, and how much of it is gone. Empty between calls, unless one was given up.
    going: Vec<u8>,
    gone_len: usize,
    /// What came, up to where it is.
    came: Vec<u8>,
    call: u32,
    is_broken: bool,
    spins: Spins,
}

impl Connection {
    /// Connects, and proves the key as the server does.
    ///
    /// # Errors
    /// * As [`Client::connect`](crate::Client::connect).
    pub(crate) fn open(
        address: &Address,
        key: &Key,
        client: &ClientId,
        deadline: Deadline,
    ) -> Result<(Self, Welcome), Error> {
        let deadline = deadline.start();
        // It is connected as a line: to wait for that holds nobody up who forks.
        let socket = Line::adopt(|| socket::make(address).map(Some))?;
        let Some(socket) = socket else { return Err(Error::OutOfResources) };
        socket::connect(socket.as_fd(), address, deadline)?;
        let mut connection = Self {
            socket,
            limit: 0,
            going: Vec::new(),
            gone_len: 0,
            came: Vec::new(),
            call: 0,
            is_broken: false,
            spins: Spins::new(),
        };
        let welcome = connection.prove(key, client, deadline)?;
        connection.limit = usize::try_from(welcome.limit).unwrap_or(usize::MAX);
        Ok((connection, welcome))
    }

    fn prove(
        &mut self,
        key: &Key,
        client: &ClientId,
        deadline: Deadline,
    ) -> Result<Welcome, Error> {
        let greeting = self.receive_exact::<GREETING_BYTES>(deadline)?;
        let server = proof::read_greeting(&greeting).ok_or(Error::Incompatible)?;
        let own = random::bytes()?;
        self.going = proof::proof(key, &server, &own, client);
        self.flush();
        let welcome = self.receive_exact::<WELCOME_BYTES>(deadline)?;
        let handshake = Handshake { server, client: own, who: *client };
        handshake.check_welcome(key, &welcome).ok_or(Error::AuthenticationFailed)
    }

    /// So many bytes, and none beyond.
    fn receive_exact<const N: usize>(&mut self, deadline: Deadline) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        let mut len = 0;
        // Ends with the last byte, the server, or the deadline.
        while len < N {
            if !socket::wait_readable(self.socket.as_fd(), deadline)? {
                return Err(Error::TimedOut);
            }
            match socket::read(self.socket.as_fd(), &mut bytes[len..], false) {
                Moved::Some(count) => len += count,
                Moved::Nothing => {}
                Moved::End => return Err(Error::ServerGone),
            }
        }
        Ok(bytes)
    }

    /// Whether another call can be made.
    pub(crate) fn is_usable(&self) -> bool {
        !self.is_broken
    }

    /// Sends what has no answer, as far as there is room; the rest goes with the next call. Whether
    /// there is somebody to hear it.
    pub(crate) fn tell(&mut self, request: &Request) -> bool {
        // What is told is small, and has a serial form.
        if let Ok(frame) = frame::encode(0, request, self.limit) {
            self.going.extend_from_slice(&frame);
            self.is_broken |= !self.flush();
        }
        !self.is_broken
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when the deadline came first: then the server is told, and will undo
    ///   what it did for this, or has never heard of it.
    /// * [`Error::ServerGone`] when the connection breaks; it is of no use any more.
    /// * What the server answers.
    pub(crate) fn ask(&mut self, request: &Request, deadline: Deadline) -> Result<Reply, Error> {
        self.call = self.call.wrapping_add(1);
        let frame = frame::encode(self.call, request, self.limit)?;
        let start = self.going.len();
        if start == 0 {
            self.going = frame;
        } else {
            self.going.extend_from_slice(&frame);
        }
        self.flush();
        let answered = self.answer(deadline.start());
        match &answered {
            Err(Error::TimedOut) if self.gone_len <= start && start < self.going.len() => {
                self.going.truncate(start); // nothing of it has gone
            }
            Err(Error::TimedOut) => {
                self.tell(&Request::Cancel { call: self.call });
            }
            _ => {}
        }
        answered.and_then(|answer| answer)
    }

    /// The answer to the last call; `Err` says that there will be none, or none in time.
    fn answer(&mut self, deadline: Deadline) -> Result<Answer, Error> {
        self.look_for_a_moment(deadline);
        // Ends with the answer, the connection, or the deadline.
        loop {
            if let Some(answer) = self.take_answer()? {
                return Ok(answer);
            }
            if self.is_broken {
                return Err(Error::ServerGone);
            }
            let is_going = self.gone_len < self.going.len();
            let has_limit = deadline.remaining().is_some();
            let is_ready = match (is_going, has_limit) {
                (true, _) => socket::wait_either(self.socket.as_fd(), deadline)?,
                (false, true) => socket::wait_readable(self.socket.as_fd(), deadline)?,
                (false, false) => true, // the read itself waits
            };
            if !is_ready {
                return Err(Error::TimedOut);
            }
            self.flush();
            self.receive(!is_going && !has_limit);
        }
    }

    /// Looks for the answer without a sleep. Mostly the server is awake, and it is there soon.
    fn look_for_a_moment(&mut self, deadline: Deadline) {
        let is_going = self.gone_len < self.going.len();
        let spin = if is_going { None } else { self.spins.begin(deadline.remaining()) };
        let Some(mut spin) = spin else { return self.spins.were_in_vain() };
        let before = self.came.len();
        while spin.goes_on() {
            self.receive(false);
            if self.came.len() > before || self.is_broken {
                return self.spins.have_paid();
            }
        }
        self.spins.were_in_vain();
    }

    /// The answer to the last call, if it has come. Those to calls that were given up are dropped.
    fn take_answer(&mut self) -> Result<Option<Answer>, Error> {
        // Ends with it, or with what is no whole.
        loop {
            let (call, len) = match frame::begin(&self.came, usize::MAX)? {
                Begun::Whole { call, len } => (call, len),
                Begun::Part => return Ok(None),
            };
            let answer = (call == self.call)
                .then(|| postcard::from_bytes::<Answer>(&self.came[HEAD_BYTES..len]));
            self.came.drain(..len);
            if self.came.is_empty() && self.came.capacity() > BUFFER_KEPT_BYTES {
                self.came = Vec::new();
            }
            match answer {
                None => {}
                Some(Ok(answer)) => return Ok(Some(answer)),
                Some(Err(_)) => {
                    self.is_broken = true;
                    return Err(Error::Damaged);
                }
            }
        }
    }

    fn receive(&mut self, waits: bool) {
        let before = self.came.len();
        let room = if before < SMALL_BYTES { SMALL_BYTES } else { READ_BYTES };
        self.came.reserve(room);
        let moved = socket::read(self.socket.as_fd(), spare_capacity(&mut self.came), waits);
        self.is_broken |= moved == Moved::End;
    }

    /// Sends what there is room for; whether there is somebody at the other side.
    fn flush(&mut self) -> bool {
        let mut is_heard = true;
        // Ends with all, or without room.
        while self.gone_len < self.going.len() {
            match socket::write(self.socket.as_fd(), &self.going[self.gone_len..]) {
                Moved::Some(count) => self.gone_len += count,
                Moved::Nothing => return true,
                Moved::End => {
                    // What has come before is still to be read.
                    self.gone_len = self.going.len();
                    is_heard = false;
                }
            }
        }
        if self.going.capacity() > BUFFER_KEPT_BYTES {
            self.going = Vec::new();
        }
        self.going.clear();
        self.gone_len = 0;
        is_heard
    }
}
