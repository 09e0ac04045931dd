//! Threads with the face of a process.
//!
//! What counts or lists threads runs in a child of its own, where nobody else makes any.

mod bounded;
mod unprivileged;

use std::collections::HashSet;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Barrier, Mutex};
use std::time::{Duration, Instant};

use bounded::{LIMIT, check, in_child};
use purlin_process::thread::{self, Builder, End, Thread};
use purlin_process::{Error, ExitCode, ExitStatus, Process};
use unprivileged::reach_the_process_limit;

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// A thread that runs until the sender is dropped.
fn waiting(builder: Builder) -> (Thread, Sender<()>) {
    let (release, until) = mpsc::channel();
    (builder.start(move || wait_for_end(&until)).expect("a thread"), release)
}

fn wait_for_end(until: &Receiver<()>) {
    let _ = until.recv(); // the end of the channel is what is waited for
}

fn joined(thread: &Thread) -> End {
    thread.join(LIMIT).expect("its end")
}

/// How many threads the system sees in this process.
fn thread_count() -> usize {
    std::fs::read_dir("/proc/self/task").expect("/proc is mounted").count()
}

#[test]
fn a_thread_runs_its_function_beside_the_caller() {
    // shows: thread-start-runs-function, thread-memory-is-shared
    let seen = Arc::new(Mutex::new(Vec::new()));
    let theirs = Arc::clone(&seen);
    let argument = "x".to_owned();
    let thread = Thread::start("", move || {
        theirs.lock().expect("no panic").push((argument, std::process::id()));
    });
    assert_eq!(joined(&thread.expect("a thread")), End::Returned);
    assert_eq!(*seen.lock().expect("no panic"), [("x".to_owned(), std::process::id())]);
}

#[test]
fn a_thread_is_alive_from_its_start_to_its_end() {
    // shows: thread-start-returns-before-end, thread-alive-states, thread-join-many-times
    let (thread, release) = waiting(Builder::new());
    assert!(thread.is_alive());
    assert_eq!(thread.try_join(), Err(Error::TimedOut));
    drop(release);
    assert_eq!(joined(&thread), End::Returned);
    assert!(!thread.is_alive());
    assert_eq!(thread.join(Duration::ZERO), Ok(End::Returned));
    assert_eq!(thread.join(None), Ok(End::Returned));
}

#[test]
fn threads_run_side_by_side() {
    // shows: thread-several-run-side-by-side, thread-join-orders-output
    let log = Arc::new(Mutex::new(vec!["start".to_owned()]));
    let meeting = Arc::new(Barrier::new(3));
    let started: Vec<Thread> = (0..3)
        .map(|_| {
            let (log, meeting) = (Arc::clone(&log), Arc::clone(&meeting));
            let body = move || {
                meeting.wait();
                log.lock().expect("no panic").push(thread::current().name());
            };
            Thread::start("", body).expect("a thread")
        })
        .collect();
    started.iter().for_each(|thread| assert_eq!(joined(thread), End::Returned));
    log.lock().expect("no panic").push("end".to_owned());
    let log = log.lock().expect("no panic");
    assert_eq!((log.len(), log[0].as_str(), log[4].as_str()), (5, "start", "end"));
    let names: HashSet<String> = started.iter().map(Thread::name).collect();
    assert!(log[1..4].iter().all(|name| names.contains(name)) && names.len() == 3);
}

#[test]
fn many_threads_join_one() {
    // shows: thread-join-waits-for-end, thread-join-from-several-threads
    let (thread, release) = waiting(Builder::new());
    let (sender, receiver) = mpsc::channel();
    for _ in 0..19 {
        let (thread, sender) = (thread.clone(), sender.clone());
        // Without a deadline, so that nothing but the end lets it go; each tells its own.
        std::thread::spawn(move || sender.send((thread.join(None), Instant::now())));
    }
    let before = Instant::now();
    drop(release);
    for _ in 0..19 {
        let (end, after) = receiver.recv_timeout(LIMIT).expect("it is told");
        assert_eq!(end, Ok(End::Returned));
        assert!(after >= before, "it waited for what came later");
    }
}

