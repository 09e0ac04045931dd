//! How long after a holder's death the next one has the lock.
//!
//! `PURLIN_BENCH_KILLS` says how many holders of each scenario are killed.

use std::io;
use std::time::Duration;

use purlin_benches::sys::{Kind, SharedMutex, adopt_orphans};
use purlin_benches::{Effort, Machine, Mortal, Survivor, kill_holder, percentile, unseen_death};
use purlin_sync::{DEATH_UNSEEN_NANOS, Lock, SLICE_NANOS};

const SLICE: Duration = Duration::from_nanos(SLICE_NANOS);

/// A wait begins with short slices, which double. After this time they have their full length, and
/// the survivor's wait for the next look is the longest there is.
const FULL_SLICES_AFTER: Duration = Duration::from_nanos(2 * SLICE_NANOS);

fn main() -> io::Result<()> {
    let kill_count = Effort::from_arguments().kill_count();
    println!("{}", Machine::here());
    println!("from the SIGKILL of a holder until the survivor holds; milliseconds\n");
    println!("{:52} {:>6} {:>9} {:>9} {:>9}", "", "kills", "p50", "p99", "max");
    adopt_orphans()?;

    let lock = Lock::new().map_err(io::Error::other)?;
    let asleep = Survivor::Asleep { since: FULL_SLICES_AFTER };
    let line = |name, survivor, heir| print_line(name, &lock, survivor, heir, kill_count);
    line("(the kernel's teardown alone)", Survivor::Nobody, false)?;
    line("purlin Lock, arriving after the kill", Survivor::Arriving, false)?;
    line("purlin Lock, long asleep", asleep, false)?;
    line("purlin Lock, second opinion, arriving", Survivor::Arriving, true)?;
    line("purlin Lock, second opinion, long asleep", asleep, true)?;

    let robust = SharedMutex::new(Kind::Robust)?;
    let line = |name, survivor| print_line(name, &robust, survivor, false, kill_count);
    line("pthread, shared and robust, arriving", Survivor::Arriving)?;
    line("pthread, shared and robust, asleep", Survivor::Asleep { since: Duration::ZERO })?;

    print_unseen(&lock, kill_count * UNSEEN_FACTOR)?;
    println!(
        "\na slice is at most {} ms; promised: the kernel's teardown and",
        SLICE_NANOS / 1_000_000
    );
    println!("one slice, two where a second opinion is needed");
    Ok(())
}

/// How many are killed for the quickest of all deaths, for one of another table: it is the least
/// that matters, and each takes no more than a millisecond.
const UNSEEN_FACTOR: u32 = 50;

/// How long a death cannot be seen, beside what a barrier counts on.
fn print_unseen(lock: &Lock, kill_count: u32) -> io::Result<()> {
    let one = |_| unseen_death(lock).map(|unseen| unseen.as_secs_f64() * 1e6);
    let samples = (0..kill_count).map(one).collect::<io::Result<Vec<f64>>>()?;
    let at = |percent| percentile(&samples, percent).unwrap_or(f64::NAN);
    let (least, p1, p50) = (at(0.0), at(1.0), at(50.0));
    println!("\nfrom the last instruction of who is killed until it can be seen; microseconds");
    println!("of {kill_count}: least {least:.1}, p1 {p1:.1}, p50 {p50:.1}");
    let counted_on = DEATH_UNSEEN_NANOS as f64 / 1e3;
    let verdict = if least >= counted_on { "kept" } else { "NOT KEPT" };
    println!("a barrier counts on {counted_on:.1} at least: {verdict}");
    Ok(())
}

/// One scenario, the sleeper's phase spread evenly over a slice.
fn print_line(
    name: &str,
    what: &impl Mortal,
    survivor: Survivor,
    heir: bool,
    kill_count: u32,
) -> io::Result<()> {
    let one = |kill: u32| {
        let survivor = match survivor {
            Survivor::Asleep { since } => {
                let part = f64::from(kill) / f64::from(kill_count);
                Survivor::Asleep { since: since + SLICE.mul_f64(part) }
            }
            other => other,
        };
        kill_holder(what, survivor, heir).map(|waited| waited.as_secs_f64() * 1e3)
    };
    let samples = (0..kill_count).map(one).collect::<io::Result<Vec<f64>>>()?;
    let at = |percent| percentile(&samples, percent).unwrap_or(f64::NAN);
    let (p50, p99, max) = (at(50.0), at(99.0), at(100.0));
    println!("{name:52} {kill_count:6} {p50:9.3} {p99:9.3} {max:9.3}");
    Ok(())
}
