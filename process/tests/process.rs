//! `Process` as its caller sees it: start, status, join, signals, whose child it is.

mod bounded;

use std::io::{Read, Write, pipe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bounded::{LIMIT, becomes_ready, check, in_child};
use purlin_process::parts::fork_each;
use purlin_process::{Builder, Error, ExitCode, ExitStatus, Fork, Outcome, Process, exit, fork};

/// Starts, joins, and returns how it ended.
fn run<R: Outcome>(function: impl FnOnce() -> R) -> ExitStatus {
    let child = Process::fork("probe", function).unwrap();
    let status = child.join(LIMIT);
    let _ = child.kill();
    status.unwrap()
}

/// A child that runs until a signal ends it, and is killed when the test is over.
struct Idle(Process);

impl Idle {
    fn start() -> Self {
        Self(Process::fork("idle", idle).unwrap())
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.join(LIMIT);
    }
}

/// For ever; ended by a signal only.
fn idle() {
    loop {
        std::thread::park();
    }
}

#[test]
fn the_function_runs_in_another_process() {
    // shows: process-start-runs-function-in-child
    let (mut reader, mut writer) = pipe().unwrap();
    let child = Process::fork("reporter", || -> Result<(), std::io::Error> {
        writer.write_all(&std::process::id().to_le_bytes())
    });
    let child = child.unwrap();
    let mut id = [0; 4];
    reader.read_exact(&mut id).unwrap();
    assert_eq!(u32::from_le_bytes(id), child.pid().unsigned_abs());
    assert_ne!(u32::from_le_bytes(id), std::process::id());
    assert_eq!(child.join(LIMIT), Ok(ExitStatus::Code(0)));
}

#[test]
fn a_returned_exit_code_is_the_status() {
    // shows: process-exit-status-given-by-exit-call
    for number in [0, 1, 7, 255] {
        assert_eq!(run(|| ExitCode(number)), ExitStatus::Code(number));
    }
}

#[test]
fn a_number_that_does_not_fit_is_not_success() {
    // shows: process-exit-status-out-of-range-not-success, process-exit-status-huge-never-escapes
    for number in [256, -1, 512, i32::MAX, i32::MIN] {
        assert_eq!(run(|| ExitCode(number)), ExitStatus::Code(255));
        assert_eq!(run(|| exit(number) as ()), ExitStatus::Code(255));
    }
}

#[test]
fn a_returned_error_is_one_and_a_panic_is_101() {
    // shows: process-exit-status-error-is-one
    assert_eq!(run(|| Err::<(), _>("expected by a test")), ExitStatus::Code(1));
    assert_eq!(run(|| Ok::<_, String>(ExitCode(3))), ExitStatus::Code(3));
    assert_eq!(run(|| panic!("expected by a test") as ()), ExitStatus::Code(101));
}

/// Panics when it is dropped, in a child only: the parent drops its copy, too.
struct PanicsInChild(u32);

impl Drop for PanicsInChild {
    fn drop(&mut self) {
        assert_eq!(self.0, std::process::id(), "expected by a test");
    }
}

#[test]
fn a_panic_while_dropping_ends_the_child_as_any_panic() {
    let captured = PanicsInChild(std::process::id());
    assert_eq!(run(move || drop(captured)), ExitStatus::Code(101));
    let captured = PanicsInChild(std::process::id());
    let left_to_the_end = move || {
        let _captured = &captured;
    };
    assert_eq!(run(left_to_the_end), ExitStatus::Code(101));
    let payload = PanicsInChild(std::process::id());
    assert_eq!(run(move || std::panic::panic_any(payload) as ()), ExitStatus::Code(101));
}

#[test]
fn a_panic_within_a_panic_aborts_the_child_only() {
    let captured = PanicsInChild(std::process::id());
    let twice = move || -> Result<(), String> {
        std::panic::set_hook(Box::new(|_| ())); // two backtraces and a core would help nobody
        rustix::process::setrlimit(
            rustix::process::Resource::Core,
            rustix::process::Rlimit { current: Some(0), maximum: Some(0) },
        )
        .map_err(|errno| errno.to_string())?;
        let _captured = captured;
        panic!("expected by a test");
    };
    assert_eq!(run(twice), ExitStatus::Signal(6));
}

#[test]
fn signals_are_told_apart_from_statuses() {
    // shows: process-exit-status-negative-for-signal, process-exit-status-signal-beyond-named
    for number in [9, 15, 40] {
        let child = Idle::start();
        child.0.signal(number).unwrap();
        assert_eq!(child.0.join(LIMIT), Ok(ExitStatus::Signal(number)));
        assert_eq!(child.0.try_join().unwrap().code(), Some(-number));
    }
}

#[test]
fn kill_and_terminate_send_their_signals() {
    // shows: process-kill-ends-by-signal-9, process-terminate-ends-by-signal-15
    let (killed, terminated) = (Idle::start(), Idle::start());
    killed.0.kill().unwrap();
    terminated.0.terminate().unwrap();
    assert_eq!(killed.0.join(LIMIT), Ok(ExitStatus::Signal(9)));
    assert_eq!(terminated.0.join(LIMIT), Ok(ExitStatus::Signal(15)));
}

#[test]
fn a_signal_after_the_end_is_harmless() {
    // shows: process-terminate-after-end-is-harmless, process-exit-status-stable
    let child = Process::fork("three", || ExitCode(3)).unwrap();
    assert!(becomes_ready(&child, LIMIT));
    assert_eq!(child.kill(), Ok(())); // ended, uncollected
    for _ in 0..2 {
        assert_eq!(child.join(LIMIT), Ok(ExitStatus::Code(3)));
        assert_eq!((child.terminate(), child.kill()), (Ok(()), Ok(())));
    }
}

#[test]
fn what_is_no_signal_is_refused() {
    let child = Idle::start();
    for number in [0, -1, 65, i32::MAX, i32::MIN] {
        assert_eq!(child.0.signal(number), Err(Error::InvalidArgument));
    }
    assert_eq!(child.0.is_alive(), Ok(true));
    child.0.kill().unwrap();
    child.0.join(LIMIT).unwrap();
    assert_eq!(child.0.signal(0), Err(Error::InvalidArgument));
}

#[test]
fn a_join_gives_up_at_its_deadline_and_not_before() {
    // shows: process-join-timeout-expires, process-join-timeout-zero-polls
    let child = Idle::start();
    let limit = Duration::from_millis(30);
    let start = Instant::now();
    assert_eq!(child.0.join(limit), Err(Error::TimedOut));
    assert!(start.elapsed() >= limit);
    assert_eq!(child.0.join(Duration::ZERO), Err(Error::TimedOut));
    assert_eq!(child.0.try_join(), Err(Error::TimedOut));
    assert_eq!(child.0.is_alive(), Ok(true));
}

#[test]
fn a_join_without_limit_or_with_a_huge_one_ends_with_the_child() {
    // shows: process-join-timeout-huge, process-join-timeout-early-end
    for limit in [None, Some(Duration::MAX), Some(Duration::from_secs(1 << 40))] {
        let child = Process::fork("four", || ExitCode(4)).unwrap();
        assert_eq!(child.join(limit), Ok(ExitStatus::Code(4)));
        assert_eq!(child.join(Duration::ZERO), Ok(ExitStatus::Code(4)));
    }
}

#[test]
fn all_threads_that_join_see_one_status() {
    // shows: process-join-from-several-threads
    let child = Idle::start();
    let statuses = thread::scope(|scope| {
        let joiners: Vec<_> = (0..4).map(|_| scope.spawn(|| child.0.join(LIMIT))).collect();
        child.0.kill().unwrap();
        joiners.into_iter().map(|joiner| joiner.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(statuses, [Ok(ExitStatus::Signal(9)); 4]);
}

#[test]
fn many_children_each_have_their_own_status() {
    // shows: process-many-at-once
    let children: Vec<_> = (0..100)
        .map(|index| Process::fork("one of many", move || ExitCode(index)).unwrap())
        .collect();
    for (index, child) in (0..).zip(&children) {
        assert_eq!(child.join(LIMIT), Ok(ExitStatus::Code(index)));
    }
}

#[test]
fn threads_may_start_children_at_once() {
    thread::scope(|scope| {
        for status in 0..4 {
            scope.spawn(move || {
                for _ in 0..25 {
                    assert_eq!(run(|| ExitCode(status)), ExitStatus::Code(status));
                }
            });
        }
    });
}

#[test]
#[expect(unsafe_code, reason = "a raw fork beside other threads, which is what is tested")]
fn the_librarys_own_locks_are_free_in_a_child() {
    // shows: process-fork-while-library-lock-held
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            // Relaxed: when exactly the other threads stop does not matter.
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    run(|| ());
                }
            });
        }
        for _ in 0..200 {
            // SAFETY: the child uses this crate only, and ends.
            match unsafe { fork() }.unwrap() {
                Fork::Child => exit(run(|| ExitCode(6)).code().unwrap_or(1)),
                Fork::Parent(child) => {
                    let status = child.join(LIMIT);
                    let _ = child.kill();
                    // Relaxed: as above. Before the assertion, which would wait for the threads.
                    done.store(status != Ok(ExitStatus::Code(6)), Ordering::Relaxed);
                    assert_eq!(status, Ok(ExitStatus::Code(6)));
                }
            }
        }
        done.store(true, Ordering::Relaxed); // Relaxed: as above.
    });
}

