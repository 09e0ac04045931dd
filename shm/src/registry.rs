//! Which segments this process is registered in, and what a fork does to that.
//!
//! Two mappings of one segment share one registration, hence one token: else a process would be a
//! stranger to itself. The registry is keyed by device and inode; the open private description
//! keeps the inode from being given to another file meanwhile.
//!
//! A child made by libc's `fork` must not keep its parent's private descriptions open, or the
//! parent would look alive through them. The handlers close them. `fork` holds the registry's lock
//! across the call, so that the child finds it whole and free, whatever other threads were doing.

use core::sync::atomic::{
    AtomicI32, AtomicU32,
    Ordering::{Relaxed, Release},
};
use std::os::fd::{AsFd, AsRawFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::{Arc, Weak};

use rustix::io::Errno;

use crate::across_fork::{self, AcrossFork, Guarded, ThreadState};
use crate::attachment::Inner;
use crate::error::Error;
use crate::header::{Header, SLOTS_OFFSET};
use crate::mapping::Mapping;
use crate::page::ProcessPage;
use crate::slot::{Probe, SlotTable};
use crate::sys::descriptor::{self, FileId};

/// This process in one segment: the segment's descriptor, the private one, the token.
pub(crate) struct Registration {
    id: FileId,
    segment: OwnedFd,
    private: Arc<PrivateFd>,
    page: ProcessPage,
}

impl Registration {
    /// This process's registration in the segment behind `segment`, made new if it has none. The
    /// token comes with [`register`](Self::register).
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] when there is no memory for its page, or no descriptor.
    pub(crate) fn join(segment: OwnedFd, size_bytes: u64) -> Result<Arc<Self>, Error> {
        let id = descriptor::file_id(&segment)?;
        let mut registry = lock();
        registry.watch_forks()?;
        if let Some(known) = registry.find(id) {
            return Ok(known);
        }
        let private = Arc::new(PrivateFd(AtomicI32::new(-1)));
        let page = ProcessPage::new(size_bytes)?;
        let segment = descriptor::settle(segment)?;
        let new = Arc::new(Self { id, segment, private: Arc::clone(&private), page });
        registry.entries.push(Entry { id, private, registration: Arc::downgrade(&new) });
        Ok(new)
    }

    /// Gives this process its token (steps S1 to S5); the one that it has, if it has one.
    ///
    /// # Errors
    /// * [`Error::Unsupported`] without `/proc`; [`Error::OutOfResources`] without descriptors or
    ///   slots.
    pub(crate) fn register(&self, mapping: &Mapping) -> Result<u32, Error> {
        let _registry = lock();
        // Relaxed, here and below: read and written under the registry's lock.
        let token = self.token().load(Relaxed);
        if token != 0 {
            return Ok(token);
        }
        self.private.close(self.id); // what a raw clone inherited from its parent
        let private = descriptor::reopen(self.segment.as_fd(), self.id)?.into_raw_fd(); // S1
        self.private.0.store(private, Relaxed);
        let header = mapping.view::<Header>(0)?;
        let slots = mapping.view::<SlotTable>(SLOTS_OFFSET)?;
        let answer = slots.register(&header.cursor, private); // S2 to S4
        match answer {
            // S5. Release pairs with the Acquire in `token_or_register`: who sees the token sees
            // the private descriptor's number.
            Ok(token) => self.token().store(token, Release),
            Err(_) => self.private.close(self.id),
        }
        answer
    }

    /// The place of the token, 0 before it is there.
    pub(crate) fn token(&self) -> &AtomicU32 {
        self.page.first()
    }

    pub(crate) fn page(&self) -> &ProcessPage {
        &self.page
    }

    pub(crate) fn segment(&self) -> &OwnedFd {
        &self.segment
    }

    /// The segment's descriptor, if it still leads there.
    ///
    /// # Errors
    /// * [`Error::System`] (EBADF) when foreign code closed it.
    pub(crate) fn own_segment(&self) -> Result<&OwnedFd, Error> {
        match descriptor::leads_to(self.segment.as_raw_fd(), self.id) {
            true => Ok(&self.segment),
            false => Err(Errno::BADF.into()),
        }
    }

    /// What a look at somebody else's life needs.
    pub(crate) fn probe(&self) -> Probe {
        // Relaxed: written by this thread's own `register`, or before the token that this thread
        // got from `token_or_register`.
        Probe { private: self.private.0.load(Relaxed), segment: self.id }
    }
}

impl Drop for Registration {
    /// Detaches: closes the private description, and never unlocks it, for an unlock through a
    /// forked child's copy would release the parent's lock as well.
    fn drop(&mut self) {
        let mut registry = lock();
        registry.entries.retain(|entry| !Arc::ptr_eq(&entry.private, &self.private));
        self.private.close(self.id);
    }
}

/// The number of a private descriptor, -1 for none. Two see it: its registration, and the handler
/// that runs in a forked child.
struct PrivateFd(AtomicI32);

impl PrivateFd {
    fn close(&self, id: FileId) {
        // Relaxed: written and closed under the registry's lock.
        let fd: RawFd = self.0.swap(-1, Relaxed);
        descriptor::close_if(fd, id);
    }
}

/// All registrations of this process, and the segment that `new()` draws on.
pub(crate) struct Registry {
    entries: Vec<Entry>,
    /// The current chunk; it goes when nobody but this field knows it any more.
    pub(crate) chunk: Weak<Inner>,
}

struct Entry {
    id: FileId,
    private: Arc<PrivateFd>,
    registration: Weak<Registration>,
}

impl Registry {
    fn find(&self, id: FileId) -> Option<Arc<Registration>> {
        let entry = self.entries.iter().find(|entry| entry.id == id && entry.is_live())?;
        entry.registration.upgrade()
    }
}

impl Entry {
    /// One that is being dropped stays in the list until its turn at the lock comes.
    fn is_live(&self) -> bool {
        self.registration.strong_count() > 0
    }
}

/// The registry's lock.
pub(crate) type Hold = across_fork::Hold<Registry>;

/// Takes the registry's lock.
pub(crate) fn lock() -> Hold {
    across_fork::lock()
}

static REGISTRY: Guarded<Registry> =
    Guarded::new(Registry { entries: Vec::new(), chunk: Weak::new() });

thread_local! {
    static THREAD: ThreadState<Registry> = const { ThreadState::new() };
}

impl AcrossFork for Registry {
    fn guarded() -> &'static Guarded<Self> {
        &REGISTRY
    }

    fn with_thread<R>(what: impl FnOnce(&ThreadState<Self>) -> R) -> R {
        THREAD.with(what)
    }

    /// Closes what would keep the parent alive in everybody's eyes.
    fn in_child(&mut self) {
        for entry in &self.entries {
            entry.private.close(entry.id);
        }
    }
}
