//! The flag that callers wait for.
#![expect(unsafe_code, reason = "a promise about the word's layout, argued here")]

use core::fmt;

use purlin_shm::{Carry, Luggage, Name, Object, Place, Segment, Shared};

use crate::deadline::Deadline;
use crate::error::Error;
use crate::words::event::EventWord;
use crate::words::watch::Watch;

/// A flag that processes and threads wait for: it stays set until somebody clears it, and a wait
/// does not use it up.
///
/// Setting it lets everyone go that waits at that moment, as set, even if it is cleared right
/// after. Asking whether it is set is one load; nobody waits for anybody but in [`wait`], and a
/// process that is stopped or killed inside any call holds nobody up.
///
/// A clone is a handle of the same event, in the same process; a forked child has copies of all.
///
/// [`wait`]: Self::wait
///
/// ```
/// # fn main() -> Result<(), purlin_sync::Error> {
/// use core::time::Duration;
/// use purlin_sync::Event;
///
/// let ready = Event::new()?;
/// assert_eq!(ready.wait(Duration::from_millis(1)), Ok(false)); // the limit passed
/// std::thread::scope(|scope| {
///     scope.spawn(|| ready.set()); // or another process
///     assert_eq!(ready.wait(None), Ok(true));
/// });
/// assert!(ready.is_set()); // whoever comes later goes on at once
/// ready.clear();
/// assert!(!ready.is_set());
/// # Ok(()) }
/// ```
///
/// # Weak points
/// * Fairness: a set lets all go; which of them runs first is the scheduler's matter.
/// * Signals: `set`, `clear` and `is_set` are async-signal-safe, also amid a call on the same
///   event; a handler's `wait` may wait for its own thread.
/// * Fork: nothing is different in a child, which needs no descriptor of its own for it.
/// * Death: what was set stays set. Sleepers whose setter was killed before it woke them go on
///   within a slice of 50 ms; a killed waiter leaves nothing behind.
/// * Events are no counters: two sets before a wait let it go once, and a set that another caller
///   clears before anybody waits has been seen by nobody.
/// * Epochs: a waiter that is stopped while the event is set 2^30 times, or a multiple of that, and
///   cleared last, has missed them all.
pub struct Event {
    place: Place<EventWord>,
}

const _: () = assert!(size_of::<EventWord>() == 4 && align_of::<EventWord>() == 4);

// SAFETY: `repr(transparent)` over one atomic integer, of which any bits are a valid value.
unsafe impl Shared for EventWord {}

impl Object for EventWord {
    const KIND: u16 = 8;
    const VERSION: u16 = 1;
    type Row = ();
}

impl Event {
    /// Makes an event, not set, in a segment that this process keeps for such objects.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] when memory, descriptors or the file size limit do not allow it.
    /// * [`Error::Unsupported`] when `/proc` is not mounted.
    pub fn new() -> Result<Self, Error> {
        Ok(Self { place: Place::new()? })
    }

    /// Makes an event, not set, in `segment`.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] when the segment is full.
    /// * [`Error::Damaged`] when it was overwritten.
    pub fn new_in(segment: &Segment) -> Result<Self, Error> {
        Ok(Self { place: Place::new_in(segment)? })
    }

    /// Opens the event that stands at `offset` of `segment`, as [`offset`](Self::offset) told.
    ///
    /// # Errors
    /// * [`Error::Incompatible`] when another kind of object stands there.
    /// * [`Error::Damaged`] when none does.
    pub fn open(segment: &Segment, offset: u64) -> Result<Self, Error> {
        Ok(Self { place: Place::open(segment, offset)? })
    }

    /// Makes an event, not set, that has a name; as [`Lock::create`](crate::Exclusive::create).
    ///
    /// # Errors
    /// * [`Error::AlreadyExists`] when the name is taken.
    /// * Those of [`new`](Self::new); [`Error::Unsupported`] also where the machine has no
    ///   `/dev/shm`.
    pub fn create(name: &Name) -> Result<Self, Error> {
        Ok(Self { place: Place::create(name)? })
    }

    /// Opens the event that [`create`](Self::create) made under this name.
    ///
    /// # Errors
    /// * As [`Lock::open_named`](crate::Exclusive::open_named).
    pub fn open_named(name: &Name) -> Result<Self, Error> {
        Ok(Self { place: Place::open_named(name)? })
    }

    /// Whether the event is set. One load: it waits for nobody, and costs no system call.
    ///
    /// What was written before the set is seen by who is told of it, here and by
    /// [`wait`](Self::wait).
    #[inline]
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.place.is_set()
    }

    /// Sets the event and lets everyone go that waits for it. To set it again changes nothing.
    #[inline]
    pub fn set(&self) {
        self.place.set();
    }

    /// Clears the event: later waits wait again. To clear it again changes nothing.
    ///
    /// What was written before the sets that this takes away is seen after it.
    #[inline]
    pub fn clear(&self) {
        self.place.clear();
    }

    /// Waits until the event is set, or `deadline` passes; answers whether it was set. A set that
    /// is cleared right after counts, if it came during the wait.
    ///
    /// # Errors
    /// * [`Error::System`] when the kernel refuses to let the caller sleep, which it has no reason
    ///   to.
    #[inline]
    #[must_use = "it may also return because the deadline passed"]
    pub fn wait(&self, deadline: impl Into<Deadline>) -> Result<bool, Error> {
        self.place.wait(deadline.into())
    }

    /// A look at the word, for who sleeps on several: none when it is set. It says that somebody
    /// may sleep there, which costs one useless wake.
    #[must_use]
    pub fn watch(&self) -> Option<Watch<'_>> {
        self.place.watch()
    }

    /// Whether it was set since the look, be it cleared again or not.
    #[must_use]
    pub fn was_set_since(&self, watch: &Watch<'_>) -> bool {
        self.place.was_set_since(watch)
    }

    /// Where in its segment the event is, in bytes: what another process opens it by.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.place.offset()
    }

    /// The segment that the event is in.
    #[must_use]
    pub fn segment(&self) -> Segment {
        self.place.segment()
    }
}

impl Carry for Event {
    fn pack(&self, luggage: &mut Luggage) -> Result<(), purlin_shm::Error> {
        self.place.pack(luggage)
    }

    fn unpack(luggage: &mut Luggage) -> Result<Self, purlin_shm::Error> {
        Ok(Self { place: Place::unpack(luggage)? })
    }
}

impl Clone for Event {
    fn clone(&self) -> Self {
        Self { place: self.place.clone() }
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Event")
            .field("offset", &self.offset())
            .field("is_set", &self.is_set())
            .finish_non_exhaustive()
    }
}
