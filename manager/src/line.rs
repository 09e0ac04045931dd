//! The connections that this process has, and what a fork does to them.
//!
//! A copy of a connection in a process that never uses it hides the death of who has the other. So
//! a forked child has none: the handlers that libc's `fork` runs close them there. They hold this
//! list's lock across the fork, so that no connection is just being made by another thread.

use core::cell::{Cell, RefCell};
use core::mem::ManuallyDrop;
use core::sync::atomic::{AtomicI32, AtomicU64, Ordering::Relaxed};
use std::os::fd::{AsFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::Error;
use crate::sys::{descriptor, fork};

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
        let mut lines = lock();
        lines.install_handlers()?;
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
        let mut lines = lock();
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
    has_handlers: bool,
}

impl Lines {
    fn install_handlers(&mut self) -> Result<(), Error> {
        if !self.has_handlers {
            purlin_process::parts::watch_forks()?;
            fork::install(before_fork, after_fork, after_fork_in_child)?;
            self.has_handlers = true;
        }
        Ok(())
    }
}

static LINES: Mutex<Lines> = Mutex::new(Lines { list: Vec::new(), has_handlers: false });

thread_local! {
    /// Whether this thread holds the list's lock.
    static HOLDS: Cell<bool> = const { Cell::new(false) };
    /// Forks of this thread on top of its own hold, or on top of another fork.
    static NESTED_COUNT: Cell<u32> = const { Cell::new(0) };
    /// The hold of a thread that is inside `fork`. It has no destructor to run at the thread's end.
    static ACROSS_FORK: RefCell<ManuallyDrop<Option<Hold>>> =
        const { RefCell::new(ManuallyDrop::new(None)) };
}

/// The list's lock. Held for bounded steps only, and while no code of a user's runs.
struct Hold {
    lines: MutexGuard<'static, Lines>, // goes first
    _flag: HoldFlag,
}

/// Raised before the lock is asked for and lowered after it is given back: see [`before_fork`].
struct HoldFlag;

fn lock() -> Hold {
    HOLDS.set(true);
    let _flag = HoldFlag;
    // A panic under the lock leaves the list whole: it changes by single pushes and removals.
    let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    Hold { lines, _flag }
}

impl core::ops::Deref for Hold {
    type Target = Lines;

    fn deref(&self) -> &Lines {
        &self.lines
    }
}

impl core::ops::DerefMut for Hold {
    fn deref_mut(&mut self) -> &mut Lines {
        &mut self.lines
    }
}

impl Drop for HoldFlag {
    fn drop(&mut self) {
        HOLDS.set(false);
    }
}

/// In the parent, before. A signal handler that forks on top of our own change must not wait for
/// itself: its child finds the lock held, and may only exec.
extern "C" fn before_fork() {
    FORK_COUNT.fetch_add(1, Relaxed); // Relaxed: as in `fork_count`
    if HOLDS.get() {
        NESTED_COUNT.set(NESTED_COUNT.get() + 1);
    } else {
        let hold = lock();
        ACROSS_FORK.with_borrow_mut(|across| **across = Some(hold));
    }
}

/// The hold that the matching [`before_fork`] took, if it took one.
fn held_across() -> Option<Hold> {
    match NESTED_COUNT.get() {
        0 => ACROSS_FORK.with_borrow_mut(|across| across.take()),
        depth => {
            NESTED_COUNT.set(depth - 1);
            None
        }
    }
}

/// In the parent, after.
extern "C" fn after_fork() {
    drop(held_across());
}

/// In the child, in the thread that forked.
extern "C" fn after_fork_in_child() {
    let Some(mut hold) = held_across() else { return };
    for fd in hold.list.drain(..) {
        // Relaxed: one thread is left.
        descriptor::close(fd.swap(-1, Relaxed));
        core::mem::forget(fd); // the allocator is not to be asked here
    }
}
