//! Who notices what is wrong with processes.

use super::Noticed::These;
use super::process_ends::ENDS;
use super::{Noticed, Table};

pub(super) const TABLE: Table = Table { groups: &["process"], faults: &[FAULTS, ENDS], long: LONG };

/// Cases of many rounds.
const LONG: &[&str] = &[];

/// Faults by name.
const FAULTS: &[(&str, Noticed)] = &[
    ("fault-process-join-comes-early", These(&["process/join-waits"])),
    ("fault-process-start-joins", These(&["process/join-waits"])),
    ("fault-process-cannot-start", These(&["process/function"])),
    ("fault-process-kill-asks", These(&["process/kill"])),
    ("fault-process-limit-is-no-failure", These(&["process/kill"])),
    ("fault-process-status-is-lost", These(&["process/function"])),
    ("fault-process-id-is-own", These(&["process/start-runs-function"])),
    ("fault-process-runs-nothing", These(&["process/function"])),
];
