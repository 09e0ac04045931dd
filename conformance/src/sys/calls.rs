//! Which system calls sleep for ever, read from the arguments that `/proc` shows.

/// Whether a sleep in this call ends without anybody's help, or may do so. What is not known is
/// said to end: the suite then waits longer, and never gives up a call that would have returned.
pub(crate) fn ends_by_itself(number: i64, arguments: &[u64; 6]) -> bool {
    let limit = WAITS.iter().find(|(call, _)| *call == number).map(|(_, limit)| limit);
    match limit {
        Some(Limit::None) => false,
        Some(Limit::Pointer(place)) => arguments[*place] != 0,
        // A negative number of milliseconds; the kernel looks at its low 32 bits.
        Some(Limit::Millis(place)) => arguments[*place] & SIGN_OF_INT == 0,
        None => true,
    }
}

/// Where a call's time limit stands among its arguments.
enum Limit {
    /// It has none. Sockets may have one as an option (SO_RCVTIMEO), which `/proc` does not show;
    /// the runner therefore also looks at the limit that it asked for itself.
    None,
    /// A pointer, null for no limit.
    Pointer(usize),
    /// A number of milliseconds, negative for no limit.
    Millis(usize),
}

const SIGN_OF_INT: u64 = 1 << 31;

/// A futex's fourth argument is a limit for the operations that sleep, and a number for those that
/// do not.
const WAITS: &[(i64, Limit)] = &[
    (libc::SYS_futex, Limit::Pointer(3)),
    (libc::SYS_futex_waitv, Limit::Pointer(3)),
    (libc::SYS_ppoll, Limit::Pointer(2)),
    (libc::SYS_pselect6, Limit::Pointer(4)),
    (libc::SYS_epoll_pwait, Limit::Millis(3)),
    (libc::SYS_rt_sigtimedwait, Limit::Pointer(2)),
    (libc::SYS_semtimedop, Limit::Pointer(3)),
    (libc::SYS_mq_timedreceive, Limit::Pointer(4)),
    (libc::SYS_mq_timedsend, Limit::Pointer(4)),
    (libc::SYS_semop, Limit::None),
    (libc::SYS_msgrcv, Limit::None),
    (libc::SYS_msgsnd, Limit::None),
    (libc::SYS_read, Limit::None),
    (libc::SYS_readv, Limit::None),
    (libc::SYS_recvfrom, Limit::None),
    (libc::SYS_recvmsg, Limit::None),
    (libc::SYS_accept, Limit::None),
    (libc::SYS_accept4, Limit::None),
    (libc::SYS_wait4, Limit::None),
    (libc::SYS_waitid, Limit::None),
    (libc::SYS_flock, Limit::None),
    (libc::SYS_fcntl, Limit::None),
    (libc::SYS_rt_sigsuspend, Limit::None),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_poll, Limit::Millis(2)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_select, Limit::Pointer(4)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_epoll_wait, Limit::Millis(3)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_pause, Limit::None),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_found_where_it_stands() {
        let without = [0x7f00, 0x189, 1, 0, 0, 0];
        let with = [0x7f00, 0x189, 1, 0x7ffc, 0, 0];
        assert!(!ends_by_itself(libc::SYS_futex, &without));
        assert!(ends_by_itself(libc::SYS_futex, &with));
        assert!(!ends_by_itself(libc::SYS_epoll_pwait, &[3, 0x7f00, 1, 0xffff_ffff, 0, 0]));
        assert!(ends_by_itself(libc::SYS_epoll_pwait, &[3, 0x7f00, 1, 50, 0, 0]));
        assert!(ends_by_itself(libc::SYS_nanosleep, &[0; 6]));
        assert!(ends_by_itself(libc::SYS_restart_syscall, &[0; 6]));
    }
}
