//! Taking a free lock and giving it back, beside pthread's mutexes; then the same with a rival.

use std::time::Duration;

use criterion::Criterion;
use purlin_benches::sys::{BareLock, Kind, SharedMutex, SharedSemaphore};
use purlin_benches::{
    Actors, Contender, ContentionTable, Effort, Machine, Pair, PurlinLock, RIVAL_COUNT,
    RIVALS_MAX_COUNT, Rivals, Rounds, StdMutex, Table,
};
use purlin_sync::{CheckedLock, HandoverLock, Lock, RLock};

const FIRST: &str = "pthread, shared";
const OURS: &str = "purlin Lock";
const HANDOVER: &str = "purlin HandoverLock";
const CHECKED: &str = "purlin CheckedLock";
const RLOCK: &str = "purlin RLock";
const ROBUST: &str = "pthread, shared and robust";
const STD: &str = "std Mutex (one process only)";

/// What the lock may cost, in times of the first.
const RATIO_LIMIT: f64 = 1.10;

/// What the recursive lock may cost, in times of the lock.
const RLOCK_LIMIT: f64 = 1.30;

fn main() {
    let effort = Effort::from_arguments();
    println!("{}", Machine::here());
    let mut contenders = contenders();
    println!("acquire + release, free, one process\n");
    let table = Rounds::of(effort).run(&mut contenders);
    println!("{table}\n");
    judge(&table);
    rivals(effort, Actors::Threads, RIVAL_COUNT, "two threads");
    rivals(effort, Actors::Processes, RIVAL_COUNT, "two processes");
    rivals(effort, Actors::Processes, RIVALS_MAX_COUNT, "eight processes");
    if effort == Effort::Full {
        criterion(&mut contenders);
    }
}

fn contenders() -> Vec<Contender<'static>> {
    vec![
        contender(FIRST, SharedMutex::new(Kind::Normal)),
        contender(OURS, Lock::new().map(PurlinLock)),
        contender(HANDOVER, HandoverLock::new().map(PurlinLock)),
        contender(CHECKED, CheckedLock::new().map(PurlinLock)),
        contender(RLOCK, RLock::new().map(PurlinLock)),
        contender("purlin RLock, held already", held_rlock().map(PurlinLock)),
        contender("pthread, shared and recursive", SharedMutex::new(Kind::Recursive)),
        contender("pthread, recursive, held already", held_mutex()),
        contender("pthread, shared and checking", SharedMutex::new(Kind::Checking)),
        contender(ROBUST, SharedMutex::new(Kind::Robust)),
        contender("pthread, shared and adaptive", SharedMutex::new(Kind::Adaptive)),
        contender("sem_t of one, shared", SharedSemaphore::new()),
        contender("bare futex of three states", BareLock::new()),
        contender::<_, String>(STD, Ok(StdMutex::default())),
    ]
}

/// Held by this thread for good: each pair goes one level deeper and back.
fn held_rlock() -> Result<RLock, purlin_sync::Error> {
    let lock = RLock::new()?;
    lock.acquire(None)?.keep();
    Ok(lock)
}

/// As [`held_rlock`].
fn held_mutex() -> std::io::Result<SharedMutex> {
    let mutex = SharedMutex::new(Kind::Recursive)?;
    mutex.lock()?;
    Ok(mutex)
}

/// What is asked of the lock, beside what it does.
fn judge(table: &Table) {
    let (Some(ours), Some(robust)) = (table.ratio(OURS), table.ratio(ROBUST)) else { return };
    let verdict = |is_kept| if is_kept { "kept" } else { "NOT KEPT" };
    let limit = RATIO_LIMIT;
    println!("at most {limit:.2} times pthread's: {} ({ours:.3})", verdict(ours <= limit));
    println!("faster than the robust one: {} ({ours:.3} < {robust:.3})", verdict(ours < robust));
    if let Some(rlock) = table.ratio(RLOCK).map(|rlock| rlock / ours) {
        let is_kept = verdict(rlock <= RLOCK_LIMIT);
        println!("RLock at most {RLOCK_LIMIT:.2} times the Lock: {is_kept} ({rlock:.3})");
    }
    println!();
}

fn rivals(effort: Effort, actors: Actors, count: u32, who: &str) {
    let so_many = (actors, count);
    let mut rivals = vec![
        rival(FIRST, so_many, SharedMutex::new(Kind::Normal)),
        rival(OURS, so_many, Lock::new().map(PurlinLock)),
        rival(RLOCK, so_many, RLock::new().map(PurlinLock)),
        rival(ROBUST, so_many, SharedMutex::new(Kind::Robust)),
        rival("pthread, shared and adaptive", so_many, SharedMutex::new(Kind::Adaptive)),
        rival("bare futex of three states", so_many, BareLock::new()),
        rival("sem_t of one, shared", so_many, SharedSemaphore::new()),
        match actors {
            Actors::Threads => rival::<_, String>(STD, so_many, Ok(StdMutex::default())),
            Actors::Processes => Rivals::absent(STD, "it is of one process"),
        },
    ];
    println!("acquire + release, {who} at once, all the time\n");
    println!("{}\n", ContentionTable::measure(effort, &mut rivals));
}

fn rival<P: Pair + Sync + 'static, E: std::fmt::Display>(
    name: &str,
    (actors, count): (Actors, u32),
    pair: Result<P, E>,
) -> Rivals<'static> {
    match pair {
        Ok(pair) => Rivals::present(name, actors, count, pair),
        Err(error) => Rivals::absent(name, error),
    }
}

fn contender<P: Pair + 'static, E: std::fmt::Display>(
    name: &str,
    pair: Result<P, E>,
) -> Contender<'static> {
    match pair {
        Ok(pair) => Contender::present(name, move || pair.with(|| ())),
        Err(error) => Contender::absent(name, error),
    }
}

fn criterion(contenders: &mut [Contender<'_>]) {
    let mut criterion = Criterion::default().without_plots().configure_from_args();
    let mut group = criterion.benchmark_group("lock pair");
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    for contender in contenders {
        let name = contender.name().to_owned();
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|iterations| contender.time(iterations).unwrap_or_default());
        });
    }
    group.finish();
    criterion.final_summary();
}
