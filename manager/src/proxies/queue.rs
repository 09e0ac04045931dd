//! A queue at a server.

use purlin_sync::Deadline;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::proxy;
use crate::error::Error;
use crate::objects::queue::Ask;
use crate::wire::Call;

proxy! {
    /// A queue of values at a server, which counts what was done. Every call fails as
    /// [`Client::list`](crate::Client::list) does; only what else may go wrong is said at each.
    ///
    /// ```
    /// # use purlin_manager::{Error, Manager};
    /// let manager = Manager::start()?;
    /// let queue = manager.bounded_queue(1)?;
    /// queue.put(&"bread".to_owned(), None)?;
    /// assert_eq!(queue.try_put(&"salt".to_owned()), Err(Error::Full));
    /// assert_eq!(queue.get(None)?, "bread");
    /// assert_eq!(queue.try_get(), Err(Error::Empty));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Weak points
    /// * Fairness: who comes first waits least.
    /// * Signals: no call may be made in a handler.
    /// * Fork: the child inherits the proxy, and no place in a wait.
    /// * Death: nothing is handed to the dead, as far as the system says so: between machines one
    ///   that has vanished without a word may still be handed an item. One that dies with an item
    ///   has it. What a dead putter waited to put is not put.
    /// * Limits: where the server itself does not answer, a call ends a second after its deadline.
    ///   An item that it is handed after that goes back to the front; one that it puts may be put.
    Queue<T>, Queue
}

impl<T> Queue<T> {
    /// How many items are in it, at this moment.
    ///
    /// # Errors
    /// * As all its calls.
    pub fn len(&self) -> Result<usize, Error> {
        Ok(usize::try_from(self.ask(Ask::Len)?.count()?).unwrap_or(usize::MAX))
    }

    /// Whether none is, at this moment.
    ///
    /// # Errors
    /// * As all its calls.
    pub fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.ask(Ask::Len)?.count()? == 0)
    }

    /// Whether there is no room, at this moment.
    ///
    /// # Errors
    /// * As all its calls.
    pub fn is_full(&self) -> Result<bool, Error> {
        Ok(self.ask(Ask::Len)?.count()? >= self.ask(Ask::Max)?.count()?)
    }

    /// Marks one item as done.
    ///
    /// # Errors
    /// * [`Error::TaskDoneTooOften`] when all that was put is.
    pub fn task_done(&self) -> Result<(), Error> {
        self.ask(Ask::TaskDone)?.done()
    }

    /// Waits until all that was put is done, or `deadline` passes.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when the deadline came first.
    pub fn join(&self, deadline: impl Into<Deadline>) -> Result<(), Error> {
        self.base.ask_waiting(Call::Queue(Ask::Join), deadline.into())?.done()
    }

    fn ask(&self, ask: Ask) -> Result<super::Came, Error> {
        self.base.ask(Call::Queue(ask))
    }
}

impl<T: Serialize> Queue<T> {
    /// Puts an item, waiting until there is room or `deadline` passes.
    ///
    /// # Errors
    /// * [`Error::Full`] when the deadline came first.
    /// * [`Error::NotTransferable`] for an item without a serial form.
    pub fn put(&self, item: &T, deadline: impl Into<Deadline>) -> Result<(), Error> {
        let put = Ask::Put(self.base.pack(item)?);
        self.base.ask_waiting(Call::Queue(put), deadline.into())?.done()
    }

    /// Puts an item if there is room.
    ///
    /// # Errors
    /// * [`Error::Full`] when there is none; else as [`put`](Self::put).
    pub fn try_put(&self, item: &T) -> Result<(), Error> {
        let put = Ask::Put(self.base.pack(item)?);
        self.base.ask_trying(Call::Queue(put))?.done()
    }
}

impl<T: DeserializeOwned> Queue<T> {
    /// Takes the first item, waiting until there is one or `deadline` passes.
    ///
    /// # Errors
    /// * [`Error::Empty`] when the deadline came first.
    /// * [`Error::NotTransferable`] when it is of another type; it is gone then.
    pub fn get(&self, deadline: impl Into<Deadline>) -> Result<T, Error> {
        self.base.ask_waiting(Call::Queue(Ask::Get), deadline.into())?.item()
    }

    /// Takes the first item if there is one.
    ///
    /// # Errors
    /// * [`Error::Empty`] when there is none; else as [`get`](Self::get).
    pub fn try_get(&self) -> Result<T, Error> {
        self.base.ask_trying(Call::Queue(Ask::Get))?.item()
    }
}
