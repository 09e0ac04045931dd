//! A pool of those who wait for a notify. Whoever waits has a cell of its own, and sleeps on it; a
//! notification is a thing that lies in one cell, so that it is there once or not at all.
//!
//! * All cells are written by who holds the condition's lock, each step by one store or exchange.
//! * A wait takes a ticket, writes down that it waits, gives the lock up, and sleeps until its cell
//!   says that it is notified. Then it takes the lock again, and uses the notification up by the
//!   one store that frees its cell.
//! * A notify stamps the cell of who has waited longest with the ticket that is given next. Should
//!   that waiter die first, whoever has an older ticket than the stamp was waiting when the
//!   notification was given, and uses it up in the dead one's place, by the same store.
//! * Sleepers watch the lock's holder too: it may have changed what they wait for, and have died
//!   before it notified. One of them takes the lock over, and returns with the news.
//!
//! A cell whose token was never issued is taken for a dead one's. The numbers of the steps are
//! those of the kill table in ARCHITECTURE.md.

use super::bits::token;
use super::cell::{
    AtomicU32, AtomicU64, Attachment, Deadline, Error, Ordering::Relaxed, is_issued, slice,
    wait_lower, wake_one_lower,
};
use super::exclusive::{ExclusiveWord, Steps, Told};

// 63    32 31   30 29     0
// | order | state | token |    the lower half is the futex
//
// state     token       order
// FREE      any         any      nobody's; all zeros, if a step left it
// WAITING   who waits   ticket   waits since that ticket was given
// NOTIFIED  who waited  stamp    to be used up by it; if it is dead, by any with an older ticket
// 3         any         any      left by no step: taken for a dead one's
const FREE: u64 = 0;
const WAITING: u64 = 1 << 30;
const NOTIFIED: u64 = 2 << 30;
const STATE_MASK: u64 = 3 << 30;
const ORDER_SHIFT: u32 = 32;

/// Each wait whose ticket is a multiple of this first frees what nobody can use any more. Tickets
/// wrap, and those that are compared must be less than 2^31 apart.
const SWEEP_TICKET_COUNT: u32 = 1 << 20;

const fn state(cell: u64) -> u64 {
    cell & STATE_MASK
}

const fn order(cell: u64) -> u32 {
    (cell >> ORDER_SHIFT) as u32
}

const fn cell_of(order: u32, state: u64, token: u32) -> u64 {
    (order as u64) << ORDER_SHIFT | state | token as u64
}

/// Whether `one` was counted before `other`, across the wrap.
const fn is_before(one: u32, other: u32) -> bool {
    one.wrapping_sub(other).cast_signed() < 0
}

// Relaxed, all loads and stores: what is done under the lock is ordered by the lock, and who looks
// without it takes the lock before it acts.
fn get(cell: &AtomicU64) -> u64 {
    cell.load(Relaxed) // Relaxed: see above
}

fn set(cell: &AtomicU64, next: u64) {
    cell.store(next, Relaxed); // Relaxed: see above
}

fn number(word: &AtomicU32) -> u32 {
    word.load(Relaxed) // Relaxed: see above
}

fn set_number(word: &AtomicU32, next: u32) {
    word.store(next, Relaxed); // Relaxed: see above
}

/// How a wait ended. The lock is held again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the lock is held again, and it may be suspect"]
pub struct Woken<H> {
    /// What the acquire at its end gave: whether an owner died is told there.
    pub acquired: H,
    /// Whether a notify was for this wait. If not, its limit has passed or an owner has died.
    pub is_notified: bool,
}

/// What a pool has beside its cells. All zeros is one in which nobody waits.
//
// ticket   the number of the next wait
// reach    cells from here on are FREE. Written before a cell beyond it is, so that it may be too
//          large, when its writer was killed in between, and never too small
#[repr(C)]
pub(crate) struct PoolHead {
    pub(super) ticket: AtomicU32,
    pub(super) reach: AtomicU32,
}

/// A pool, as whoever works on it sees it.
#[derive(Clone, Copy)]
pub(crate) struct Pool<'a> {
    head: &'a PoolHead,
    cells: &'a [AtomicU64],
}

impl<'a> Pool<'a> {
    pub(crate) const fn new(head: &'a PoolHead, cells: &'a [AtomicU64]) -> Self {
        Self { head, cells }
    }

    /// Gives the lock up, waits for a notify, and takes the lock again. `deadline` ends the wait
    /// for a notify; the return takes the time that the lock takes.
    ///
    /// # Errors
    /// As those of [`Condition::wait_kept`](crate::Condition::wait_kept).
    pub(crate) fn wait(
        self,
        lock: &ExclusiveWord<impl Steps>,
        at: &Attachment,
        deadline: Deadline,
    ) -> Result<Woken<Told>, Error> {
        if !lock.is_mine(at) {
            return Err(Error::NotOwner);
        }
        let (cell, mine) = self.enlist(at)?;
        let deadline = deadline.start();
        let mut waiter = Waiter { pool: self, cell, mine, lock, at, deadline, sleeps: 0 };
        waiter.wait().inspect_err(|_| waiter.withdraw())
    }

