//! The bits of a barrier's words.
//!
//! ```text
//!  state   31          2 1     0     the futex
//!          | round      | phase |    OPEN, COMPLETE (the action runs), BROKEN; 3 is damage
//!
//!  cell    63      32 31   30 29      0
//!          | round    | mark | token  |    FREE, ARRIVED, BROKEN; 0 is free
//!
//!  member  29      0
//!          | token  |    0 for nobody
//! ```

use super::cell::DEATH_UNSEEN_NANOS;

/// Parties arrive.
pub(super) const OPEN: u32 = 0;
/// All have come; the action runs.
pub(super) const COMPLETE: u32 = 1;
/// No round until a reset.
pub(super) const BROKEN: u32 = 2;

const PHASE_BITS: u32 = 2;
const PHASE_MASK: u32 = (1 << PHASE_BITS) - 1;
const ROUND_MASK: u32 = u32::MAX >> PHASE_BITS; // 30 bits, that run over

const TOKEN_MASK: u64 = (1 << 30) - 1;
const MARK_MASK: u64 = 3 << 30;
const ARRIVED: u64 = 1 << 30;
const MARKED_BROKEN: u64 = 2 << 30;
const ROUND_SHIFT: u32 = 32;

/// A cell that nobody uses.
pub(super) const FREE: u64 = 0;

pub(super) const fn state(round: u32, phase: u32) -> u32 {
    round << PHASE_BITS | phase
}

pub(super) const fn round(state: u32) -> u32 {
    state >> PHASE_BITS
}

pub(super) const fn phase(state: u32) -> u32 {
    state & PHASE_MASK
}

/// Whether parties of `round` still wait for it to end, one way or the other.
pub(super) const fn is_under_way(state: u32, of: u32) -> bool {
    round(state) == of && (phase(state) == OPEN || phase(state) == COMPLETE)
}

pub(super) const fn following(round: u32) -> u32 {
    round.wrapping_add(1) & ROUND_MASK
}

/// A cell of somebody who has come to `round`.
pub(super) const fn arrived(round: u32, token: u32) -> u64 {
    (round as u64) << ROUND_SHIFT | ARRIVED | token as u64
}

/// The same cell when a reset has written into it that its round was broken.
pub(super) const fn marked_broken(arrived: u64) -> u64 {
    arrived & !MARK_MASK | MARKED_BROKEN
}

pub(super) const fn is_free(cell: u64) -> bool {
    cell & MARK_MASK == 0
}

pub(super) const fn is_arrived(cell: u64, round: u32) -> bool {
    cell & MARK_MASK == ARRIVED && cell >> ROUND_SHIFT == round as u64
}

/// Whether nobody can be seen to have died who ran at `begun` or later.
pub(super) const fn is_death_unseen(begun_nanos: u64, now_nanos: u64) -> bool {
    // A time to come is forged, and says nothing.
    matches!(now_nanos.checked_sub(begun_nanos), Some(age) if age < DEATH_UNSEEN_NANOS)
}

/// How many rounds before `round` the cell's was.
pub(super) const fn age(cell: u64, round: u32) -> u32 {
    round.wrapping_sub((cell >> ROUND_SHIFT) as u32) & ROUND_MASK
}

/// Whose cell it is, or who the member is.
pub(super) const fn token(word: u64) -> u32 {
    (word & TOKEN_MASK) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predicates_read_their_own_bits() {
        let (last, me) = (ROUND_MASK, 77 << 10 | 3);
        assert_eq!((round(state(last, BROKEN)), phase(state(last, BROKEN))), (last, BROKEN));
        assert_eq!((following(last), following(7)), (0, 8));
        assert!(is_under_way(state(7, COMPLETE), 7) && !is_under_way(state(7, BROKEN), 7));
        assert!(!is_under_way(state(7, OPEN), 8) && !is_under_way(state(7, 3), 7));
        let cell = arrived(last, me);
        assert!(is_arrived(cell, last) && !is_arrived(cell, 0) && !is_free(cell));
        assert!(!is_arrived(marked_broken(cell), last) && !is_free(marked_broken(cell)));
        assert_eq!((token(cell), token(marked_broken(cell))), (me, me));
        assert_eq!((age(cell, last), age(cell, 0), age(cell, 1)), (0, 1, 2));
        assert!(is_free(FREE) && token(FREE) == 0);
    }

    #[test]
    fn no_time_but_one_just_passed_lets_a_death_be_unseen() {
        let now = 1 << 40;
        assert!(is_death_unseen(now, now) && is_death_unseen(now - DEATH_UNSEEN_NANOS + 1, now));
        for begun in [0, now - DEATH_UNSEEN_NANOS, now + 1, u64::MAX, now | 1 << 63] {
            assert!(!is_death_unseen(begun, now), "{begun}");
        }
    }
}
