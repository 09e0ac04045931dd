//! A subject's adapter: a process that is started, spoken to in lines, and never left behind.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process_group, pidfd_open, waitid,
};

use crate::limits::{LINE_MAX_BYTES, QUOTE_MAX_BYTES, STDERR_KEPT_BYTES, patience};
use crate::protocol::{Reply, Request};

/// How an adapter is started.
#[derive(Debug, Clone)]
pub struct AdapterCommand {
    /// The program.
    pub program: OsString,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// What reports show; a long script among the arguments makes them unreadable.
    pub shown: String,
}

/// A running adapter. It has a process group of its own, and whatever is in that group is killed
/// when this is dropped.
pub(crate) struct Adapter {
    child: Child,
    pidfd: OwnedFd,
    stdin: Option<ChildStdin>,
    stdout: Lines<ChildStdout>,
    stderr: Tail,
    replies: VecDeque<Reply>,
}

/// The adapter ended, fell silent or said what no adapter says. The text goes on from "the
/// adapter".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault(pub(crate) String);

impl Adapter {
    pub(crate) fn start(command: &AdapterCommand) -> Result<Self, Fault> {
        let mut starting = Command::new(&command.program);
        starting.args(&command.args).process_group(0);
        starting.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let cannot = |what: &dyn std::fmt::Display| Fault(format!("cannot be started: {what}"));
        let mut child = starting.spawn().map_err(|error| cannot(&error))?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let pidfd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty());
        let (Ok(pidfd), (Some(stdin), Some(stdout), Some(stderr))) = (pidfd, pipes) else {
            // Not yet in any list: this is the only place that can clean up after it.
            let _ = child.kill();
            let _ = child.wait();
            return Err(cannot(&"no descriptor to watch it by"));
        };
        let adapter = Self {
            child,
            pidfd,
            stdin: Some(stdin),
            stdout: Lines::new(stdout),
            stderr: Tail { pipe: stderr, kept: Vec::new(), closed: false },
            replies: VecDeque::new(),
        };
        adapter.set_nonblocking().map_err(|error| cannot(&error))?;
        Ok(adapter)
    }

    pub(crate) fn pid(&self) -> i32 {
        Pid::from_child(&self.child).as_raw_nonzero().get()
    }

    pub(crate) fn send(&mut self, request: &Request) -> Result<(), Fault> {
        let mut line = serde_json::to_string(request)
            .map_err(|error| Fault(format!("cannot be asked {request:?}: {error}")))?;
        line.push('\n');
        let written = self.stdin.as_mut().map(|stdin| stdin.write_all(line.as_bytes()));
        match written {
            Some(Ok(())) => Ok(()),
            _ => Err(self.ended_or("does not read its standard input any more")),
        }
    }

    /// Reads all that is there, or that comes within `wait`, and gives the first reply of it.
    pub(crate) fn reply(&mut self, wait: Duration) -> Result<Option<Reply>, Fault> {
        let has_ended = self.wait(wait)?;
        self.read()?;
        if self.replies.is_empty() && has_ended {
            // What it wrote last may have come between the two.
            self.read()?;
            if self.replies.is_empty() {
                return Err(self.ended_or("ended"));
            }
        }
        Ok(self.replies.pop_front())
    }

    /// A further reply of those that were read with the last one.
    pub(crate) fn next_read(&mut self) -> Option<Reply> {
        self.replies.pop_front()
    }

    /// Waits until the adapter has ended by itself, at most as long as patience lasts.
    pub(crate) fn wait_for_end(&mut self) -> Result<(), Fault> {
        self.stdin = None;
        let deadline = Instant::now() + patience();
        while !is_readable(&self.pidfd, Duration::ZERO) {
            if Instant::now() >= deadline {
                return Err(self.fault("does not end after `bye`"));
            }
            self.wait(Duration::from_millis(100))?;
            self.stdout.drop_what_comes();
            self.stderr.read();
        }
        Ok(())
    }

    /// A fault with what the adapter said last on its standard error.
    pub(crate) fn fault(&mut self, what: &str) -> Fault {
        self.stderr.read();
        let said = self.stderr.text();
        let mut text = what.to_owned();
        if !said.is_empty() {
            let _ = write!(text, "; on its standard error it said: {said}");
        }
        Fault(text)
    }

    fn ended_or(&mut self, otherwise: &str) -> Fault {
        if !is_readable(&self.pidfd, Duration::from_millis(100)) {
            return self.fault(otherwise);
        }
        match self.child.try_wait() {
            Ok(Some(status)) => self.fault(&format!("ended by itself ({status})")),
            _ => self.fault("ended by itself"),
        }
    }

    /// Sleeps until there is something to read or the adapter has ended, which is the answer.
    fn wait(&mut self, wait: Duration) -> Result<bool, Fault> {
        let Self { stdout, stderr, pidfd, .. } = self;
        let mut fds = vec![PollFd::new(pidfd, PollFlags::IN)];
        // A closed pipe is always ready, and would turn this wait into a busy loop.
        if !stdout.closed {
            fds.push(PollFd::new(&stdout.pipe, PollFlags::IN));
        }
        if !stderr.closed {
            fds.push(PollFd::new(&stderr.pipe, PollFlags::IN));
        }
        match poll(&mut fds, Some(&timespec(wait))) {
            Ok(_) | Err(Errno::INTR) => Ok(!fds[0].revents().is_empty()),
            Err(error) => Err(Fault(format!("cannot be waited for: {error}"))),
        }
    }

    fn read(&mut self) -> Result<(), Fault> {
        self.stderr.read();
        self.stdout.read();
        while let Some(line) = self.stdout.next() {
            if line.is_empty() {
                continue;
            }
            match serde_json::from_str::<Reply>(&line) {
                Ok(reply) => self.replies.push_back(reply),
                Err(error) => {
                    let what = format!("said what is no reply ({error}): {}", quote(&line));
                    return Err(self.fault(&what));
                }
            }
        }
        if self.stdout.is_too_long() {
            let start = String::from_utf8_lossy(&self.stdout.bytes).into_owned();
            let what = format!("wrote a line without an end: {}", quote(&start));
            return Err(self.fault(&what));
        }
        if self.stdout.closed && self.replies.is_empty() {
            return Err(self.ended_or("closed its standard output"));
        }
        Ok(())
    }

    fn set_nonblocking(&self) -> Result<(), Errno> {
        rustix::io::ioctl_fionbio(self.stdout.pipe.as_fd(), true)?;
        rustix::io::ioctl_fionbio(self.stderr.pipe.as_fd(), true)
    }
}

