//! What the figures stand on: that holders die as told, and that rivals keep each other out.

use std::io;
use std::time::{Duration, Instant};

use purlin_benches::sys::{Kind, SharedMutex, adopt_orphans};
use purlin_benches::{Actors, Mortal, PurlinLock, Survivor, contend, kill_holder};
use purlin_sync::Lock;

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
    for actors in [Actors::Threads, Actors::Processes] {
        assert!(contend(&pair, actors, TURN)?.pairs_per_second > 0.0);
    }
    Ok(())
}
