//! Faults planted beneath the words, each of which some model must notice. A word's own file is
//! never touched: its exchanges, sleeps and questions are answered wrongly instead.

use core::cell::Cell;

use loom::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{self, Acquire, Relaxed, Release, SeqCst},
};

use crate::life;

// The words' bits, as their own file has them.
const OWNER_MASK: u64 = !(UNVOUCHED | WAITERS);
const UNVOUCHED: u64 = 1 << 30;
const WAITERS: u64 = 1 << 31;

// An event's.
const EVENT_SET: u64 = 1;
const EVENT_FLAGS: u64 = EVENT_SET | 1 << 1;
// A barrier's bits, likewise. Its rounds are few in a model, and no token is so low.
const ROUNDS_END: u64 = 1 << 10;
const PHASE_MASK: u64 = 3;
const BROKEN_PHASE: u64 = 2;
const ARRIVED_MARK: u64 = 1 << 30;
const BROKEN_MARK: u64 = 2 << 30;
const TOKEN_MASK: u64 = ARRIVED_MARK - 1;

// Where a queue's ends count, above where they stand.
const COUNT_SHIFT: u32 = 36;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Exchanges release nothing.
    ReleaseForgotten,
    /// Exchanges and fences acquire nothing.
    AcquireForgotten,
    /// A wake wakes nobody.
    WakeForgotten,
    /// A sleep does not look at the word first.
    SleepWithoutLook,
    /// Who is alive is called dead.
    DeadTooEarly,
    /// Nobody is called dead.
    NeverDead,
    /// The number of slices does not reach who answers for the dead.
    SecondOpinionForgotten,
    /// A free word is taken by a store.
    TakeByStore,
    /// A dead holder's word is taken over by a store.
    TakeoverByStore,
    /// The lock is given back by a store, whoever holds it.
    ReleaseByStore,
    /// Who takes the word after a sleep does not say that others may sleep.
    WaitersLostAtTake,
    /// Who takes over does not either, nor keeps what stood there: harmless, see its test.
    WaitersLostAtTakeover,
    /// Who gives up after a sleep does not say so either.
    WaitersLostAtLimit,
    /// A takeover does not say that an owner died.
    UnvouchedLostAtTakeover,
    /// Who takes an unvouched word that is free does not keep it unvouched.
    UnvouchedLostAtTake,
    /// A release vouches.
    UnvouchedLostAtRelease,
    /// A recovery does not vouch.
    UnvouchedKeptAtRecovery,
    /// All threads of a process are one to its words.
    ThreadForgotten,
    /// An event is set by a store.
    SetByStore,
    /// An event that is set is set by a look at it.
    SetLooksFirst,
    /// An event is cleared by a store.
    ClearByStore,
    /// A set does not move the epoch on.
    EpochStays,
    /// A wake for all wakes one.
    OneOfAllWoken,
    /// Who takes over from a dead holder begins with its depth.
    DepthKeptAtTakeover,
    /// What ran once has run just now.
    TimesStayRecent,
    /// A barrier's round is completed by a store, whatever has become of it.
    CompleteByStore,
    /// It is broken by a store, whatever has become of it.
    BreakByStore,
    /// A reset marks no cells.
    MarkForgotten,
    /// A reset marks them by a store.
    MarkByStore,
    /// Who was woken and finds more than it needs wakes nobody.
    BatonForgotten,
    /// Who takes a unit takes away that others may sleep.
    FlagTakenWithUnit,
    /// Units are given by a store, whatever there are by now.
    GiveByStore,
    /// Between a change and a look at another word there is no order.
    FenceForgotten,
    /// Stores release nothing.
    StoreReleasesNothing,
    /// Of two messages that are put or taken at once each is so by a store of its own.
    RunByTwoStores,
}

/// Loom's atomics, whatever their width.
pub(crate) trait Modelled {
    fn load(&self, order: Ordering) -> u64;
    fn store(&self, value: u64, order: Ordering);
    fn compare_exchange(
        &self,
        current: u64,
        new: u64,
        orders: (Ordering, Ordering),
    ) -> Result<u64, u64>;
}

