//! Workers that are processes.

use std::sync::{Arc, Weak};

use purlin_process::parts::Origin;
use purlin_sync::Deadline;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::engine::{Engine, Job, Runs, Workers};
use crate::error::Error;
use crate::function::Function;
use crate::office::{Answer, Attending, Crew, Office, Task, WorkerView};
use crate::outcome::Help;
use crate::outcomes::Outcomes;
use crate::wire;
use crate::worker::trampoline;

/// Workers that are processes, by fork or by spawn. What a task is given and returns is carried, in
/// shared memory; a task that ends its process costs nobody else anything.
pub struct Processes {
    pub(crate) office: Arc<Office>,
    pub(crate) crew: Crew,
}

impl Processes {
    /// Who works. From the first look on a worker that ends is replaced at once, as from the first
    /// task on.
    pub(crate) fn views(&self) -> Result<Vec<WorkerView>, Error> {
        self.office.check_owner()?;
        self.crew.see_to_keeper(&self.office)?;
        self.office.views()
    }
}

impl Engine for Processes {
    type Call = Task;
    type Answer = Answer;

    fn worker_count(&self) -> usize {
        self.office.worker_count
    }

    fn chunk_max_bytes(&self) -> usize {
        self.office.chunk_max_bytes
    }

    fn owner(&self) -> Origin {
        self.office.owner
    }

    fn submit(&self, jobs: Vec<Job<Self>>, is_attended: bool) -> Result<(), Error> {
        if jobs.is_empty() {
            return Ok(()); // of a map of nothing, or of what has no serial form: nobody is needed
        }
        self.crew.see_to_keeper(&self.office)?;
        if !is_attended {
            self.crew.see_to_clerk(&self.office)?;
        }
        self.office.submit(jobs.into_iter().map(|job| (job.call, job.deliver)))
    }

    fn check_running(&self) -> Result<(), Error> {
        self.office.check_running()
    }

    fn helped(&self) -> Option<Weak<dyn Help>> {
        let office: Arc<dyn Help> = self.office.clone();
        Some(Arc::downgrade(&office))
    }

    fn attend(&self) -> Option<Attending<'_>> {
        Some(self.office.attend())
    }

    fn close(&self) -> Result<(), Error> {
        self.office.close()
    }

    fn terminate(&self, is_joined: bool) -> Result<(), Error> {
        self.office.terminate()?;
        if !is_joined {
            // Where no thread is to be had, a join that follows kills who does not end.
            let _ = self.crew.see_to_keeper(&self.office);
        }
        Ok(())
    }

    fn join(&self, deadline: Deadline) -> Result<(), Error> {
        let joined = self.office.join(deadline);
        if joined.is_err() && self.office.is_ending() {
            // This thread may have kept it, and somebody has to kill who does not end.
            let _ = self.crew.see_to_keeper(&self.office);
        }
        joined?;
        self.crew.join();
        Ok(())
    }
}

impl Workers for Processes {}

impl<F, A, R> Runs<F, A, R> for Processes
where
    F: Fn(A) -> R + Copy + 'static,
    A: Serialize + DeserializeOwned + 'static,
    R: Serialize + DeserializeOwned + 'static,
{
    fn pack(
        _function: &Arc<F>,
        arguments: impl ExactSizeIterator<Item = A>,
    ) -> Result<Task, Error> {
        let offset = Function::of(trampoline::<F, A, R>).offset()?;
        Ok(Task { offset, input: wire::write_input(arguments)? })
    }

    fn cut(
        _function: &Arc<F>,
        arguments: impl ExactSizeIterator<Item = A>,
        max_bytes: usize,
    ) -> Result<Vec<(usize, Task)>, Error> {
        let offset = Function::of(trampoline::<F, A, R>).offset()?;
        let inputs = wire::write_inputs(arguments, max_bytes)?.into_iter();
        Ok(inputs.map(|(count, input)| (count, Task { offset, input })).collect())
    }

    fn unpack(answer: Answer, count: usize) -> Result<Outcomes<R>, Error> {
        wire::read_output(answer, count)
    }
}
