//! What is promised of a semaphore whose units have owners.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Child, LIMIT, Signal, idle};
use purlin_shm::Segment;
use purlin_sync::{Error, Permit, TRACKED_UNITS_MAX, Told, TrackedSemaphore};

fn new(units: u32) -> TrackedSemaphore {
    TrackedSemaphore::new(units).unwrap()
}

/// What a caller with a limit is told.
fn told(semaphore: &TrackedSemaphore) -> Result<Told, Error> {
    let permit = semaphore.acquire(LIMIT)?;
    let told = permit.told();
    permit.keep();
    Ok(told)
}

/// What a caller that does not wait is told.
fn told_at_once(semaphore: &TrackedSemaphore) -> Result<Told, Error> {
    let permit = semaphore.try_acquire()?;
    let told = permit.told();
    permit.keep();
    Ok(told)
}

/// A child that has taken so many units, has them, and idles.
fn holder(semaphore: &TrackedSemaphore, count: usize) -> Child {
    let holds = Signal::new();
    let child = Child::run("holder", || {
        let taken = (0..count).filter(|_| told(semaphore).is_ok());
        holds.tell(taken.count() as u32);
        idle()
    });
    assert_eq!(holds.hear("the holder to hold"), count as u32);
    child
}

#[test]
fn a_dead_owners_units_come_back_and_each_is_told_once() {
    // shows: semaphore-tracked-units-return
    let semaphore = new(2);
    let held = holder(&semaphore, 2);
    let waiter = Child::run("waiter", || {
        let answer = told(&semaphore);
        let given = semaphore.release(); // the test counts units
        i32::from(answer != Ok(Told::OwnerDied) || given.is_err())
    });
    waiter.sleeps_on_a_word();
    held.kill();
    waiter.succeed();
    let answers = [told_at_once(&semaphore), told_at_once(&semaphore)];
    assert!(answers.contains(&Ok(Told::Held)) && answers.contains(&Ok(Told::OwnerDied)));
    assert_eq!(told_at_once(&semaphore), Err(Error::TimedOut));
    semaphore.release_many(2).unwrap();
    assert_eq!(told_at_once(&semaphore), Ok(Told::Held));
    assert_eq!(told_at_once(&semaphore), Ok(Told::Held));
}

#[test]
fn a_try_takes_over_from_a_dead_owner() {
    let semaphore = new(1);
    let held = holder(&semaphore, 1);
    assert_eq!(told_at_once(&semaphore), Err(Error::TimedOut));
    held.kill();
    assert_eq!(told_at_once(&semaphore), Ok(Told::OwnerDied));
}

#[test]
fn who_takes_over_and_dies_is_taken_over_in_turn() {
    let semaphore = new(3);
    for _ in 0..5 {
        holder(&semaphore, 3).kill();
    }
    for _ in 0..3 {
        assert_eq!(told(&semaphore), Ok(Told::OwnerDied));
    }
    assert_eq!(told_at_once(&semaphore), Err(Error::TimedOut));
}

#[test]
fn units_of_the_living_stay_while_those_of_the_dead_return() {
    let semaphore = new(300); // more than one look remembers, in a row of several lines
    let living: Vec<Child> = (0..8).map(|_| holder(&semaphore, 30)).collect();
    let dead: Vec<Child> = (0..2).map(|_| holder(&semaphore, 30)).collect();
    assert_eq!(semaphore.value(), 0);
    assert_eq!(told_at_once(&semaphore), Err(Error::TimedOut));
    dead.iter().for_each(Child::kill);
    for _ in 0..60 {
        assert_eq!(told(&semaphore), Ok(Told::OwnerDied));
    }
    assert_eq!(told_at_once(&semaphore), Err(Error::TimedOut));
    drop(living);
    assert_eq!(told_at_once(&semaphore), Ok(Told::OwnerDied));
}

#[test]
fn only_the_owner_gives_back_and_a_refusal_changes_nothing() {
    // shows: semaphore-tracked-release-by-stranger-refused
    let semaphore = new(2);
    let held = holder(&semaphore, 1);
    assert_eq!(semaphore.release(), Err(Error::NotOwner));
    assert_eq!(semaphore.release_many(2), Err(Error::OverReleased));
    assert_eq!(told_at_once(&semaphore), Ok(Told::Held));
    assert_eq!(semaphore.release_many(2), Err(Error::NotOwner));
    assert_eq!(semaphore.release_many(3), Err(Error::OverReleased));
    assert_eq!(semaphore.value(), 0);
    semaphore.release().unwrap();
    held.kill();
    assert_eq!(semaphore.value(), 1);
}

