//! What a barrier promises as long as nobody dies.

use std::cell::Cell as Local;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Cell, Child, LIMIT, Signal};
use purlin_shm::{Carry, Luggage, Name, Place, Segment};
use purlin_sync::{
    Barrier, BarrierOptions, Deadline, Error, INNER_PATIENCE_NANOS, Lock, PARTIES_MAX,
};

const SHORT: Duration = Duration::from_millis(30);
const BROKEN: Result<u32, Error> = Err(Error::BarrierBroken);

/// Waits until so many have come.
fn wait_for(barrier: &Barrier, count: u32) {
    let begin = Instant::now();
    while barrier.waiting() != Ok(count) {
        assert!(begin.elapsed() < LIMIT, "waited in vain for {count} parties");
        thread::yield_now();
    }
}

fn with_action(parties: u32) -> Barrier {
    Barrier::new(BarrierOptions::new(parties).with_action()).unwrap()
}

fn nothing() -> Result<(), ()> {
    Ok(())
}

#[test]
fn nobody_passes_before_all_have_come() {
    // shows: barrier-holds-until-all-came, barrier-shared-with-child
    let barrier = Barrier::new(3).unwrap();
    let parties = [(); 2].map(|()| Child::run("party", || i32::from(barrier.wait(LIMIT).is_err())));
    wait_for(&barrier, 2);
    parties.iter().for_each(|party| {
        party.sleeps_on_a_word();
    });
    assert_eq!(barrier.wait(LIMIT), Ok(2));
    parties.iter().for_each(Child::succeed);
    assert_eq!((barrier.waiting(), barrier.is_broken()), (Ok(0), false));
}

#[test]
fn no_party_gets_a_round_ahead() {
    // shows: barrier-lockstep-rounds, barrier-thousand-rounds, barrier-numbers-distinct
    const PARTIES: u32 = 5;
    const ROUNDS: u32 = 1000;
    let segment = Segment::anonymous(4096).unwrap();
    let barrier = Barrier::new_in(&segment, PARTIES).unwrap();
    let [came, numbers] = [(); 2].map(|()| Place::<Cell>::new_in(&segment).unwrap());
    let walk = || {
        for round in 1..=ROUNDS {
            came.0.fetch_add(1, Relaxed); // the barrier orders it, and what follows
            let number = barrier.wait(LIMIT).unwrap();
            assert_eq!(came.0.load(Relaxed), round * PARTIES);
            assert_eq!(numbers.0.fetch_or(1 << number, Relaxed) & 1 << number, 0, "given twice");
            barrier.wait(LIMIT).unwrap();
            assert_eq!(numbers.0.load(Relaxed), (1 << PARTIES) - 1, "all of them");
            if barrier.wait(LIMIT).unwrap() == 0 {
                numbers.0.store(0, Relaxed);
            }
        }
        0
    };
    let others = [(); 3].map(|()| Child::run("party", walk));
    thread::scope(|scope| {
        scope.spawn(walk); // threads and processes are parties of one barrier
        walk();
    });
    others.iter().for_each(Child::succeed);
    assert_eq!((barrier.waiting(), barrier.is_broken()), (Ok(0), false));
}

#[test]
fn a_barrier_of_one_never_waits() {
    // shows: barrier-one-party
    let barrier = Barrier::new(1).unwrap();
    for _ in 0..100 {
        assert_eq!(barrier.wait(Deadline::passed()), Ok(0));
    }
}

#[test]
fn a_barrier_has_from_one_party_to_the_most() {
    // shows: barrier-needs-a-party, barrier-parties-readable
    for parties in [0, PARTIES_MAX + 1, u32::MAX] {
        assert_eq!(Barrier::new(parties).unwrap_err(), Error::InvalidArgument, "{parties}");
    }
    for parties in [1, 3, PARTIES_MAX] {
        let barrier = Barrier::new(parties).unwrap();
        barrier.abort().and_then(|()| barrier.reset()).unwrap();
        assert_eq!(barrier.parties(), parties);
    }
}

