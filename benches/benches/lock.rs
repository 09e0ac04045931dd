//! Taking a free lock and giving it back, beside pthread's mutexes; then the same with a rival.

use std::time::Duration;

use criterion::Criterion;
use purlin_benches::sys::{Kind, SharedMutex, SharedSemaphore};
use purlin_benches::{
    Actors, Contender, ContentionTable, Effort, Machine, Pair, PurlinLock, Rivals, Rounds,
    StdMutex, Table,
};
use purlin_sync::{CheckedLock, HandoverLock, Lock};

const FIRST: &str = "pthread, shared";
const OURS: &str = "purlin Lock";
const HANDOVER: &str = "purlin HandoverLock";
const CHECKED: &str = "purlin CheckedLock";
const ROBUST: &str = "pthread, shared and robust";
const STD: &str = "std Mutex (one process only)";

/// What the lock may cost, in times of the first.
const RATIO_LIMIT: f64 = 1.10;

fn main() {
    let effort = Effort::from_arguments();
    println!("{}", Machine::here());
    let mut contenders = contenders();
    println!("acquire + release, free, one process\n");
    let table = Rounds::of(effort).run(&mut contenders);
    println!("{table}\n");
    judge(&table);
    rivals(effort, Actors::Threads, "two threads");
    rivals(effort, Actors::Processes, "two processes");
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
        contender("pthread, shared and checking", SharedMutex::new(Kind::Checking)),
        contender(ROBUST, SharedMutex::new(Kind::Robust)),
        contender("pthread, shared and adaptive", SharedMutex::new(Kind::Adaptive)),
        contender("sem_t of one, shared", SharedSemaphore::new()),
        contender::<_, String>(STD, Ok(StdMutex::default())),
    ]
}

/// What is asked of the lock, beside what it does.
fn judge(table: &Table) {
    let (Some(ours), Some(robust)) = (table.ratio(OURS), table.ratio(ROBUST)) else { return };
    let verdict = |is_kept| if is_kept { "kept" } else { "NOT KEPT" };
    let limit = RATIO_LIMIT;
    println!("at most {limit:.2} times pthread's: {} ({ours:.3})", verdict(ours <= limit));
    println!("faster than the robust one: {} ({ours:.3} < {robust:.3})\n", verdict(ours < robust));
}

fn rivals(effort: Effort, actors: Actors, who: &str) {
    let mut rivals = vec![
        rival(FIRST, actors, SharedMutex::new(Kind::Normal)),
        rival(OURS, actors, Lock::new().map(PurlinLock)),
        rival(ROBUST, actors, SharedMutex::new(Kind::Robust)),
        rival("pthread, shared and adaptive", actors, SharedMutex::new(Kind::Adaptive)),
        rival("sem_t of one, shared", actors, SharedSemaphore::new()),
        match actors {
            Actors::Threads => rival::<_, String>(STD, actors, Ok(StdMutex::default())),
            Actors::Processes => Rivals::absent(STD, "it is of one process"),
        },
    ];
    println!("acquire + release, {who} at once, all the time\n");
    println!("{}\n", ContentionTable::measure(effort, &mut rivals));
}

fn rival<P: Pair + Sync + 'static, E: std::fmt::Display>(
    name: &str,
    actors: Actors,
    pair: Result<P, E>,
) -> Rivals<'static> {
    match pair {
        Ok(pair) => Rivals::present(name, actors, pair),
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
