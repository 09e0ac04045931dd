//! A meeting point for a fixed number of parties.

use core::cell::RefCell;
use core::fmt;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use core::time::Duration;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use purlin_shm::{Attachment, Carry, Luggage, Name, Object, Place, Segment, Shared};

use crate::deadline::Deadline;
use crate::error::Error;
use crate::limits::PARTIES_MAX;
use crate::words::barrier::{BarrierWords, WORDS_PER_PARTY};
use crate::words::barrier_wait::Action;
use crate::words::inner::InnerWord;

/// A meeting point for a fixed number of parties, processes or threads: nobody passes before all
/// have come, and then all pass, with a number each. It is used again and again.
///
/// A round that cannot be completed is *broken*, for all of its parties alike: one of them gave up,
/// was killed, or called [`abort`](Self::abort). Then every wait fails at once, until somebody
/// calls [`reset`](Self::reset). Parties of one round always agree: all pass, or none does.
///
/// ```
/// # fn main() -> Result<(), purlin_sync::Error> {
/// use purlin_sync::{Barrier, Error};
///
/// let barrier = Barrier::new(2)?;
/// std::thread::scope(|scope| {
///     let other = scope.spawn(|| barrier.wait(None));
///     let mut numbers = [barrier.wait(None), other.join().unwrap()];
///     numbers.sort_by_key(|number| number.unwrap());
///     assert_eq!(numbers, [Ok(0), Ok(1)]);
/// });
/// // Alone, with a limit, which breaks it for everybody:
/// let limit = core::time::Duration::from_millis(1);
/// assert_eq!(barrier.wait(limit), Err(Error::BarrierBroken));
/// assert!(barrier.is_broken());
/// barrier.reset()?;
/// # Ok(()) }
/// ```
///
/// # Weak points
/// * Fairness: a round is made of whoever comes first, where more callers come than there are
///   parties. The others wait for the next.
/// * Signals: [`is_broken`](Self::is_broken) is async-signal-safe, and nothing else.
/// * Fork: the child inherits the handle, and is no party: neither of what a thread of its parent
///   waits for, nor as a member.
/// * Death: a party that has come and dies is missed within a slice by those who wait, or by the
///   next who comes. One that dies before it has come is missed by nobody, unless it is
///   [enrolled](Self::enroll): a limit is the only guard there. The end of a single thread is seen
///   by nobody.
/// * Standing still: a stopped process lives, and counts if it has come. One that is stopped in the
///   few instructions of an arrival or a reset keeps others from arriving: they are told timed-out
///   after their limit, or after a second. Who has come already leaves at its limit.
/// * An action of a later round may run beside one of a broken round that has not returned yet.
/// * Cost: the last to come asks for each of the others whether it lives, which is one system call
///   for each of another process, unless the first came less than [`DEATH_UNSEEN_NANOS`] ago; each
///   arrival looks at two words for each party. With more than nine parties a death can take some
///   slices more to be seen, where those are stopped that came after it.
/// * Time namespaces: parties of several have clocks that differ. Where one came just as long ago
///   as they do, give or take [`DEATH_UNSEEN_NANOS`], and has died, it counts as come.
/// * Time: who stands still for 2^30 rounds between the end of its wait and its return counts for a
///   party of the round that comes then.
///
/// [`DEATH_UNSEEN_NANOS`]: crate::DEATH_UNSEEN_NANOS
pub struct Barrier {
    place: Place<Body>,
    limit: Option<Duration>,
    has_action: bool,
}

/// What a barrier is made with. A number stands for so many parties, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarrierOptions {
    parties: u32,
    limit: Option<Duration>,
    has_action: bool,
}

/// What stands in the segment, and behind it three words for each party.
//
// 0      4      8            12      16            24          32
// | guard| state| has action | zero  | limit, ns   | begun, ns | cells … | members …
//
// What has action and limit say is fixed at creation, and kept in each handle. The rest is written
// by the parties of a round, in turns, so that a barrier of four or less has it on one line.
#[repr(C)]
struct Body {
    guard: InnerWord,
    state: AtomicU32,
    has_action: AtomicU32,
    reserved: AtomicU32,
    limit_nanos: AtomicU64,
    begun_nanos: AtomicU64,
}

