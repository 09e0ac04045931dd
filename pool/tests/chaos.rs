//! Many small tasks, and workers killed amid them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use purlin_pool::{Error, Pool, WorkerView};
use rustix::process::{Pid, Signal, kill_process};

use crate::bounded::{LIMIT, Test, pause};

pub(crate) const TESTS: &[Test] =
    &[("each_task_is_done_or_lost_once", each_task_is_done_or_lost_once)];

/// `PURLIN_CHAOS=100000` for the whole.
fn task_count() -> u64 {
    std::env::var("PURLIN_CHAOS").ok().and_then(|count| count.parse().ok()).unwrap_or(4000)
}

/// So many workers are killed at the least: there are more tasks until then.
const KILLED_MIN: usize = 30;

fn each_task_is_done_or_lost_once() {
    chaos(&Pool::fork(4).unwrap());
    chaos(&Pool::spawn(4).unwrap());
}

fn chaos(pool: &Pool) {
    // Where workers begin slowly, all of them would be killed before, until the pool fails.
    let is_victim = |worker: &&WorkerView| worker.done_count > 0;
    let (is_over, killed) = (AtomicBool::new(false), AtomicUsize::new(0));
    let count = task_count();
    thread::scope(|scope| {
        scope.spawn(|| {
            let _ends = Ends(&is_over); // nobody waits for a killer that failed
            for turn in 0.. {
                let workers = pool.workers().unwrap();
                let victim = workers.get(turn % 4).filter(is_victim);
                if let Some(pid) = victim.and_then(|one| Pid::from_raw(one.pid)) {
                    // It may have ended by itself.
                    let _ = kill_process(pid, Signal::KILL);
                    killed.fetch_add(1, SeqCst);
                }
                if is_over.load(SeqCst) {
                    break;
                }
                pause(Duration::from_millis(10));
            }
        });
        let _ends = Ends(&is_over);
        let work = |n: u64| (0..200).fold(n, |sum, k| sum ^ (k * n)) & 1 | n << 1;
        let (mut done, mut lost) = (0, 0);
        let goes_on =
            |n: &u64| *n < count || (killed.load(SeqCst) < KILLED_MIN && !is_over.load(SeqCst));
        let results = pool.imap(work, (0..).take_while(goes_on), 1).unwrap();
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
        let killed = killed.load(SeqCst);
        assert!(done + lost >= count && killed >= KILLED_MIN, "{done} done, {killed} killed");
        // One that was killed while it was looked at may be counted a moment later.
        assert!(lost <= killed as u64 + 1, "{lost} lost, {killed} killed");
        eprintln!("{done} done, {lost} lost, {killed} killed");
    });
    pool.close().unwrap();
    pool.join(LIMIT).unwrap();
}

/// Says that it is over, also when it is by a panic.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}
