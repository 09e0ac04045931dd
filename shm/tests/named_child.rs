//! A child that has a named segment and has not used it. A program of its own: a fork makes a child
//! that lives in all its parent has.

use std::io::{PipeReader, Read};
use std::os::fd::AsRawFd;
use std::time::Duration;

use purlin_process::{ExitStatus, Process};
use purlin_shm::{Name, Segment};

/// After this long the test says what it waited for.
const LIMIT: Duration = Duration::from_secs(60);

/// A name that is gone when the test ends, however it ends.
struct Own(Name);

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.0.unlink();
    }
}

/// Killed and collected when the test is over, however it ends.
struct Waiting(Process);

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.join(LIMIT);
    }
}

#[test]
fn a_forked_child_that_has_not_used_it_lives_in_it() {
    let own = Own(Name::new(&format!("test-child-{}", std::process::id())).expect("a name"));
    let name = &own.0;
    let segment = Segment::create(name, 4096).expect("a segment");
    let (until, end) = std::io::pipe().expect("a pipe");
    let child = Waiting(waiting_child(until, end.as_raw_fd()));
    drop(segment);
    assert_eq!(name.collect(), Ok(false));
    drop(end);
    assert_eq!(child.0.join(LIMIT), Ok(ExitStatus::Code(0)));
    assert_eq!(name.collect(), Ok(true));
}

/// A child that ends when the pipe does.
fn waiting_child(mut until: PipeReader, end: i32) -> Process {
    let child = Process::fork("waits", move || {
        // SAFETY: This process's copy of a descriptor that only its parent uses.
        unsafe { libc::close(end) };
        until.read(&mut [0]).map(|_| ()).map_err(|error| error.to_string())
    });
    child.expect("a child")
}
