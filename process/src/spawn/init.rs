//! The first thing in `main`: becomes the child, in a process that was spawned as one.

use std::os::fd::{AsFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::{io, mem};

use purlin_sync::Deadline;

use super::task::{Life, Task};
use super::{HELLO, Letter, MARK, Parcel};
use crate::child::ExitOnUnwind;
use crate::identity::{self, Identity, ParentRecord, Plan};
use crate::key::Key;
use crate::limits::{
    FAILED_STATUS, HANDOVER_DESCRIPTOR_MAX, HELLO_LIMIT, JOIN_SLICE, OWN_DESCRIPTOR_MAX,
    PANICKED_STATUS,
};
use crate::sys::standard_input::{self, Parent};
use crate::sys::{environment, lifeline, message, program, thread};
use crate::{Error, child, streams};

/// What a letter may bring.
const DESCRIPTOR_MAX: usize = HANDOVER_DESCRIPTOR_MAX + OWN_DESCRIPTOR_MAX;

/// Whether this program calls [`init`]; one that does not cannot have spawned children.
static IS_INITIALIZED: AtomicBool = AtomicBool::new(false);

/// Call this first thing in `main` of a program that spawns: in a process that was spawned it runs
/// the child's function and never returns; in any other it returns at once.
///
/// A spawned child is this program executed anew. What `main` would do before this call, a child
/// does too; what it would do after, only the first process does.
///
/// ```standalone_crate
/// use purlin_process::{ExitCode, ExitStatus, Process};
///
/// fn main() -> Result<(), purlin_process::Error> {
///     purlin_process::init();
///     let add = |(a, b): (i32, i32), ()| ExitCode(a + b);
///     let child = Process::spawn("adder", add, (40, 2), ())?;
///     assert_eq!(child.join(None)?, ExitStatus::Code(42));
///     Ok(())
/// }
/// ```
///
/// # Weak points
/// * Tests: the test harness has a `main` of its own. Tests that spawn have `harness = false`.
/// * Threads: in a spawned child it changes the environment, which is only sound while there is one
///   thread; where there are several already, the variable `PURLIN_SPAWNED` stays.
/// * Who asks [`current`](crate::current) before this call is told of the main program.
/// * A child closes the descriptors that it inherited and that are not closed on exec, but for the
///   standard ones.
pub fn init() {
    program::locate();
    // Relaxed: one flag, read by threads that this one starts, or that know of it otherwise.
    IS_INITIALIZED.store(true, Relaxed);
    let Some(mark) = std::env::var_os(MARK) else { return };
    if thread::is_only() {
        environment::remove(MARK);
    }
    // A descendant that inherited the variable by way of a foreign program is no child of ours.
    if mark.to_str().is_some_and(|mark| standard_input::mark().as_deref() == Some(mark)) {
        be_child();
    }
}

/// Whether [`init`] was called in this process, or in one that it was forked from.
pub(super) fn is_initialized() -> bool {
    // Relaxed: as for the store in `init`.
    IS_INITIALIZED.load(Relaxed)
}

fn be_child() -> ! {
    let _no_way_back = ExitOnUnwind;
    // Anything but an answer is the end of the parent, or of the way to it; it knows or is gone.
    let Ok(socket) = standard_input::take() else { child::end_program(FAILED_STATUS) };
    let letter = greet(&socket);
    drop(socket);
    let Ok((letter, descriptors)) = letter else { child::end_program(FAILED_STATUS) };
    let name = letter.name.clone();
    // What is carried and what the arguments are is the user's, and so is how they are rebuilt.
    let prepared = catch_unwind(AssertUnwindSafe(|| prepare(letter, descriptors)));
    match prepared {
        Ok(Ok(life)) => child::run_program(&name, life),
        Ok(Err(error)) => cannot_be_started(&name, &error.to_string(), FAILED_STATUS),
        Err(payload) => {
            mem::forget(payload); // as a function's that panicked
            cannot_be_started(&name, "its arguments panicked as they were read", PANICKED_STATUS)
        }
    }
}

fn cannot_be_started(name: &str, why: &str, status: i32) -> ! {
    child::report(name, &format!("cannot be started: {why}"));
    streams::flush_at_end();
    child::end_program(status)
}

/// Says hello and waits for the letter as long as the parent is there. Its end is that of the
/// socket, unless foreign code forked a copy of the parent meanwhile, which keeps the other end.
fn greet(socket: &OwnedFd) -> io::Result<(Letter, Vec<OwnedFd>)> {
    let parent = Parent::current();
    // A program that stands between tells nothing of the parent's end: then it has a minute.
    let is_direct = parent.has_made(socket.as_fd());
    let patience = if is_direct { Deadline::never() } else { Deadline::after(HELLO_LIMIT) };
    let is_over = || parent.has_ended() || patience.remaining().is_some_and(|left| left.is_zero());
    message::send_byte(socket.as_fd(), HELLO).map_err(io::Error::other)?;
    // Ends with the first byte, the socket or the parent, for which it looks every slice.
    while !message::has_come(socket.as_fd(), JOIN_SLICE).map_err(io::Error::other)? {
        if is_over() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
    }
    // The parent gives up after as long.
    let limit = Deadline::after(HELLO_LIMIT);
    let (bytes, descriptors) =
        message::receive(socket.as_fd(), DESCRIPTOR_MAX, limit).map_err(io::Error::other)?;
    let letter = postcard::from_bytes(&bytes).map_err(io::Error::other)?;
    Ok((letter, descriptors))
}

fn prepare(mut letter: Letter, mut descriptors: Vec<OwnedFd>) -> Result<Life, Error> {
    begin(&mut letter, &mut descriptors)?;
    let Letter { task, code, arguments, items, .. } = letter;
    if code.is_some() && code != program::code() {
        return Err(Error::NotTransferable); // the task lies somewhere else in this one
    }
    Task::at(task)?.prepare(Parcel { arguments, items, descriptors })
}

/// Becomes who the letter says, and takes what every child is given out of the descriptors.
fn begin(letter: &mut Letter, descriptors: &mut Vec<OwnedFd>) -> Result<(), Error> {
    let own_count = 1 + usize::from(letter.is_daemon);
    if descriptors.len() < own_count {
        return Err(Error::Damaged);
    }
    let mut own = descriptors.drain(..own_count);
    let (Some(sentinel), line) = (own.next(), own.next()) else { return Err(Error::Damaged) };
    if let Some(line) = line {
        lifeline::hold(line)?;
    }
    let parent = ParentRecord {
        name: mem::take(&mut letter.parent_name),
        pid: letter.parent_pid,
        sentinel: Arc::new(sentinel),
    };
    let plan = Plan {
        name: letter.name.clone(),
        path: mem::take(&mut letter.path),
        is_daemon: letter.is_daemon,
        key: None,
        program: None,
    };
    let key = Key::new(mem::take(&mut letter.key))?;
    identity::begin(Identity::new(plan, key, parent, false));
    Ok(())
}
