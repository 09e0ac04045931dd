//! A subject's adapter: a process that is started, spoken to in lines, and never left behind.

mod helpers;
mod lines;
pub(crate) mod orphans;
mod tail;

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process_group, pidfd_open, waitid,
};

use crate::evidence::{self, Look, can_tell};
use crate::limits::{EMPTY_LINES_MAX_COUNT, QUOTE_MAX_BYTES, STILL_LOOK_APART, longest_patience};
use crate::protocol::{Reply, Request};
use crate::sys::signal::{ending_with_its_starter, with_interrupts};
use crate::waits::Patience;
use lines::Lines;
use tail::Tail;

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
/// when this is dropped; so is what left the group, where [`orphans`] can see it.
pub(crate) struct Adapter {
    child: Child,
    pidfd: OwnedFd,
    stdin: Option<ChildStdin>,
    stdout: Lines<ChildStdout>,
    stderr: Tail,
    replies: VecDeque<Reply>,
    empty_lines_count: usize,
    /// The longest line that came so far, without its end.
    pub(crate) longest_line_bytes: usize,
}

/// The adapter ended, fell silent or said what no adapter says. The text goes on from "the
/// adapter".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault(pub(crate) String, pub(crate) Blame);

/// Whose failure a fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blame {
    /// The adapter's.
    Adapter,
    /// The suite's own: it could not do what it had to. The text is a sentence by itself.
    Suite,
}

impl Fault {
    fn of_adapter(text: String) -> Self {
        Self(text, Blame::Adapter)
    }

    pub(crate) fn own(text: String) -> Self {
        Self(text, Blame::Suite)
    }
}

