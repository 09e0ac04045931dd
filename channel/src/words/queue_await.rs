//! What somebody looks at who waits for several things, of which a queue is one.

use super::cell::{EventCount, Ordering::SeqCst};
use super::position::Position;
use super::queue::View;

impl<'a> View<'a> {
    /// Whether a message is inside, or being written or taken, or none will come any more.
    pub(crate) fn has_news(self) -> bool {
        // SeqCst, both: after the caller has said that it may sleep, see `EventCount`.
        let tail = Position(self.words.tail.load(SeqCst));
        tail.is_shut() || tail.units_from(Position(self.words.head.load(SeqCst))) != 0
    }

    /// What is notified when that becomes so.
    pub(crate) fn news(self) -> &'a EventCount {
        &self.words.not_empty
    }
}