    /// Notifies the `count` who have waited longest, or all if there are fewer, and returns how
    /// many that were. Never waits.
    ///
    /// # Errors
    /// * [`Error::NotOwner`] when the caller does not hold the lock.
    #[inline]
    pub(crate) fn notify(
        self,
        lock: &ExclusiveWord<impl Steps>,
        at: &Attachment,
        count: u32,
    ) -> Result<u32, Error> {
        if !lock.is_mine(at) {
            return Err(Error::NotOwner);
        }
        if count == 0 || number(&self.head.reach) == 0 {
            return Ok(0);
        }
        Ok(self.notify_oldest(at, count))
    }

    #[cold]
    fn notify_oldest(self, at: &Attachment, count: u32) -> u32 {
        let mut notified = 0;
        // As many turns as there are cells, since each takes one out of those that wait, and while
        // the lock is held none joins them. A peer that has some join them means harm.
        for _ in self.cells {
            let Some((cell, seen)) = self.oldest() else {
                self.draw_in();
                break;
            };
            let whose = token(seen);
            if is_gone(at, whose, 0) {
                set(cell, FREE); // N1. Killed after: as before, and one dead less
                continue;
            }
            let stamp = number(&self.head.ticket);
            // N2. Relaxed: the lock orders it. Killed after: its waiter looks within a slice. It
            // fails when that has withdrawn.
            let next = cell_of(stamp, NOTIFIED, whose);
            if cell.compare_exchange(seen, next, Relaxed, Relaxed).is_ok() {
                wake_one_lower(cell); // N3
                notified += 1;
            }
            if notified == count {
                break;
            }
        }
        notified
    }

    /// Who has waited longest.
    fn oldest(self) -> Option<(&'a AtomicU64, u64)> {
        let next = number(&self.head.ticket);
        let seen = self.reached().iter().map(|cell| (cell, get(cell)));
        let waiting = seen.filter(|&(_, seen)| state(seen) == WAITING);
        waiting.max_by_key(|&(_, seen)| next.wrapping_sub(order(seen)))
    }

    /// The cells that may be taken.
    fn reached(self) -> &'a [AtomicU64] {
        let reach = number(&self.head.reach) as usize;
        self.cells.get(..reach).unwrap_or(self.cells)
    }

    /// Forgets the free cells at the end of those that may be taken.
    fn draw_in(self) {
        let last = self.reached().iter().rposition(|cell| state(get(cell)) != FREE);
        set_number(&self.head.reach, last.map_or(0, |last| last as u32 + 1));
    }

    /// W1, W2: has the caller wait, in a cell that nobody needs any more.
    fn enlist(self, at: &Attachment) -> Result<(&'a AtomicU64, u64), Error> {
        let ticket = number(&self.head.ticket);
        if ticket.is_multiple_of(SWEEP_TICKET_COUNT) {
            self.sweep(at);
        }
        let index = self.find(at).ok_or(Error::OutOfResources)?; // W1
        let mine = cell_of(ticket, WAITING, at.token());
        // W2. Killed amid these: a ticket that nobody has, a reach that is too large.
        set_number(&self.head.ticket, ticket.wrapping_add(1));
        if self.reached().len() <= index {
            set_number(&self.head.reach, index as u32 + 1);
        }
        set(&self.cells[index], mine); // Killed after: a dead one's cell, and its lock
        Ok((&self.cells[index], mine))
    }

    fn find(self, at: &Attachment) -> Option<usize> {
        let is_free = |cell: &AtomicU64| state(get(cell)) == FREE;
        let is_left = |cell: &AtomicU64| self.is_left(get(cell), at);
        let cells = self.cells;
        cells.iter().position(is_free).or_else(|| cells.iter().position(is_left))
    }

    #[cold]
    fn sweep(self, at: &Attachment) {
        let cells = self.reached().iter();
        for cell in cells.filter(|cell| self.is_left(get(cell), at)) {
            set(cell, FREE);
        }
    }

    /// Whether what stands in a cell is good for nobody any more.
    fn is_left(self, seen: u64, at: &Attachment) -> bool {
        match state(seen) {
            FREE => false,
            WAITING => is_gone(at, token(seen), 0),
            NOTIFIED => is_gone(at, token(seen), 0) && !self.has_older(order(seen), at),
            _ => true,
        }
    }

    /// Whether somebody alive waits who was waiting when `stamp` was set.
    fn has_older(self, stamp: u32, at: &Attachment) -> bool {
        self.reached().iter().any(|cell| {
            let seen = get(cell);
            state(seen) == WAITING && is_before(order(seen), stamp) && !is_gone(at, token(seen), 0)
        })
    }
}

