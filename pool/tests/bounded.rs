//! Limits after which a test fails, and what every pool leaves: nothing.

use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

/// Far beyond what any of these tests needs.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

pub(crate) type Test = (&'static str, fn());

/// Runs a test in a thread, and ends the whole program if it hangs: its children are daemons.
pub(crate) fn run(name: &str, test: fn()) {
    let before = descriptor_count();
    let (tell, told) = channel();
    let body = thread::spawn(move || {
        test();
        let _ = tell.send(());
    });
    let ended = told.recv_timeout(LIMIT);
    if ended == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
        eprintln!("{name}: hung for {LIMIT:?}");
        std::process::abort();
    }
    body.join().unwrap_or_else(|payload| std::panic::resume_unwind(payload));
    assert_eq!(purlin_process::active_children(), [], "{name}: children are left");
    until("the descriptors are as before", || descriptor_count() <= before + SLACK);
}

/// What the library keeps once it has been used: default segments, the lifeline, lock files.
const SLACK: usize = 8;

pub(crate) fn descriptor_count() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

/// Lets time pass between two looks at evidence.
pub(crate) fn pause(limit: Duration) {
    let limit = rustix::event::Timespec::try_from(limit).expect("it is short");
    let _ = rustix::event::poll(&mut [], Some(&limit));
}

/// Looks until it is so.
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < LIMIT, "waited in vain until {what}");
        pause(Duration::from_millis(1));
    }
}

/// Runs a body with a pool of so many, of each kind.
#[macro_export]
macro_rules! with_each {
    ($count:expr, |$pool:ident| $body:block) => {{
        {
            let $pool = purlin_pool::Pool::fork($count).expect("workers by fork");
            $body
        }
        {
            let $pool = purlin_pool::Pool::spawn($count).expect("workers by spawn");
            $body
        }
        {
            let $pool = purlin_pool::ThreadPool::new($count).expect("threads");
            $body
        }
    }};
}
