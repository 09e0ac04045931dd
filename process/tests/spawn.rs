//! Children that are this program executed anew. The tests have a `main` of their own, which calls
//! `init` first; the environment may ask it to be another program instead.

mod bounded;
mod limited;
mod traces;
mod trials;

use std::io::{PipeReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bounded::{LIMIT, check, in_child};

use libtest_mimic::Arguments;
use limited::{lower, take_all_descriptors};
use purlin_process::{Error, ExitCode, ExitStatus, Process, init, receive_handles, send_handles};
use purlin_sync::{CheckedLock, HandoverLock, Lock};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::FdFlags;
use rustix::process::Resource;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use traces::{descriptor_count, has_children};

/// Asks this program to be another one.
const ROLE: &str = "PURLIN_TEST_ROLE";
use trials::trials;

fn main() {
    match std::env::var(ROLE).as_deref() {
        Ok("forgets") => return report(start_nothing),
        Ok("late") if std::env::var_os("PURLIN_SPAWNED").is_some() => return, // before its init
        Ok("plain") => {
            init();
            println!("went on");
            return;
        }
        Ok("words") => {
            init();
            let repeat = |(), ()| println!("{:?}", std::env::args().skip(1).collect::<Vec<_>>());
            let child = Process::spawn("child", repeat, (), ()).expect("a child");
            return assert_eq!(child.join(LIMIT), Ok(ExitStatus::Code(0)));
        }
        _ => {}
    }
    init();
    if std::env::var(ROLE).as_deref() == Ok("late") {
        return report(start_nothing);
    }
    // One after the other: they count descriptors, and kill whatever child there is.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    libtest_mimic::run(&arguments, trials(TESTS)).exit();
}

fn start_nothing() -> Result<Process, Error> {
    Process::spawn("child", |(), ()| (), (), ())
}

/// Prints what comes of a start, and what is left of it.
fn report(start: fn() -> Result<Process, Error>) {
    let before = descriptor_count();
    let started = start().map_or_else(|error| format!("{error:?}"), |_| "started".to_owned());
    let more = descriptor_count() - before;
    println!("{started}, {more} descriptors more, children: {}", has_children());
}

const TESTS: &[(&str, fn())] = &[
    ("the_function_runs_with_its_arguments", arguments),
    ("what_the_function_returns_is_the_exit_status", outcomes),
    ("a_child_has_the_arguments_of_the_program", words),
    ("a_carried_lock_is_the_same_lock", carried_lock),
    ("every_kind_of_handle_arrives", kinds),
    ("a_dead_child_is_told_to_the_next_holder", death),
    ("a_child_hands_on_what_it_was_given", nested),
    ("arguments_without_a_serial_form_are_not_transferable", unserializable),
    ("arguments_that_cannot_be_rebuilt_end_the_child", unreadable),
    ("arguments_of_many_megabytes_arrive", large),
    ("no_stray_descriptor_is_inherited", strays),
    ("descriptors_do_not_grow_with_siblings", growth),
    ("standard_input_is_the_null_device", null_input),
    ("a_program_that_forgets_init_is_told", forgotten),
    ("a_child_that_ends_before_init_is_told", late),
    ("an_inherited_mark_makes_nobody_a_child", inherited_mark),
    ("a_child_killed_as_it_starts_is_joined_as_killed", killed_early),
    ("a_child_killed_right_after_its_start_is_joined_as_killed", killed_after_its_start),
    ("threads_may_spawn_at_once", threads),
    ("children_come_and_go_without_a_trace", comings_and_goings),
    ("without_descriptors_nothing_is_spawned", no_descriptors),
    ("what_is_too_long_to_hand_on_is_said", too_long),
    ("a_handover_is_whole_or_an_error", handover),
];

/// Killed and collected when its test is over, however it ends.
struct Child(Process);

impl Child {
    fn status(&self) -> ExitStatus {
        self.0.join(LIMIT).expect("its end")
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.join(LIMIT);
    }
}

fn started(process: Result<Process, Error>) -> Child {
    Child(process.expect("a child"))
}

/// Whether something can be read, or the end of it seen, before `limit` has passed.
fn is_readable(reader: &PipeReader, limit: Duration) -> bool {
    let limit = Timespec::try_from(limit).expect("a minute fits");
    poll(&mut [PollFd::new(reader, PollFlags::IN)], Some(&limit)).expect("poll") > 0
}

/// The next byte of `what`, which must come.
fn byte_of(reader: &mut PipeReader, what: &str) -> u8 {
    assert!(is_readable(reader, LIMIT), "{what} does not come");
    let mut byte = [0];
    reader.read_exact(&mut byte).unwrap_or_else(|error| panic!("{what}: {error}"));
    byte[0]
}

/// All of `what`, which must come to an end.
fn all_of(mut reader: PipeReader, what: &str) -> String {
    let deadline = Instant::now() + LIMIT;
    let mut bytes = Vec::new();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let said = String::from_utf8_lossy(&bytes);
        assert!(is_readable(&reader, left), "{what} does not end; so far: {said:?}");
        let mut piece = [0; 1024];
        match reader.read(&mut piece).expect("a pipe") {
            0 => return said.into_owned(),
            count => bytes.extend_from_slice(&piece[..count]),
        }
    }
}

