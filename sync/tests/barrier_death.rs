//! What a barrier promises when its parties are killed, or stand still.

use std::fs::{self, File};
use std::hint::spin_loop;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Cell, Child, LIMIT, Signal, idle};
use purlin_shm::{Place, Segment};
use purlin_sync::{Barrier, BarrierOptions, Deadline, Error};

const SHORT: Duration = Duration::from_millis(30);
const BROKEN: Result<u32, Error> = Err(Error::BarrierBroken);

fn wait_for(barrier: &Barrier, count: u32) {
    let begin = Instant::now();
    while barrier.waiting() != Ok(count) {
        assert!(begin.elapsed() < LIMIT, "waited in vain for {count} parties");
        thread::yield_now();
    }
}

/// A party that waits without a limit; its answer is of no interest.
fn party(barrier: &Barrier) -> Child {
    Child::run("party", || i32::from(barrier.wait(None).is_err()))
}

/// All parties meet, so it is whole.
fn meet(barrier: &Barrier) {
    let others: Vec<_> = (1..barrier.parties()).map(|_| party(barrier)).collect();
    assert!(barrier.wait(LIMIT).is_ok());
    others.iter().for_each(Child::succeed);
}

#[test]
fn who_waits_learns_that_a_party_was_killed() {
    // shows: barrier-party-killed-waiting, barrier-reset-after-death
    let barrier = Barrier::new(3).unwrap();
    let doomed = party(&barrier);
    wait_for(&barrier, 1);
    let patient = Child::run("patient", || i32::from(barrier.wait(None) != BROKEN));
    wait_for(&barrier, 2);
    doomed.kill();
    patient.succeed();
    assert!(barrier.is_broken());
    barrier.reset().unwrap();
    meet(&barrier);
}

#[test]
fn the_last_to_come_does_not_pass_with_a_dead_one() {
    // shows: barrier-last-party-after-a-death, barrier-n-waiting-forgets-dead
    let barrier = Barrier::new(2).unwrap();
    let doomed = party(&barrier);
    wait_for(&barrier, 1);
    doomed.kill();
    assert_eq!(barrier.waiting(), Ok(0));
    assert_eq!(barrier.wait(LIMIT), BROKEN);
}

#[test]
fn a_forged_time_of_arrival_is_not_believed() {
    let barrier = Barrier::new(2).unwrap();
    for time in [0, 1, u64::MAX, u64::MAX / 2, 1 << 62] {
        let doomed = party(&barrier);
        wait_for(&barrier, 1);
        forge(&barrier, 24, &u64::to_le_bytes(time));
        doomed.kill();
        assert_eq!(barrier.wait(LIMIT), BROKEN, "{time:#x}");
        barrier.reset().unwrap();
    }
    meet(&barrier);
}

#[test]
fn who_takes_over_from_one_that_died_amid_its_arrival_looks_for_it_before_it_sleeps() {
    let barrier = Barrier::new(3).unwrap();
    let tokens = Signal::new();
    let doomed = Child::run("doomed", || {
        tokens.tell(barrier.segment().attachment().token_or_register().unwrap());
        i32::from(barrier.wait(None).is_err())
    });
    let token = tokens.hear("the doomed one's token");
    wait_for(&barrier, 1);
    doomed.kill();
    forge(&barrier, 0, &token.to_le_bytes()); // as if it had not come so far as to leave it
    let next = Child::run("next", || {
        barrier.segment().attachment().token_or_register().unwrap();
        let before = sleep_count();
        let is_told = barrier.wait(None) == BROKEN;
        i32::from(!is_told) + 2 * i32::from(sleep_count() != before)
    });
    next.succeed();
}

/// Overwrites what stands so many bytes behind the barrier's inner lock.
fn forge(barrier: &Barrier, at: u64, bytes: &[u8]) {
    let segment = barrier.segment();
    let file = segment.descriptor().try_clone_to_owned().expect("a descriptor");
    let place = barrier.offset() + 16 + at;
    File::from(file).write_all_at(bytes, place).expect("its file");
}

/// How often the calling thread has given its processor up to wait for something.
fn sleep_count() -> String {
    let status = fs::read_to_string("/proc/thread-self/status").expect("its status");
    let line = status.lines().find(|line| line.starts_with("voluntary"));
    line.expect("a count").to_owned()
}

#[test]
fn a_process_that_dies_with_several_waiting_threads_is_missed_in_each() {
    let barrier = Barrier::new(4).unwrap();
    let doomed = Child::run("doomed", || {
        thread::scope(|scope| {
            let other = scope.spawn(|| barrier.wait(None));
            let mine = barrier.wait(None);
            i32::from(mine.is_err() || other.join().unwrap().is_err())
        })
    });
    let patient = Child::run("patient", || i32::from(barrier.wait(None) != BROKEN));
    wait_for(&barrier, 3);
    doomed.kill();
    patient.succeed();
    barrier.reset().unwrap();
    meet(&barrier);
}

