//! Locks that are found by name, by a program that is built apart from this one.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use purlin_sync::{Error, Lock, Name};

use crate::support::LIMIT;

/// A name of this test's own, which is gone when it ends, however it ends.
struct Own(Name);

impl Own {
    fn new(word: &str) -> Self {
        Self(Name::new(&format!("test-lock-{word}-{}", std::process::id())).expect("a name"))
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.0.unlink();
    }
}

/// The example `named_lock`, killed and collected when the test is over, however it ends.
struct Stranger {
    program: Child,
    calls: ChildStdin,
    answers: Receiver<String>,
}

impl Stranger {
    fn start(own: &Own) -> Self {
        let mut program = Command::new(example())
            .arg(own.0.as_str())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the example `named_lock`, which `cargo test -p purlin-sync` builds");
        let calls = program.stdin.take().expect("a pipe");
        let lines = BufReader::new(program.stdout.take().expect("a pipe")).lines();
        let (answer, answers) = channel();
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| answer.send(line)));
        Self { program, calls, answers }
    }

    fn ask(&mut self, call: &str) -> String {
        self.begin(call);
        self.answer(call)
    }

    fn begin(&mut self, call: &str) {
        writeln!(self.calls, "{call}").expect("it listens");
    }

    fn answer(&self, call: &str) -> String {
        self.answers.recv_timeout(LIMIT).unwrap_or_else(|_| panic!("no answer to {call}"))
    }

    fn kill(&mut self) {
        self.program.kill().expect("a child of ours");
        self.program.wait().expect("its end");
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        // Both fail when it has been collected, which is as good.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// Beside the folder of this test program.
fn example() -> PathBuf {
    let mut path = std::env::current_exe().expect("this program");
    path.pop();
    path.pop();
    path.join("examples").join("named_lock")
}

#[test]
fn programs_that_are_no_relatives_share_a_lock_by_name() {
    let own = Own::new("shared");
    let lock = Lock::create(&own.0).expect("a lock");
    let mut stranger = Stranger::start(&own);
    assert_eq!(stranger.ask("try"), "ok");
    assert_eq!(lock.try_acquire().unwrap_err(), Error::TimedOut);
    assert_eq!(lock.release(), Err(Error::NotOwner));
    assert_eq!(stranger.ask("release"), "ok");
    assert!(lock.acquire(LIMIT).expect("it is free").sound().is_ok());
}

#[test]
fn programs_that_are_no_relatives_survive_each_others_kill() {
    let own = Own::new("killed");
    let mut first = Stranger::start(&own);
    assert_eq!(first.ask("acquire"), "ok");
    let mut second = Stranger::start(&own);
    second.begin("acquire");
    first.kill();
    assert_eq!(second.answer("acquire after the kill"), "owner-died");
    assert_eq!(second.ask("recover"), "ok");
    second.kill();
    // Nobody is left, and the name still leads to the lock.
    let lock = Lock::open_named(&own.0).expect("the lock");
    assert_eq!(lock.acquire(LIMIT).expect("it is ours").sound().unwrap_err(), Error::OwnerDied);
}

#[test]
fn a_name_that_nobody_made_or_that_is_something_else_is_refused() {
    let own = Own::new("refused");
    assert_eq!(Lock::open_named(&own.0).unwrap_err(), Error::NoSuchName);
    let lock = Lock::create(&own.0).expect("a lock");
    assert_eq!(Lock::create(&own.0).unwrap_err(), Error::AlreadyExists);
    assert_eq!(purlin_sync::HandoverLock::open_named(&own.0).unwrap_err(), Error::Incompatible);
    drop(lock);
}
