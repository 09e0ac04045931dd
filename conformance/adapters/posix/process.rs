//! Actors by `fork(2)` and their ends by `waitpid(2)`.
#![expect(unsafe_code, reason = "fork is unsafe to call, and a version is a C string")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use purlin_conformance::serve::{Actor, Child, Ended, Refusal};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions, waitpid};
use rustix::stdio::dup2_stdin;

use super::errors::out_of_resources;

/// Runs the actor in a fork of this process.
///
/// # Errors
/// * `out-of-resources` when the system refused.
pub(super) fn fork(actor: Actor) -> Result<Box<dyn Child>, Refusal> {
    // SAFETY: The child has this one thread. It takes no lock of the program's but those of the C
    // library, which makes them usable, and never returns from here.
    match unsafe { libc::fork() } {
        -1 => Err(out_of_resources(std::io::Error::last_os_error())),
        0 => live(actor),
        pid => {
            let pid = Pid::from_raw(pid).ok_or_else(|| out_of_resources("no process"))?;
            Ok(Box::new(Forked(pid)))
        }
    }
}

fn live(actor: Actor) -> ! {
    // What the adapter is asked is not for its copies. Without `/dev` they have it, and leave it.
    if let Ok(null) = open("/dev/null", OFlags::RDONLY, Mode::empty()) {
        let _ = dup2_stdin(null);
    }
    let lived = catch_unwind(AssertUnwindSafe(|| actor.run_in_fork()));
    std::process::exit(if lived.is_ok() { 0 } else { PANICKED })
}

/// What a program of Rust's ends with then.
const PANICKED: i32 = 101;

struct Forked(Pid);

impl Child for Forked {
    fn reap(&mut self) -> Result<Ended, Refusal> {
        loop {
            match waitpid(Some(self.0), WaitOptions::empty()) {
                Err(Errno::INTR) => {}
                Err(error) => return Err(Refusal::new("system", error)),
                Ok(status) => {
                    let status = status.map(|(_, status)| status);
                    let code = status.and_then(|status| status.exit_status());
                    let signal = status.and_then(|status| status.terminating_signal());
                    return match (code, signal) {
                        (Some(code), _) => Ok(Ended::Code(code)),
                        (None, Some(signal)) => Ok(Ended::Signal(signal)),
                        (None, None) => Err(Refusal::new("system", "it has not ended")),
                    };
                }
            }
        }
    }
}

/// The version of the C library, as numbers with points between them.
#[cfg(target_env = "gnu")]
pub(super) fn library_version() -> String {
    // SAFETY: A string that the C library keeps for ever.
    let version = unsafe { std::ffi::CStr::from_ptr(libc::gnu_get_libc_version()) };
    version.to_string_lossy().into_owned()
}

/// Others do not tell theirs.
#[cfg(not(target_env = "gnu"))]
pub(super) fn library_version() -> String {
    "0".to_owned()
}

/// The version of the system, which has the message queues.
pub(super) fn kernel_version() -> String {
    rustix::system::uname().release().to_string_lossy().into_owned()
}
