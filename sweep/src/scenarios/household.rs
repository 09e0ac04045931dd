//! Where children are started: what those say that run, how they are told to end, and what a parent
//! that was killed in a start, or at its end, may leave behind.
//!
//! Whoever outlives its parent comes to the stage, which collects it. A guardian, which has nothing
//! to do with the parent, has the pipes: forked copies of the parent have no end of them, and what
//! the children wait for is the guardian's end, which comes with the stage's at the latest.

use std::fs::{File, OpenOptions, read_dir};
use std::io::{Read, Write, pipe};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::{Deserialize, Serialize};

use crate::limits::{ORPHANS_LIMIT, SURVIVORS_LIMIT};
use crate::patience::{comes_to_be, comes_within};
use crate::sys::cells::Cells;
use crate::sys::evidence::{children, state};
use crate::sys::process::{Child, idle_until, reap_orphans, send};
use crate::verdict::{Failure, Kind, Outcome, check};

/// A child that a scenario knows of; its place in the list is its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// It ends with its parent.
    pub(super) is_daemon: bool,
    /// It was started before the region, and has said that it runs.
    pub(super) is_elder: bool,
    /// How many descriptors it has more than [`Household::set_base`] says.
    pub(super) more_fd_count: i64,
}

/// How the parent lets a child run, and when a scenario has the child stopped until its parent is
/// dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Start {
    /// The system call by which the child is let run, and how many of them that takes.
    pub(super) go: i64,
    pub(super) go_count: u64,
    pub(super) hold: Hold,
}

/// When the new child is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    Never,
    /// As soon as the parent has come back from the call that made it.
    AtBirth,
    /// Before the parent makes the first of the calls by which it lets it run.
    BeforeGo,
}

/// What is there in each stage of this kind.
pub(super) struct Household {
    cells: Cells,
    guardian: Child,
    /// What the children said.
    words: File,
    start: Start,
    members: &'static [Member],
}

/// Cells: the guardian's pipes.
const WORDS_FD: usize = 0;
const UNTIL_FD: usize = 1;
const IS_MADE: usize = 2;
/// How many of the calls by which it lets the child run the parent has begun, and come back from;
/// and whether it has come back from the start.
const GO_BEGUN: usize = 3;
const GO_IS_OVER: usize = 4;
const START_IS_OVER: usize = 5;
/// Descriptors of the parent before the region; or what a child has that inherits none.
const BASE: usize = 6;
/// From here on cells are the scenario's own.
pub(super) const FREE: usize = 8;

/// A word: what, who, a number of descriptors, the speaker's pid.
const WORD_BYTES: usize = 8;
const RUNS: u8 = b'r';
const ENDS: u8 = b'e';

/// Between two looks of a child at whether it is to end.
const IDLE: Duration = Duration::from_millis(1);

impl Household {
    pub(super) fn new(start: Start, members: &'static [Member]) -> Result<Self, Failure> {
        let cells = Cells::new()?;
        let guardian = Child::start(|| match (pipe(), pipe()) {
            (Ok(words), Ok(until)) => {
                cells.set(WORDS_FD, words.1.as_raw_fd() as u64);
                cells.set(UNTIL_FD, until.0.as_raw_fd() as u64);
                cells.set(IS_MADE, 1);
                idle_until(|| false);
                0
            }
            _ => 1,
        })?;
        let is_made = comes_to_be(|| cells.get(IS_MADE) == 1 || guardian.has_ended());
        check(is_made && !guardian.has_ended(), Kind::SetupFailed, || "no pipes".to_owned())?;
        let path = format!("/proc/{}/fd/{}", guardian.pid(), cells.get(WORDS_FD));
        let words = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
        Ok(Self { cells, guardian, words, start, members })
    }

    pub(super) fn cell(&self, index: usize) -> u64 {
        self.cells.get(index)
    }

    pub(super) fn set_cell(&self, index: usize, value: u64) {
        self.cells.set(index, value);
    }

    /// What a child needs to know. Its number is its place among the members.
    pub(super) fn life(&self, number: u8) -> Life {
        let (words, until) = (self.cells.get(WORDS_FD), self.cells.get(UNTIL_FD));
        Life { guardian: self.guardian.pid(), words, until, number }
    }

    /// The parent, before the region, or for a child that inherits nothing: what it has.
    pub(super) fn set_base(&self, fd_count: u64) {
        self.cells.set(BASE, fd_count);
    }

