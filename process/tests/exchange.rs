//! All of a program's streams at once, with deadlines.

mod bounded;
mod programs;

use std::io::{PipeReader, Read, Write, pipe};
use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bounded::{LIMIT, check, in_child};
use programs::{Started, sh, started};
use purlin_process::command::{Launch, Program, run};
use purlin_process::{Error, ExitStatus};
use rustix::process::{Pid, test_kill_process};

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// A program whose three streams are pipes.
fn piped(mut command: Command) -> Started {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    started(Program::start(command))
}

#[test]
fn one_result_has_status_and_both_streams() {
    // shows: subprocess-run-result, subprocess-check-fails-on-nonzero
    // shows: subprocess-check-passes-on-zero, subprocess-stderr-pipe-separate
    let script = "cat; printf pineapple >&2; exit 47";
    let output = run(sh(script), "banana", LIMIT).expect("an end");
    assert_eq!(output.status, ExitStatus::Code(47));
    assert_eq!(output.stdout.as_deref(), Some(&b"banana"[..]));
    assert_eq!(output.stderr.as_deref(), Some(&b"pineapple"[..]));
    let failure = output.check().expect_err("47 is no success");
    assert_eq!((failure.kind(), failure.error()), ("task-failed", Error::TaskFailed));
    let carried = failure.output().expect("it carries the output");
    assert_eq!(
        (carried.status.code(), carried.stdout.as_deref()),
        (Some(47), Some(&b"banana"[..]))
    );
    assert!(run(sh("exit 0"), "", LIMIT).and_then(|output| output.check()).is_ok());
    let neither = Launch::new(sh("exit 47")).run("", LIMIT).expect("an end");
    assert_eq!(neither.status, ExitStatus::Code(47));
    assert_eq!((neither.stdout, neither.stderr), (None, None));
}

#[test]
fn errors_can_go_into_the_output_in_order() {
    // shows: subprocess-stderr-into-stdout
    let script = "printf apple; printf orange >&2; printf pear";
    let launch = Launch::new(sh(script)).capture().errors_into_output();
    let output = launch.run("", LIMIT).expect("an end");
    assert_eq!(output.stdout.as_deref(), Some(&b"appleorangepear"[..]));
    assert_eq!(output.stderr, None);
}

#[test]
fn megabytes_go_both_ways_at_once() {
    // shows: subprocess-exchange-large-both-ways, subprocess-bytes-unchanged
    let input: Vec<u8> = (0..5_000_000_u32).map(|number| (number % 251) as u8).collect();
    let script = "head -c 1000000 /dev/zero >&2; cat; head -c 1000000 /dev/zero >&2";
    let output = run(sh(script), input.clone(), LIMIT).expect("an end");
    assert!(output.stdout.as_deref() == Some(&input), "all came back unchanged");
    assert!(output.stderr.as_deref() == Some(&[0; 2_000_000]), "all errors came");
    let all: Vec<u8> = (0..25_600_u32).map(|number| (number % 256) as u8).collect();
    assert!(run(sh("cat"), all.clone(), LIMIT).expect("an end").stdout == Some(all));
}

#[test]
#[expect(unsafe_code, reason = "a disposition of the whole process")]
fn a_program_that_does_not_read_is_no_error() {
    // shows: subprocess-exchange-ignores-early-close
    in_child(|| {
        // SAFETY: A default action installs no code: here a broken pipe would be deadly.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        for _ in 0..10 {
            let output = run(sh("exit 0"), vec![7; 1 << 20], LIMIT).map_err(text)?;
            check(output.status == ExitStatus::Code(0), "it ends well")?;
        }
        let mut set = std::mem::MaybeUninit::uninit();
        // SAFETY: Null changes nothing, and the set is filled by the call.
        let is_blocked = unsafe {
            libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), set.as_mut_ptr());
            libc::sigismember(set.as_ptr(), libc::SIGPIPE) == 1
        };
        check(!is_blocked, "the mask is as it was")
    });
}

#[test]
fn a_second_exchange_is_closed() {
    // shows: subprocess-exchange-twice
    let program = piped(sh("printf x"));
    let mut exchange = program.exchange("").expect("the first");
    assert_eq!(program.exchange("").err(), Some(Error::Closed));
    assert_eq!(exchange.finish(LIMIT).expect("an end").stdout.as_deref(), Some(&b"x"[..]));
    assert_eq!(exchange.finish(LIMIT), Err(Error::Closed));
    assert_eq!(program.exchange("").err(), Some(Error::Closed));
    let deaf = started(Program::start(sh("exit 0")));
    assert_eq!(deaf.exchange("x").err(), Some(Error::InvalidArgument));
}

