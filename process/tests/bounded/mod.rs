//! Children that no failing test leaves behind.
//!
//! What changes a whole process (limits, dispositions, fork handlers) is tried in a child with a
//! process group of its own, which is killed at the end, whatever became of it.

use std::time::Duration;

use purlin_process::{ExitStatus, Process};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process_group, setpgid};

/// Far beyond what any of these tests needs; whoever waits so long has found a hang.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Runs `body` in a child of its own and fails with its message.
pub(crate) fn in_child(body: impl FnOnce() -> Result<(), String>) {
    in_child_for(LIMIT, body);
}

/// The same for a body that may take so long.
pub(crate) fn in_child_for(limit: Duration, body: impl FnOnce() -> Result<(), String>) {
    let child = Process::fork("body", || {
        setpgid(None, None).map_err(|errno| format!("setpgid: {errno}"))?;
        body()
    });
    let child = child.expect("a child for the body of this test");
    let ended = becomes_ready(&child, limit);
    let group = Pid::from_raw(child.pid()).expect("a pid is positive");
    // Not collected yet, so the number is still its own. Gone already when the group is empty.
    let _ = kill_process_group(group, Signal::KILL);
    let _ = child.kill(); // it may have died before it had its group
    let status = child.join(LIMIT);
    assert!(ended, "the body of this test hung");
    assert_eq!(status, Ok(ExitStatus::Code(0)), "see the message above");
}

/// Waits until the child has ended, without collecting it.
pub(crate) fn becomes_ready(child: &Process, limit: Duration) -> bool {
    let sentinel = child.sentinel().expect("this is its parent");
    let limit = Timespec::try_from(limit).expect("minutes fit");
    loop {
        match poll(&mut [PollFd::new(&sentinel, PollFlags::IN)], Some(&limit)) {
            Err(rustix::io::Errno::INTR) => {}
            count => return count.expect("poll") > 0,
        }
    }
}

/// An error unless `holds`.
pub(crate) fn check(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("not so: {what}")) }
}
