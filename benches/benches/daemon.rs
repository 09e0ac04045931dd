//! How soon a daemon is gone after its parent was killed.
//!
//! `PURLIN_BENCH_KILLS` says how many parents of each row are killed.

use std::io::{self, PipeReader, PipeWriter, Read, Write, pipe};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use purlin_benches::{Effort, Machine, WAIT_LIMIT_NANOS, percentile};
use purlin_process::{Builder, Process};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, getpid, pidfd_open, set_parent_process_death_signal,
};

/// Starts a child that says its number once it is what it is to be, and then waits for ever.
type Start = fn(PipeWriter) -> Result<Process, purlin_process::Error>;

fn main() -> io::Result<()> {
    purlin_process::init();
    let kill_count = Effort::from_arguments().kill_count();
    println!("{}", Machine::here());
    println!("from the SIGKILL of a parent until its child is gone; milliseconds\n");
    println!("{:44} {:>6} {:>9} {:>9} {:>9}", "", "kills", "p50", "p99", "max");
    print_line("(the killed parent itself)", None, kill_count)?;
    print_line("purlin daemon, by fork", Some(daemon_by_fork), kill_count)?;
    print_line("purlin daemon, by spawn", Some(daemon_by_spawn), kill_count)?;
    print_line("child with PR_SET_PDEATHSIG", Some(told_by_the_kernel), kill_count)
}

fn daemon_by_fork(report: PipeWriter) -> Result<Process, purlin_process::Error> {
    Builder::new().daemon(true).fork(move || say_and_wait(report) as ())
}

fn daemon_by_spawn(report: PipeWriter) -> Result<Process, purlin_process::Error> {
    let function = |(), report: OwnedFd| say_and_wait(report.into()) as ();
    Builder::new().daemon(true).spawn(function, (), OwnedFd::from(report))
}

/// What does the same for the thread that started it, where no thread ends before its process.
fn told_by_the_kernel(report: PipeWriter) -> Result<Process, purlin_process::Error> {
    Process::fork("told", move || {
        set_parent_process_death_signal(Some(Signal::KILL)).expect("it is asked for");
        say_and_wait(report) as ()
    })
}

fn say_and_wait(mut report: PipeWriter) -> ! {
    let _ = report.write_all(&getpid().as_raw_pid().to_ne_bytes()); // else nobody wants to know
    loop {
        std::thread::park();
    }
}

fn print_line(name: &str, start: Option<Start>, kill_count: u32) -> io::Result<()> {
    let one = |_| kill_parent(start).map(|waited| waited.as_secs_f64() * 1e3);
    let samples = (0..kill_count).map(one).collect::<io::Result<Vec<f64>>>()?;
    let at = |percent| percentile(&samples, percent).unwrap_or(f64::NAN);
    println!("{name:44} {kill_count:6} {:9.3} {:9.3} {:9.3}", at(50.0), at(99.0), at(100.0));
    Ok(())
}

/// Kills a parent that has started a child, and measures until that child, or without one the
/// parent, has ended.
fn kill_parent(start: Option<Start>) -> io::Result<Duration> {
    let (mut from_child, report) = pipe()?;
    let (until, release) = pipe()?; // its end ends the parent, should this process be killed
    let mut release = Some(release);
    let parent = Process::fork("parent", || {
        drop(release.take());
        be_parent(start, report, until)
    });
    let parent = parent.map_err(io::Error::other)?;
    let mut number = [0; size_of::<i32>()];
    from_child.read_exact(&mut number)?;
    let child = Pid::from_raw(i32::from_ne_bytes(number)).ok_or(io::ErrorKind::InvalidData)?;
    let child = pidfd_open(child, PidfdFlags::empty())?;
    let killed = Instant::now();
    parent.kill().map_err(io::Error::other)?;
    let limit = Duration::from_nanos(WAIT_LIMIT_NANOS);
    let limit = Timespec::try_from(limit).map_err(io::Error::other)?;
    let ended = poll(&mut [PollFd::new(&child, PollFlags::IN)], Some(&limit))?;
    let waited = killed.elapsed();
    parent.join(None).map_err(io::Error::other)?;
    if ended > 0 { Ok(waited) } else { Err(io::ErrorKind::TimedOut.into()) }
}

fn be_parent(start: Option<Start>, mut report: PipeWriter, mut until: PipeReader) {
    let own = getpid().as_raw_pid().to_ne_bytes();
    let _child = match start {
        Some(start) => Some(start(report).expect("a child")),
        None => {
            report.write_all(&own).expect("somebody reads");
            None
        }
    };
    let _ = until.read(&mut [0]); // its end says as much
}
