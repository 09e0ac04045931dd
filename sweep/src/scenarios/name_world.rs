//! A name of a stage's own: who made it lead somewhere, who took it away, and from that, whether it
//! must stand in the end, and whether it may.

use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use purlin_shm::Name;
use purlin_sync::{Error, Lock};
use rustix::process::{Pid, getpid, setpgid};

use crate::journal::Journal;
use crate::stage::Turn;
use crate::sys::clock;
use crate::sys::evidence::{is_asleep, sleep_count};
use crate::sys::process::{Child, idle_as_orphan, idle_until, leave};
use crate::sys::segment_file::SegmentFile;
use crate::verdict::{Failure, Kind, Outcome, check};

/// What is under the name is a lock. No stage has it mapped: its roles would live in it.
pub(super) struct NameWorld {
    pub(super) journal: Journal,
    pub(super) name: Name,
    path: PathBuf,
    /// The file that the setup left under the name, if any.
    first: Option<u64>,
    /// Removes the name when the stage is killed.
    _guardian: Child,
    /// Given back by the last of the stage's processes.
    _turn: fs::File,
}

/// Who has an account.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Victim,
    Second,
    /// Whoever acts while the victim stands still, and may be held back by it for a second.
    Other,
    Checker,
}

const WHO_COUNT: usize = 4;

/// Journal cells: what each has made, and what each has taken away; and more, if a scenario needs
/// it, from `FREE` on.
const MADE: usize = 0;
const TAKEN: usize = WHO_COUNT;
pub(super) const FREE: usize = 2 * WHO_COUNT;
/// What stands in such a cell. Whoever is killed in between may have done it, or not.
const BEGUN: u64 = 1;
const DONE: u64 = 2;

/// Who has rested so often in a wait is held back by whoever stands still.
const HELD_BACK_SLEEP_COUNT: u64 = 4;

/// Whose lock says which stage has its turn: a folder that is there everywhere.
const TURN: &str = "/tmp";

/// Where the library has its names, and what it puts before each.
const FOLDER: &str = "/dev/shm";
const PREFIX: &str = "purlin.";

impl NameWorld {
    /// A name that leads nowhere.
    pub(super) fn new() -> Result<Self, Failure> {
        let turn = await_turn()?;
        let text = format!("sweep-{}-{}", std::process::id(), clock::now().as_nanos());
        let path = Path::new(FOLDER).join(format!("{PREFIX}{text}"));
        let guardian = guardian_of(&path)?;
        let (journal, name) = (Journal::new()?, Name::new(&text)?);
        Ok(Self { journal, name, path, first: None, _guardian: guardian, _turn: turn })
    }

    /// A name that leads to a segment that nobody lives in.
    pub(super) fn with_segment() -> Result<Self, Failure> {
        let mut world = Self::new()?;
        Child::start(|| i32::from(Lock::create(&world.name).is_err()))?.reap();
        world.first = world.file();
        check(world.first.is_some(), Kind::SetupFailed, || "no segment was made".to_owned())?;
        Ok(world)
    }

