//! What a child's function may return, and the exit status that it means.

use core::fmt::Display;

/// What a function may return whose end is a process's, or a thread's of this crate. It is looked
/// at there, when the function is over.
///
/// * `()` is status 0: a function that returns has done what it was to do.
/// * An [`ExitCode`] is the status that it says, as a call of [`exit`](crate::exit) would.
/// * `Ok` is what it holds. `Err` is status 1, and the error is printed on the child's standard
///   error behind the process's name.
///
/// A value is never taken for a status, and never lost unseen either: the compiler refuses a
/// function that returns anything else, as it does for `main`. A semicolon drops what is not
/// wanted; what the parent is to have goes through a pipe, a queue or shared memory.
///
/// ```compile_fail,E0277
/// purlin_process::Process::fork("five", || 5)?; // 5 of what?
/// # Ok::<(), purlin_process::Error>(())
/// ```
///
/// A closure that never returns names a type all the same, `|| exit(3) as ()`, since the compiler
/// takes it for one that returns the never type, which has no outcome.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how a process ends",
    label = "this returns `{Self}`",
    note = "return `()`, an `ExitCode`, or a `Result` of one of them with an error that can be \
            displayed; `;` drops a value"
)]
pub trait Outcome {
    /// The exit status, or the message of a failure.
    ///
    /// # Errors
    /// The text to be printed; the status is 1 then.
    fn into_status(self) -> Result<ExitCode, String>;
}

/// An exit status that a child's function ends with by returning it. Only 0 to 255 fit; any other
/// number arrives as 255, never as success.
///
/// In a thread it says nothing: a thread that has returned has [returned](crate::thread::End).
///
/// ```
/// use purlin_process::{ExitCode, ExitStatus, Process};
///
/// let child = Process::fork("picky", || ExitCode(3))?;
/// assert_eq!(child.join(None)?, ExitStatus::Code(3));
/// # Ok::<(), purlin_process::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "it is to be returned, and ends nothing by itself"]
pub struct ExitCode(pub i32);

impl Outcome for () {
    fn into_status(self) -> Result<ExitCode, String> {
        Ok(ExitCode(0))
    }
}

impl Outcome for ExitCode {
    fn into_status(self) -> Result<ExitCode, String> {
        Ok(self)
    }
}

impl<T: Outcome, E: Display> Outcome for Result<T, E> {
    fn into_status(self) -> Result<ExitCode, String> {
        match self {
            Ok(outcome) => outcome.into_status(),
            Err(error) => Err(error.to_string()),
        }
    }
}