#[test]
fn a_deadline_leaves_the_thread_running() {
    // shows: thread-join-timeout-expires, thread-join-timeout-negative-polls
    // shows: thread-join-timeout-huge
    let (thread, release) = waiting(Builder::new());
    let limit = Duration::from_millis(50);
    let begin = Instant::now();
    assert_eq!(thread.join(limit), Err(Error::TimedOut));
    assert!(begin.elapsed() >= limit && thread.is_alive());
    assert_eq!(thread.join(Duration::ZERO), Err(Error::TimedOut));
    let joiner = std::thread::spawn({
        let thread = thread.clone();
        move || thread.join(Duration::MAX)
    });
    drop(release);
    assert_eq!(joiner.join().expect("no panic"), Ok(End::Returned));
}

#[test]
fn a_thread_cannot_join_itself() {
    // shows: thread-join-self-refused
    let (sender, receiver) = mpsc::channel();
    let thread = Thread::start("", move || {
        let _ = sender.send((thread::current().join(None), thread::current().try_join()));
    });
    let seen = receiver.recv_timeout(LIMIT).expect("an answer");
    assert_eq!(seen, (Err(Error::WouldDeadlock), Err(Error::WouldDeadlock)));
    assert_eq!(joined(&thread.expect("a thread")), End::Returned);
    assert_eq!(thread::current().join(None), Err(Error::WouldDeadlock));
}

#[test]
fn a_failure_ends_its_thread_alone_and_is_told_at_the_join() {
    // shows: thread-error-ends-only-that-thread
    let panics = Thread::start("panics", || panic!("expected {}", "by a test") as ());
    assert_eq!(joined(&panics.expect("a thread")), End::Panicked("expected by a test".into()));
    let odd = Thread::start("odd", || std::panic::panic_any(7) as ());
    assert_eq!(joined(&odd.expect("a thread")), End::Panicked(String::new()));
    let worse = Thread::start("worse", || std::panic::panic_any(PanicsAtItsEnd) as ());
    assert_eq!(joined(&worse.expect("a thread")), End::Panicked(String::new()));
    let fails = Thread::start("fails", || Err::<(), _>("no luck"));
    assert_eq!(joined(&fails.expect("a thread")), End::Failed("no luck".into()));
}

struct PanicsAtItsEnd;

impl Drop for PanicsAtItsEnd {
    fn drop(&mut self) {
        panic!("expected by a test, too");
    }
}

#[test]
fn a_failure_is_printed_with_the_threads_name() {
    // shows: thread-error-is-reported
    if std::env::var_os("PURLIN_PROCESS_PROBE").is_some() {
        let panics = Thread::start("T7", || panic!("run failed") as ());
        assert!(matches!(panics.expect("a thread").join(LIMIT), Ok(End::Panicked(_))));
        let renamed = Thread::start("before", || {
            thread::current().set_name("renamed");
            panic!("expected by a test") as ()
        });
        assert!(matches!(renamed.expect("a thread").join(LIMIT), Ok(End::Panicked(_))));
        let child = Process::fork("child", || {
            let panics = Thread::start("T9", || panic!("expected by a test") as ());
            let end = panics.and_then(|thread| thread.join(LIMIT));
            ExitCode(i32::from(end != Ok(End::Panicked("expected by a test".into()))))
        });
        assert_eq!(child.and_then(|child| child.join(LIMIT)), Ok(ExitStatus::Code(0)));
        let fails = Thread::start("T8", || Err::<(), _>("no luck"));
        assert!(matches!(fails.expect("a thread").join(LIMIT), Ok(End::Failed(_))));
        return;
    }
    let mut command = Command::new(std::env::current_exe().expect("a path"));
    command.args(["a_failure_is_printed_with_the_threads_name", "--exact", "--nocapture"]);
    command.env("PURLIN_PROCESS_PROBE", "1");
    let output = purlin_process::command::run(command, "", LIMIT).expect("an end");
    assert_eq!(output.status, ExitStatus::Code(0), "the process goes on to a good end");
    let err = String::from_utf8_lossy(output.stderr.as_deref().unwrap_or_default()).into_owned();
    for word in ["T7", "run failed", "T8: no luck\n", "renamed: the function", "T9: the function"] {
        assert!(err.contains(word), "{word} in {err}");
    }
}

