//! Close, terminate, join, drop, and pools where they cannot be.

use std::time::Duration;

use purlin_pool::{Builder, Callbacks, Error, Pool, ThreadPool};
use purlin_process::{ExitStatus, Process};

use crate::bounded::{LIMIT, Test, until};
use crate::with_each;

pub(crate) const TESTS: &[Test] = &[
    ("a_closed_pool_runs_what_it_was_given", a_closed_pool_runs_what_it_was_given),
    ("a_terminated_pool_cancels_the_rest", a_terminated_pool_cancels_the_rest),
    ("who_ignores_the_request_is_killed", who_ignores_the_request_is_killed),
    ("ends_twice_are_ends", ends_twice_are_ends),
    ("workers_make_way_after_so_many_tasks", workers_make_way_after_so_many_tasks),
    ("a_forked_child_has_no_use_of_it", a_forked_child_has_no_use_of_it),
    ("a_worker_is_a_daemon", a_worker_is_a_daemon),
    ("a_pool_in_a_child", a_pool_in_a_child),
    ("a_pool_of_another_thread", a_pool_of_another_thread),
    ("an_initializer_that_fails_ends_the_pool", an_initializer_that_fails_ends_the_pool),
    ("a_callback_may_end_the_pool", a_callback_may_end_the_pool),
    ("a_start_that_fails_leaves_nothing", a_start_that_fails_leaves_nothing),
    ("a_pool_without_a_task_has_no_thread", a_pool_without_a_task_has_no_thread),
    ("who_joins_keeps_a_pool_without_a_task", who_joins_keeps_a_pool_without_a_task),
    ("a_pool_without_a_task_is_terminated", a_pool_without_a_task_is_terminated),
];

fn pid(_: ()) -> u32 {
    std::process::id()
}

fn park(_: u32) {
    loop {
        std::thread::park();
    }
}

fn a_closed_pool_runs_what_it_was_given() {
    with_each!(2, |pool| {
        let all: Vec<_> =
            (0_u32..50).map(|n| pool.apply_async(|n: u32| n + 1, n).unwrap()).collect();
        pool.close().unwrap();
        assert_eq!(pool.apply(|n: u32| n, 1), Err(Error::PoolNotRunning));
        assert_eq!(pool.map(|n: u32| n, 0..2, 1), Err(Error::PoolNotRunning));
        assert_eq!(pool.imap(|n: u32| n, 0..2, 1).err(), Some(Error::PoolNotRunning));
        pool.join(LIMIT).unwrap();
        for (n, result) in (0..).zip(all) {
            assert_eq!(result.get(Duration::ZERO), Ok(&(n + 1)));
        }
    });
}

fn a_terminated_pool_cancels_the_rest() {
    for pool in [Pool::fork(3).unwrap(), Pool::spawn(3).unwrap()] {
        let result = pool.map_async(park, 0..10_000, 1).unwrap();
        let mut results = pool.imap(park, 0..100, 1).unwrap();
        until("a task is begun", || pool.workers().unwrap()[0].busy_for.is_some());
        pool.terminate().unwrap();
        assert_eq!(results.next(), Some(Err(Error::Cancelled)));
        pool.join(LIMIT).unwrap();
        assert_eq!(result.get(Duration::ZERO), Err(Error::Cancelled));
        assert_eq!(pool.apply(pid, ()), Err(Error::PoolNotRunning));
    }
    let pool = ThreadPool::new(1).unwrap();
    let (go, gone) = std::sync::mpsc::channel::<()>();
    let gone = std::sync::Mutex::new(gone);
    let (begin, begun) = std::sync::mpsc::channel();
    let running = pool.apply_async(
        move |()| {
            begin.send(()).unwrap();
            gone.lock().unwrap().recv().is_err()
        },
        (),
    );
    begun.recv_timeout(LIMIT).unwrap();
    let waiting = pool.apply_async(pid, ()).unwrap();
    pool.terminate().unwrap();
    assert_eq!(waiting.get(Duration::ZERO), Err(Error::Cancelled));
    assert_eq!(pool.join(Duration::from_millis(5)), Err(Error::TimedOut));
    drop(go);
    pool.join(LIMIT).unwrap();
    assert_eq!(running.unwrap().get(Duration::ZERO), Ok(&true));
}