#[test]
fn a_copied_handle_is_not_the_parents() {
    // shows: process-join-by-stranger-refused, process-kill-by-stranger-refused
    let child = Idle::start();
    in_child(|| {
        let refused = Err(Error::NotTheParent);
        check(child.0.join(LIMIT) == refused.map(|()| ExitStatus::Unknown), "join is refused")?;
        check(child.0.try_join() == Err(Error::NotTheParent), "try_join is refused")?;
        check(child.0.is_alive() == Err(Error::NotTheParent), "is_alive is refused")?;
        check(child.0.sentinel().is_err(), "the sentinel is refused")?;
        check(child.0.kill() == refused, "kill is refused")?;
        check(child.0.terminate() == refused, "terminate is refused")?;
        check(format!("{:?}", child.0).contains("idle"), "it can still be shown")
    });
    assert_eq!(child.0.is_alive(), Ok(true));
}

#[test]
fn a_child_has_children_of_its_own() {
    // shows: process-nested-start
    in_child(|| {
        let inner = Process::fork("", || ExitCode(run(|| ExitCode(5)).code().unwrap_or(0) + 1));
        let inner = inner.map_err(|error| error.to_string())?;
        check(inner.join(LIMIT) == Ok(ExitStatus::Code(6)), "a grandchild's status came up")
    });
}

