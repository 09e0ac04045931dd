//! For how long nobody can see that a process has died.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::time::Duration;
use std::io::{self, ErrorKind};
use std::time::Instant;

use purlin_sync::Lock;

use crate::limits::WAIT_LIMIT_NANOS;
use crate::sys::{Child, Shared};

/// Kills a process that does nothing but write down what time it is, and measures from what it
/// wrote last until its death can be seen in the segment of `lock`.
///
/// # Errors
/// * Kind `TimedOut` when it did not begin, or its death was not seen, within half a minute.
/// * What the system calls answer.
pub fn unseen_death(lock: &Lock) -> io::Result<Duration> {
    let start = Instant::now();
    let nanos = || u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
    let alive_at = Shared::<AtomicU64>::zeroed()?;
    let segment = lock.segment();
    let attachment = segment.attachment();
    let child = Child::fork(|ends| {
        let is_known = attachment.token_or_register().is_ok_and(|token| ends.report(token).is_ok());
        if !is_known {
            return 1;
        }
        loop {
            alive_at.store(nanos(), Relaxed); // orders nothing: it is read after the child's end
        }
    })?;
    let token = child.report()?;
    until(|| Ok(alive_at.load(Relaxed) != 0))?;
    child.kill()?;
    let mut seen_at = 0;
    until(|| {
        let is_dead = attachment.is_dead(token, 0).map_err(io::Error::other)?;
        seen_at = nanos();
        Ok(is_dead)
    })?;
    let unseen = seen_at.saturating_sub(alive_at.load(Relaxed));
    child.wait()?;
    Ok(Duration::from_nanos(unseen))
}

/// Asks again and again, half a minute at most.
fn until(mut is_so: impl FnMut() -> io::Result<bool>) -> io::Result<()> {
    let start = Instant::now();
    while !is_so()? {
        if start.elapsed() > Duration::from_nanos(WAIT_LIMIT_NANOS) {
            return Err(ErrorKind::TimedOut.into());
        }
    }
    Ok(())
}