#[test]
fn as_many_threads_as_there_can_be_parties_meet() {
    const PARTIES: u32 = 100;
    let barrier = Barrier::new(PARTIES).unwrap();
    let numbers: Vec<_> = thread::scope(|scope| {
        let parties = [(); PARTIES as usize].map(|()| {
            scope.spawn(|| (0..20).map(|_| barrier.wait(LIMIT).unwrap()).collect::<Vec<_>>())
        });
        parties.into_iter().map(|party| party.join().unwrap()).collect()
    });
    for round in 0..20 {
        let mut of_round: Vec<_> = numbers.iter().map(|own| own[round]).collect();
        of_round.sort_unstable();
        assert!(of_round.into_iter().eq(0..PARTIES), "round {round}");
    }
}

#[test]
fn a_limit_that_passes_breaks_it_for_everybody() {
    // shows: barrier-timeout-breaks, barrier-late-party-breaks-round, barrier-broken-readable
    let barrier = Barrier::new(3).unwrap();
    let patient = Child::run("patient", || i32::from(barrier.wait(LIMIT) != BROKEN));
    wait_for(&barrier, 1);
    let begin = Instant::now();
    assert_eq!(barrier.wait(SHORT), BROKEN);
    assert!(begin.elapsed() >= SHORT);
    patient.succeed();
    assert!(barrier.is_broken());
    assert_eq!(barrier.wait(None), BROKEN, "whoever comes later");
    assert_eq!(barrier.waiting(), Ok(0));
}

#[test]
fn a_limit_of_zero_is_for_the_last() {
    // shows: barrier-limit-zero
    let barrier = Barrier::new(2).unwrap();
    for limit in [Deadline::passed(), Duration::ZERO.into()] {
        assert_eq!(barrier.wait(limit), BROKEN);
        barrier.reset().unwrap();
    }
    let other = Child::run("other", || i32::from(barrier.wait(LIMIT) != Ok(0)));
    wait_for(&barrier, 1);
    assert_eq!(barrier.wait(Deadline::passed()), Ok(1));
    other.succeed();
}

#[test]
fn the_limit_of_the_making_holds_for_waits_without_one() {
    // shows: barrier-default-limit, barrier-call-limit-wins, barrier-limit-huge-and-monotonic
    let barrier = Barrier::new(BarrierOptions::new(2).limit(SHORT)).unwrap();
    let begin = Instant::now();
    assert_eq!(barrier.wait(None), BROKEN);
    assert!(begin.elapsed() >= SHORT);
    barrier.reset().unwrap();
    let opened = Barrier::open(&barrier.segment(), barrier.offset()).unwrap();
    for long in [LIMIT, Duration::MAX] {
        let other = Child::run("other", || i32::from(opened.wait(long) != Ok(0)));
        other.sleeps_on_a_word();
        thread::scope(|scope| {
            // Longer than the limit of the making: the other still waits after that.
            let late = scope.spawn(|| {
                let begin = Instant::now();
                while begin.elapsed() < 2 * SHORT {
                    thread::yield_now();
                }
                barrier.wait(None)
            });
            assert_eq!(late.join().unwrap(), Ok(1));
        });
        other.succeed();
    }
}

#[test]
fn an_abort_frees_who_waits_and_holds_until_a_reset() {
    // shows: barrier-abort-frees-waiters, barrier-abort-holds-for-later, barrier-reset-mends
    let barrier = Barrier::new(3).unwrap();
    let waiting = [(); 2].map(|()| Child::run("party", || i32::from(barrier.wait(None) != BROKEN)));
    wait_for(&barrier, 2);
    assert_eq!(barrier.abort(), Ok(()));
    waiting.iter().for_each(Child::succeed);
    assert_eq!((barrier.is_broken(), barrier.abort()), (true, Ok(())));
    assert_eq!(barrier.wait(LIMIT), BROKEN);
    assert_eq!((barrier.reset(), barrier.is_broken()), (Ok(()), false));
    meet(&barrier);
}

/// All parties meet, so it is whole.
fn meet(barrier: &Barrier) {
    let others: Vec<_> = (1..barrier.parties())
        .map(|_| Child::run("party", || i32::from(barrier.wait(LIMIT).is_err())))
        .collect();
    assert!(barrier.wait(LIMIT).is_ok());
    others.iter().for_each(Child::succeed);
}

