//! Which process is this: the one that made a thing, or a forked copy of it?
//!
//! A number is not enough: the copy of a container's first process in a new pid namespace has its
//! maker's pid, 1. So a fork handler counts the generations, for every fork made through libc; a
//! raw `clone(2)` in foreign code does not run it, and there the pid tells the two apart.
#![expect(unsafe_code, reason = "the fork handler, and a pointer to what each process makes anew")]

use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU64, Ordering};

use rustix::process::getpid;

use crate::Error;

static GENERATION: AtomicU64 = AtomicU64::new(0);
static HANDLER_SET: AtomicBool = AtomicBool::new(false);

/// One process, told apart from all that were forked from it and that it was forked from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    pid: i32,
    generation: u64,
}

impl Origin {
    /// Stands for the process that a value was put into, which is noted beside it.
    const PLACED: Self = Self { pid: 0, generation: 0 };

    /// The calling process.
    #[must_use]
    pub fn current() -> Self {
        // Relaxed: written only by the one thread of a new child, before anything else runs there.
        Self { pid: own_pid(), generation: GENERATION.load(Ordering::Relaxed) }
    }

    /// Whether this process was forked from another that had set the fork handler.
    #[must_use]
    pub fn is_forked(self) -> bool {
        self.generation != 0
    }

    /// Whether the caller is this process. Forks are only all seen once [`watch_forks`] was called.
    #[must_use]
    pub fn is_current(self) -> bool {
        self == Self::current()
    }

    /// The same without a system call: also what came of it by a raw `clone(2)` is taken for it.
    #[must_use]
    pub fn is_unforked(self) -> bool {
        self.generation == GENERATION.load(Ordering::Relaxed) // Relaxed: as in `current`
    }
}

/// The number of the calling process.
pub(crate) fn own_pid() -> i32 {
    getpid().as_raw_pid()
}

/// Whether the calling process was forked, since a fork handler was set, and not executed.
pub(crate) fn is_copy() -> bool {
    // Relaxed: as in `Origin::current`.
    GENERATION.load(Ordering::Relaxed) != 0
}

/// Sets the fork handler, once. Two threads that both find it missing set it twice, which counts a
/// fork as two generations and does no harm; a lock instead could be held while another forks.
///
/// # Errors
/// * [`Error::System`] and [`Error::OutOfResources`] when libc has no memory for it.
pub fn watch_forks() -> Result<(), Error> {
    // Relaxed: the flag guards no data, and to miss it is harmless.
    if HANDLER_SET.load(Ordering::Relaxed) {
        return Ok(());
    }
    // SAFETY: the handler is a function of this program that does atomic operations and makes a few
    // system calls, which is allowed in a forked child; it stays loaded as long as this code does.
    match unsafe { libc::pthread_atfork(None, None, Some(begin_copy)) } {
        0 => {}
        errno => return Err(rustix::io::Errno::from_raw_os_error(errno).into()),
    }
    // Relaxed: as above.
    HANDLER_SET.store(true, Ordering::Relaxed);
    Ok(())
}

/// Runs in every child that libc's fork makes, before anything else does.
extern "C" fn begin_copy() {
    // Relaxed: the child has one thread.
    GENERATION.fetch_add(1, Ordering::Relaxed);
    super::lifeline::close_copy();
}

/// A value that every process has for itself: a forked child makes its own, and its parent's copy
/// (whose locks may be held by threads that are gone) is neither touched nor freed. Forks are only
/// all seen once [`watch_forks`] was called.
pub struct PerProcess<T: 'static> {
    current: AtomicPtr<(Origin, T)>,
    /// Whose value it is where that was [put](Self::put): a new child writes this down here, where
    /// it writes anyway, and not beside the value, in a page that would have to be copied for it.
    placed_pid: AtomicI32,
    placed_generation: AtomicU64,
}

impl<T: Sync + Send> PerProcess<T> {
    /// No value yet.
    #[expect(clippy::new_without_default, reason = "it stands in a static")]
    pub const fn new() -> Self {
        Self {
            current: AtomicPtr::new(ptr::null_mut()),
            placed_pid: AtomicI32::new(0),
            placed_generation: AtomicU64::new(0),
        }
    }

