//! The standard streams of this process, and what stands behind a number.

use std::io::{Write, stdout};
use std::os::fd::AsRawFd;

use rustix::io::{Errno, fcntl_getfd};
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
    let Some(("log", file)) = log.memory() else {
        return Err(Refusal::new("invalid-argument", "that is no log"));
    };
    let done = if number == 1 { dup2_stdout(file) } else { dup2_stderr(file) };
    done.map_err(refused)?;
    Ok(Value::Null)
}

/// `leave_open`: makes so many copies of the log's descriptor, which stay open, also on exec.
/// `number_of`: the descriptor's number, as text.
pub(super) fn about(op: &str, log: &dyn Object, args: &Arguments) -> Done {
    let Some(("log", file)) = log.memory() else {
        return Err(Refusal::new("invalid-argument", "that is no log"));
    };
    if op == "number_of" {
        return Ok(file.as_raw_fd().to_string().into());
    }
    for _ in 0..number::<u32>(args, "count")? {
        std::mem::forget(fork::duplicate(file.as_raw_fd()).map_err(refused)?);
    }
    Ok(Value::Null)
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