#[test]
fn names_are_given_changed_and_made_up() {
    // shows: thread-name-default-numbered, thread-name-given-and-changed, thread-current-name
    let (thread, release) = waiting(Builder::new().name("myname1"));
    assert_eq!(thread.name(), "myname1");
    thread.set_name("other");
    assert_eq!((thread.name(), thread.clone().name()), ("other".into(), "other".into()));
    drop(release);
    let (sender, receiver) = mpsc::channel();
    let named = Thread::start("w", move || sender.send(thread::current().name()));
    assert_eq!(receiver.recv_timeout(LIMIT).as_deref(), Ok("w"));
    assert_ne!(thread::current().name(), "w");
    assert_eq!(joined(&named.expect("a thread")), End::Returned);
    let numbers = |_| {
        let thread = Thread::start("", || ()).expect("a thread");
        joined(&thread);
        let name = thread.name();
        name.strip_prefix("Thread-").and_then(|number| number.parse().ok()).unwrap_or(0)
    };
    let numbers: Vec<u32> = (0..3).map(numbers).collect();
    assert!(0 < numbers[0] && numbers[0] < numbers[1] && numbers[1] < numbers[2], "{numbers:?}");
    let zero = Thread::start("a\0b", || ());
    assert_eq!(zero, Err(Error::InvalidArgument));
    joined(&thread);
}

#[test]
fn every_thread_has_numbers_of_its_own() {
    // shows: thread-id, thread-native-ids-differ, thread-main-thread-known
    in_child(|| {
        let waiters: Vec<_> = (0..10).map(|_| waiting(Builder::new())).collect();
        let limit = Instant::now() + LIMIT;
        let mut natives: HashSet<i32> = HashSet::new();
        for (thread, _) in &waiters {
            while thread.native_id().is_none() {
                check(Instant::now() < limit, "it has begun")?;
                std::thread::yield_now();
            }
            natives.extend(thread.native_id());
        }
        natives.extend(thread::main().native_id());
        check(natives.len() == 11, "eleven different ones")?;
        let pid = i32::try_from(std::process::id()).map_err(text)?;
        check(thread::main().native_id() == Some(pid), "the first has the process's")?;
        check(thread::current() == thread::main(), "which is this one")?;
        let ids: HashSet<_> = waiters.iter().map(|(thread, _)| thread.id()).collect();
        check(ids.len() == 10 && !ids.contains(&thread::main().id()), "and own ones")?;
        let (threads, releases): (Vec<_>, Vec<_>) = waiters.into_iter().unzip();
        drop(releases);
        for thread in threads {
            check(thread.join(LIMIT) == Ok(End::Returned), "it ends")?;
            check(ids.contains(&thread.id()), "the number stays")?;
        }
        Ok(())
    });
}

#[test]
fn the_list_has_the_living() {
    // shows: thread-list-of-living
    in_child(|| {
        check(thread::active() == [thread::main()], "the first one")?;
        let (waits, release) = waiting(Builder::new());
        check(thread::active() == [thread::main(), waits.clone()], "and the started")?;
        drop(release);
        for _ in 0..200 {
            let brief = Thread::start("", || ()).map_err(text)?;
            check(brief.join(LIMIT) == Ok(End::Returned), "it ends")?;
            check(!thread::active().contains(&brief), "a joined one is not in it")?;
        }
        check(waits.join(LIMIT) == Ok(End::Returned), "it ends")?;
        check(thread::active() == [thread::main()], "the first one again")
    });
}