fn who_ignores_the_request_is_killed() {
    let pool = Pool::fork(1).unwrap();
    let held = pool.apply_async(
        |()| {
            // The worker is told by a signal; a stopped process does not hear it.
            let own = rustix::process::getpid();
            rustix::process::kill_process(own, rustix::process::Signal::STOP).unwrap();
        },
        (),
    );
    let stat = format!("/proc/{}/stat", pool.workers().unwrap()[0].pid);
    until("the worker stands still", || {
        std::fs::read_to_string(&stat).is_ok_and(|line| line.contains(") T "))
    });
    pool.terminate().unwrap();
    pool.join(LIMIT).unwrap();
    assert_eq!(held.unwrap().get(None), Err(Error::Cancelled));
}

fn ends_twice_are_ends() {
    with_each!(1, |pool| {
        pool.close().unwrap();
        pool.close().unwrap();
        pool.join(LIMIT).unwrap();
        pool.join(Duration::ZERO).unwrap();
        pool.terminate().unwrap();
        pool.terminate().unwrap();
        pool.close().unwrap();
        pool.join(Duration::ZERO).unwrap();
    });
}

fn workers_make_way_after_so_many_tasks() {
    let builder = || Builder::new().workers(1).tasks_per_worker(2);
    for pool in [builder().fork().unwrap(), builder().spawn().unwrap()] {
        let pids: Vec<u32> = (0..6).map(|_| pool.apply(pid, ()).unwrap()).collect();
        assert!(pids.chunks(2).all(|pair| pair[0] == pair[1]), "{pids:?}");
        assert!(pids[0] != pids[2] && pids[2] != pids[4], "{pids:?}");
        let all: Vec<_> = (0..20).map(|_| pool.apply_async(pid, ()).unwrap()).collect();
        pool.close().unwrap();
        pool.join(LIMIT).unwrap();
        assert!(all.iter().all(|result| result.get(Duration::ZERO).is_ok()));
    }
    let pool = builder().threads().unwrap();
    let ids = |_: u32| format!("{:?}", std::thread::current().id());
    let ids: Vec<String> = (0..6).map(|n| pool.apply(ids, n).unwrap()).collect();
    assert!(ids[0] == ids[1] && ids[0] != ids[2] && ids[2] == ids[3], "{ids:?}");
}

fn a_forked_child_has_no_use_of_it() {
    with_each!(2, |pool| {
        let result = pool.apply_async(pid, ()).unwrap();
        let mut several = pool.imap(|n: u32| n, 0..40, 2).unwrap();
        let child = Process::fork("heir", || -> Result<(), String> {
            let brief = Duration::from_millis(100);
            let told = [several.next_within(brief), several.next_within(brief)];
            if told != [Err(Error::NotTheOwner), Ok(None)] {
                return Err(format!("{told:?}"));
            }
            let answers = [
                pool.apply(pid, ()).err(),
                result.get(None).copied().err(),
                pool.close().err(),
                pool.terminate().err(),
                pool.join(None).err(),
            ];
            let all = answers.iter().all(|answer| *answer == Some(Error::NotTheOwner));
            if all { Ok(()) } else { Err(format!("{answers:?}")) }
        });
        assert_eq!(child.unwrap().join(LIMIT), Ok(ExitStatus::Code(0)));
        assert!(result.get(LIMIT).is_ok());
        let all: Result<Vec<u32>, Error> = several.collect();
        assert_eq!(all, Ok((0..40).collect()));
    });
}

