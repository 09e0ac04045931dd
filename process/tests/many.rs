//! Many children, in a row and at once: each with a status of its own, and nothing left of them.
//!
//! `PURLIN_MANY=10000 cargo test -p purlin-process --test many` starts so many in a row.

mod bounded;
mod traces;

use bounded::{LIMIT, check, in_child};
use purlin_process::{Error, ExitCode, ExitStatus, Process, active_children};
use traces::{descriptor_count, has_children};

/// Enough for a leak of one byte a child to fill a page, in less than two seconds.
const IN_A_ROW: usize = 2_000;
const AT_ONCE: usize = 200;

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

fn one_after_the_other(count: usize) -> Result<(), String> {
    for number in 0..count {
        let code = (number % 256) as i32;
        let child = Process::fork("", move || ExitCode(code)).map_err(text)?;
        check(child.join(LIMIT) == Ok(ExitStatus::Code(code)), "each has its own status")?;
    }
    Ok(())
}

#[test]
fn thousands_in_a_row_leave_memory_and_descriptors_as_they_were() {
    // shows: process-parent-descriptors-not-left-behind
    let wanted = std::env::var("PURLIN_MANY").ok().and_then(|count| count.parse().ok());
    let count = wanted.unwrap_or(IN_A_ROW);
    in_child(|| {
        one_after_the_other(WARM_UP)?;
        let before = (descriptor_count(), memory("VmData")?, memory("VmRSS")?);
        one_after_the_other(count)?;
        let after = (descriptor_count(), memory("VmData")?, memory("VmRSS")?);
        let grown = after.1.saturating_sub(before.1).max(after.2.saturating_sub(before.2));
        check(after.0 == before.0, &format!("{} descriptors, then {}", before.0, after.0))?;
        check(grown <= SLACK_KIB, &format!("{before:?} before, {after:?} KiB after"))?;
        check(!has_children() && active_children().is_empty(), "nothing is left")
    });
}

#[test]
fn two_hundred_at_once_have_each_its_own_status() {
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
