//! A list at a server.

use core::fmt;
use core::ops::{Bound, RangeBounds};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::proxy;
use crate::error::Error;
use crate::objects::list::Ask;
use crate::wire::Call;

proxy! {
    /// A list of values at a server, which every holder of a proxy sees and changes.
    ///
    /// What a call returns is a copy: to change an element, put the changed copy back. An element
    /// that is a proxy stays one object, whatever it is reached by.
    ///
    /// ```
    /// use purlin_manager::{Error, Manager};
    /// use purlin_process::Process;
    ///
    /// let manager = Manager::start()?;
    /// let list = manager.list(["bread".to_owned()])?;
    /// let theirs = list.clone();
    /// let child = Process::fork("child", move || theirs.push(&"salt".to_owned()))?;
    /// child.join(None)?;
    /// assert_eq!(list.to_vec()?, ["bread", "salt"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Every call fails as [`Client::list`](crate::Client::list) does; only what else may go wrong
    /// is said at each.
    ///
    /// # Weak points
    /// * Elements are the same when their serial forms are: a NaN is the same as itself, -0 is not
    ///   0, and a map whose order is by chance is seldom the same as its like.
    /// * A call is one step; two are two, and others come between: with a
    ///   [`Lock`](crate::Lock) they do not.
    List<T>, List
}

impl<T> List<T> {
    /// How many elements it has.
    ///
    /// # Errors
    /// * As all its calls.
    pub fn len(&self) -> Result<usize, Error> {
        Ok(usize::try_from(self.ask(Ask::Len)?.count()?).unwrap_or(usize::MAX))
    }

    /// Whether it has none.
    ///
    /// # Errors
    /// * As all its calls.
    pub fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.len()? == 0)
    }

    /// Turns the order round.
    ///
    /// # Errors
    /// * As all its calls.
    pub fn reverse(&self) -> Result<(), Error> {
        self.ask(Ask::Reverse)?.done()
    }

    /// Takes all out.
    ///
    /// # Errors
    /// * As all its calls.
    pub fn clear(&self) -> Result<(), Error> {
        self.ask(Ask::Clear)?.done()
    }

    /// Makes it so many times itself, one after the other.
    ///
    /// # Errors
    /// * [`Error::OutOfRange`] beyond what a server keeps.
    pub fn repeat(&self, times: u64) -> Result<(), Error> {
        self.ask(Ask::Repeat(times))?.done()
    }

    fn ask(&self, ask: Ask) -> Result<super::Came, Error> {
        self.base.ask(Call::List(ask))
    }
}

impl<T: Serialize> List<T> {
    /// Puts a value in the place of another.
    ///
    /// # Errors
    /// * [`Error::OutOfRange`] for a place that has none.
    pub fn set(&self, place: usize, value: &T) -> Result<(), Error> {
        self.ask(Ask::Set(place as u64, self.base.pack(value)?))?.done()
    }

    /// Adds a value at the end.
    ///
    /// # Errors
    /// * [`Error::NotTransferable`] for one without a serial form.
    pub fn push(&self, value: &T) -> Result<(), Error> {
        self.ask(Ask::Push(self.base.pack(value)?))?.done()
    }

    /// Adds values at the end, in one step.
    ///
    /// # Errors
    /// * As [`push`](Self::push).
    pub fn extend(&self, values: impl IntoIterator<Item = T>) -> Result<(), Error> {
        let values: Vec<T> = values.into_iter().collect();
        self.ask(Ask::Extend(self.base.pack_all(&values)?))?.done()
    }

    /// Puts a value before the one at this place, or at the end.
    ///
    /// # Errors
    /// * [`Error::OutOfRange`] beyond the end.
    pub fn insert(&self, place: usize, value: &T) -> Result<(), Error> {
        self.ask(Ask::Insert(place as u64, self.base.pack(value)?))?.done()
    }

    /// Takes out the first that is the same as this.
    ///
    /// # Errors
    /// * [`Error::NoSuchName`] when none is.
    pub fn remove(&self, value: &T) -> Result<(), Error> {
        self.ask(Ask::Remove(self.base.pack(value)?))?.done()
    }

