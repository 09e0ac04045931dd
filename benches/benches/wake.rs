//! A sleeper: how soon it goes on when it is woken, beside a bare futex; and what it costs while
//! nobody wakes it.
//!
//! `PURLIN_BENCH_KILLS` says how many are woken of each kind.

use std::io;
use std::time::Duration;

use purlin_benches::sys::{BareFlag, BareLock, Kind, SharedMutex};
use purlin_benches::{Effort, Machine, percentile, wake_sleeper, wakes_a_second};
use purlin_sync::{Event, Lock, RLock, SLICE_NANOS};

/// What a wake may cost, in times of the bare futex.
const RATIO_LIMIT: f64 = 1.3;

/// What a sleeper may cost, in wake-ups a second.
const WAKES_LIMIT: f64 = 25.0;

type Wake = fn() -> io::Result<Duration>;

fn main() -> io::Result<()> {
    let effort = Effort::from_arguments();
    println!("{}", Machine::here());
    println!("from the call that wakes until the sleeper is out of its own; microseconds\n");
    let kinds: [(&str, Wake); 6] = [
        ("bare futex, a flag", bare_flag),
        ("bare futex, a lock", bare_lock),
        ("pthread mutex, shared", mutex),
        ("purlin Event", event),
        ("purlin Lock", lock),
        ("purlin RLock", rlock),
    ];
    let mut samples = vec![Vec::new(); kinds.len()];
    for _ in 0..effort.kill_count() {
        for ((_, wake), samples) in kinds.iter().zip(&mut samples) {
            samples.push(wake()?.as_secs_f64() * 1e6); // one of each in turn
        }
    }
    println!("{:24} {:>6} {:>9} {:>9} {:>9}", "", "wakes", "p50", "p90", "times");
    for ((name, _), own) in kinds.iter().zip(&samples) {
        let at = |percent| percentile(own, percent).unwrap_or(f64::NAN);
        let bare = &samples[usize::from(!matches!(*name, "bare futex, a flag" | "purlin Event"))];
        let ratio = at(50.0) / percentile(bare, 50.0).unwrap_or(f64::NAN);
        let (p50, p90, count) = (at(50.0), at(90.0), own.len());
        println!("{name:24} {count:6} {p50:9.2} {p90:9.2} {ratio:9.3}");
    }
    println!("\ntimes: the flag's for the event, the bare lock's for all others, medians;");
    println!("at most {RATIO_LIMIT} for purlin's\n");
    costs(effort)
}

fn costs(effort: Effort) -> io::Result<()> {
    let slice = Duration::from_nanos(SLICE_NANOS);
    let (before, length) = match effort {
        Effort::Glance => (Duration::ZERO, slice),
        Effort::Full => (10 * slice, 100 * slice),
    };
    let event = Event::new().map_err(io::Error::other)?;
    let by_event = wakes_a_second(|| sleep_on_event(&event), || event.set(), before, length)?;
    let lock = Lock::new().map_err(io::Error::other)?;
    lock.acquire(None).map_err(io::Error::other)?.keep();
    let release = || lock.release().expect("it is held");
    let by_lock = wakes_a_second(|| drop(sleep_on_lock(&lock)), release, before, length)?;
    println!("wake-ups a second of one that sleeps; at most {WAKES_LIMIT}\n");
    println!("purlin Event {by_event:6.1}\npurlin Lock  {by_lock:6.1}");
    Ok(())
}

fn sleep_on_event(event: &Event) {
    assert_eq!(event.wait(None), Ok(true));
}

fn sleep_on_lock(lock: &Lock) -> impl Drop {
    lock.acquire(None).and_then(|acquired| acquired.sound()).expect("it is released")
}

fn bare_flag() -> io::Result<Duration> {
    let flag = BareFlag::new()?;
    wake_sleeper(|| flag.wait(), || flag.set())
}

fn bare_lock() -> io::Result<Duration> {
    let lock = BareLock::new()?;
    lock.lock();
    let woken = wake_sleeper(|| lock.lock(), || lock.unlock());
    lock.unlock();
    woken
}

fn mutex() -> io::Result<Duration> {
    let mutex = SharedMutex::new(Kind::Normal)?;
    mutex.lock()?;
    let woken = wake_sleeper(
        || mutex.lock().expect("the mutex is sound"),
        || mutex.unlock().expect("the mutex is held"),
    );
    mutex.unlock()?; // a normal one does not mind by whom
    woken
}

fn event() -> io::Result<Duration> {
    let event = Event::new().map_err(io::Error::other)?;
    wake_sleeper(|| sleep_on_event(&event), || event.set())
}

fn lock() -> io::Result<Duration> {
    let lock = Lock::new().map_err(io::Error::other)?;
    lock.acquire(None).map_err(io::Error::other)?.keep();
    wake_sleeper(|| sleep_on_lock(&lock), || lock.release().expect("it is held"))
}

fn rlock() -> io::Result<Duration> {
    let lock = RLock::new().map_err(io::Error::other)?;
    lock.acquire(None).map_err(io::Error::other)?.keep();
    wake_sleeper(
        || lock.acquire(None).expect("it is released"),
        || lock.release().expect("it is held"),
    )
}