const _: () = assert!(size_of::<Body>() == 32 && align_of::<Body>() == 8);
const _: () = assert!(core::mem::offset_of!(Body, state) == 4);
const _: () = assert!(core::mem::offset_of!(Body, limit_nanos) == 16);
const _: () = assert!(core::mem::offset_of!(Body, begun_nanos) == 24);

#[expect(unsafe_code, reason = "a promise about the layout, argued here")]
// SAFETY: `repr(C)`, atomics only, for an inner lock's word is `repr(C)` and one of them; zeros and
// any other bits are valid values of them.
unsafe impl Shared for Body {}

impl Object for Body {
    const KIND: u16 = 11;
    const VERSION: u16 = 2;
    type Row = AtomicU64;
}

/// Stands for no limit.
const NO_LIMIT_NANOS: u64 = u64::MAX;

impl BarrierOptions {
    /// A barrier of so many parties, without an action or a limit.
    #[must_use]
    pub const fn new(parties: u32) -> Self {
        Self { parties, limit: None, has_action: false }
    }

    /// A limit for each wait that names none. One of five centuries or more is the same as none.
    #[must_use]
    pub const fn limit(self, limit: Duration) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Each round has an action, which every party brings along: see [`Barrier::wait_with`].
    #[must_use]
    pub const fn with_action(self) -> Self {
        Self { has_action: true, ..self }
    }

    /// How long the row behind the object is.
    fn row_len(self) -> Result<usize, Error> {
        match self.parties {
            1..=PARTIES_MAX => Ok(self.parties as usize * WORDS_PER_PARTY),
            _ => Err(Error::InvalidArgument),
        }
    }

    fn fill(self, body: &Body) {
        let nanos = self.limit.and_then(|limit| u64::try_from(limit.as_nanos()).ok());
        // Relaxed, both: nobody has the object yet, and its check orders them.
        body.limit_nanos.store(nanos.unwrap_or(NO_LIMIT_NANOS), Relaxed);
        body.has_action.store(self.has_action.into(), Relaxed);
    }
}

impl From<u32> for BarrierOptions {
    fn from(parties: u32) -> Self {
        Self::new(parties)
    }
}

