//! Many children, in a row and at once: each with a status of its own, and nothing left of them.
//!
//! `PURLIN_MANY=10000 cargo test -p purlin-process --test many` starts so many in a row each way.
//! The tests have a `main` of their own, which calls `init` first, for children by spawn.

mod bounded;
mod traces;
mod trials;

use std::time::Duration;

use bounded::{LIMIT, check, in_child, in_child_for};
use libtest_mimic::Arguments;
use purlin_process::{Error, ExitCode, ExitStatus, Process, active_children, init};
use traces::{descriptor_count, has_children};
use trials::trials;

fn main() {
    init();
    libtest_mimic::run(&Arguments::from_args(), trials(TESTS)).exit();
}

const TESTS: &[(&str, fn())] = &[
    ("thousands_in_a_row_leave_memory_and_descriptors_as_they_were", forks_in_a_row),
    ("spawned_in_a_row_they_leave_memory_and_descriptors_as_they_were", spawns_in_a_row),
    ("two_hundred_at_once_have_each_its_own_status", at_once),
];

/// Enough for a leak of one byte a child to fill a page, in less than two seconds.
const IN_A_ROW: usize = 2_000;
/// Enough for a leak of 300 bytes a child, or of a descriptor, in as much time: these take longer.
const SPAWNED_IN_A_ROW: usize = 500;
const AT_ONCE: usize = 200;

/// Far beyond what ten thousand take.
const LONG_LIMIT: Duration = Duration::from_secs(600);

/// Children after which lists and the allocator have the size that they keep.
const WARM_UP: usize = 100;

/// What the allocator may still take: one step of its heap. A leak of one small block (32 bytes) a
/// child is half of it, and one of a page a child sixty times as much.
const SLACK_KIB: usize = 132;

fn text(error: Error) -> String {
    error.to_string()
}

/// What the kernel says of this process's memory, in KiB.
fn memory(field: &str) -> Result<usize, String> {
    let all = std::fs::read_to_string("/proc/self/status").map_err(|error| error.to_string())?;
    let line = all.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let number = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse().ok());
    number.ok_or_else(|| format!("no {field} in {all}"))
}

/// A way of starting a child that ends with this status.
type Start = fn(i32) -> Result<Process, Error>;

fn by_fork(code: i32) -> Result<Process, Error> {
    Process::fork("", move || ExitCode(code))
}

fn by_spawn(code: i32) -> Result<Process, Error> {
    Process::spawn("", |code: i32, ()| ExitCode(code), code, ())
}

fn one_after_the_other(start: Start, count: usize) -> Result<(), String> {
    for number in 0..count {
        let code = (number % 256) as i32;
        let child = start(code).map_err(text)?;
        check(child.join(LIMIT) == Ok(ExitStatus::Code(code)), "each has its own status")?;
    }
    Ok(())
}

/// So many, or as many as the environment wants.
fn leave_no_trace(start: Start, count: usize) {
    let wanted = std::env::var("PURLIN_MANY").ok().and_then(|count| count.parse().ok());
    let count = wanted.unwrap_or(count);
    in_child_for(LONG_LIMIT, || {
        one_after_the_other(start, WARM_UP)?;
        let before = (descriptor_count(), memory("VmData")?, memory("VmRSS")?);
        one_after_the_other(start, count)?;
        let after = (descriptor_count(), memory("VmData")?, memory("VmRSS")?);
        let grown = after.1.saturating_sub(before.1).max(after.2.saturating_sub(before.2));
        check(after.0 == before.0, &format!("{} descriptors, then {}", before.0, after.0))?;
        check(grown <= SLACK_KIB, &format!("{before:?} before, {after:?} KiB after"))?;
        check(!has_children() && active_children().is_empty(), "nothing is left")
    });
}

fn forks_in_a_row() {
    // shows: process-parent-descriptors-not-left-behind
    leave_no_trace(by_fork, IN_A_ROW);
}

fn spawns_in_a_row() {
    // shows: process-parent-descriptors-not-left-behind
    leave_no_trace(by_spawn, SPAWNED_IN_A_ROW);
}

fn at_once() {
    in_child(|| {
        let before = descriptor_count();
        let (until, release) = std::io::pipe().map_err(|error| error.to_string())?;
        let mut release = Some(release);
        let mut children = Vec::new();
        for number in 0..AT_ONCE {
            let wait = || {
                release.take(); // the copy of this process
                let read = std::io::Read::read(&mut &until, &mut [0]);
                ExitCode(read.map_or(-1, |_| number as i32))
            };
            children.push(Process::fork("", wait).map_err(text)?);
        }
        check(active_children().len() == AT_ONCE, "all live at once")?;
        drop(release);
        for (number, child) in children.iter().enumerate() {
            let status = child.join(LIMIT);
            check(status == Ok(ExitStatus::Code(number as i32)), &format!("{number}: {status:?}"))?;
        }
        drop((children, until));
        check(!has_children() && active_children().is_empty(), "nothing is left")?;
        check(descriptor_count() == before, "nor a descriptor")
    });
}
