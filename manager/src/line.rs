//! The connections that this process has, and what a fork does to them.
//!
//! A copy of a connection in a process that never uses it hides the death of who has the other. So
//! a forked child has none: the handlers that libc's `fork` runs close them there. They hold this
//! list's lock across the fork, so that no connection is just being made by another thread.

use core::sync::atomic::{AtomicI32, AtomicU64, Ordering::Relaxed};
use std::os::fd::{AsFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::sync::Arc;

use purlin_shm::parts::{AcrossFork, Guarded, ThreadState, lock};

use crate::error::Error;
use crate::sys::descriptor;

/// A descriptor of this process alone.
pub(crate) struct Line {
    /// -1 once it is closed, or in a forked child.
    fd: Arc<AtomicI32>,
}

impl Line {
    /// Takes charge of what `make` makes, if it makes something; no fork comes in between.
    ///
    /// # Errors
    /// * What `make` answers; [`Error::OutOfResources`].
    pub(crate) fn adopt(
        make: impl FnOnce() -> Result<Option<OwnedFd>, Error>,
    ) -> Result<Option<Self>, Error> {
        purlin_process::parts::watch_forks()?;
        let mut lines = lock::<Lines>();
        lines.watch_forks().map_err(|_| Error::OutOfResources)?;
        Ok(make()?.map(|made| {
            let fd = Arc::new(AtomicI32::new(made.into_raw_fd()));
            lines.list.push(Arc::clone(&fd));
            Self { fd }
        }))
    }
}

impl AsFd for Line {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // Relaxed: it is closed when this is dropped, or before a forked child comes here.
        let fd = descriptor::borrow(self.fd.load(Relaxed));
        fd.unwrap_or_else(|| unreachable!("a forked child makes lines of its own"))
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let mut lines = lock::<Lines>();
        // Relaxed: under the list's lock, as all who change it.
        descriptor::close(self.fd.swap(-1, Relaxed));
        lines.list.retain(|fd| !Arc::ptr_eq(fd, &self.fd));
    }
}

/// How often this process has forked, since it has had a connection: what it had before may be a
/// child's, too.
pub(crate) fn fork_count() -> u64 {
    // Relaxed: a count, read by the thread that forked, or by one that knows of it otherwise.
    FORK_COUNT.load(Relaxed)
}

static FORK_COUNT: AtomicU64 = AtomicU64::new(0);

/// All that are open here.
struct Lines {
    list: Vec<Arc<AtomicI32>>,
}

static LINES: Guarded<Lines> = Guarded::new(Lines { list: Vec::new() });

thread_local! {
    static THREAD: ThreadState<Lines> = const { ThreadState::new() };
}

impl AcrossFork for Lines {
    fn guarded() -> &'static Guarded<Self> {
        &LINES
    }

    fn with_thread<R>(what: impl FnOnce(&ThreadState<Self>) -> R) -> R {
        THREAD.with(what)
    }

    fn begin_fork() {
        FORK_COUNT.fetch_add(1, Relaxed); // Relaxed: as in `fork_count`
    }

    fn in_child(&mut self) {
        for fd in self.list.drain(..) {
            // Relaxed: one thread is left.
            descriptor::close(fd.swap(-1, Relaxed));
            core::mem::forget(fd); // the allocator is not to be asked here
        }
    }
}
