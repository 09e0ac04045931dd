//! Single tasks: values, failures, callbacks, deadlines.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::time::Duration;

use purlin_pool::{Builder, Callbacks, Error, Pool, ThreadPool};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::bounded::{LIMIT, Test, pause};
use crate::with_each;

pub(crate) const TESTS: &[Test] = &[
    ("a_task_returns_its_value", a_task_returns_its_value),
    ("a_failure_is_told_with_its_place", a_failure_is_told_with_its_place),
    ("a_result_is_asked_again", a_result_is_asked_again),
    ("what_has_no_form_fails", what_has_no_form_fails),
    ("what_panics_on_its_way_is_a_failure", what_panics_on_its_way_is_a_failure),
    ("what_is_too_large_fails", what_is_too_large_fails),
    ("callbacks_come_before_the_result_is_ready", callbacks_come_before_the_result_is_ready),
    ("callbacks_come_though_nobody_asks", callbacks_come_though_nobody_asks),
    ("what_follows_a_chunk_without_a_form_is_its_own", what_follows_a_chunk_without_a_form),
    ("bad_arguments_are_refused", bad_arguments_are_refused),
    ("an_initializer_comes_first", an_initializer_comes_first),
    ("closures_of_threads_capture", closures_of_threads_capture),
    ("large_values_pass", large_values_pass),
    ("a_join_comes_after_every_result", a_join_comes_after_every_result),
    (
        "values_that_fill_the_room_wait_for_each_other",
        values_that_fill_the_room_wait_for_each_other,
    ),
];

fn square(n: u64) -> u64 {
    n * n
}

fn a_task_returns_its_value() {
    with_each!(2, |pool| {
        assert_eq!(pool.apply(square, 7), Ok(49));
        assert_eq!(
            pool.apply(|(a, b): (String, u8)| format!("{a}{b}"), ("x".into(), 1)),
            Ok("x1".into())
        );
        assert_eq!(pool.apply(|()| (), ()), Ok(()));
        assert_eq!(pool.worker_count(), 2);
    });
}

fn a_failure_is_told_with_its_place() {
    fn fail(n: u32) -> u32 {
        assert!(n > 5, "{n} is too few");
        n
    }
    with_each!(1, |pool| {
        let Err(Error::TaskFailed { message, .. }) = pool.apply(fail, 3) else {
            panic!("it failed")
        };
        assert_eq!(message, "3 is too few");
        assert_eq!(pool.apply(fail, 6), Ok(6));
    });
    let pool = Pool::fork(1).unwrap();
    let before = pool.workers().unwrap();
    let Err(Error::TaskFailed { trace, .. }) = pool.apply(fail, 3) else { panic!("it failed") };
    assert!(trace.starts_with("pool/tests/calls.rs:"), "{trace}");
    assert_eq!(pool.workers().unwrap()[0].pid, before[0].pid, "its worker stays");
}

fn a_result_is_asked_again() {
    with_each!(1, |pool| {
        let result = pool.apply_async(square, 4).unwrap();
        assert_eq!(result.get(LIMIT), Ok(&16));
        assert_eq!(result.get(Duration::ZERO), Ok(&16));
        assert_eq!((result.is_ready(), result.is_successful()), (true, Ok(true)));
        let failed = pool.apply_async(|n: u64| 1 / n, 0).unwrap();
        assert!(failed.wait(LIMIT));
        assert_eq!(failed.is_successful(), Ok(false));
        assert_eq!(failed.get(None), failed.get(None));
        pool.close().unwrap();
        pool.join(LIMIT).unwrap();
        assert_eq!(result.into_value(None), Ok(16));
    });
    let (ask, asked) = channel::<()>();
    let pool = ThreadPool::new(1).unwrap();
    let asked = std::sync::Mutex::new(asked);
    let late = pool.apply_async(move |()| asked.lock().unwrap().recv().is_err(), ()).unwrap();
    assert_eq!(late.get(Duration::ZERO), Err(Error::TimedOut));
    assert_eq!(late.get(Duration::from_millis(5)), Err(Error::TimedOut));
    assert_eq!(late.is_successful(), Err(Error::NotReady));
    std::thread::scope(|scope| {
        let waiting = [(); 3].map(|()| scope.spawn(|| late.get(LIMIT).copied()));
        drop(ask);
        for thread in waiting {
            assert_eq!(thread.join().unwrap(), Ok(true));
        }
    });
}

