//! Signals that an actor catches, or leaves to its other threads.
#![expect(unsafe_code, reason = "a signal's handler and mask are set by libc")]

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{IntoRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering::Relaxed};

use rustix::process::{Signal, getpid, getppid, set_parent_process_death_signal};

/// Sets a handler for SIGUSR1 that does nothing, and that does not restart the calls it cuts.
///
/// # Errors
/// * What the system refused.
pub(crate) fn catch_user_signal() -> io::Result<()> {
    extern "C" fn nothing(_: libc::c_int) {}
    handle(libc::SIGUSR1, nothing)
}

/// Sets a handler for SIGINT that notes it, and that does not restart the calls it cuts.
///
/// # Errors
/// * What the system refused.
pub(crate) fn catch_interrupt() -> io::Result<()> {
    extern "C" fn note(_: libc::c_int) {
        // Relaxed: it is read by the thread whose call the signal has cut.
        WAS_INTERRUPTED.store(true, Relaxed);
    }
    handle(libc::SIGINT, note)
}

/// Whether there was an interrupt since this was last asked.
pub(crate) fn was_interrupted() -> bool {
    WAS_INTERRUPTED.swap(false, Relaxed) // Relaxed: as in the handler
}

static WAS_INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Has the program that `command` starts find SIGINT at its default. A shell lets what it starts
/// aside ignore it, which is inherited, and then no interrupt would reach an actor.
pub(crate) fn with_interrupts(command: &mut Command) -> &mut Command {
    // SAFETY: Between the fork and the execution it makes one system call, and takes no lock and no
    // memory.
    unsafe { command.pre_exec(|| reset(libc::SIGINT)) }
}

/// Has the program that `command` starts killed when the thread that starts it is gone, as when its
/// process is killed: one that does not look at its standard input would stay.
pub(crate) fn ending_with_its_starter(command: &mut Command) -> &mut Command {
    let starter = getpid();
    let tie = move || {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // The starter may have gone before that.
        if getppid() == Some(starter) { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    };
    // SAFETY: Between the fork and the execution it makes two system calls, and takes no lock and
    // no memory.
    unsafe { command.pre_exec(tie) }
}

/// Whether any of the signals of [`tell_of`] has come.
pub(crate) fn was_told() -> bool {
    WAS_TOLD.load(Relaxed) // Relaxed: as in the handler
}

static WAS_TOLD: AtomicBool = AtomicBool::new(false);

/// Where the handler of [`tell_of`] writes, or -1.
static TOLD: AtomicI32 = AtomicI32::new(-1);

/// Has each of these signals written to `told`, a byte each, but for those that whoever started
/// this program has it ignore, as `nohup` does. `told` stays open for that.
///
/// # Errors
/// * What the system refused.
pub(crate) fn tell_of(signals: &[libc::c_int], told: OwnedFd) -> io::Result<()> {
    extern "C" fn tell(signal: libc::c_int) {
        // Relaxed: it guards no data.
        WAS_TOLD.store(true, Relaxed);
        let byte = u8::try_from(signal).unwrap_or(0);
        // SAFETY: `write` may be called in a handler, and reads one byte. Relaxed: written before
        // the handler is set.
        unsafe { libc::write(TOLD.load(Relaxed), (&raw const byte).cast(), 1) };
    }
    TOLD.store(told.into_raw_fd(), Relaxed); // Relaxed: as in the handler
    signals.iter().filter(|signal| !is_ignored(**signal)).try_for_each(|one| handle(*one, tell))
}

fn is_ignored(signal: libc::c_int) -> bool {
    // SAFETY: All zeros are a valid action, which is written over; nothing is set.
    let (done, action) = unsafe {
        let mut action: libc::sigaction = MaybeUninit::zeroed().assume_init();
        (libc::sigaction(signal, ptr::null(), &raw mut action), action)
    };
    done == 0 && action.sa_sigaction == libc::SIG_IGN
}

/// What the handler of [`exit_on`] ends with.
static EXIT_STATUS: AtomicI32 = AtomicI32::new(0);

/// Where it writes its line before, or -1.
static EXIT_FILE: AtomicI32 = AtomicI32::new(-1);

/// Sets a handler that ends the process at once with this status. Before, it writes the line
/// `caught` to `file`, if there is one, which stays open for that.
///
/// # Errors
/// * What the system refused.
pub(crate) fn exit_on(signal: libc::c_int, status: u8, file: Option<OwnedFd>) -> io::Result<()> {
    const LINE: &[u8] = b"caught\n";
    extern "C" fn leave(_: libc::c_int) {
        // Relaxed, here and below: written before the handler is set.
        let file = EXIT_FILE.load(Relaxed);
        // SAFETY: `write` may be called in a handler; the bytes are static, and a number that is
        // none fails.
        unsafe { libc::write(file, LINE.as_ptr().cast(), LINE.len()) };
        super::endings::exit_now(EXIT_STATUS.load(Relaxed)); // Relaxed: as above
    }
    EXIT_STATUS.store(status.into(), Relaxed); // Relaxed: as in the handler
    EXIT_FILE.store(file.map_or(-1, IntoRawFd::into_raw_fd), Relaxed); // Relaxed: as above
    handle(signal, leave)
}

/// Sends a signal of any number to a process.
///
/// # Errors
/// * What the system refused.
pub(crate) fn send(pid: libc::pid_t, signal: libc::c_int) -> io::Result<()> {
    // SAFETY: `kill` asks for nothing.
    match unsafe { libc::kill(pid, signal) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Ignores a signal.
///
/// # Errors
/// * What the system refused.
pub(crate) fn ignore(signal: libc::c_int) -> io::Result<()> {
    act(signal, libc::SIG_IGN)
}

/// Gives a signal its default action again.
///
/// # Errors
/// * What the system refused.
pub(crate) fn reset(signal: libc::c_int) -> io::Result<()> {
    act(signal, libc::SIG_DFL)
}

/// Blocks a signal in the calling thread.
///
/// # Errors
/// * When there is no such signal.
pub(crate) fn block(signal: libc::c_int) -> io::Result<()> {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `sigemptyset` makes the set valid; the rest reads it and changes this thread's mask.
    let done = unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        if libc::sigaddset(set.as_mut_ptr(), signal) != 0 {
            return Err(io::Error::last_os_error());
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), ptr::null_mut())
    };
    if done == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(done)) }
}

fn handle(signal: libc::c_int, handler: extern "C" fn(libc::c_int)) -> io::Result<()> {
    act(signal, handler as libc::sighandler_t)
}

/// The action is one of the two that the system has, or a handler of this file.
fn act(signal: libc::c_int, action_or_handler: libc::sighandler_t) -> io::Result<()> {
    // SAFETY: All zeros are a valid action: no flags, an empty mask; its handler is set next.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = action_or_handler;
    // SAFETY: A handler is a function of this file, which touches an atomic at most, writes a byte,
    // or ends the process by `_exit`.
    match unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// From now on the calling thread leaves the signals that scripts send (SIGUSR1, SIGINT) to the
/// threads that make calls.
pub(crate) fn leave_to_others() {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `sigemptyset` makes the set valid; the rest reads it and changes this thread's mask.
    // None of them fails with valid signal numbers.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGUSR1);
        libc::sigaddset(set.as_mut_ptr(), libc::SIGINT);
        libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), ptr::null_mut());
    }
}
