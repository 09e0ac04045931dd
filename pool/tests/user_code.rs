//! What is the user's and runs amid the pool's own steps: it panics, drops, and ends the pool.

use std::panic;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex, OnceLock};
use std::thread;

use purlin_pool::{Builder, Callbacks, Error, Pool, ThreadPool};
use purlin_process::ExitStatus;
use purlin_shm::{Carry, Luggage};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::bounded::{LIMIT, Test};
use crate::calls::Touchy;
use crate::with_each;

pub(crate) const TESTS: &[Test] = &[
    ("initializers_of_threads_fail_together", initializers_of_threads_fail_together),
    ("a_worker_is_replaced_while_a_panic_is_told", a_worker_is_replaced_while_a_panic_is_told),
    ("what_no_worker_runs_may_panic_as_it_goes", what_no_worker_runs_may_panic_as_it_goes),
    ("a_drop_that_panics_costs_no_failure", a_drop_that_panics_costs_no_failure),
    ("a_function_whose_drop_panics_is_told", a_function_whose_drop_panics_is_told),
    ("a_callback_whose_drop_panics_is_none", a_callback_whose_drop_panics_is_none),
    ("a_task_may_hold_its_pool_last", a_task_may_hold_its_pool_last),
    ("tasks_may_join_their_pool", tasks_may_join_their_pool),
    ("a_copy_that_panics_fails_the_pool", a_copy_that_panics_fails_the_pool),
    ("a_map_cuts_its_chunks_to_the_limit", a_map_cuts_its_chunks_to_the_limit),
    ("what_is_refused_is_dropped_outside_of_the_lock", what_is_refused_is_dropped_outside),
];

fn kill(pid: i32) {
    kill_process(Pid::from_raw(pid).expect("positive"), Signal::KILL).expect("it is ours");
}

/// What panics where it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(thread::panicking(), "a drop of this test");
    }
}

const MEETING_COUNT: usize = 8;
static MEETING: Barrier = Barrier::new(MEETING_COUNT);

/// What all read at once, and nobody can.
struct Unreadable;

impl Serialize for Unreadable {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_unit()
    }
}

impl<'de> Deserialize<'de> for Unreadable {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        MEETING.wait();
        Err(serde::de::Error::custom("unreadable"))
    }
}

fn initializers_of_threads_fail_together() {
    for _ in 0..500 {
        let builder = Builder::new().workers(MEETING_COUNT);
        let pool = builder.initializer(|_: Unreadable, ()| (), Unreadable, ()).unwrap();
        let pool = pool.threads().unwrap();
        let lost = pool.apply_async(|n: u8| n, 1).and_then(|result| result.into_value(LIMIT));
        assert_eq!(lost, Err(Error::NotTransferable));
    }
}

/// In a program of its own, for the hook is the whole process's.
fn a_worker_is_replaced_while_a_panic_is_told() {
    let child = purlin_process::Builder::new().name("owner").spawn(own_and_panic, (), ()).unwrap();
    let ended = child.join(LIMIT / 2);
    let _ = child.kill();
    assert_eq!(ended, Ok(ExitStatus::Code(0)));
}

fn own_and_panic(_: (), _: ()) -> Result<(), String> {
    let (enter, entered) = channel();
    let (leave, left) = channel::<()>();
    let left = Mutex::new(left);
    panic::set_hook(Box::new(move |_| {
        enter.send(()).unwrap();
        left.lock().unwrap().recv().unwrap_err();
    }));
    let pool = Pool::fork(1).map_err(|error| error.to_string())?;
    let panics = thread::spawn(|| panic!("a panic of this test"));
    entered.recv_timeout(LIMIT).map_err(|error| error.to_string())?;
    kill(pool.workers().map_err(|error| error.to_string())?[0].pid);
    let next = pool.apply_async(|n: u32| 6 / n, 3);
    let next = next.and_then(|result| result.into_value(LIMIT));
    let failed = pool.apply_async(|n: u32| 6 / n, 0);
    let failed = failed.and_then(|result| result.into_value(LIMIT));
    drop(leave);
    let _ = panics.join();
    match (next, failed) {
        (Ok(2), Err(Error::TaskFailed { trace, .. })) if trace.contains("user_code") => Ok(()),
        others => Err(format!("{others:?}")),
    }
}

