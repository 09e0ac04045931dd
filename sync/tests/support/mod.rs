//! Children that are surely gone at the end of a test, and messages that give the order.

use std::io::{PipeReader, PipeWriter, Read, Write};
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use purlin_process::{ExitStatus, Process};
use purlin_shm::{Object, Shared};
use purlin_sync::{Acquired, Error, Lock, Told};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// After this long a test says what it waited for. No test is ever this slow by itself.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// A child that is killed and collected when the test is over, however it ends.
pub(crate) struct Child(pub(crate) Process);

impl Child {
    pub(crate) fn run(name: &str, function: impl FnOnce() -> i32) -> Self {
        Self(Process::fork(name, function).expect("a child"))
    }

    /// SIGKILL, and wait until it is gone.
    pub(crate) fn kill(&self) {
        self.0.kill().expect("a child of ours");
        assert_eq!(self.0.join(LIMIT), Ok(ExitStatus::Signal(9)), "{}", self.0.name());
    }

    /// Waits for its end, which must be a status of 0.
    pub(crate) fn succeed(&self) {
        assert_eq!(self.0.join(LIMIT), Ok(ExitStatus::Code(0)), "{}", self.0.name());
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Both fail when the child has been collected, which is as good.
        let _ = self.0.kill();
        let _ = self.0.join(LIMIT);
    }
}

/// A message from one process to another.
pub(crate) struct Signal {
    reader: PipeReader,
    writer: PipeWriter,
}

impl Signal {
    pub(crate) fn new() -> Self {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        Self { reader, writer }
    }

    pub(crate) fn give(&self) {
        self.tell(0);
    }

    pub(crate) fn take(&self, what: &str) {
        self.hear(what);
    }

    pub(crate) fn tell(&self, number: u32) {
        (&self.writer).write_all(&number.to_le_bytes()).expect("a reader");
    }

    /// The number that was told, or a failure that names `what` was waited for.
    pub(crate) fn hear(&self, what: &str) -> u32 {
        let limit = Timespec { tv_sec: LIMIT.as_secs().cast_signed(), tv_nsec: 0 };
        let ready = poll(&mut [PollFd::new(&self.reader, PollFlags::IN)], Some(&limit));
        assert_eq!(ready, Ok(1), "waited in vain for {what}");
        let mut bytes = [0; 4];
        (&self.reader).read_exact(&mut bytes).expect("four bytes");
        u32::from_le_bytes(bytes)
    }
}

/// A child that has acquired the lock, holds it, and idles.
pub(crate) fn holder(lock: &Lock) -> Child {
    let holds = Signal::new();
    let child = Child::run("holder", || {
        let told = lock.acquire(LIMIT).map(Acquired::keep);
        holds.tell(u32::from(told.is_ok()));
        idle()
    });
    assert_eq!(holds.hear("the holder to hold"), 1);
    child
}

/// Idles until it is killed, or the test must have failed.
pub(crate) fn idle() -> i32 {
    Signal::new().hear("a kill");
    1
}

/// What a caller with a limit is told.
pub(crate) fn told(lock: &Lock) -> Result<Told, Error> {
    lock.acquire(LIMIT).map(Acquired::keep)
}

/// What a caller that does not wait is told.
pub(crate) fn told_at_once(lock: &Lock) -> Result<Told, Error> {
    lock.try_acquire().map(Acquired::keep)
}

/// A plain shared cell.
#[repr(C)]
pub(crate) struct Cell(pub(crate) AtomicU32);

// SAFETY: `repr(C)` and one atomic integer, of which any bits are a valid value.
unsafe impl Shared for Cell {}

impl Object for Cell {
    const KIND: u16 = 903;
    const VERSION: u16 = 1;
}
