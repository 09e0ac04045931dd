//! The raw fork: called once, returns twice.
#![expect(unsafe_code, reason = "the raw fork is an unsafe function")]

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::{mem, ptr};

use purlin_sync::Deadline;

use crate::children::{Child, Children, children};
use crate::identity::{self, Identity, Newborn, Plan};
use crate::limits::{FAILED_STATUS, FORK_EACH_MAX};
use crate::streams::HeldStreams;
use crate::sys::fork::Forkling;
use crate::sys::{self, lifeline, origin, pidfd};
use crate::turns::Turn;
use crate::{Error, Process};

/// Which of the two processes returned from [`fork`].
#[derive(Debug)]
#[must_use = "both processes go on from here; only this tells them apart"]
pub enum Fork {
    /// This is the child. Its children list is empty, and every handle of its parent's children
    /// answers [`Error::NotTheParent`].
    Child,
    /// This is the parent, and here is its child, named by a number.
    Parent(Process),
}

/// What [`start`] leaves on each side.
pub(crate) enum Started {
    Child,
    Parent(Arc<Child>),
}

/// Forks: returns in the calling process and in a copy of it, which has this one thread.
///
/// Standard output is written out before, and the parent holds a descriptor of the child before the
/// child returns. Prefer [`Process::fork`], whose child cannot run on into code that was meant for
/// its parent.
///
/// # Safety
/// * The child does not go on as a second parent: no destructor that acts on something both share
///   (a temporary file, a connection) runs twice, and no frame waits for a thread that only the
///   parent has (as `std::thread::scope` does). It ends by [`exit`](crate::exit), not by returning
///   from `main`, which would run the parent's exit handlers.
/// * If the program has other threads, the child takes no lock that one of them may have held, for
///   it stays held: locks of the program, of loggers, of `std::io::stdin`, of a backtrace. Nor does
///   it start threads by `std::thread`, which takes a lock of the whole process as one begins and
///   as it ends, but by [`thread`](crate::thread). Nor does it set variables of the environment.
///
/// The child may, also beside other threads: use atomics, its own memory, the allocator, the
/// locks and streams that only it has touched, descriptors, `println!`, and this crate.
///
/// Not asked: that the program has one thread, or that nothing is buffered.
///
/// The child has a numbered name and its parent's key, and is no daemon; a daemon may not fork by
/// this call either.
///
/// # Errors
/// * [`Error::DaemonMayNotHaveChildren`] in a daemon.
/// * [`Error::OutOfResources`] without processes, descriptors or memory; no child is left.
/// * [`Error::PermissionDenied`], [`Error::Unsupported`] and [`Error::System`] as the system says;
///   no child is left either.
///
/// # Example
/// See [`exit`](crate::exit).
pub unsafe fn fork() -> Result<Fork, Error> {
    let plan = Plan { is_daemon: false, ..Plan::new() };
    // SAFETY: what `start` asks of its child is the second condition of ours.
    match unsafe { start(plan) }? {
        Started::Child => Ok(Fork::Child),
        Started::Parent(child) => Ok(Fork::Parent(Process::adopt(child))),
    }
}

/// Forks between held streams and adds the child to the list. The child is what the plan says
/// before it returns from here. One child does not go the way of several, whose lists would cost it
/// a fiftieth.
///
/// # Safety
/// * As for [`sys::fork::fork`].
pub(crate) unsafe fn start(plan: Plan) -> Result<Started, Error> {
    let own = identity::own();
    Plan::check(own)?;
    origin::watch_forks()?;
    let list = children();
    let (streams, turn) = streams_and_turn(list);
    let (name, is_daemon) = (plan.name.clone(), plan.is_daemon);
    let (pid, parent) = pidfd::open_own()?;
    let parent = Arc::new(parent);
    let only = Only { newborn: Newborn::new(own, pid, &parent, plan)?, parent };
    // SAFETY: passed on to our caller; the rest as in `start_each`.
    match unsafe { fork_next(only, is_daemon, || Ok::<_, Error>(())) }? {
        Next::Child(Only { newborn, parent }, ()) => {
            mem::forget((parent, turn, name)); // as there
            newborn.begin();
            streams.release_in_child();
            Ok(Started::Child)
        }
        Next::Parent(forkling) => Ok(Started::Parent(list.add(name, is_daemon, forkling))),
    }
}

/// What one child will know of itself, and the descriptor by which it knows its parent. Both are
/// the child's alone: the parent frees a descriptor behind the fork, which the child's own needs.
struct Only {
    newborn: Newborn,
    parent: Arc<OwnedFd>,
}

impl AsFd for Only {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.parent.as_fd()
    }
}

/// What [`start_each`] leaves on each side.
pub(crate) enum StartedEach<T, E> {
    /// The one of this number, with what was given to it.
    Child(usize, T),
    /// Those that were started, and why the next one was not.
    Parent(Vec<Arc<Child>>, Result<(), E>),
}

