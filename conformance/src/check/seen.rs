//! What the system says of an adapter's processes, whatever the adapter says.

use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::Wrong;
use crate::evidence;
use crate::limits::patience;
use crate::subject::is_readable;
use crate::sys::group::group_of;

/// A descriptor of a process that an adapter names, if it belongs to the adapter's group.
pub(super) fn process(pid: i32, group: i32) -> Result<OwnedFd, Wrong> {
    let named = if pid > 1 { Pid::from_raw(pid) } else { None };
    let named = named.ok_or_else(|| Wrong(format!("names the process {pid} as an actor")))?;
    let fd = pidfd_open(named, PidfdFlags::empty())
        .map_err(|error| Wrong(format!("names the process {pid}, which is not there: {error}")))?;
    match group_of(pid) {
        Ok(found) if found == group => Ok(fd),
        Ok(found) => Err(Wrong(format!("names the process {pid}, which is in the group {found}"))),
        Err(error) => Err(Wrong(format!("names the process {pid}, which has no group: {error}"))),
    }
}

/// Ends a process of the adapter's group.
pub(super) fn kill(process: &OwnedFd) -> Result<(), Wrong> {
    let _ = pidfd_send_signal(process, Signal::KILL);
    ends(process, "a killed actor")
}

/// Waits until a process has ended.
pub(super) fn ends(process: &impl AsFd, who: &str) -> Result<(), Wrong> {
    if is_readable(process, patience()) {
        Ok(())
    } else {
        Err(Wrong(format!("{who} does not end")))
    }
}

/// Waits until this is so.
pub(super) fn becomes(what: &str, mut is_so: impl FnMut() -> bool) -> Result<(), Wrong> {
    let deadline = Instant::now() + patience();
    while !is_so() {
        if Instant::now() >= deadline {
            return Err(Wrong(what.to_owned()));
        }
        // Polling nothing is a nap; there is nothing to sleep on for what `/proc` shows.
        let _ = rustix::event::poll(&mut [], Some(&NAP));
    }
    Ok(())
}

/// Whether a thread sleeps, and has not run for a while: on its way to the call it may wait for a
/// moment, as for an interpreter's lock, and what comes then does not come in the call.
pub(super) fn sleeps_on(pid: i32, tid: i32) -> impl FnMut() -> bool {
    const LOOKS_COUNT: u32 = 20; // a nap apart, and an interpreter's lock is asked for every 5 ms
    let (mut last, mut count) = (None, 0);
    move || {
        let found = match evidence::look(pid, tid) {
            evidence::Look::Asleep(sleep) => Some(sleep.switches),
            _ => None,
        };
        count = if found.is_some() && found == last { count + 1 } else { 0 };
        last = found;
        count >= LOOKS_COUNT
    }
}

const NAP: rustix::event::Timespec = rustix::event::Timespec { tv_sec: 0, tv_nsec: 1_000_000 };

/// Whether the thread is one of the process.
pub(super) fn has_thread(pid: i32, tid: i32) -> bool {
    evidence::threads(pid).contains(&tid)
}

/// Whether a process that has ended waits to be collected.
pub(super) fn is_zombie(pid: i32) -> bool {
    status(pid, "State:").is_some_and(|state| state.starts_with('Z'))
}

/// Whether a thread has ended, or is one that has ended before its process.
pub(super) fn thread_has_ended(pid: i32, tid: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/task/{tid}/status"));
    status.map_or(true, |status| {
        let state = status.lines().find_map(|line| line.strip_prefix("State:"));
        state.is_some_and(|state| state.trim_start().starts_with(['Z', 'X']))
    })
}

/// Whether a process has a handler for this signal.
pub(super) fn catches(pid: i32, signal: i32) -> bool {
    let caught = status(pid, "SigCgt:").and_then(|mask| u64::from_str_radix(&mask, 16).ok());
    caught.is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
}

/// What differs from program to program, even if it is the same file: where things lie in memory.
pub(super) fn program(pid: i32) -> Vec<u8> {
    let mut all = fs::read(format!("/proc/{pid}/auxv")).unwrap_or_default();
    all.extend(fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default());
    all
}

/// Whether a process holds the other end of a pipe.
pub(super) fn holds(pid: i32, pipe: &impl AsFd) -> bool {
    let Ok(wanted) = rustix::fs::fstat(pipe).map(|stat| format!("pipe:[{}]", stat.st_ino)) else {
        return false;
    };
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let mut links = entries.filter_map(|entry| fs::read_link(entry.path()).ok());
    links.any(|link| link.to_string_lossy() == wanted)
}

fn status(pid: i32, field: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let found = status.lines().find_map(|line| line.strip_prefix(field))?;
    Some(found.trim().to_owned())
}

/// Within this time a superfluous reply has come that was written together with another.
pub(super) const AFTERWARDS: Duration = Duration::from_millis(50);
