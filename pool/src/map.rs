//! The parts of a map, until all are there.

use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Error;
use crate::limits::CHUNKS_PER_WORKER;

/// How many of so many arguments make a chunk.
pub(crate) fn chunk_len(argument_count: usize, worker_count: usize) -> usize {
    argument_count.div_ceil(worker_count.saturating_mul(CHUNKS_PER_WORKER)).max(1)
}

type Part<R> = Vec<Result<R, Error>>;
type Finish<R> = Box<dyn FnOnce(Result<Vec<R>, Error>) + Send>;

/// Takes the parts in any order, and says when all are there.
pub(crate) struct Gather<R> {
    part_count: usize,
    state: Mutex<State<R>>,
}

struct State<R> {
    parts: Vec<Option<Part<R>>>,
    left_count: usize,
    finish: Option<Finish<R>>,
}

impl<R> Gather<R> {
    pub(crate) fn new(
        part_count: usize,
        finish: impl FnOnce(Result<Vec<R>, Error>) + Send + 'static,
    ) -> Arc<Self> {
        let parts = (0..part_count).map(|_| None).collect();
        let state = State { parts, left_count: part_count, finish: Some(Box::new(finish)) };
        let gather = Arc::new(Self { part_count, state: Mutex::new(state) });
        if part_count == 0 {
            gather.finish();
        }
        gather
    }

    pub(crate) fn part_count(&self) -> usize {
        self.part_count
    }

    /// A part, once.
    pub(crate) fn put(&self, place: usize, part: Part<R>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.parts[place] = Some(part);
        state.left_count -= 1;
        let is_last = state.left_count == 0;
        drop(state);
        if is_last {
            self.finish();
        }
    }

    fn finish(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let parts = core::mem::take(&mut state.parts);
        let finish = state.finish.take();
        drop(state);
        if let Some(finish) = finish {
            finish(parts.into_iter().flatten().flatten().collect());
        }
    }
}