#[test]
fn a_reset_and_an_abort_return_although_a_party_is_dead() {
    // shows: barrier-abort-with-dead-party
    let [first, second] = [(); 2].map(|()| Barrier::new(3).unwrap());
    for barrier in [&first, &second] {
        let doomed = party(barrier);
        wait_for(barrier, 1);
        doomed.kill();
    }
    assert_eq!((first.abort(), first.is_broken()), (Ok(()), true));
    assert_eq!((second.reset(), second.is_broken()), (Ok(()), false));
    meet(&second);
}

#[test]
fn who_was_killed_before_it_came_is_missing_and_no_more() {
    // shows: barrier-party-killed-before-coming, barrier-outlives-creator
    let barrier = Barrier::new(2).unwrap();
    Child::run("doomed", idle).kill();
    let begin = Instant::now();
    assert_eq!(barrier.wait(SHORT), BROKEN);
    assert!(begin.elapsed() >= SHORT);
}

#[test]
fn an_enrolled_one_is_missed_wherever_it_was() {
    // shows: barrier-enrolled-party-killed
    let barrier = Barrier::new(2).unwrap();
    let enrolled = Signal::new();
    let member = |also: fn(&Barrier)| {
        Child::run("member", || {
            barrier.enroll().unwrap();
            also(&barrier);
            enrolled.give();
            idle()
        })
    };
    let doomed = member(|_| ());
    enrolled.take("the member to enrol");
    let patient = Child::run("patient", || i32::from(barrier.wait(None) != BROKEN));
    wait_for(&barrier, 1);
    doomed.kill();
    patient.succeed();
    // The reset forgets it.
    barrier.reset().unwrap();
    meet(&barrier);
    // One that has come in time is missed by the last to come, too; one that withdrew is not.
    let doomed = member(|_| ());
    enrolled.take("the member to enrol");
    doomed.kill();
    let pair = party(&barrier);
    assert_eq!(barrier.wait(LIMIT), BROKEN);
    drop(pair);
    barrier.reset().unwrap();
    let leaver = member(|barrier| barrier.withdraw().unwrap());
    enrolled.take("the member to withdraw");
    leaver.kill();
    meet(&barrier);
}

#[test]
fn a_dead_member_is_missed_however_quickly_all_others_come() {
    let barrier = Barrier::new(2).unwrap();
    for _ in 0..100 {
        Child::run("member", || i32::from(barrier.enroll().is_err())).succeed();
        let here = AtomicU32::new(0);
        let come = || {
            here.fetch_add(1, Relaxed);
            while here.load(Relaxed) < 2 {
                spin_loop(); // so that both come at the same time, if there are two processors
            }
            barrier.wait(LIMIT)
        };
        let answers = thread::scope(|scope| {
            let other = scope.spawn(come);
            (come(), other.join().unwrap())
        });
        assert_eq!(answers, (BROKEN, BROKEN));
        barrier.reset().unwrap();
    }
}

#[test]
fn a_process_that_drops_its_last_handle_while_enrolled_is_missed() {
    let segment = Segment::anonymous(4096).unwrap();
    let barrier = Barrier::new_in(&segment, 2).unwrap();
    let child = Child::run("member", || {
        let own = Barrier::open(&segment, barrier.offset()).unwrap();
        own.enroll().unwrap();
        drop(own); // not the last: this process has inherited another
        i32::from(barrier.is_broken())
    });
    child.succeed(); // and dies, enrolled
    assert_eq!(barrier.wait(LIMIT), BROKEN);
    barrier.reset().unwrap();
    let dropped = Signal::new();
    let mut inherited = Some(barrier);
    let alive = Child::run("member", || {
        let own = inherited.take().unwrap();
        own.enroll().unwrap();
        drop(own);
        dropped.give();
        idle()
    });
    dropped.take("the member to drop its handle");
    let barrier = inherited.unwrap();
    assert!(barrier.is_broken(), "while it lives");
    barrier.reset().unwrap();
    meet(&barrier);
    alive.kill();
    meet(&barrier);
}

#[test]
fn who_runs_the_action_and_is_killed_breaks_the_round() {
    // shows: barrier-action-runner-killed
    let segment = Segment::anonymous(4096).unwrap();
    let barrier = Barrier::new_in(&segment, BarrierOptions::new(2).with_action()).unwrap();
    let runs = Place::<Cell>::new_in(&segment).unwrap();
    let inside = Signal::new();
    let walk = || {
        let action = || -> Result<(), ()> {
            runs.0.fetch_add(1, Relaxed); // read after the death only
            inside.tell(std::process::id());
            idle();
            Err(())
        };
        i32::from(barrier.wait_with(None, action) != Err(Error::BarrierBroken))
    };
    let parties = [(); 2].map(|()| Child::run("party", walk));
    let runner = inside.hear("the action to run");
    let is_runner = |party: &Child| party.0.pid().unsigned_abs() == runner;
    parties.iter().filter(|party| is_runner(party)).for_each(Child::kill);
    parties.iter().filter(|party| !is_runner(party)).for_each(Child::succeed);
    assert_eq!(runs.0.load(Relaxed), 1);
    barrier.reset().unwrap();
    assert_eq!(barrier.waiting(), Ok(0));
}