#[test]
fn a_forked_child_holds_nothing_and_its_end_returns_nothing() {
    // shows: semaphore-tracked-fork-child-holds-nothing
    let semaphore = new(1);
    let mut permit = Some(semaphore.acquire(None).unwrap());
    for _ in 0..2 {
        Child::run("child", || {
            let refused = semaphore.release();
            drop(permit.take());
            let found = told_at_once(&semaphore); // it registers, and is a stranger
            let again = semaphore.release();
            let is_refused = [refused, again].iter().all(|answer| *answer == Err(Error::NotOwner));
            i32::from(!is_refused || found != Err(Error::TimedOut))
        })
        .succeed();
    }
    assert_eq!(told_at_once(&semaphore), Err(Error::TimedOut));
    drop(permit);
    assert_eq!(told_at_once(&semaphore), Ok(Told::Held));
}

#[test]
fn units_left_by_the_last_handle_are_free_and_told() {
    let segment = Segment::anonymous(4096).unwrap();
    let semaphore = TrackedSemaphore::new_in(&segment, 2).unwrap();
    let gone = Signal::new();
    let child = Child::run("leaver", || {
        let own = TrackedSemaphore::open(&segment, semaphore.offset()).unwrap();
        told(&own).unwrap();
        told(&own).unwrap();
        drop(own.clone()); // not the last
        assert_eq!(own.value(), 0);
        drop(own);
        gone.give(); // its copies of the test's handles are handles, too
        idle()
    });
    gone.take("the child to drop its handle");
    assert_eq!(semaphore.value(), 0, "the copy that it inherited is a handle as well");
    child.kill();
    assert_eq!(told(&semaphore), Ok(Told::OwnerDied));
    semaphore.release().unwrap();

    let another = TrackedSemaphore::new_in(&segment, 2).unwrap();
    let offset = another.offset();
    told(&another).unwrap();
    drop(another); // the last of this process
    let again = TrackedSemaphore::open(&segment, offset).unwrap();
    assert_eq!(again.value(), 2, "what was left is free");
    let answers = [told_at_once(&again), told_at_once(&again)];
    assert!(answers.contains(&Ok(Told::Held)) && answers.contains(&Ok(Told::OwnerDied)));
}

#[test]
fn a_sleeper_that_nobody_wakes_looks_by_itself() {
    const PRIVATE: u64 = 128; // FUTEX_PRIVATE_FLAG
    let segment = Segment::anonymous(4096).unwrap();
    let semaphore = TrackedSemaphore::new_in(&segment, 1).unwrap();
    told(&semaphore).unwrap();
    let child = Child::run("sleeper", || i32::from(semaphore.acquire(LIMIT).is_err()));
    let operation = child.sleeps_on_a_word();
    assert_eq!(operation & PRIVATE, 0, "a private sleeper is met by no other process");
    overwrite(&semaphore, 2, 0); // given back by somebody who was killed before the wake
    child.succeed();
}

#[test]
fn a_stopped_owner_is_alive() {
    // shows: semaphore-stopped-holder-no-release
    let semaphore = new(1);
    let held = holder(&semaphore, 1);
    held.0.signal(libc::SIGSTOP).unwrap();
    let answer = semaphore.acquire(Duration::from_millis(200)).map(Permit::keep);
    assert_eq!(answer, Err(Error::TimedOut));
    held.0.signal(libc::SIGCONT).unwrap();
}

#[test]
fn owners_killed_at_random_cost_no_unit() {
    const KILLS: u32 = 60;
    const UNITS: u32 = 3;
    let semaphore = new(UNITS);
    let begins = Signal::new();
    for round in 0..KILLS {
        let victim = Child::run("victim", || {
            begins.give();
            loop {
                let (one, two) = (semaphore.acquire(LIMIT), semaphore.acquire(LIMIT));
                drop((one.unwrap(), two.unwrap()));
            }
        });
        begins.take("the victim to begin");
        for _ in 0..round * 3 {
            drop(semaphore.acquire(LIMIT).unwrap());
        }
        victim.kill();
    }
    (0..UNITS).for_each(|_| semaphore.acquire(LIMIT).unwrap().keep());
    assert_eq!(told_at_once(&semaphore), Err(Error::TimedOut));
    semaphore.release_many(UNITS).unwrap();
    assert_eq!(semaphore.value(), UNITS);
}