    /// How many are the same as this.
    ///
    /// # Errors
    /// * As all its calls.
    pub fn count_of(&self, value: &T) -> Result<usize, Error> {
        let count = self.ask(Ask::CountOf(self.base.pack(value)?))?.count()?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// The place of the first that is the same as this.
    ///
    /// # Errors
    /// * [`Error::NoSuchName`] when none is.
    pub fn place_of(&self, value: &T) -> Result<usize, Error> {
        let place = self.ask(Ask::PlaceOf(self.base.pack(value)?))?.count()?;
        usize::try_from(place).map_err(|_| Error::OutOfRange)
    }

    /// Puts these in the place of all that it has, in one step.
    ///
    /// # Errors
    /// * As [`push`](Self::push).
    pub fn replace(&self, values: impl IntoIterator<Item = T>) -> Result<(), Error> {
        let values: Vec<T> = values.into_iter().collect();
        self.ask(Ask::Replace(self.base.pack_all(&values)?))?.done()
    }
}

impl<T: DeserializeOwned> List<T> {
    /// A copy of the element at this place.
    ///
    /// # Errors
    /// * [`Error::OutOfRange`] for a place that has none.
    /// * [`Error::NotTransferable`] when it is of another type.
    pub fn get(&self, place: usize) -> Result<T, Error> {
        self.ask(Ask::Get(place as u64))?.item()
    }

    /// Takes out the last one.
    ///
    /// # Errors
    /// * [`Error::OutOfRange`] when there is none.
    pub fn pop(&self) -> Result<T, Error> {
        self.ask(Ask::Pop)?.item()
    }

    /// Takes out the one at this place.
    ///
    /// # Errors
    /// * [`Error::OutOfRange`] for a place that has none.
    pub fn remove_at(&self, place: usize) -> Result<T, Error> {
        self.ask(Ask::RemoveAt(place as u64))?.item()
    }

    /// A copy of all.
    ///
    /// # Errors
    /// * [`Error::NotTransferable`] when one is of another type.
    pub fn to_vec(&self) -> Result<Vec<T>, Error> {
        self.read(..)
    }

    /// A copy of those in a range, as far as there are any.
    ///
    /// # Errors
    /// * As [`to_vec`](Self::to_vec).
    pub fn read(&self, range: impl RangeBounds<usize>) -> Result<Vec<T>, Error> {
        let (start, end) = places(range);
        self.ask(Ask::Read(start, end))?.items()
    }

    /// Goes over it, one call an element: each is as it is when it is asked for.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { list: self, next: 0 }
    }
}

/// The first place of a range, and the one behind its last.
pub(super) fn places(range: impl RangeBounds<usize>) -> (u64, u64) {
    let start = match range.start_bound() {
        Bound::Included(place) => *place as u64,
        Bound::Excluded(place) => (*place as u64).saturating_add(1),
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(place) => (*place as u64).saturating_add(1),
        Bound::Excluded(place) => *place as u64,
        Bound::Unbounded => u64::MAX,
    };
    (start, end)
}

/// A walk over a [`List`]. It ends behind the last element that the list has by then, and after the
/// first error.
#[must_use = "it asks for nothing before it is walked"]
pub struct Iter<'a, T> {
    list: &'a List<T>,
    next: usize,
}

impl<T: DeserializeOwned> Iterator for Iter<'_, T> {
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let place = self.next;
        self.next = place.checked_add(1)?;
        match self.list.get(place) {
            Err(Error::OutOfRange) => {
                self.next = usize::MAX;
                None
            }
            Err(error) => {
                self.next = usize::MAX;
                Some(Err(error))
            }
            found => Some(found),
        }
    }
}

impl<'a, T: DeserializeOwned> IntoIterator for &'a List<T> {
    type Item = Result<T, Error>;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> fmt::Debug for Iter<'_, T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Iter").field("next", &self.next).finish_non_exhaustive()
    }
}