fn arguments() {
    let sum = |(numbers, text): (Vec<i32>, String), ()| {
        ExitCode(numbers.iter().sum::<i32>() + text.len() as i32)
    };
    let child = started(Process::spawn("sum", sum, (vec![1, 2, 3], "four".to_owned()), ()));
    assert_eq!(child.status(), ExitStatus::Code(10));
    assert_eq!(child.0.name(), "sum");
}

fn words() {
    // shows: process-spawn-keeps-program-arguments
    let said = said_by_role("words", |command| {
        command.args(["x", "y z", ""]);
    });
    assert_eq!(said, r#"["x", "y z", ""]"#);
}

fn outcomes() {
    fn fails((): (), (): ()) -> Result<(), String> {
        Err("as it should".to_owned())
    }
    fn panics((): (), (): ()) {
        panic!("as it should");
    }
    fn exits((): (), (): ()) {
        std::process::exit(7);
    }
    assert_eq!(started(Process::spawn("", |(), ()| (), (), ())).status(), ExitStatus::Code(0));
    assert_eq!(started(Process::spawn("", fails, (), ())).status(), ExitStatus::Code(1));
    assert_eq!(started(Process::spawn("", panics, (), ())).status(), ExitStatus::Code(101));
    assert_eq!(started(Process::spawn("", exits, (), ())).status(), ExitStatus::Code(7));
}

/// What a try says, as a status.
fn tries((): (), (lock,): (Lock,)) -> ExitCode {
    ExitCode(match lock.try_acquire() {
        Ok(_) => 0,
        Err(purlin_sync::Error::TimedOut) => 1,
        Err(_) => 2,
    })
}

fn carried_lock() {
    let lock = Lock::new().expect("a lock");
    let held = lock.acquire(LIMIT).expect("it is free");
    let child = started(Process::spawn("tries", tries, (), (lock.clone(),)));
    assert_eq!(child.status(), ExitStatus::Code(1), "its parent holds it");
    drop(held);
    let child = started(Process::spawn("tries", tries, (), (lock.clone(),)));
    assert_eq!(child.status(), ExitStatus::Code(0), "it is free");
}

fn kinds() {
    type Handles = (Vec<Lock>, Option<HandoverLock>, CheckedLock, OwnedFd);
    fn uses((): (), (locks, handover, checked, pipe): Handles) -> Result<(), String> {
        let words = |error: purlin_sync::Error| error.to_string();
        for lock in &locks {
            drop(lock.acquire(LIMIT).map_err(words)?.sound().map_err(words)?);
        }
        handover.ok_or("no lock")?.release().map_err(words)?;
        drop(checked.acquire(LIMIT).map_err(words)?.sound().map_err(words)?);
        std::io::PipeWriter::from(pipe).write_all(b"all").map_err(|error| error.to_string())
    }
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let handover = HandoverLock::new().expect("a lock");
    handover.acquire(LIMIT).expect("it is free").keep();
    let locks = (0..3).map(|_| Lock::new().expect("a lock")).collect();
    let checked = CheckedLock::new().expect("a lock");
    let handles: Handles = (locks, Some(handover.clone()), checked, writer.into());
    let child = started(Process::spawn("uses", uses, (), handles));
    let text = all_of(reader, "what the child writes");
    assert_eq!((child.status(), text.as_str()), (ExitStatus::Code(0), "all"));
    assert!(handover.try_acquire().is_ok(), "the child released it");
}

fn death() {
    fn takes((): (), (lock, said): (Lock, OwnedFd)) {
        let _kept = lock.acquire(LIMIT).map(|acquired| acquired.keep());
        let _ = std::io::PipeWriter::from(said).write_all(b"h");
        loop {
            std::thread::park();
        }
    }
    let lock = Lock::new().expect("a lock");
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    let child = started(Process::spawn("takes", takes, (), (lock.clone(), writer.into())));
    byte_of(&mut reader, "the word that it holds the lock");
    child.0.kill().expect("a child of ours");
    let told = lock.acquire(LIMIT).expect("the lock");
    assert_eq!(told.sound().unwrap_err(), purlin_sync::Error::OwnerDied);
    assert_eq!(child.status(), ExitStatus::Signal(9));
}

fn nested() {
    fn hands_on((): (), (lock,): (Lock,)) -> Result<ExitCode, String> {
        let child = Process::spawn("inner", tries, (), (lock,)).map_err(|e| e.to_string())?;
        let status = child.join(LIMIT).map_err(|e| e.to_string())?;
        status.code().map(ExitCode).ok_or("unknown".to_owned())
    }
    let lock = Lock::new().expect("a lock");
    let held = lock.acquire(LIMIT).expect("it is free");
    let child = started(Process::spawn("outer", hands_on, (), (lock.clone(),)));
    assert_eq!(child.status(), ExitStatus::Code(1));
    drop(held);
}

/// Has no serial form when it says so, and none that can be read back otherwise.
struct Odd {
    has_form: bool,
}

impl Serialize for Odd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.has_form { serializer.serialize_u8(7) } else { Err(ser::Error::custom("none")) }
    }
}