#[test]
fn a_reset_frees_who_waits_and_leaves_it_whole() {
    // shows: barrier-reset-frees-waiters, barrier-reset-idle
    let barrier = Barrier::new(3).unwrap();
    assert_eq!(barrier.reset(), Ok(()));
    meet(&barrier);
    let waiting = [(); 2].map(|()| Child::run("party", || i32::from(barrier.wait(None) != BROKEN)));
    wait_for(&barrier, 2);
    assert_eq!((barrier.reset(), barrier.is_broken()), (Ok(()), false));
    waiting.iter().for_each(Child::succeed);
    meet(&barrier);
}

#[test]
fn who_passed_first_cannot_spoil_it_for_those_who_still_leave() {
    // shows: barrier-reset-while-leaving, barrier-abort-while-leaving
    let barrier = Barrier::new(3).unwrap();
    for round in 0..300 {
        let first = AtomicU32::new(0);
        thread::scope(|scope| {
            let go = || {
                let passed = barrier.wait(LIMIT);
                // Relaxed: nothing is read by its means.
                if first.fetch_add(1, Relaxed) == 0 {
                    let spoiled = if round % 2 == 0 { barrier.reset() } else { barrier.abort() };
                    assert_eq!(spoiled, Ok(()));
                }
                passed.is_ok()
            };
            let others = [scope.spawn(go), scope.spawn(go)];
            assert!(go(), "round {round}");
            others.into_iter().for_each(|other| assert!(other.join().unwrap(), "round {round}"));
        });
        barrier.reset().unwrap();
    }
}

#[test]
fn the_parties_of_a_round_agree() {
    // shows: barrier-agreement
    let barrier = Barrier::new(3).unwrap();
    let passes = |limit: Duration| barrier.wait(limit).is_ok();
    let mut passed_count = 0;
    for round in 0..300_u32 {
        let limit = Duration::from_micros(200);
        let outcomes = thread::scope(|scope| {
            let others = [(); 2].map(|()| scope.spawn(|| passes(limit)));
            (0..round % 50 * 300).for_each(|_| std::hint::spin_loop());
            let mine = passes(LIMIT);
            others.map(|other| other.join().unwrap()).into_iter().chain([mine]).collect::<Vec<_>>()
        });
        assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "round {round}");
        passed_count += u32::from(outcomes[0]);
        barrier.reset().unwrap();
    }
    println!("{passed_count} of 300 rounds passed");
}

#[test]
fn one_more_than_there_are_parties_waits_for_the_next_round() {
    // shows: barrier-extra-party
    let barrier = Barrier::new(2).unwrap();
    let numbers = Signal::new();
    let parties = [(); 3].map(|()| {
        Child::run("party", || {
            numbers.tell(barrier.wait(LIMIT).unwrap());
            0
        })
    });
    let mut passed = [numbers.hear("the first"), numbers.hear("the second")];
    passed.sort_unstable();
    assert_eq!(passed, [0, 1]);
    wait_for(&barrier, 1);
    assert_eq!(barrier.wait(LIMIT), Ok(1));
    assert_eq!(numbers.hear("the third"), 0);
    parties.iter().for_each(Child::succeed);
}

#[test]
fn the_action_runs_once_and_before_anybody_passes() {
    // shows: barrier-action-runs-once, barrier-action-before-release
    // shows: barrier-data-before-wait-visible
    const PARTIES: u32 = 4;
    let segment = Segment::anonymous(1 << 16).unwrap();
    let options = BarrierOptions::new(PARTIES).with_action();
    let barrier = Barrier::new_in(&segment, options).unwrap();
    let cells = [(); PARTIES as usize].map(|()| Place::<Cell>::new_in(&segment).unwrap());
    let [sum, runs] = [(); 2].map(|()| Place::<Cell>::new_in(&segment).unwrap());
    let walk = |index: usize| {
        for round in 1..=500_u32 {
            cells[index].0.store(round, Relaxed); // the barrier orders all of it
            let add_up = || {
                runs.0.fetch_add(1, Relaxed);
                sum.0.store(cells.iter().map(|cell| cell.0.load(Relaxed)).sum(), Relaxed);
                nothing()
            };
            barrier.wait_with(LIMIT, add_up).unwrap().unwrap();
            let found = (sum.0.load(Relaxed), runs.0.load(Relaxed));
            assert_eq!(found, (round * PARTIES, 2 * round - 1));
            barrier
                .wait_with(LIMIT, || {
                    runs.0.fetch_add(1, Relaxed).checked_add(1).map(|_| ()).ok_or(())
                })
                .unwrap()
                .unwrap();
        }
        0
    };
    let others = [0, 1, 2].map(|index| Child::run("party", move || walk(index)));
    walk(3);
    others.iter().for_each(Child::succeed);
}

