//! What outlives its holders, and how long its next caller waits after the holder's death.

use core::time::Duration;
use std::io::{self, ErrorKind};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use purlin_sync::{Acquired, Lock};
use rustix::thread::gettid;

use crate::limits::WAIT_LIMIT_NANOS;
use crate::sleeper::until_asleep;
use crate::sys::{Child, Ended, Ends, Orphan, SharedMutex, Taken, clone_raw};

/// Something that can be held by one process and got by the next one after its death.
pub trait Mortal: Sync {
    /// Takes it, to keep it until the process ends.
    ///
    /// # Errors
    /// Whatever it is that failed.
    fn hold(&self) -> io::Result<()>;

    /// Takes it after the holder's death, puts it in order and gives it back. The instant is the
    /// one at which it was taken.
    ///
    /// # Errors
    /// * Kind `TimedOut` when it could not be had within half a minute.
    /// * Kind `InvalidData` when the holder's death was not told.
    fn inherit(&self) -> io::Result<Instant>;
}

impl Mortal for Lock {
    fn hold(&self) -> io::Result<()> {
        self.acquire(limit()).map_err(io::Error::other)?.keep();
        Ok(())
    }

    fn inherit(&self) -> io::Result<Instant> {
        let acquired = self.acquire(limit());
        let taken = Instant::now();
        match acquired.map_err(io::Error::other)? {
            Acquired::OwnerDied(suspect) => drop(suspect.recover()),
            Acquired::Held(_) => return Err(untold()),
        }
        Ok(taken)
    }
}

impl Mortal for SharedMutex {
    fn hold(&self) -> io::Result<()> {
        self.lock()
    }

    fn inherit(&self) -> io::Result<Instant> {
        let answer = self.lock_for(limit());
        let taken = Instant::now();
        let told = answer?;
        self.unlock()?;
        if told == Taken::OwnerDied { Ok(taken) } else { Err(untold()) }
    }
}

/// Who is there when the holder is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survivor {
    /// Nobody: the time is that until the kernel has torn the holder down.
    Nobody,
    /// A caller that comes when the kill has been sent.
    Arriving,
    /// One that sleeps for it.
    Asleep {
        /// For how long, when the kill is sent.
        since: Duration,
    },
}

/// Kills a holder of `what`, and measures from the kill until `survivor` has it. With `heir`, the
/// holder has a child by the bare system call, which inherits its place in the segment and lives.
///
/// # Errors
/// * As [`Mortal::inherit`], and what the system calls answer.
/// * All processes that it made are gone, whatever it returns.
pub fn kill_holder(what: &impl Mortal, survivor: Survivor, heir: bool) -> io::Result<Duration> {
    let holder = Child::fork(|ends| hold(what, heir, ends).map_or(1, |()| 0))?;
    let heir_pid = holder.report()?;
    // Dropped after the holder, whose child it is until then.
    let heir = heir.then(|| Orphan::new(heir_pid)).transpose();
    let waited = match survivor {
        Survivor::Nobody => kill_and_wait(&holder),
        Survivor::Arriving => kill_and_take(what, &holder),
        Survivor::Asleep { since } => take_from_sleep(what, &holder, since),
    };
    let ended = holder.kill().and_then(|()| holder.wait());
    drop(heir?);
    match ended? {
        Ended::Signal(_) => waited,
        Ended::Code(code) => Err(io::Error::other(format!("the holder ended with {code}"))),
    }
}

fn hold(what: &impl Mortal, heir: bool, ends: &Ends) -> io::Result<()> {
    what.hold()?;
    ends.report(if heir { clone_raw(ends)? } else { 0 })?;
    ends.rest();
    Ok(())
}

fn kill_and_wait(holder: &Child) -> io::Result<Duration> {
    let killed = Instant::now();
    holder.kill()?;
    if holder.ends_within(limit())? {
        Ok(killed.elapsed())
    } else {
        Err(ErrorKind::TimedOut.into())
    }
}

fn kill_and_take(what: &impl Mortal, holder: &Child) -> io::Result<Duration> {
    let killed = Instant::now();
    holder.kill()?;
    Ok(what.inherit()?.duration_since(killed))
}

fn take_from_sleep(what: &impl Mortal, holder: &Child, since: Duration) -> io::Result<Duration> {
    thread::scope(|scope| {
        let (tell, told) = mpsc::channel();
        let waiter = scope.spawn(move || {
            let _ = tell.send(gettid().as_raw_nonzero().get());
            what.inherit()
        });
        let killed = told
            .recv_timeout(limit())
            .map_err(|_| ErrorKind::TimedOut.into())
            .and_then(|tid| kill_when_asleep(holder, tid, since));
        if killed.is_err() {
            holder.kill()?; // so that the waiter comes to an end, and the scope with it
        }
        let taken = waiter.join().map_err(|_| io::Error::other("the waiter panicked"))??;
        Ok(taken.duration_since(killed?))
    })
}

fn kill_when_asleep(holder: &Child, tid: i32, since: Duration) -> io::Result<Instant> {
    until_asleep(tid)?;
    // Not to order anything: the kill shall meet the waiter anywhere in its slice, and a holder
    // that ends meanwhile is a failure.
    if holder.ends_within(since)? {
        return Err(io::Error::other("the holder ended before it was killed"));
    }
    let killed = Instant::now();
    holder.kill()?;
    Ok(killed)
}

const fn limit() -> Duration {
    Duration::from_nanos(WAIT_LIMIT_NANOS)
}

fn untold() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "the holder's death was not told")
}
