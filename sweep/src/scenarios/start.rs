//! Starts of children, and the end of a parent: killed in them it leaves no daemon, nobody who runs
//! without having been let, and no descriptor in anybody.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use purlin_process::command::{Launch, Program};
use purlin_process::{Builder, ExitCode, ExitStatus, Process, active_children, shutdown};
use purlin_shm::Carry;
use purlin_sync::Lock;

use super::household::{FREE, Hold, Household, Life, Member, Start, own_fd_count};
use crate::stage::{AnyStage, Scenario, Stage, Sweep};
use crate::sys::evidence::is_gone;
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Kind, Outcome, check};

pub(super) const SCENARIOS: [Scenario; 17] = [
    scenario("start-child", "fork a child", || fork(NEVER, &[CHILD])),
    scenario("start-child-late", "fork a child that stands still until its parent is dead", || {
        fork(AT_BIRTH, &[CHILD])
    }),
    scenario("start-child-beside", "fork a child that outlives a daemon", || {
        fork(NEVER, &[BESIDE, ELDER])
    }),
    scenario("start-daemon", "fork the first daemon", || fork(NEVER, &[DAEMON])),
    scenario(
        "start-daemon-late",
        "fork a daemon that stands still until its parent is dead",
        || fork(AT_BIRTH, &[DAEMON]),
    ),
    scenario("start-daemon-beside", "fork the second daemon", || fork(NEVER, &[SIBLING, ELDER])),
    scenario("spawn-child", "spawn a child", || spawn_bare(NEVER_SPAWN, &[CHILD])),
    scenario("spawn-child-late", "spawn a child that reads when its parent is dead", || {
        spawn_bare(BEFORE_LETTER, &[CHILD])
    }),
    scenario("spawn-child-beside", "spawn a child that outlives a daemon", || {
        spawn_bare(NEVER_SPAWN, &[CHILD, ELDER])
    }),
    scenario("spawn-daemon", "spawn the first daemon", || spawn_bare(NEVER_SPAWN, &[DAEMON])),
    scenario("spawn-daemon-late", "spawn a daemon that reads when its parent is dead", || {
        spawn_bare(BEFORE_LETTER, &[DAEMON])
    }),
    scenario("spawn-daemon-beside", "spawn the second daemon", || {
        spawn_bare(NEVER_SPAWN, &[DAEMON, ELDER])
    }),
    scenario("spawn-carried", "spawn a child with a lock and two descriptors", || {
        spawn_laden(NEVER_SPAWN)
    }),
    scenario("spawn-carried-late", "the same, of which it reads when its parent is dead", || {
        spawn_laden(BEFORE_LETTER)
    }),
    scenario("start-program", "start a program that reads", || program(Program::start)),
    scenario("start-program-forked", "the same, with a setting for which std forks", || {
        program(|command| Launch::new(command).umask(0o077).start())
    }),
    scenario("shutdown", "end beside a daemon and a child", end),
];

const fn scenario(
    name: &'static str,
    about: &'static str,
    make: fn() -> Result<AnyStage, Failure>,
) -> Scenario {
    Scenario { name, about, make, sweep: Sweep::Long }
}

/// By fork: the byte in the pipe, which is all that a start writes.
const NEVER: Start = Start { go: libc::SYS_write, go_count: 1, hold: Hold::Never };
const AT_BIRTH: Start = Start { hold: Hold::AtBirth, ..NEVER };
/// By spawn: the letter, which is sent as its head, its descriptors and its text.
const NEVER_SPAWN: Start = Start { go: libc::SYS_sendmsg, go_count: 3, hold: Hold::Never };
const BEFORE_LETTER: Start = Start { hold: Hold::BeforeGo, ..NEVER_SPAWN };

/// Each child has a descriptor of its parent.
const CHILD: Member = Member { is_daemon: false, is_elder: false, more_fd_count: 1 };
/// And a daemon its lifeline.
const DAEMON: Member = Member { is_daemon: true, more_fd_count: 2, ..CHILD };
/// Beside a daemon, the parent's write end is closed in each that is forked.
const BESIDE: Member = Member { more_fd_count: 0, ..CHILD };
const SIBLING: Member = Member { more_fd_count: 1, ..DAEMON };
/// The two that it is given; and of the lock, the segment and what says that this process lives.
const CARRIER: Member = Member { more_fd_count: 1 + 2 + 2, ..CHILD };
const ELDER: Member = Member { is_elder: true, ..DAEMON };
const ELDER_CHILD: Member = Member { is_elder: true, ..CHILD };

/// What the victim does in its household.
struct Staged<V> {
    household: Household,
    hears_calls: bool,
    victim: V,
}

impl<V: Fn(&Household, &Mark) -> Outcome> Stage for Staged<V> {
    fn victim(&self, mark: &Mark) -> Outcome {
        (self.victim)(&self.household, mark)
    }

    fn hears_calls(&self) -> bool {
        self.hears_calls
    }

    fn call_begins(&self, pid: i32, number: u64) -> Outcome {
        self.household.call_begins(pid, number)
    }

    fn call_is_over(&self, pid: i32, number: u64) -> Outcome {
        self.household.call_is_over(pid, number)
    }

    fn aftermath(&mut self) -> Outcome {
        self.household.judge()
    }

    fn check(&self) -> Outcome {
        Ok(())
    }
}

