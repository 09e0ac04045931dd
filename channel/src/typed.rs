//! Values of a type instead of bytes.

mod carrier;

use core::fmt;
use core::marker::PhantomData;

use purlin_sync::Deadline;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
pub use carrier::Carrier;

/// A queue or a pipe whose messages are values of one type, in the serial form of [`postcard`]. Of
/// the feature `serde`.
///
/// Everybody who uses the carrier has to mean the same type by it. What is none of that type is
/// refused, and so is what is longer than the limit: by a pipe before anything is set aside for it,
/// while a queue has a limit of its own. Where the carrier goes, to a child or through a pipe, it
/// goes by itself, and becomes typed again there.
///
/// For other roads, such as [`Queue::reserve`](crate::Queue::reserve) or [`Spsc`](crate::Spsc),
/// there are [`encode`] and [`decode`].
///
/// ```
/// # fn main() -> Result<(), purlin_channel::Error> {
/// use purlin_channel::{Queue, Typed};
///
/// let queue = Queue::bounded(16, 64)?;
/// let numbers: Typed<Queue, (String, u32)> = Typed::new(queue, 64);
/// numbers.send(&("seven".to_owned(), 7), None)?;
/// assert_eq!(numbers.recv(None)?, ("seven".to_owned(), 7));
/// # Ok(()) }
/// ```
///
/// # Weak points
/// * Form: nothing in a message says which type it is of, and values of one type may read as those
///   of another.
/// * Hostile peers: a list of values that take no bytes, as `Vec<()>`, may claim any length, and is
///   read for as long. Do not receive such lists from strangers.
/// * Depth: a type that holds itself is read by recursion, as deep as a message is long.
/// * The others are the carrier's.
pub struct Typed<C, T> {
    carrier: C,
    limit_bytes: usize,
    of: PhantomData<fn(T) -> T>,
}

impl<C: Carrier, T> Typed<C, T> {
    /// Over `carrier`, for values of up to `limit_bytes` bytes in their serial form.
    pub const fn new(carrier: C, limit_bytes: usize) -> Self {
        Self { carrier, limit_bytes, of: PhantomData }
    }

    /// What it goes by.
    pub const fn carrier(&self) -> &C {
        &self.carrier
    }

    /// What it went by.
    pub fn into_carrier(self) -> C {
        self.carrier
    }

    /// How many bytes the serial form of a value may have.
    pub const fn limit_bytes(&self) -> usize {
        self.limit_bytes
    }
}

impl<C: Carrier, T: Serialize> Typed<C, T> {
    /// Sends a value, waiting for room until `deadline`.
    ///
    /// # Errors
    /// * [`Error::NotTransferable`] when it has no serial form.
    /// * [`Error::MessageTooLarge`] when its form is longer than the limit.
    /// * The others as the carrier's `send`. In each case nothing was sent.
    pub fn send(&self, value: &T, deadline: impl Into<Deadline>) -> Result<(), Error> {
        let message = encode(value)?;
        if message.len() > self.limit_bytes {
            return Err(Error::MessageTooLarge { len: message.len() });
        }
        self.carrier.send_bytes(&message, deadline.into())
    }

    /// [`send`](Self::send) that never waits.
    ///
    /// # Errors
    /// * As [`send`](Self::send).
    pub fn try_send(&self, value: &T) -> Result<(), Error> {
        self.send(value, Deadline::passed())
    }
}

impl<C: Carrier, T: DeserializeOwned> Typed<C, T> {
    /// Receives a value, waiting for one until `deadline`.
    ///
    /// # Errors
    /// * [`Error::NotTransferable`] when a message came that is none of this type. It is used up.
    /// * [`Error::MessageTooLarge`] when one came that is longer than the limit. It is used up.
    /// * The others as the carrier's `recv`.
    pub fn recv(&self, deadline: impl Into<Deadline>) -> Result<T, Error> {
        decode(&self.carrier.recv_bytes(self.limit_bytes, deadline.into())?)
    }

    /// [`recv`](Self::recv) that never waits.
    ///
    /// # Errors
    /// * As [`recv`](Self::recv).
    pub fn try_recv(&self) -> Result<T, Error> {
        self.recv(Deadline::passed())
    }
}

/// The serial form of a value.
///
/// # Errors
/// * [`Error::NotTransferable`] when it has none.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    postcard::to_stdvec(value).map_err(|_| Error::NotTransferable)
}

/// The value of a serial form, of all of it.
///
/// # Errors
/// * [`Error::NotTransferable`] when it is none of this type, or something is left over.
pub fn decode<T: DeserializeOwned>(message: &[u8]) -> Result<T, Error> {
    match postcard::take_from_bytes(message) {
        Ok((value, [])) => Ok(value),
        _ => Err(Error::NotTransferable),
    }
}

impl<C: Clone, T> Clone for Typed<C, T> {
    fn clone(&self) -> Self {
        Self { carrier: self.carrier.clone(), limit_bytes: self.limit_bytes, of: PhantomData }
    }
}

impl<C: fmt::Debug, T> fmt::Debug for Typed<C, T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Typed")
            .field("carrier", &self.carrier)
            .field("of", &core::any::type_name::<T>())
            .field("limit_bytes", &self.limit_bytes)
            .finish()
    }
}
