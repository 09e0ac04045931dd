//! Children that another file is executed for than this program's own. The tests have a `main` of
//! their own, which calls `init` first.

mod trials;

use std::fs;
use std::hint::black_box;
use std::io::{PipeWriter, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use libtest_mimic::Arguments;
use purlin_process::{Builder, Error, ExitCode, ExitStatus, Process, init};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Generous: passing it is a failure, never a result.
const LIMIT: Duration = Duration::from_secs(60);
use trials::trials;

fn main() {
    init();
    let tests: [(&str, fn()); 8] = [
        ("a_copy_of_this_program_runs_the_function", copy),
        ("a_wrapper_that_executes_this_program_runs_the_function", wrapper),
        ("a_daemon_behind_a_wrapper_that_stays_ends_with_its_parent", behind_a_wrapper),
        ("a_child_behind_a_wrapper_waits_for_a_parent_that_pauses", pause),
        ("one_that_is_killed_before_it_says_hello_is_joined_as_killed", killed_before_hello),
        ("a_program_of_other_code_ends_with_a_failure", other_code),
        ("a_program_that_is_none_of_purlins_is_refused", stranger),
        ("a_missing_program_is_told", missing),
    ];
    // One after the other: who is forked while a file is written keeps it from being executed.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    libtest_mimic::run(&arguments, trials(&tests)).exit();
}

/// A file that may be executed, removed when its test is over.
struct File(PathBuf);

impl File {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("purlin-{}-{name}", std::process::id()));
        fs::write(&path, bytes).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("its mode");
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn own_bytes() -> Vec<u8> {
    fs::read("/proc/self/exe").expect("this program")
}

/// 7 in a child that is executed from the file of this path.
fn seven_in(path: String, (): ()) -> ExitCode {
    let is_there = std::env::current_exe().is_ok_and(|own| own.as_os_str() == path.as_str());
    ExitCode(if is_there { 7 } else { 8 })
}

fn copy() {
    let file = File::new("copy", &own_bytes());
    let path = file.0.to_str().expect("a path of text").to_owned();
    let child = Builder::new().program(&file.0).spawn(seven_in, path.clone(), ());
    assert_eq!(child.and_then(|child| child.join(LIMIT)), Ok(ExitStatus::Code(7)));
    let usual = Builder::new().spawn(seven_in, path, ());
    assert_eq!(usual.and_then(|child| child.join(LIMIT)), Ok(ExitStatus::Code(8)));
}

fn wrapper() {
    let own = std::env::current_exe().expect("this program");
    let script = format!("#!/bin/sh\nWRAPPED=yes exec '{}' \"$@\"\n", own.display());
    let file = File::new("wrapper", script.as_bytes());
    let is_wrapped = |(), ()| ExitCode(i32::from(std::env::var("WRAPPED").as_deref() != Ok("yes")));
    let child = Builder::new().program(&file.0).spawn(is_wrapped, (), ());
    assert_eq!(child.and_then(|child| child.join(LIMIT)), Ok(ExitStatus::Code(0)));
}

/// A daemon that is not the process that was started for it, but a child of that.
fn behind_a_wrapper() {
    fn speak((): (), said: OwnedFd) {
        let _ = PipeWriter::from(said).write_all(b"r");
        loop {
            std::thread::park();
        }
    }
    let own = std::env::current_exe().expect("this program");
    let script = format!("#!/bin/sh\n'{}' \"$@\" <&0\nexit $?\n", own.display());
    let file = File::new("standing", script.as_bytes());
    let (mut reader, said) = std::io::pipe().expect("a pipe");
    let parent = Process::fork("parent", || -> Result<(), Error> {
        let said = said; // and no copy is left but the daemon's
        let _daemon = Builder::new().daemon(true).program(&file.0).spawn(speak, (), said.into())?;
        loop {
            std::thread::park();
        }
    });
    let parent = parent.expect("a parent");
    assert_eq!(reader.read(&mut [0]).expect("a pipe"), 1, "the daemon runs");
    parent.kill().expect("the parent");
    assert_eq!(parent.join(LIMIT), Ok(ExitStatus::Signal(9)));
    let ended = PollFd::new(&reader, PollFlags::IN);
    let limit = Timespec { tv_sec: 60, tv_nsec: 0 };
    assert_eq!(poll(&mut [ended], Some(&limit)), Ok(1), "the daemon ends");
}

/// The child has said hello by the time that its parent goes on.
fn pause() {
    let own = std::env::current_exe().expect("this program");
    let script = format!(
        "#!/bin/sh\nkill -STOP $PPID\n(sleep 3; kill -CONT $PPID) &\n'{}' \"$@\" <&0\nexit $?\n",
        own.display()
    );
    let file = File::new("pausing", script.as_bytes());
    let parent = Process::fork("parent", || -> Result<ExitCode, Error> {
        let child = Builder::new().program(&file.0).spawn(|(), ()| ExitCode(7), (), ())?;
        Ok(ExitCode(i32::from(child.join(LIMIT)? != ExitStatus::Code(7))))
    });
    assert_eq!(parent.and_then(|parent| parent.join(LIMIT)), Ok(ExitStatus::Code(0)));
}

fn killed_before_hello() {
    let file = File::new("killed", b"#!/bin/sh\nkill -KILL $$\n");
    for is_daemon in [false, true] {
        let child = Builder::new().daemon(is_daemon).program(&file.0);
        let child = child.spawn(|(), ()| ExitCode(7), (), ());
        let status = child.and_then(|child| child.join(LIMIT));
        assert_eq!(status, Ok(ExitStatus::Signal(9)), "a daemon: {is_daemon}");
    }
}

/// Nobody calls this; its number stands in the code.
#[inline(never)]
fn known(number: u64) -> u64 {
    number ^ 0x7e5c_b19a_3d42_f086
}

fn other_code() {
    assert_ne!(black_box(known as fn(u64) -> u64)(black_box(1)), 0);
    let mut bytes = own_bytes();
    let number = 0x7e5c_b19a_3d42_f086_u64.to_le_bytes();
    let places = bytes.windows(8).enumerate().filter(|(_, piece)| *piece == number);
    let places: Vec<usize> = places.map(|(place, _)| place).collect();
    if places.is_empty() {
        return println!("not made: this machine's code has no numbers of eight bytes");
    }
    for place in places {
        bytes[place] ^= 1;
    }
    let file = File::new("other", &bytes);
    let child = Builder::new().program(&file.0).spawn(|(), ()| ExitCode(7), (), ());
    assert_eq!(child.and_then(|child| child.join(LIMIT)), Ok(ExitStatus::Code(1)));
}

fn stranger() {
    let child = Builder::new().program("true").spawn(|(), ()| ExitCode(7), (), ());
    assert_eq!(child.err(), Some(Error::NotInitialized));
}

fn missing() {
    let child = Builder::new().program("/no/such/program").spawn(|(), ()| ExitCode(7), (), ());
    assert_eq!(child.err(), Some(Error::NoSuchProgram));
}