#[test]
fn names_are_kept_and_missing_ones_numbered() {
    // shows: process-name-given-is-kept, process-name-empty-means-default
    let odd = "spaces, \n newlines, 木 ".repeat(300);
    let children: Vec<_> =
        [odd.as_str(), "", ""].map(|name| Process::fork(name, || ()).unwrap()).into();
    assert_eq!(children[0].name(), odd);
    let numbers: Vec<u64> = children[1..]
        .iter()
        .map(|child| child.name().strip_prefix("Process-").unwrap().parse().unwrap())
        .collect();
    assert!(numbers[0] < numbers[1]);
    children.iter().for_each(|child| assert_eq!(child.join(LIMIT), Ok(ExitStatus::Code(0))));
}

#[test]
fn the_sentinel_is_ready_at_the_end_and_not_before() {
    // shows: process-sentinel-ready-at-end
    let (reader, writer) = pipe().unwrap();
    let child = Process::fork("held", || {
        let _ = (&reader).read(&mut [0]);
    });
    let child = child.unwrap();
    drop(reader);
    let sentinel = child.sentinel().unwrap();
    let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    let mut polled = [rustix::event::PollFd::new(&sentinel, rustix::event::PollFlags::IN)];
    assert_eq!(rustix::event::poll(&mut polled, Some(&now)), Ok(0));
    (&writer).write_all(b"x").unwrap();
    assert!(becomes_ready(&child, LIMIT));
    assert_eq!(child.join(LIMIT), Ok(ExitStatus::Code(0)));
}