/// The first member is forked in the region; the second, if there is one, is an elder daemon.
fn fork(start: Start, members: &'static [Member]) -> Result<AnyStage, Failure> {
    let (is_daemon, elder_count) = (members[0].is_daemon, members.len() as u64 - 1);
    let household = Household::new(start, members)?;
    let victim = move |household: &Household, mark: &Mark| {
        if elder_count > 0 {
            fork_daemon(household, 1)?;
        }
        household.await_words(elder_count)?;
        let base = own_fd_count()?;
        household.set_base(base);
        let life = household.life(0);
        mark.begin();
        let started = Builder::new().daemon(is_daemon).fork(|| ExitCode(life.live(|| false)));
        household.set_started();
        mark.end();
        started?;
        if start.hold == Hold::Never {
            household.await_words(elder_count + 1)?;
        }
        // Its descriptor; and with the first daemon comes a write end.
        check_own_fd_count(base + 1 + u64::from(is_daemon && elder_count == 0))
    };
    Ok(Box::new(Staged { household, hears_calls: true, victim }))
}

/// What a spawned child runs.
fn live_anew(life: Life, (): ()) -> ExitCode {
    ExitCode(life.live(|| false))
}

/// What is carried: a lock that is free, and two descriptors.
type Luggage = (Lock, OwnedFd, OwnedFd);

fn luggage() -> Result<Luggage, Failure> {
    let null = || File::open("/dev/null").map(OwnedFd::from);
    Ok((Lock::new()?, null()?, null()?))
}

/// The same, for a child that is given something.
fn live_with(life: Life, (lock, _first, _second): Luggage) -> ExitCode {
    match lock.try_acquire() {
        Ok(held) => drop(held),
        Err(_) => return ExitCode(1), // which says nothing, and is missed
    }
    ExitCode(life.live(|| false))
}

/// What a spawned child has beside its own: the standard streams.
const STANDARD_FD_COUNT: u64 = 3;

/// The first member is this program executed anew, to `live` with what it is `given`; the second,
/// if there is one, is an elder daemon.
fn spawn<C: Carry + 'static>(
    start: Start,
    members: &'static [Member],
    given: fn() -> Result<C, Failure>,
    live: impl Fn(Life, C) -> ExitCode + Copy + 'static,
) -> Result<AnyStage, Failure> {
    let (is_daemon, elder_count) = (members[0].is_daemon, members.len() as u64 - 1);
    let household = Household::new(start, members)?;
    let victim = move |household: &Household, mark: &Mark| {
        if elder_count > 0 {
            fork_daemon(household, 1)?;
        }
        household.await_words(elder_count)?;
        household.set_base(STANDARD_FD_COUNT);
        let (base, life, given) = (own_fd_count()?, household.life(0), given()?);
        mark.begin();
        let started = Builder::new().daemon(is_daemon).spawn(live, life, given);
        household.set_started();
        mark.end();
        started?;
        if start.hold == Hold::Never {
            household.await_words(elder_count + 1)?;
        }
        check_own_fd_count(base + 1 + u64::from(is_daemon && elder_count == 0))
    };
    Ok(Box::new(Staged { household, hears_calls: true, victim }))
}

/// With nothing.
fn spawn_bare(start: Start, members: &'static [Member]) -> Result<AnyStage, Failure> {
    spawn(start, members, || Ok(()), live_anew)
}

/// With handles and descriptors.
fn spawn_laden(start: Start) -> Result<AnyStage, Failure> {
    spawn(start, &[CARRIER], luggage, live_with)
}

/// How a program is started.
type StartOf = fn(Command) -> Result<Program, purlin_process::command::Failure>;

/// A program that ends when its input does: with the parent, at the latest.
fn program(start: StartOf) -> Result<AnyStage, Failure> {
    let victim = move |_: &Household, mark: &Mark| {
        let base = own_fd_count()?;
        mark.begin();
        let mut command = Command::new("cat");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let started = start(command);
        mark.end();
        let program = started.map_err(|failure| Failure::crashed(format!("{failure}")))?;
        check_own_fd_count(base + 3)?; // its own, and two pipes' ends
        drop(program.take_stdin());
        let status = program.wait(None)?;
        check(status == ExitStatus::Code(0), Kind::Corrupt, || format!("cat: {status:?}"))
    };
    let household = Household::new(NEVER, &[])?;
    Ok(Box::new(Staged { household, hears_calls: false, victim }))
}

const END_HAS_BEGUN: usize = FREE;

/// The child that is no daemon ends by itself, after the daemon, once the end has begun.
fn end() -> Result<AnyStage, Failure> {
    let victim = |household: &Household, mark: &Mark| {
        let daemon = fork_daemon(household, 0)?.pid();
        let life = household.life(1);
        let is_over = || household.cell(END_HAS_BEGUN) == 1 && is_gone(daemon);
        Process::fork("child", || ExitCode(life.live(is_over)))?;
        household.await_words(2)?;
        mark.begin();
        household.set_cell(END_HAS_BEGUN, 1);
        shutdown();
        mark.end();
        check(active_children().is_empty(), Kind::Lost, || "a child was not joined".to_owned())
    };
    let household = Household::new(NEVER, &[ELDER, ELDER_CHILD])?;
    Ok(Box::new(Staged { household, hears_calls: false, victim }))
}

/// In the parent: a daemon that idles.
fn fork_daemon(household: &Household, number: u8) -> Result<Process, Failure> {
    let life = household.life(number);
    Ok(Builder::new().daemon(true).fork(|| ExitCode(life.live(|| false)))?)
}

/// In a parent that was not killed.
fn check_own_fd_count(wanted: u64) -> Outcome {
    let count = own_fd_count()?;
    check(count == wanted, Kind::Corrupt, || {
        format!("the parent has {count} descriptors, not {wanted}")
    })
}
