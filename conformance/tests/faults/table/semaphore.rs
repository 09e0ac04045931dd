//! Who notices what is wrong with a semaphore.

use super::Noticed::These;
use super::{Noticed, Table};

pub(super) const TABLE: Table =
    Table { groups: &["semaphore", "bounded-semaphore"], faults: FAULTS, long: &[] };

/// Faults by name.
const FAULTS: &[(&str, Noticed)] = &[
    ("fault-semaphore-starts-higher", These(&[])),
    ("fault-semaphore-is-a-lock", These(&[])),
    ("fault-semaphore-default-is-two", These(&[])),
    ("fault-semaphore-zero-is-one", These(&[])),
    ("fault-semaphore-negative-is-zero", These(&[])),
    ("fault-semaphore-start-is-cut", These(&[])),
    ("fault-semaphore-value-stays", These(&[])),
    ("fault-semaphore-never-rises", These(&[])),
    ("fault-semaphore-release-needs-acquire", These(&[])),
    ("fault-semaphore-release-forgotten", These(&[])),
    ("fault-semaphore-releases-merge", These(&[])),
    ("fault-semaphore-many-are-one", These(&[])),
    ("fault-semaphore-many-wake-one", These(&[])),
    ("fault-semaphore-none-is-taken", These(&[])),
    ("fault-semaphore-no-greatest", These(&[])),
    ("fault-semaphore-units-return", These(&[])),
    ("fault-semaphore-death-takes", These(&[])),
    ("fault-semaphore-death-gives", These(&[])),
    ("fault-bounded-semaphore-bound-is-none", These(&[])),
    ("fault-bounded-semaphore-refusal-counts", These(&[])),
    ("fault-bounded-semaphore-fills-up", These(&[])),
    ("fault-bounded-semaphore-looks-then-adds", These(&[])),
    ("fault-bounded-semaphore-hand-over-refused", These(&[])),
    ("fault-bounded-semaphore-bound-of-zero", These(&[])),
    ("fault-tracked-semaphore-units-stay", These(&[])),
    ("fault-tracked-semaphore-untold", These(&[])),
    ("fault-tracked-semaphore-told-once", These(&[])),
    ("fault-tracked-semaphore-child-returns", These(&[])),
    ("fault-wake-in-two-steps", These(&[])),
    ("fault-wake-dies-with-woken", These(&[])),
    ("fault-wake-waits-for-woken", These(&[])),
    ("fault-stopped-holds-up-all", These(&[])),
];
