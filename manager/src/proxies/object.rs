//! An object of a registered type.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::proxy;
use crate::error::Error;
use crate::objects::made::Ask;
use crate::types::NEXT;
use crate::wire::Call;

proxy! {
    /// An object of a type that the server [registers](crate::Types), whose methods it runs. Every
    /// call fails as [`Client::list`](crate::Client::list) does; only what else may go wrong is
    /// said at each.
    Object<>, Registered
}

impl Object {
    /// Calls a method, with an argument; several are a tuple, and none is `()`.
    ///
    /// # Errors
    /// * [`Error::NoSuchName`] when its type offers no such method.
    /// * [`Error::InvalidArgument`] when the method takes something else, as far as its serial form
    ///   shows it.
    /// * [`Error::TaskFailed`] when it fails or panics, with what it says.
    /// * [`Error::NotTransferable`] when the argument or the result has no serial form, or the
    ///   result is of another type.
    pub fn call<A, R>(&self, method: &str, argument: &A) -> Result<R, Error>
    where
        A: Serialize + ?Sized,
        R: DeserializeOwned,
    {
        let input = self.base.pack(argument)?;
        let call = Ask::Call { method: method.to_owned(), input };
        self.base.ask(Call::Registered(call))?.item()
    }

    /// The methods that its type offers.
    ///
    /// # Errors
    /// * As all its calls.
    pub fn methods(&self) -> Result<Vec<String>, Error> {
        self.base.ask(Call::Registered(Ask::Methods))?.item()
    }

    /// The next element of a registered iterator.
    ///
    /// # Errors
    /// * [`Error::StopIteration`] when there is none; else as [`call`](Self::call).
    pub fn next<R: DeserializeOwned>(&self) -> Result<R, Error> {
        self.call(NEXT, &())
    }
}
