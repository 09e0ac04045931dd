//! What a forked child does from its first instruction to its last.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::limits::{FAILED_STATUS, PANICKED_STATUS};
use crate::outcome::Outcome;
use crate::status::carried;
use crate::streams;
use crate::sys::fork::exit_now;
use crate::sys::stdio;

/// Ends the calling process as a child of [`Process::fork`](crate::Process::fork) ends: writes out
/// what was printed, then leaves without running exit handlers, since those of a forked child are
/// its parent's. A `status` outside 0 to 255 arrives as 255, never as success.
///
/// This is for children of the raw [`fork`](crate::fork); other children just return.
///
/// # Weak points
/// * Output that another thread keeps locked for a second is lost. C streams other than standard
///   output are not written out.
/// * Destructors do not run, neither the caller's nor other threads'.
///
/// ```
/// use purlin_process::{ExitStatus, Fork, exit, fork};
///
/// // SAFETY: the child takes no lock and ends at once.
/// match unsafe { fork() }? {
///     Fork::Child => exit(7),
///     Fork::Parent(child) => assert_eq!(child.join(None)?, ExitStatus::Code(7)),
/// }
/// # Ok::<(), purlin_process::Error>(())
/// ```
pub fn exit(status: i32) -> ! {
    leave(carried(status), true)
}

/// Runs `function` as the whole life of this process, a child that was just forked. No way leads
/// back to the caller's frames, which are the parent's.
pub(crate) fn run<F, R>(name: &str, function: F, is_c_stdout_ours: bool) -> !
where
    F: FnOnce() -> R,
    R: Outcome,
{
    let _no_way_back = ExitOnUnwind;
    stdio::detach_stdin();
    leave(status_of(name, function), is_c_stdout_ours)
}

/// Runs `function` as what is left of this program, which was spawned for it.
pub(crate) fn run_program<F, R>(name: &str, function: F) -> !
where
    F: FnOnce() -> R,
    R: Outcome,
{
    end_program(status_of(name, function))
}

/// Ends this program as its `main` would: its exit handlers are its own.
pub(crate) fn end_program(status: i32) -> ! {
    std::process::exit(status)
}

fn status_of<F, R>(name: &str, function: F) -> i32
where
    F: FnOnce() -> R,
    R: Outcome,
{
    // Everything of the user's runs inside, the drops of what was captured and the printing of an
    // error included. The state that a panic leaves is seen by nobody, since the process ends.
    let status = catch_unwind(AssertUnwindSafe(|| match function().into_status() {
        Ok(number) => carried(number),
        Err(message) => {
            stdio::print_error(&format!("{name}: {message}\n"));
            FAILED_STATUS
        }
    }));
    status.unwrap_or_else(|payload| panicked(name, payload))
}

/// The hook has printed the message and the place; what it cannot know is the process's name.
fn panicked(name: &str, payload: Box<dyn Any + Send>) -> i32 {
    std::mem::forget(payload); // its drop may panic, and nobody is left to catch that
    stdio::print_error(&format!("{name}: the function of this process panicked\n"));
    PANICKED_STATUS
}

fn leave(status: i32, is_c_stdout_ours: bool) -> ! {
    streams::flush_at_end(is_c_stdout_ours);
    exit_now(status)
}

/// The last resort: whatever unwinds past it ends the process instead of becoming a second parent.
struct ExitOnUnwind;

impl Drop for ExitOnUnwind {
    fn drop(&mut self) {
        exit_now(PANICKED_STATUS);
    }
}