fn a_worker_is_a_daemon() {
    for pool in [Pool::fork(1).unwrap(), Pool::spawn(1).unwrap()] {
        assert_eq!(pool.apply(|()| purlin_process::current().is_daemon(), ()), Ok(true));
        let nested = pool.apply(|()| Pool::fork(1).err().map(|error| error.kind().to_owned()), ());
        assert_eq!(nested, Ok(Some("daemon-may-not-have-children".into())));
        assert_eq!(
            pool.apply(|()| ThreadPool::new(2).unwrap().apply(|n: u8| n, 3).ok(), ()),
            Ok(Some(3))
        );
    }
}

fn a_pool_in_a_child() {
    let child = Process::fork("child", || -> Result<(), Error> {
        let pool = Pool::fork(4)?;
        assert_eq!(pool.map(|n: u64| n * n, 1..8, None)?, [1, 4, 9, 16, 25, 36, 49]);
        pool.close()?;
        pool.join(LIMIT)
    });
    assert_eq!(child.unwrap().join(LIMIT), Ok(ExitStatus::Code(0)));
}

fn a_pool_of_another_thread() {
    let made = std::thread::spawn(|| Pool::fork(2).unwrap());
    let pool = made.join().unwrap(); // workers stay though the thread that forked them has ended
    assert_eq!(pool.map(|n: u64| n * n, 1..4, 1), Ok(vec![1, 4, 9]));
    let same = &pool;
    std::thread::scope(|scope| {
        let all = [1_u64, 2, 3].map(|n| scope.spawn(move || same.apply(|n: u64| n + 1, n)));
        let all = all.map(|one| one.join().unwrap());
        assert_eq!(all, [Ok(2), Ok(3), Ok(4)]);
    });
}

fn an_initializer_that_fails_ends_the_pool() {
    let fails =
        || Builder::new().workers(2).initializer(|(), ()| panic!("a bad start"), (), ()).unwrap();
    let exits = || {
        let exit = |(), ()| purlin_process::exit(4);
        Builder::new().workers(2).initializer(exit, (), ()).unwrap()
    };
    for pool in [fails().fork().unwrap(), exits().fork().unwrap(), fails().spawn().unwrap()] {
        let lost = pool.apply_async(pid, ()).and_then(|result| result.into_value(LIMIT));
        let (message, status) = match lost {
            Err(Error::WorkersFail { message, status }) => (message, status),
            other => panic!("{other:?}"),
        };
        match status {
            ExitStatus::Code(1) => assert_eq!(message, "a bad start"),
            other => assert_eq!((message.as_str(), other), ("", ExitStatus::Code(4))),
        }
        assert!(matches!(pool.apply(pid, ()), Err(Error::WorkersFail { .. })));
        pool.terminate().unwrap();
        pool.join(LIMIT).unwrap();
    }
    let pool = fails().threads().unwrap();
    let lost = pool.apply_async(pid, ()).and_then(|result| result.into_value(LIMIT));
    assert!(matches!(lost, Err(Error::TaskFailed { .. })), "{lost:?}");
}

fn a_callback_may_end_the_pool() {
    with_each!(1, |pool| {
        let pool = std::sync::Arc::new(pool);
        let same = std::sync::Arc::clone(&pool);
        let ends = Callbacks::new().value(move |_: &u32| {
            same.terminate().unwrap();
            assert_eq!(same.join(LIMIT), Ok(()));
        });
        assert!(pool.apply_async_with(pid, (), ends).unwrap().get(LIMIT).is_ok());
        pool.join(LIMIT).unwrap();
        assert_eq!(pool.apply(pid, ()), Err(Error::PoolNotRunning));
    });
}

