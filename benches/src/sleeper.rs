//! Somebody who sleeps: how soon it goes on after the wake, and how often it wakes by itself.

use core::time::Duration;
use std::fs;
use std::io::{self, ErrorKind};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use rustix::thread::gettid;

use crate::limits::WAIT_LIMIT_NANOS;

/// Lets a thread fall asleep in `sleep`, and measures from before `wake` until it is out of there.
/// What it got there is dropped by the thread, and that is no part of the time.
///
/// # Errors
/// * Kind `TimedOut` when it does not fall asleep within half a minute.
/// * Kind `Other` when it panicked.
pub fn wake_sleeper<T>(
    sleep: impl FnOnce() -> T + Send,
    wake: impl FnOnce(),
) -> io::Result<Duration> {
    beside_sleeper(sleep, |tid| {
        let is_asleep = until_asleep(tid);
        let called = Instant::now();
        wake(); // in any case, or it would never end
        is_asleep.map(|()| called)
    })
    .map(|(called, out)| out.duration_since(called))
}

/// How often a second a thread that sleeps in `sleep` wakes by itself, counted by the kernel for
/// `length`, from when it has slept for `before` on. Then `wake` lets it go.
///
/// # Errors
/// As [`wake_sleeper`].
pub fn wakes_a_second(
    sleep: impl FnOnce() + Send,
    wake: impl FnOnce(),
    before: Duration,
    length: Duration,
) -> io::Result<f64> {
    let (counted, _) = beside_sleeper(sleep, |tid| {
        let counted = until_asleep(tid).and_then(|()| {
            thread::park_timeout(before); // nothing is ordered by it: it settles into its rhythm
            let (first, start) = (sleep_count(tid)?, Instant::now());
            thread::park_timeout(length);
            let count = sleep_count(tid)? - first;
            Ok(f64::from(count) / start.elapsed().as_secs_f64())
        });
        wake();
        counted
    })?;
    Ok(counted)
}

/// Runs `sleep` in a thread and `act` beside it, which gets the thread's id and has to see to it
/// that it ends. Returns what `act` did, and when the thread was out.
fn beside_sleeper<S, T>(
    sleep: impl FnOnce() -> S + Send,
    act: impl FnOnce(i32) -> io::Result<T>,
) -> io::Result<(T, Instant)> {
    thread::scope(|scope| {
        let (tell, told) = mpsc::channel();
        let sleeper = scope.spawn(move || {
            let _ = tell.send(gettid().as_raw_nonzero().get());
            let got = sleep();
            let out = Instant::now();
            drop(got);
            out
        });
        let tid = told.recv_timeout(limit()).map_err(|_| io::Error::from(ErrorKind::TimedOut))?;
        let answer = act(tid);
        let out = sleeper.join().map_err(|_| io::Error::other("the sleeper panicked"))?;
        Ok((answer?, out))
    })
}

/// Waits until the kernel says that the thread sleeps, which it does for its turn only.
pub(crate) fn until_asleep(tid: i32) -> io::Result<()> {
    let (start, path) = (Instant::now(), format!("/proc/self/task/{tid}/stat"));
    while start.elapsed() < limit() {
        // The state follows the name, which is in parentheses and may have any character in it.
        let stat = fs::read_to_string(&path)?;
        if stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('S')) {
            return Ok(());
        }
        thread::yield_now();
    }
    Err(ErrorKind::TimedOut.into())
}

/// How often the thread has gone to sleep, as `proc_pid_status(5)` has it.
fn sleep_count(tid: i32) -> io::Result<u32> {
    let status = fs::read_to_string(format!("/proc/self/task/{tid}/status"))?;
    let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    count.and_then(|count| count.trim().parse().ok()).ok_or_else(|| ErrorKind::InvalidData.into())
}

const fn limit() -> Duration {
    Duration::from_nanos(WAIT_LIMIT_NANOS)
}
