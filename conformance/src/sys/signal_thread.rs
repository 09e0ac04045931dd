//! A signal to one thread of another process.
#![expect(unsafe_code, reason = "neither rustix nor the standard library has this call")]

use rustix::io::Errno;

/// The signal for which the statement `catch` has a handler.
pub(crate) const CAUGHT: libc::c_int = libc::SIGUSR1;

/// Sends a signal to the thread `tid` of the process `pid`, see `tgkill(2)`.
///
/// # Errors
/// * [`Errno::SRCH`] when there is no such thread in that process any more.
pub(crate) fn signal_thread(pid: i32, tid: i32, signal: libc::c_int) -> Result<(), Errno> {
    let (pid, tid) = (libc::c_long::from(pid), libc::c_long::from(tid));
    // SAFETY: the call takes three numbers and touches no memory of this process.
    let done = unsafe { libc::syscall(libc::SYS_tgkill, pid, tid, libc::c_long::from(signal)) };
    if done == 0 {
        return Ok(());
    }
    let code = std::io::Error::last_os_error().raw_os_error();
    Err(code.map_or(Errno::INVAL, Errno::from_raw_os_error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_is_not_there_is_told() {
        let pid = rustix::process::getpid().as_raw_pid();
        assert_eq!(signal_thread(pid, 1, 0), Err(Errno::SRCH));
        let tid = rustix::thread::gettid().as_raw_pid();
        assert_eq!(signal_thread(pid, tid, 0), Ok(()));
    }
}
