//! The standard streams of this process, and what stands behind a number.

use std::io::{Write, stdout};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, FdFlags, fcntl_getfd, fcntl_setfd};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
use serde_json::Value;

use super::{Arguments, Done, Object, Refusal, number, refused, text};
use crate::sys::fork;

/// None when the operation is none of these.
pub(super) fn call(op: &str, args: &Arguments) -> Option<Done> {
    Some(match op {
        "print" => print(args),
        "close" => number(args, "number").map(|number| {
            fork::close_number(number);
            Value::Null
        }),
        "read" => read(),
        "pipe" => pipe(),
        "pipe_is_at_end" => pipe_is_at_end(),
        "set_input" => set_input(args),
        "is_open" => number(args, "number").map(|number| is_open(number).into()),
        _ => return None,
    })
}

/// As the language prints: into its buffer.
fn print(args: &Arguments) -> Done {
    write!(stdout(), "{}", text(args, "text")?).map_err(refused)?;
    Ok(Value::Null)
}

/// From now on standard output, or standard error, goes to the log.
pub(super) fn redirect(number: i32, log: &dyn Object) -> Done {
    let file = log_file(log)?;
    let done = if number == 1 { dup2_stdout(file) } else { dup2_stderr(file) };
    done.map_err(refused)?;
    Ok(Value::Null)
}

/// `leave_open`: makes so many copies of the log's descriptor, which stay open, also on exec.
/// `number_of`: the descriptor's number, as text.
pub(super) fn about(op: &str, log: &dyn Object, args: &Arguments) -> Done {
    let file = log_file(log)?;
    if op == "number_of" {
        return Ok(file.as_raw_fd().to_string().into());
    }
    for _ in 0..number::<u32>(args, "count")? {
        std::mem::forget(fork::duplicate(file.as_raw_fd()).map_err(refused)?);
    }
    Ok(Value::Null)
}

/// The file behind a log.
pub(super) fn log_file(log: &dyn Object) -> Result<BorrowedFd<'_>, Refusal> {
    match log.memory() {
        Some(("log", file)) => Ok(file),
        _ => Err(Refusal::new("invalid-argument", "that is no log")),
    }
}

/// A pipe whose writing end everybody inherits who is started from now on, unless care is taken.
fn pipe() -> Done {
    let (reads, writes) = std::io::pipe().map_err(refused)?;
    for end in [reads.as_fd(), writes.as_fd()] {
        fcntl_setfd(end, FdFlags::empty()).map_err(refused)?;
    }
    *ends() = Some((reads.into(), writes.into()));
    Ok(Value::Null)
}

/// Lets go of the pipe's writing end here. Whether it was the last, and the pipe is at its end.
fn pipe_is_at_end() -> Done {
    let none = || Refusal::new("invalid-argument", "there is no pipe");
    let (reads, writes) = ends().take().ok_or_else(none)?;
    drop(writes);
    let mut polled = [PollFd::new(&reads, PollFlags::empty())];
    poll(&mut polled, Some(&Timespec::default())).map_err(refused)?;
    Ok(polled[0].revents().contains(PollFlags::HUP).into())
}

/// The two ends, reading and writing, of the pipe that there is.
fn ends() -> MutexGuard<'static, Option<(OwnedFd, OwnedFd)>> {
    static ENDS: Mutex<Option<(OwnedFd, OwnedFd)>> = Mutex::new(None);
    ENDS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on standard input has this text, and then ends.
fn set_input(args: &Arguments) -> Done {
    let (read, mut write) = std::io::pipe().map_err(refused)?;
    // A short text fits into the pipe, so nobody has to read meanwhile.
    write.write_all(text(args, "text")?.as_bytes()).map_err(refused)?;
    dup2_stdin(read).map_err(refused)?;
    Ok(Value::Null)
}

/// A byte of standard input, as text; null at its end.
fn read() -> Done {
    let mut byte = [0];
    // Not by `std::io::stdin`, whose lock the adapter holds for ever where it forks an actor.
    match rustix::io::read(rustix::stdio::stdin(), &mut byte).map_err(refused)? {
        0 => Ok(Value::Null),
        _ => Ok(String::from_utf8_lossy(&byte).into()),
    }
}

fn is_open(number: i32) -> bool {
    fork::with_number(number, |fd| fcntl_getfd(fd) != Err(Errno::BADF))
}