#[test]
fn a_child_collected_by_foreign_code_has_ended() {
    // shows: process-join-although-child-reaped-elsewhere
    // Alone: a start by another thread would collect the child before we do.
    in_child(|| {
        let child = Process::fork("three", || ExitCode(3)).map_err(|error| error.to_string())?;
        let pid = rustix::process::Pid::from_raw(child.pid());
        let collected = rustix::process::waitpid(pid, rustix::process::WaitOptions::empty());
        check(collected.is_ok(), "we collect it")?;
        check(child.join(LIMIT) == Ok(ExitStatus::Unknown), "it has ended somehow")?;
        check(child.is_alive() == Ok(false), "it is not alive")?;
        check(child.kill() == Ok(()), "a kill is harmless")
    });
}

#[test]
#[expect(unsafe_code, reason = "a raw fork, which is what is tested")]
fn a_raw_fork_returns_twice() {
    // shows: process-fork-returns-twice, process-fork-parent-sees-child-id
    let (mut reader, mut writer) = pipe().unwrap();
    // SAFETY: the child writes to a pipe that nobody locks, and ends.
    match unsafe { fork() }.unwrap() {
        Fork::Child => {
            let written = writer.write_all(&std::process::id().to_le_bytes());
            exit(if written.is_ok() { 9 } else { 1 });
        }
        Fork::Parent(child) => {
            let mut id = [0; 4];
            reader.read_exact(&mut id).unwrap();
            assert_eq!(u32::from_le_bytes(id), child.pid().unsigned_abs());
            assert_eq!(child.join(LIMIT), Ok(ExitStatus::Code(9)));
        }
    }
}

#[test]
fn memory_is_copied_as_it_is_at_the_start() {
    // shows: process-fork-initial-state-copied, process-fork-child-write-not-seen-by-parent
    let mut numbers = vec![7];
    numbers.push(8);
    let status = run(|| {
        numbers.push(9);
        ExitCode(numbers.iter().sum::<i32>())
    });
    assert_eq!(status, ExitStatus::Code(24));
    assert_eq!(numbers, [7, 8]);
}

#[test]
fn the_parent_keeps_nothing_of_the_function() {
    // shows: process-object-freed-drops-arguments
    let argument = std::sync::Arc::new(());
    let copy = std::sync::Arc::clone(&argument);
    let child = Process::fork("keeper", move || drop(copy)).unwrap();
    assert_eq!(std::sync::Arc::strong_count(&argument), 1);
    assert_eq!(child.join(LIMIT), Ok(ExitStatus::Code(0)));
}

#[test]
fn several_are_started_up_to_the_one_that_cannot_be() {
    let (mut told, mut tell) = pipe().unwrap();
    let mut readers = Vec::new();
    let give = |index| match index {
        2 => Err(Error::OutOfResources),
        _ => {
            let (reader, writer) = pipe().unwrap();
            readers.push(reader);
            Ok(writer)
        }
    };
    let builders = (0..4).map(|_| Builder::new().daemon(true)).collect();
    let work = |index, _mine| {
        if index == 1 {
            let _ = told.read(&mut [0]); // until the other's end was seen
        }
        ExitCode(index as i32 + 1)
    };
    let (children, answer) = fork_each(builders, give, work);
    assert_eq!((children.len(), answer), (2, Err(Error::OutOfResources)));
    assert_eq!(children[0].join(LIMIT), Ok(ExitStatus::Code(1)));
    let end = rustix::event::PollFlags::HUP;
    let mut polled = [rustix::event::PollFd::new(&readers[0], end)];
    let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    let is_over = rustix::event::poll(&mut polled, Some(&now));
    tell.write_all(b"g").unwrap();
    assert_eq!(is_over, Ok(1), "what was given to the first, only the first had");
    assert_eq!(children[1].join(LIMIT), Ok(ExitStatus::Code(2)));
    let names: Vec<_> = children.iter().map(Process::name).collect();
    assert_ne!(names[0], names[1]);
}
