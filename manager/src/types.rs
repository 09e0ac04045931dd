//! Types of a program's own, whose objects a server keeps and whose methods it runs.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::client::packing;
use crate::error::Error;
use crate::wire::Item;

/// The types that a server makes objects of, beside its own, by the names that clients call.
///
/// ```standalone_crate
/// use purlin_manager::{Builder, Error, Types};
///
/// fn offer(types: &mut Types) {
///     let counter = types.register("counter", |start: u64| start);
///     counter.method("add", |count: &mut u64, more: u64| {
///         *count += more;
///         *count
///     });
/// }
///
/// fn main() -> Result<(), Error> {
///     let manager = Builder::new().fork_with(offer)?;
///     let counter = manager.object("counter", &40_u64)?;
///     assert_eq!(counter.call::<_, u64>("add", &2_u64)?, 42);
///     assert_eq!(counter.call::<_, ()>("reset", &()), Err(Error::NoSuchName));
///     Ok(())
/// }
/// ```
///
/// # Weak points
/// * A constructor and a method run on the server's one thread: while they run nobody else is
///   served. What waits long belongs into a process of its own, with a queue to it.
/// * One that panics has failed, and its object stays, in whatever state it left it.
/// * Proxies of the same server can be given to it, and kept; but a call through one would wait for
///   the server itself, and is [`Error::WouldDeadlock`]. What it keeps counts as no reference.
#[derive(Default)]
pub struct Types {
    kinds: BTreeMap<String, Box<dyn Maker>>,
}

/// A registered type, to which methods are added.
pub struct Type<T> {
    methods: Arc<Methods<T>>,
    make: Make<T>,
}

type Make<T> = Box<dyn Fn(&[u8]) -> Result<T, Error> + Send>;
type Method<T> = Box<dyn Fn(&mut T, &[u8]) -> Result<Vec<u8>, Error> + Send + Sync>;
type Methods<T> = BTreeMap<String, Method<T>>;

impl Types {
    /// Offers a type: its name, and what makes an object of what a client gives. A name that is
    /// there already is replaced, for objects to come.
    pub fn register<T, A>(
        &mut self,
        name: impl Into<String>,
        make: impl Fn(A) -> T + Send + 'static,
    ) -> &mut Type<T>
    where
        T: Send + 'static,
        A: DeserializeOwned,
    {
        let make: Make<T> = Box::new(move |input| Ok(make(read(input)?)));
        let kind = Box::new(Type { methods: Arc::default(), make });
        let slot = self.kinds.entry(name.into()).insert_entry(kind).into_mut();
        let any: &mut dyn std::any::Any = slot.as_any();
        any.downcast_mut().unwrap_or_else(|| unreachable!("it was put there just now"))
    }

    /// Offers an iterator, which is walked by [`Object::next`](crate::Object::next).
    pub fn register_iterator<I, A>(
        &mut self,
        name: impl Into<String>,
        make: impl Fn(A) -> I + Send + 'static,
    ) where
        I: Iterator<Item: Serialize> + Send + 'static,
        A: DeserializeOwned,
    {
        let kind = self.register(name, make);
        kind.raw(NEXT, |walk: &mut I, _: ()| walk.next().ok_or(Error::StopIteration));
    }

    pub(crate) fn make(&mut self, name: &str, input: &Item) -> Result<Box<dyn Served>, Error> {
        self.kinds.get(name).ok_or(Error::NoSuchName)?.make(&input.bytes)
    }
}

/// The method by which an iterator is walked.
pub(crate) const NEXT: &str = "next";

impl<T: Send + 'static> Type<T> {
    /// Offers a method under a name.
    pub fn method<A, R>(
        &mut self,
        name: impl Into<String>,
        method: impl Fn(&mut T, A) -> R + Send + Sync + 'static,
    ) -> &mut Self
    where
        A: DeserializeOwned,
        R: Serialize,
    {
        self.raw(name, move |object, argument| Ok(method(object, argument)))
    }

    /// Offers a method that can fail; its caller gets [`Error::TaskFailed`] with what the error
    /// says.
    pub fn fallible<A, R, E>(
        &mut self,
        name: impl Into<String>,
        method: impl Fn(&mut T, A) -> Result<R, E> + Send + Sync + 'static,
    ) -> &mut Self
    where
        A: DeserializeOwned,
        R: Serialize,
        E: Display,
    {
        self.raw(name, move |object, argument| {
            method(object, argument)
                .map_err(|error| Error::TaskFailed { message: error.to_string() })
        })
    }

    fn raw<A, R>(
        &mut self,
        name: impl Into<String>,
        method: impl Fn(&mut T, A) -> Result<R, Error> + Send + Sync + 'static,
    ) -> &mut Self
    where
        A: DeserializeOwned,
        R: Serialize,
    {
        let method: Method<T> = Box::new(move |object, input| {
            let value = method(object, read(input)?)?;
            postcard::to_stdvec(&value).map_err(|_| Error::NotTransferable)
        });
        // Nothing was made of it yet: that needs the server to run.
        if let Some(methods) = Arc::get_mut(&mut self.methods) {
            methods.insert(name.into(), method);
        }
        self
    }
}

/// An object of a registered type.
pub(crate) trait Served: Send {
    fn call(&mut self, method: &str, input: &[u8]) -> Result<Vec<u8>, Error>;
    fn methods(&self) -> Vec<String>;
}

struct Object<T> {
    value: T,
    methods: Arc<Methods<T>>,
}

impl<T: Send> Served for Object<T> {
    fn call(&mut self, method: &str, input: &[u8]) -> Result<Vec<u8>, Error> {
        let method = self.methods.get(method).ok_or(Error::NoSuchName)?;
        guarded(|| method(&mut self.value, input))
    }

    fn methods(&self) -> Vec<String> {
        self.methods.keys().cloned().collect()
    }
}

/// A type whose own type is forgotten.
trait Maker: Send {
    fn make(&self, input: &[u8]) -> Result<Box<dyn Served>, Error>;
    fn as_any(&mut self) -> &mut dyn std::any::Any;
}

impl<T: Send + 'static> Maker for Type<T> {
    fn make(&self, input: &[u8]) -> Result<Box<dyn Served>, Error> {
        let value = guarded(|| (self.make)(input))?;
        Ok(Box::new(Object { value, methods: Arc::clone(&self.methods) }))
    }

    fn as_any(&mut self) -> &mut dyn std::any::Any {
        self
    }
}

/// A panic is a failure that says what the panic did.
pub(crate) fn guarded<T>(call: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    // What it leaves half done is its own, as the documentation of `Types` says.
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let message = text.or_else(|| payload.downcast_ref::<String>().cloned());
        Err(Error::TaskFailed { message: message.unwrap_or_else(|| "a panic".to_owned()) })
    })
}

fn read<A: DeserializeOwned>(input: &[u8]) -> Result<A, Error> {
    packing::whole(input).ok_or(Error::InvalidArgument)
}

impl fmt::Debug for Types {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Types").field(&self.kinds.keys()).finish()
    }
}

impl<T> fmt::Debug for Type<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Type").field(&self.methods.keys()).finish()
    }
}
