//! Limits after which a test fails, and what every manager leaves: nothing.

use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use purlin_process::{ExitStatus, Outcome, Process};

/// Far beyond what any of these tests needs.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// A limit that passes, with nobody to come.
pub(crate) const BRIEF: Duration = Duration::from_millis(50);

pub(crate) type Test = (&'static str, fn());

/// Runs a test in a thread, and ends the whole program if it hangs: its children are daemons, or
/// wait with limits.
pub(crate) fn run(name: &str, test: fn()) {
    let before = descriptor_count("self");
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
    until("the descriptors are as before", || descriptor_count("self") <= before + SLACK);
}

/// What the libraries keep once they have been used: default segments, the lifeline, lock files.
const SLACK: usize = 8;

/// How many descriptors a process has.
pub(crate) fn descriptor_count(process: &str) -> usize {
    std::fs::read_dir(format!("/proc/{process}/fd")).map_or(0, Iterator::count)
}

/// Looks until it is so.
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < LIMIT / 2, "waited in vain until {what}");
        pause(Duration::from_millis(1));
    }
}

/// Lets time pass between two looks at evidence.
pub(crate) fn pause(limit: Duration) {
    let (_keep, nobody) = channel::<()>();
    let _ = nobody.recv_timeout(limit);
}

/// Whether each thread of a process sleeps: then it waits for somebody.
pub(crate) fn sleeps(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().next());
    state == Some("S")
}

/// A child that is killed if it has not ended when this is dropped.
pub(crate) struct Child(pub(crate) Process);

impl Child {
    /// A fork that runs `function`.
    pub(crate) fn run<R: Outcome>(function: impl FnOnce() -> R) -> Self {
        Self(Process::fork("child", function).expect("a child"))
    }

    /// Waits for its success.
    #[track_caller]
    pub(crate) fn succeeds(self) {
        assert_eq!(self.0.join(LIMIT), Ok(ExitStatus::Code(0)));
    }

    /// Ends it, wherever it is.
    pub(crate) fn kill(self) {
        self.0.kill().expect("it is ours");
        self.0.join(LIMIT).expect("a killed child ends");
    }

    /// Looks until it waits, having said so before.
    pub(crate) fn waits(&self) {
        until("the child waits", || sleeps(self.0.pid()));
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.0.is_alive() == Ok(true) {
            let _ = self.0.kill(); // the test has failed already
            let _ = self.0.join(LIMIT);
        }
    }
}

/// Sleeps until it is killed.
pub(crate) fn sleep_on() {
    loop {
        thread::park();
    }
}
