//! Workers that die, and owners.

use std::time::Duration;

use purlin_pool::{Callbacks, Error, Pool};
use purlin_process::{ExitStatus, Process, exit};
use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::CpuSet;

use crate::bounded::{LIMIT, Test, until};

pub(crate) const TESTS: &[Test] = &[
    ("a_task_that_ends_its_worker_is_lost", a_task_that_ends_its_worker_is_lost),
    ("a_killed_worker_costs_its_task", a_killed_worker_costs_its_task),
    ("idle_workers_that_are_killed_are_replaced", idle_workers_that_are_killed_are_replaced),
    ("workers_that_replace_others_are_as_the_first", workers_that_replace_others_are_as_the_first),
    ("workers_killed_before_the_first_task", workers_killed_before_the_first_task),
    ("a_stopped_worker_starves_nobody", a_stopped_worker_starves_nobody),
    ("a_map_with_a_lost_worker", a_map_with_a_lost_worker),
    (
        "a_closed_pool_ends_when_its_last_task_is_lost",
        a_closed_pool_ends_when_its_last_task_is_lost,
    ),
    ("workers_end_with_their_owner", workers_end_with_their_owner),
];

fn pid(_: u32) -> i32 {
    rustix::process::getpid().as_raw_pid()
}

fn kill(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).expect("positive"), signal).expect("it is ours");
}

fn park(_: u32) {
    std::fs::write("/proc/self/comm", PARKED).expect("a name");
    loop {
        std::thread::park();
    }
}

/// What a process is named that has begun to park.
const PARKED: &str = "parked";

fn is_parked(pid: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == PARKED)
}

fn a_task_that_ends_its_worker_is_lost() {
    for pool in [Pool::fork(1).unwrap(), Pool::spawn(1).unwrap()] {
        let lost = |status| Err(Error::WorkerLost(status));
        assert_eq!(pool.apply(|n: i32| exit(n) as (), 3), lost(ExitStatus::Code(3)));
        assert_eq!(pool.apply(|n: i32| exit(n) as (), 0), lost(ExitStatus::Code(0)));
        assert_eq!(pool.apply(|()| std::process::abort() as (), ()), lost(ExitStatus::Signal(6)));
        assert_eq!(pool.apply(|n: u32| n + 1, 1), Ok(2));
        pool.close().unwrap();
        pool.join(LIMIT).unwrap();
    }
}

fn a_killed_worker_costs_its_task() {
    for pool in [Pool::fork(2).unwrap(), Pool::spawn(2).unwrap()] {
        let (tell, told) = std::sync::mpsc::channel();
        let callbacks =
            Callbacks::new().error(move |error: &Error| tell.send(error.clone()).unwrap());
        let busy = pool.apply_async_with(park, 0, callbacks).unwrap();
        // Those that wait, behind it and elsewhere, are not affected.
        let others: Vec<_> = (0..20).map(|n| pool.apply_async(pid, n).unwrap()).collect();
        others.iter().for_each(|other| assert!(other.get(LIMIT).is_ok()));
        // Not before it has begun: it would be handed to the other one.
        let find = || pool.workers().unwrap().into_iter().find(|worker| is_parked(worker.pid));
        until("the task is begun", || find().is_some());
        let victim = find().expect("one is busy").pid;
        kill(victim, Signal::KILL);
        assert_eq!(busy.get(LIMIT), Err(Error::WorkerLost(ExitStatus::Signal(9))));
        assert_eq!(told.recv_timeout(LIMIT), Ok(Error::WorkerLost(ExitStatus::Signal(9))));
        until("it has been replaced", || pool.workers().unwrap().len() == 2);
        assert!(pool.workers().unwrap().iter().all(|worker| worker.pid != victim));
        assert!(pool.map(pid, 0..10, 1).is_ok());
    }
}

fn idle_workers_that_are_killed_are_replaced() {
    let pool = Pool::fork(3).unwrap();
    for _ in 0..3 {
        let before = pool.workers().unwrap();
        before.iter().for_each(|worker| kill(worker.pid, Signal::KILL));
        assert!(pool.apply(pid, 1).is_ok());
        until("all have been replaced", || {
            let now = pool.workers().unwrap();
            now.len() == 3 && now.iter().all(|one| before.iter().all(|other| other.pid != one.pid))
        });
    }
    pool.workers().unwrap().iter().for_each(|worker| kill(worker.pid, Signal::KILL));
    pool.terminate().unwrap();
    pool.join(LIMIT).unwrap();
}

/// The processors that the calling process may use.
fn processors(_: ()) -> String {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc");
    let line = status.lines().find(|line| line.starts_with("Cpus_allowed_list:"));
    line.expect("a line").to_owned()
}

