//! Limits after which a test fails, and children that it does not leave behind.

use core::time::Duration;
use std::path::{Path, PathBuf};
use std::time::Instant;

use purlin_process::{ExitStatus, Process};

/// Far beyond what any of these tests needs.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// A child that is killed if it has not ended when this is dropped.
pub(crate) struct Child(pub(crate) Process);

impl Child {
    /// A fork that runs `function`.
    pub(crate) fn run(function: impl FnOnce() -> Result<(), String>) -> Self {
        Self(Process::fork("child", function).expect("a child"))
    }

    /// Waits for its success.
    pub(crate) fn succeeds(self, what: &str) {
        assert_eq!(self.0.join(LIMIT), Ok(ExitStatus::Code(0)), "{what}");
    }

    /// Ends it, wherever it is.
    pub(crate) fn kill(self) {
        self.0.kill().expect("it is ours");
        self.0.join(LIMIT).expect("a killed child ends");
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

/// Where the kernel says what the calling thread is doing.
pub(crate) fn own_state() -> PathBuf {
    Path::new("/proc").join(std::fs::read_link("/proc/thread-self").unwrap()).join("stat")
}

/// Waits until the thread whose state is told there sleeps; false when it does not.
pub(crate) fn falls_asleep(state: &Path) -> bool {
    let begin = Instant::now();
    while begin.elapsed() < LIMIT {
        let stat = std::fs::read_to_string(state).unwrap_or_default();
        if stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" S")) {
            return true;
        }
        std::thread::yield_now();
    }
    false
}

/// Waits until the thread whose state is told there is amid one of these system calls.
pub(crate) fn comes_to(state: &Path, calls: &[i64]) -> bool {
    let begin = Instant::now();
    while begin.elapsed() < LIMIT {
        let said = std::fs::read_to_string(state.with_file_name("syscall")).unwrap_or_default();
        let call = said.split(' ').next().and_then(|number| number.parse().ok());
        if call.is_some_and(|call: i64| calls.contains(&call)) {
            return true;
        }
        std::thread::yield_now();
    }
    false
}

/// An error as a child's message.
pub(crate) fn text(error: impl core::fmt::Display) -> String {
    error.to_string()
}
