//! What the C library answers, as the suite says it.

use purlin_conformance::serve::{CallResult, Refusal};

/// What a call of the family `pthread_` answered.
pub(super) fn done(answer: libc::c_int) -> CallResult {
    match answer {
        0 => CallResult::ok(),
        libc::EOWNERDEAD => CallResult::failed("owner-died", "held, and not vouched for"),
        _ => CallResult::Failed(refusal(answer)),
    }
}

/// As [`done`], where an object is made.
pub(super) fn made(answer: libc::c_int) -> Result<(), Refusal> {
    if answer == 0 { Ok(()) } else { Err(refusal(answer)) }
}

/// The answer of a call that leaves it in `errno`.
pub(super) fn last(answer: libc::c_int) -> libc::c_int {
    let errno = || std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO);
    if answer == 0 { 0 } else { errno() }
}

fn refusal(answer: libc::c_int) -> Refusal {
    Refusal::new(kind(answer), std::io::Error::from_raw_os_error(answer))
}

/// A refused try is `EBUSY` or `EAGAIN` there and timed-out here.
fn kind(answer: libc::c_int) -> &'static str {
    match answer {
        libc::ETIMEDOUT | libc::EBUSY | libc::EAGAIN => "timed-out",
        libc::EPERM => "not-owner",
        libc::EDEADLK => "would-deadlock",
        libc::ENOTRECOVERABLE => "damaged",
        libc::EOVERFLOW => "over-released",
        libc::EINTR => "interrupted",
        libc::EINVAL => "invalid-argument",
        libc::ENOMEM => "out-of-resources",
        _ => "system",
    }
}

pub(super) fn out_of_resources(error: impl ToString) -> Refusal {
    Refusal::new("out-of-resources", error)
}
