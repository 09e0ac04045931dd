//! Spawned children: who they are, whose they are, how they end. The tests have a `main` of their
//! own, as those of `spawn.rs` do; the environment may ask it to be another program instead.

mod bounded;
mod limited;
mod talk;
mod traces;
mod trials;

mod unprivileged;

use std::io::{PipeReader, PipeWriter};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use bounded::{LIMIT, check, in_child};
use libtest_mimic::Arguments;
use limited::{lower, take_all_descriptors};
use purlin_process::{
    AtEnd, Builder, Error, ExitCode, ExitStatus, Key, Process, Run, active_children, at_exit,
    current, exit, init,
};
use rustix::process::Resource;
use serde::{Deserialize, Serialize};
use talk::{all, idle, listen, next, say, talk};
use traces::{descriptor_count, has_children};
use unprivileged::reach_the_process_limit;

/// Asks this program to be another one.
const ROLE: &str = "PURLIN_TEST_ROLE";
use trials::trials;

fn main() {
    init();
    if let Ok(role) = std::env::var(ROLE) {
        return be(&role);
    }
    // One after the other: they count descriptors and children.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    libtest_mimic::run(&arguments, trials(TESTS)).exit();
}

const TESTS: &[(&str, fn())] = &[
    ("a_spawned_child_is_who_its_parent_says", identity),
    ("a_value_runs_its_step_in_a_spawned_child", run_step),
    ("a_spawned_child_sees_its_parents_end", parents_end),
    ("spawned_daemons_end_with_a_killed_parent", daemons_of_the_killed),
    ("a_spawned_daemon_has_two_descriptors_more_and_starts_nothing", daemon_restrictions),
    ("a_spawned_child_outlives_its_killed_parent", orphans),
    ("a_spawned_child_runs_its_hooks_and_waits_for_its_children", hooks),
    ("a_parent_ends_its_spawned_daemons", daemons_at_the_end),
    ("closed_standard_streams_are_harmless", closed_streams),
    ("an_overflow_and_a_fault_are_told_apart", faults),
    ("a_program_ends_its_children_when_its_guard_drops", program_with_guard),
    ("a_programs_own_exit_does_the_same_and_runs_exit_handlers", program_that_exits),
    ("without_descriptors_no_daemon_is_spawned", no_descriptors),
    ("at_the_limit_of_processes_nothing_is_spawned", no_processes),
    ("spawned_daemons_leave_the_one_descriptor_of_their_parent", daemon_traces),
    ("fifty_at_once_have_each_its_own_status", fifty),
];

fn text(error: Error) -> String {
    error.to_string()
}

/// How it ends; killed if it does not.
fn status_of(started: Result<Process, Error>) -> Result<ExitStatus, Error> {
    let child = started?;
    let status = child.join(LIMIT);
    let _ = child.kill();
    let _ = child.join(LIMIT);
    status
}

fn identity() {
    // shows: process-parent-seen-from-child, process-current-has-key, process-name-given-is-kept
    // shows: process-name-long-and-odd-kept
    type Expected = (String, String, i32, Vec<u8>);
    fn look((name, parent, pid, key): Expected, (): ()) -> Result<(), String> {
        let own = current();
        check(own.name() == name && !own.is_daemon(), "its name")?;
        check(own.pid().unsigned_abs() == std::process::id(), "its number")?;
        check(own.key().as_bytes() == key, "its key")?;
        let above = own.parent().ok_or("no parent")?;
        check((above.name(), above.pid()) == (&parent, pid), "its parent")?;
        check(above.is_alive() == Ok(true), "its parent lives")?;
        check(active_children().is_empty(), "no children")?;
        let nested = Process::fork("", || ExitCode(i32::from(current().key() != own.key())));
        let nested = nested.map_err(text)?;
        check(nested.join(LIMIT) == Ok(ExitStatus::Code(0)), "its key is handed on")
    }
    in_child(|| {
        let own = current();
        let odd: String = "spaces, \n newlines, 木, ש ".chars().cycle().take(4096).collect();
        for name in ["plain", "two\nlines", odd.as_str()] {
            let key = own.key().as_bytes().to_vec();
            let expected = (name.to_owned(), own.name().to_owned(), own.pid(), key);
            let status = status_of(Process::spawn(name, look, expected, ()));
            check(status == Ok(ExitStatus::Code(0)), "see above")?;
        }
        let key = Key::new("other").map_err(text)?;
        let has = |(), ()| ExitCode(i32::from(current().key().as_bytes() != b"other"));
        let status = status_of(Builder::new().key(key).spawn(has, (), ()));
        check(status == Ok(ExitStatus::Code(0)), "a key of its own")?;
        let described = Builder::new();
        let path = described.shown_name().to_owned();
        let numbered = |path: String, ()| {
            let nested = Builder::new().shown_name().to_owned();
            ExitCode(i32::from(current().name() != path || nested != format!("{path}:1")))
        };
        let status = status_of(described.spawn(numbered, path, ()));
        check(status == Ok(ExitStatus::Code(0)), "numbered by its path, as its children are")
    });
}

