//! The living threads of this process. A forked child begins with a list of its own, of the one
//! thread that it has: its parent's list may have been locked by a thread that is gone.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::handle::Thread;
use super::own;
use crate::sys::origin::PerProcess;

static THREADS: PerProcess<Threads> = PerProcess::new();

/// What a process knows of its threads.
pub(super) struct Threads {
    first: Thread,
    /// The first one among them, until its end.
    living: Mutex<Vec<Thread>>,
}

/// The list of the calling process.
pub(super) fn threads() -> &'static Threads {
    THREADS.get(|| {
        let first = Thread::first(own::who_forked().as_ref());
        Threads { living: Mutex::new(vec![first.clone()]), first }
    })
}

impl Threads {
    pub(super) fn main(&self) -> Thread {
        self.first.clone()
    }

    pub(super) fn living(&self) -> Vec<Thread> {
        let living = self.locked().clone();
        // One that has just ended may still be about to go.
        living.into_iter().filter(Thread::is_alive).collect()
    }

    /// From now on `thread` waits for the others that are no daemons. Of two that both do this, one
    /// at least finds the other noted when it then asks for the living: the lock orders them.
    pub(super) fn begin_ending(&self, thread: &Thread) {
        let _ordered = self.locked();
        thread.note_ending(true);
    }

    pub(super) fn add(&self, thread: Thread) {
        self.locked().push(thread);
    }

    pub(super) fn remove(&self, thread: &Thread) {
        self.locked().retain(|kept| kept != thread);
    }

    fn locked(&self) -> MutexGuard<'_, Vec<Thread>> {
        self.living.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ExitCode, ExitStatus, Process};

    #[test]
    fn who_has_ended_is_kept_nowhere() {
        let limit = std::time::Duration::from_secs(60);
        let child = Process::fork("lists", || {
            for _ in 0..10 {
                Thread::start("", || ()).and_then(|thread| thread.join(limit)).expect("its end");
            }
            ExitCode(i32::from(threads().locked().len() != 1))
        });
        assert_eq!(child.unwrap().join(limit), Ok(ExitStatus::Code(0)));
    }
}
