//! What values of a type can go by.

use purlin_sync::Deadline;

use crate::error::Error;
use crate::joinable::JoinableQueue;
use crate::pipe::Pipe;
use crate::queue::Queue;

/// What carries messages that are bytes: a [`Queue`], a [`JoinableQueue`], a [`Pipe`].
pub trait Carrier: Bytes {}

impl<C: Bytes> Carrier for C {}

/// Nobody else's to implement.
pub trait Bytes {
    fn send_bytes(&self, message: &[u8], deadline: Deadline) -> Result<(), Error>;

    /// One of more bytes than `limit_bytes` is used up, and refused.
    fn recv_bytes(&self, limit_bytes: usize, deadline: Deadline) -> Result<Vec<u8>, Error>;
}

impl Bytes for Queue {
    fn send_bytes(&self, message: &[u8], deadline: Deadline) -> Result<(), Error> {
        self.send(message, deadline)
    }

    fn recv_bytes(&self, limit_bytes: usize, deadline: Deadline) -> Result<Vec<u8>, Error> {
        let message = self.recv(deadline)?; // never larger than the queue was made for
        if message.len() > limit_bytes {
            return Err(Error::MessageTooLarge { len: message.len() });
        }
        Ok(message)
    }
}

impl Bytes for JoinableQueue {
    fn send_bytes(&self, message: &[u8], deadline: Deadline) -> Result<(), Error> {
        Queue::send_bytes(self, message, deadline)
    }

    fn recv_bytes(&self, limit_bytes: usize, deadline: Deadline) -> Result<Vec<u8>, Error> {
        Queue::recv_bytes(self, limit_bytes, deadline)
    }
}

impl Bytes for Pipe {
    fn send_bytes(&self, message: &[u8], deadline: Deadline) -> Result<(), Error> {
        self.send(message, deadline)
    }

    fn recv_bytes(&self, limit_bytes: usize, deadline: Deadline) -> Result<Vec<u8>, Error> {
        self.recv_limited(limit_bytes, deadline)
    }
}
