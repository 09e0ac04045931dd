//! What several actors did at the same time, and what each was told.

use super::Model;

/// One call of a history, with the span of time in which it took effect if it did. Times are of one
/// clock for all, in nanoseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Event<C, T> {
    /// What was done, and by whom.
    pub call: C,
    /// It took effect no earlier.
    pub entered: u64,
    /// How it ended.
    pub end: End<T>,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End<T> {
    /// It took effect no later than this, and was told so.
    Returned {
        /// When.
        at: u64,
        /// What.
        told: T,
    },
    /// Its caller died: it took effect before that, or not at all.
    CutOff,
    /// It still waits when all is quiet: it took no effect.
    Blocked,
}

/// One line a caller, whose events follow each other. After an event that is cut off comes the
/// death, which is an event too; one that is blocked is the last.
#[derive(Debug, Clone, PartialEq)]
pub struct History<C, T> {
    /// The lines.
    pub lines: Vec<Vec<Event<C, T>>>,
}

/// The history of a model's object.
pub type HistoryOf<M> = History<<M as Model>::Call, <M as Model>::Told>;

impl<C, T> History<C, T> {
    /// A history of so many callers, with no event yet.
    #[must_use]
    pub fn new(line_count: usize) -> Self {
        Self { lines: (0..line_count).map(|_| Vec::new()).collect() }
    }

    /// How many events it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.iter().map(Vec::len).sum()
    }

    /// Whether nothing happened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> End<T> {
    /// When it was over, if anybody was told.
    pub(crate) const fn at(&self) -> Option<u64> {
        match self {
            Self::Returned { at, .. } => Some(*at),
            Self::CutOff | Self::Blocked => None,
        }
    }
}
