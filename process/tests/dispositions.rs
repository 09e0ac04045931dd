//! What a child blocks, ignores and handles of the signals, by each way of starting it. The tests
//! have a `main` of their own, which calls `init` first.
#![expect(unsafe_code, reason = "what a process does with a signal")]

mod bounded;
mod trials;

use std::process::Command;

use bounded::{LIMIT, check, in_child};
use libtest_mimic::Arguments;
use purlin_process::command::run;
use purlin_process::{Builder, Error, ExitStatus, Process, init, shutdown, tell_overflow_apart};

/// Asks this program to tell overflows apart before it becomes a child.
const APART: &str = "PURLIN_TEST_APART";
use trials::trials;

fn main() {
    if std::env::var_os(APART).is_some() {
        tell_overflow_apart().expect("std handles faults");
    }
    init();
    libtest_mimic::run(&Arguments::from_args(), trials(TESTS)).exit();
}

const TESTS: &[(&str, fn())] = &[
    ("a_forked_child_has_the_signals_of_its_parent", by_fork),
    ("a_spawned_child_handles_nothing_and_blocks_and_ignores_the_same", by_spawn),
    ("a_program_blocks_and_handles_nothing_and_ignores_the_same", as_program),
    ("a_spawned_child_may_have_its_overflow_told_apart", spawned_overflow),
    ("a_daemon_that_blocks_its_termination_is_killed_at_the_end", stubborn_daemons),
];

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

extern "C" fn do_nothing(_: libc::c_int) {}

fn block(number: i32) {
    // SAFETY: The set is filled before it is used; null asks for nothing.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, number);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
    }
}

const BLOCKED: i32 = libc::SIGUSR1;
const IGNORED: i32 = libc::SIGUSR2;
const HANDLED: i32 = libc::SIGHUP;

/// In a process of the test's own: it blocks one, which is pending, ignores another, handles a
/// third, and has `SIGPIPE` at its default action.
fn arrange() -> Result<(), String> {
    block(BLOCKED);
    // SAFETY: The handler does nothing and stays loaded with this program.
    unsafe {
        libc::signal(IGNORED, libc::SIG_IGN);
        libc::signal(HANDLED, do_nothing as *const () as libc::sighandler_t);
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        libc::raise(BLOCKED);
    }
    let seen = Signals::of_this_thread()?;
    check(seen == Signals { is_pending: true, ..Signals::AS_ARRANGED }, &format!("{seen:?}"))
}

/// What there is of these, as the kernel has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Signals {
    is_blocked: bool,
    is_ignored: bool,
    is_handled: bool,
    is_pending: bool,
    ignores_broken_pipes: bool,
}

impl Signals {
    const AS_ARRANGED: Self = Self {
        is_blocked: true,
        is_ignored: true,
        is_handled: true,
        is_pending: false,
        ignores_broken_pipes: false,
    };

    fn of_this_thread() -> Result<Self, String> {
        Self::in_status(&std::fs::read_to_string("/proc/thread-self/status").map_err(text)?)
    }

    fn in_status(status: &str) -> Result<Self, String> {
        let set = |field: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
            let line = line.ok_or_else(|| format!("no {field} in {status}"))?;
            u64::from_str_radix(line.trim(), 16).map_err(text)
        };
        let has = |set: u64, number: i32| set & (1 << (number - 1)) != 0;
        Ok(Self {
            is_blocked: has(set("SigBlk")?, BLOCKED),
            is_ignored: has(set("SigIgn")?, IGNORED),
            is_handled: has(set("SigCgt")?, HANDLED),
            is_pending: has(set("SigPnd")? | set("ShdPnd")?, BLOCKED),
            ignores_broken_pipes: has(set("SigIgn")?, libc::SIGPIPE),
        })
    }
}

/// In a child: whether it has these.
fn compare(wanted: Signals) -> Result<(), String> {
    let seen = Signals::of_this_thread()?;
    check(seen == wanted, &format!("{wanted:?}, but {seen:?}"))
}

