//! What the kernel tells of a process: whether it is there, asleep, and in which system call.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::limits::GLANCE;
use crate::sys::clock;
use crate::sys::process::pause;

/// Looks until `is_there` or `limit` is over, and no longer: for what may as well not come.
pub(crate) fn shows_within(limit: Duration, is_there: impl Fn() -> bool) -> bool {
    let began = clock::now();
    loop {
        if is_there() {
            return true;
        }
        if clock::now().saturating_sub(began) >= limit {
            return false;
        }
        pause(GLANCE);
    }
}

/// Whether the process, which has one thread, runs no instruction of its own any more: it is gone,
/// waits for its parent to reap it, or is on its way there inside the kernel. On that way its files
/// are closed, and so its locks are free, a moment before its state says Z.
#[must_use]
pub fn is_gone(pid: i32) -> bool {
    let Some(fields) = fields(&folder(pid)) else { return true };
    let mut words = fields.split_ascii_whitespace();
    let state = words.next();
    let flags: u64 = words.nth(5).and_then(|flags| flags.parse().ok()).unwrap_or(0);
    matches!(state, Some("Z" | "X")) || flags & PF_EXITING != 0
}

/// The flag of the kernel's that a process has from the start of its exit on: the ninth field of
/// `proc_pid_stat(5)`.
const PF_EXITING: u64 = 4;

/// Whether the process sleeps in a futex.
#[must_use]
pub fn is_asleep_on_futex(pid: i32) -> bool {
    system_call(pid) == Some(libc::SYS_futex.unsigned_abs())
}

/// How often the process has gone to sleep by itself.
#[must_use]
pub fn sleep_count(pid: i32) -> u64 {
    sleeps_of(&folder(pid))
}

fn sleeps_of(folder: &Path) -> u64 {
    let text = fs::read_to_string(folder.join("status")).unwrap_or_default();
    let count = text.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    count.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}

/// What the kernel has counted of a thread that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) tid: i32,
    /// It sleeps, or a tracer has stopped it. Who waits for a processor, or for a disk, does not.
    pub(crate) is_still: bool,
    /// How often it has gone to sleep by itself.
    pub(crate) sleep_count: u64,
    /// How much of a processor it has had.
    pub(crate) processor: Duration,
}

/// The accounts of all threads of those who descend from a process, itself apart.
pub(crate) fn family(pid: i32) -> Vec<Account> {
    let (mut accounts, mut parents) = (Vec::new(), vec![pid]);
    while let Some(parent) = parents.pop() {
        for child in children(parent) {
            parents.push(child);
            accounts.extend(self::accounts(child));
        }
    }
    accounts
}

/// The accounts of all threads of a process. None of one that has ended.
pub(crate) fn accounts(pid: i32) -> Vec<Account> {
    let account = |thread: &Path| {
        let tid = thread.file_name()?.to_str()?.parse().ok()?;
        let fields = fields(thread)?;
        let words: Vec<_> = fields.split_ascii_whitespace().collect();
        let state = *words.first()?;
        let ticks = |index: usize| words.get(index).and_then(|ticks| ticks.parse::<u64>().ok());
        // The fields 14 and 15 of `proc_pid_stat(5)`; the first of ours is the third.
        let processor = Duration::from_millis((ticks(11)? + ticks(12)?) * TICK_MILLIS);
        let (is_still, sleep_count) = (matches!(state, "S" | "T" | "t"), sleeps_of(thread));
        let has_ended = matches!(state, "Z" | "X");
        (!has_ended).then_some(Account { tid, is_still, sleep_count, processor })
    };
    threads(pid).iter().filter_map(|thread| account(thread)).collect()
}

/// In which the kernel tells times: a hundredth of a second, on every processor.
const TICK_MILLIS: u64 = 10;

/// The folders of a process's threads.
fn threads(pid: i32) -> Vec<PathBuf> {
    let entries = fs::read_dir(format!("/proc/{pid}/task"));
    entries.into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// The children of a process, those that nobody has reaped included. One that ends just now may
/// hide another: look twice.
pub(crate) fn children(pid: i32) -> Vec<i32> {
    let threads = threads(pid);
    let lists = threads.iter().map(|thread| fs::read_to_string(thread.join("children")));
    let parse = |list: String| -> Vec<i32> {
        list.split_ascii_whitespace().filter_map(|child| child.parse().ok()).collect()
    };
    lists.flatten().flat_map(parse).collect()
}

/// Whether the process sleeps, be it where it will.
pub(crate) fn is_asleep(pid: i32) -> bool {
    matches!(state(pid), Some('S' | 'D'))
}

/// The letter of the process's state, as in `proc_pid_stat(5)`.
pub(crate) fn state(pid: i32) -> Option<char> {
    fields(&folder(pid))?.chars().next()
}

/// What `proc_pid_stat(5)` says, from the third field on.
fn fields(folder: &Path) -> Option<String> {
    let text = fs::read_to_string(folder.join("stat")).ok()?;
    // The name before it may hold anything, parentheses too.
    Some(text.rsplit_once(") ")?.1.to_owned())
}

fn folder(pid: i32) -> PathBuf {
    format!("/proc/{pid}").into()
}

/// The number of the system call that the process sleeps in.
fn system_call(pid: i32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/syscall")).ok()?;
    text.split_ascii_whitespace().next()?.parse().ok()
}
