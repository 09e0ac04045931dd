//! Maps and iterators over results.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use purlin_pool::{Callbacks, Error, Pool, Progress};

use crate::bounded::{LIMIT, Test};
use crate::with_each;

pub(crate) const TESTS: &[Test] = &[
    ("a_map_keeps_the_order_whatever_the_chunks", a_map_keeps_the_order_whatever_the_chunks),
    (
        "a_failure_of_a_map_is_told_when_all_have_ended",
        a_failure_of_a_map_is_told_when_all_have_ended,
    ),
    (
        "imap_gives_in_order_and_a_failure_in_its_place",
        imap_gives_in_order_and_a_failure_in_its_place,
    ),
    ("imap_reads_a_bounded_number_ahead", imap_reads_a_bounded_number_ahead),
    ("a_source_that_fails_is_told_last", a_source_that_fails_is_told_last),
    ("unordered_gives_each_once", unordered_gives_each_once),
    ("a_deadline_loses_nothing", a_deadline_loses_nothing),
    ("many_tasks_take_no_more_memory", many_tasks_take_no_more_memory),
    ("tuples_are_spread", tuples_are_spread),
    ("progress_is_told_up_to_the_end", progress_is_told_up_to_the_end),
];

fn square(n: u64) -> u64 {
    n * n
}

fn a_map_keeps_the_order_whatever_the_chunks() {
    let expected: Vec<u64> = (0..100).map(square).collect();
    with_each!(3, |pool| {
        for chunk in [None, Some(1), Some(7), Some(99), Some(1000)] {
            assert_eq!(pool.map(square, 0..100, chunk), Ok(expected.clone()));
        }
        assert_eq!(pool.map(square, Vec::new(), None), Ok(vec![]));
        assert_eq!(pool.imap(square, 0..0, 1).unwrap().count(), 0);
    });
}

fn a_failure_of_a_map_is_told_when_all_have_ended() {
    with_each!(2, |pool| {
        let all = pool.map(|n: u64| 100 / (n - 3) / (n - 5), 1..20, 2);
        assert!(matches!(all, Err(Error::TaskFailed { .. })), "{all:?}");
        assert_eq!(pool.map(square, 0..3, 1), Ok(vec![0, 1, 4]));
    });
}

fn imap_gives_in_order_and_a_failure_in_its_place() {
    with_each!(2, |pool| {
        for chunk in [1, 3, 100] {
            let mut results = pool.imap(|n: u64| 100 / n, 0..10, chunk).unwrap();
            assert_eq!(results.next().unwrap().unwrap_err().kind(), "task-failed");
            let rest: Result<Vec<u64>, Error> = results.by_ref().collect();
            assert_eq!(rest, Ok((1..10).map(|n| 100 / n).collect()));
            assert_eq!(results.next(), None);
            assert_eq!(results.next(), None);
        }
    });
}

fn imap_reads_a_bounded_number_ahead() {
    with_each!(2, |pool| {
        let read = Rc::new(Cell::new(0));
        let counted = Rc::clone(&read);
        let endless = (0_u64..).inspect(move |_| counted.set(counted.get() + 1));
        let mut results = pool.imap(square, endless, 5).unwrap();
        for n in 0..200 {
            assert_eq!(results.next(), Some(Ok(n * n)));
            assert!(read.get() <= n + 5 * 2 * 2 + 5, "{} read, {n} taken", read.get());
        }
    });
}

fn a_source_that_fails_is_told_last() {
    with_each!(2, |pool| {
        for chunk in [1, 2, 5] {
            let source = || (0_u64..6).inspect(|n| assert!(*n < 3, "the source of this test"));
            let all: Vec<_> = pool.imap(square, source(), chunk).unwrap().collect();
            assert_eq!(all[..3], [Ok(0), Ok(1), Ok(4)]);
            assert_eq!(all.len(), 4);
            let Err(Error::TaskFailed { message, .. }) = &all[3] else { panic!("{:?}", all[3]) };
            assert!(message.contains("source"), "{message}");
            let all: Vec<_> = pool.imap_unordered(square, source(), chunk).unwrap().collect();
            assert_eq!(all.iter().filter(|outcome| outcome.is_err()).count(), 1);
            assert_eq!(all.len(), 4);
        }
    });
}

fn unordered_gives_each_once() {
    with_each!(3, |pool| {
        for chunk in [1, 4] {
            let all: Result<Vec<u64>, Error> =
                pool.imap_unordered(square, 0..50, chunk).unwrap().collect();
            let mut all = all.unwrap();
            all.sort_unstable();
            assert_eq!(all, (0..50).map(square).collect::<Vec<_>>());
        }
    });
}

