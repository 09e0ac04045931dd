//! The kinds of objects that there are, and the names of what can be wrong with them: the one place
//! where a kind is registered.

use super::kind::Kind;
use super::{barrier, condition, event, fault, lock, named, queue, rlock, semaphore};

/// All kinds. The first is what an object is of which nobody has said anything.
pub(super) const KINDS: &[&Kind] = &[
    &lock::KIND,
    &named::KIND,
    &rlock::KIND,
    &condition::KIND,
    &event::KIND,
    &barrier::KIND,
    &semaphore::PLAIN,
    &semaphore::BOUNDED,
    &semaphore::TRACKED,
    &semaphore::BOUNDED_TRACKED,
    &queue::FIXED,
    &queue::GROWING,
    &queue::JOINABLE,
    &queue::SIMPLE,
];

/// The names of all faults: those of the connections, which concern every kind and the lock, and
/// those of further kinds alone.
pub(super) const FAULTS: &[&[&str]] = &[
    fault::NAMES,
    rlock::NAMES,
    condition::NAMES,
    event::NAMES,
    barrier::NAMES,
    semaphore::NAMES,
    queue::NAMES,
];

pub(super) fn find(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name).copied()
}