/// Whether a cell's token is that of a dead process, or of none. A failed probe says that it lives.
fn is_gone(at: &Attachment, token: u32, slices: u32) -> bool {
    !is_issued(token) || matches!(at.is_dead(token, slices), Ok(true))
}

/// One call's wait, once its cell says so.
struct Waiter<'a, S: Steps> {
    pool: Pool<'a>,
    cell: &'a AtomicU64,
    /// What the cell holds as long as nobody has notified it. Threads of one process have the same
    /// token; no two that wait have the same ticket.
    mine: u64,
    lock: &'a ExclusiveWord<S>,
    at: &'a Attachment,
    deadline: Deadline,
    sleeps: u32,
}

impl<S: Steps> Waiter<'_, S> {
    fn wait(&mut self) -> Result<Woken<Told>, Error> {
        // W3. Killed from here on: a dead one's cell, which counts for nobody; the lock is free.
        let depth = self.lock.release_fully(self.at)?;
        // Ends: when it is notified or a death is told, or at the limit. What else takes it round
        // once is something that another has dealt with meanwhile.
        loop {
            self.sleep()?; // W4
            let told = self.lock.acquire_at_depth(self.at, Deadline::never(), depth)?; // W5
            if let Some(is_notified) = self.serve(told)? {
                return Ok(Woken { acquired: told, is_notified });
            }
            self.lock.release_fully(self.at)?; // W9
        }
    }

    /// W4: sleeps, in slices, until there is a reason to take the lock.
    fn sleep(&mut self) -> Result<(), Error> {
        loop {
            let left = self.deadline.remaining();
            let is_over = left.is_some_and(|left| left.is_zero());
            if is_over || get(self.cell) != self.mine {
                return Ok(());
            }
            let slice = slice(self.sleeps);
            wait_lower(self.cell, self.mine as u32, left.map_or(slice, |left| left.min(slice)))?;
            if get(self.cell) != self.mine || self.sees_a_death()? {
                return Ok(());
            }
            self.sleeps = self.sleeps.saturating_add(1);
        }
    }

    /// A look without the lock: whether it should be taken, since its holder is dead or somebody
    /// died who had been notified.
    fn sees_a_death(&self) -> Result<bool, Error> {
        let holder = self.lock.holder_token();
        // A holder that never was is seen by the acquire.
        let is_dead =
            holder != 0 && (!is_issued(holder) || self.at.is_dead(holder, self.sleeps)?);
        Ok(is_dead || self.lost().is_some())
    }

    /// A notification that is for this waiter too, and whose own waiter is dead.
    fn lost(&self) -> Option<&AtomicU64> {
        self.pool.reached().iter().find(|cell| {
            let (seen, own) = (get(cell), order(self.mine));
            let is_ours_too = state(seen) == NOTIFIED && is_before(own, order(seen));
            is_ours_too && is_gone(self.at, token(seen), self.sleeps)
        })
    }

    /// W6 to W8, with the lock: whether the wait is over, and was notified.
    fn serve(&self, told: Told) -> Result<Option<bool>, Error> {
        let seen = get(self.cell);
        let is_waiting = seen == self.mine;
        if !is_waiting && (state(seen), token(seen)) != (NOTIFIED, token(self.mine)) {
            self.lock.release_fully(self.at)?;
            return Err(Error::Damaged); // nobody but a notify changes the cell of one who lives
        }
        let lost = if is_waiting { self.lost() } else { None };
        let is_notified = !is_waiting || lost.is_some();
        if let Some(lost) = lost {
            // W7. Used up by this. Killed after: as after W6, and a dead one's cell is left.
            set(lost, FREE);
        }
        let is_over = self.deadline.remaining().is_some_and(|left| left.is_zero());
        if !is_notified && told == Told::Held && !is_over {
            return Ok(None);
        }
        // W6, W8. Used up by this, if it is notified. Killed after: one that had been notified, and
        // holds the lock, dies; the next holder is told.
        set(self.cell, FREE);
        Ok(Some(is_notified))
    }

    /// Gives the cell up without the lock, which could not be had. One that is notified stays so,
    /// for others, until this process ends.
    fn withdraw(&self) {
        // Relaxed: nothing is read by its means.
        let _ = self.cell.compare_exchange(self.mine, FREE, Relaxed, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_read_as_it_was_put_together() {
        let cell = cell_of(u32::MAX, NOTIFIED, 77 << 10 | 3);
        assert_eq!((order(cell), state(cell), token(cell)), (u32::MAX, NOTIFIED, 77 << 10 | 3));
        assert_eq!(FREE | WAITING | NOTIFIED, STATE_MASK);
    }

    #[test]
    fn tickets_are_compared_across_the_wrap() {
        assert!(is_before(1, 2) && !is_before(2, 1) && !is_before(2, 2));
        assert!(is_before(u32::MAX, 0) && !is_before(0, u32::MAX));
        assert!(is_before(u32::MAX - 5, 1 << 30));
    }
}