/// What has no serial form, or one that cannot be read.
#[derive(Clone, Debug, PartialEq)]
struct Odd(bool);

impl Serialize for Odd {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if self.0 { Err(serde::ser::Error::custom("none")) } else { to.serialize_u8(1) }
    }
}

impl<'de> Deserialize<'de> for Odd {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        u8::deserialize(from)?;
        Err(serde::de::Error::custom("unreadable"))
    }
}

fn what_has_no_form_fails() {
    for pool in [Pool::fork(1).unwrap(), Pool::spawn(1).unwrap()] {
        assert_eq!(pool.apply(|_: Odd| 1, Odd(true)), Err(Error::NotTransferable));
        assert_eq!(pool.apply(|_: Odd| 1, Odd(false)), Err(Error::NotTransferable));
        assert_eq!(pool.apply(Odd, true), Err(Error::NotTransferable));
        assert_eq!(pool.apply(Odd, false), Err(Error::NotTransferable));
        let mixed: Vec<_> = pool.imap(|n: u8| Ok::<_, ()>(Odd(n == 1)), 0..2, 2).unwrap().collect();
        assert_eq!(mixed, [Err(Error::NotTransferable), Err(Error::NotTransferable)]);
        assert_eq!(pool.apply(square, 3), Ok(9));
    }
}

/// What panics where it is written or read, or where it is dropped.
#[derive(Debug)]
pub(crate) struct Touchy(pub(crate) u8);

impl Serialize for Touchy {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        assert!(self.0 != 1, "written");
        to.serialize_u8(self.0)
    }
}

impl<'de> Deserialize<'de> for Touchy {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = u8::deserialize(from)?;
        assert!(value != 2, "read");
        Ok(Self(value))
    }
}

impl Drop for Touchy {
    fn drop(&mut self) {
        assert!(self.0 != 3 || std::thread::panicking(), "dropped");
    }
}

/// Drops it. If it has come by now, it panics here.
fn drop_of<T>(result: T) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(result)));
}

fn what_panics_on_its_way_is_a_failure() {
    for pool in [Pool::fork(1).unwrap(), Pool::spawn(1).unwrap()] {
        for value in [1, 2] {
            let failed = pool.apply(Touchy, value).map(|value| value.0);
            assert!(matches!(failed, Err(Error::TaskFailed { .. })), "{value}: {failed:?}");
        }
        let before = pool.workers().unwrap()[0].pid;
        drop_of(pool.apply_async(Touchy, 3));
        assert_eq!(pool.apply(square, 3), Ok(9));
        assert_eq!(pool.workers().unwrap()[0].pid, before, "its worker stays");
        pool.close().unwrap();
        pool.join(LIMIT).unwrap();
    }
    let pool = ThreadPool::new(1).unwrap();
    drop_of(pool.apply_async(Touchy, 3));
    assert_eq!(pool.apply(square, 3), Ok(9));
}

fn what_is_too_large_fails() {
    let builder = || Builder::new().workers(1).message_max_bytes(4096);
    // Before a text stands its length, before arguments their number, before a value its kind.
    let too_large = |len| Err(Error::TooLarge { len });
    let pools = [builder().fork().unwrap(), builder().spawn().unwrap()];
    for pool in pools {
        assert_eq!(pool.apply(|s: String| s.len(), "x".repeat(5000)), too_large(8 + 2 + 5000));
        assert_eq!(
            pool.apply(|n: usize| "x".repeat(n), 5000),
            Err(Error::TooLarge { len: 1 + 2 + 5000 })
        );
        let all = pool.map(|n: usize| "x".repeat(n), [10, 5000], 2);
        assert_eq!(all, Err(Error::TooLarge { len: 12 + 3 + 5000 }));
        assert_eq!(pool.apply(square, 3), Ok(9));
    }
}