impl<'de> Deserialize<'de> for Odd {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(de::Error::custom("cannot be rebuilt"))
    }
}

fn unserializable() {
    let answer = Process::spawn("odd", |_: Odd, ()| (), Odd { has_form: false }, ());
    assert_eq!(answer.unwrap_err(), Error::NotTransferable);
}

fn unreadable() {
    let child =
        started(Process::spawn("odd", |_: Odd, ()| ExitCode(7), Odd { has_form: true }, ()));
    assert_eq!(child.status(), ExitStatus::Code(1));
}

fn large() {
    let bytes: Vec<u8> = (0..4 << 20).map(|at: u32| at.to_le_bytes()[1]).collect();
    let check = |bytes: Vec<u8>, ()| {
        let is_whole = bytes.len() == 4 << 20;
        let is_same = (0..4_u32 << 20).zip(&bytes).all(|(at, byte)| at.to_le_bytes()[1] == *byte);
        ExitCode(i32::from(!(is_whole && is_same)))
    };
    assert_eq!(started(Process::spawn("large", check, bytes, ())).status(), ExitStatus::Code(0));
}

/// Waits until its parent lets go of the pipe.
fn idles((): (), (until,): (OwnedFd,)) {
    let _ = std::io::PipeReader::from(until).read(&mut [0]);
}

/// Says how many descriptors it has, and idles.
fn counts((): (), (until, said): (OwnedFd, OwnedFd)) {
    let count = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count) as u8;
    let _ = std::io::PipeWriter::from(said).write_all(&[count]);
    idles((), (until,));
}

fn strays() {
    let (until, end) = std::io::pipe().expect("a pipe");
    let (mut said, saying) = std::io::pipe().expect("a pipe");
    let (reader, writer) = std::io::pipe().expect("a pipe");
    rustix::io::fcntl_setfd(&writer, FdFlags::empty()).expect("inheritable");
    let carried = (until.into(), saying.into());
    let child = started(Process::spawn("counts", counts, (), carried));
    drop(writer);
    // It runs: what is not its own is closed by now, or never will be.
    byte_of(&mut said, "the word that the child runs");
    assert!(is_readable(&reader, Duration::ZERO), "the child has the other end");
    assert_eq!(child.0.is_alive(), Ok(true));
    drop(end);
    assert_eq!(child.status(), ExitStatus::Code(0));
}

fn growth() {
    let mut children = Vec::new();
    let mut seen = Vec::new();
    let mut ends = Vec::new();
    for _ in 0..5 {
        let (until, end) = std::io::pipe().expect("a pipe");
        let (mut reader, writer) = std::io::pipe().expect("a pipe");
        let carried = (until.into(), writer.into());
        children.push(started(Process::spawn("counts", counts, (), carried)));
        seen.push(byte_of(&mut reader, "the child's count"));
        ends.push(end);
    }
    // The standard ones, the two that were handed over, the parent's, and the one that counts.
    assert_eq!(seen, [7; 5]);
}