#[test]
fn a_thread_that_others_start_is_listed_once_it_asks_and_until_its_end() {
    in_child(|| {
        let (sender, receiver) = mpsc::channel();
        let (release, until) = mpsc::channel::<()>();
        let foreign = std::thread::Builder::new().name("theirs".into()).spawn(move || {
            let _ = sender.send((thread::current(), thread::current() == thread::current()));
            wait_for_end(&until);
        });
        let (seen, is_same) = receiver.recv_timeout(LIMIT).map_err(text)?;
        check(is_same && seen.name() == "theirs" && !seen.is_daemon(), "it is told apart")?;
        check(thread::active().contains(&seen), "it is listed")?;
        check(thread::join_all(LIMIT) == Ok(()), "nobody waits for it")?;
        drop(release);
        check(seen.join(LIMIT) == Ok(End::Returned), "its end is seen")?;
        check(!thread::active().contains(&seen), "and it is not listed")?;
        foreign.map_err(text)?.join().map_err(|_| "no panic".to_owned())
    });
}

#[test]
fn a_daemon_is_made_or_inherited() {
    // shows: thread-daemon-default-and-inherited
    let maker = |builder: Builder| {
        let (sender, receiver) = mpsc::channel();
        let made = builder.start(move || {
            let inner = Thread::start("", || ()).map(|thread| thread.is_daemon());
            let _ = sender.send(inner);
        });
        let made = made.expect("a thread");
        let inner = receiver.recv_timeout(LIMIT).expect("an answer").expect("a thread");
        joined(&made);
        (made.is_daemon(), inner)
    };
    assert_eq!(maker(Builder::new()), (false, false));
    assert_eq!(maker(Builder::new().daemon(true)), (true, true));
}

#[test]
fn the_end_waits_for_threads_and_what_they_start_and_not_for_daemons() {
    // shows: thread-started-from-thread, thread-non-daemon-keeps-process
    // shows: thread-daemon-ends-with-main, thread-waits-for-main-to-end
    in_child(|| {
        let (daemon, _never) = waiting(Builder::new().daemon(true));
        let (waits, release) = waiting(Builder::new());
        let limit = Duration::from_millis(50);
        check(thread::join_all(limit) == Err(Error::TimedOut), "it waits")?;
        let log = Arc::new(Mutex::new(Vec::new()));
        let [first, second, third] = [(); 3].map(|()| Arc::clone(&log));
        let say = |log: &Mutex<Vec<&'static str>>, what| {
            log.lock().expect("no panic").push(what);
        };
        let outer = Thread::start("outer", move || {
            let outer = thread::current();
            let inner = Thread::start("inner", move || {
                let _ = outer.join(None);
                let _ = thread::main().join(None);
                say(&second, "inner");
            });
            say(&first, "outer");
            inner.map(drop)
        });
        outer.map_err(text)?;
        drop(release);
        check(thread::join_all(LIMIT) == Ok(()), "all have ended")?;
        check(!waits.is_alive() && daemon.is_alive(), "but the daemon")?;
        check(thread::active() == [daemon], "which is left")?;
        let log = third.lock().map_err(text)?.clone();
        check(log == ["outer", "inner"], "they did what they had to")
    });
}

#[test]
fn a_thousand_threads_leave_nothing() {
    // shows: thread-many
    in_child(|| {
        let map_count = || std::fs::read_to_string("/proc/self/maps").map(|m| m.lines().count());
        Thread::start("", || ()).and_then(|thread| thread.join(LIMIT)).map_err(text)?;
        let before = map_count().map_err(text)?;
        for _ in 0..1000 {
            Thread::start("", || ()).and_then(|thread| thread.join(LIMIT)).map_err(text)?;
            check(thread_count() == 1, "a joined thread is gone for the system, too")?;
        }
        check(map_count().map_err(text)? <= before + 50, "the maps have not grown")
    });
}