impl Adapter {
    pub(crate) fn start(command: &AdapterCommand) -> Result<Self, Fault> {
        crate::ending::wait_if_ending();
        let mut starting = Command::new(&command.program);
        ending_with_its_starter(with_interrupts(&mut starting));
        starting.args(&command.args).process_group(0);
        starting.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let cannot =
            |what: &dyn std::fmt::Display| Fault::of_adapter(format!("cannot be started: {what}"));
        let mut child = starting.spawn().map_err(|error| cannot(&why(&error, command)))?;
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
            stderr: Tail::new(stderr),
            replies: VecDeque::new(),
            empty_lines_count: 0,
            longest_line_bytes: 0,
        };
        adapter.set_nonblocking().map_err(|error| cannot(&error))?;
        Ok(adapter)
    }

    pub(crate) fn pid(&self) -> i32 {
        Pid::from_child(&self.child).as_raw_nonzero().get()
    }

    pub(crate) fn send(&mut self, request: &Request) -> Result<(), Fault> {
        let line = serde_json::to_string(request)
            .map_err(|error| Fault::own(format!("{request:?} cannot be written: {error}")))?;
        self.send_line(line)
    }

    /// Sends any text as a line.
    pub(crate) fn send_line(&mut self, mut line: String) -> Result<(), Fault> {
        line.push('\n');
        match self.write(line.as_bytes())? {
            Written::Whole => Ok(()),
            Written::Closed => {
                // Whatever it wrote before it stopped reading says more than that it did.
                self.read()?;
                Err(self.ended_or("does not read its standard input any more"))
            }
            Written::Stuck => Err(self.fault("does not read its standard input")),
        }
    }

    /// Writes all of it, and reads meanwhile: an adapter whose replies nobody takes reads nothing.
    fn write(&mut self, mut rest: &[u8]) -> Result<Written, Fault> {
        let mut patience = Patience::new(Duration::ZERO);
        while !rest.is_empty() {
            let Some(stdin) = &mut self.stdin else { return Ok(Written::Closed) };
            match stdin.write(rest) {
                Ok(len) => rest = &rest[len..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let mut fds = [PollFd::new(&*stdin, PollFlags::OUT)];
                    // An error shows again at the next attempt to write.
                    let _ = poll(&mut fds, Some(&timespec(STILL_LOOK_APART)));
                    self.read()?;
                    if patience.is_over(|| self.is_awake()) {
                        return Ok(Written::Stuck);
                    }
                }
                Err(_) => return Ok(Written::Closed),
            }
        }
        Ok(Written::Whole)
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

    /// Lets go of its standard input.
    pub(crate) fn let_go(&mut self) {
        self.stdin = None;
    }

    /// Kills the adapter alone; its actors are left to notice.
    pub(crate) fn kill_alone(&mut self) {
        let _ = self.child.kill();
    }

    /// The pipe that is its standard output.
    pub(crate) fn output(&self) -> std::os::fd::BorrowedFd<'_> {
        self.stdout.pipe.as_fd()
    }

    /// Waits until the adapter has ended by itself, and everything with it that it has started.
    pub(crate) fn wait_for_end(&mut self) -> Result<(), Fault> {
        self.stdin = None;
        let mut patience = Patience::new(Duration::ZERO);
        while !is_readable(&self.pidfd, Duration::ZERO) {
            if patience.is_over(|| self.is_awake()) {
                return Err(self.fault("does not end after `bye`"));
            }
            self.wait(STILL_LOOK_APART)?;
            self.stdout.drop_what_comes();
            self.stderr.read();
        }
        let mut left = self.let_helpers_end();
        left.extend(orphans::let_end(Pid::from_child(&self.child)));
        let left = left.iter().map(|pid| pid.as_raw_pid());
        let left: Vec<_> = left.map(|pid| format!("{} ({pid})", evidence::name(pid))).collect();
        if left.is_empty() {
            return Ok(());
        }
        Err(self.fault(&format!("leaves processes behind: {}", quote(&left.join(", ")))))
    }

    fn let_helpers_end(&mut self) -> Vec<Pid> {
        let Self { stdout, stderr, .. } = self;
        helpers::let_end(Pid::from_child(&self.child), || {
            stdout.drop_what_comes();
            stderr.read();
        })
    }

    /// Whether anybody in its group runs, or wants to.
    pub(crate) fn is_awake(&self) -> bool {
        let threads = evidence::process_group(self.pid()).into_iter().flat_map(|pid| {
            evidence::threads(pid).into_iter().map(move |tid| evidence::look(pid, tid))
        });
        threads.into_iter().any(|look| look == Look::Awake)
    }

    /// A fault with what the adapter said last on its standard error.
    pub(crate) fn fault(&mut self, what: &str) -> Fault {
        self.stderr.read();
        let said = self.stderr.text();
        let mut text = what.to_owned();
        if !said.is_empty() {
            let _ = write!(text, "; on its standard error it said: {said}");
        }
        Fault::of_adapter(text)
    }

    fn ended_or(&mut self, otherwise: &str) -> Fault {
        if !is_readable(&self.pidfd, Duration::from_millis(100)) {
            return self.fault(otherwise);
        }
        let ended = self.how_it_ended().unwrap_or_default();
        self.fault(&format!("ended by itself{ended}"))
    }

    /// Looked at only: as long as it is not collected its number, and that of its group, belong to
    /// nobody else.
    fn how_it_ended(&self) -> Option<String> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let status = waitid(WaitId::Pid(Pid::from_child(&self.child)), options).ok()??;
        let (code, signal) = (status.exit_status(), status.terminating_signal());
        let code = code.map(|code| format!(" (exit status: {code})"));
        code.or_else(|| signal.map(|signal| format!(" (signal: {signal})")))
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
            Err(error) => Err(Fault::own(format!("nobody can wait for the adapter: {error}"))),
        }
    }

    fn read(&mut self) -> Result<(), Fault> {
        self.stderr.read();
        self.stdout.read();
        while let Some(line) = self.stdout.next() {
            if line.is_empty() {
                self.empty_lines_count += 1;
                if self.empty_lines_count > EMPTY_LINES_MAX_COUNT {
                    return Err(self.fault("writes empty lines without end"));
                }
                continue;
            }
            self.empty_lines_count = 0;
            self.longest_line_bytes = self.longest_line_bytes.max(line.len());
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
        if let Some(stdin) = &self.stdin {
            rustix::io::ioctl_fionbio(stdin, true)?;
        }
        rustix::io::ioctl_fionbio(self.stdout.pipe.as_fd(), true)?;
        rustix::io::ioctl_fionbio(self.stderr.pipe.as_fd(), true)
    }
}

impl Drop for Adapter {
    /// Kills the adapter, lets its helpers end by themselves, kills what is left of its group and
    /// collects it. The adapter itself is collected last: until then its id, which is the group's,
    /// belongs to nobody else.
    fn drop(&mut self) {
        crate::ending::wait_if_ending(); // who ends it all collects it, too
        let group = Pid::from_child(&self.child);
        let _ = self.child.kill();
        is_readable(&self.pidfd, longest_patience());
        self.let_helpers_end();
        let _ = kill_process_group(group, Signal::KILL);
        let _ = self.child.wait();
        orphans::collect(group);
    }
}

/// What came of writing to an adapter.
enum Written {
    /// All was written.
    Whole,
    /// It will never read again.
    Closed,
    /// It has not read for too long.
    Stuck,
}

/// Why a program did not start, in words that do not blame the program for a missing `/proc`.
fn why(error: &io::Error, command: &AdapterCommand) -> String {
    let is_in_proc = command.program.to_string_lossy().starts_with("/proc/");
    if is_in_proc && !can_tell() { "/proc is not mounted".to_owned() } else { error.to_string() }
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