fn workers_that_replace_others_are_as_the_first() {
    let own = rustix::thread::sched_getaffinity(None).unwrap();
    let Some(first) = (0..CpuSet::MAX_CPU).find(|number| own.is_set(*number)) else { return };
    if own.count() == 1 {
        return println!("not made: this process may use one processor");
    }
    let made = std::thread::spawn(move || {
        let mut one = CpuSet::new();
        one.set(first);
        rustix::thread::sched_setaffinity(None, &one).unwrap();
        Pool::fork(1).unwrap()
    });
    let pool = made.join().unwrap();
    let before = pool.apply(processors, ()).unwrap();
    let worker = pool.workers().unwrap()[0].pid;
    kill(worker, Signal::KILL);
    until("it has been replaced", || pool.workers().unwrap().iter().any(|one| one.pid != worker));
    assert_eq!(pool.apply(processors, ()), Ok(before.clone()));
    assert_ne!(processors(()), before);
}

fn workers_killed_before_the_first_task() {
    let kill_all = || {
        for worker in purlin_process::active_children() {
            worker.kill().unwrap();
            worker.join(LIMIT).unwrap(); // no keeper sees it
        }
    };
    let pool = Pool::fork(2).unwrap();
    kill_all();
    assert_eq!(pool.map(|n: u32| n + 1, 0..4, 1), Ok(vec![1, 2, 3, 4]));
    drop(pool);
    let pool = Pool::fork(2).unwrap();
    kill_all();
    pool.close().unwrap();
    assert_eq!(pool.join(None), Ok(()));
}

fn a_stopped_worker_starves_nobody() {
    let pool = Pool::fork(2).unwrap();
    let stopped = pool.workers().unwrap()[0].pid;
    kill(stopped, Signal::STOP);
    let all = pool.map(pid, 0..40, 1).expect("the other one does it all");
    assert!(all.iter().all(|pid| *pid != stopped));
    kill(stopped, Signal::CONT);
}

fn a_map_with_a_lost_worker() {
    let pool = Pool::fork(2).unwrap();
    let some = |n: u32| if n == 5 { exit(7) } else { n };
    assert_eq!(pool.map(some, 0..20, 1), Err(Error::WorkerLost(ExitStatus::Code(7))));
    let all: Vec<_> = pool.imap(some, 0..20, 1).unwrap().collect();
    let expected = |n| if n == 5 { Err(Error::WorkerLost(ExitStatus::Code(7))) } else { Ok(n) };
    assert_eq!(all, (0..20).map(expected).collect::<Vec<_>>());
    let chunks: Vec<_> = pool.imap(some, 0..20, 4).unwrap().collect();
    let expected = |n| if n / 4 == 1 { Err(Error::WorkerLost(ExitStatus::Code(7))) } else { Ok(n) };
    assert_eq!(chunks, (0..20).map(expected).collect::<Vec<_>>());
}

fn a_closed_pool_ends_when_its_last_task_is_lost() {
    for pool in [Pool::fork(2).unwrap(), Pool::spawn(2).unwrap()] {
        let lost = pool.apply_async(park, 0).unwrap();
        let find = || pool.workers().unwrap().into_iter().find(|worker| is_parked(worker.pid));
        until("the task is begun", || find().is_some());
        pool.close().unwrap();
        kill(find().expect("one is busy").pid, Signal::KILL);
        pool.join(LIMIT).unwrap();
        assert_eq!(lost.get(Duration::ZERO), Err(Error::WorkerLost(ExitStatus::Signal(9))));
    }
}

fn workers_end_with_their_owner() {
    let (mut ours, mut theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    use std::io::{Read, Write};
    ours.set_read_timeout(Some(LIMIT)).unwrap();
    let owner = Process::fork("owner", move || -> Result<(), String> {
        let pool = Pool::fork(3).map_err(|error| error.to_string())?;
        let _busy = pool.apply_async(park, 0);
        for worker in pool.workers().map_err(|error| error.to_string())? {
            theirs.write_all(&worker.pid.to_le_bytes()).map_err(|error| error.to_string())?;
        }
        park(0);
        Ok(())
    })
    .unwrap();
    let pids = [(); 3].map(|()| {
        let mut pid = [0; 4];
        ours.read_exact(&mut pid).unwrap();
        i32::from_le_bytes(pid)
    });
    owner.kill().unwrap();
    owner.join(LIMIT).unwrap();
    until("all three have ended", || {
        pids.iter().all(|pid| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
            stat.map_or(true, |line| line.contains(") Z ") || line.contains(") X "))
        })
    });
    let _ = Duration::ZERO;
}
