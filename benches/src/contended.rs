//! The same pair with rivals: how many pairs they get done together, and how fair they are.
//!
//! Between taking and giving back stand two unsynchronised steps of a count. That is a short hold,
//! as real ones are, and a proof besides: were two rivals ever inside at once, steps would be lost.

use core::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use core::time::Duration;
use std::io;
use std::thread;
use std::time::Instant;

use crate::limits::{PAIRS_BETWEEN_LOOKS, RIVALS_MAX_COUNT, WAIT_LIMIT_NANOS};
use crate::pair::Pair;
use crate::sys::{Child, Ended, Shareable, Shared, tie_to_processor};

/// What the rivals are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actors {
    /// Threads of this process.
    Threads,
    /// Forked processes.
    Processes,
}

/// What one turn has shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contention {
    /// Pairs a second, of all rivals together.
    pub pairs_per_second: f64,
    /// What the unluckiest rival had of them; of two, half is fair.
    pub least_share: f64,
    /// How often the next holder was another rival; of two, half is a coin's fairness.
    pub handover_share: f64,
    /// The most pairs that one rival did in a row.
    pub longest_run: u64,
}

/// Lets `count` rivals do pairs for the time of `turn`.
///
/// # Errors
/// * What mmap(2) and fork(2) answer.
/// * Kind `InvalidInput` for more than [`RIVALS_MAX_COUNT`].
/// * Kind `InvalidData` when steps were lost: the pair let two in at once.
pub fn contend<P: Pair + Sync>(
    pair: &P,
    actors: Actors,
    count: u32,
    turn: Duration,
) -> io::Result<Contention> {
    if count > RIVALS_MAX_COUNT {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let arena = Shared::<Arena>::zeroed()?;
    let compete = |own| arena.compete(own, count, pair, turn);
    match actors {
        Actors::Threads => thread::scope(|scope| {
            let compete = &compete;
            for own in 0..count {
                scope.spawn(move || compete(own));
            }
        }),
        Actors::Processes => fork_rivals(count, &compete)?,
    }
    arena.outcome(count, turn)
}

fn fork_rivals(count: u32, compete: &impl Fn(u32)) -> io::Result<()> {
    let fork = |own| {
        Child::fork(move |_| {
            compete(own);
            0
        })
    };
    // Who is forked already is killed with its handle, when the next fork or a wait fails.
    let children = (0..count).map(fork).collect::<io::Result<Vec<_>>>()?;
    for child in children {
        match child.wait()? {
            Ended::Code(0) => {}
            ended => return Err(io::Error::other(format!("a rival ended early: {ended:?}"))),
        }
    }
    Ok(())
}

/// What the rivals share beside the pair. All but `ready` and `done` is changed inside of it only.
#[derive(Debug, Default)]
#[repr(C)]
struct Arena {
    ready: AtomicU32,
    last: AtomicU32,
    run: AtomicU64,
    longest_run: AtomicU64,
    handovers: AtomicU64,
    inside: AtomicU64,
    done: [AtomicU64; RIVALS_MAX_COUNT as usize],
}

impl Arena {
    fn compete<P: Pair>(&self, own: u32, count: u32, pair: &P, turn: Duration) {
        // Where it fails, they may share a processor, which the figures show: hardly a handover.
        let _ = tie_to_processor(own);
        self.start_together(count);
        let start = Instant::now();
        let mut done = 0;
        // Ends: at the end of the turn, which the other rivals keep too, so that it waits for a
        // pair no longer than that.
        while start.elapsed() < turn {
            for _ in 0..PAIRS_BETWEEN_LOOKS {
                pair.with(|| self.enter(own));
            }
            done += PAIRS_BETWEEN_LOOKS;
        }
        // Relaxed: read after the rivals have been joined or reaped.
        self.done[own as usize].store(done, Relaxed);
    }

    fn start_together(&self, count: u32) {
        // Release pairs with the Acquire below; there is nothing to publish, but it costs nothing.
        self.ready.fetch_add(1, Release);
        let (start, limit) = (Instant::now(), Duration::from_nanos(WAIT_LIMIT_NANOS));
        // Ends: when all rivals are there, or at the limit, where one could not be started.
        while self.ready.load(Acquire) < count && start.elapsed() < limit {
            thread::yield_now();
        }
    }

    /// Relaxed, all of them, and loads and stores apart: the pair is what orders them.
    fn enter(&self, own: u32) {
        if self.last.load(Relaxed) == own {
            self.run.store(self.run.load(Relaxed) + 1, Relaxed);
        } else {
            self.last.store(own, Relaxed);
            self.run.store(1, Relaxed);
            self.handovers.store(self.handovers.load(Relaxed) + 1, Relaxed);
        }
        if self.run.load(Relaxed) > self.longest_run.load(Relaxed) {
            self.longest_run.store(self.run.load(Relaxed), Relaxed);
        }
        self.inside.store(self.inside.load(Relaxed) + 1, Relaxed);
    }

    fn outcome(&self, count: u32, turn: Duration) -> io::Result<Contention> {
        // Relaxed: the rivals are gone; joining or reaping them orders all that they did.
        let done = self.done.each_ref().map(|done| done.load(Relaxed));
        let (all, inside) = (done.iter().sum::<u64>(), self.inside.load(Relaxed));
        if all != inside {
            let lost = format!("{all} pairs were done, and {inside} counted: two were inside");
            return Err(io::Error::new(io::ErrorKind::InvalidData, lost));
        }
        let share = |part: u64| part as f64 / all.max(1) as f64;
        Ok(Contention {
            pairs_per_second: all as f64 / turn.as_secs_f64(),
            least_share: done[..count as usize].iter().copied().min().map_or(0.0, share),
            handover_share: share(self.handovers.load(Relaxed)),
            longest_run: self.longest_run.load(Relaxed),
        })
    }
}

#[expect(unsafe_code, reason = "a promise about the layout, argued here")]
// SAFETY: Atomic integers, which may be zero, and no addresses.
unsafe impl Shareable for Arena {}
