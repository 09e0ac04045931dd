//! What the library gives every subject to compare by: numbers in shared memory, and logs.
//!
//! Neither has a name anywhere: forked actors inherit them, and a program that is executed for an
//! actor inherits their descriptors.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use rustix::fs::{MemfdFlags, OFlags, fcntl_setfl, memfd_create};
use serde_json::Value;

use super::host::{self, HOST};
use super::rows::{repeated_count, rows};
use super::{Arguments, CallResult, Object, Refusal};
use crate::sys::memory::SharedNumber;

/// The kinds that the library makes, with their operations, and the capability that each is.
pub(super) const KINDS: [(&str, &[&str], &str); 3] = [
    (CELL, &["get", "set", "add"], "cells"),
    (LOG, &["write", "lines", "has", "rows", "repeated"], "logs"),
    (HOST, host::OPERATIONS, HOST),
];

const CELL: &str = "cell";
const LOG: &str = "log";

/// Makes one, if the kind is the library's.
pub(super) fn library_object(kind: &str) -> Option<io::Result<Arc<dyn Object>>> {
    match kind {
        CELL => Some(SharedNumber::new().map(|number| Arc::new(Cell(number)) as Arc<dyn Object>)),
        LOG => Some(Log::new().map(|log| Arc::new(log) as Arc<dyn Object>)),
        HOST => Some(Ok(host::host())),
        _ => None,
    }
}

/// Reaches one that another program made.
///
/// # Errors
/// * What the system refused, or that the kind is none of the library's.
pub(super) fn open(kind: &str, memory: OwnedFd) -> io::Result<Arc<dyn Object>> {
    match kind {
        CELL => Ok(Arc::new(Cell(SharedNumber::open(memory)?))),
        LOG => Ok(Arc::new(Log(File::from(memory)))),
        HOST => Ok(host::host()),
        _ => Err(io::Error::other(format!("there is no kind {kind}"))),
    }
}

/// A number of 64 bits. To add is to read, then to write: two adds at once lose one, on purpose.
struct Cell(SharedNumber);

impl Object for Cell {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        let cell = self.0.get();
        let given = |name: &str| {
            let value = args.get(name).or_else(|| args.get("value")).and_then(Value::as_i64);
            value.ok_or_else(|| Refusal::new("invalid-argument", format!("no whole {name}")))
        };
        // Relaxed, here and below: to order what it counts is the subject's work, which is judged
        // by what this number then is.
        let done = match op {
            "get" => Ok(Value::from(cell.load(Relaxed))),
            "set" => given("value").map(|value| {
                cell.store(value, Relaxed); // Relaxed: as above
                Value::Null
            }),
            "add" => given("n").map(|n| {
                // Relaxed: as above; two accesses, not one.
                let before = cell.load(Relaxed);
                cell.store(before.wrapping_add(n), Relaxed); // Relaxed: as above
                Value::Null
            }),
            _ => return CallResult::Unsupported,
        };
        done.map_or_else(CallResult::Failed, CallResult::Value)
    }

    fn memory(&self) -> Option<(&'static str, BorrowedFd<'_>)> {
        Some((CELL, self.0.memory()))
    }
}

/// Lines that are written straight through, each behind the last.
struct Log(File);

impl Log {
    fn new() -> io::Result<Self> {
        let memory = memfd_create("log", MemfdFlags::CLOEXEC)?;
        fcntl_setfl(&memory, OFlags::APPEND)?;
        Ok(Self(File::from(memory)))
    }

    fn write(&self, text: &str) -> io::Result<()> {
        // One write, which the kernel appends as a whole.
        (&self.0).write_all(format!("{text}\n").as_bytes())
    }

    /// Reads by place, since all who inherited the descriptor share its offset.
    fn lines(&self) -> io::Result<Vec<String>> {
        let len = usize::try_from(self.0.metadata()?.len()).map_err(io::Error::other)?;
        let mut bytes = vec![0; len];
        self.0.read_exact_at(&mut bytes, 0)?;
        Ok(String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect())
    }
}

impl Object for Log {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        let text = args.get("text");
        let is = |name: &str| args.get(name) == Some(&Value::Bool(true));
        let done = match (op, text.and_then(Value::as_str)) {
            ("write", Some(text)) => self.write(text).map(|()| Value::Null),
            ("write", None) => match text {
                Some(value) => self.write(&value.to_string()).map(|()| Value::Null),
                None => return CallResult::failed("invalid-argument", "no text"),
            },
            ("lines", _) => self.lines().map(Value::from),
            ("rows", _) => self.lines().and_then(|lines| {
                if is("take") {
                    self.0.set_len(0)?;
                }
                Ok(rows(&lines, is("sorted")).into())
            }),
            ("repeated", _) => self.lines().map(|lines| repeated_count(&lines).into()),
            ("has", Some(text)) => {
                self.lines().map(|lines| lines.iter().any(|line| line.contains(text)).into())
            }
            ("has", None) => {
                let any: Vec<&str> = text
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .collect();
                let has = |line: &String| any.iter().any(|text| line.contains(text));
                self.lines().map(|lines| lines.iter().any(has).into())
            }
            _ => return CallResult::Unsupported,
        };
        done.map_or_else(|error| CallResult::failed("system", error), CallResult::Value)
    }

    fn memory(&self) -> Option<(&'static str, BorrowedFd<'_>)> {
        Some((LOG, self.0.as_fd()))
    }
}
