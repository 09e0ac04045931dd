//! Other programs: started, fed, read, waited for, ended.
//!
//! What is run, with what, where and with which streams is described by [`std::process::Command`],
//! which does that well: arguments go over whole, pipes, files and the null device are taken as
//! streams, and a program begins with `SIGPIPE` at its default action. This module adds what std
//! has not.
//!
//! | std | here |
//! |---|---|
//! | waits without limit, or not at all | [`Program::wait`]: a deadline, several threads |
//! | status 0 where nobody can know it, or an error | `Unknown`, which is no success |
//! | `SIGKILL` by number | [`Program::signal`], any, by process descriptor: never a stranger |
//! | a dropped child stays a zombie | it is collected at the next start |
//! | `output()` has no input and no limit | [`Exchange`]: both ways at once, and resumable |
//! | descriptors that are not closed on exec are inherited | only what [`Launch::pass`] names |
//! | what the starting thread blocks is inherited | no signal is blocked |
//! | closed standard streams of the caller spoil pipes | they do not |
//! | one `io::Error` | an [`Error`](crate::Error) a cause, in a [`Failure`] that names the path |
//! | no sessions, no mask, no errors into the output | [`Launch`] has them |
//!
//! ```text
//!   Launch ── start ──► Program ── exchange ──► Exchange ── finish ──► Output
//!                          │                        ▲          │ timed-out
//!                          └─ wait, signal, kill    └──────────┘
//! ```
//!
//! ```
//! use std::process::Command;
//! use std::time::Duration;
//!
//! use purlin_process::command::run;
//!
//! let output = run(Command::new("cat"), "purlin", Duration::from_secs(60))?.check()?;
//! assert_eq!(output.stdout.as_deref(), Some(&b"purlin"[..]));
//! # Ok::<(), purlin_process::command::Failure>(())
//! ```
//!
//! # What this module does not do
//! * Split a text into arguments or expand `*`: that is a shell, `Command::new("sh")`, on request.
//! * Text: data are bytes. `String::from_utf8_lossy` is a line.
//! * End what a program has started: a signal goes to the one process. Give it a session of its own
//!   and signal the group (`kill(2)`) if all are to end.
//! * Count programs among this process's children by [`Process`](crate::Process), daemons and all:
//!   a program is no function of ours, knows nothing of its parent, and goes on when that ends.

mod exchange;
mod failure;
mod launch;
mod program;

use std::process::Command;

use purlin_sync::Deadline;

pub use exchange::{Exchange, Output};
pub use failure::Failure;
pub use launch::Launch;
pub use program::{Program, Scoped};

/// Runs a program to its end: feeds it `input`, reads what it prints and what it complains, and
/// returns all of that with its status, whatever the status is. Its standard output and its
/// standard error become pipes, and with an input that is not empty its standard input does.
///
/// # Errors
/// * As [`Launch::run`].
///
/// # Example
/// ```
/// use std::process::Command;
/// use std::time::Duration;
///
/// use purlin_process::command::run;
/// use purlin_process::{Error, ExitStatus};
///
/// let mut command = Command::new("sh");
/// command.args(["-c", "echo part; exec sleep 1000"]);
/// let failure = run(command, "", Duration::from_millis(200)).unwrap_err();
/// assert_eq!(failure.error(), Error::TimedOut); // and the program was killed and collected
/// assert_eq!(failure.output().map(|output| output.status), Some(ExitStatus::Signal(9)));
/// ```
pub fn run(
    command: Command,
    input: impl Into<Vec<u8>>,
    deadline: impl Into<Deadline>,
) -> Result<Output, Failure> {
    Launch::new(command).capture().run(input, deadline)
}
