//! The end of a process: its hooks, its daemons, its other children, and what its parent sees.

mod bounded;
mod talk;

use std::io::PipeWriter;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use bounded::{LIMIT, check, in_child};
use purlin_process::thread::Thread;
use purlin_process::{
    AtEnd, Builder, Error, ExitCode, ExitStatus, Process, active_children, at_exit, exit, shutdown,
    tell_overflow_apart, thread, wait_at_end,
};
use talk::{all, idle, is_readable, listen, next, say, talk};

fn text(error: Error) -> String {
    error.to_string()
}

/// What a child says whose function this is, and how it ends.
fn heard(function: impl FnOnce(&Arc<PipeWriter>) -> i32) -> Result<(String, ExitStatus), String> {
    let (mut reader, said) = talk()?;
    let said = Arc::new(said);
    let child = Process::fork("Px", || ExitCode(function(&said))).map_err(text)?;
    drop(said);
    let heard = all(&mut reader, "the child")?;
    Ok((heard, child.join(LIMIT).map_err(text)?))
}

/// Registers a hook that says this.
fn hook(said: &Arc<PipeWriter>, what: &'static str) {
    let said = Arc::clone(said);
    at_exit(move || say(&said, what));
}

#[test]
fn hooks_run_at_the_end_of_the_function_the_last_one_first() {
    // shows: process-exit-hooks-of-child-run
    in_child(|| {
        let all_three = |said: &Arc<PipeWriter>| {
            hook(said, "1");
            let again = Arc::clone(said);
            at_exit(move || hook(&again, "n"));
            hook(said, "3");
            say(said, "f");
            4
        };
        check(heard(all_three)? == ("f3n1".to_owned(), ExitStatus::Code(4)), "in reverse")?;
        let by_exit = |said: &Arc<PipeWriter>| {
            hook(said, "1");
            exit(5)
        };
        check(heard(by_exit)? == ("1".to_owned(), ExitStatus::Code(5)), "by exit")?;
        let by_panic = |said: &Arc<PipeWriter>| {
            hook(said, "1");
            panic!("expected by a test")
        };
        check(heard(by_panic)? == ("1".to_owned(), ExitStatus::Code(101)), "by a panic")
    });
}

#[test]
#[expect(unsafe_code, reason = "_exit has no safe form")]
fn hooks_do_not_run_at_an_end_that_asks_nobody() {
    // shows: process-exit-status-immediate-exit, process-terminate-skips-cleanup
    in_child(|| {
        let at_once = |said: &Arc<PipeWriter>| {
            hook(said, "1");
            // SAFETY: it asks for nothing.
            unsafe { libc::_exit(9) }
        };
        check(heard(at_once)? == (String::new(), ExitStatus::Code(9)), "an immediate exit")?;
        let by_signal = |said: &Arc<PipeWriter>| {
            hook(said, "1");
            let own = rustix::process::getpid();
            let _ = rustix::process::kill_process(own, rustix::process::Signal::TERM);
            idle();
            0
        };
        check(heard(by_signal)? == (String::new(), ExitStatus::Signal(15)), "a signal")
    });
}

#[test]
fn a_forked_child_has_no_hooks_of_its_parent() {
    // shows: process-fork-exit-skips-parent-exit-hooks
    in_child(|| {
        let said = heard(|said| {
            hook(said, "p");
            let child = Process::fork("child", || ());
            child.and_then(|child| child.join(LIMIT)).ok().and_then(ExitStatus::code).unwrap_or(9)
        });
        check(said? == ("p".to_owned(), ExitStatus::Code(0)), "once, in the parent")
    });
}

#[test]
fn a_hook_that_panics_is_no_success_and_the_others_run() {
    in_child(|| {
        for (status, expected) in [(0, 101), (7, 7)] {
            let said = heard(|said| {
                hook(said, "1");
                at_exit(|| panic!("expected by a test"));
                status
            });
            check(said? == ("1".to_owned(), ExitStatus::Code(expected)), "the first one runs")?;
        }
        let said = heard(|said| {
            hook(said, "1");
            at_exit(|| exit(6));
            0
        });
        check(said? == ("1".to_owned(), ExitStatus::Code(6)), "a hook may exit")?;
        let said = heard(|said| {
            hook(said, "1");
            at_exit(|| exit(0));
            at_exit(|| panic!("expected by a test"));
            0
        });
        check(said? == ("1".to_owned(), ExitStatus::Code(101)), "nor by an exit behind it")?;
        let said = heard(|said| {
            hook(said, "1");
            at_exit(|| panic!("expected by a test"));
            shutdown();
            0
        });
        check(said? == ("1".to_owned(), ExitStatus::Code(101)), "nor by an end before the end")
    });
}

