//! What a forked child does from its first instruction to its last.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::limits::{FAILED_STATUS, NAME_SHOWN_CHARACTERS, PANICKED_STATUS};
use crate::outcome::{ExitCode, Outcome};
use crate::status::carried;
use crate::sys::fork::exit_now;
use crate::sys::stdio;
use crate::{ends, identity, streams};

/// Ends the calling process with this status, once it has done what [`shutdown`](crate::shutdown)
/// does. A `status` outside 0 to 255 arrives as 255, never as success.
///
/// A forked child writes out what was printed, then leaves without running exit handlers, since
/// they are its parent's. Any other process ends as by `std::process::exit`, which runs them.
///
/// Children of the raw [`fork`](crate::fork) need this; other children just return.
///
/// # Weak points
/// * Output that another thread of a forked child keeps locked for a second is lost, and so is that
///   of a forked child with several threads to which the system refuses one more. C streams other
///   than standard output are not written out there.
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
    let _no_way_back = ExitOnUnwind;
    let own = identity::own();
    let status = after_end(&own.name, carried(status));
    if own.is_forked { leave(status) } else { end_program(status) }
}

/// Runs `function` as the whole life of this process, a child that was just forked. No way leads
/// back to the caller's frames, which are the parent's.
pub(crate) fn run<F, R>(function: F) -> !
where
    F: FnOnce() -> R,
    R: Outcome,
{
    let _no_way_back = ExitOnUnwind;
    stdio::detach_stdin();
    let name = &identity::own().name;
    leave(after_end(name, status_of(name, function)))
}

/// Runs `function` as what is left of this program, which was spawned for it.
pub(crate) fn run_program<F, R>(name: &str, function: F) -> !
where
    F: FnOnce() -> R,
    R: Outcome,
{
    end_program(after_end(name, status_of(name, function)))
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
        Ok(ExitCode(number)) => carried(number),
        Err(message) => {
            report(name, &message);
            FAILED_STATUS
        }
    }));
    status.unwrap_or_else(|payload| panicked(name, payload))
}

/// The hook has printed the message and the place; what it cannot know is the process's name.
fn panicked(name: &str, payload: Box<dyn Any + Send>) -> i32 {
    std::mem::forget(payload); // its drop may panic, and nobody is left to catch that
    report(name, "the function of this process panicked");
    PANICKED_STATUS
}

/// Does what is owed at the end. A hook that panicked must not read as success.
fn after_end(name: &str, status: i32) -> i32 {
    if ends::end(name) || status != 0 { status } else { PANICKED_STATUS }
}

/// Prints a line about this process on standard error.
pub(crate) fn report(name: &str, what: &str) {
    stdio::print_error(&format!("{}: {what}\n", shown(name)));
}

/// A name as a piece of a line of text: what would end the line, or do worse to a terminal, is
/// written as an escape, and what is very long is cut.
pub(crate) fn shown(name: &str) -> String {
    match name.char_indices().nth(NAME_SHOWN_CHARACTERS) {
        Some((end, _)) => escaped(&name[..end]) + "…",
        None => escaped(name),
    }
}

/// The same, and whole.
pub(crate) fn escaped(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\u{2028}' | '\u{2029}' => line.extend(character.escape_default()),
            _ if character.is_control() => line.extend(character.escape_default()),
            _ => line.push(character),
        }
    }
    line
}

fn leave(status: i32) -> ! {
    streams::flush_at_end();
    exit_now(status)
}

/// The last resort: whatever unwinds past it ends the process instead of becoming a second parent.
pub(crate) struct ExitOnUnwind;

impl Drop for ExitOnUnwind {
    fn drop(&mut self) {
        exit_now(PANICKED_STATUS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ExitStatus, Process};

    #[test]
    fn what_unwinds_past_the_end_of_a_child_ends_it() {
        let child = Process::fork("unwinds", || {
            let past = || {
                let _no_way_back = ExitOnUnwind;
                panic!("expected by a test");
            };
            let _ = catch_unwind(past);
            ExitCode(0) // what goes on here would be a second parent
        });
        let status = child.unwrap().join(std::time::Duration::from_secs(60));
        assert_eq!(status, Ok(ExitStatus::Code(PANICKED_STATUS)));
    }

    #[test]
    fn a_name_is_shown_on_one_line() {
        assert_eq!(shown("plain, 木"), "plain, 木");
        assert_eq!(shown("two\nlines\t\u{1b}[1m\u{2028}"), "two\\nlines\\t\\u{1b}[1m\\u{2028}");
        assert_eq!(shown(&"木".repeat(4096)).chars().count(), NAME_SHOWN_CHARACTERS + 1);
    }
}