impl Drop for Adapter {
    /// Kills what is left of its group and collects it. The adapter itself is collected last: until
    /// then its id, which is the group's, belongs to nobody else.
    fn drop(&mut self) {
        let group = Pid::from_child(&self.child);
        let _ = kill_process_group(group, Signal::KILL);
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Orphans become children of this process where it is a subreaper, as the program is.
        let deadline = Instant::now() + patience();
        let ended = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        while let Ok(found) = waitid(WaitId::Pgid(Some(group)), ended) {
            if found.is_none() && Instant::now() >= deadline {
                break;
            }
            if found.is_none() {
                // Killed, but not yet gone: nothing to wait on for somebody else's child.
                std::thread::yield_now();
            }
        }
    }
}

/// Whether a descriptor can be read within `wait`; a pidfd can when its process has ended.
pub(crate) fn is_readable(fd: &impl AsFd, wait: Duration) -> bool {
    let deadline = Instant::now() + wait;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match poll(&mut [PollFd::new(fd, PollFlags::IN)], Some(&timespec(left))) {
            Ok(ready) => return ready > 0,
            Err(Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

/// What somebody said, short enough for a report and without anything that a terminal would obey.
pub(crate) fn quote(text: &str) -> String {
    let cut = text.char_indices().map(|(at, _)| at).find(|at| *at >= QUOTE_MAX_BYTES);
    let (shown, rest) = text.split_at(cut.unwrap_or(text.len()));
    let more = if rest.is_empty() { "" } else { " …" };
    format!("`{}`{more}", shown.trim_end().escape_debug())
}

fn timespec(duration: Duration) -> Timespec {
    Timespec::try_from(duration).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 })
}

/// A pipe that is read by lines and never waited for.
struct Lines<R> {
    pipe: R,
    bytes: Vec<u8>,
    closed: bool,
}

impl<R: Read> Lines<R> {
    fn new(pipe: R) -> Self {
        Self { pipe, bytes: Vec::new(), closed: false }
    }

    /// Takes what is there, up to the longest line and a little more.
    fn read(&mut self) {
        let mut buffer = [0; 4096];
        while !self.closed && self.bytes.len() <= LINE_MAX_BYTES {
            match self.pipe.read(&mut buffer) {
                Ok(0) => self.closed = true,
                Ok(len) => self.bytes.extend_from_slice(&buffer[..len]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                Err(_) => self.closed = true,
            }
        }
    }

    fn next(&mut self) -> Option<String> {
        let end = self.bytes.iter().position(|byte| *byte == b'\n')?;
        let line: Vec<u8> = self.bytes.drain(..=end).collect();
        Some(String::from_utf8_lossy(&line[..end]).into_owned())
    }

    fn is_too_long(&self) -> bool {
        self.bytes.len() > LINE_MAX_BYTES
    }

    fn drop_what_comes(&mut self) {
        self.read();
        self.bytes.clear();
    }
}

/// The last that an adapter said on its standard error.
struct Tail {
    pipe: ChildStderr,
    kept: Vec<u8>,
    closed: bool,
}

impl Tail {
    fn read(&mut self) {
        let mut buffer = [0; 4096];
        // A bound, so that an adapter that never stops cannot hold the runner here.
        for _ in 0..64 {
            match self.pipe.read(&mut buffer) {
                Ok(0) => {
                    self.closed = true;
                    break;
                }
                Ok(len) => self.kept.extend_from_slice(&buffer[..len]),
                Err(_) => break,
            }
            let surplus = self.kept.len().saturating_sub(STDERR_KEPT_BYTES);
            self.kept.drain(..surplus);
        }
    }

    fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.kept);
        let text = text.trim();
        // The last lines say what went wrong.
        let mut starts = text.char_indices().map(|(at, _)| at);
        let start = starts.find(|at| text.len() - at <= QUOTE_MAX_BYTES).unwrap_or(0);
        if text.is_empty() { String::new() } else { quote(&text[start..]) }
    }
}