fn ended_well(child: &Process) -> Result<(), String> {
    check(child.join(LIMIT) == Ok(ExitStatus::Code(0)), "see above")
}

fn by_fork() {
    in_child(|| {
        arrange()?;
        for is_daemon in [false, true] {
            let child = Builder::new().daemon(is_daemon).fork(|| compare(Signals::AS_ARRANGED));
            ended_well(&child.map_err(text)?)?;
        }
        Ok(())
    });
}

fn by_spawn() {
    fn compare_anew((): (), (): ()) -> Result<(), String> {
        // Rust's runtime ignores broken pipes before `main`.
        let anew =
            Signals { is_handled: false, ignores_broken_pipes: true, ..Signals::AS_ARRANGED };
        compare(anew)
    }
    in_child(|| {
        arrange()?;
        for is_daemon in [false, true] {
            let child = Builder::new().daemon(is_daemon).spawn(compare_anew, (), ());
            ended_well(&child.map_err(text)?)?;
        }
        Ok(())
    });
}

fn as_program() {
    fn look() -> Result<(), String> {
        let mut command = Command::new("cat");
        command.arg("/proc/self/status");
        let output = run(command, "", LIMIT).and_then(|output| output.check()).map_err(text)?;
        let status = String::from_utf8(output.stdout.unwrap_or_default()).map_err(text)?;
        let wanted = Signals { is_blocked: false, is_handled: false, ..Signals::AS_ARRANGED };
        let seen = Signals::in_status(&status)?;
        check(seen == wanted, &format!("{wanted:?}, but {seen:?}"))
    }
    in_child(|| {
        arrange()?;
        look()?;
        // What the starting process ignores of broken pipes is not handed on.
        // SAFETY: To ignore a signal installs no code.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
        look()
    });
}

fn spawned_overflow() {
    fn no_core() {
        let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
        let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
    }
    fn overflow(depth: u64) -> u64 {
        let room = std::hint::black_box([depth; 512]);
        if depth == u64::MAX { 0 } else { overflow(depth + 1) + room[depth as usize % 512] }
    }
    fn overflows((): (), (): ()) {
        no_core();
        assert_eq!(overflow(0), 0);
    }
    fn aborts((): (), (): ()) {
        no_core();
        std::process::abort();
    }
    in_child(|| {
        let status_of = |function: fn() -> Result<Process, Error>| {
            function().and_then(|child| child.join(LIMIT)).map_err(text)
        };
        let by_abort = status_of(|| Process::spawn("", aborts, (), ()))?;
        let by_overflow = status_of(|| Process::spawn("", overflows, (), ()))?;
        check([by_abort, by_overflow] == [ExitStatus::Signal(6); 2], "they are alike")?;
        let name = std::ffi::CString::new(APART).map_err(text)?;
        // SAFETY: The process has one thread, and the texts end in zero. Not by std, whose lock a
        // thread of the parent may have had.
        unsafe { libc::setenv(name.as_ptr(), c"1".as_ptr(), 1) };
        let by_abort = status_of(|| Process::spawn("", aborts, (), ()))?;
        let by_overflow = status_of(|| Process::spawn("", overflows, (), ()))?;
        let apart = [ExitStatus::Signal(6), ExitStatus::Signal(libc::SIGSTKFLT)];
        check([by_abort, by_overflow] == apart, &format!("{by_abort}, {by_overflow}"))
    });
}

fn stubborn_daemons() {
    fn idle((): (), (): ()) {
        loop {
            std::thread::park();
        }
    }
    in_child(|| {
        block(libc::SIGTERM);
        let daemon = || Builder::new().daemon(true);
        let daemons = [daemon().fork(|| idle((), ())), daemon().spawn(idle, (), ())];
        shutdown();
        for daemon in daemons {
            let status = daemon.and_then(|daemon| daemon.try_join()).map_err(text)?;
            check(status == ExitStatus::Signal(9), &format!("it was killed: {status}"))?;
        }
        Ok(())
    });
}
