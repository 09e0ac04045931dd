//! The parts of a map, until all are there.

use std::sync::{Arc, Mutex, PoisonError};

use crate::callbacks::{Progress, Teller};
use crate::error::Error;
use crate::limits::{CHUNK_MAX_COUNT, CHUNKS_PER_WORKER};
use crate::outcomes::Outcomes;

/// How many of so many arguments make a chunk, where nobody says it.
pub(crate) fn chunk_len(argument_count: usize, worker_count: usize) -> usize {
    let even = argument_count.div_ceil(worker_count.saturating_mul(CHUNKS_PER_WORKER));
    even.clamp(1, CHUNK_MAX_COUNT)
}

type Finish<R> = Box<dyn FnOnce(Result<Vec<R>, Error>) + Send>;

/// Takes the parts in any order, and says when all are there.
pub(crate) struct Gather<R> {
    state: Mutex<State<R>>,
}

struct State<R> {
    parts: Vec<Option<Outcomes<R>>>,
    left_count: usize,
    progress: Progress,
    finish: Option<Finish<R>>,
}

impl<R: 'static> Gather<R> {
    /// Of so many arguments, in so many parts.
    pub(crate) fn new(
        total_count: usize,
        part_count: usize,
        finish: impl FnOnce(Result<Vec<R>, Error>) + Send + 'static,
    ) -> Arc<Self> {
        let parts = (0..part_count).map(|_| None).collect();
        let progress = Progress { total_count, ..Progress::default() };
        let finish: Option<Finish<R>> = Some(Box::new(finish));
        let state = State { parts, left_count: part_count, progress, finish };
        let gather = Arc::new(Self { state: Mutex::new(state) });
        if part_count == 0 {
            gather.finish();
        }
        gather
    }

    /// A part, once. How far all has come is told in the order in which it comes so far, and before
    /// the end is.
    pub(crate) fn put(&self, place: usize, part: Outcomes<R>, teller: &Teller) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (done_count, failed_count) = part.counts();
        state.progress.done_count += done_count;
        state.progress.failed_count += failed_count;
        state.parts[place] = Some(part);
        state.left_count -= 1;
        let is_last = state.left_count == 0;
        let is_told = teller.queue(state.progress);
        drop(state);
        if !is_told {
            teller.tell_here();
        }
        if is_last {
            self.finish();
        }
    }

    fn finish(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let parts = core::mem::take(&mut state.parts);
        let (finish, total_count) = (state.finish.take(), state.progress.total_count);
        drop(state);
        if let Some(finish) = finish {
            let mut values = Vec::with_capacity(total_count);
            let mut parts: Vec<Outcomes<R>> = parts.into_iter().flatten().collect();
            match parts.iter_mut().try_for_each(|part| part.append_to(&mut values)) {
                Ok(()) => finish(Ok(values)),
                Err(error) => finish(Err(error)), // before the drops of what nobody gets
            }
        }
    }
}
