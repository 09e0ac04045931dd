//! A segment that somebody overwrites at random while others use it: they may be told anything, but
//! they never crash, never read outside, and never wait beyond their deadlines.
//!
//! The long run:
//! `PURLIN_MUTATIONS=10000000 cargo test --release -p purlin-sync --test mutations`.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use purlin_process::{ExitStatus, Process};
use purlin_shm::{Object, Place, Segment, Shared};
use purlin_sync::{CheckedLock, Event, Exclusive, HandoverLock, Lock, RLock, Rules};

/// Without any progress for so long, the test says what it waited for.
const LIMIT: Duration = Duration::from_secs(60);

/// Unless the environment says another number.
const MUTATION_COUNT: u64 = 100_000;
const MUTATIONS_A_REPAIR: u64 = 20;
const USER_COUNT: usize = 3;
/// Every call of a user has this limit.
const CALL_LIMIT: Duration = Duration::from_micros(200);
/// Each user must go round so often meanwhile, and acquire so much, or nothing was tried.
const ROUNDS_A_USER: u64 = 200;

/// What the users have done, and whether they shall stop; outside of what is overwritten.
#[repr(C)]
struct Board {
    rounds: [AtomicU64; USER_COUNT],
    /// Locks that were acquired: what stands in the words was reached.
    acquired: AtomicU64,
    stop: AtomicU64,
}

// SAFETY: `repr(C)` and atomic integers, of which any bits are a valid value.
unsafe impl Shared for Board {}

impl Object for Board {
    const KIND: u16 = 907;
    const VERSION: u16 = 1;
    type Row = ();
}

/// Killed and collected when the test is over, however it ends.
struct User(Process);

impl Drop for User {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.join(LIMIT);
    }
}

/// The objects of the segment, by their offsets.
#[derive(Clone, Copy)]
struct Offsets {
    lock: u64,
    handover: u64,
    checked: u64,
    rlock: u64,
    event: u64,
}

impl Offsets {
    const fn all(self) -> [u64; 5] {
        [self.lock, self.handover, self.checked, self.rlock, self.event]
    }
}

#[test]
fn nothing_that_stands_in_a_segment_harms_those_who_use_it() {
    let wanted = std::env::var("PURLIN_MUTATIONS").ok().and_then(|text| text.parse().ok());
    let wanted = wanted.unwrap_or(MUTATION_COUNT);
    let segment = Segment::anonymous(1 << 16).expect("a segment");
    let offsets = Offsets {
        lock: Lock::new_in(&segment).expect("room").offset(),
        handover: HandoverLock::new_in(&segment).expect("room").offset(),
        checked: CheckedLock::new_in(&segment).expect("room").offset(),
        rlock: RLock::new_in(&segment).expect("room").offset(),
        event: Event::new_in(&segment).expect("room").offset(),
    };
    let sound = Sound::of(&segment, offsets);
    let board = Place::<Board>::new().expect("a board");
    let users: Vec<User> = (0..USER_COUNT).map(|at| user(at, &segment, &board, offsets)).collect();
    let file = File::from(segment.descriptor().try_clone_to_owned().expect("a descriptor"));
    let mut random = Random(wanted);
    let mut done = 0;
    let mut patience = Patience::new(&board);
    while done < wanted || !has_each_done(&board, ROUNDS_A_USER) {
        for _ in 0..MUTATIONS_A_REPAIR {
            mutate(&file, &mut random, offsets);
        }
        done += MUTATIONS_A_REPAIR;
        sound.repair(&file);
        patience.check(&board, &users);
    }
    // Relaxed: a number that they look at now and then.
    board.stop.store(1, Relaxed);
    for user in &users {
        assert_eq!(user.0.join(LIMIT), Ok(ExitStatus::Code(0)), "{}", user.0.name());
    }
    let rounds: Vec<u64> = board.rounds.iter().map(|count| count.load(Relaxed)).collect();
    let acquired = board.acquired.load(Relaxed);
    println!("{done} mutations, {acquired} acquired, rounds of the users: {rounds:?}");
    assert!(acquired >= ROUNDS_A_USER, "the words were hardly reached: {acquired}");
}

/// What is checked before a word is reached: repaired now and then, or nobody would get so far.
struct Sound(Vec<(u64, Vec<u8>)>);

