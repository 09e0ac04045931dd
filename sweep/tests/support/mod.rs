//! The program under test. It has one thread and no other children, which a test has not.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::thread;

use purlin_sweep::report::NO_TRACING;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// The program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_purlin-sweep");

/// Far beyond what anything here takes, on any machine: every wait inside the program has a limit
/// of its own, and one that is not reached where the machine is slow.
const LIMIT: Timespec = Timespec { tv_sec: 1800, tv_nsec: 0 };

/// Runs the program: whether it was content, and what it said.
pub(crate) fn said_by(arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(PROGRAM);
    said_by_command(command.args(arguments)).expect("the program starts")
}

/// [`said_by`] for a command that may not be possible here.
pub(crate) fn said_by_command(command: &mut Command) -> io::Result<(bool, String)> {
    let (mut reader, writer) = io::pipe()?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn()?;
    command.stdout(Stdio::null()).stderr(Stdio::null()); // drops our ends of the pipe
    let listener = thread::spawn(move || {
        let mut text = String::new();
        reader.read_to_string(&mut text).map(|_| text)
    });
    let pid = Pid::from_raw(child.id().cast_signed()).expect("a pid is positive");
    let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
    let has_ended = poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&LIMIT)) == Ok(1);
    child.kill()?; // without effect on one that has ended
    let is_good = child.wait()?.success();
    // All that it started die with it, and have its output.
    let text = listener.join().expect("the listener")?;
    assert!(has_ended, "it does not end; it said:\n{text}");
    Ok((is_good, text))
}

/// Runs the program, which must find nothing. What it could not try is said where it is seen.
pub(crate) fn finds_nothing(arguments: &[&str]) {
    let (is_good, text) = said_by(arguments);
    assert!(is_good, "\n{text}");
    print!("{text}");
    if text.contains(NO_TRACING) {
        say_not_made(&format!("the sweep {arguments:?}: this system does not let us trace"));
    }
}

/// Past the test harness, which shows what is printed of failed tests only.
pub(crate) fn say_not_made(what: &str) {
    let _ = writeln!(io::stderr(), "\nNOT MADE: {what}");
}

/// Waits until nobody has the other end of a pipe any more.
pub(crate) fn wait_for_end_of(pipe: impl AsFd) {
    let mut entries = [PollFd::new(&pipe, PollFlags::empty())];
    let ready = poll(&mut entries, Some(&LIMIT));
    assert_eq!(ready, Ok(1), "somebody still lives");
}

/// Waits until a process has children.
pub(crate) fn wait_for_children_of(pid: u32) {
    let has_children = || {
        std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
            .is_ok_and(|children| !children.trim().is_empty())
    };
    assert!(purlin_sweep::comes_to_be(has_children), "it has no children");
}

/// Has the calling process's `ptrace(2)` answer that it is not permitted, as some containers do.
pub(crate) fn forbid_tracing() -> io::Result<()> {
    let instruction = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    const LOAD_NUMBER: u16 = 0x20; // BPF_LD | BPF_W | BPF_ABS, of the number at offset 0
    const JUMP_EQUAL: u16 = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
    const ANSWER: u16 = 0x06; // BPF_RET | BPF_K
    let mut filter = [
        instruction(LOAD_NUMBER, 0, 0, 0),
        instruction(JUMP_EQUAL, 0, 1, libc::SYS_ptrace as u32),
        instruction(ANSWER, 0, 0, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32),
        instruction(ANSWER, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: Sets an attribute of this process; asks for nothing.
    let no_new = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    // SAFETY: The filter outlives the call, which copies it.
    let set = unsafe {
        libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program, 0, 0)
    };
    if no_new == 0 && set == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
