//! The ends of pipes that this process has, and what a fork does to them.
//!
//! A copy of an end in a process that never uses it keeps everybody else from seeing the end of the
//! messages. So a forked child has no copies but of those that were handed over for this fork: the
//! handlers that libc's `fork` runs close the others there. They hold this list's lock across the
//! fork, so that no end is just being made or closed by another thread.

use core::sync::atomic::{
    AtomicI32, AtomicU32,
    Ordering::{AcqRel, Acquire, Relaxed},
};
use std::os::fd::{AsFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::sync::Arc;

use purlin_shm::parts::{AcrossFork, Guarded, ThreadState, lock};
use purlin_sync::parts::thread_number;

use crate::error::Error;
use crate::sys::descriptor::{self, FileId};
use crate::sys::socket;

/// One end: a descriptor that is closed once, when it was given up and nobody is amid a call.
pub(crate) struct End {
    /// -1 once it is closed, or in a child that it was not handed to.
    fd: AtomicI32,
    id: FileId,
    /// How many calls are amid it, and whether it was given up.
    users: AtomicU32,
    /// The thread whose next fork it goes to; 0 for none.
    handed_by: AtomicU32,
}

const CLOSED: u32 = 1 << 31;

impl End {
    /// Takes charge of what `make` makes: of several at once, so that no fork comes in between.
    ///
    /// # Errors
    /// * What `make` answers; [`Error::OutOfResources`].
    pub(crate) fn adopt<const N: usize>(
        make: impl FnOnce() -> Result<[OwnedFd; N], Error>,
    ) -> Result<[Arc<Self>; N], Error> {
        let mut ends = lock::<Ends>();
        ends.watch_forks()?;
        let descriptors = make()?;
        let mut ids = Vec::with_capacity(N);
        for descriptor in &descriptors {
            ids.push(descriptor::file_id(descriptor)?);
        }
        let mut ids = ids.into_iter();
        Ok(descriptors.map(|descriptor| {
            let id = ids.next().unwrap_or_else(|| unreachable!("one for each"));
            ends.add(descriptor, id)
        }))
    }

    /// Begins a call. The descriptor stays open until it ends.
    ///
    /// # Errors
    /// * [`Error::Closed`] when it was given up, or left to a parent.
    #[inline]
    pub(crate) fn enter(&self) -> Result<Use<'_>, Error> {
        // Acquire pairs with the AcqRel in `close`; counted before it is looked at, so that one of
        // the two sees the other.
        let before = self.users.fetch_add(1, Acquire);
        let entered = Use(self);
        let is_open = before & CLOSED == 0 && self.fd.load(Relaxed) >= 0; // Relaxed: see `users`
        if is_open { Ok(entered) } else { Err(Error::Closed) }
    }

    /// Gives it up. Calls that are amid it are told within a slice; the last of them closes it.
    pub(crate) fn close(&self) {
        // AcqRel pairs with the Acquire in `enter` and the AcqRel in `leave`.
        if self.users.fetch_or(CLOSED, AcqRel) == 0 {
            self.release();
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        // Acquire and Relaxed: as in `enter`.
        self.users.load(Acquire) & CLOSED != 0 || self.fd.load(Relaxed) < 0
    }

    /// Has the next fork of this thread keep it.
    pub(crate) fn hand_over(&self) {
        self.handed_by.store(thread_number(), Relaxed); // Relaxed: read by the same thread
    }

    #[inline]
    fn leave(&self) {
        // AcqRel pairs with `close` and with the other leavers: the last one closes.
        if self.users.fetch_sub(1, AcqRel) == CLOSED | 1 {
            self.release();
        }
    }

    #[cold]
    fn release(&self) {
        let mut ends = lock::<Ends>();
        self.close_now();
        ends.list.retain(|end| !core::ptr::eq(Arc::as_ptr(end), self));
    }

    /// Under the list's lock. To close it again does nothing.
    fn close_now(&self) {
        let fd = self.fd.swap(-1, Relaxed); // Relaxed, here and below: under the list's lock
        descriptor::close_if(fd, self.id);
    }

    /// In a forked child. Calls of the parent's other threads are not amid it here.
    fn settle_in_child(&self, forked_by: u32) {
        let was_handed_by = self.handed_by.swap(0, Relaxed); // Relaxed: one thread is left
        let state = self.users.load(Relaxed) & CLOSED; // Relaxed: as above
        self.users.store(state, Relaxed); // Relaxed: as above
        let is_handed = was_handed_by == forked_by && was_handed_by != 0;
        if !is_handed || state == CLOSED {
            self.close_now();
        }
    }
}

/// A call that is amid an end.
pub(crate) struct Use<'a>(&'a End);