impl Sound {
    fn of(segment: &Segment, offsets: Offsets) -> Self {
        let file = File::from(segment.descriptor().try_clone_to_owned().expect("a descriptor"));
        let objects = offsets.all();
        let places = [(0, 128)].into_iter().chain(objects.map(|object| (object, 16)));
        let read = |(at, len): (u64, usize)| {
            let mut bytes = vec![0; len];
            file.read_exact_at(&mut bytes, at).expect("a segment");
            (at, bytes)
        };
        Self(places.map(read).collect())
    }

    fn repair(&self, file: &File) {
        for (at, bytes) in &self.0 {
            file.write_all_at(bytes, *at).expect("a sealed file of this size");
        }
    }
}

/// Overwrites some bytes: of the header, of a slot, of an object or its header, or of anything.
fn mutate(file: &File, random: &mut Random, offsets: Offsets) {
    let size = 1 << random.below(4);
    let objects = offsets.all();
    let at = match random.below(8) {
        0 => random.below(256),
        1 => 256 + random.below(1024 * 24),
        2..6 => objects[random.below(5) as usize] + random.below(32),
        6 => 128 + random.below(16), // the arena's end, and the cursor
        _ => random.below(1 << 16),
    };
    let value = match random.below(4) {
        0 => 0,
        1 => u64::MAX,
        2 => random.below(1 << 12), // small: slots, sizes, kinds
        _ => random.next(),
    };
    file.write_all_at(&value.to_le_bytes()[..size as usize], at)
        .expect("a sealed file of this size");
}

fn user(at: usize, segment: &Segment, board: &Place<Board>, offsets: Offsets) -> User {
    let parent = std::process::id();
    let child = Process::fork(format!("user-{at}"), || {
        while board.stop.load(Relaxed) == 0 && std::os::unix::process::parent_id() == parent {
            round(segment, board, offsets);
            board.rounds[at].fetch_add(1, Relaxed);
        }
    });
    User(child.expect("a user"))
}

/// All that a user can do with a segment. Every answer is fine.
fn round(segment: &Segment, board: &Board, offsets: Offsets) {
    if let Ok(descriptor) = segment.descriptor().try_clone_to_owned()
        && let Ok(again) = Segment::from_descriptor(descriptor)
    {
        let _ = Place::<Board>::new_in(&again);
    }
    use_lock(board, Lock::open(segment, offsets.lock));
    use_lock(board, HandoverLock::open(segment, offsets.handover));
    use_lock(board, CheckedLock::open(segment, offsets.checked));
    use_lock(board, RLock::open(segment, offsets.rlock));
    if let Ok(event) = Event::open(segment, offsets.event) {
        let _ = event.wait(CALL_LIMIT);
        event.set();
        let _ = (event.is_set(), event.wait(CALL_LIMIT));
        event.clear();
    }
    let _ = Lock::open(segment, offsets.lock + 8);
    let _ = Lock::open(segment, u64::MAX - 127);
}

fn use_lock<R: Rules>(board: &Board, lock: Result<Exclusive<R>, purlin_sync::Error>) {
    let Ok(lock) = lock else { return };
    if let Ok(told) = lock.acquire(CALL_LIMIT) {
        board.acquired.fetch_add(1, Relaxed);
        drop(told.sound());
    }
    let _ = lock.acquire(CALL_LIMIT).map(|told| told.keep());
    let _ = lock.is_mine();
    let _ = lock.recover();
    let _ = lock.release();
    let _ = lock.try_acquire();
}

fn has_each_done(board: &Board, count: u64) -> bool {
    board.rounds.iter().all(|rounds| rounds.load(Relaxed) >= count)
}

/// Gives up on a user that does nothing any more.
struct Patience {
    seen: Vec<(u64, Instant)>,
}

impl Patience {
    fn new(board: &Board) -> Self {
        let now = Instant::now();
        Self { seen: board.rounds.iter().map(|rounds| (rounds.load(Relaxed), now)).collect() }
    }

    fn check(&mut self, board: &Board, users: &[User]) {
        for ((seen, since), (rounds, user)) in
            self.seen.iter_mut().zip(board.rounds.iter().zip(users))
        {
            let now = rounds.load(Relaxed);
            if now != *seen {
                (*seen, *since) = (now, Instant::now());
            }
            let status = user.0.try_join();
            assert_eq!(status, Err(purlin_process::Error::TimedOut), "{} ended", user.0.name());
            assert!(since.elapsed() < LIMIT, "{} waits beyond its deadlines", user.0.name());
        }
    }
}

/// Numbers that repeat for a seed (splitmix64: Steele, Lea and Flood, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}