impl Barrier {
    /// Makes a barrier in a segment that this process keeps for such objects: of so many parties,
    /// or with [options](BarrierOptions).
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] for no parties, or more than [`PARTIES_MAX`].
    /// * [`Error::OutOfResources`] when memory, descriptors or the file size limit do not allow it.
    /// * [`Error::Unsupported`] when `/proc` is not mounted.
    ///
    /// [`PARTIES_MAX`]: crate::PARTIES_MAX
    pub fn new(options: impl Into<BarrierOptions>) -> Result<Self, Error> {
        let options = options.into();
        let place = Place::new_with(options.row_len()?, |body, _| options.fill(body))?;
        Self::of(place)
    }

    /// Makes a barrier in `segment`.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] as [`new`](Self::new).
    /// * [`Error::OutOfResources`] when the segment has not room enough: 48 bytes, and 24 more for
    ///   each party, rounded up to 128.
    /// * [`Error::Damaged`] when it was overwritten.
    pub fn new_in(segment: &Segment, options: impl Into<BarrierOptions>) -> Result<Self, Error> {
        let options = options.into();
        let fill = |body: &Body, _: &[AtomicU64]| options.fill(body);
        Self::of(Place::new_in_with(segment, options.row_len()?, fill)?)
    }

    /// Opens the barrier that stands at `offset` of `segment`, as [`offset`](Self::offset) told.
    ///
    /// # Errors
    /// * [`Error::Incompatible`] when another kind of object stands there.
    /// * [`Error::Damaged`] when none does, or it was overwritten.
    pub fn open(segment: &Segment, offset: u64) -> Result<Self, Error> {
        Self::of(Place::open(segment, offset)?)
    }

    /// Makes a barrier that has a name, by which processes of this user find it that are no
    /// relatives. The name stays when all have gone, until it is [unlinked] or [collected].
    ///
    /// # Errors
    /// * [`Error::AlreadyExists`] when the name is taken.
    /// * Those of [`new`](Self::new); [`Error::Unsupported`] also where the machine has no
    ///   `/dev/shm`.
    ///
    /// [unlinked]: purlin_shm::Name::unlink
    /// [collected]: purlin_shm::collect
    pub fn create(name: &Name, options: impl Into<BarrierOptions>) -> Result<Self, Error> {
        let options = options.into();
        let fill = |body: &Body, _: &[AtomicU64]| options.fill(body);
        Self::of(Place::create_with(name, options.row_len()?, fill)?)
    }

    /// Opens the barrier that [`create`](Self::create) made under this name.
    ///
    /// # Errors
    /// * [`Error::NoSuchName`] when there is none; [`Error::PermissionDenied`] when it is another
    ///   user's.
    /// * [`Error::Incompatible`] when the name leads to something else than a barrier,
    ///   [`Error::Damaged`] when it was truncated or overwritten.
    /// * [`Error::TimedOut`] when for a second the name was always just being taken away.
    /// * [`Error::OutOfResources`], [`Error::Unsupported`] as for [`create`](Self::create).
    pub fn open_named(name: &Name) -> Result<Self, Error> {
        Self::of(Place::open_named(name)?)
    }

    /// Waits until all parties have come, and returns this one's number in the round: from 0 on,
    /// and no two have the same. Which party gets which is open.
    ///
    /// If `deadline` passes before all have come, the round is broken for everybody: a limit of
    /// zero is for a party that knows itself to be the last. Without one, the limit holds that the
    /// barrier was made with; a wait at such a barrier that shall not have it names a longer one.
    ///
    /// # Errors
    /// * [`Error::BarrierBroken`] when the barrier is broken, or breaks before all have come: a
    ///   limit passed, this call's or another's; a party was killed that had come, or that is
    ///   enrolled; or somebody called [`abort`](Self::abort) or [`reset`](Self::reset).
    /// * [`Error::TimedOut`] when `deadline` passed before this party could come, for the last
    ///   round's action still runs, for a process stands still that was amid an arrival, or for
    ///   more callers than there are cells have not returned from earlier rounds. This call has
    ///   left no trace.
    /// * [`Error::InvalidArgument`] at a barrier that has an action.
    /// * [`Error::Damaged`] when its words say what cannot be.
    /// * [`Error::OutOfResources`], [`Error::Unsupported`] in a forked child whose first operation
    ///   cannot register it.
    /// * [`Error::System`] when foreign code closed the descriptor by which deaths are seen.
    pub fn wait(&self, deadline: impl Into<Deadline>) -> Result<u32, Error> {
        if self.has_action {
            return Err(Error::InvalidArgument);
        }
        self.words().wait(self.attachment(), self.limited(deadline.into()), None)
    }

    /// The same, at a barrier [made](BarrierOptions::with_action) with an action: the last party to
    /// come runs its own `action` before anybody passes. Each brings the same, and one is run.
    ///
    /// If it fails, the barrier is broken; the party that ran it gets the failure, which is the
    /// inner result, and the others [`Error::BarrierBroken`]. A panic counts as a failure, and goes
    /// on in the party that ran it. While it runs, limits of those who wait break the round; its
    /// own party's does not.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] at a barrier that has no action.
    /// * [`Error::WouldDeadlock`] inside an action of this very barrier.
    /// * [`Error::NotOwner`] in a child that was forked in the action and returned from it: the
    ///   rest is its parent's.
    /// * The others as [`wait`](Self::wait).
    ///
    /// ```
    /// # fn main() -> Result<(), purlin_sync::Error> {
    /// use purlin_sync::{Barrier, BarrierOptions, Error};
    ///
    /// let barrier = Barrier::new(BarrierOptions::new(1).with_action())?;
    /// let mut sum = 0;
    /// let number = barrier.wait_with(None, || Ok::<(), ()>(sum += 1))?;
    /// assert_eq!((number, sum), (Ok(0), 1));
    /// assert_eq!(barrier.wait_with(None, || Err("no more paper"))?, Err("no more paper"));
    /// assert_eq!(barrier.wait_with(None, || Ok::<(), ()>(())), Err(Error::BarrierBroken));
    /// # Ok(()) }
    /// ```
    pub fn wait_with<E>(
        &self,
        deadline: impl Into<Deadline>,
        action: impl FnOnce() -> Result<(), E>,
    ) -> Result<Result<u32, E>, Error> {
        if !self.has_action {
            return Err(Error::InvalidArgument);
        }
        if self.is_in_action() {
            return Err(Error::WouldDeadlock);
        }
        let mut action = Some(action);
        let mut outcome = Ok(Ok(()));
        let mut run = || {
            let _inside = Inside::enter(self);
            // What it leaves behind is the caller's to judge: a panic goes on there.
            let run = || action.take().map_or(Ok(()), |action| action());
            outcome = catch_unwind(AssertUnwindSafe(run));
            matches!(outcome, Ok(Ok(())))
        };
        let run: Action<'_> = &mut run;
        let answer = self.words().wait(self.attachment(), self.limited(deadline.into()), Some(run));
        match outcome {
            Err(panic) => resume_unwind(panic),
            Ok(Err(failure)) => Ok(Err(failure)),
            Ok(Ok(())) => answer.map(Ok),
        }
    }

    /// Breaks the barrier: everybody who waits is told so, and whoever comes, until a
    /// [`reset`](Self::reset). Never waits. A round that was complete before is not touched.
    ///
    /// # Errors
    /// * [`Error::Damaged`] when its words say what cannot be.
    pub fn abort(&self) -> Result<(), Error> {
        self.words().abort()
    }

    /// Makes the barrier whole again, whatever it was. Whoever waits is told that it was broken;
    /// the dead are forgotten, enrolled ones too. Where nobody waits and nothing is broken, nothing
    /// happens. Never waits, but for those amid an arrival, a second at most.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when a process stands still that was amid an arrival or a reset: it
    ///   may have been broken by this.
    /// * [`Error::Damaged`] when its words say what cannot be.
    /// * [`Error::OutOfResources`], [`Error::Unsupported`], [`Error::System`] as of a wait.
    pub fn reset(&self) -> Result<(), Error> {
        self.words().reset(self.attachment())
    }

    /// How many parties a round has.
    #[must_use]
    pub fn parties(&self) -> u32 {
        self.words().parties() as u32 // PARTIES_MAX at most
    }

    /// How many have come to this round, and live. Between two rounds, and while it is broken, that
    /// is 0.
    ///
    /// # Errors
    /// * [`Error::Damaged`] when its words say what cannot be.
    /// * [`Error::OutOfResources`], [`Error::Unsupported`], [`Error::System`] as of a wait.
    pub fn waiting(&self) -> Result<u32, Error> {
        self.words().waiting(self.attachment())
    }

    /// Whether it is broken. Never waits; a death that no party has noticed yet does not show.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.words().is_broken()
    }

    /// Makes this process known to the barrier: from here on its death breaks the round that it is
    /// missed in, wherever it was. As many processes can be enrolled as there are parties; who
    /// enrols twice has to withdraw twice. To drop the process's last handle meanwhile counts as
    /// its death.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] when as many are enrolled; the dead count until a
    ///   [`reset`](Self::reset). Also as of a wait, and so [`Error::Unsupported`].
    pub fn enroll(&self) -> Result<(), Error> {
        self.words().enroll(self.attachment())
    }

    /// Takes back one [`enroll`](Self::enroll) of this process.
    ///
    /// # Errors
    /// * [`Error::NotOwner`] when it is not enrolled, as a forked child never is by its parent.
    pub fn withdraw(&self) -> Result<(), Error> {
        self.words().withdraw(self.attachment())
    }

    /// Where in its segment the barrier is, in bytes: what another process opens it by.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.place.offset()
    }

    /// The segment that the barrier is in.
    #[must_use]
    pub fn segment(&self) -> Segment {
        self.place.segment()
    }

    /// The handle of what stands there, if that is what a barrier can be.
    fn of(place: Place<Body>) -> Result<Self, Error> {
        let row_len = place.row().len();
        let is_whole = row_len > 0 && row_len.is_multiple_of(WORDS_PER_PARTY);
        // Relaxed, both: written before the object's check, which was read before them.
        let (fixed, nanos) = (place.has_action.load(Relaxed), place.limit_nanos.load(Relaxed));
        if !is_whole || row_len > PARTIES_MAX as usize * WORDS_PER_PARTY || fixed > 1 {
            return Err(Error::Damaged);
        }
        let has_action = fixed == 1;
        let limit = (nanos != NO_LIMIT_NANOS).then(|| Duration::from_nanos(nanos));
        Ok(Self { place, limit, has_action })
    }

    fn words(&self) -> BarrierWords<'_> {
        words(&self.place, self.place.row())
    }

    fn limited(&self, deadline: Deadline) -> Deadline {
        match self.limit {
            Some(limit) if deadline == Deadline::never() => limit.into(),
            _ => deadline,
        }
    }

    fn is_in_action(&self) -> bool {
        // Not at a thread's end, when no action can run any more.
        ACTIONS
            .try_with(|actions| actions.borrow().iter().any(|at| at.is_of(self)))
            .unwrap_or(false)
    }

    const fn attachment(&self) -> &Attachment {
        self.place.attachment()
    }
}