impl Use<'_> {
    /// Whether the end was given up since the call began.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

impl AsFd for Use<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // Relaxed: it was open when the call began, and is not closed before it ends.
        let fd = descriptor::borrow(self.0.fd.load(Relaxed));
        fd.unwrap_or_else(|| unreachable!("open as long as it is used"))
    }
}

impl Drop for Use<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// Descriptors that a message takes along, among them perhaps ends: as long as it is on its way out
/// these are nobody's in a forked child. Closed when this is dropped.
#[derive(Default)]
pub(super) struct Along(Vec<Taken>);

/// An end is a socket. What is anything else, a file for instance, is not to be looked at under the
/// lock, where that may take its time.
enum Taken {
    Socket(Arc<End>),
    Other(OwnedFd),
}

/// One of them, as long as it is sent.
pub(super) enum Lent<'a> {
    Socket(Use<'a>),
    Other(BorrowedFd<'a>),
}

impl AsFd for Lent<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Socket(end) => end.as_fd(),
            Self::Other(descriptor) => *descriptor,
        }
    }
}

impl Along {
    /// Takes charge of them.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`].
    pub(super) fn adopt(descriptors: Vec<OwnedFd>) -> Result<Self, Error> {
        let mut along = Self::default(); // goes after the lock, which it takes
        let is_socket = |descriptor: &OwnedFd| socket::is_one(descriptor.as_fd());
        if !descriptors.iter().any(is_socket) {
            along.0.extend(descriptors.into_iter().map(Taken::Other));
            return Ok(along);
        }
        let mut ends = lock::<Ends>();
        ends.watch_forks()?;
        for descriptor in descriptors {
            along.0.push(if is_socket(&descriptor) {
                let id = descriptor::file_id(&descriptor)?;
                Taken::Socket(ends.add(descriptor, id))
            } else {
                Taken::Other(descriptor)
            });
        }
        Ok(along)
    }

    /// To be sent.
    ///
    /// # Errors
    /// * [`Error::Closed`] in a forked child.
    pub(super) fn enter(&self) -> Result<Vec<Lent<'_>>, Error> {
        self.0.iter().map(Taken::enter).collect()
    }
}

impl Taken {
    fn enter(&self) -> Result<Lent<'_>, Error> {
        match self {
            Self::Socket(end) => Ok(Lent::Socket(end.enter()?)),
            Self::Other(descriptor) => Ok(Lent::Other(descriptor.as_fd())),
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if let Self::Socket(end) = self {
            end.close();
        }
    }
}

/// All ends that are open here.
struct Ends {
    list: Vec<Arc<End>>,
}

impl Ends {
    fn add(&mut self, descriptor: OwnedFd, id: FileId) -> Arc<End> {
        let end = Arc::new(End {
            fd: AtomicI32::new(descriptor.into_raw_fd()),
            id,
            users: AtomicU32::new(0),
            handed_by: AtomicU32::new(0),
        });
        self.list.push(Arc::clone(&end));
        end
    }
}

static ENDS: Guarded<Ends> = Guarded::new(Ends { list: Vec::new() });

thread_local! {
    static THREAD: ThreadState<Ends> = const { ThreadState::new() };
}

impl AcrossFork for Ends {
    fn guarded() -> &'static Guarded<Self> {
        &ENDS
    }

    fn with_thread<R>(what: impl FnOnce(&ThreadState<Self>) -> R) -> R {
        THREAD.with(what)
    }

    /// What was handed over, was so once.
    fn in_parent(&mut self) {
        let me = thread_number();
        for end in &self.list {
            // Relaxed, both, also when it fails: only this thread writes its own name.
            let _ = end.handed_by.compare_exchange(me, 0, Relaxed, Relaxed);
        }
    }

    fn in_child(&mut self) {
        let me = thread_number();
        for end in &self.list {
            end.settle_in_child(me);
        }
    }
}
