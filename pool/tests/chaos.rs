//! Many small tasks, and workers killed amid them.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use purlin_pool::{Error, Pool};
use rustix::process::{Pid, Signal, kill_process};

use crate::bounded::{LIMIT, Test, pause};

pub(crate) const TESTS: &[Test] =
    &[("each_task_is_done_or_lost_once", each_task_is_done_or_lost_once)];

/// `PURLIN_CHAOS=100000` for the whole.
fn task_count() -> u64 {
    std::env::var("PURLIN_CHAOS").ok().and_then(|count| count.parse().ok()).unwrap_or(4000)
}

fn each_task_is_done_or_lost_once() {
    let pool = Pool::fork(4).unwrap();
    let is_over = AtomicBool::new(false);
    let count = task_count();
    thread::scope(|scope| {
        let killer = scope.spawn(|| {
            let mut killed = 0_usize;
            while !is_over.load(SeqCst) {
                let workers = pool.workers().unwrap();
                if let Some(pid) = workers.get(killed % 4).and_then(|one| Pid::from_raw(one.pid)) {
                    // It may have ended by itself.
                    let _ = kill_process(pid, Signal::KILL);
                    killed += 1;
                }
                pause(Duration::from_millis(10));
            }
            killed
        });
        let work = |n: u64| (0..200).fold(n, |sum, k| sum ^ (k * n)) & 1 | n << 1;
        let (mut done, mut lost) = (0, 0);
        let results = pool.imap(work, 0..count, 1).unwrap();
        for (n, outcome) in (0..).zip(results) {
            match outcome {
                Ok(value) => {
                    assert_eq!(value, work(n));
                    done += 1;
                }
                Err(Error::WorkerLost(_)) => lost += 1,
                Err(other) => panic!("{other}"),
            }
        }
        is_over.store(true, SeqCst);
        let killed = killer.join().unwrap();
        assert_eq!(done + lost, count);
        assert!(lost <= killed as u64, "{lost} lost, {killed} killed");
        eprintln!("{done} done, {lost} lost, {killed} killed");
    });
    pool.close().unwrap();
    pool.join(LIMIT).unwrap();
}