const fn words<'a>(body: &'a Body, row: &'a [AtomicU64]) -> BarrierWords<'a> {
    BarrierWords { guard: &body.guard, state: &body.state, begun: &body.begun_nanos, row }
}

thread_local! {
    /// The actions that this thread is amid of, one inside another.
    static ACTIONS: RefCell<Vec<Running>> = const { RefCell::new(Vec::new()) };
}

/// An action that runs: of which barrier, and in which process.
struct Running {
    attachment: Attachment,
    offset: u64,
    token: u32,
}

impl Running {
    /// A child that was forked in the action has another token, and is not amid of it.
    fn is_of(&self, barrier: &Barrier) -> bool {
        self.offset == barrier.offset()
            && self.token == barrier.attachment().token()
            && self.attachment.is_in_same_segment(barrier.attachment())
    }
}

/// The time in which an action runs.
struct Inside;

impl Inside {
    fn enter(barrier: &Barrier) -> Self {
        let attachment = barrier.attachment().clone();
        let (offset, token) = (barrier.offset(), attachment.token());
        let running = Running { attachment, offset, token };
        let _ = ACTIONS.try_with(|actions| actions.borrow_mut().push(running));
        Self
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let last = ACTIONS.try_with(|actions| actions.borrow_mut().pop());
        drop(last); // its segment may go with it, which is no matter for a borrowed list
    }
}

/// What arrives is a handle, and a stranger's: neither a party nor a member.
impl Carry for Barrier {
    fn pack(&self, luggage: &mut Luggage) -> Result<(), purlin_shm::Error> {
        self.place.pack(luggage)
    }

    fn unpack(luggage: &mut Luggage) -> Result<Self, purlin_shm::Error> {
        let place = Place::unpack(luggage)?;
        Self::of(place).map_err(|_| purlin_shm::Error::Damaged)
    }
}

impl Clone for Barrier {
    fn clone(&self) -> Self {
        Self { place: self.place.clone(), ..*self }
    }
}

impl Drop for Barrier {
    fn drop(&mut self) {
        self.place.leave_with_row(|body, row, at| words(body, row).abandon(at));
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Barrier")
            .field("offset", &self.offset())
            .field("parties", &self.parties())
            .field("is_broken", &self.is_broken())
            .finish_non_exhaustive()
    }
}
