//! What a child's function may return, and the exit status that it means.

use core::fmt::Display;

/// A result that can be told by an exit status. It is looked at in the child, which then ends.
///
/// * `()` is status 0.
/// * An `i32` is that status. Only 0 to 255 fit; any other number arrives as 255, never as success.
/// * `Ok` is what it holds. `Err` is status 1, and the error is printed on the child's standard
///   error behind the process's name.
///
/// A closure that never returns names a type all the same, `|| exit(3) as ()`, since the compiler
/// takes it for one that returns the never type, which has no outcome.
pub trait Outcome {
    /// The exit status, or the message of a failure.
    ///
    /// # Errors
    /// The text to be printed; the status is 1 then.
    fn into_status(self) -> Result<i32, String>;
}

impl Outcome for () {
    fn into_status(self) -> Result<i32, String> {
        Ok(0)
    }
}

impl Outcome for i32 {
    fn into_status(self) -> Result<i32, String> {
        Ok(self)
    }
}

impl<T: Outcome, E: Display> Outcome for Result<T, E> {
    fn into_status(self) -> Result<i32, String> {
        match self {
            Ok(outcome) => outcome.into_status(),
            Err(error) => Err(error.to_string()),
        }
    }
}