#[test]
fn children_that_are_no_daemons_are_waited_for() {
    // shows: process-non-daemon-waited-for-at-exit
    in_child(|| {
        let (mut reader, said) = talk()?;
        let said = Arc::new(said);
        let (until, release) = talk()?;
        let parent = Process::fork("parent", || -> Result<(), Error> {
            hook(&said, "h");
            Process::fork("child", || {
                listen(&until);
                say(&said, "c");
            })
            .map(drop)
        });
        let parent = parent.map_err(text)?;
        drop(said);
        check(next(&mut reader, "the parent's hook")? == b'h', "its function is over")?;
        check(parent.join(Duration::from_millis(50)) == Err(Error::TimedOut), "it waits")?;
        say(&release, "!");
        check(parent.join(LIMIT) == Ok(ExitStatus::Code(0)), "it ends")?;
        check(is_readable(&reader, Duration::ZERO), "its child said something before")?;
        check(all(&mut reader, "the child")? == "c", "all that it had to say")
    });
}

#[test]
fn threads_that_are_no_daemons_are_waited_for() {
    // shows: process-exit-waits-for-child-threads
    in_child(|| {
        let (mut reader, said) = talk()?;
        let said = Arc::new(said);
        let (until, release) = talk()?;
        let child = Process::fork("child", || -> Result<(), Error> {
            hook(&said, "h");
            let late = Arc::clone(&said);
            thread::Thread::start("awaited", move || {
                listen(&until);
                say(&late, "t");
            })?;
            thread::Builder::new().daemon(true).start(idle).map(drop)
        });
        let child = child.map_err(text)?;
        drop(said);
        check(next(&mut reader, "the child's hook")? == b'h', "its function is over")?;
        check(child.join(Duration::from_millis(50)) == Err(Error::TimedOut), "it waits")?;
        say(&release, "!");
        check(child.join(LIMIT) == Ok(ExitStatus::Code(0)), "it ends")?;
        check(all(&mut reader, "the child")? == "t", "its thread said all that it had to")
    });
}

/// Where the next handler writes.
static SAID: AtomicI32 = AtomicI32::new(-1);

#[expect(unsafe_code, reason = "a signal handler that writes and leaves")]
extern "C" fn say_and_leave(_: libc::c_int) {
    // Relaxed: set before the handler was, by the same thread.
    let fd = SAID.load(Ordering::Relaxed);
    // SAFETY: both are system calls that a handler may make; the text is valid for its length.
    unsafe {
        libc::write(fd, c"d".as_ptr().cast(), 1);
        libc::_exit(0)
    }
}

/// Starts a daemon that says `d` when it is asked to end, and a child that is none, says `c` at its
/// end, and ends only when the daemon has.
#[expect(unsafe_code, reason = "what a process does with a signal")]
fn start_both(said: &Arc<PipeWriter>) -> Result<Process, String> {
    let (daemon_lives, life) = talk()?;
    let (running, runs) = talk()?;
    let mut life = Some(life);
    let daemon = Builder::new().daemon(true).fork(|| {
        let _life = &life;
        SAID.store(said.as_raw_fd(), Ordering::Relaxed); // Relaxed: read by this thread's handler
        let handler = say_and_leave as *const () as libc::sighandler_t;
        // SAFETY: the handler makes system calls only.
        unsafe { libc::signal(libc::SIGTERM, handler) };
        say(&runs, "r");
        idle();
    });
    let daemon = daemon.map_err(text)?;
    listen(&running);
    life.take();
    let child = Process::fork("child", || {
        listen(&daemon_lives);
        say(said, "c");
    });
    child.map(|_| daemon).map_err(text)
}

