//! What the figures stand on: that holders die as told, and that rivals keep each other out.

use std::io;
use std::time::{Duration, Instant};

use purlin_benches::sys::{BareFlag, BareLock, Kind, SharedMutex, adopt_orphans};
use purlin_benches::{
    Actors, Mortal, PurlinLock, RIVAL_COUNT, RIVALS_MAX_COUNT, Survivor, contend, kill_holder,
    wake_sleeper, wakes_a_second,
};
use purlin_sync::{Event, Lock};

const TURN: Duration = Duration::from_millis(5);

fn lock() -> io::Result<Lock> {
    Lock::new().map_err(io::Error::other)
}

#[test]
fn arriving_and_sleeping_survivors_get_what_a_dead_holder_held() -> io::Result<()> {
    let (lock, robust) = (lock()?, SharedMutex::new(Kind::Robust)?);
    for survivor in [Survivor::Arriving, Survivor::Asleep { since: TURN }] {
        kill_holder(&lock, survivor, false)?;
        kill_holder(&robust, survivor, false)?;
    }
    Ok(())
}

#[test]
fn survivor_gets_the_lock_although_a_child_keeps_its_holders_place() -> io::Result<()> {
    adopt_orphans()?;
    let lock = lock()?;
    let waited = kill_holder(&lock, Survivor::Arriving, true)?;
    // From below only: the first look cannot tell, so that a slice passes before the second.
    assert!(waited >= Duration::from_nanos(purlin_sync::SLICE_FIRST_NANOS));
    Ok(())
}

#[test]
fn holders_death_untold_is_an_error_and_no_figure() -> io::Result<()> {
    let wrong = NeverHeld(SharedMutex::new(Kind::Robust)?);
    let error = kill_holder(&wrong, Survivor::Arriving, false).expect_err("nobody died with it");
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    Ok(())
}

/// Wrong on purpose: it says that it holds, and does not.
struct NeverHeld(SharedMutex);

impl Mortal for NeverHeld {
    fn hold(&self) -> io::Result<()> {
        Ok(())
    }

    fn inherit(&self) -> io::Result<Instant> {
        self.0.inherit()
    }
}

#[test]
fn rivals_lose_no_step() -> io::Result<()> {
    let pair = PurlinLock(lock()?);
    let bare = BareLock::new()?;
    for count in [RIVAL_COUNT, RIVALS_MAX_COUNT] {
        for actors in [Actors::Threads, Actors::Processes] {
            assert!(contend(&pair, actors, count, TURN)?.pairs_per_second > 0.0);
            assert!(contend(&bare, actors, count, TURN)?.pairs_per_second > 0.0);
        }
    }
    let too_many = contend(&bare, Actors::Threads, RIVALS_MAX_COUNT + 1, TURN);
    assert_eq!(too_many.unwrap_err().kind(), io::ErrorKind::InvalidInput);
    Ok(())
}

#[test]
fn a_sleeper_is_woken_and_its_sleeps_are_counted() -> io::Result<()> {
    let flag = BareFlag::new()?;
    assert!(wake_sleeper(|| flag.wait(), || flag.set())? > Duration::ZERO);
    // From below only: a bare flag never wakes by itself, so that a purlin one is told from it.
    let bare = BareFlag::new()?;
    let none = wakes_a_second(|| bare.wait(), || bare.set(), Duration::ZERO, TURN)?;
    let event = Event::new().map_err(io::Error::other)?;
    let wait = || assert_eq!(event.wait(None), Ok(true));
    let some = wakes_a_second(wait, || event.set(), Duration::ZERO, 100 * TURN)?;
    assert!(none <= 0.0 && some > 0.0, "{none} and {some} a second");
    Ok(())
}
