//! Segments with names under processes that race and are killed. A program of its own, for a fork
//! makes a child that lives in all its parent has.
//!
//! `PURLIN_OPERATIONS=100000 cargo test --release -p purlin-shm --test named_race` is the long run.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use purlin_process::Process;
use purlin_shm::{Error, Name, Object, Place, Segment, Shared};

/// After this long without any operation a test says what it waited for.
const LIMIT: Duration = Duration::from_secs(60);

/// Creations, openings and collections, unless the environment says another number.
const OPERATION_COUNT: u64 = 3000;
const WORKER_COUNT: usize = 4;
/// Few names, so that they meet.
const NAME_COUNT: u64 = 3;
/// What a worker has done when the next one is killed, about.
const OPERATIONS_A_KILL: u64 = 40;

/// What the workers have in common.
#[repr(C)]
struct Board {
    done: AtomicU64,
    created: AtomicU64,
    opened: AtomicU64,
    collected: AtomicU64,
    /// A living segment whose name was gone, or led to another.
    lost: AtomicU64,
    /// Answers that nobody can explain.
    wrong: AtomicU64,
}

// SAFETY: `repr(C)` and atomic integers, of which any bits are a valid value.
unsafe impl Shared for Board {}

impl Object for Board {
    const KIND: u16 = 904;
    const VERSION: u16 = 1;
    type Row = ();
}

/// Killed and collected when the test is over, however it ends.
struct Worker(Process);

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.join(LIMIT);
    }
}

/// The names of this run, which are gone when it ends, however it ends.
struct Names(Vec<Name>);

impl Drop for Names {
    fn drop(&mut self) {
        for name in &self.0 {
            let _ = name.unlink();
        }
    }
}

#[test]
fn no_living_segment_is_lost_and_no_dead_one_is_left() {
    let wanted = std::env::var("PURLIN_OPERATIONS").ok().and_then(|text| text.parse().ok());
    let wanted = wanted.unwrap_or(OPERATION_COUNT);
    let names = own_names();
    let board = Place::<Board>::new().expect("a board");
    let mut workers: Vec<Worker> =
        (0..WORKER_COUNT as u64).map(|seed| worker(seed, &names, &board)).collect();
    let mut killed_count = 0;
    while board.done.load(Relaxed) < wanted {
        wait_for(&board, (killed_count + 1) * OPERATIONS_A_KILL);
        let place = killed_count as usize % WORKER_COUNT;
        workers[place] = worker(WORKER_COUNT as u64 + killed_count, &names, &board);
        killed_count += 1; // the one that stood there was dropped, and so killed
    }
    drop(workers);
    println!(
        "{} operations, {killed_count} killed: {} created, {} opened, {} collected",
        board.done.load(Relaxed),
        board.created.load(Relaxed),
        board.opened.load(Relaxed),
        board.collected.load(Relaxed),
    );
    assert_eq!((board.lost.load(Relaxed), board.wrong.load(Relaxed)), (0, 0));
    for count in [&board.created, &board.opened, &board.collected] {
        assert!(count.load(Relaxed) > 0, "nothing happened");
    }
    purlin_shm::collect(|name| names.0.contains(name)).expect("a collection");
    for name in &names.0 {
        assert_eq!(Segment::open(name).unwrap_err(), Error::NoSuchName, "{name} is left");
    }
}

fn own_names() -> Names {
    let pid = std::process::id();
    let name = |place| Name::new(&format!("test-race-{pid}-{place}")).expect("a name");
    Names((0..NAME_COUNT).map(name).collect())
}

fn wait_for(board: &Board, done_count: u64) {
    let (mut begin, mut before) = (Instant::now(), 0);
    loop {
        let now = board.done.load(Relaxed);
        if now >= done_count {
            return;
        }
        if now != before {
            (begin, before) = (Instant::now(), now);
        }
        assert!(begin.elapsed() < LIMIT, "nobody did anything after {now} operations");
        std::thread::yield_now();
    }
}

/// A process that makes, opens and collects until it is killed.
fn worker(seed: u64, names: &Names, board: &Place<Board>) -> Worker {
    let parent = std::process::id();
    let child = Process::fork("worker", || {
        let mut random = Random(seed);
        let mut held: Option<(usize, Segment)> = None;
        // A test that is killed itself leaves an orphan, which ends here.
        while std::os::unix::process::parent_id() == parent {
            step(&mut random, &names.0, board, &mut held);
            board.done.fetch_add(1, Relaxed);
        }
    });
    Worker(child.expect("a worker"))
}

fn step(random: &mut Random, names: &[Name], board: &Board, held: &mut Option<(usize, Segment)>) {
    let place = random.below(NAME_COUNT) as usize;
    let name = &names[place];
    match random.below(8) {
        0..3 => match Segment::create(name, 4096) {
            Ok(segment) => {
                board.created.fetch_add(1, Relaxed);
                *held = Some((place, segment));
            }
            Err(Error::AlreadyExists) => {}
            Err(other) => wrong(board, "create", other),
        },
        3..5 => match Segment::open(name) {
            Ok(segment) => {
                board.opened.fetch_add(1, Relaxed);
                *held = Some((place, segment));
            }
            Err(Error::NoSuchName) => {}
            Err(other) => wrong(board, "open", other),
        },
        5 => match name.collect() {
            Ok(true) => {
                board.collected.fetch_add(1, Relaxed);
            }
            Ok(false) => {}
            Err(other) => wrong(board, "collect", other),
        },
        6 => *held = None,
        _ => check(names, board, held.as_ref()),
    }
}

/// Nobody takes the name of a living segment away, so it still leads to the one that is held.
fn check(names: &[Name], board: &Board, held: Option<&(usize, Segment)>) {
    let Some((place, segment)) = held else { return };
    let is_same = |other: &Segment| {
        let file = |segment: &Segment| rustix::fs::fstat(segment.descriptor()).map(|s| s.st_ino);
        file(other) == file(segment)
    };
    match Segment::open(&names[*place]) {
        Ok(other) if is_same(&other) => {}
        answer => {
            eprintln!("a living segment was lost: {answer:?}");
            board.lost.fetch_add(1, Relaxed);
        }
    }
}

fn wrong(board: &Board, what: &str, error: Error) {
    eprintln!("{what}: {error}");
    board.wrong.fetch_add(1, Relaxed);
}

/// Numbers that repeat for a seed (splitmix64, see the header's check).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % end
    }
}
