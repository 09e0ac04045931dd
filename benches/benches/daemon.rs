//! How soon a daemon is gone after its parent was killed, and a pool's workers after its owner.
//!
//! `PURLIN_BENCH_KILLS` says how many parents of each row are killed.

use std::any::Any;
use std::io::{self, PipeReader, PipeWriter, Read, Write, pipe};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use purlin_benches::{Effort, Machine, WAIT_LIMIT_NANOS, percentile};
use purlin_pool::Pool;
use purlin_process::{Builder, Process};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, getpid, pidfd_open, set_parent_process_death_signal,
};

/// Starts children, has their numbers said once they are what they are to be, and keeps them.
type Start = fn(PipeWriter) -> Box<dyn Any>;

/// How many workers a pool has here.
const WORKER_COUNT: usize = 2;

fn main() -> io::Result<()> {
    purlin_process::init();
    let kill_count = Effort::from_arguments().kill_count();
    println!("{}", Machine::here());
    println!("from the SIGKILL of a parent until its children are gone; milliseconds\n");
    println!("{:44} {:>6} {:>9} {:>9} {:>9}", "", "kills", "p50", "p99", "max");
    print_line("(the killed parent itself)", itself, 1, kill_count)?;
    print_line("purlin daemon, by fork", daemon_by_fork, 1, kill_count)?;
    print_line("purlin daemon, by spawn", daemon_by_spawn, 1, kill_count)?;
    print_line("child with PR_SET_PDEATHSIG", told_by_the_kernel, 1, kill_count)?;
    let count = WORKER_COUNT;
    print_line("purlin pool, both workers, by fork", pool_by_fork, count, kill_count)?;
    print_line("purlin pool, both workers, by spawn", pool_by_spawn, count, kill_count)
}

fn itself(report: PipeWriter) -> Box<dyn Any> {
    say(report, &[getpid().as_raw_pid()]);
    Box::new(())
}

fn daemon_by_fork(report: PipeWriter) -> Box<dyn Any> {
    kept(Builder::new().daemon(true).fork(move || say_and_wait(report) as ()))
}

fn daemon_by_spawn(report: PipeWriter) -> Box<dyn Any> {
    let function = |(), report: OwnedFd| say_and_wait(report.into()) as ();
    kept(Builder::new().daemon(true).spawn(function, (), OwnedFd::from(report)))
}

/// What does the same for the thread that started it, where no thread ends before its process.
fn told_by_the_kernel(report: PipeWriter) -> Box<dyn Any> {
    kept(Process::fork("told", move || {
        set_parent_process_death_signal(Some(Signal::KILL)).expect("it is asked for");
        say_and_wait(report) as ()
    }))
}

fn kept(child: Result<Process, purlin_process::Error>) -> Box<dyn Any> {
    Box::new(child.expect("a child"))
}

fn pool_by_fork(report: PipeWriter) -> Box<dyn Any> {
    used(Pool::fork(WORKER_COUNT).expect("a pool"), report)
}

fn pool_by_spawn(report: PipeWriter) -> Box<dyn Any> {
    used(Pool::spawn(WORKER_COUNT).expect("a pool"), report)
}

/// A pool whose workers have come to their loop: each has done something.
fn used(pool: Pool, report: PipeWriter) -> Box<dyn Any> {
    let workers = loop {
        let workers = pool.workers().expect("its own");
        if workers.iter().all(|worker| worker.done_count > 0) {
            break workers;
        }
        pool.map(|number: u32| number, 0..64, 1).expect("answers");
    };
    say(report, &workers.iter().map(|worker| worker.pid).collect::<Vec<_>>());
    Box::new(pool)
}

fn say_and_wait(report: PipeWriter) -> ! {
    say(report, &[getpid().as_raw_pid()]);
    loop {
        std::thread::park();
    }
}

fn say(mut report: PipeWriter, numbers: &[i32]) {
    for number in numbers {
        let _ = report.write_all(&number.to_ne_bytes()); // else nobody wants to know
    }
}

fn print_line(name: &str, start: Start, child_count: usize, kill_count: u32) -> io::Result<()> {
    let one = |_| kill_parent(start, child_count).map(|waited| waited.as_secs_f64() * 1e3);
    let samples = (0..kill_count).map(one).collect::<io::Result<Vec<f64>>>()?;
    let at = |percent| percentile(&samples, percent).unwrap_or(f64::NAN);
    println!("{name:44} {kill_count:6} {:9.3} {:9.3} {:9.3}", at(50.0), at(99.0), at(100.0));
    Ok(())
}

/// Kills a parent that has started children, and measures until the last of them has ended.
fn kill_parent(start: Start, child_count: usize) -> io::Result<Duration> {
    let (mut from_child, report) = pipe()?;
    let (until, release) = pipe()?; // its end ends the parent, should this process be killed
    let mut release = Some(release);
    let parent = Process::fork("parent", || {
        drop(release.take());
        be_parent(start, report, until)
    });
    let parent = parent.map_err(io::Error::other)?;
    let children = (0..child_count).map(|_| next_child(&mut from_child));
    let children = children.collect::<io::Result<Vec<_>>>()?;
    let killed = Instant::now();
    parent.kill().map_err(io::Error::other)?;
    children.iter().try_for_each(wait)?;
    let waited = killed.elapsed();
    parent.join(None).map_err(io::Error::other)?;
    Ok(waited)
}

/// The one whose number comes next.
fn next_child(from: &mut PipeReader) -> io::Result<OwnedFd> {
    let mut number = [0; size_of::<i32>()];
    from.read_exact(&mut number)?;
    let child = Pid::from_raw(i32::from_ne_bytes(number)).ok_or(io::ErrorKind::InvalidData)?;
    Ok(pidfd_open(child, PidfdFlags::empty())?)
}

fn wait(child: &OwnedFd) -> io::Result<()> {
    let limit = Duration::from_nanos(WAIT_LIMIT_NANOS);
    let limit = Timespec::try_from(limit).map_err(io::Error::other)?;
    match poll(&mut [PollFd::new(child, PollFlags::IN)], Some(&limit))? {
        0 => Err(io::ErrorKind::TimedOut.into()),
        _ => Ok(()),
    }
}

fn be_parent(start: Start, report: PipeWriter, mut until: PipeReader) {
    let _children = start(report);
    let _ = until.read(&mut [0]); // its end says as much
}
