//! Signals: those that a child is sent, and those that come while its parent waits for it.
#![expect(unsafe_code, reason = "what a process does with a signal")]

mod bounded;
mod talk;

use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use bounded::{LIMIT, check, in_child};
use purlin_process::{Error, ExitStatus, Process, current, wait_any};
use rustix::process::{Pid, Signal, kill_process};
use talk::{all, idle, listen, next, say, talk};

fn text(error: Error) -> String {
    error.to_string()
}

/// Has the calling process do this with a signal.
fn on(number: i32, action: libc::sighandler_t) {
    // SAFETY: the action is to ignore, or a handler of this program that makes system calls only.
    unsafe { libc::signal(number, action) };
}

fn address(handler: extern "C" fn(libc::c_int)) -> libc::sighandler_t {
    handler as *const () as libc::sighandler_t
}

extern "C" fn do_nothing(_: libc::c_int) {}

extern "C" fn leave_with_five(_: libc::c_int) {
    // SAFETY: it asks for nothing, and a handler may call it.
    unsafe { libc::_exit(5) }
}

/// Where the next handler writes.
static SAID: AtomicI32 = AtomicI32::new(-1);

extern "C" fn say_that_it_came(_: libc::c_int) {
    // Relaxed: set before the handler was, by the same thread.
    let fd = SAID.load(Ordering::Relaxed);
    // SAFETY: a system call that a handler may make; the text is valid for its length.
    unsafe { libc::write(fd, c"s".as_ptr().cast(), 1) };
}

/// A child that does this with a signal, says so, and idles.
fn with_action(number: i32, action: libc::sighandler_t) -> Result<Process, String> {
    let (mut reader, said) = talk()?;
    let child = Process::fork("acts", || {
        on(number, action);
        // Relaxed: read by a handler of this thread.
        SAID.store(std::os::fd::AsRawFd::as_raw_fd(&said), Ordering::Relaxed);
        say(&said, "r");
        idle();
    });
    next(&mut reader, "the word that it is ready")?;
    if number == libc::SIGUSR1 {
        let child = child.as_ref().map_err(|error| text(*error))?;
        child.signal(number).map_err(text)?;
        check(next(&mut reader, "the signal")? == b's', "it came")?;
    }
    child.map_err(text)
}

#[test]
fn a_child_may_handle_its_termination() {
    // shows: process-terminate-can-be-handled
    in_child(|| {
        let child = with_action(libc::SIGTERM, address(leave_with_five))?;
        child.terminate().map_err(text)?;
        check(child.join(LIMIT) == Ok(ExitStatus::Code(5)), "as it chose")
    });
}

#[test]
fn a_child_that_ignores_its_termination_is_ended_by_a_kill_only() {
    // shows: process-terminate-can-be-ignored
    in_child(|| {
        let child = with_action(libc::SIGTERM, libc::SIG_IGN)?;
        child.terminate().map_err(text)?;
        let limit = Duration::from_millis(50);
        check(child.join(limit) == Err(Error::TimedOut), "it goes on")?;
        check(child.is_alive() == Ok(true), "it lives")?;
        child.kill().map_err(text)?;
        check(child.join(LIMIT) == Ok(ExitStatus::Signal(9)), "killed")
    });
}

#[test]
fn any_signal_may_be_sent() {
    // shows: process-send-any-signal
    in_child(|| {
        let child = with_action(libc::SIGUSR1, address(say_that_it_came))?;
        check(child.is_alive() == Ok(true), "and it lives on")?;
        child.kill().map_err(text)?;
        child.join(LIMIT).map(drop).map_err(text)
    });
}

#[test]
fn a_child_that_stands_still_is_alive_until_it_is_killed() {
    // shows: process-alive-true-while-stopped, process-kill-stopped-child
    in_child(|| {
        let child = Process::fork("stopped", idle).map_err(text)?;
        child.signal(libc::SIGSTOP).map_err(text)?;
        let limit = Duration::from_millis(50);
        check(child.join(limit) == Err(Error::TimedOut), "no end")?;
        check((child.is_alive(), child.status()) == (Ok(true), Ok(None)), "alive")?;
        child.terminate().map_err(text)?;
        check(child.join(limit) == Err(Error::TimedOut), "it cannot act on that")?;
        child.kill().map_err(text)?;
        check(child.join(LIMIT) == Ok(ExitStatus::Signal(9)), "killed")
    });
}

/// Sends the process `to` a harmless signal again and again, until it is told to stop.
fn pester(to: i32, until: &std::io::PipeReader) {
    let Some(to) = Pid::from_raw(to) else { return };
    while !talk::is_readable(until, Duration::from_millis(2)) {
        let _ = kill_process(to, Signal::USR1);
    }
}

#[test]
fn a_limit_is_one_total_however_many_signals_come() {
    // shows: process-join-timeout-total-despite-signals, process-blocked-calls-survive-signals
    in_child(|| {
        on(libc::SIGUSR1, address(do_nothing));
        let own = current().pid();
        let (until, stop) = talk()?;
        let pesters = Process::fork("pesters", || pester(own, &until)).map_err(text)?;
        let (held, release) = talk()?;
        let child = Process::fork("held", || listen(&held)).map_err(text)?;
        let limit = Duration::from_millis(100);
        let one = || child.join(limit).map(drop);
        let any = || wait_any(&[&child], limit).map(drop);
        let waits: [&dyn Fn() -> Result<(), Error>; 2] = [&one, &any];
        for wait in waits {
            let start = Instant::now();
            check(wait() == Err(Error::TimedOut), "no end")?;
            check(start.elapsed() >= limit, "not before the limit")?;
        }
        // From another process, so that it ends while this one waits, or before: each will do.
        let releases = Process::fork("releases", || say(&release, "!")).map_err(text)?;
        check(child.join(LIMIT) == Ok(ExitStatus::Code(0)), "it ends when it is told to")?;
        say(&stop, "!");
        for other in [pesters, releases] {
            check(other.join(LIMIT) == Ok(ExitStatus::Code(0)), "so do the others")?;
        }
        Ok(())
    });
}

#[test]
fn the_end_of_one_leaves_its_siblings_and_its_children_alone() {
    // shows: process-terminate-spares-siblings, process-terminate-spares-descendants
    in_child(|| {
        let (mut reader, said) = talk()?;
        let (held, release) = talk()?;
        let sibling = Process::fork("sibling", || listen(&held)).map_err(text)?;
        let child = Process::fork("child", || -> Result<(), Error> {
            let _descendant = Process::fork("descendant", || {
                say(&said, "r");
                listen(&held);
                say(&said, "d");
            })?;
            idle();
            Ok(())
        });
        let child = child.map_err(text)?;
        next(&mut reader, "the descendant's word")?;
        child.kill().map_err(text)?;
        check(child.join(LIMIT) == Ok(ExitStatus::Signal(9)), "killed")?;
        check(sibling.is_alive() == Ok(true), "its sibling lives")?;
        say(&release, "!!");
        drop((said, release));
        check(all(&mut reader, "the descendant")? == "d", "its child has lived on")?;
        check(sibling.join(LIMIT) == Ok(ExitStatus::Code(0)), "and its sibling ends by itself")
    });
}