macro_rules! modelled {
    ($name:ident, $value:ty) => {
        impl Modelled for $name {
            fn load(&self, order: Ordering) -> u64 {
                $name::load(self, order).into()
            }

            fn store(&self, value: u64, order: Ordering) {
                $name::store(self, value as $value, order);
            }

            fn compare_exchange(
                &self,
                current: u64,
                new: u64,
                (success, failure): (Ordering, Ordering),
            ) -> Result<u64, u64> {
                let (current, new) = (current as $value, new as $value);
                $name::compare_exchange(self, current, new, success, failure)
                    .map(u64::from)
                    .map_err(u64::from)
            }
        }
    };
}

modelled!(AtomicU32, u32);
modelled!(AtomicU64, u64);

std::thread_local! {
    static PLANTED: Cell<Option<Fault>> = const { Cell::new(None) };
    /// The token of who has taken over last, and has not begun its depth yet; 0 for nobody.
    static TAKEN_OVER_BY: Cell<u32> = const { Cell::new(0) };
    /// The token of who has taken a permit last, and has given none since; 0 for nobody.
    static TAKEN_BY: Cell<u32> = const { Cell::new(0) };
}

/// Whether `fault` is planted in the models that this thread runs.
pub(crate) fn is(fault: Fault) -> bool {
    PLANTED.get() == Some(fault)
}

/// Runs `act` with `fault` planted, also if it panics.
pub(crate) fn plant<R>(fault: Fault, act: impl FnOnce() -> R) -> R {
    struct Unplant;
    impl Drop for Unplant {
        fn drop(&mut self) {
            PLANTED.set(None);
        }
    }
    let _unplant = Unplant;
    PLANTED.set(Some(fault));
    act()
}

/// Whether the planted fault leaves a store out.
pub(crate) fn store_is_lost() -> bool {
    let is_its_begin = TAKEN_OVER_BY.get() == life::running_token();
    is(Fault::DepthKeptAtTakeover) && is_its_begin && TAKEN_OVER_BY.replace(0) != 0
}

/// An ordering as the planted fault leaves it.
pub(crate) fn ordering(order: Ordering) -> Ordering {
    match (PLANTED.get(), order) {
        (Some(Fault::ReleaseForgotten), Release) | (Some(Fault::AcquireForgotten), Acquire) => {
            Relaxed
        }
        (Some(Fault::ReleaseForgotten), SeqCst) => Acquire,
        (Some(Fault::AcquireForgotten), SeqCst) => Release,
        _ => order,
    }
}

/// The same of a load.
pub(crate) fn load_ordering(order: Ordering) -> Ordering {
    match (is(Fault::AcquireForgotten), order) {
        (true, SeqCst) => Relaxed,
        _ => ordering(order),
    }
}

/// The same of a store.
pub(crate) fn store_ordering(order: Ordering) -> Ordering {
    if is(Fault::StoreReleasesNothing) { Relaxed } else { order }
}

/// What the planted fault stores before this: the half of what an end of a queue passes, where that
/// is two messages, which are alike.
pub(crate) fn half_of(word: &impl Modelled, value: u64) -> Option<u64> {
    if !is(Fault::RunByTwoStores) {
        return None;
    }
    let passed = value.wrapping_sub(word.load(Relaxed));
    (passed >> COUNT_SHIFT == 2).then(|| value - passed / 2)
}

/// Whether the planted fault leaves out the wake that the running process is about to make.
pub(crate) fn is_baton_lost() -> bool {
    is(Fault::BatonForgotten) && TAKEN_BY.get() == life::running_token()
}