#[test]
fn a_failing_action_is_told_to_who_ran_it_and_breaks_it_for_the_others() {
    // shows: barrier-action-fails
    let barrier = with_action(2);
    let other = Child::run("other", || {
        i32::from(barrier.wait_with(LIMIT, nothing) != Err(Error::BarrierBroken))
    });
    wait_for(&barrier, 1);
    assert_eq!(barrier.wait_with(LIMIT, || Err("no")), Ok(Err("no")));
    other.succeed();
    assert!(barrier.is_broken());
    barrier.reset().unwrap();
    assert_eq!(barrier.waiting(), Ok(0));
}

#[test]
fn a_panic_in_the_action_goes_on_and_breaks_the_barrier() {
    let barrier = with_action(1);
    let fall =
        AssertUnwindSafe(|| barrier.wait_with(LIMIT, || -> Result<(), ()> { panic!("down") }));
    let panic = catch_unwind(fall).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"down"));
    assert!(barrier.is_broken());
    assert_eq!(
        barrier.wait_with(None, nothing),
        Err(Error::BarrierBroken),
        "and is not deadlocked"
    );
    barrier.reset().unwrap();
    assert_eq!(barrier.wait_with(LIMIT, nothing), Ok(Ok(0)));
}

#[test]
fn an_action_that_waits_at_its_own_barrier_is_refused() {
    // shows: barrier-action-may-not-wait
    let barrier = with_action(1);
    let other = with_action(1);
    let mapped_again =
        Segment::from_descriptor(barrier.segment().descriptor().try_clone_to_owned().unwrap());
    let same = Barrier::open(&mapped_again.unwrap(), barrier.offset()).unwrap();
    for again in [&barrier, &same] {
        let answer = barrier.wait_with(LIMIT, || {
            assert_eq!(other.wait_with(LIMIT, nothing), Ok(Ok(0)), "another barrier is none of it");
            other
                .wait_with(LIMIT, || again.wait_with(None, nothing).map(|_| ()))
                .expect("it is not broken")
                .map(|_| ())
        });
        assert_eq!(answer, Ok(Err(Error::WouldDeadlock)));
        assert!(barrier.is_broken() && other.is_broken());
        barrier.reset().and_then(|()| other.reset()).unwrap();
    }
    assert_eq!(barrier.wait_with(LIMIT, nothing), Ok(Ok(0)));
}

#[test]
fn a_wait_without_the_action_that_is_due_is_refused_and_the_other_way_round() {
    let (with, without) = (with_action(1), Barrier::new(1).unwrap());
    assert_eq!(with.wait(None), Err(Error::InvalidArgument));
    assert_eq!(without.wait_with(None, nothing), Err(Error::InvalidArgument));
    assert_eq!((with.waiting(), without.waiting()), (Ok(0), Ok(0)));
}

#[test]
fn who_comes_while_the_action_runs_may_give_up_and_touches_nothing() {
    // shows: barrier-limit-is-total
    let barrier = with_action(1);
    let answer = barrier.wait_with(LIMIT, || {
        thread::scope(|scope| {
            let late = scope.spawn(|| {
                let begin = Instant::now();
                let answer = barrier.wait_with(SHORT, nothing);
                (answer, begin.elapsed() >= SHORT)
            });
            assert_eq!(late.join().unwrap(), (Err(Error::TimedOut), true));
        });
        nothing()
    });
    assert_eq!(answer, Ok(Ok(0)));
}