    /// The parent has come back from the start.
    pub(super) fn set_started(&self) {
        self.cells.set(START_IS_OVER, 1);
    }

    /// In the parent: waits until so many words have been said.
    pub(super) fn await_words(&self, count: u64) -> Outcome {
        let are_said = || {
            let said = rustix::io::ioctl_fionread(&self.words).unwrap_or(0);
            said >= count * WORD_BYTES as u64
        };
        check(comes_to_be(are_said), Kind::Hang, || "a child does not come to run".to_owned())
    }

    /// The parent is about to make a system call.
    pub(super) fn call_begins(&self, pid: i32, number: u64) -> Outcome {
        if !self.is_go(number) {
            return Ok(());
        }
        self.cells.add(GO_BEGUN, 1);
        if self.start.hold == Hold::BeforeGo { stop_children_of(pid) } else { Ok(()) }
    }

    /// The parent has come back from one.
    pub(super) fn call_is_over(&self, pid: i32, number: u64) -> Outcome {
        if self.is_go(number) {
            self.cells.add(GO_IS_OVER, 1);
        }
        let is_birth =
            [libc::SYS_fork, libc::SYS_clone, libc::SYS_clone3].contains(&signed(number));
        if is_birth && self.start.hold == Hold::AtBirth {
            return stop_children_of(pid);
        }
        Ok(())
    }

    fn is_go(&self, number: u64) -> bool {
        signed(number) == self.start.go
    }

    /// The stage, when the parent has ended: looks at who is left, tells them to end, and collects
    /// everybody.
    pub(super) fn judge(&mut self) -> Outcome {
        self.children().into_iter().for_each(|pid| _ = send(pid, libc::SIGCONT));
        let mut words = Words::default();
        let mut look_count = 0;
        let is_settled = comes_within(SURVIVORS_LIMIT, || {
            reap_orphans();
            words.hear(&self.words);
            let are_fine = self.children().iter().all(|pid| self.may_live(&words, *pid));
            look_count = if are_fine { look_count + 1 } else { 0 };
            look_count == 2 // see `children`
        });
        if !is_settled {
            return Err(self.accuse(&words));
        }
        self.guardian.kill(); // which tells all of them
        let are_gone = comes_within(ORPHANS_LIMIT, || !reap_orphans());
        check(are_gone, Kind::Hang, || "a child that was told to end does not".to_owned())?;
        words.hear(&self.words);
        (0..self.members.len()).try_for_each(|number| self.judge_member(&words, number))
    }

    /// Who is left, but the guardian.
    fn children(&self) -> Vec<i32> {
        let mut all = children(std::process::id().cast_signed());
        all.retain(|pid| *pid != self.guardian.pid());
        all
    }

    /// Whether a child may be there that is not told to end: it is no daemon, and runs.
    fn may_live(&self, words: &Words, pid: i32) -> bool {
        let member = words.speaker(pid).and_then(|number| self.members.get(number));
        member.is_some_and(|member| !member.is_daemon)
    }

    fn accuse(&self, words: &Words) -> Failure {
        for pid in self.children() {
            let state = state(pid).unwrap_or('?');
            match words.speaker(pid) {
                Some(number) if !self.may_live(words, pid) => {
                    let says = format!("daemon {number} outlives its parent, state {state}");
                    return Failure::new(Kind::Orphan, says);
                }
                Some(_) => {}
                None => {
                    let says = format!("a child neither runs nor ends, state {state}");
                    return Failure::new(Kind::Hang, says);
                }
            }
        }
        Failure::new(Kind::Hang, "somebody has ended only now")
    }

