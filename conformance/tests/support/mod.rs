//! Running the program from tests: bounded, and with nothing left behind.

pub(crate) mod driver;
pub(crate) mod made_up;
pub(crate) mod markup;
pub(crate) mod scripts;
pub(crate) mod shell;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use purlin_conformance::report::shell::quoted;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_purlin-conformance");

/// What a run gave.
pub(crate) struct Ran {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// After so long a test gives up; nothing is measured by it.
pub(crate) const LIMIT: Duration = Duration::from_secs(300);

/// Runs the program to its end. Every process that it started must have ended with it.
pub(crate) fn run(args: &[&str]) -> Ran {
    run_with(args, &[])
}

/// The same, with variables in its environment.
pub(crate) fn run_with(args: &[&str], variables: &[(&str, &str)]) -> Ran {
    let marked = Marked::new();
    let mut command = Command::new(PROGRAM);
    command.args(args).envs(variables.iter().copied()).env(MARK, &marked.value);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let stdout = read_all(child.stdout.take().unwrap());
    let stderr = read_all(child.stderr.take().unwrap());
    let has_ended = has_ended(&pidfd(child.id()).unwrap());
    if !has_ended {
        marked.kill();
    }
    let status = child.wait().unwrap().code();
    let stdout = stdout.recv_timeout(LIMIT).expect("somebody holds its standard output");
    let stderr = stderr.recv_timeout(LIMIT).expect("somebody holds its standard error");
    assert!(has_ended, "{args:?} does not end; it said {stdout} {stderr}");
    let left = marked.kill();
    assert!(left.is_empty(), "{args:?} leaves processes behind: {left:?}");
    Ran { status, stdout, stderr }
}

/// The verdict lines and totals that a run writes with `--json`.
pub(crate) fn run_json(args: &[&str], variables: &[(&str, &str)]) -> (Ran, Vec<serde_json::Value>) {
    let file = Scratch::new();
    let path = file.path.to_str().unwrap().to_owned();
    let at = args.iter().position(|arg| *arg == "--").unwrap_or(args.len());
    let mut all = args[..at].to_vec();
    all.extend(["--json", &path]);
    all.extend(&args[at..]);
    let ran = run_with(&all, variables);
    let text = fs::read_to_string(&path).unwrap_or_default();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (ran, lines)
}

/// The processes that were started with a mark of their own in the environment.
pub(crate) struct Marked {
    pub(crate) value: String,
}

/// The variable that carries the mark.
pub(crate) const MARK: &str = "PURLIN_TEST_MARK";

impl Marked {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        // Relaxed: only the number matters.
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self { value: format!("{}-{number}", std::process::id()) }
    }

    /// Those that live. One that has ended and was not collected has no environment any more.
    pub(crate) fn processes(&self) -> Vec<u32> {
        let wanted = format!("{MARK}={}", self.value);
        let is_marked = |pid: &u32| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
        };
        let names = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.file_name());
        names.filter_map(|name| name.to_str()?.parse().ok()).filter(is_marked).collect()
    }

    /// Kills those that live and says which they were.
    pub(crate) fn kill(&self) -> Vec<u32> {
        let found = self.processes();
        for pid in &found {
            let Some(number) = Pid::from_raw(i32::try_from(*pid).unwrap()) else { continue };
            let Ok(fd) = pidfd_open(number, PidfdFlags::empty()) else { continue };
            // Looked up again through the descriptor's lifetime: the number cannot be a stranger's.
            if self.processes().contains(pid) {
                let _ = pidfd_send_signal(fd, Signal::KILL);
            }
        }
        found
    }
}

impl Drop for Marked {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The name of a file or a folder that goes with the test.
pub(crate) struct Scratch {
    pub(crate) path: PathBuf,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        let name = format!("purlin-conformance-{}", Marked::new().value);
        Self { path: PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name) }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path).or_else(|_| fs::remove_dir_all(&self.path));
    }
}

/// Whether a process ends within the limit.
pub(crate) fn has_ended(pidfd: &OwnedFd) -> bool {
    let limit = Timespec::try_from(LIMIT).unwrap();
    poll(&mut [PollFd::new(pidfd, PollFlags::IN)], Some(&limit)).unwrap() > 0
}

/// A descriptor that tells of the end of a process.
///
/// # Errors
/// * When it is not there any more.
pub(crate) fn pidfd(pid: u32) -> rustix::io::Result<OwnedFd> {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    pidfd_open(pid, PidfdFlags::empty())
}

/// Writes a line to the standard input of an adapter.
pub(crate) fn say(adapter: &mut Child, line: &str) {
    let stdin = adapter.stdin.as_mut().unwrap();
    stdin.write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// What an adapter says, line by line, waited for within the limit.
pub(crate) struct Replies {
    lines: mpsc::Receiver<String>,
}

impl Replies {
    pub(crate) fn of(adapter: &mut Child) -> Self {
        let stdout = BufReader::new(adapter.stdout.take().unwrap());
        let (pass, lines) = mpsc::channel();
        thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|l| pass.send(l)));
        Self { lines }
    }

    pub(crate) fn next(&self) -> serde_json::Value {
        let line = self.lines.recv_timeout(LIMIT).expect("the adapter is gone, or says nothing");
        serde_json::from_str(&line).unwrap()
    }
}

/// The adapter for CPython, or none where there is no Python.
pub(crate) fn cpython() -> Option<Command> {
    cpython_by("fork")
}

/// The same, with the usual way in which it starts actors.
pub(crate) fn cpython_by(how: &str) -> Option<Command> {
    Command::new("python3").arg("--version").output().ok()?;
    let python = purlin_conformance::cpython::Interpreter::find("python3".as_ref());
    let mut command = Command::new(&python.program);
    command.args(python.arguments(how));
    Some(command)
}

/// One of the program's own adapters.
pub(crate) fn own(name: &str) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["adapter", name]);
    command
}

/// One of the program's own adapters with another face: the words of a shell that changes, by
/// commands of `sed`, what it says of itself and what it is asked.
pub(crate) fn dressed(name: &str, hello: &str, requests: &str) -> [String; 3] {
    let program = quoted(PROGRAM);
    let (hello, requests) = (quoted(hello), quoted(requests));
    let script = format!("sed -u {requests} | {program} adapter {name} | sed -u {hello}");
    ["sh".to_owned(), "-c".to_owned(), script]
}

fn read_all(mut pipe: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (done, all) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        let _ = done.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    all
}
