//! How a worker is started, by fork or by spawn.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

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

/// Starts a worker with a name.
pub(crate) type Starter =
    Box<dyn Fn(String, Worker<'_>) -> Result<Process, Error> + Send + Sync>;

/// By fork, with what it runs first.
pub(crate) fn by_fork(initialize: Option<Arc<Initialize>>) -> Starter {
    hook::prepare();
    Box::new(move |name, worker| {
        let initialize = initialize.clone();
        let child = Builder::new().name(name).daemon(true);
        let first = move || initialize.map_or(Ok(()), |initialize| initialize());
        Ok(child.fork(move || worker.work(first))?)
    })
}

/// By spawn, with the function that it runs first, on the serial form of its argument, and with
/// what is carried to it.
pub(crate) fn by_spawn<F, A, C>(argument: Vec<u8>, carried: C) -> Starter
where
    F: Fn(A, C) + Copy + 'static,
    A: DeserializeOwned + 'static,
    C: Carry + Clone + Send + Sync + 'static,
{
    Box::new(move |name, worker| {
        let Worker { mailbox, bell, functions, look_count } = worker;
        let (rack, spot) = mailbox.clone().into_parts();
        let all = (rack, bell.clone(), functions, carried.clone());
        let child = Builder::new().name(name).daemon(true);
        let arguments = (argument.clone(), spot.index, spot.count, look_count);
        Ok(child.spawn(spawned::<F, A, C>, arguments, all)?)
    })
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
        for place in 0..self.worker_count {
            match self.start(place) {
                Ok(worker) => drop(self.lock().seat(place, worker)),
                Err(error) => {
                    self.end_all();
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Starts a worker for a desk.
    pub(super) fn start(&self, place: usize) -> Result<Seated, Error> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let (mailbox, bell, look_count) = (&self.mailboxes[place], &self.bell, self.look_count);
        let worker = Worker { mailbox, bell, functions: theirs.into(), look_count };
        // What is carried to it is the user's, and may panic as it is copied.
        let process = quietly(|| (self.starter)(format!("pool-worker-{place}"), worker));
        let failed = |message| Error::TaskFailed { message, trace: String::new() };
        Ok(Seated::new(process.map_err(failed).flatten()?, ours))
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