fn callbacks_come_before_the_result_is_ready() {
    with_each!(1, |pool| {
        let (tell, told) = channel();
        let (tell_value, tell_error) = (tell.clone(), tell.clone());
        let both = |tell: std::sync::mpsc::Sender<String>,
                    other: std::sync::mpsc::Sender<String>| {
            Callbacks::new()
                .value(move |value: &u64| tell.send(value.to_string()).unwrap())
                .error(move |error: &Error| other.send(error.kind().into()).unwrap())
        };
        let good = pool.apply_async_with(square, 3, both(tell_value, tell_error)).unwrap();
        assert_eq!(good.get(LIMIT), Ok(&9));
        assert_eq!(told.try_recv(), Ok("9".into()));
        let bad = both(tell.clone(), tell.clone());
        let bad = pool.apply_async_with(|n: u64| 1 / n, 0, bad).unwrap();
        assert!(bad.wait(LIMIT));
        assert_eq!(told.try_recv(), Ok("task-failed".into()));
        let panics = Callbacks::new().value(|_: &u64| panic!("a callback of this test"));
        assert_eq!(pool.apply_async_with(square, 2, panics).unwrap().get(LIMIT), Ok(&4));
        assert_eq!(pool.apply(square, 5), Ok(25));
        let list =
            Callbacks::new().value(move |all: &Vec<u64>| tell.send(format!("{all:?}")).unwrap());
        assert_eq!(pool.map_async_with(square, 0..0, 1, list).unwrap().get(LIMIT), Ok(&vec![]));
        assert_eq!(told.try_recv(), Ok("[]".into()));
        assert_eq!(told.try_recv().ok(), None);
    });
}

fn callbacks_come_though_nobody_asks() {
    with_each!(1, |pool| {
        let (tell, told) = channel();
        let tell = Callbacks::new().value(move |value: &u64| tell.send(*value).unwrap());
        let _result = pool.apply_async_with(square, 3, tell).unwrap();
        assert_eq!(told.recv_timeout(LIMIT), Ok(9));
    });
}

/// Of which zero has no form.
#[derive(Deserialize)]
struct NotZero(u64);

impl Serialize for NotZero {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if self.0 == 0 {
            return Err(serde::ser::Error::custom("a zero"));
        }
        self.0.serialize(to)
    }
}

fn what_follows_a_chunk_without_a_form() {
    /// Set when one of the first chunk is run, and when the last of the second is.
    static RUN: std::sync::OnceLock<[purlin_sync::Event; 2]> = std::sync::OnceLock::new();
    let events = || purlin_sync::Event::new().unwrap();
    let _ = RUN.set([events(), events()]);
    let pool = Pool::fork(1).unwrap();
    let run = |n: NotZero| match n.0 {
        0..3 => RUN.get().unwrap()[0].set(),
        3..5 => {}
        _ => RUN.get().unwrap()[1].set(),
    };
    let all = pool.map_async(run, (0..6).map(NotZero), 3).unwrap();
    assert_eq!(all.get(LIMIT).err(), Some(Error::NotTransferable));
    pool.close().unwrap();
    pool.join(LIMIT).unwrap();
    let is_run = RUN.get().unwrap().each_ref().map(purlin_sync::Event::is_set);
    assert_eq!(is_run, [false, true]);
}

fn bad_arguments_are_refused() {
    assert_eq!(Pool::fork(0).err(), Some(Error::InvalidArgument));
    assert_eq!(Pool::spawn(0).err(), Some(Error::InvalidArgument));
    assert_eq!(ThreadPool::new(0).err(), Some(Error::InvalidArgument));
    let too_many = purlin_pool::WORKER_MAX + 1;
    assert_eq!(Pool::fork(too_many).err(), Some(Error::InvalidArgument));
    assert_eq!(Builder::new().tasks_per_worker(0).fork().err(), Some(Error::InvalidArgument));
    for bytes in [0, purlin_pool::BODY_LIMIT_BYTES + 1, usize::MAX] {
        let made = Builder::new().workers(1).message_max_bytes(bytes).fork();
        assert_eq!(made.err(), Some(Error::InvalidArgument));
    }
    with_each!(1, |pool| {
        assert_eq!(pool.map(square, 0..3, 0), Err(Error::InvalidArgument));
        assert_eq!(pool.imap(square, 0..3, 0).err(), Some(Error::InvalidArgument));
        assert_eq!(pool.imap_unordered(square, 0..3, 0).err(), Some(Error::InvalidArgument));
        assert_eq!(pool.join(Duration::ZERO), Err(Error::StillRunning));
        assert_eq!(pool.apply(square, 3), Ok(9));
    });
}