#[test]
fn an_exchange_that_timed_out_goes_on_where_it_was() {
    // shows: subprocess-exchange-timeout-resumes
    let (until, release) = pipe().expect("a pipe");
    let script =
        format!("printf one; read x < /proc/self/fd/{}; printf two; cat", until.as_raw_fd());
    let mut command = sh(&script);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let program = started(Launch::new(command).pass(&until).start());
    let input = "in".repeat(1 << 19);
    let mut exchange = program.exchange(input.clone()).expect("the first");
    let limit = Duration::from_millis(100);
    // Until what it says first has come: more than one may be too short for that.
    loop {
        let begin = Instant::now();
        assert_eq!(exchange.finish(limit), Err(Error::TimedOut));
        assert!(begin.elapsed() >= limit);
        if exchange.stdout() == Some(b"one") {
            break;
        }
    }
    assert_eq!(exchange.finish(Duration::ZERO), Err(Error::TimedOut));
    assert_eq!(program.status(), Ok(None), "the timeout did not end it");
    (&release).write_all(b"x\n").expect("it is read");
    let output = exchange.finish(LIMIT).expect("an end");
    assert_eq!(output.status, ExitStatus::Code(0));
    assert!(output.stdout == Some(format!("onetwo{input}").into_bytes()), "once, and all of it");
}

#[test]
fn a_run_that_takes_too_long_is_killed_and_tells_what_came() {
    // shows: subprocess-call-timeout-kills, subprocess-timeout-carries-partial-output
    let mut limit = Duration::from_millis(200);
    // Until the limit was long enough for the first words.
    let (begin, failure, pid) = loop {
        let begin = Instant::now();
        let failure = run(sh("echo $$; kill -STOP $$"), "", limit).expect_err("it goes on");
        let said = failure.output().and_then(|output| output.stdout.clone()).unwrap_or_default();
        if let Ok(pid) = String::from_utf8(said).expect("text").trim().parse() {
            break (begin, failure, pid);
        }
        limit *= 2;
        assert!(limit < LIMIT, "it says nothing");
    };
    assert_eq!(failure.error(), Error::TimedOut);
    assert!(begin.elapsed() >= limit);
    assert_eq!(failure.output().map(|output| output.status), Some(ExitStatus::Signal(9)));
    let pid = Pid::from_raw(pid).expect("a pid");
    assert_eq!(test_kill_process(pid), Err(rustix::io::Errno::SRCH), "it is gone");
}

#[test]
fn the_deadline_is_one_however_much_comes() {
    // shows: subprocess-timeout-total
    let limit = Duration::from_millis(300);
    let begin = Instant::now();
    let failure = run(sh("while :; do echo x; done"), "", limit).expect_err("it goes on");
    assert_eq!(failure.error(), Error::TimedOut);
    assert!(begin.elapsed() >= limit);
    assert!(!failure.output().and_then(|output| output.stdout.as_ref()).expect("pipe").is_empty());
}

#[test]
fn a_descendant_keeps_the_streams_and_no_deadline_waiting() {
    // shows: subprocess-timeout-not-held-up-by-descendant
    // shows: subprocess-exchange-waits-for-stream-end
    let wait_for = |until: &PipeReader| format!("read x < /proc/self/fd/{}", until.as_raw_fd());
    // Until the limit was long enough for the descendant to run.
    let mut limit = Duration::from_millis(200);
    loop {
        let (until, release) = pipe().expect("a pipe");
        let script = format!("(printf there; {}; printf late) & kill -STOP $$", wait_for(&until));
        let launch = Launch::new(sh(&script)).capture().pass(&until);
        let failure = launch.run("", limit).expect_err("it goes on");
        assert_eq!(failure.error(), Error::TimedOut, "although the output is open");
        (&release).write_all(b"x\n").expect("it is read");
        if failure.output().and_then(|output| output.stdout.as_deref()) == Some(&b"there"[..]) {
            break;
        }
        limit *= 2;
        assert!(limit < LIMIT, "the descendant says nothing");
    }

    let (until, release) = pipe().expect("a pipe");
    let wait = wait_for(&until);
    let script = format!("printf hi; ({wait}; printf late) & exit 0");
    let mut command = sh(&script);
    command.stdout(Stdio::piped());
    let program = started(Launch::new(command).pass(&until).start());
    let mut exchange = program.exchange("").expect("the first");
    let exchanging = std::thread::spawn(move || exchange.finish(LIMIT));
    assert_eq!(program.wait(LIMIT), Ok(ExitStatus::Code(0)));
    assert!(!exchanging.is_finished(), "the stream is open");
    (&release).write_all(b"x\n").expect("it is read");
    let output = exchanging.join().expect("no panic").expect("an end");
    assert_eq!(output.stdout.as_deref(), Some(&b"hilate"[..]));
}

#[test]
fn a_program_killed_while_it_writes_has_said_what_it_wrote() {
    // shows: subprocess-killed-half-way-through-output
    let mut command = sh("head -c 100000 /dev/zero; kill -STOP $$");
    command.stdout(Stdio::piped());
    let program = started(Program::start(command));
    let mut stdout = program.take_stdout().expect("a pipe");
    let mut said = vec![0; 100_000];
    stdout.read_exact(&mut said).expect("all of it");
    program.kill().expect("it is ours");
    assert_eq!(stdout.read(&mut [0; 8]).expect("the end"), 0);
    assert_eq!(program.wait(LIMIT), Ok(ExitStatus::Signal(9)));
}