    pub(super) fn account(&self, who: Who) -> Account<'_> {
        Account { world: self, who }
    }

    /// The file that the name leads to: its inode.
    fn file(&self) -> Option<u64> {
        fs::symlink_metadata(&self.path).ok().map(|data| data.ino())
    }

    /// Whether somebody else may have taken away what stood there.
    pub(super) fn may_be_taken_by(&self, who: Who) -> bool {
        self.journal.cell(TAKEN + who as usize) >= BEGUN
    }

    /// Whether somebody has made the name lead somewhere.
    pub(super) fn is_made_by(&self, who: Who) -> bool {
        self.journal.cell(MADE + who as usize) == DONE
    }

    /// Who lives in a segment whose name nobody may take away finds it by this name.
    pub(super) fn check_leads_to(&self, lock: &Lock) -> Outcome {
        let (mine, found) = (file_of(lock)?, self.file());
        let outcome = check(found == Some(mine), Kind::Lost, || {
            format!("the name of living segment {mine} leads to {found:?}")
        });
        self.journal.accuse(outcome)
    }

    /// [`check_leads_to`](Self::check_leads_to), and a collection does not change that.
    pub(super) fn check_lives(&self, lock: &Lock) -> Outcome {
        self.check_leads_to(lock)?;
        let is_taken = self.name.collect()?;
        let says = || "a living segment was collected".to_owned();
        self.journal.accuse(check(!is_taken, Kind::Lost, says))?;
        self.check_leads_to(lock)
    }

    /// Does `work`, which the victim may hold back: when it is seen to wait, the victim goes on.
    pub(super) fn while_still<T>(&self, turn: &Turn<'_>, work: impl FnOnce() -> T) -> T {
        let (worker, before) = (getpid().as_raw_pid(), sleep_count(getpid().as_raw_pid()));
        let is_held_back =
            || is_asleep(worker) && sleep_count(worker) >= before + HELD_BACK_SLEEP_COUNT;
        // Without it a wait lasts a second, and that is all.
        let watcher = Child::start(|| {
            idle_until(is_held_back);
            turn.stay();
            0
        });
        let answer = work();
        drop(watcher);
        answer
    }

    /// The checker's: nobody is left. The name stands or is gone, as the accounts allow; what it
    /// leads to is whole and nobody's; and all can be done again, at once.
    pub(super) fn settle(&self) -> Outcome {
        self.journal.check_accused()?;
        let (least, most) = self.owed();
        let file = self.file();
        let stands = i64::from(file.is_some());
        check(stands >= least, Kind::Lost, || "the name is gone, and nobody took it".to_owned())?;
        check(stands <= most, Kind::Duplicate, || "a name stands that was taken".to_owned())?;
        if file.is_some() {
            self.check_nobody_is_in()?;
        }
        let checker = self.account(Who::Checker);
        let found = checker.open()?;
        check(found.as_ref().map(file_of).transpose()? == file, Kind::Corrupt, || {
            format!("the name leads to {file:?}, and an open answers {found:?}")
        })?;
        if let Some(lock) = found {
            drop(lock.try_acquire()?.sound()?);
            self.check_lives(&lock)?;
        }
        let is_taken = checker.collect()?;
        check(is_taken == file.is_some(), Kind::Lost, || format!("collected: {is_taken}"))?;
        self.check_again(checker)
    }

    fn check_again(&self, checker: Account<'_>) -> Outcome {
        check(checker.open()?.is_none(), Kind::Duplicate, || "it is still there".to_owned())?;
        let made = checker.create()?;
        check(made.is_some(), Kind::Lost, || "nobody has the name, and it is taken".to_owned())?;
        check(checker.unlink()?, Kind::Lost, || "the name is gone".to_owned())?;
        check(!checker.unlink()?, Kind::Duplicate, || "taken twice".to_owned())?;
        drop(made);
        let left = files_with(self.name.as_str())?;
        check(left.is_empty(), Kind::Corrupt, || format!("left behind: {left:?}"))
    }

    fn check_nobody_is_in(&self) -> Outcome {
        let file = fs::File::open(&self.path)?;
        let taken = SegmentFile::open(file.as_fd())?.taken_slots()?;
        check(taken.is_empty(), Kind::Lost, || format!("the dead have slots {taken:?}"))
    }

    /// How many names stand, at least and at most.
    fn owed(&self) -> (i64, i64) {
        let first = i64::from(self.first.is_some());
        let count = |start: usize, value: u64| {
            (0..WHO_COUNT).filter(|who| self.journal.cell(start + who) >= value).count() as i64
        };
        let least = first + count(MADE, DONE) - count(TAKEN, BEGUN);
        let most = first + count(MADE, BEGUN) - count(TAKEN, DONE);
        (least, most)
    }
}

impl Drop for NameWorld {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path); // mostly gone already
    }
}

/// What one does to the name, written down before and after it.
#[derive(Clone, Copy)]
pub(super) struct Account<'a> {
    world: &'a NameWorld,
    who: Who,
}

