//! How a worker is started, by fork or by spawn.

use std::ops::Range;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use purlin_process::parts::{FORK_EACH_MAX, fork_each};
use purlin_process::{Builder, Process};
use purlin_shm::{Carry, Place};
use serde::de::DeserializeOwned;

use super::Office;
use super::desk::Worker as Seated;
use crate::error::Error;
use crate::function::conjure;
use crate::hook;
use crate::words::{Bell, Mailbox, RackWords, Spot};
use crate::worker::{Initialize, Worker, quietly};

/// How workers are started.
pub(crate) enum Starter {
    /// By fork, with what they run first.
    Fork(Option<Arc<Initialize>>),
    /// One by one, with a name.
    Each(Box<StartOne>),
}

type StartOne = dyn Fn(String, Worker<'_>) -> Result<Process, Error> + Send + Sync;

/// By fork, with what it runs first.
pub(crate) fn by_fork(initialize: Option<Arc<Initialize>>) -> Starter {
    hook::prepare();
    Starter::Fork(initialize)
}

/// By spawn, with the function that it runs first, on the serial form of its argument, and with
/// what is carried to it.
pub(crate) fn by_spawn<F, A, C>(argument: Vec<u8>, carried: C) -> Starter
where
    F: Fn(A, C) + Copy + 'static,
    A: DeserializeOwned + 'static,
    C: Carry + Clone + Send + Sync + 'static,
{
    Starter::Each(Box::new(move |name, worker| {
        let Worker { mailbox, bell, functions, look_count } = worker;
        let (rack, spot) = mailbox.clone().into_parts();
        let all = (rack, bell.clone(), functions, carried.clone());
        let child = Builder::new().name(name).daemon(true);
        let arguments = (argument.clone(), spot.index, spot.count, look_count);
        Ok(child.spawn(spawned::<F, A, C>, arguments, all)?)
    }))
}

/// The whole of a spawned worker.
fn spawned<F, A, C>(
    (argument, index, count, look_count): (Vec<u8>, usize, usize, u32),
    (rack, bell, functions, carried): (Place<RackWords>, Bell, OwnedFd, C),
) -> Result<(), Error>
where
    F: Fn(A, C) + Copy + 'static,
    A: DeserializeOwned + 'static,
{
    let argument: A = postcard::from_bytes(&argument).map_err(|_| Error::NotTransferable)?;
    let mailbox = &Mailbox::at(rack, Spot { index, count })?;
    Worker { mailbox, bell: &bell, functions, look_count }.work(move || {
        conjure::<F>()(argument, carried);
        Ok(())
    })
}

impl Office {
    /// Starts all; none is left if one cannot be started.
    pub(super) fn start_all(&self) -> Result<(), Error> {
        let mut places = 0..self.worker_count;
        // Ends: each turn takes some off, or one.
        while !places.is_empty() {
            let end = places.end.min(places.start + FORK_EACH_MAX);
            let (started, answer) = self.start_some(places.start..end);
            for (place, worker) in (places.start..).zip(started) {
                drop(self.lock().seat(place, worker));
            }
            if let Err(error) = answer {
                self.end_all();
                return Err(error);
            }
            places.start = end;
        }
        Ok(())
    }

    /// Starts a worker for a desk.
    pub(super) fn start(&self, place: usize) -> Result<Seated, Error> {
        let (mut started, answer) = self.start_some(place..place + 1);
        answer?;
        started.pop().ok_or(Error::OutOfResources)
    }

    /// Starts workers for these desks: those that were started, and why the next one was not.
    fn start_some(&self, places: Range<usize>) -> (Vec<Seated>, Result<(), Error>) {
        match &self.starter {
            Starter::Fork(initialize) => self.fork_some(places, initialize.as_deref()),
            Starter::Each(start) => {
                let mut started = Vec::new();
                let answer = places.into_iter().try_for_each(|place| {
                    started.push(self.start_by(start, place)?);
                    Ok(())
                });
                (started, answer)
            }
        }
    }

    fn fork_some(
        &self,
        places: Range<usize>,
        initialize: Option<&Initialize>,
    ) -> (Vec<Seated>, Result<(), Error>) {
        let builder = |place| Builder::new().name(name_of(place)).daemon(true);
        // On the stack, for what is written to the heap between two forks is copied.
        let mut all_ours = [const { None }; FORK_EACH_MAX];
        let give = |index: usize| {
            let (ours, theirs) = pair()?;
            all_ours[index] = Some(ours);
            Ok(theirs)
        };
        let work = |index, theirs| {
            let first = || initialize.map_or(Ok(()), |initialize| initialize());
            self.worker(places.start + index, theirs).work(first)
        };
        let builders = places.clone().map(builder).collect();
        let (processes, answer) = fork_each(builders, give, work);
        let started = processes.into_iter().zip(all_ours.into_iter().flatten());
        (started.map(|(process, ours)| Seated::new(process, ours)).collect(), answer)
    }

    fn start_by(&self, start: &StartOne, place: usize) -> Result<Seated, Error> {
        let (ours, theirs) = pair()?;
        // What is carried to it is the user's, and may panic as it is copied.
        let process = quietly(|| start(name_of(place), self.worker(place, theirs)));
        let failed = |message| Error::TaskFailed { message, trace: String::new() };
        Ok(Seated::new(process.map_err(failed).flatten()?, ours))
    }

    fn worker(&self, place: usize, functions: OwnedFd) -> Worker<'_> {
        let (mailbox, bell, look_count) = (&self.mailboxes[place], &self.bell, self.look_count);
        Worker { mailbox, bell, functions, look_count }
    }

    /// Kills and collects all workers of a pool that has no keeper.
    pub(super) fn end_all(&self) {
        let mut hub = self.lock();
        for worker in hub.desks.iter_mut().filter_map(|desk| desk.worker.take()) {
            // They fail when foreign code closed our descriptor; then nothing can be done.
            let _ = worker.process.kill();
            let _ = worker.process.join(None);
        }
    }
}

fn name_of(place: usize) -> String {
    format!("pool-worker-{place}")
}

/// Over which a worker is told where functions are: the owner's end, and the worker's.
fn pair() -> Result<(UnixStream, OwnedFd), Error> {
    let (ours, theirs) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    Ok((ours, theirs.into()))
}