static GATE: Barrier = Barrier::new(2);

/// Whoever cannot begin tells what waits, however that is dropped.
fn what_no_worker_runs_may_panic_as_it_goes() {
    let wait = |(): (), ()| {
        GATE.wait();
        panic!("a failure of this test")
    };
    let pool = Builder::new().workers(1).initializer(wait, (), ()).unwrap().threads().unwrap();
    let result = pool.apply_async(drop::<Bomb>, Bomb).unwrap();
    GATE.wait();
    assert!(matches!(result.get(LIMIT), Err(Error::TaskFailed { .. })));
    pool.terminate().unwrap();
    pool.join(LIMIT).unwrap();
}

fn a_drop_that_panics_costs_no_failure() {
    for pool in [Pool::fork(1).unwrap(), Pool::spawn(1).unwrap()] {
        let touchy = |n: u8| Touchy(if n == 0 { panic!("a failure of this test") } else { n });
        for row in [[4, 3, 0], [4, 0, 3], [0, 3, 4]] {
            for chunk in [1, 3] {
                let all = pool.map_async(touchy, row, chunk).unwrap();
                let failed = all.into_value(LIMIT).map(drop);
                assert!(matches!(failed, Err(Error::TaskFailed { .. })), "{failed:?}");
            }
        }
    }
    let pool = ThreadPool::new(1).unwrap();
    let fails_last = |n: u8| Touchy(if n == 0 { panic!("a failure of this test") } else { n });
    for row in [[4, 3, 0], [4, 0, 3], [0, 3, 4]] {
        for chunk in [1, 3] {
            let failed =
                pool.map_async(fails_last, row, chunk).unwrap().into_value(LIMIT).map(drop);
            let Err(Error::TaskFailed { message, .. }) = failed else { panic!("{failed:?}") };
            assert_eq!(message, "a failure of this test");
        }
    }
}

fn a_function_whose_drop_panics_is_told() {
    let pool = ThreadPool::new(1).unwrap();
    let (go, gone) = channel::<()>();
    let held = (Mutex::new(gone), Bomb);
    let work = move |n: u8| {
        let (gone, _bomb) = &held;
        gone.lock().unwrap().recv().unwrap_err();
        n + 1
    };
    let result = pool.apply_async(work, 1).unwrap();
    drop(go); // the caller's own hold on the function is gone
    assert_eq!(result.into_value(LIMIT), Ok(2));
    assert_eq!(pool.apply(|n: u8| n, 3), Ok(3));
}

fn a_callback_whose_drop_panics_is_none() {
    with_each!(1, |pool| {
        let (good, bad) = (Bomb, Bomb);
        let callbacks = Callbacks::new().error(move |_| drop(good)).value(|_| {});
        let result = pool.apply_async_with(|n: u8| 6 / n, 2, callbacks).unwrap();
        assert_eq!(result.into_value(LIMIT), Ok(3));
        let callbacks = Callbacks::new().value(move |_| drop(bad));
        let result = pool.apply_async_with(|n: u8| 6 / n, 0, callbacks).unwrap();
        assert_eq!(result.into_value(LIMIT).unwrap_err().kind(), "task-failed");
    });
}

fn a_task_may_hold_its_pool_last() {
    let (tell, told) = channel();
    let pool = Arc::new(ThreadPool::new(2).unwrap());
    let (go, gone) = channel::<()>();
    let held = Mutex::new(Some((Arc::clone(&pool), gone)));
    let last = move |()| {
        let (pool, gone) = held.lock().unwrap().take().unwrap();
        gone.recv().unwrap_err();
        drop(pool);
        tell.send(()).unwrap();
    };
    let result = pool.apply_async(last, ()).unwrap();
    drop(pool);
    drop(go);
    assert_eq!(told.recv_timeout(LIMIT), Ok(()));
    assert_eq!(result.into_value(LIMIT), Ok(()));
}