thread_local! {
    static KEPT: std::cell::RefCell<String> = const { std::cell::RefCell::new(String::new()) };
}

fn an_initializer_comes_first() {
    fn keep(text: String, (lock,): (purlin_sync::Lock,)) {
        let _held = lock.acquire(None).unwrap().sound().unwrap();
        KEPT.set(text);
    }
    // Each has a lock of its own: the end of a pool may come to a worker that is at its start, and
    // holds it.
    let builder = || {
        let lock = purlin_sync::Lock::new().unwrap();
        Builder::new().workers(2).initializer(keep, "kept".into(), (lock,)).unwrap()
    };
    let kept = |()| KEPT.with_borrow(Clone::clone);
    assert_eq!(builder().fork().unwrap().apply(kept, ()), Ok("kept".into()));
    assert_eq!(builder().spawn().unwrap().apply(kept, ()), Ok("kept".into()));
    assert_eq!(builder().threads().unwrap().apply(kept, ()), Ok("kept".into()));
}

type Job = Box<dyn Fn() -> u8 + Send>;

fn closures_of_threads_capture() {
    let pool = ThreadPool::new(2).unwrap();
    let counter = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let counted = std::sync::Arc::clone(&counter);
    let all =
        pool.map(move |n| counted.fetch_add(n, std::sync::atomic::Ordering::SeqCst), 1..=4, 1);
    assert!(all.is_ok());
    assert_eq!(counter.load(std::sync::atomic::Ordering::SeqCst), 10);
    // What no other process could be given.
    assert_eq!(pool.apply(|f: Job| f(), Box::new(|| 7_u8) as Job), Ok(7));
}

/// What takes its time to be read back.
#[derive(Serialize)]
struct Slow(u8);

impl<'de> Deserialize<'de> for Slow {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = u8::deserialize(from)?;
        pause(Duration::from_millis(50));
        Ok(Self(value))
    }
}

fn a_join_comes_after_every_result() {
    for pool in [Pool::fork(1).unwrap(), Pool::spawn(1).unwrap()] {
        let results: Vec<_> = (0..4).map(|n| pool.apply_async(Slow, n).unwrap()).collect();
        pool.close().unwrap();
        pool.join(LIMIT).unwrap();
        let told = results.iter().map(|result| result.get(Duration::ZERO).map(|slow| slow.0));
        assert_eq!(told.collect::<Vec<_>>(), [Ok(0), Ok(1), Ok(2), Ok(3)]);
    }
}

/// Short tasks, so that many wait in a mailbox, with room for two of them.
fn values_that_fill_the_room_wait_for_each_other() {
    let pool = Builder::new().workers(2).message_max_bytes(4096).fork().unwrap();
    let numbers = pool.map(|n: u64| [n | 1 << 62; 180].to_vec(), 0..5000, 1).unwrap();
    for (n, row) in (0..).zip(numbers) {
        assert!(
            row.len() == 180 && row.iter().all(|number| *number == n | 1 << 62),
            "{n}: {row:?}"
        );
    }
}

fn large_values_pass() {
    with_each!(2, |pool| {
        let bytes = (0..4_u8).map(|n| purlin_pool::Bytes(vec![n; 4 << 20]));
        let same = pool.map(|bytes: purlin_pool::Bytes| bytes, bytes.clone(), 1).unwrap();
        assert!(same.into_iter().eq(bytes));
        let bodies = (0..4).map(|n| vec![n as u64; 1 << 19]);
        let sums = pool.map(|body: Vec<u64>| (body.iter().sum::<u64>(), body), bodies, 1).unwrap();
        for (n, (sum, body)) in sums.into_iter().enumerate() {
            assert_eq!((sum, body.len()), ((n as u64) << 19, 1 << 19));
        }
    });
}
