//! What comes of many arguments, one after the other.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use purlin_sync::Deadline;

use crate::engine::{Runs, Workers};
use crate::error::Error;
use crate::limits::AHEAD_PER_WORKER;
use crate::outcome::wait_until;
use crate::outcomes::Outcomes;
use crate::pool::Pool;
use crate::worker::quietly;

/// Reads arguments and has them run, so many chunks ahead.
struct Feed<'p, W: Workers, F, I> {
    pool: &'p Pool<W>,
    function: Arc<F>,
    arguments: I,
    chunk: usize,
    /// How many chunks were given.
    given_count: usize,
    is_over: bool,
}

/// Parts as they arrive: each with its place.
struct Arrivals<R> {
    parts: Mutex<Vec<(usize, Part<R>)>>,
    changed: Condvar,
}

type Part<R> = VecDeque<Result<R, Error>>;

impl<R> Arrivals<R> {
    fn put(&self, place: usize, part: Part<R>) {
        self.lock().push((place, part));
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(usize, Part<R>)>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has(&self, is_it: impl Fn(usize) -> bool) -> bool {
        self.lock().iter().any(|(at, _)| is_it(*at))
    }

    /// Takes the part that `is_it` names, waiting for it until the deadline.
    fn take(&self, deadline: Deadline, is_it: impl Fn(usize) -> bool) -> Option<Part<R>> {
        let find = |parts: &Vec<(usize, Part<R>)>| parts.iter().position(|(at, _)| is_it(*at));
        let mut parts =
            wait_until(&self.changed, self.lock(), deadline, |parts| find(parts).is_some());
        let found = find(&parts)?;
        Some(parts.remove(found).1)
    }
}

impl<'p, W: Workers, F, I> Feed<'p, W, F, I>
where
    I: Iterator,
{
    /// Gives chunks until so many are not taken.
    fn fill<R>(&mut self, arrivals: &Arc<Arrivals<R>>, taken_count: usize)
    where
        F: Fn(I::Item) -> R,
        W: Runs<F, I::Item, R>,
        R: Send + 'static,
    {
        let ahead = self.pool.worker_count() * AHEAD_PER_WORKER;
        while !self.is_over && self.given_count < taken_count + ahead {
            let mut part = Vec::with_capacity(self.chunk.min(1024));
            let read = self.read(&mut part);
            if !part.is_empty() {
                let (place, to) = (self.given_count, Arc::clone(arrivals));
                let put = move |all: Outcomes<_>| to.put(place, all.into_each().into());
                let given = self.pool.submit(&self.function, part, put);
                self.given_count += 1;
                if let Err(error) = given {
                    self.end_with(arrivals, place, error);
                }
            }
            if let Err(error) = read {
                let place = self.given_count;
                self.given_count += 1;
                self.end_with(arrivals, place, error);
            }
        }
    }

    /// Reads a chunk of arguments. What was read before the source failed is kept.
    fn read(&mut self, part: &mut Vec<I::Item>) -> Result<(), Error> {
        while part.len() < self.chunk {
            // Where it panics it is not asked again.
            match quietly(|| self.arguments.next()) {
                Ok(Some(argument)) => part.push(argument),
                Ok(None) => {
                    self.is_over = true;
                    break;
                }
                Err(message) => {
                    return Err(Error::TaskFailed { message, trace: String::new() });
                }
            }
        }
        Ok(())
    }

    /// Whether this is the process whose pool it is.
    fn is_ours(&self) -> bool {
        self.pool.workers.owner().is_unforked()
    }

    fn end_with<R>(&mut self, arrivals: &Arrivals<R>, place: usize, error: Error) {
        self.is_over = true;
        arrivals.put(place, VecDeque::from([Err(error)]));
    }
}

macro_rules! iterator {
    ($(#[$about:meta])* $name:ident, $is_it:expr) => {
        $(#[$about])*
        pub struct $name<'p, W: Workers, F, I, R> {
            feed: Feed<'p, W, F, I>,
            arrivals: Arc<Arrivals<R>>,
            /// How many chunks were taken.
            taken_count: usize,
            /// What is left of the last one.
            rest: Part<R>,
        }

        impl<'p, W, F, I, R> $name<'p, W, F, I, R>
        where
            I: Iterator,
            F: Fn(I::Item) -> R,
            W: Runs<F, I::Item, R>,
            R: Send + 'static,
        {
            pub(crate) fn new(
                pool: &'p Pool<W>,
                function: F,
                arguments: I,
                chunk: usize,
            ) -> Result<Self, Error> {
                if chunk == 0 {
                    return Err(Error::InvalidArgument);
                }
                pool.workers.check_running()?;
                let function = Arc::new(function);
                let feed =
                    Feed { pool, function, arguments, chunk, given_count: 0, is_over: false };
                let arrivals =
                    Arc::new(Arrivals { parts: Mutex::default(), changed: Condvar::new() });
                let mut this = Self { feed, arrivals, taken_count: 0, rest: VecDeque::new() };
                this.feed.fill(&this.arrivals, 0);
                Ok(this)
            }

            /// In a forked child: that it is one, once.
            fn end_for_a_stranger(&mut self) -> Result<Option<R>, Error> {
                let is_told = self.feed.is_over && self.taken_count == self.feed.given_count;
                self.feed.is_over = true;
                self.taken_count = self.feed.given_count;
                if is_told { Ok(None) } else { Err(Error::NotTheOwner) }
            }

            /// The next one, waiting for it until the deadline; `None` after the last.
            ///
            /// # Errors
            /// * [`Error::TimedOut`] when the deadline came first: it is given the next time.
            /// * What became of that one, if it returned nothing; the next ones follow. What the
            ///   source of the arguments failed with, as the last.
            /// * [`Error::NotTheOwner`] in a forked child, which nothing comes to; then the end.
            pub fn next_within(
                &mut self,
                deadline: impl Into<Deadline>,
            ) -> Result<Option<R>, Error> {
                let deadline = deadline.into();
                if self.rest.is_empty() {
                    if !self.feed.is_ours() {
                        return self.end_for_a_stranger();
                    }
                    self.feed.fill(&self.arrivals, self.taken_count);
                    if self.taken_count == self.feed.given_count {
                        return Ok(None);
                    }
                    let is_it: fn(usize, usize) -> bool = $is_it;
                    let taken_count = self.taken_count;
                    let is_it = |at| is_it(at, taken_count);
                    let deadline = deadline.start();
                    let is_try = deadline.remaining().is_some_and(|left| left.is_zero());
                    let pool = self.feed.pool.workers.helped().filter(|_| !is_try);
                    if let Some(pool) = pool.and_then(|pool| pool.upgrade()) {
                        pool.help(deadline, &|| self.arrivals.has(is_it));
                    }
                    let part = self.arrivals.take(deadline, is_it);
                    self.rest = part.ok_or(Error::TimedOut)?;
                    self.taken_count += 1;
                    self.feed.fill(&self.arrivals, self.taken_count);
                }
                self.rest.pop_front().transpose()
            }
        }

        impl<W, F, I, R> Iterator for $name<'_, W, F, I, R>
        where
            I: Iterator,
            F: Fn(I::Item) -> R,
            W: Runs<F, I::Item, R>,
            R: Send + 'static,
        {
            type Item = Result<R, Error>;

            fn next(&mut self) -> Option<Self::Item> {
                self.next_within(None).transpose()
            }
        }
    };
}

iterator! {
    /// What comes of many arguments, in their order: see [`Pool::imap`].
    ///
    /// # Weak points
    /// * The source of the arguments is read by whoever makes the iterator and asks it, for as long
    ///   as the source takes: a deadline does not hold for it, and a source that waits for what
    ///   comes out of the same iterator waits for ever.
    /// * Nobody else gives arguments out: workers have nothing to do when what they were given is
    ///   done and nobody asks.
    /// * What was given is run though the iterator was dropped.
    Imap, |at, taken_count| at == taken_count
}

iterator! {
    /// What comes of many arguments, as it comes: see [`Pool::imap_unordered`].
    ///
    /// # Weak points
    /// * The source of the arguments is read by whoever makes the iterator and asks it, for as long
    ///   as the source takes: a deadline does not hold for it, and a source that waits for what
    ///   comes out of the same iterator waits for ever.
    /// * Nobody else gives arguments out: workers have nothing to do when what they were given is
    ///   done and nobody asks.
    /// * What was given is run though the iterator was dropped.
    ImapUnordered, |_, _| true
}