fn tasks_may_join_their_pool() {
    let pool = Arc::new(ThreadPool::new(3).unwrap());
    let meeting = Arc::new(Barrier::new(3));
    let results = [(); 2].map(|()| {
        let (same, meeting) = (Arc::clone(&pool), Arc::clone(&meeting));
        let join = move |()| {
            meeting.wait();
            same.join(LIMIT)
        };
        pool.apply_async(join, ()).unwrap()
    });
    pool.close().unwrap();
    meeting.wait();
    for result in results {
        assert_eq!(result.into_value(LIMIT), Ok(Ok(())));
    }
    pool.join(LIMIT).unwrap();
}

static IS_BROKEN: AtomicBool = AtomicBool::new(false);

struct Fragile;

impl Clone for Fragile {
    fn clone(&self) -> Self {
        assert!(!IS_BROKEN.load(SeqCst), "a copy of this test");
        Self
    }
}

impl Carry for Fragile {
    fn pack(&self, _: &mut Luggage) -> Result<(), purlin_shm::Error> {
        Ok(())
    }

    fn unpack(_: &mut Luggage) -> Result<Self, purlin_shm::Error> {
        Ok(Self)
    }
}

fn park(_: u8) {
    loop {
        thread::park();
    }
}

fn a_copy_that_panics_fails_the_pool() {
    let builder = Builder::new().workers(1).initializer(|(), _: Fragile| (), (), Fragile).unwrap();
    let pool = builder.spawn().unwrap();
    assert_eq!(pool.apply(|n: u8| n, 1), Ok(1));
    let victim = pool.workers().unwrap()[0].pid;
    IS_BROKEN.store(true, SeqCst);
    let lost = pool.apply_async(park, 1);
    kill(victim);
    assert!(lost.and_then(|result| result.into_value(LIMIT)).is_err());
    let failed = pool.apply_async(|n: u8| n, 1).and_then(|result| result.into_value(LIMIT));
    let Err(Error::TaskFailed { message, .. }) = failed else { panic!("{failed:?}") };
    assert_eq!(message, "a copy of this test");
    pool.terminate().unwrap();
    assert_eq!(pool.join(LIMIT), Ok(()));
    IS_BROKEN.store(false, SeqCst);
}

fn a_map_cuts_its_chunks_to_the_limit() {
    let pool = Builder::new().workers(2).message_max_bytes(64 << 10).fork().unwrap();
    for len in [1, 8_000, 33_000, 60_000] {
        let texts: Vec<String> =
            (0..64).map(|n| "x".repeat(if n % 3 == 0 { len } else { n })).collect();
        assert_eq!(pool.map(|text: String| text, texts.clone(), None), Ok(texts));
    }
    let numbers = 0..100_000_u64;
    assert_eq!(pool.map(|n: u64| n, numbers.clone(), None), Ok(numbers.collect()));
    assert_eq!(pool.map(|()| (), [(); 1000], None), Ok(vec![(); 1000]));
    let texts: Vec<String> = (0..8).map(|_| "x".repeat(33_000)).collect();
    let all = pool.map(|text: String| text.len(), texts, 2);
    assert!(matches!(all, Err(Error::TooLarge { .. })), "as it was asked for: {all:?}");
}

static ENDED: OnceLock<Pool> = OnceLock::new();

/// What closes the pool that it is given to.
struct Closes;

impl Serialize for Closes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        ENDED.get().unwrap().close().unwrap();
        to.serialize_unit()
    }
}

impl<'de> Deserialize<'de> for Closes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        <()>::deserialize(from).map(|()| Self)
    }
}

/// What asks the pool when it is dropped.
struct Asks;

impl Drop for Asks {
    fn drop(&mut self) {
        assert!(ENDED.get().unwrap().workers().is_ok());
    }
}

fn what_is_refused_is_dropped_outside() {
    let pool = ENDED.get_or_init(|| Pool::fork(1).unwrap());
    let asks = Asks;
    let callbacks = Callbacks::new().value(move |_| drop(asks));
    let refused = pool.apply_async_with(|_: Closes| (), Closes, callbacks).err();
    assert_eq!(refused, Some(Error::PoolNotRunning));
    assert_eq!(pool.join(LIMIT), Ok(()));
}
