//! The words in shared memory and their algorithms, a file each. They know no segment and no
//! handle. What they stand on (atomics, sleeping, who is alive) they take from `super::cell`, so
//! that the models can read the very same files with a `cell` of their own.

pub(crate) mod barrier;
mod barrier_bits;
mod barrier_mend;
pub(crate) mod barrier_wait;
pub(crate) mod bits;
pub(crate) mod cell;
pub(crate) mod checked;
pub(crate) mod condition;
pub(crate) mod depth;
pub(crate) mod event;
pub(crate) mod event_count;
pub(crate) mod exclusive;
pub(crate) mod handover;
pub(crate) mod inner;
pub(crate) mod lock;
pub(crate) mod rlock;
pub(crate) mod semaphore;
pub(crate) mod tracked;
pub(crate) mod wait;
pub(crate) mod watch;

#[cfg(test)]
mod tests {
    use super::cell::Deadline;
    use super::wait::Wait;

    fn looks(wait: &mut Wait, loads: usize) -> usize {
        (0..).take_while(|_| wait.spins_between(loads)).count()
    }

    #[test]
    fn a_wait_looks_six_times_before_it_sleeps_and_a_try_never_spins() {
        let mut wait = Wait::new(1, Deadline::never());
        assert_eq!(looks(&mut wait, 1), 6); // 1 + 2 + 4 + 8 + 16 + 32 turns
        assert!(!wait.spins(), "what is used up stays so until a sleep");
        assert_eq!(looks(&mut Wait::new(1, Deadline::passed()), 1), 0);
    }

    #[test]
    fn a_look_at_many_words_counts_as_so_many_turns() {
        assert_eq!(looks(&mut Wait::new(1, Deadline::never()), 20), 3); // 20 each
        assert_eq!(looks(&mut Wait::new(1, Deadline::never()), 1000), 1);
        assert_eq!(looks(&mut Wait::new(1, Deadline::never()), 0), 6);
    }
}