#[test]
fn the_end_goes_by_hooks_daemons_and_other_children() {
    in_child(|| {
        let in_order = |said: &Arc<PipeWriter>| {
            hook(said, "h");
            i32::from(start_both(said).is_err())
        };
        check(heard(in_order)? == ("hdc".to_owned(), ExitStatus::Code(0)), "in this order")?;
        let by_exit = |said: &Arc<PipeWriter>| {
            hook(said, "h");
            exit(3 + i32::from(start_both(said).is_err()))
        };
        check(heard(by_exit)? == ("hdc".to_owned(), ExitStatus::Code(3)), "by exit, too")
    });
}

#[test]
fn a_hook_that_comes_late_runs_last() {
    in_child(|| {
        let said = heard(|said| {
            let (lives, life) = talk().expect("a pipe");
            let (running, runs) = talk().expect("a pipe");
            let (held, release) = talk().expect("a pipe");
            let mut life = Some(life);
            let daemon = Builder::new().daemon(true).fork(|| {
                let _life = &life;
                say(&runs, "r");
                idle();
            });
            listen(&running);
            life.take();
            let child = Process::fork("child", || listen(&held));
            let late = Arc::clone(said);
            std::thread::spawn(move || {
                listen(&lives); // until the daemon is gone, hence behind the first hooks
                hook(&late, "l");
                say(&release, "!");
            });
            hook(said, "h");
            i32::from(daemon.is_err() || child.is_err())
        });
        check(said? == ("hl".to_owned(), ExitStatus::Code(0)), "both")
    });
}

#[test]
fn shutdown_does_the_same_and_twice_does_no_harm() {
    in_child(|| {
        let said = heard(|said| {
            hook(said, "h");
            let daemon = start_both(said);
            shutdown();
            say(said, "s");
            shutdown();
            let status = daemon.map(|daemon| (daemon.status(), active_children().len()));
            i32::from(status != Ok((Ok(Some(ExitStatus::Code(0))), 0)))
        });
        check(said? == ("hdcs".to_owned(), ExitStatus::Code(0)), "all of it, once")
    });
}

#[test]
fn the_guard_shuts_down_when_it_is_dropped_and_in_no_copy() {
    in_child(|| {
        let said = heard(|said| {
            let guard = AtEnd::new();
            hook(said, "h");
            say(said, "p");
            drop(guard);
            say(said, "e");
            0
        });
        check(said? == ("phe".to_owned(), ExitStatus::Code(0)), "at its drop")?;
        let said = heard(|said| {
            let guard = AtEnd::new();
            let child = Process::fork("child", move || {
                hook(said, "c");
                drop(guard); // a copy: it does nothing, and the hook runs at the end
                say(said, "f");
            });
            i32::from(child.and_then(|child| child.join(LIMIT)) != Ok(ExitStatus::Code(0)))
        });
        check(said? == ("fc".to_owned(), ExitStatus::Code(0)), "not in a copy")
    });
}

#[test]
fn who_is_not_to_wait_leaves_threads_and_children_and_ends_daemons() {
    // shows: process-left-children-go-on
    in_child(|| {
        let (mut reader, said) = talk()?;
        let (held, release) = talk()?;
        let mut release = Some(release);
        let leave = || -> Result<(), Error> {
            release.take(); // the copy of the one that lets go
            wait_at_end(false);
            let at_end = said.try_clone();
            at_exit(move || at_end.iter().for_each(|said| say(said, "h")));
            thread::Thread::start("idle", idle)?;
            Builder::new().daemon(true).fork(idle)?;
            Process::fork("left", || {
                listen(&held);
                say(&said, "l");
            })?;
            Ok(())
        };
        let brief = Process::fork("brief", leave).map_err(text)?;
        check(brief.join(LIMIT) == Ok(ExitStatus::Code(0)), "it waits for nobody")?;
        drop(said);
        check(next(&mut reader, "the hook")? == b'h', "the hook ran")?;
        drop(release);
        check(all(&mut reader, "the left child")? == "l", "it goes on, and the daemon does not")
    });
}

#[test]
fn a_child_of_one_that_does_not_wait_does() {
    in_child(|| {
        let (held, release) = talk()?;
        let mut release = Some(release);
        wait_at_end(false);
        let child = Process::fork("child", || {
            release.take(); // the copy of the one that lets go
            Process::fork("grandchild", || listen(&held)).map(drop)
        });
        let child = child.map_err(text)?;
        let early = child.join(Duration::from_millis(50));
        drop(release);
        check(early == Err(Error::TimedOut), "it waits for its own child")?;
        check(child.join(LIMIT) == Ok(ExitStatus::Code(0)), "and then ends")
    });
}