/// As [`start`], of up to [`FORK_EACH_MAX`] children, one after the other: each is let run before
/// the next is forked. What is given to one is made right before its fork, so that the next ones
/// have none of it, and dropped in the parent behind it.
///
/// Between two forks the parent writes to as little memory as it can, and to none of the heap if
/// `give` does not: for each page that it does, a copy is made.
///
/// # Safety
/// * As for [`sys::fork::fork`].
pub(crate) unsafe fn start_each<T, E: From<Error>>(
    plans: Vec<Plan>,
    mut give: impl FnMut(usize) -> Result<T, E>,
) -> Result<StartedEach<T, E>, Error> {
    let own = identity::own();
    Plan::check(own)?;
    origin::watch_forks()?;
    let list = children();
    let (streams, turn) = streams_and_turn(list);
    let names: Vec<_> = plans.iter().map(|plan| (plan.name.clone(), plan.is_daemon)).collect();
    let mut family = Some(Family::new(own, plans)?);
    let mut forklings = [const { None }; FORK_EACH_MAX];
    let mut answer = Ok(());
    for (index, (_, is_daemon)) in names.iter().enumerate() {
        let is_last = index + 1 == names.len();
        let given =
            if is_last { family.take().map(Given::Last) } else { family.as_ref().map(Given::Lent) };
        let Some(given) = given else { break };
        // SAFETY: passed on to our caller. The guards above are copied: each side drops its own,
        // and a lock that the forking thread holds is also held by the child's one thread.
        match unsafe { fork_next(given, *is_daemon, || give(index)) } {
            Ok(Next::Child(given, theirs)) => {
                // SAFETY: It is read once, for what it is in is forgotten.
                let newborn = unsafe { given.newborn(index) };
                // The parent's list, texts and children, copied; nobody uses them here again, and
                // to give them back would have their pages copied, too.
                mem::forget((given, turn, forklings));
                mem::forget((family, names));
                newborn.begin();
                streams.release_in_child();
                return Ok(StartedEach::Child(index, theirs));
            }
            Ok(Next::Parent(next)) => forklings[index] = Some(next),
            Err(error) => {
                answer = Err(error);
                break;
            }
        }
    }
    drop(streams);
    let started = names.into_iter().zip(forklings.into_iter().flatten());
    let add = |((name, is_daemon), forkling)| list.add(name, is_daemon, forkling);
    Ok(StartedEach::Parent(started.map(add).collect(), answer))
}

/// What children that are started at a time will know of themselves, and the descriptor by which
/// they know their parent.
struct Family {
    parent: Arc<OwnedFd>,
    newborns: Vec<Newborn>,
}

impl Family {
    fn new(own: &Identity, plans: Vec<Plan>) -> Result<Self, Error> {
        let (pid, parent) = pidfd::open_own()?;
        let parent = Arc::new(parent);
        let newborn = |plan| Newborn::new(own, pid, &parent, plan);
        let newborns = plans.into_iter().map(newborn).collect::<Result<_, Error>>()?;
        Ok(Self { parent, newborns })
    }
}

/// The last child has all of it, so that the parent frees a descriptor behind the fork, which the
/// one of that child will need.
enum Given<'a> {
    Lent(&'a Family),
    Last(Family),
}

impl Given<'_> {
    fn family(&self) -> &Family {
        match self {
            Self::Lent(family) => family,
            Self::Last(family) => family,
        }
    }

    /// In a child: what it will know of itself, where it lies. To take it out would have a page
    /// copied.
    ///
    /// # Safety
    /// * It is called once, and the family is forgotten, not dropped.
    unsafe fn newborn(&self, index: usize) -> Newborn {
        // SAFETY: The reference is valid, and the value is used here alone, as our caller promises.
        unsafe { ptr::read(&raw const self.family().newborns[index]) }
    }
}

impl AsFd for Given<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.family().parent.as_fd()
    }
}

/// What [`fork_next`] leaves on each side.
enum Next<G, T> {
    Child(G, T),
    Parent(Forkling),
}

/// Forks one child, perhaps of several, which has its hold on the lifeline, if it is a daemon.
///
/// # Safety
/// * As for [`sys::fork::fork`].
unsafe fn fork_next<G: AsFd, T, E: From<Error>>(
    given: G,
    is_daemon: bool,
    give: impl FnOnce() -> Result<T, E>,
) -> Result<Next<G, T>, E> {
    let theirs = give()?;
    let mut line = is_daemon.then(lifeline::line).transpose()?;
    let armed = |pid| line.as_ref().map_or(Ok(()), |line| line.arm(pid));
    // SAFETY: passed on to our caller.
    match unsafe { sys::fork::fork(given, armed) }? {
        sys::fork::Forked::Child(given) => {
            let read = line.as_mut().and_then(lifeline::Line::take_read);
            if read.is_some_and(|read| lifeline::hold(read).is_err()) {
                sys::fork::exit_now(FAILED_STATUS); // a daemon that would outlive its parent
            }
            Ok(Next::Child(given, theirs))
        }
        sys::fork::Forked::Parent(forkling) => {
            if let Some(line) = line {
                line.keep();
            }
            Ok(Next::Parent(forkling))
        }
    }
}

/// The streams, and then a turn: a thread that starts a child while it holds a stream comes to its
/// turn in the same order. Nobody is kept from printing while it is another's turn.
fn streams_and_turn(list: &Children) -> (HeldStreams, Turn<'_>) {
    // Ends: another start, or somebody who just waited for one, has come in between each time.
    loop {
        let streams = HeldStreams::hold();
        if let Some(turn) = list.start(Deadline::passed()) {
            return (streams, turn);
        }
        drop(streams);
        drop(list.start(Deadline::never()));
    }
}
