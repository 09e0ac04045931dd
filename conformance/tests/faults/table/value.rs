//! Who notices what is wrong with a shared value.

use super::Noticed::These;
use super::{Noticed, Table};

pub(super) const TABLE: Table = Table {
    groups: &["value"],
    faults: &[FAULTS, NAPS],
    long: &["value/many-and-freed", "value/writer-killed"],
};

const FAULTS: &[(&str, Noticed)] = &[
    (
        "fault-value-set-is-lost",
        These(&[
            "value/child-writes",
            "value/types",
            "value/extremes",
            "value/special-floats",
            "value/out-of-range",
            "value/wrong-type",
            "value/access-waits",
            "value/no-lock",
            "value/holder-killed",
            "value/access-after-holder-killed",
            "value/writer-killed",
            "value/maker-killed",
            "value/many-and-freed",
        ]),
    ),
    (
        "fault-value-set-is-refused",
        These(&[
            "value/child-writes",
            "value/types",
            "value/extremes",
            "value/special-floats",
            "value/out-of-range",
            "value/wrong-type",
            "value/access-waits",
            "value/no-lock",
            "value/holder-killed",
            "value/access-after-holder-killed",
            "value/writer-killed",
            "value/maker-killed",
            "value/many-and-freed",
        ]),
    ),
    (
        "fault-value-begins-otherwise",
        These(&[
            "value/initial",
            "value/without-initial",
            "value/whole-number-into-float",
            "value/own-lock",
            "value/access-waits",
            "value/given-lock",
            "value/increment-under-lock",
            "value/atomic-add",
        ]),
    ),
    ("fault-value-keeps-16-bits", These(&["value/types", "value/extremes", "value/atomic-add"])),
    ("fault-value-is-finite", These(&["value/types", "value/special-floats"])),
    ("fault-value-has-no-sign", These(&["value/special-floats"])),
    ("fault-value-is-rounded-to-less", These(&["value/whole-number-into-float"])),
    ("fault-value-wraps", These(&["value/types", "value/out-of-range", "value/many-and-freed"])),
    (
        "fault-value-takes-anything",
        These(&[
            "value/child-writes",
            "value/extremes",
            "value/special-floats",
            "value/wrong-type",
        ]),
    ),
    ("fault-value-type-is-guessed", These(&["value/unknown-type"])),
    ("fault-record-is-a-copy", These(&["value/record"])),
    ("fault-value-lock-always-taken", These(&["value/own-lock", "value/scope"])),
    (
        "fault-value-lock-is-none",
        These(&[
            "value/own-lock",
            "value/access-waits",
            "value/no-lock",
            "value/increment-under-lock",
            "value/holder-killed",
            "value/access-after-holder-killed",
            "value/scope",
        ]),
    ),
    (
        "fault-value-get-passes-lock-by",
        These(&["value/access-waits", "value/given-lock", "value/given-lock-own-read"]),
    ),
    ("fault-value-set-passes-lock-by", These(&["value/access-waits"])),
    (
        "fault-value-has-another-lock",
        These(&["value/given-lock", "value/given-lock-own-read", "value/not-a-lock"]),
    ),
    ("fault-value-always-has-a-lock", These(&["value/no-lock"])),
    (
        "fault-value-add-is-lost",
        These(&["value/increment-under-lock", "value/increment-without-lock"]),
    ),
    (
        "fault-value-adds-too-much",
        These(&["value/increment-under-lock", "value/increment-without-lock"]),
    ),
    ("fault-value-atomic-add-is-none", These(&["value/atomic-add"])),
    ("fault-value-is-written-in-halves", These(&["value/never-torn", "value/writer-killed"])),
    (
        "fault-value-death-untold",
        These(&["value/holder-killed", "value/access-after-holder-killed"]),
    ),
    (
        "fault-value-access-fails-for-ever",
        These(&[
            "value/child-writes",
            "value/initial",
            "value/types",
            "value/extremes",
            "value/special-floats",
            "value/whole-number-into-float",
            "value/own-lock",
            "value/access-waits",
            "value/given-lock",
            "value/given-lock-own-read",
            "value/no-lock",
            "value/increment-under-lock",
            "value/atomic-add",
            "value/never-torn",
            "value/holder-killed",
            "value/access-after-holder-killed",
            "value/writer-killed",
            "value/maker-killed",
            "value/copy",
            "value/many-and-freed",
        ]),
    ),
    ("fault-value-scope-takes-nothing", These(&["value/scope"])),
    ("fault-value-sent-is-a-copy", These(&["value/sent"])),
    ("fault-value-copy-is-the-same", These(&["value/copy"])),
    ("fault-value-is-never-freed", These(&["value/many-and-freed"])),
];

/// Waits that nap and then come back.
const NAPS: &[(&str, Noticed)] = &[("fault-value-naps", These(&["value/access-waits"]))];