#[derive(Serialize, Deserialize)]
struct Count {
    parts: Vec<i32>,
}

impl Run for Count {
    type Outcome = Result<ExitCode, String>;

    fn run(self) -> Self::Outcome {
        check(current().name() == "counts", "in the child")?;
        Ok(ExitCode(self.parts.iter().sum()))
    }
}

fn run_step() {
    // shows: process-subclass-run-is-called
    let started = Builder::new().name("counts").spawn_run(Count { parts: vec![1, 2, 4] });
    assert_eq!(status_of(started), Ok(ExitStatus::Code(7)));
}

/// Says `r`, waits for its parent's end, and says `d`.
fn watch((): (), (said,): (OwnedFd,)) {
    let said = PipeWriter::from(said);
    let Some(parent) = current().parent() else { return };
    say(&said, "r");
    if parent.join(LIMIT) == Ok(()) && parent.is_alive() == Ok(false) {
        say(&said, "d");
    }
}

/// Says `r`, and idles.
fn speak((): (), (said,): (OwnedFd,)) {
    say(&PipeWriter::from(said), "r");
    idle();
}

/// A copy to be handed over.
fn copy(writer: &PipeWriter) -> Result<(OwnedFd,), Error> {
    writer.try_clone().map(|copy| (copy.into(),)).map_err(|_| Error::OutOfResources)
}

fn parents_end() {
    // shows: process-parent-death-seen-by-child
    in_child(|| {
        let (mut reader, said) = talk()?;
        let parent = Process::fork("parent", || -> Result<(), Error> {
            Process::spawn("child", watch, (), copy(&said)?)?;
            idle();
            Ok(())
        });
        let parent = parent.map_err(text)?;
        drop(said);
        next(&mut reader, "the child's word")?;
        parent.kill().map_err(text)?;
        parent.join(LIMIT).map_err(text)?;
        check(all(&mut reader, "the child")? == "d", "it sees its parent's end")
    });
}

fn daemons_of_the_killed() {
    // shows: process-daemon-dies-with-killed-parent
    in_child(|| {
        let (mut reader, said) = talk()?;
        let parent = Process::fork("parent", || -> Result<(), Error> {
            for _ in 0..3 {
                Builder::new().daemon(true).spawn(speak, (), copy(&said)?)?;
            }
            idle();
            Ok(())
        });
        let parent = parent.map_err(text)?;
        drop(said);
        for _ in 0..3 {
            next(&mut reader, "a daemon's word")?;
        }
        parent.kill().map_err(text)?;
        parent.join(LIMIT).map_err(text)?;
        check(all(&mut reader, "the life of the daemons")?.is_empty(), "they said no more")
    });
}

fn daemon_restrictions() {
    // shows: process-daemon-may-not-have-children
    fn look((): (), (): ()) -> Result<(), String> {
        let own = descriptor_count();
        check(own == 5, &format!("three standard ones, its parent's, its lifeline, not {own}"))?;
        check(current().is_daemon() && Builder::new().is_daemon(), "a daemon")?;
        let refused = Err(Error::DaemonMayNotHaveChildren);
        check(Process::fork("", || ()) == refused, "no fork")?;
        check(Process::spawn("", |(), ()| (), (), ()) == refused, "no spawn")?;
        check(!has_children(), "nothing was started")
    }
    in_child(|| {
        let status = status_of(Builder::new().daemon(true).spawn(look, (), ()));
        check(status == Ok(ExitStatus::Code(0)), "see above")
    });
}

fn orphans() {
    // shows: process-non-daemon-outlives-killed-parent
    fn outlive((): (), (until, said): (OwnedFd, OwnedFd)) {
        let (until, said) = (PipeReader::from(until), PipeWriter::from(said));
        say(&said, "r");
        listen(&until);
        say(&said, "o");
    }
    in_child(|| {
        let (mut reader, said) = talk()?;
        let (until, release) = talk()?;
        let parent = Process::fork("parent", || -> Result<(), Error> {
            // It has had a daemon, so that all is set up that daemons hang on.
            Builder::new().daemon(true).spawn(|(), ()| (), (), ())?;
            let until = until.try_clone().map_err(|_| Error::OutOfResources)?;
            Process::spawn("child", outlive, (), (until.into(), copy(&said)?.0))?;
            idle();
            Ok(())
        });
        let parent = parent.map_err(text)?;
        drop(said);
        next(&mut reader, "the child's word")?;
        parent.kill().map_err(text)?;
        parent.join(LIMIT).map_err(text)?;
        say(&release, "!");
        check(all(&mut reader, "the child")? == "o", "it lives on")
    });
}