    fn judge_member(&self, words: &Words, number: usize) -> Outcome {
        let member = self.members[number];
        let (runs, ends) = (words.count(RUNS, number), words.count(ENDS, number));
        check(runs <= 1, Kind::Duplicate, || format!("child {number} ran {runs} times"))?;
        check(!member.is_daemon || ends == 0, Kind::Orphan, || {
            format!("daemon {number} has outlived its parent")
        })?;
        let has_come_to = |step| self.cells.get(step) >= self.start.go_count;
        let is_known = member.is_elder || self.cells.get(START_IS_OVER) == 1;
        let may_run = is_known || has_come_to(GO_BEGUN);
        check(runs == 0 || may_run, Kind::Orphan, || {
            format!("child {number} ran, and its parent had died before it let it")
        })?;
        let must_run = is_known || has_come_to(GO_IS_OVER);
        let does_end = runs == 1 && ends == 1;
        check(member.is_daemon || !must_run || does_end, Kind::Lost, || {
            format!(
                "child {number} was let run, and said {runs} times so, and {ends} times its end"
            )
        })?;
        let wanted = self.cells.get(BASE).cast_signed() + member.more_fd_count;
        match words.fd_count(number).filter(|_| !member.is_elder) {
            Some(count) if i64::from(count) != wanted => {
                let says = format!("child {number} has {count} descriptors, not {wanted}");
                Err(Failure::new(Kind::Corrupt, says))
            }
            _ => Ok(()),
        }
    }
}

/// What has been said.
#[derive(Default)]
struct Words(Vec<[u8; WORD_BYTES]>);

impl Words {
    fn hear(&mut self, mut words: &File) {
        let mut word = [0; WORD_BYTES];
        // Written in one piece each, so that they are read so.
        while words.read(&mut word).is_ok_and(|count| count == WORD_BYTES) {
            self.0.push(word);
        }
    }

    fn count(&self, what: u8, number: usize) -> usize {
        self.0.iter().filter(|word| word[0] == what && usize::from(word[1]) == number).count()
    }

    fn fd_count(&self, number: usize) -> Option<u16> {
        let mut said = self.0.iter().filter(|word| word[0] == RUNS);
        let word = said.find(|word| usize::from(word[1]) == number)?;
        Some(u16::from_le_bytes([word[2], word[3]]))
    }

    /// The number of the child that goes by this pid and has said that it runs.
    fn speaker(&self, pid: i32) -> Option<usize> {
        let word = self.0.iter().find(|word| word[0] == RUNS && word[4..] == pid.to_le_bytes())?;
        Some(word[1].into())
    }
}

/// How a child lives: what it needs to know, in whatever process.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Life {
    guardian: i32,
    words: u64,
    until: u64,
    number: u8,
}

impl Life {
    /// Says that it runs, and idles until it is told to end, or `is_over`. Returns its status.
    pub(super) fn live(self, is_over: impl Fn() -> bool) -> i32 {
        i32::from(self.try_live(is_over).is_err())
    }

    fn try_live(self, is_over: impl Fn() -> bool) -> std::io::Result<()> {
        let path = |fd: u64| format!("/proc/{}/fd/{fd}", self.guardian);
        let until = File::open(path(self.until))?;
        let mut words = OpenOptions::new().write(true).open(path(self.words))?;
        words.write_all(&self.word(RUNS)?)?;
        let limit = Timespec::try_from(IDLE).expect("a millisecond");
        while !is_over() {
            let mut entries = [PollFd::new(&until, PollFlags::IN)];
            if poll(&mut entries, Some(&limit)) == Ok(1) {
                break;
            }
        }
        words.write_all(&self.word(ENDS)?)
    }

    fn word(self, what: u8) -> std::io::Result<[u8; WORD_BYTES]> {
        let mut word = [what, self.number, 0, 0, 0, 0, 0, 0];
        // Those that it needs to speak are its own.
        let fd_count = own_fd_count()? - SPEAKER_FD_COUNT;
        word[2..4].copy_from_slice(&(fd_count as u16).to_le_bytes());
        word[4..].copy_from_slice(&std::process::id().to_le_bytes());
        Ok(word)
    }
}

/// The pipes' ends of one that lives.
const SPEAKER_FD_COUNT: u64 = 2;

/// How many descriptors this process has.
pub(super) fn own_fd_count() -> std::io::Result<u64> {
    Ok(read_dir("/proc/self/fd")?.count() as u64 - 1) // one is for the look
}

/// Stops whoever the parent has started, until the parent is dead.
fn stop_children_of(pid: i32) -> Outcome {
    for child in children(pid) {
        send(child, libc::SIGSTOP);
        let is_stopped = comes_to_be(|| matches!(state(child), None | Some('T' | 'Z' | 'X')));
        check(is_stopped, Kind::SetupFailed, || format!("{child} is not stopped"))?;
    }
    Ok(())
}

/// The number of a system call, as libc has it.
const fn signed(number: u64) -> i64 {
    number.cast_signed()
}