#[test]
fn who_comes_while_the_action_runs_counts_for_the_next_round() {
    let barrier = with_action(1);
    let runs = Local::new(0);
    let mut late = None;
    let answer = barrier.wait_with(LIMIT, || {
        let child = Child::run("late", || i32::from(barrier.wait_with(None, nothing) != Ok(Ok(0))));
        child.sleeps_on_a_word();
        late = Some(child);
        runs.set(runs.get() + 1);
        nothing()
    });
    assert_eq!((answer, runs.get()), (Ok(Ok(0)), 1));
    late.expect("a child").succeed();
}

#[test]
fn a_party_that_gives_up_while_the_action_runs_breaks_the_round() {
    let barrier = with_action(2);
    let impatient = Child::run("impatient", || {
        i32::from(barrier.wait_with(SHORT, nothing) != Err(Error::BarrierBroken))
    });
    wait_for(&barrier, 1);
    let answer = barrier.wait_with(LIMIT, || {
        impatient.succeed();
        nothing()
    });
    // The impatient one may have given up before this one came.
    assert_eq!(answer, Err(Error::BarrierBroken));
    impatient.succeed();
}

/// The word of the guard says that this process is amid an arrival, as one that stands still.
fn hold_the_guard(barrier: &Barrier) {
    let token = barrier.segment().attachment().token();
    overwrite(barrier, 0, &token.to_le_bytes());
}

fn overwrite(barrier: &Barrier, at: u64, bytes: &[u8]) {
    let segment = barrier.segment();
    let file = File::from(segment.descriptor().try_clone_to_owned().expect("a descriptor"));
    file.write_all_at(bytes, barrier.offset() + 16 + at).expect("the segment's file");
}

#[test]
fn who_stands_still_in_an_arrival_holds_up_newcomers_for_a_second_and_parties_not_at_all() {
    let barrier = Barrier::new(3).unwrap();
    let party = Child::run("party", || i32::from(barrier.wait(SHORT) != BROKEN));
    wait_for(&barrier, 1);
    hold_the_guard(&barrier);
    party.succeed(); // leaves at its limit, and breaks it
    assert!(barrier.is_broken());
    overwrite(&barrier, 0, &[0; 4]);
    barrier.reset().unwrap();

    hold_the_guard(&barrier);
    let second = Duration::from_nanos(INNER_PATIENCE_NANOS);
    for call in [|barrier: &Barrier| barrier.wait(SHORT).map(|_| ()), Barrier::reset] {
        let begin = Instant::now();
        assert_eq!(call(&barrier), Err(Error::TimedOut));
        assert!(begin.elapsed() >= second, "that is how long it was waited for");
    }
    assert!(!barrier.is_broken());
    assert_eq!((barrier.abort(), barrier.is_broken()), (Ok(()), true), "an abort needs no guard");
    overwrite(&barrier, 0, &[0; 4]);
    assert_eq!(barrier.reset(), Ok(()));
    meet(&barrier);
}

#[test]
fn words_that_no_step_has_written_are_damage_and_lead_nowhere() {
    let segment = Segment::anonymous(4096).unwrap();
    let barrier = Barrier::new_in(&segment, 2).unwrap();
    let words = [1, 3, u32::MAX, 0x3fff_fc00, 1 << 30 | 5, 2 << 30, 1 << 31, 7];
    for (high, low) in words.iter().flat_map(|high| words.map(|low| (*high, low))) {
        for place in 0..8 {
            // The guard and the state, then when it began, then each word of the row.
            let at = if place == 0 { 0 } else { 16 + 8 * place };
            overwrite(&barrier, at, &[low.to_le_bytes(), high.to_le_bytes()].concat());
            let told = barrier.wait(Deadline::passed());
            assert!(told.is_err(), "{high:#x} {low:#x} at {place}: {told:?}");
            let _ = (barrier.waiting(), barrier.abort(), barrier.enroll(), barrier.withdraw());
            if place != 0 {
                let _ = barrier.reset(); // would wait a second for a guard that nobody gives back
            }
            overwrite(&barrier, 0, &[0; 8]);
            overwrite(&barrier, 24, &[0; 56]);
        }
    }
    assert_eq!(barrier.wait(Deadline::passed()), BROKEN);
    barrier.reset().unwrap();
    meet(&barrier);
    for fixed in [(8, 2_u64), (8, u64::MAX)] {
        overwrite(&barrier, fixed.0, &fixed.1.to_le_bytes());
        let opened = Barrier::open(&segment, barrier.offset());
        assert_eq!(opened.unwrap_err(), Error::Damaged, "what is fixed");
        overwrite(&barrier, 8, &[0; 8]);
    }
    meet(&Barrier::open(&segment, barrier.offset()).unwrap());
}

