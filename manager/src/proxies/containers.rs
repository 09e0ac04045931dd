//! A value, an array and a record at a server.

use core::ops::RangeBounds;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::list::places;
use super::proxy;
use crate::error::Error;
use crate::objects::{array, namespace, value};
use crate::wire::Call;

proxy! {
    /// A value at a server.
    ///
    /// To read it, change it and put it back are three steps: with a [`Lock`](crate::Lock) around
    /// them, or by [`update`](Self::update), nothing is lost between them. Every call fails as
    /// [`Client::list`](crate::Client::list) does; only what else may go wrong is said at each.
    ///
    /// ```
    /// # use purlin_manager::{Error, Manager};
    /// let manager = Manager::start()?;
    /// let value = manager.value(1)?;
    /// value.set(&2)?;
    /// assert_eq!(value.update(|two| two + 40)?, 42);
    /// # Ok::<(), Error>(())
    /// ```
    Value<T>, Value
}

impl<T: DeserializeOwned> Value<T> {
    /// A copy of it.
    ///
    /// # Errors
    /// * [`Error::NotTransferable`] when it is of another type.
    pub fn get(&self) -> Result<T, Error> {
        self.ask(value::Ask::Get)?.item()
    }
}

impl<T: Serialize> Value<T> {
    /// Puts another there.
    ///
    /// # Errors
    /// * [`Error::NotTransferable`] for one without a serial form.
    pub fn set(&self, value: &T) -> Result<(), Error> {
        self.ask(value::Ask::Set(self.base.pack(value)?))?.done()
    }

    /// Puts the second there if the first is, in one step; whether it was.
    ///
    /// # Errors
    /// * As [`set`](Self::set).
    pub fn replace_if(&self, expected: &T, value: &T) -> Result<bool, Error> {
        let (expected, value) = (self.base.pack(expected)?, self.base.pack(value)?);
        self.ask(value::Ask::ReplaceIf(expected, value))?.flag()
    }
}

impl<T: Serialize + DeserializeOwned> Value<T> {
    /// Puts another there, in one step, and returns what was.
    ///
    /// # Errors
    /// * As [`get`](Self::get) and [`set`](Self::set).
    pub fn replace(&self, value: &T) -> Result<T, Error> {
        self.ask(value::Ask::Replace(self.base.pack(value)?))?.item()
    }

    /// Puts there what `change` makes of what is there, and returns that; anew, as long as another
    /// comes between.
    ///
    /// # Errors
    /// * As [`get`](Self::get) and [`set`](Self::set).
    pub fn update(&self, mut change: impl FnMut(&T) -> T) -> Result<T, Error> {
        // Ends: each round that fails is another's that succeeded.
        loop {
            let seen = self.get()?;
            let next = change(&seen);
            if self.replace_if(&seen, &next)? {
                return Ok(next);
            }
        }
    }
}

impl<T> Value<T> {
    fn ask(&self, ask: value::Ask) -> Result<super::Came, Error> {
        self.base.ask(Call::Value(ask))
    }
}

proxy! {
    /// A row of values at a server, whose length never changes. Every call fails as
    /// [`Client::list`](crate::Client::list) does; only what else may go wrong is said at each.
    Array<T>, Array
}

impl<T> Array<T> {
    /// How many elements it has.
    ///
    /// # Errors
    /// * As all its calls.
    pub fn len(&self) -> Result<usize, Error> {
        Ok(usize::try_from(self.ask(array::Ask::Len)?.count()?).unwrap_or(usize::MAX))
    }

    /// Whether it has none.
    ///
    /// # Errors
    /// * As all its calls.
    pub fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.len()? == 0)
    }

    fn ask(&self, ask: array::Ask) -> Result<super::Came, Error> {
        self.base.ask(Call::Array(ask))
    }
}

impl<T: DeserializeOwned> Array<T> {
    /// A copy of the element at this place.
    ///
    /// # Errors
    /// * [`Error::OutOfRange`] for a place that has none.
    /// * [`Error::NotTransferable`] when it is of another type.
    pub fn get(&self, place: usize) -> Result<T, Error> {
        self.ask(array::Ask::Get(place as u64))?.item()
    }

    /// A copy of those in a range, in one step.
    ///
    /// # Errors
    /// * [`Error::OutOfRange`] for a range that begins behind the end; else as [`get`](Self::get).
    pub fn read(&self, range: impl RangeBounds<usize>) -> Result<Vec<T>, Error> {
        let (start, end) = places(range);
        self.ask(array::Ask::Read(start, end))?.items()
    }

    /// A copy of all.
    ///
    /// # Errors
    /// * As [`get`](Self::get).
    pub fn to_vec(&self) -> Result<Vec<T>, Error> {
        self.read(..)
    }
}

impl<T: Serialize> Array<T> {
    /// Puts a value in the place of another.
    ///
    /// # Errors
    /// * [`Error::OutOfRange`] for a place that has none.
    /// * [`Error::NotTransferable`] for a value without a serial form.
    pub fn set(&self, place: usize, value: &T) -> Result<(), Error> {
        self.ask(array::Ask::Set(place as u64, self.base.pack(value)?))?.done()
    }

    /// Puts values from this place on, in one step.
    ///
    /// # Errors
    /// * [`Error::OutOfRange`] for more than there are; nothing is changed. Else as
    ///   [`set`](Self::set).
    pub fn write(&self, start: usize, values: impl IntoIterator<Item = T>) -> Result<(), Error> {
        let values: Vec<T> = values.into_iter().collect();
        self.ask(array::Ask::Write(start as u64, self.base.pack_all(&values)?))?.done()
    }
}

proxy! {
    /// A record of named fields at a server, each of a type of its own. Every call fails as
    /// [`Client::list`](crate::Client::list) does; only what else may go wrong is said at each.
    ///
    /// ```
    /// # use purlin_manager::{Error, Manager};
    /// let manager = Manager::start()?;
    /// let person = manager.namespace()?;
    /// person.set("name", "jo")?;
    /// person.set("age", &42)?;
    /// assert_eq!(person.get::<String>("name")?, "jo");
    /// person.remove("age")?;
    /// assert_eq!(person.get::<i32>("age"), Err(Error::NoSuchName));
    /// # Ok::<(), Error>(())
    /// ```
    Namespace<>, Namespace
}

impl Namespace {
    /// A copy of a field.
    ///
    /// # Errors
    /// * [`Error::NoSuchName`] when there is none of this name.
    /// * [`Error::NotTransferable`] when it is of another type.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<T, Error> {
        self.ask(namespace::Ask::Get(name.to_owned()))?.item()
    }

    /// Puts a value there, whatever was.
    ///
    /// # Errors
    /// * [`Error::NotTransferable`] for one without a serial form.
    pub fn set<T: Serialize + ?Sized>(&self, name: &str, value: &T) -> Result<(), Error> {
        self.ask(namespace::Ask::Set(name.to_owned(), self.base.pack(value)?))?.done()
    }

    /// Takes a field away.
    ///
    /// # Errors
    /// * [`Error::NoSuchName`] when there is none of this name.
    pub fn remove(&self, name: &str) -> Result<(), Error> {
        self.ask(namespace::Ask::Remove(name.to_owned()))?.done()
    }

    /// The names of its fields, in their order.
    ///
    /// # Errors
    /// * As all its calls.
    pub fn names(&self) -> Result<Vec<String>, Error> {
        self.ask(namespace::Ask::Names)?.item()
    }

    fn ask(&self, ask: namespace::Ask) -> Result<super::Came, Error> {
        self.base.ask(Call::Namespace(ask))
    }
}