#[test]
fn a_newcomer_breaks_a_round_of_which_nobody_is_left() {
    let barrier = Barrier::new(BarrierOptions::new(1).with_action()).unwrap();
    let inside = Signal::new();
    for limit in [Deadline::never(), Deadline::passed()] {
        let runner = Child::run("runner", || {
            let action = || -> Result<(), ()> {
                inside.give();
                idle();
                Err(())
            };
            i32::from(barrier.wait_with(None, action).is_err())
        });
        inside.take("the action to run");
        assert_eq!(barrier.wait_with(Deadline::passed(), || Ok::<_, ()>(())), Err(Error::TimedOut));
        runner.kill();
        let answer = barrier.wait_with(limit, || Ok::<_, ()>(()));
        assert_eq!(answer, Err(Error::BarrierBroken));
        barrier.reset().unwrap();
    }
}

#[test]
fn a_party_that_stands_still_has_come_and_counts() {
    // shows: barrier-stopped-party-waits-on, barrier-next-round-waits-for-leavers
    let barrier = Barrier::new(2).unwrap();
    let still = party(&barrier);
    wait_for(&barrier, 1);
    // SAFETY: A child of ours.
    let send = |signal| unsafe { libc::kill(still.0.pid(), signal) };
    assert_eq!(send(libc::SIGSTOP), 0);
    assert_eq!(barrier.wait(LIMIT), Ok(1));
    assert_eq!(barrier.wait(SHORT), BROKEN, "it is not yet there again");
    barrier.reset().unwrap();
    // Others meet meanwhile, whatever becomes of their rounds, and it finds its own.
    (0..20).for_each(|_| meet(&barrier));
    assert_eq!(send(libc::SIGCONT), 0);
    still.succeed();
}

#[test]
fn signals_neither_break_it_nor_stretch_a_limit() {
    // shows: barrier-signal-does-not-end-wait
    extern "C" fn nothing(_: libc::c_int) {}
    let barrier = Barrier::new(2).unwrap();
    let disturbed = Child::run("disturbed", || {
        // SAFETY: A handler that does nothing.
        unsafe { libc::signal(libc::SIGUSR1, nothing as extern "C" fn(_) as usize) };
        let begin = Instant::now();
        let told = barrier.wait(10 * SHORT);
        i32::from(told != BROKEN || begin.elapsed() < 10 * SHORT)
    });
    wait_for(&barrier, 1);
    let begin = Instant::now();
    while disturbed.0.is_alive() == Ok(true) {
        assert!(begin.elapsed() < LIMIT, "waited in vain for a limit to pass");
        // SAFETY: A child of ours.
        unsafe { libc::kill(disturbed.0.pid(), libc::SIGUSR1) };
        thread::yield_now();
    }
    disturbed.succeed();
}

#[test]
fn who_is_killed_while_it_leaves_spoils_neither_round() {
    // shows: barrier-party-killed-leaving
    let barrier = Barrier::new(3).unwrap();
    for round in 0..100_u32 {
        let doomed = party(&barrier);
        let other = Child::run("other", || match barrier.wait(None) {
            Ok(_) => 0,
            Err(Error::BarrierBroken) => 7,
            Err(_) => 1,
        });
        wait_for(&barrier, 2);
        if round % 2 == 0 {
            doomed.0.kill().unwrap(); // at the same moment
        }
        (0..round % 10 * 100).for_each(|_| std::hint::spin_loop());
        let mine = barrier.wait(LIMIT);
        if round % 2 == 1 {
            doomed.0.kill().unwrap();
        }
        let expected = if mine.is_ok() { 0 } else { 7 };
        let status = other.0.join(LIMIT).unwrap();
        assert_eq!(status, purlin_process::ExitStatus::Code(expected), "round {round}: {mine:?}");
        doomed.0.join(LIMIT).unwrap();
        if mine.is_err() {
            barrier.reset().unwrap();
        }
        meet(&barrier);
    }
}

#[test]
fn whoever_is_killed_at_random_moments_leaves_a_barrier_that_a_reset_makes_whole() {
    // shows: barrier-killed-at-any-point, barrier-killed-in-abort-or-reset
    let barrier = Barrier::new(3).unwrap();
    let walk = || {
        while barrier.wait(LIMIT).is_ok() {}
        i32::from(barrier.wait(LIMIT) != BROKEN)
    };
    for round in 0..100_u32 {
        let begins = Signal::new();
        let doomed = Child::run("doomed", || {
            begins.give();
            match round % 2 {
                0 => walk(),
                _ => loop {
                    barrier.abort().and_then(|()| barrier.reset()).unwrap();
                },
            }
        });
        let others = [(); 2].map(|()| Child::run("other", walk));
        begins.take("the victim to begin");
        (0..round % 20 * 200).for_each(|_| std::hint::spin_loop());
        doomed.kill();
        barrier.abort().unwrap();
        others.iter().for_each(Child::succeed);
        barrier.reset().unwrap();
        meet(&barrier);
    }
}