#[test]
fn another_kind_of_object_is_no_barrier() {
    let segment = Segment::anonymous(4096).unwrap();
    let lock = Lock::new_in(&segment).unwrap();
    assert_eq!(Barrier::open(&segment, lock.offset()).unwrap_err(), Error::Incompatible);
    assert_eq!(Barrier::open(&segment, lock.offset() + 64).unwrap_err(), Error::Damaged);
}

#[test]
fn a_barrier_is_found_by_name_and_carried() {
    struct Own(Name);
    impl Drop for Own {
        fn drop(&mut self) {
            let _ = self.0.unlink();
        }
    }
    let own = Own(Name::new(&format!("test-barrier-{}", std::process::id())).unwrap());
    let options = BarrierOptions::new(2).limit(LIMIT).with_action();
    let made = Barrier::create(&own.0, options).unwrap();
    let mut packed = Luggage::new();
    Barrier::open_named(&own.0).unwrap().pack(&mut packed).unwrap();
    let (bytes, descriptors) = packed.into_parts();
    let mut arrived = Luggage::from_parts(&bytes, descriptors).unwrap();
    let carried = Barrier::unpack(&mut arrived).unwrap();
    let other = Child::run("other", || i32::from(carried.wait_with(None, nothing).is_err()));
    assert!(made.wait_with(None, nothing).unwrap().is_ok());
    other.succeed();
    assert_eq!(Lock::open_named(&own.0).unwrap_err(), Error::Incompatible);
}

#[test]
fn who_enrols_has_to_be_let_out_again_as_often() {
    let barrier = Barrier::new(2).unwrap();
    assert_eq!(barrier.withdraw(), Err(Error::NotOwner));
    assert_eq!((barrier.enroll(), barrier.enroll()), (Ok(()), Ok(())));
    assert_eq!(barrier.enroll(), Err(Error::OutOfResources), "as many as there are parties");
    Child::run("child", || i32::from(barrier.withdraw() != Err(Error::NotOwner))).succeed();
    assert_eq!((barrier.withdraw(), barrier.withdraw()), (Ok(()), Ok(())));
    assert_eq!(barrier.withdraw(), Err(Error::NotOwner));
    meet(&barrier);
}

#[test]
fn a_forked_child_is_no_party() {
    // shows: barrier-fork-child-is-no-party
    let barrier = Barrier::new(3).unwrap();
    thread::scope(|scope| {
        let party = scope.spawn(|| barrier.wait(LIMIT));
        wait_for(&barrier, 1);
        let idler = Child::run("idler", crate::support::idle);
        let other = Child::run("other", || i32::from(barrier.wait(LIMIT).is_err()));
        wait_for(&barrier, 2);
        idler.kill();
        assert_eq!(barrier.wait(LIMIT), Ok(2));
        assert!(party.join().unwrap().is_ok());
        other.succeed();
    });
}

#[test]
fn a_child_forked_in_the_action_that_returns_from_it_ends_nothing() {
    let barrier = with_action(2);
    let other = Child::run("other", || i32::from(barrier.wait_with(LIMIT, nothing).is_err()));
    wait_for(&barrier, 1);
    let mut child = -1;
    let answer = barrier.wait_with(LIMIT, || {
        // SAFETY: The child touches the barrier and leaves by `_exit`, below.
        child = unsafe { libc::fork() };
        if child > 0 {
            let mut status = -1;
            // SAFETY: A child of ours, and a place for its status.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
            assert_eq!(status, 0, "the child's answer");
            assert_eq!(barrier.waiting(), Ok(2), "all are still there");
        }
        nothing()
    });
    if child == 0 {
        // SAFETY: Ends the child at once.
        unsafe { libc::_exit(i32::from(answer != Err(Error::NotOwner))) };
    }
    assert_eq!(answer, Ok(Ok(1)));
    other.succeed();
}