fn null_input() {
    let reads = |(), ()| {
        let mut text = Vec::new();
        ExitCode(std::io::stdin().read_to_end(&mut text).map_or(9, |len| len as i32))
    };
    assert_eq!(started(Process::spawn("reads", reads, (), ())).status(), ExitStatus::Code(0));
}

/// Another program, killed when its test is over, however it ends.
struct Program(std::process::Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What this program prints as another one.
fn said_by_role(role: &str, prepare: impl FnOnce(&mut Command)) -> String {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.env(ROLE, role).stdout(writer);
    prepare(&mut command);
    let _program = Program(command.spawn().expect("it runs"));
    drop(command); // and with it our copy of what it prints to
    all_of(reader, "what the program prints").trim().to_owned()
}

fn this_program_as(role: &str) -> String {
    said_by_role(role, |command| {
        command.stdin(Stdio::null());
    })
}

const NOT_INITIALIZED: &str = "NotInitialized, 0 descriptors more, children: false";

fn forgotten() {
    assert_eq!(this_program_as("forgets"), NOT_INITIALIZED);
}

fn late() {
    assert_eq!(this_program_as("late"), NOT_INITIALIZED);
}

fn inherited_mark() {
    for mark in ["", "1:2", "rubbish"] {
        // Whoever takes itself for a child greets at once, and finds that nobody is there.
        let (socket, _) = UnixStream::pair().expect("a socket");
        let said = said_by_role("plain", |command| {
            command.env("PURLIN_SPAWNED", mark).stdin(OwnedFd::from(socket));
        });
        assert_eq!(said, "went on", "with the mark {mark:?} it took itself for a child");
    }
}

fn killed_early() {
    // shows: process-spawn-child-killed-while-arguments-travel
    let bytes = vec![7_u8; 64 << 20];
    let killer = std::thread::spawn(kill_the_first_child);
    let count = |bytes: Vec<u8>, ()| ExitCode(i32::from(bytes.is_empty()));
    let child = started(Process::spawn("victim", count, bytes, ()));
    killer.join().expect("it was killed");
    assert_eq!(child.status(), ExitStatus::Signal(9));
}

fn killed_after_its_start() {
    // shows: process-kill-right-after-start, process-many-terminated-at-once
    fn idle((): (), (): ()) {
        loop {
            std::thread::park();
        }
    }
    in_child(|| {
        let start = || Process::spawn("idle", idle, (), ());
        let text = |error: Error| error.to_string();
        start().and_then(|child| child.kill().and_then(|()| child.join(LIMIT))).map_err(text)?;
        let before = descriptor_count();
        for _ in 0..20 {
            let child = start().map_err(text)?;
            child.kill().map_err(text)?;
            check(child.join(LIMIT) == Ok(ExitStatus::Signal(9)), "each is killed")?;
        }
        check(descriptor_count() == before && !has_children(), "and leaves no trace")?;
        let several = [start(), start(), start(), start(), start()];
        for child in &several {
            child.as_ref().map_err(|error| text(*error))?.terminate().map_err(text)?;
        }
        let is_terminated = |child: &Result<Process, Error>| {
            child.as_ref().is_ok_and(|child| child.join(LIMIT) == Ok(ExitStatus::Signal(15)))
        };
        check(several.iter().all(is_terminated), "each is terminated")
    });
}

fn threads() {
    // shows: process-start-while-other-threads-run
    std::thread::scope(|scope| {
        for number in 0..4 {
            scope.spawn(move || {
                for _ in 0..3 {
                    let child =
                        started(Process::spawn("", |number: i32, ()| ExitCode(number), number, ()));
                    assert_eq!(child.status(), ExitStatus::Code(number));
                }
            });
        }
    });
}

/// Kills the child that a start is waiting for, or has just begun.
fn kill_the_first_child() {
    let begin = Instant::now();
    while begin.elapsed() < LIMIT {
        for task in std::fs::read_dir("/proc/self/task").expect("/proc").flatten() {
            let children =
                std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
            let Some(pid) = children.split_whitespace().find_map(|pid| pid.parse::<i32>().ok())
            else {
                continue;
            };
            let pid = rustix::process::Pid::from_raw(pid).expect("a pid is positive");
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("a child");
            return;
        }
        std::thread::yield_now();
    }
    panic!("no child was started");
}

fn comings_and_goings() {
    let quick = |(), ()| ();
    assert_eq!(started(Process::spawn("", quick, (), ())).status(), ExitStatus::Code(0));
    let before = descriptor_count();
    for _ in 0..30 {
        let child = started(Process::spawn("", quick, (), ()));
        assert_eq!(child.status(), ExitStatus::Code(0));
    }
    assert_eq!(descriptor_count(), before);
}

fn too_long() {
    in_child(|| {
        let before = descriptor_count();
        // The environment may take a quarter of the stack, and 128 KiB in any case.
        lower(Resource::Stack, 512 << 10)?;
        set_long_variables();
        match Process::spawn("too long", |(), ()| ExitCode(3), (), ()) {
            Err(Error::ArgumentsTooLong) => {}
            other => {
                return Err(format!("it was {:?}", other.map(|child| child.join(LIMIT)).err()));
            }
        }
        check(!has_children() && descriptor_count() == before, "nothing is left of it")
    });
}

/// Twice 96 KiB more in the environment.
#[expect(unsafe_code, reason = "whoever reads it meanwhile may read what is no more")]
fn set_long_variables() {
    let value = "a".repeat(96 << 10);
    for name in ["PURLIN_LONG", "PURLIN_LONG_TOO"] {
        // SAFETY: this process has one thread, forked for this test.
        unsafe { std::env::set_var(name, &value) };
    }
}

fn no_descriptors() {
    in_child(|| {
        lower(Resource::Nofile, 64)?;
        let mut taken = take_all_descriptors();
        let all = taken.len();
        for free in 0..all {
            taken.truncate(all - free);
            match Process::spawn("one too many", |(), ()| ExitCode(3), (), ()) {
                Err(Error::OutOfResources) => {}
                Err(other) => return Err(format!("with {free} free: {other:?}")),
                Ok(child) => {
                    check(child.join(LIMIT) == Ok(ExitStatus::Code(3)), "it runs")?;
                    return check(free > 0, "it takes at least one");
                }
            }
            check(!has_children(), &format!("with {free} free no child is left"))?;
            taken.extend(take_all_descriptors());
            check(taken.len() == all, &format!("the {free} that were free were given back"))?;
        }
        Err("with all free but one it is refused".to_owned())
    });
}

fn handover() {
    let pair = || UnixStream::pair().expect("a socket");
    // As many descriptors as go in two pieces.
    let many: Vec<Lock> = (0..300)
        .map(|_| {
            let segment = purlin_shm::Segment::anonymous(4096).expect("a segment");
            Lock::new_in(&segment).expect("a lock")
        })
        .collect();
    let (ours, theirs) = pair();
    send_handles(&ours, &many, LIMIT).expect("they are sent");
    let arrived: Vec<Lock> = receive_handles(&theirs, LIMIT).expect("they arrive");
    assert_eq!(arrived.len(), many.len());
    assert_eq!(
        arrived[299].segment().attachment().token(),
        many[299].segment().attachment().token()
    );

    let lock = &many[0];
    let (ours, theirs) = pair();
    send_handles(&ours, lock, LIMIT).expect("it is sent");
    assert_eq!(receive_handles::<HandoverLock>(&theirs, LIMIT).unwrap_err(), Error::Incompatible);

    let (ours, theirs) = pair();
    assert_eq!(receive_handles::<Lock>(&theirs, Duration::ZERO).unwrap_err(), Error::TimedOut);
    drop(ours);
    assert_eq!(receive_handles::<Lock>(&theirs, LIMIT).unwrap_err(), Error::EndOfFile);
    assert_eq!(send_handles(&theirs, lock, LIMIT).unwrap_err(), Error::BrokenPipe);

    for rubbish in
        [vec![0; 16], vec![0xff; 64], b"prl\x01\xff\xff\xff\xff\0\0\0\0\0\0\0\0".to_vec()]
    {
        let (mut ours, theirs) = pair();
        ours.write_all(&rubbish).expect("room");
        assert_eq!(receive_handles::<Lock>(&theirs, LIMIT).unwrap_err(), Error::Damaged);
    }
    // It claims more than comes.
    let (mut ours, theirs) = pair();
    ours.write_all(b"prl\x01\0\0\0\0\0\0\0\x10\0\0\0\0").expect("room");
    assert_eq!(
        receive_handles::<Lock>(&theirs, Duration::from_millis(20)).unwrap_err(),
        Error::TimedOut
    );
    drop(ours);
    assert_eq!(receive_handles::<Lock>(&theirs, LIMIT).unwrap_err(), Error::EndOfFile);

    let null = std::fs::File::open("/dev/null").expect("the null device");
    assert!(matches!(send_handles(&null, lock, LIMIT), Err(Error::System { .. })));
}