    /// This process's value, if it has made one.
    pub fn existing(&self) -> Option<&'static T> {
        // Acquire pairs with the Release of the exchange in `get_as`, and of `put`: the value is
        // seen whole.
        let seen = self.current.load(Ordering::Acquire);
        // SAFETY: the pointer is null or came from `Box::into_raw`, in `get_after` or in `put`, and
        // what was published is never freed or changed.
        let (made_in, value) = unsafe { seen.as_ref() }?;
        self.is_of(*made_in, Origin::current()).then_some(value)
    }

    /// This process's value, made by `make` if there is none yet.
    pub fn get(&self, make: impl Fn() -> T) -> &'static T {
        self.get_after(|_| make())
    }

    /// The same; `make` sees the value of the process that this one is a copy of, if that had one.
    pub(crate) fn get_after(&self, make: impl Fn(Option<&'static T>) -> T) -> &'static T {
        self.get_as(Origin::current(), make)
    }

    /// The same for who knows already which process this is.
    pub(crate) fn get_as(
        &self,
        origin: Origin,
        make: impl Fn(Option<&'static T>) -> T,
    ) -> &'static T {
        // Acquire pairs with the Release of the exchange below, and of `put`: the value is seen
        // whole.
        let mut seen = self.current.load(Ordering::Acquire);
        loop {
            // SAFETY: the pointer is null or came from `Box::into_raw`, here or in `put`, and what
            // was published is never freed or changed.
            let before = unsafe { seen.as_ref() };
            if let Some((made_in, value)) = before
                && self.is_of(*made_in, origin)
            {
                return value;
            }
            let copied = before.map(|(_, value)| value);
            let fresh = Box::into_raw(Box::new((origin, make(copied))));
            // AcqRel: Release publishes the new value, for the Acquire of the load above and of a
            // failed exchange, which sees the value that another thread published.
            match self.current.compare_exchange(seen, fresh, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => seen = fresh,
                Err(other) => {
                    // SAFETY: `fresh` came from `Box::into_raw` and was not published.
                    drop(unsafe { Box::from_raw(fresh) });
                    seen = other;
                }
            }
            // Ends: a published value of this process is only replaced by another of it.
        }
    }

    /// Makes a value this process's, in place of what it had, which stays where it is. Once in a
    /// process, as it begins: what was put before is its parent's.
    pub(crate) fn put(&self, prepared: Prepared<T>) {
        let origin = Origin::current();
        // Relaxed, both: the store below publishes them, and nothing that is current here yet was
        // put, so that nobody looks at them before.
        self.placed_pid.store(origin.pid, Ordering::Relaxed);
        self.placed_generation.store(origin.generation, Ordering::Relaxed);
        let fresh = Box::into_raw(prepared.0);
        // Release pairs with the Acquire in `get_as` and in `existing`: the value is seen whole,
        // and whose it is.
        self.current.store(fresh, Ordering::Release);
    }

    fn is_of(&self, made_in: Origin, process: Origin) -> bool {
        if made_in != Origin::PLACED {
            return made_in == process;
        }
        // Relaxed, both: the Acquire by which the value was found pairs with the Release in `put`.
        let pid = self.placed_pid.load(Ordering::Relaxed);
        let generation = self.placed_generation.load(Ordering::Relaxed);
        Origin { pid, generation } == process
    }
}

/// A value that was made before the process whose value it is to be: a child that was just forked
/// writes to as little memory as it can, for each page of it has to be copied.
pub(crate) struct Prepared<T>(Box<(Origin, T)>);

impl<T> Prepared<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Box::new((Origin::PLACED, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ExitCode, ExitStatus, Process};

    #[test]
    fn a_forked_child_makes_its_own_value() {
        static VALUE: PerProcess<i32> = PerProcess::new();
        assert_eq!((*VALUE.get(|| 1), *VALUE.get(|| 2)), (1, 1));
        let child =
            Process::fork("maker", || ExitCode(*VALUE.get(|| 3) + *VALUE.get(|| 4))).unwrap();
        assert_eq!(child.join(std::time::Duration::from_secs(60)), Ok(ExitStatus::Code(6)));
        assert_eq!(*VALUE.get(|| 5), 1);
    }

    #[test]
    fn a_forked_child_is_not_its_parent_although_the_number_were_the_same() {
        let parent = Origin::current();
        let is_other = || ExitCode(i32::from(!parent.is_current() && !parent.is_unforked()));
        let child = Process::fork("other", is_other).unwrap();
        assert_eq!(child.join(std::time::Duration::from_secs(60)), Ok(ExitStatus::Code(1)));
        assert!(parent.is_current() && parent.is_unforked());
    }
}