impl Account<'_> {
    /// `None` when the name is taken.
    pub(super) fn create(&self) -> Result<Option<Lock>, Failure> {
        self.make(|| Lock::create(&self.world.name))
    }

    /// [`create`](Self::create) by a function of the caller's.
    pub(super) fn make(
        &self,
        make: impl FnOnce() -> Result<Lock, Error>,
    ) -> Result<Option<Lock>, Failure> {
        self.write(MADE, || match make() {
            Ok(lock) => Ok((DONE, Some(lock))),
            Err(Error::AlreadyExists) => Ok((0, None)),
            Err(other) => Err(failure_of("a creation", other)),
        })
    }

    /// `None` when there is no such name, or when the other was held back for a second.
    pub(super) fn open(&self) -> Result<Option<Lock>, Failure> {
        match Lock::open_named(&self.world.name) {
            Ok(lock) => Ok(Some(lock)),
            Err(Error::NoSuchName) => Ok(None),
            Err(Error::TimedOut) if self.who == Who::Other => Ok(None),
            Err(other) => Err(failure_of("an open", other)),
        }
    }

    /// Whether it took the name away; not when the other was held back for a second.
    pub(super) fn collect(&self) -> Result<bool, Failure> {
        self.take("a collection", || self.world.name.collect())
    }

    /// As [`collect`](Self::collect).
    pub(super) fn unlink(&self) -> Result<bool, Failure> {
        self.take("an unlink", || self.world.name.unlink().map(|()| true))
    }

    fn take(
        &self,
        what: &str,
        take: impl FnOnce() -> Result<bool, purlin_shm::Error>,
    ) -> Result<bool, Failure> {
        self.write(TAKEN, || match take() {
            Ok(true) => Ok((DONE, true)),
            Ok(false) | Err(purlin_shm::Error::NoSuchName) => Ok((0, false)),
            Err(purlin_shm::Error::TimedOut) if self.who == Who::Other => Ok((0, false)),
            Err(other) => Err(failure_of(what, other.into())),
        })
    }

    fn write<T>(
        &self,
        column: usize,
        act: impl FnOnce() -> Result<(u64, T), Failure>,
    ) -> Result<T, Failure> {
        let (journal, cell) = (&self.world.journal, column + self.who as usize);
        journal.set_cell(cell, BEGUN);
        let (state, answer) = act()?;
        journal.set_cell(cell, state);
        Ok(answer)
    }
}

/// What an answer means that nobody expects.
fn failure_of(what: &str, error: Error) -> Failure {
    let kind = match error {
        Error::Damaged | Error::Incompatible => Kind::Corrupt,
        Error::TimedOut => Kind::Hang, // it waited out its second
        _ => Kind::Crashed,
    };
    Failure::new(kind, format!("{what} answers {error}"))
}

fn file_of(lock: &Lock) -> Result<u64, Failure> {
    let stat = rustix::fs::fstat(lock.segment().descriptor()).map_err(std::io::Error::from)?;
    Ok(stat.st_ino)
}

/// Whatever in the folder has this in its name.
fn files_with(text: &str) -> Result<Vec<String>, Failure> {
    let mut found = Vec::new();
    for entry in fs::read_dir(FOLDER)? {
        found.push(entry?.file_name().to_string_lossy().into_owned());
    }
    found.retain(|name| name.contains(text));
    Ok(found)
}

/// Waits until no other stage of this machine has a name. The right to take names away is the
/// machine's, and whoever is stepped has it for so long that a second may pass for the others.
fn await_turn() -> std::io::Result<fs::File> {
    let folder = fs::File::open(TURN)?;
    loop {
        match folder.lock() {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            answer => return answer.map(|()| folder),
        }
    }
}

/// A child that removes the file when its parent has ended without having done so. It is in no
/// group that is killed.
fn guardian_of(path: &Path) -> Result<Child, Failure> {
    let stage = std::process::id();
    match Child::split(false)? {
        Some(child) => {
            setpgid(Pid::from_raw(child.pid()), None).map_err(std::io::Error::from)?;
            Ok(child)
        }
        None => {
            idle_as_orphan([stage; 2], || false);
            let _ = fs::remove_file(path); // mostly gone already
            leave(0)
        }
    }
}