fn a_start_that_fails_leaves_nothing() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    // In a child, for the limit is the whole process's.
    let child = Process::fork("child", || -> Result<(), String> {
        let count = crate::bounded::descriptor_count() as u64;
        let before = getrlimit(Resource::Nofile);
        let few = Rlimit { current: Some(count + 60), maximum: before.maximum };
        setrlimit(Resource::Nofile, few).map_err(|errno| errno.to_string())?;
        let made = Pool::fork(100).err();
        let left = purlin_process::active_children().len();
        if made != Some(Error::OutOfResources) || left != 0 {
            return Err(format!("{made:?}, {left} children"));
        }
        Pool::fork(2)
            .and_then(|pool| pool.apply(pid, ()))
            .map(drop)
            .map_err(|error| error.to_string())
    });
    assert_eq!(child.unwrap().join(LIMIT), Ok(ExitStatus::Code(0)));
}

/// How many threads of this process are called so.
fn keeper_count() -> usize {
    let threads = std::fs::read_dir("/proc/self/task").expect("threads").flatten();
    let names = threads.filter_map(|one| std::fs::read_to_string(one.path().join("comm")).ok());
    names.filter(|name| name.trim() == "pool-keeper").count()
}

fn a_pool_without_a_task_has_no_thread() {
    let pool = Pool::fork(2).unwrap();
    assert_eq!(keeper_count(), 0);
    assert_eq!(pool.map(|n: u32| n, [], 1), Ok(Vec::new()));
    assert_eq!(keeper_count(), 0, "for nothing");
    pool.apply(pid, ()).unwrap();
    until("one is there", || keeper_count() == 1);
    drop(pool);
    assert_eq!(keeper_count(), 0);
    let builder = Builder::new().workers(2).initializer(|(), ()| (), (), ()).unwrap();
    let _pool = builder.fork().unwrap();
    until("one is there from the start", || keeper_count() == 1);
}

/// A pool without a task, and its worker, which stands still.
fn stopped() -> (Pool, Process) {
    let pool = Pool::fork(1).unwrap();
    let worker = purlin_process::active_children().pop().expect("a worker");
    worker.signal(rustix::process::Signal::STOP.as_raw()).unwrap();
    // A signal that comes before it stands would end it first.
    until("it stands still", || is_stopped(&worker));
    (pool, worker)
}

fn is_stopped(process: &Process) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.pid())).unwrap();
    stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T'))
}

fn who_joins_keeps_a_pool_without_a_task() {
    let (pool, worker) = stopped();
    pool.close().unwrap();
    assert_eq!(pool.join(Duration::ZERO), Err(Error::TimedOut));
    let pool = &pool;
    std::thread::scope(|scope| {
        let limits = [0, 1, 5, 10, 20].map(Duration::from_millis);
        let few = limits.map(|limit| scope.spawn(move || pool.join(limit)));
        let long = [LIMIT, LIMIT / 2].map(|limit| scope.spawn(move || pool.join(limit)));
        for few in few {
            assert_eq!(few.join().unwrap(), Err(Error::TimedOut));
        }
        worker.signal(rustix::process::Signal::CONT.as_raw()).unwrap();
        for long in long {
            assert_eq!(long.join().unwrap(), Ok(()));
        }
    });
    assert_eq!(pool.join(Duration::ZERO), Ok(()));
    assert_eq!(keeper_count(), 0);
}

fn a_pool_without_a_task_is_terminated() {
    let (pool, worker) = stopped();
    pool.terminate().unwrap();
    assert_eq!(worker.join(LIMIT), Ok(ExitStatus::Signal(9)), "nobody had to join the pool");
    pool.join(LIMIT).unwrap();
    drop(pool);
    let (pool, worker) = stopped();
    pool.close().unwrap();
    std::thread::scope(|scope| {
        let brief = scope.spawn(|| pool.join(Duration::from_millis(100)));
        pool.terminate().unwrap();
        let _ = brief.join().unwrap(); // it has kept the pool, or not
    });
    assert_eq!(worker.join(LIMIT), Ok(ExitStatus::Signal(9)), "who kept it has gone");
}
