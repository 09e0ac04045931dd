//! Which thread of its process is calling: a number that is given once.
//!
//! The system's own thread ids are given again; a lock that names its holder by one would be
//! inherited by whoever comes next. These are never given twice in a process, and a forked child,
//! which goes on counting where its parent was, has another token to go with them.

use core::cell::Cell;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// The last number that was given.
static LAST: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// 0 until it is asked for. Nothing to drop, so it is there while a thread ends, too.
    static NUMBER: Cell<u32> = const { Cell::new(0) };
}

/// The calling thread's number, from 1 on; 0 when the process has had 2^32 - 1 threads that asked.
#[inline]
#[must_use]
pub fn number() -> u32 {
    match NUMBER.get() {
        0 => give(),
        number => number,
    }
}

#[cold]
fn give() -> u32 {
    // Relaxed, both: a number that nobody else gets, and nothing is read by its means.
    let last = LAST.fetch_update(Relaxed, Relaxed, |last| last.checked_add(1));
    let number = last.map_or(0, |last| last + 1);
    NUMBER.set(number);
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_keeps_its_number_and_none_is_given_again() {
        let mine = number();
        let others = [(); 50].map(|()| std::thread::spawn(number).join().unwrap());
        let distinct: std::collections::BTreeSet<_> = others.into_iter().chain([mine]).collect();
        assert_eq!((distinct.len(), number()), (51, mine));
        assert!(!distinct.contains(&0));
    }
}
