//! A dictionary at a server.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::proxy;
use crate::error::Error;
use crate::objects::dict::Ask;
use crate::wire::Call;

proxy! {
    /// A dictionary at a server, in the order in which its keys came.
    ///
    /// What a call returns is a copy, also [`items`](Self::items): what others change meanwhile is
    /// not seen in it. Keys are the same when their serial forms are, as a
    /// [`List`](crate::List)'s elements. Every call fails as
    /// [`Client::list`](crate::Client::list) does; only what else may go wrong is said at each.
    ///
    /// ```
    /// # use purlin_manager::{Error, Manager};
    /// let manager = Manager::start()?;
    /// let pets = manager.dict([("ferrets".to_owned(), 2)])?;
    /// let all = manager.dict([("pets".to_owned(), pets)])?;
    /// let pets = all.get(&"pets".to_owned())?.unwrap();
    /// assert_eq!(pets.get(&"ferrets".to_owned())?, Some(2));
    /// assert_eq!(pets.get(&"boas".to_owned())?, None);
    /// # Ok::<(), Error>(())
    /// ```
    Dict<K, V>, Dict
}

impl<K, V> Dict<K, V> {
    /// How many keys it has.
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

    /// Takes all out.
    ///
    /// # Errors
    /// * As all its calls.
    pub fn clear(&self) -> Result<(), Error> {
        self.ask(Ask::Clear)?.done()
    }

    fn ask(&self, ask: Ask) -> Result<super::Came, Error> {
        self.base.ask(Call::Dict(ask))
    }
}

impl<K: Serialize, V: Serialize> Dict<K, V> {
    /// Puts many there, in one step.
    ///
    /// # Errors
    /// * [`Error::NotTransferable`] for one without a serial form.
    pub fn extend(&self, pairs: impl IntoIterator<Item = (K, V)>) -> Result<(), Error> {
        let pairs: Vec<(K, V)> = pairs.into_iter().collect();
        let pair = |(key, value): &(K, V)| Ok((self.base.pack(key)?, self.base.pack(value)?));
        let packed: Result<Vec<_>, Error> = pairs.iter().map(pair).collect();
        self.ask(Ask::Extend(packed?))?.done()
    }
}

impl<K: Serialize, V: Serialize + DeserializeOwned> Dict<K, V> {
    /// Puts a value there, and returns what was.
    ///
    /// # Errors
    /// * [`Error::NotTransferable`] for one without a serial form.
    pub fn insert(&self, key: &K, value: &V) -> Result<Option<V>, Error> {
        self.ask(Ask::Insert(self.base.pack(key)?, self.base.pack(value)?))?.maybe()
    }

    /// Puts a value there if there is none, and returns the one that is there then.
    ///
    /// # Errors
    /// * As [`insert`](Self::insert).
    pub fn get_or_insert(&self, key: &K, value: &V) -> Result<V, Error> {
        self.ask(Ask::GetOrInsert(self.base.pack(key)?, self.base.pack(value)?))?.item()
    }
}

impl<K: Serialize, V> Dict<K, V> {
    /// Whether it has this key.
    ///
    /// # Errors
    /// * As all its calls.
    pub fn contains(&self, key: &K) -> Result<bool, Error> {
        self.ask(Ask::Contains(self.base.pack(key)?))?.flag()
    }
}

impl<K: Serialize, V: DeserializeOwned> Dict<K, V> {
    /// A copy of what is there, if something is.
    ///
    /// # Errors
    /// * [`Error::NotTransferable`] when it is of another type.
    pub fn get(&self, key: &K) -> Result<Option<V>, Error> {
        self.ask(Ask::Get(self.base.pack(key)?))?.maybe()
    }

    /// The same, for who knows that something is.
    ///
    /// # Errors
    /// * [`Error::NoSuchName`] when nothing is; else as [`get`](Self::get).
    pub fn at(&self, key: &K) -> Result<V, Error> {
        self.get(key)?.ok_or(Error::NoSuchName)
    }

    /// Takes out what is there, if something is.
    ///
    /// # Errors
    /// * As [`get`](Self::get).
    pub fn remove(&self, key: &K) -> Result<Option<V>, Error> {
        self.ask(Ask::Remove(self.base.pack(key)?))?.maybe()
    }
}

impl<K: DeserializeOwned, V> Dict<K, V> {
    /// A copy of all keys.
    ///
    /// # Errors
    /// * [`Error::NotTransferable`] when one is of another type.
    pub fn keys(&self) -> Result<Vec<K>, Error> {
        self.ask(Ask::Keys)?.items()
    }
}

impl<K, V: DeserializeOwned> Dict<K, V> {
    /// A copy of all values.
    ///
    /// # Errors
    /// * [`Error::NotTransferable`] when one is of another type.
    pub fn values(&self) -> Result<Vec<V>, Error> {
        self.ask(Ask::Values)?.items()
    }
}

impl<K: DeserializeOwned, V: DeserializeOwned> Dict<K, V> {
    /// A copy of all, at one moment.
    ///
    /// # Errors
    /// * [`Error::NotTransferable`] when one is of another type.
    pub fn items(&self) -> Result<Vec<(K, V)>, Error> {
        self.ask(Ask::All)?.pairs()
    }

    /// Takes out what came last, if there is something.
    ///
    /// # Errors
    /// * As [`items`](Self::items).
    pub fn pop(&self) -> Result<Option<(K, V)>, Error> {
        Ok(self.ask(Ask::Pop)?.pairs()?.pop())
    }
}
