//! The raw fork: called once, returns twice.
#![expect(unsafe_code, reason = "the raw fork is an unsafe function")]

use std::mem;
use std::sync::Arc;

use purlin_sync::Deadline;

use crate::children::{Child, Children, children};
use crate::identity::{self, Newborn, Plan};
use crate::limits::FAILED_STATUS;
use crate::streams::HeldStreams;
use crate::sys::{self, lifeline, origin};
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
/// before it returns from here.
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
    let newborn = Newborn::new(own, plan)?;
    let mut line = is_daemon.then(lifeline::line).transpose()?;
    let armed = |pid| line.as_ref().map_or(Ok(()), |line| line.arm(pid));
    // SAFETY: passed on to our caller. The guards above are copied: each side drops its own, and a
    // lock that the forking thread holds is also held by the child's one thread.
    match unsafe { sys::fork::fork(newborn, armed) }? {
        sys::fork::Forked::Child(newborn) => {
            // The parent's list and text, copied; nobody uses them here again, and to give them
            // back would have their pages copied, too.
            mem::forget((turn, name));
            let read = line.as_mut().and_then(lifeline::Line::take_read);
            if read.is_some_and(|read| lifeline::hold(read).is_err()) {
                sys::fork::exit_now(FAILED_STATUS); // a daemon that would outlive its parent
            }
            newborn.begin();
            streams.release_in_child();
            Ok(Started::Child)
        }
        sys::fork::Forked::Parent(forkling) => {
            if let Some(line) = line {
                line.keep();
            }
            Ok(Started::Parent(list.add(name, is_daemon, forkling)))
        }
    }
}

/// The streams, and then a turn: a thread that starts a child while it holds a stream comes to its
/// turn in the same order. Nobody is kept from printing while it is another's turn.
fn streams_and_turn(list: &Children) -> (HeldStreams, Turn<'_>) {
    // Ends: another start has come in between, each time.
    loop {
        let streams = HeldStreams::hold();
        if let Some(turn) = list.start(Deadline::passed()) {
            return (streams, turn);
        }
        drop(streams);
        drop(list.start(Deadline::never()));
    }
}
