//! What ends the program from outside: whatever it has started must end with it.

use std::io::{self, Read, pipe};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::getpid;

use crate::subject::orphans;
use crate::sys::signal::{reset, send, tell_of, was_told};

/// From now on SIGINT, SIGTERM and SIGHUP end this program only when all is gone that it has
/// started, also what left its group or ignores signals; then each ends it as it always does.
/// One that is ignored already stays so.
///
/// For a program that has called [`adopt_orphans`](crate::adopt_orphans): what it has not adopted
/// is not its own to end.
///
/// # Errors
/// * What the system refused.
pub fn end_with_all_on_signals() -> io::Result<()> {
    let (mut told, tell) = pipe()?;
    tell_of(&[libc::SIGINT, libc::SIGTERM, libc::SIGHUP], tell.into())?;
    std::thread::spawn(move || {
        let mut signal = [0];
        if told.read_exact(&mut signal).is_ok() {
            end_by(i32::from(signal[0]));
        }
    });
    Ok(())
}

/// Ends all that this program has started, and then the program, as one that has done its work.
pub(crate) fn end_with_all() -> ! {
    end_all();
    std::process::exit(0);
}

fn end_all() {
    // Relaxed: it guards no data; who looks a moment too early starts what is ended as well.
    IS_ENDING.store(true, Ordering::Relaxed);
    orphans::end_all();
}

fn end_by(signal: i32) {
    end_all();
    // Neither fails with the number of a signal that has come.
    let _ = reset(signal);
    let _ = send(getpid().as_raw_pid(), signal);
    // The first process of a pid namespace is not ended by it.
    std::process::exit(128 + signal)
}

/// To be called before anything is started, ended or reported: nothing more is, once the program
/// ends, which ends this thread with all others.
pub fn wait_if_ending() {
    // Relaxed: as above.
    while was_told() || IS_ENDING.load(Ordering::Relaxed) {
        std::thread::park();
    }
}

static IS_ENDING: AtomicBool = AtomicBool::new(false);