#[test]
fn a_thread_that_the_system_refuses_leaves_nothing() {
    // shows: thread-start-failure-leaves-no-trace
    in_child(|| {
        if !reach_the_process_limit() {
            return Ok(());
        }
        let theirs = Arc::new(AtomicU32::new(0));
        let kept = Arc::clone(&theirs);
        let refused = Thread::start("", move || kept.store(1, Ordering::Relaxed));
        check(refused.err() == Some(Error::OutOfResources), "the limit holds")?;
        check(thread::active() == [thread::main()], "it is not listed")?;
        check(Arc::strong_count(&theirs) == 1, "the function was dropped")?;
        check(thread::join_all(LIMIT) == Ok(()), "nobody waits for it")
    });
}

#[test]
fn a_stack_is_as_large_as_asked_or_refused() {
    // shows: thread-stack-size
    let small = || Builder::new().stack_size(256 * 1024);
    let threads: Vec<_> = (0..10).map(|_| small().start(|| ()).expect("a thread")).collect();
    threads.iter().for_each(|thread| assert_eq!(joined(thread), End::Returned));
    assert_eq!(Builder::new().stack_size(1).start(|| ()), Err(Error::InvalidArgument));
}

#[test]
fn a_forked_child_has_one_thread_which_is_the_first() {
    let (other, release) = waiting(Builder::new().name("other"));
    let theirs = other.clone();
    let forker = Thread::start("forker", move || -> Result<(), String> {
        let own = thread::current();
        let child = Process::fork("child", || -> Result<(), String> {
            check(!theirs.is_alive(), "the parent's other threads are not here")?;
            check(theirs.join(None) == Ok(End::Gone), "and nobody waits for them")?;
            check(theirs.name() == "other", "their names stay")?;
            check(thread::main().id() == own.id(), "the one that forked is the first")?;
            check(thread::current() == thread::main(), "and this one")?;
            check(own.is_alive() && own.name() == "forker", "it goes on")?;
            check(own.join(None) == Err(Error::WouldDeadlock), "it cannot join itself")?;
            check(thread::active() == [own], "it is the only one")?;
            let new = Builder::new().stack_size(100_000).start(|| ()).map_err(text)?;
            check(new.join(LIMIT) == Ok(End::Returned), "it makes others")?;
            check(new.name() != "Thread-1" && new != theirs, "which are new")?;
            check(thread::join_all(LIMIT) == Ok(()), "the end waits for those alone")
        });
        let status = child.map_err(text)?.join(LIMIT).map_err(text)?;
        check(status == ExitStatus::Code(0), "see the message above")
    });
    assert_eq!(joined(&forker.expect("a thread")), End::Returned);
    drop(release);
    assert_eq!(joined(&other), End::Returned);
}

#[test]
fn a_fork_amid_starts_and_ends_finds_no_lock_held() {
    let stop = Arc::new(AtomicU32::new(0));
    let busy: Vec<Thread> = (0..2)
        .map(|_| {
            let stop = Arc::clone(&stop);
            let body = move || {
                // Relaxed: a flag, and nothing is read because of it.
                while stop.load(Ordering::Relaxed) == 0 {
                    let thread = Thread::start("", || ()).expect("a thread");
                    (0..500).for_each(|_| thread::current().set_name("busy"));
                    joined(&thread);
                }
            };
            Thread::start("", body).expect("a thread")
        })
        .collect();
    let handles = busy.clone();
    for _ in 0..200 {
        let child = Process::fork("child", || -> Result<(), String> {
            check(thread::active().len() == 1, "one thread")?;
            for handle in &handles {
                check(handle.join(None) == Ok(End::Gone), "the others are gone")?;
                check(!handle.name().is_empty(), "and have a name, the first or the other")?;
            }
            let new = Thread::start("", || ()).map_err(text)?;
            check(new.join(LIMIT) == Ok(End::Returned), "it makes others")
        });
        let child = child.expect("a child");
        let status = child.join(LIMIT);
        let _ = child.kill();
        assert_eq!(status, Ok(ExitStatus::Code(0)), "see the message above");
    }
    // Relaxed: as for the load.
    stop.store(1, Ordering::Relaxed);
    busy.iter().for_each(|thread| assert_eq!(joined(thread), End::Returned));
}
