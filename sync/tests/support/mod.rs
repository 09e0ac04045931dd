//! Children that are surely gone at the end of a test, and messages that give the order.

pub(crate) mod condition;

use std::fs::File;
use std::io::{PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use purlin_process::{ExitCode, ExitStatus, Process};
use purlin_shm::{Object, Shared};
use purlin_sync::{Acquired, Error, Exclusive, Rules, Told};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// After this long a test says what it waited for. No test is ever this slow by itself.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// A child that is killed and collected when the test is over, however it ends.
pub(crate) struct Child(pub(crate) Process);

impl Child {
    pub(crate) fn run(name: &str, function: impl FnOnce() -> i32) -> Self {
        let line = lifeline();
        let child = Process::fork(name, || {
            line.let_go();
            ExitCode(function())
        });
        Self(child.expect("a child"))
    }

    /// Waits until its main thread sleeps on a word, and returns the operation, as in `futex(2)`.
    pub(crate) fn sleeps_on_a_word(&self) -> u64 {
        let begin = Instant::now();
        while begin.elapsed() < LIMIT {
            let path = format!("/proc/{}/syscall", self.0.pid());
            let text = std::fs::read_to_string(path).expect("the kernel's account of a child");
            let mut words = text.split_whitespace();
            if words.next() == Some(&libc::SYS_futex.to_string()) {
                let operation = words.nth(1).expect("the second argument");
                return u64::from_str_radix(&operation[2..], 16).expect("a number");
            }
            std::thread::yield_now();
        }
        panic!("waited in vain for {} to sleep", self.0.name());
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

/// What ends the children of a test program that is killed itself: the far end of a pipe.
struct Lifeline {
    reader: PipeReader,
    writer: PipeWriter,
    /// In this process, which is a child then.
    is_let_go: AtomicBool,
}

fn lifeline() -> &'static Lifeline {
    static LIFELINE: OnceLock<Lifeline> = OnceLock::new();
    LIFELINE.get_or_init(|| {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        Lifeline { reader, writer, is_let_go: AtomicBool::new(false) }
    })
}

impl Lifeline {
    /// In a child: closes its copy of the far end, once. A child's own child finds that done, and
    /// under the same number perhaps a descriptor that somebody needs.
    fn let_go(&self) {
        // Relaxed: the child's one thread.
        if !self.is_let_go.swap(true, Relaxed) {
            // SAFETY: This process's copy of a descriptor that only the test program uses, and it
            // by being there.
            unsafe { libc::close(self.writer.as_raw_fd()) };
        }
    }
}

/// The reading end of the lifeline, which is at its end when the test program is.
pub(crate) fn lifeline_reader() -> PipeReader {
    lifeline().reader.try_clone().expect("a descriptor")
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
        let line = &lifeline().reader;
        let mut ends = [PollFd::new(&self.reader, PollFlags::IN), PollFd::new(line, PollFlags::IN)];
        let ready = poll(&mut ends, Some(&limit));
        assert!(ready.is_ok_and(|count| count > 0), "waited in vain for {what}");
        assert!(!ends[0].revents().is_empty(), "the test program has ended");
        let mut bytes = [0; 4];
        (&self.reader).read_exact(&mut bytes).expect("four bytes");
        u32::from_le_bytes(bytes)
    }
}

/// A child that has acquired the lock, holds it, and idles.
pub(crate) fn holder<R: Rules>(lock: &Exclusive<R>) -> Child {
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
pub(crate) fn told<R: Rules>(lock: &Exclusive<R>) -> Result<Told, Error> {
    lock.acquire(LIMIT).map(Acquired::keep)
}

/// What a caller that does not wait is told.
pub(crate) fn told_at_once<R: Rules>(lock: &Exclusive<R>) -> Result<Told, Error> {
    lock.try_acquire().map(Acquired::keep)
}

/// What stands in a lock's word is overwritten, as by a peer that means harm.
pub(crate) fn overwrite<R: Rules>(lock: &Exclusive<R>, bytes: &[u8]) {
    let file = File::from(lock.segment().descriptor().try_clone_to_owned().expect("a descriptor"));
    file.write_all_at(bytes, lock.offset() + 16).expect("the segment's file");
}

/// A plain shared cell.
#[repr(C)]
pub(crate) struct Cell(pub(crate) AtomicU32);

// SAFETY: `repr(C)` and one atomic integer, of which any bits are a valid value.
unsafe impl Shared for Cell {}

impl Object for Cell {
    const KIND: u16 = 903;
    const VERSION: u16 = 1;
    type Row = ();
}