fn hooks() {
    // shows: process-exit-hooks-of-child-run, process-non-daemon-waited-for-at-exit
    fn owe(by_exit: bool, (said,): (OwnedFd,)) -> Result<ExitCode, String> {
        let said = PipeWriter::from(said);
        let hooked = said.try_clone().map_err(|error| error.to_string())?;
        let (until, release) = talk()?;
        at_exit(move || {
            say(&hooked, "h");
            say(&release, "!");
        });
        let child = Process::fork("child", || {
            listen(&until);
            say(&said, "c");
        });
        child.map_err(text)?;
        if by_exit { exit(3) } else { Ok(ExitCode(3)) }
    }
    in_child(|| {
        for by_exit in [false, true] {
            let (mut reader, said) = talk()?;
            let child = Process::spawn("owes", owe, by_exit, (said.into(),)).map_err(text)?;
            check(all(&mut reader, "the child and its own")? == "hc", "all that is owed")?;
            check(child.join(LIMIT) == Ok(ExitStatus::Code(3)), "as its function says")?;
        }
        Ok(())
    });
}

fn daemons_at_the_end() {
    // shows: process-daemon-ends-with-main, process-daemon-cut-short
    in_child(|| {
        let (mut reader, said) = talk()?;
        let (mut own, running) = talk()?;
        let parent = Process::fork("parent", || -> Result<ExitCode, String> {
            let started = copy(&running)
                .and_then(|given| Builder::new().daemon(true).spawn(speak, (), given));
            started.map_err(text)?;
            next(&mut own, "the daemon's word")?;
            say(&said, "p");
            Ok(ExitCode(2))
        });
        let parent = parent.map_err(text)?;
        drop((said, running));
        check(all(&mut reader, "the parent")? == "p", "it got to its end")?;
        check(parent.join(LIMIT) == Ok(ExitStatus::Code(2)), "and ended")?;
        check(all(&mut own, "the daemon")?.is_empty(), "the daemon is gone")
    });
}

#[expect(unsafe_code, reason = "the standard descriptors are closed under the library's feet")]
fn closed_streams() {
    // shows: process-broken-standard-streams-harmless
    for closed in [vec![0], vec![1], vec![2], vec![0, 2], vec![0, 1, 2]] {
        in_child(|| {
            for fd in closed {
                // SAFETY: this process ends with this test, and its streams are not used again.
                unsafe { libc::close(fd) };
            }
            let (mut reader, said) = talk()?;
            let child = Process::spawn(
                "child",
                |(), (said,): (OwnedFd,)| {
                    println!("to nobody, or to whoever runs the test");
                    say(&PipeWriter::from(said), "r");
                    ExitCode(6)
                },
                (),
                copy(&said).map_err(text)?,
            );
            drop(said);
            check(all(&mut reader, "the child")? == "r", "it runs")?;
            check(status_of(child) == Ok(ExitStatus::Code(6)), "it ends")?;
            let daemon = Builder::new().daemon(true).spawn(|(), ()| ExitCode(5), (), ());
            check(status_of(daemon) == Ok(ExitStatus::Code(5)), "so does a daemon")
        });
    }
}

#[expect(unsafe_code, reason = "a fault")]
fn faults() {
    fn no_core() {
        let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
        let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
    }
    fn overflow(depth: u64) -> u64 {
        let room = std::hint::black_box([depth; 512]);
        if depth == u64::MAX { 0 } else { overflow(depth + 1) + room[depth as usize % 512] }
    }
    let overflows = |(), ()| {
        no_core();
        assert_eq!(overflow(0), 0);
    };
    assert_eq!(status_of(Process::spawn("", overflows, (), ())), Ok(ExitStatus::Signal(6)));
    let faults = |(), ()| {
        no_core();
        // SAFETY: none: nothing is mapped there, and the process ends by it, which is looked at.
        std::hint::black_box(unsafe { libc::strlen(std::ptr::without_provenance(8)) });
    };
    assert_eq!(status_of(Process::spawn("", faults, (), ())), Ok(ExitStatus::Signal(11)));
}

extern "C" fn handler() {
    say_out("handler ");
}

