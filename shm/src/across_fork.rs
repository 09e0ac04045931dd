//! What a process knows of its own descriptors, say, and no fork catches amid a change.
//!
//! A forked child has one thread, and the memory as it was: a lock that another thread held stays
//! held there, around something half changed. So `fork` holds the lock itself across the call: the
//! handlers that libc runs take it before, and give it back behind, in the parent and in the child.

use core::cell::{Cell, RefCell};
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{
    AtomicBool,
    Ordering::{Acquire, Release},
};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::Error;
use crate::installs::Installs;
use crate::sys::fork;

/// One such state of a process.
pub trait AcrossFork: Sized + Send + 'static {
    /// Where it stands.
    fn guarded() -> &'static Guarded<Self>;

    /// What each thread knows of it.
    fn with_thread<R>(what: impl FnOnce(&ThreadState<Self>) -> R) -> R;

    /// Before each fork, also where the forking thread is amid a change itself.
    fn begin_fork() {}

    /// After the fork, in the parent.
    fn in_parent(&mut self) {}

    /// In the child, in the thread that forked: what is not to be there any more is closed. No
    /// allocator may be asked, no lock taken; fstat(2) and close(2) may be called.
    fn in_child(&mut self);
}

/// The state, and whether forks are watched for it.
pub struct Guarded<T> {
    state: Mutex<T>,
    has_handlers: AtomicBool,
}

impl<T> Guarded<T> {
    /// With this at the beginning.
    pub const fn new(value: T) -> Self {
        Self { state: Mutex::new(value), has_handlers: AtomicBool::new(false) }
    }
}

impl<T: AcrossFork> Guarded<T> {
    /// From here on all forks are seen. Not under the lock: a fork that had begun before would not
    /// run the handlers, and its child would have a copy of the lock that nobody gives back.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] when libc has no memory for it.
    fn watch_forks(&self) -> Result<(), Error> {
        // Acquire pairs with the Release below: who sees it takes the lock after the handlers are
        // there.
        if self.has_handlers.load(Acquire) {
            return Ok(());
        }
        let _installs = Installs::hold();
        if !self.has_handlers.load(Acquire) {
            fork::install(before_fork::<T>, after_fork::<T>, after_fork_in_child::<T>)?;
            self.has_handlers.store(true, Release);
        }
        Ok(())
    }
}

/// What a thread knows of one such state.
pub struct ThreadState<T: AcrossFork> {
    /// Whether it holds the lock.
    holds: Cell<bool>,
    /// Its forks on top of its own hold, or on top of another fork: see [`before_fork`].
    nested_count: Cell<u32>,
    /// The hold of a thread that is inside `fork`. It has no destructor to run at the thread's end.
    across: RefCell<ManuallyDrop<Option<Hold<T>>>>,
}

impl<T: AcrossFork> ThreadState<T> {
    /// Of a thread that has begun.
    #[expect(clippy::new_without_default, reason = "it stands in a thread-local constant")]
    pub const fn new() -> Self {
        Self {
            holds: Cell::new(false),
            nested_count: Cell::new(0),
            across: RefCell::new(ManuallyDrop::new(None)),
        }
    }
}

/// The lock. Held for bounded steps only, and while no code of a user's runs.
pub struct Hold<T: AcrossFork> {
    state: MutexGuard<'static, T>, // goes first
    _flag: Flag<T>,
}

/// Raised before the lock is asked for and lowered after it is given back: see [`before_fork`].
struct Flag<T: AcrossFork>(core::marker::PhantomData<fn(T)>);

/// Takes the lock, which no fork catches from the first time on, if there is memory for that: who
/// puts something in asks by [`Hold::watch_forks`].
pub fn lock<T: AcrossFork>() -> Hold<T> {
    let _ = T::guarded().watch_forks(); // asked for again where it matters
    take()
}

fn take<T: AcrossFork>() -> Hold<T> {
    T::with_thread(|thread| thread.holds.set(true));
    let _flag = Flag(core::marker::PhantomData);
    // A panic under the lock leaves the state whole: it changes by single pushes and removals.
    let state = T::guarded().state.lock().unwrap_or_else(PoisonError::into_inner);
    Hold { state, _flag }
}

impl<T: AcrossFork> Hold<T> {
    /// Asks whether forks are seen: before, nothing may be in it that they concern.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] when libc had no memory for that.
    pub fn watch_forks(&self) -> Result<(), Error> {
        // Acquire: as in `Guarded::watch_forks`.
        if T::guarded().has_handlers.load(Acquire) { Ok(()) } else { Err(Error::OutOfResources) }
    }
}

impl<T: AcrossFork> Deref for Hold<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.state
    }
}

impl<T: AcrossFork> DerefMut for Hold<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.state
    }
}

impl<T: AcrossFork> Drop for Flag<T> {
    fn drop(&mut self) {
        T::with_thread(|thread| thread.holds.set(false));
    }
}

/// In the parent, before: wait until no other thread is amid a change.
extern "C" fn before_fork<T: AcrossFork>() {
    T::begin_fork();
    // A signal handler that forks on top of our own change, or amid a fork, must not wait for
    // itself, nor give back what the fork below it holds. Its child finds the lock held, and may
    // only exec.
    if T::with_thread(|thread| thread.holds.get()) {
        T::with_thread(|thread| thread.nested_count.set(thread.nested_count.get() + 1));
    } else {
        let hold = take::<T>();
        T::with_thread(|thread| **thread.across.borrow_mut() = Some(hold));
    }
}

/// The hold that the matching [`before_fork`] took, if it took one.
fn held_across<T: AcrossFork>() -> Option<Hold<T>> {
    T::with_thread(|thread| match thread.nested_count.get() {
        0 => thread.across.borrow_mut().take(),
        depth => {
            thread.nested_count.set(depth - 1);
            None
        }
    })
}

/// In the parent, after.
extern "C" fn after_fork<T: AcrossFork>() {
    if let Some(mut hold) = held_across::<T>() {
        hold.in_parent();
    }
}

/// In the child, in the thread that forked.
extern "C" fn after_fork_in_child<T: AcrossFork>() {
    if let Some(mut hold) = held_across::<T>() {
        hold.in_child();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{RecvTimeoutError, channel};
    use std::thread;
    use std::time::Duration;

    use super::*;

    struct Fresh;

    static FRESH: Guarded<Fresh> = Guarded::new(Fresh);

    thread_local! {
        static THREAD: ThreadState<Fresh> = const { ThreadState::new() };
    }

    impl AcrossFork for Fresh {
        fn guarded() -> &'static Guarded<Self> {
            &FRESH
        }

        fn with_thread<R>(what: impl FnOnce(&ThreadState<Self>) -> R) -> R {
            THREAD.with(what)
        }

        fn in_child(&mut self) {}
    }

    #[test]
    fn the_first_lock_of_all_waits_for_a_fork_that_has_begun() {
        crate::installs::leave_a_parents_turn();
        let amid_a_fork = Installs::hold();
        let (tell, told) = channel();
        let first = thread::spawn(move || {
            let hold = lock::<Fresh>();
            tell.send(hold.watch_forks()).unwrap();
        });
        // Not a wait for it to happen: time in which it must not.
        let early = told.recv_timeout(Duration::from_millis(50));
        assert_eq!(early, Err(RecvTimeoutError::Timeout));
        drop(amid_a_fork);
        assert_eq!(told.recv_timeout(Duration::from_secs(60)), Ok(Ok(())));
        first.join().unwrap();
    }
}
