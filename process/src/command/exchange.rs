//! All of a program's streams at once: no stream that is full or empty keeps another waiting.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use purlin_sync::Deadline;

use super::program::Ends;
use super::{Failure, Program};
use crate::limits::{JOIN_SLICE, LATE_STEP_COUNT};
use crate::sys::broken_pipe::Quiet;
use crate::sys::pipes::{self, Step};
use crate::{Error, ExitStatus};

/// How a program ended, and what it said. What was no pipe is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to its standard output.
    pub stdout: Option<Vec<u8>>,
    /// What it wrote to its standard error.
    pub stderr: Option<Vec<u8>>,
}

impl Output {
    /// Makes an end that is no success a failure, which carries the output.
    ///
    /// ```
    /// use std::process::Command;
    ///
    /// use purlin_process::command::run;
    ///
    /// let mut command = Command::new("sh");
    /// command.args(["-c", "echo x; exit 5"]);
    /// let failure = run(command, "", None)?.check().unwrap_err();
    /// assert_eq!(failure.kind(), "task-failed");
    /// assert_eq!(failure.output().unwrap().status.code(), Some(5));
    /// # Ok::<(), purlin_process::command::Failure>(())
    /// ```
    ///
    /// # Errors
    /// * [`Error::TaskFailed`] for any status but 0, an unknown one included.
    pub fn check(self) -> Result<Self, Failure> {
        if self.status.is_success() {
            Ok(self)
        } else {
            Err(Failure::after(Error::TaskFailed, self))
        }
    }
}

/// An exchange with a program that has begun: its input goes in and its output comes out as
/// [`finish`](Self::finish) is called, once or several times.
///
/// Dropping it closes the streams; the program goes on.
///
/// # Weak points
/// * All that comes is kept in memory, however much it is.
/// * Without a deadline it lasts until the streams end, which a descendant of the program can put
///   off after the program itself has ended: what that writes is part of the output.
#[derive(Debug)]
pub struct Exchange {
    program: Program,
    writer: Option<OwnedFd>,
    input: Vec<u8>,
    written_len: usize,
    stdout: Reading,
    stderr: Reading,
    is_finished: bool,
}

/// One stream that is read.
#[derive(Debug)]
struct Reading {
    reader: Option<OwnedFd>,
    /// `None` for what is no pipe.
    bytes: Option<Vec<u8>>,
}

impl Exchange {
    pub(super) fn new(program: Program, input: Vec<u8>, ends: Ends) -> Result<Self, Error> {
        let (stdin, stdout, stderr) = ends;
        let mut writer = stdin.map(OwnedFd::from);
        if let Some(writer) = &writer {
            pipes::never_wait(writer)?;
        }
        if input.is_empty() {
            writer = None;
        }
        let stdout = Reading::new(stdout.map(OwnedFd::from))?;
        let stderr = Reading::new(stderr.map(OwnedFd::from))?;
        Ok(Self { program, writer, input, written_len: 0, stdout, stderr, is_finished: false })
    }

    /// The program.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// What has come on its standard output so far; `None` when that is no pipe, and after the
    /// end, when the [`Output`] has it.
    #[must_use]
    pub fn stdout(&self) -> Option<&[u8]> {
        self.stdout.bytes.as_deref()
    }

    /// What has come on its standard error so far, as [`stdout`](Self::stdout).
    #[must_use]
    pub fn stderr(&self) -> Option<&[u8]> {
        self.stderr.bytes.as_deref()
    }

    /// Feeds the rest of the input, reads both streams to their ends and waits for the program, at
    /// most until `deadline`, which is one for all of that however much comes in between.
    ///
    /// A program that does not read its input is no error: the rest goes nowhere.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when the deadline came first. Nothing is lost and nothing will be sent
    ///   twice: what has come can be looked at, the program goes on, and the next call takes the
    ///   exchange up where this one left it.
    /// * [`Error::Closed`] once it has returned its output.
    /// * [`Error::OutOfResources`] without memory for what comes.
    /// * [`Error::NotTheParent`] in any process but the one that started the program.
    /// * [`Error::System`] as the system says.
    pub fn finish(&mut self, deadline: impl Into<Deadline>) -> Result<Output, Error> {
        if self.is_finished {
            return Err(Error::Closed);
        }
        self.program.sentinel()?; // a forked copy keeps away from the pipes
        let deadline = deadline.into().start();
        self.carry(deadline)?;
        let status = self.program.wait(deadline)?;
        self.is_finished = true;
        let (stdout, stderr) = (self.stdout.bytes.take(), self.stderr.bytes.take());
        Ok(Output { status, stdout, stderr })
    }

    /// What there is of the output.
    pub(super) fn into_output(self, status: ExitStatus) -> Output {
        Output { status, stdout: self.stdout.bytes, stderr: self.stderr.bytes }
    }

    /// Carries bytes until all streams have ended.
    fn carry(&mut self, deadline: Deadline) -> Result<(), Error> {
        let mut quiet = self.writer.is_some().then(Quiet::hold);
        let mut late_count = 0;
        // Ends with the streams or soon after the deadline, which is looked at before each step.
        while self.writer.is_some() || self.stdout.is_open() || self.stderr.is_open() {
            let left = deadline.remaining().unwrap_or(JOIN_SLICE);
            let has_moved = self.step(&mut quiet, left.min(JOIN_SLICE))?;
            // What is there already is taken also when there is no time left.
            late_count += u32::from(left.is_zero());
            if late_count > 0 && (!has_moved || late_count == LATE_STEP_COUNT) {
                return Err(Error::TimedOut);
            }
        }
        Ok(())
    }

    /// Waits until something can be carried, at most for `limit`. Returns whether something was.
    fn step(&mut self, quiet: &mut Option<Quiet>, limit: Duration) -> Result<bool, Error> {
        let readers = [&self.stdout, &self.stderr].map(|one| one.reader.as_ref().map(AsFd::as_fd));
        pipes::wait(self.writer.as_ref().map(AsFd::as_fd), readers, limit)?;
        let has_written = self.write(quiet)?;
        let has_read = [self.stdout.read()?, self.stderr.read()?];
        Ok(has_written || has_read.contains(&true))
    }

    fn write(&mut self, quiet: &mut Option<Quiet>) -> Result<bool, Error> {
        let Some(writer) = &self.writer else { return Ok(false) };
        let step = pipes::write_some(writer, &self.input[self.written_len..])?;
        match step {
            Step::Moved(count) => self.written_len += count,
            Step::End => {
                self.written_len = self.input.len();
                if let Some(quiet) = quiet {
                    quiet.note_broken();
                }
            }
        }
        if self.written_len == self.input.len() {
            (self.writer, self.input, self.written_len) = (None, Vec::new(), 0);
        }
        Ok(step != Step::Moved(0))
    }
}

impl Reading {
    fn new(reader: Option<OwnedFd>) -> Result<Self, Error> {
        if let Some(reader) = &reader {
            pipes::never_wait(reader)?;
        }
        Ok(Self { bytes: reader.is_some().then(Vec::new), reader })
    }

    fn is_open(&self) -> bool {
        self.reader.is_some()
    }

    fn read(&mut self) -> Result<bool, Error> {
        let (Some(reader), Some(bytes)) = (&self.reader, &mut self.bytes) else {
            return Ok(false);
        };
        let step = pipes::read_some(reader, bytes)?;
        if step == Step::End {
            self.reader = None;
        }
        Ok(step != Step::Moved(0))
    }
}