fn say_out(what: &str) {
    let _ = rustix::io::write(rustix::stdio::stdout(), what.as_bytes());
}

#[expect(unsafe_code, reason = "an exit handler")]
fn be(role: &str) {
    let _at_end = AtEnd::new();
    let (until, release) = talk().expect("a pipe");
    at_exit(move || say(&release, "!")); // the last hook: the child ends behind all of them
    at_exit(|| say_out("hook "));
    // SAFETY: the handler makes one system call, and stays loaded with this program.
    unsafe { libc::atexit(handler) };
    let daemon = Builder::new().daemon(true).fork(|| {
        idle();
        say_out("never ");
    });
    let child = Process::fork("child", || {
        listen(&until);
        say_out("child ");
    });
    assert!(daemon.is_ok() && child.is_ok());
    say_out("end! ");
    if role == "exits" {
        exit(4);
    }
}

/// What this program prints as another one, and how it ends.
fn said_by_role(role: &str) -> (String, Option<i32>) {
    let (mut reader, writer) = talk().expect("a pipe");
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.env(ROLE, role).stdin(Stdio::null()).stdout(writer);
    let mut program = command.spawn().expect("it runs");
    drop(command); // and with it our copy of what it prints to
    let said = all(&mut reader, "what the program prints");
    if said.is_err() {
        let _ = program.kill();
    }
    let status = program.wait().expect("its end").code();
    (said.expect("it ends"), status)
}

fn program_with_guard() {
    // shows: process-daemon-output-lost, process-non-daemon-waited-for-at-exit
    assert_eq!(said_by_role("returns"), ("end! hook child handler ".to_owned(), Some(0)));
}

fn program_that_exits() {
    assert_eq!(said_by_role("exits"), ("end! hook child handler ".to_owned(), Some(4)));
}

fn daemon_traces() {
    in_child(|| {
        let quick = || status_of(Builder::new().daemon(true).spawn(|(), ()| (), (), ()));
        let before = descriptor_count();
        for _ in 0..20 {
            check(quick() == Ok(ExitStatus::Code(0)), "each ends")?;
        }
        check(descriptor_count() == before + 1, "one, for as long as this process lives")?;
        check(active_children().is_empty() && !has_children(), "no child is left")
    });
}

fn fifty() {
    fn wait(number: i32, event: purlin_sync::Event) -> ExitCode {
        ExitCode(event.wait(LIMIT).map_or(255, |_| number))
    }
    in_child(|| {
        let before = descriptor_count();
        let event = purlin_sync::Event::new().map_err(|error| error.to_string())?;
        let start = |number| Process::spawn("", wait, number, event.clone()).map_err(text);
        let children = (0..50).map(start).collect::<Result<Vec<_>, _>>()?;
        check(active_children().len() == 50, "all live at once")?;
        event.set();
        for (number, child) in (0..).zip(&children) {
            let status = child.join(LIMIT);
            check(status == Ok(ExitStatus::Code(number)), &format!("{number}: {status:?}"))?;
        }
        drop((children, event));
        check(!has_children() && active_children().is_empty(), "nothing is left")?;
        check(descriptor_count() == before, "nor a descriptor")
    });
}

fn no_processes() {
    // shows: process-fork-failure-leaves-no-child
    in_child(|| {
        if !reach_the_process_limit() {
            return Ok(());
        }
        let before = descriptor_count();
        for is_daemon in [false, true] {
            let started = Builder::new().daemon(is_daemon).spawn(|(), ()| (), (), ());
            check(matches!(started, Err(Error::OutOfResources)), &format!("{started:?}"))?;
            check(!has_children() && active_children().is_empty(), "no child is left")?;
            check(descriptor_count() == before, "no descriptor is left open")?;
        }
        Ok(())
    });
}

fn no_descriptors() {
    // shows: process-fork-failure-leaves-no-child
    in_child(|| {
        lower(Resource::Nofile, 64)?;
        let mut taken = take_all_descriptors();
        let all = taken.len();
        for free_count in 0..all {
            taken.truncate(all - free_count);
            match Builder::new().daemon(true).spawn(|(), ()| ExitCode(3), (), ()) {
                Err(error) => check(error == Error::OutOfResources, "there is no room")?,
                started => {
                    check(status_of(started) == Ok(ExitStatus::Code(3)), "it runs")?;
                    return check(free_count > 3, "it takes several");
                }
            }
            check(!has_children() && active_children().is_empty(), "no child is left")?;
            taken.extend(take_all_descriptors());
            check(taken.len() == all, &format!("the {free_count} that were free were given back"))?;
        }
        Err("with all free it is refused".to_owned())
    });
}
