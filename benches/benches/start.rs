//! From the start of a child until it has been waited for, beside the bare calls.
//!
//! The children end at once. What is compared with is what nobody can do without: `fork(2)` and
//! `waitpid(2)`, `posix_spawn(3)` of the same program, std's `Command`, std's threads.

use std::process::{Command, Stdio};

use purlin_benches::sys::{fork_and_wait, spawn_and_wait};
use purlin_benches::{Contender, Effort, Machine, Rounds};
use purlin_process::command::{Program, run};
use purlin_process::thread::{End, Thread};
use purlin_process::{ExitStatus, Process};

/// What a start may cost, in times of the bare one.
const RATIO_LIMIT: f64 = 1.3;

/// This program, executed to end at once.
const OWN: &str = "/proc/self/exe";
const END: &str = "--end-at-once";

/// A program that ends at once.
const TRUE: &str = "true";

fn main() {
    if std::env::args().any(|argument| argument == END) {
        return;
    }
    purlin_process::init();
    let effort = Effort::from_arguments();
    println!("{}", Machine::here());
    println!("start and wait; at most {RATIO_LIMIT} times is the aim for purlin's\n");
    let rounds = Rounds::of(effort);
    for mut table in [forks(), spawns(), programs(), outputs()] {
        println!("{}\n", rounds.run(&mut table));
    }
    println!("the same programs, beside another thread of the caller\n");
    let (release, until) = std::sync::mpsc::channel::<()>();
    let other = std::thread::spawn(move || until.recv());
    println!("{}\n", rounds.run(&mut programs()));
    drop(release);
    let _ = other.join(); // it has been told by the end of the channel
    println!("{}", rounds.run(&mut threads()));
}

fn forks() -> Vec<Contender<'static>> {
    vec![
        Contender::present("fork, waitpid", || fork_and_wait().expect("a child")),
        Contender::present("purlin Process::fork, join", || {
            let child = Process::fork("child", || ()).expect("a child");
            assert_eq!(child.join(None), Ok(ExitStatus::Code(0)));
        }),
    ]
}

fn spawns() -> Vec<Contender<'static>> {
    vec![
        Contender::present("posix_spawn of this program, waitpid", || {
            spawn_and_wait(OWN, &[END]).expect("a child");
        }),
        Contender::present("purlin Process::spawn, join", || {
            let child = Process::spawn("child", |(), ()| (), (), ()).expect("a child");
            assert_eq!(child.join(None), Ok(ExitStatus::Code(0)));
        }),
    ]
}

fn programs() -> Vec<Contender<'static>> {
    vec![
        Contender::present("std Command, wait", || {
            let status = Command::new(TRUE).spawn().and_then(|mut child| child.wait());
            assert!(status.expect("a child").success());
        }),
        Contender::present("purlin Program, wait", || {
            let program = Program::start(Command::new(TRUE)).expect("a program");
            assert_eq!(program.wait(None), Ok(ExitStatus::Code(0)));
        }),
    ]
}

fn outputs() -> Vec<Contender<'static>> {
    let input: &[u8] = &[7; 1 << 16];
    vec![
        Contender::present("std Command, 64 KiB through cat", move || {
            let mut command = Command::new("cat");
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = command.spawn().expect("a child");
            let mut stdin = child.stdin.take().expect("a pipe");
            std::io::Write::write_all(&mut stdin, input).expect("a pipe holds as much");
            drop(stdin);
            let output = child.wait_with_output().expect("its end");
            assert_eq!(output.stdout.len(), input.len());
        }),
        Contender::present("purlin run, 64 KiB through cat", move || {
            let output = run(Command::new("cat"), input, None).expect("its end");
            assert_eq!(output.stdout.map(|bytes| bytes.len()), Some(input.len()));
        }),
    ]
}

fn threads() -> Vec<Contender<'static>> {
    vec![
        Contender::present("std thread, join", || {
            std::thread::spawn(|| ()).join().expect("no panic");
        }),
        Contender::present("purlin Thread, join", || {
            let thread = Thread::start("", || ()).expect("a thread");
            assert_eq!(thread.join(None), Ok(End::Returned));
        }),
    ]
}
