//! Functions of several arguments, as functions of a tuple.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::engine::Workers;
use crate::error::Error;
use crate::outcome::AsyncResult;
use crate::pool::Pool;
use crate::processes::Processes;
use crate::threads::Threads;

/// A function that can be given a tuple, each part of it as an argument: see
/// [`Pool::starmap`](crate::Pool::starmap). Functions of two to six arguments are.
pub trait Spread<T> {
    /// What it returns.
    type Returned;

    /// Calls it.
    fn spread(&self, arguments: T) -> Self::Returned;
}

macro_rules! spread {
    ($($type:ident $name:ident),+) => {
        impl<F, R, $($type),+> Spread<($($type,)+)> for F
        where
            F: Fn($($type),+) -> R,
        {
            type Returned = R;

            fn spread(&self, ($($name,)+): ($($type,)+)) -> R {
                self($($name),+)
            }
        }
    };
}

spread!(A a, B b);
spread!(A a, B b, C c);
spread!(A a, B b, C c, D d);
spread!(A a, B b, C c, D d, E e);
spread!(A a, B b, C c, D d, E e, G g);

/// That workers of this kind can run functions of the type `F`, given a tuple `T`.
pub trait RunsSpread<F: Spread<T>, T>: Workers + Sized {
    /// As [`Pool::starmap_async`](crate::Pool::starmap_async).
    #[doc(hidden)]
    fn starmap(
        pool: &Pool<Self>,
        function: F,
        arguments: impl IntoIterator<Item = T>,
        chunk: Option<usize>,
    ) -> Result<AsyncResult<Vec<F::Returned>>, Error>;
}

impl<F, T> RunsSpread<F, T> for Processes
where
    F: Spread<T, Returned: Serialize + DeserializeOwned + Send + 'static> + Copy + 'static,
    T: Serialize + DeserializeOwned + 'static,
{
    fn starmap(
        pool: &Pool<Self>,
        function: F,
        arguments: impl IntoIterator<Item = T>,
        chunk: Option<usize>,
    ) -> Result<AsyncResult<Vec<F::Returned>>, Error> {
        pool.map_async(move |arguments| function.spread(arguments), arguments, chunk)
    }
}

impl<F, T> RunsSpread<F, T> for Threads
where
    F: Spread<T, Returned: Send + 'static> + Send + Sync + 'static,
    T: Send + 'static,
{
    fn starmap(
        pool: &Pool<Self>,
        function: F,
        arguments: impl IntoIterator<Item = T>,
        chunk: Option<usize>,
    ) -> Result<AsyncResult<Vec<F::Returned>>, Error> {
        pool.map_async(move |arguments| function.spread(arguments), arguments, chunk)
    }
}
