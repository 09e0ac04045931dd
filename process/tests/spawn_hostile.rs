//! Children that are this program executed anew, in circumstances that nobody wishes for. The tests
//! have a `main` of their own, which calls `init` first.

mod bounded;
#[expect(dead_code, reason = "what other tests use of it")]
mod talk;
mod trials;

use std::io::{PipeReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use bounded::{LIMIT, check, in_child};
use libtest_mimic::Arguments;
use purlin_process::command::Program;
use purlin_process::{ExitCode, ExitStatus, Process, init};
use serde::{Deserialize, Deserializer, Serialize};
use talk::{all, listen, talk};
use trials::trials;

fn main() {
    // A program that catches whatever panics, and would go on as a second main program.
    if std::panic::catch_unwind(init).is_err() {
        std::process::exit(0);
    }
    libtest_mimic::run(&Arguments::from_args(), trials(TESTS)).exit();
}

const TESTS: &[(&str, fn())] = &[
    ("a_forked_child_spawns_though_a_thread_had_the_loaders_list", loaders_list),
    ("what_is_printed_to_a_closed_stream_does_not_come_to_a_child", printed_meanwhile),
    ("a_child_whose_parent_has_a_copy_ends_with_its_parent", copied_parent),
    ("what_no_parent_sends_ends_a_child", rubbish),
    ("an_argument_that_panics_as_it_is_read_ends_the_child", bomb),
];

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

type Holder = (mpsc::Sender<()>, mpsc::Receiver<()>);

#[expect(unsafe_code, reason = "a callback of the loader's")]
unsafe extern "C" fn keep(
    _info: *mut libc::dl_phdr_info,
    _size: libc::size_t,
    holder: *mut libc::c_void,
) -> libc::c_int {
    // SAFETY: It is the holder of `loaders_list`, which lives longer than the call.
    let (kept, until) = unsafe { &*holder.cast::<Holder>() };
    let _ = kept.send(());
    let _ = until.recv();
    1
}

#[expect(unsafe_code, reason = "the loader's list")]
fn loaders_list() {
    in_child(|| {
        let ((kept, is_kept), (until, ending)) = (mpsc::channel(), mpsc::channel::<()>());
        let holder = std::thread::spawn(move || {
            let mut holder: Holder = (kept, ending);
            // SAFETY: The callback gets the holder, which lives longer than the call.
            unsafe { libc::dl_iterate_phdr(Some(keep), (&raw mut holder).cast()) };
        });
        is_kept.recv().map_err(text)?;
        let child = Process::fork("spawns", || -> Result<(), String> {
            let spawned = Process::spawn("spawned", |(), ()| ExitCode(3), (), ()).map_err(text)?;
            check(spawned.join(LIMIT) == Ok(ExitStatus::Code(3)), "it runs")
        });
        let child = child.map_err(text)?;
        let status = child.join(LIMIT);
        let _ = child.kill();
        drop(until);
        holder.join().map_err(|_| "the holder panicked")?;
        check(status == Ok(ExitStatus::Code(0)), &format!("it spawns: {status:?}"))
    });
}

#[expect(unsafe_code, reason = "the standard output is closed under the library's feet")]
fn printed_meanwhile() {
    in_child(|| {
        // SAFETY: This process ends with this test.
        check(unsafe { libc::close(1) } == 0, "the output is closed")?;
        let is_over = AtomicBool::new(false);
        let print = || {
            // Relaxed: a flag, and nothing else is read because of it.
            while !is_over.load(Ordering::Relaxed) {
                let _ = rustix::io::write(rustix::stdio::stdout(), b"to nobody");
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(print);
            let statuses = (0..100).map(|_| {
                let child = Process::spawn("spawned", |(), ()| ExitCode(3), (), ())?;
                child.join(LIMIT)
            });
            let wrong = { statuses }.find(|status| *status != Ok(ExitStatus::Code(3)));
            is_over.store(true, Ordering::Relaxed); // Relaxed: as above
            check(wrong.is_none(), &format!("each child runs: {wrong:?}"))
        })
    });
}

/// A program of ours that is told to be a child by whoever has the other end of its input.
fn child_of(theirs: UnixStream) -> Result<Command, String> {
    let stat = rustix::fs::fstat(&theirs).map_err(text)?;
    let mut command = Command::new(std::env::current_exe().map_err(text)?);
    command.env("PURLIN_SPAWNED", format!("{}:{}", stat.st_dev, stat.st_ino));
    command.stdin(Stdio::from(OwnedFd::from(theirs)));
    Ok(command)
}

/// Starts such a program, and has a copy of this process that keeps the socket open until `until`.
#[expect(unsafe_code, reason = "a fork by foreign code")]
fn start_and_be_copied(said: OwnedFd, until: &PipeReader) -> Result<(), String> {
    let (mut ours, theirs) = UnixStream::pair().map_err(text)?;
    let mut command = child_of(theirs)?;
    command.stdout(Stdio::from(said));
    command.spawn().map_err(text)?;
    drop(command);
    ours.read_exact(&mut [0]).map_err(text)?; // its hello
    // SAFETY: The copy waits and ends.
    if unsafe { libc::fork() } == 0 {
        listen(until);
        // SAFETY: It asks for nothing.
        unsafe { libc::_exit(0) };
    }
    Ok(())
}

fn copied_parent() {
    in_child(|| {
        let (mut reader, said) = talk()?;
        let (until, release) = talk()?;
        let said = OwnedFd::from(said);
        let parent = Process::fork("parent", || start_and_be_copied(said, &until));
        let parent = parent.map_err(text)?;
        check(parent.join(LIMIT) == Ok(ExitStatus::Code(0)), "the parent has ended")?;
        check(all(&mut reader, "the child")?.is_empty(), "the child has ended")?;
        drop(release); // kept until here
        Ok(())
    });
}

fn rubbish() {
    let header =
        |count: u32, len: u64| [&b"prl\x01"[..], &count.to_le_bytes(), &len.to_le_bytes()].concat();
    let messages = [
        vec![0xff; 5000],
        header(0, u64::MAX),
        header(u32::MAX, 0),
        header(0, 0),
        [header(1, 1), vec![0; 2]].concat(),
        [header(0, 400), vec![7; 400]].concat(),
    ];
    in_child(|| {
        for message in messages {
            let (mut ours, theirs) = UnixStream::pair().map_err(text)?;
            let child = Program::start(child_of(theirs)?).map_err(text)?;
            ours.read_exact(&mut [0]).map_err(text)?;
            ours.write_all(&message).map_err(text)?;
            let status = child.wait(LIMIT);
            let _ = child.kill();
            let start = &message[..message.len().min(20)];
            check(status == Ok(ExitStatus::Code(1)), &format!("{start:?}: {status:?}"))?;
        }
        Ok(())
    });
}

#[derive(Serialize)]
struct Bomb;

impl<'de> Deserialize<'de> for Bomb {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("expected by a test")
    }
}

fn bomb() {
    let child = Process::spawn("bomb", |_: Bomb, ()| ExitCode(7), Bomb, ());
    assert_eq!(child.and_then(|child| child.join(LIMIT)), Ok(ExitStatus::Code(101)));
}