fn a_deadline_loses_nothing() {
    let pool = Pool::fork(1).unwrap();
    let event = purlin_sync::Event::new().unwrap();
    // Known to the worker as it was forked before; so by a pool that is made after.
    drop(pool);
    static EVENT: std::sync::OnceLock<purlin_sync::Event> = std::sync::OnceLock::new();
    let event = EVENT.get_or_init(|| event);
    let pool = Pool::fork(1).unwrap();
    let wait = |n: u32| EVENT.get().is_some_and(|event| event.wait(LIMIT) == Ok(true)).then_some(n);
    let mut results = pool.imap(wait, 1..4, 1).unwrap();
    assert_eq!(results.next_within(Duration::ZERO), Err(Error::TimedOut));
    assert_eq!(results.next_within(Duration::from_millis(5)), Err(Error::TimedOut));
    event.set();
    let all: Result<Vec<_>, Error> = results.collect();
    assert_eq!(all, Ok(vec![Some(1), Some(2), Some(3)]));
}

/// `PURLIN_MANY=1000000` for the whole.
fn many_count() -> usize {
    std::env::var("PURLIN_MANY").ok().and_then(|count| count.parse().ok()).unwrap_or(50_000)
}

/// How many pages of it are in memory.
fn resident(pid: i32) -> u64 {
    let statm = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap();
    statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap()
}

/// Less than half of a page for a hundred tasks, of the smallest number of them.
const MORE_MAX: u64 = 200;

fn many_tasks_take_no_more_memory() {
    let pool = Pool::fork(2).unwrap();
    let mut all = pool.workers().unwrap().iter().map(|worker| worker.pid).collect::<Vec<_>>();
    all.push(std::process::id().cast_signed());
    let (first, rest) = (10_000, many_count());
    let mut results = pool.imap(square, 0..(first + rest) as u64, 1).unwrap();
    assert_eq!(results.by_ref().take(first).filter(Result::is_ok).count(), first);
    let before: Vec<u64> = all.iter().map(|pid| resident(*pid)).collect();
    assert_eq!(results.filter(Result::is_ok).count(), rest);
    let after: Vec<u64> = all.iter().map(|pid| resident(*pid)).collect();
    let is_as_before = before.iter().zip(&after).all(|(before, after)| *after <= before + MORE_MAX);
    assert!(is_as_before, "{before:?} pages, after {rest} tasks {after:?}");
    let done: u64 = pool.workers().unwrap().iter().map(|worker| worker.done_count).sum();
    assert_eq!(done, (first + rest) as u64);
}

fn tuples_are_spread() {
    with_each!(2, |pool| {
        let multiply = |a: u64, b: u64| a * b;
        let pairs = || (0..100).map(|n| (n, n + 1));
        let expected: Vec<u64> = pairs().map(|(a, b)| a * b).collect();
        assert_eq!(pool.starmap(multiply, pairs(), None), Ok(expected.clone()));
        let later = pool.starmap_async(multiply, pairs(), 7).unwrap();
        assert_eq!(later.get(LIMIT), Ok(&expected));
        let six = |a: u8, b: i8, c: u16, d: String, e: bool, f: ()| format!("{a}{b}{c}{d}{e}{f:?}");
        let all = pool.starmap(six, [(1, -2, 3, "d".to_owned(), true, ())], 1);
        assert_eq!(all, Ok(vec!["1-23dtrue()".to_owned()]));
        assert_eq!(pool.starmap(multiply, pairs(), 0), Err(Error::InvalidArgument));
    });
}

fn progress_is_told_up_to_the_end() {
    with_each!(2, |pool| {
        let (tell, told) = std::sync::mpsc::channel();
        let tell_end = tell.clone();
        let callbacks = Callbacks::new()
            .progress(move |progress| tell.send(progress).unwrap())
            .error(move |_| tell_end.send(Progress::default()).unwrap());
        let result = pool.map_async_with(|n: u64| 60 / n, [1, 2, 0, 3, 0, 4], 1, callbacks);
        assert!(matches!(result.unwrap().get(LIMIT), Err(Error::TaskFailed { .. })));
        let steps: Vec<Progress> = told.try_iter().collect();
        let done: Vec<usize> = steps.iter().map(|step| step.done_count).collect();
        assert_eq!(done, [1, 2, 3, 4, 5, 6, 0], "one after the other, and before the end");
        assert!(steps[..6].iter().all(|step| step.total_count == 6));
        assert!(steps[..6].is_sorted_by_key(|step| step.failed_count));
        assert_eq!(steps[5].failed_count, 2);
        let (tell, told) = std::sync::mpsc::channel();
        let callbacks = Callbacks::new().progress(move |progress| tell.send(progress).unwrap());
        pool.apply_async_with(square, 3, callbacks).unwrap().wait(LIMIT);
        let alone = Progress { done_count: 1, failed_count: 0, total_count: 1 };
        assert_eq!(told.try_iter().collect::<Vec<_>>(), [alone]);
    });
}