/// A compare-and-exchange as the planted fault makes it.
pub(crate) fn exchange(
    word: &impl Modelled,
    current: u64,
    new: u64,
    (success, failure): (Ordering, Ordering),
) -> Result<u64, u64> {
    let Some(fault) = PLANTED.get() else {
        return word.compare_exchange(current, new, (success, failure));
    };
    let success = ordering(success);
    if fault == Fault::DepthKeptAtTakeover {
        let is_taken_over = is_taken_over(current, new);
        TAKEN_OVER_BY.set(if is_taken_over { (new & OWNER_MASK) as u32 } else { 0 });
    }
    if fault == Fault::BatonForgotten && is_permit(current ^ new) {
        TAKEN_BY.set((new & TOKEN_MASK) as u32);
    }
    if fault == Fault::SetLooksFirst && current & new & EVENT_SET != 0 {
        return Ok(current);
    }
    if is_stored(fault, current, new) {
        return store_after_look(word, current, new);
    }
    if fault == Fault::MarkForgotten && is_marked(current, new) {
        return Ok(current);
    }
    if fault == Fault::WaitersLostAtLimit && new == current | WAITERS && life::is_limit_passed() {
        return Ok(current);
    }
    word.compare_exchange(current, spoiled(fault, current, new), (success, failure))
}

/// Whether a word that is written for the first time, or back to nothing, is a permit: an owner's
/// token is greater than what else there is.
const fn is_permit(changed: u64) -> bool {
    changed & TOKEN_MASK >= ROUNDS_END
}

/// Whether one owner comes in another's place.
const fn is_taken_over(current: u64, new: u64) -> bool {
    let (before, after) = (current & OWNER_MASK, new & OWNER_MASK);
    before != 0 && after != 0 && before != after
}

const fn is_stored(fault: Fault, current: u64, new: u64) -> bool {
    let (before, after) = (current & OWNER_MASK, new & OWNER_MASK);
    let is_round = is_of_a_round(current) && is_of_a_round(new);
    let (units_before, units_after) = (current & !WAITERS, new & !WAITERS);
    match fault {
        Fault::CompleteByStore => is_round && current & PHASE_MASK == 0 && new & PHASE_MASK == 0,
        Fault::BreakByStore => is_round && new & PHASE_MASK == BROKEN_PHASE,
        Fault::MarkByStore => is_marked(current, new),
        Fault::TakeByStore => before == 0 && after != 0,
        Fault::TakeoverByStore => is_taken_over(current, new),
        Fault::ReleaseByStore => after == 0,
        Fault::GiveByStore => is_of_a_round(units_after) && units_after > units_before,
        Fault::SetByStore => new & EVENT_SET != 0,
        _ => false,
    }
}

/// Whether a word can be a barrier's `state`, and is in use.
const fn is_of_a_round(word: u64) -> bool {
    word < ROUNDS_END
}

/// Whether a reset marks a cell.
const fn is_marked(current: u64, new: u64) -> bool {
    current & TOKEN_MASK != 0 && current ^ new == ARRIVED_MARK | BROKEN_MARK
}

/// The exchange that looks first and writes afterwards.
fn store_after_look(word: &impl Modelled, current: u64, new: u64) -> Result<u64, u64> {
    if new != 0 {
        let seen = word.load(Acquire);
        if seen != current {
            return Err(seen);
        }
    }
    word.store(new, Release);
    Ok(current)
}

const fn spoiled(fault: Fault, current: u64, new: u64) -> u64 {
    let (before, after) = (current & OWNER_MASK, new & OWNER_MASK);
    let is_taken_over = is_taken_over(current, new);
    match fault {
        Fault::WaitersLostAtTake if before == 0 => new & !WAITERS,
        Fault::WaitersLostAtTakeover if is_taken_over => new & !WAITERS,
        Fault::UnvouchedLostAtTake if before == 0 => new & !UNVOUCHED,
        Fault::UnvouchedLostAtTakeover if is_taken_over => new & !UNVOUCHED,
        Fault::UnvouchedLostAtRelease if after == 0 => new & !UNVOUCHED,
        Fault::UnvouchedKeptAtRecovery if before == after => new | (current & UNVOUCHED),
        Fault::FlagTakenWithUnit if (new & !WAITERS) < current & !WAITERS => new & !WAITERS,
        Fault::EpochStays => new & EVENT_FLAGS | current & !EVENT_FLAGS,
        _ => new,
    }
}
