//! Threads by the system's numbers.
#![expect(unsafe_code, reason = "a signal to a thread has no safe form")]

use rustix::process::getpid;

/// The system's number of the calling thread.
pub(crate) fn current_id() -> i32 {
    rustix::thread::gettid().as_raw_pid()
}

/// The system's number of the first thread of this process, which is the process's own.
pub(crate) fn first_id() -> i32 {
    getpid().as_raw_pid()
}

/// Whether this process has no thread of this number any more.
pub(crate) fn is_gone(id: i32) -> bool {
    // SAFETY: The signal is none: it only asks whether the thread is there.
    unsafe { libc::syscall(libc::SYS_tgkill, first_id(), id, 0) != 0 }
}

/// Lets others run.
pub(crate) fn give_way() {
    rustix::thread::sched_yield();
}