#[test]
fn a_nested_end_joins_generation_after_generation() {
    in_child(|| {
        let said = heard(|said| {
            hook(said, "1");
            let child = Process::fork("child", || -> Result<(), Error> {
                hook(said, "2");
                Process::fork("grandchild", || hook(said, "3")).map(drop)
            });
            i32::from(child.is_err())
        });
        let (heard, status) = said?;
        let mut sorted: Vec<_> = heard.chars().collect();
        sorted.sort_unstable();
        check((sorted, status) == (vec!['1', '2', '3'], ExitStatus::Code(0)), "each ran its own")
    });
}

/// Ways to end, each of which its parent tells apart.
#[expect(unsafe_code, reason = "the ways to end that only unsafe code has")]
fn ways() -> [(&'static str, fn(), ExitStatus); 11] {
    fn overflow(depth: u64) -> u64 {
        let room = std::hint::black_box([depth; 512]);
        if depth == u64::MAX { 0 } else { overflow(depth + 1) + room[depth as usize % 512] }
    }
    fn overflow_aside() {
        let deep = Thread::start("deep", || assert_eq!(overflow(0), 0));
        assert_eq!(deep.and_then(|deep| deep.join(LIMIT)), Err(Error::TimedOut));
    }
    fn read_nothing() {
        // SAFETY: none: nothing is mapped there, and the process ends by it, which is looked at.
        std::hint::black_box(unsafe { libc::strlen(std::ptr::without_provenance(8)) });
    }
    fn raise(number: i32) {
        // SAFETY: it takes a number.
        unsafe { libc::raise(number) };
    }
    [
        ("returns", || (), ExitStatus::Code(0)),
        ("exits", || exit(3), ExitStatus::Code(3)),
        ("panics", || panic!("expected by a test"), ExitStatus::Code(101)),
        ("aborts", || std::process::abort(), ExitStatus::Signal(6)),
        // Rust's handler tells an overflow from other faults, says so, and aborts.
        ("overflows", || assert_eq!(overflow(0), 0), ExitStatus::Signal(6)),
        // On a thread that std knows nothing of, it is a fault.
        ("overflows aside", overflow_aside, ExitStatus::Signal(11)),
        ("faults", read_nothing, ExitStatus::Signal(11)),
        ("is killed", || raise(libc::SIGKILL), ExitStatus::Signal(9)),
        ("is terminated", || raise(libc::SIGTERM), ExitStatus::Signal(15)),
        ("is interrupted", || raise(libc::SIGINT), ExitStatus::Signal(2)),
        ("has a signal without a name", || raise(40), ExitStatus::Signal(40)),
    ]
}

#[test]
fn each_way_to_end_is_told_apart() {
    // shows: process-exit-status-negative-for-signal, process-exit-status-signal-beyond-named
    in_child(|| each_is_seen_as(|_, status| status));
}

#[test]
fn an_overflow_is_told_apart_from_an_abort_where_that_is_asked_for() {
    in_child(|| {
        let again = [tell_overflow_apart(), tell_overflow_apart()];
        check(again == [Ok(()); 2], &format!("it is asked for: {again:?}"))?;
        each_is_seen_as(|way, status| match way {
            "overflows" => ExitStatus::Signal(libc::SIGSTKFLT),
            _ => status,
        })
    });
}

/// Goes through all ways to end, some of which may be expected to be seen as something else.
#[expect(unsafe_code, reason = "a disposition of the whole process, a child of this test's")]
fn each_is_seen_as(seen: fn(&str, ExitStatus) -> ExitStatus) -> Result<(), String> {
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    rustix::process::setrlimit(rustix::process::Resource::Core, none)
        .map_err(|errno| errno.to_string())?;
    // What a shell starts aside ignores interrupts, and so would the children.
    // SAFETY: a default action installs no code.
    unsafe { libc::signal(libc::SIGINT, libc::SIG_DFL) };
    for (way, function, expected) in ways() {
        let expected = seen(way, expected);
        let status = Process::fork(way, function).and_then(|child| child.join(LIMIT));
        check(status == Ok(expected), &format!("{way}: {expected}, but {status:?}"))?;
    }
    Ok(())
}
