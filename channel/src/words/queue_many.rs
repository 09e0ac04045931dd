//! How several messages are put, or taken, by one store.

use super::cell::{
    LARGE_BYTES,
    Ordering::{Acquire, Relaxed, Release},
    RUN_BYTES, fence_after_leave, leave,
};
use super::position::Position;
use super::queue::View;
use super::record::{self, State, header};

/// The same in units.
const RUN_UNITS: u64 = record::units(RUN_BYTES as u32);

/// Where messages go that are taken together: one behind the other.
pub(crate) struct Run<'a> {
    pub(crate) bytes: &'a mut [u8],
    /// Where each ends: `count_max` at most, which it has the capacity for.
    pub(crate) ends: &'a mut Vec<usize>,
    pub(crate) count_max: usize,
}

impl View<'_> {
    /// P3 to P7 of the first of these messages, as many as are small and there is room for, with
    /// the tail's lock, which is left: all of them by one store. How many.
    pub(super) fn put_small_run(self, tail: Position, messages: &[&[u8]]) -> usize {
        let words = self.words;
        let (count, end) = self.write_run(tail, messages);
        // P5, the commit. Release pairs with the Acquire in `look`, as in `move_tail`.
        words.tail.store(end.0, Release);
        leave(&words.tail_lock, self.at); // P6
        fence_after_leave(); // as in `put_small`
        words.not_empty.notify(count as u32); // P7
        count
    }

    /// P3 and P4 of as many as there is room for; how many, and where the last one ends.
    fn write_run(self, tail: Position, messages: &[&[u8]]) -> (usize, Position) {
        // Relaxed: as in `find_room`.
        let seen = Position(self.words.head_seen.load(Relaxed));
        let (mut count, mut end) = (0, tail);
        for body in messages {
            let len = body.len().min(LARGE_BYTES + 1) as u32;
            let is_small = len <= self.shape.size_max && len as usize <= LARGE_BYTES;
            // Of a queue that counts or takes pages, the caller has looked for the first only.
            let is_too_much = count > 0
                && (end.units_from(tail) + record::units(len) > RUN_UNITS
                    || !self.shape.face.is_plain());
            if !is_small || is_too_much || !(self.fits(end, seen, len) || self.fits_now(end, len)) {
                break;
            }
            // Relaxed: published by P5. Killed before P5: garbage beyond the tail.
            self.ring.unit(end.place()).store(header(State::Ready, len), Relaxed);
            self.ring.write(end.place() + 1, body);
            end = end.past(record::units(len));
            count += 1;
        }
        (count, end)
    }

    /// G3 to G8 of the oldest messages, as many as are small, fit, and nobody else works at, with
    /// the head's lock, which is left: all of them by one store. How many; of none, the lock is
    /// kept.
    pub(super) fn take_run(self, head: Position, run: &mut Run<'_>) -> usize {
        let words = self.words;
        let end = self.read_run(head, run);
        if end != head {
            // G6, the commit. Release pairs with the Acquire in `fits_now`, as in `move_head`.
            words.head.store(end.0, Release);
            self.give_pages(end); // V1 to V3
            leave(&words.head_lock, self.at); // G7
            self.tell_moved(true); // G8
        }
        run.ends.len()
    }

    /// G3 to G5 of as many as there are and fit; where the last one ends.
    fn read_run(self, head: Position, run: &mut Run<'_>) -> Position {
        let (mut end, mut filled) = (head, 0);
        // Never beyond their capacity: no memory is taken under the lock.
        while run.ends.len() < run.count_max.min(run.ends.capacity()) {
            let unit_count = self.tail_beyond(end).units_from(end);
            if unit_count == 0 {
                break; // of an unbounded one there may be no page there
            }
            // Acquire: as in `look`.
            let first = self.ring.unit(end.place()).load(Acquire);
            let len = record::len(first);
            let is_too_much = end != head && end.units_from(head) + record::units(len) > RUN_UNITS;
            let room = run.bytes.get_mut(filled..).and_then(|left| left.get_mut(..len as usize));
            let is_next = self.is_plain(first, unit_count) && !is_too_much;
            let Some(body) = room.filter(|_| is_next) else { break };
            self.ring.read(end.place() + 1, body);
            filled += len as usize;
            run.ends.push(filled);
            end = end.past(record::units(len));
        }
        end
    }
}