#[test]
fn survivors_that_race_for_a_dead_owners_unit_get_it_once() {
    const ROUNDS: u32 = 100;
    let semaphore = new(1);
    for round in 0..ROUNDS {
        holder(&semaphore, 1).kill();
        let winners = thread::scope(|scope| {
            let racers = [(); 3].map(|()| scope.spawn(|| told_at_once(&semaphore)));
            racers.map(|racer| racer.join().unwrap())
        });
        let got = winners.iter().filter(|answer| **answer == Ok(Told::OwnerDied)).count();
        assert_eq!(got, 1, "round {round}: {winners:?}");
        semaphore.release().unwrap();
    }
}

#[test]
fn there_are_as_many_units_as_asked_for_and_never_more_than_the_most() {
    // shows: semaphore-start-above-greatest, semaphore-greatest-value
    for above in [TRACKED_UNITS_MAX + 1, u32::MAX] {
        assert_eq!(TrackedSemaphore::new(above).err(), Some(Error::InvalidArgument));
    }
    for units in [0, 1, 1000, TRACKED_UNITS_MAX] {
        let semaphore = new(units);
        assert_eq!(semaphore.value(), units);
        assert_eq!(semaphore.release(), Err(Error::OverReleased));
        assert_eq!(semaphore.release_many(u32::MAX), Err(Error::OverReleased));
        for _ in 0..units {
            assert_eq!(told_at_once(&semaphore), Ok(Told::Held));
        }
        assert_eq!(told_at_once(&semaphore), Err(Error::TimedOut));
        if units > 0 {
            semaphore.release_many(units).unwrap();
        }
        assert_eq!(semaphore.value(), units);
    }
}

#[test]
fn two_threads_give_back_no_more_than_their_process_has() {
    let semaphore = new(8);
    for _ in 0..500 {
        (0..4).for_each(|_| semaphore.acquire(None).unwrap().keep());
        let answers = thread::scope(|scope| {
            let threads = [1, 1, 1, 1, 1, 1].map(|count| {
                let semaphore = &semaphore;
                scope.spawn(move || semaphore.release_many(count))
            });
            threads.map(|thread| thread.join().unwrap())
        });
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 4, "{answers:?}");
        assert_eq!(semaphore.value(), 8);
    }
}

#[test]
fn a_forged_permit_or_total_is_damaged_and_never_followed() {
    let segment = Segment::anonymous(1 << 14).unwrap();
    let semaphore = TrackedSemaphore::new_in(&segment, 2).unwrap();
    told(&semaphore).unwrap();
    told(&semaphore).unwrap();
    for forged in [7, 1023, 1 << 31, 1 << 30 | 1 << 10, u32::MAX, (1 << 30) - 1] {
        overwrite(&semaphore, 3, forged);
        assert_eq!(told_at_once(&semaphore), Err(Error::Damaged), "{forged:#x}");
        assert_eq!(told(&semaphore), Err(Error::Damaged), "{forged:#x}");
        assert_eq!(semaphore.value(), 0, "{forged:#x}");
    }
    overwrite(&semaphore, 3, 0);
    assert_eq!(told_at_once(&semaphore), Ok(Told::Held));
    semaphore.release_many(2).unwrap();
    for total in [0, 1, 3, 4096, 4097, u32::MAX] {
        overwrite(&semaphore, 1, total);
        let opened = TrackedSemaphore::open(&segment, semaphore.offset());
        assert_eq!(opened.err(), Some(Error::Damaged), "a total of {total}");
        assert!(semaphore.value() <= 2);
        if let Ok(permit) = semaphore.try_acquire() {
            drop(permit);
        }
    }
    overwrite(&semaphore, 1, 2);
    for word in [1, 2, u32::MAX, u32::MAX - 1] {
        overwrite(&semaphore, 0, word); // the event count: any bits are one
        let begin = Instant::now();
        drop(semaphore.acquire(LIMIT).unwrap());
        assert_eq!(semaphore.value(), 2, "after {:?}", begin.elapsed());
    }
}

/// What stands in a semaphore's words is overwritten, as by a peer that means harm: 0 is the event
/// count, 1 the total, and then come the permits.
fn overwrite(semaphore: &TrackedSemaphore, place: u64, word: u32) {
    let file = File::from(semaphore.segment().descriptor().try_clone_to_owned().unwrap());
    file.write_all_at(&word.to_le_bytes(), semaphore.offset() + 16 + 4 * place).unwrap();
}
