//! Who notices what is wrong with a shared array.

use super::Noticed::These;
use super::{Noticed, Table};

pub(super) const TABLE: Table =
    Table { groups: &["array"], faults: &[FAULTS, NAPS], long: &["array/writer-killed-half-way"] };

const FAULTS: &[(&str, Noticed)] = &[
    (
        "fault-array-set-is-lost",
        These(&[
            "array/child-writes",
            "array/child-changes-all",
            "array/index-out-of-range",
            "array/wrong-type",
            "array/element-too-large",
            "array/own-lock",
            "array/no-lock",
            "array/holder-killed",
            "array/maker-killed",
            "array/fork-chain",
            "array/range-after-death",
        ]),
    ),
    (
        "fault-array-set-is-refused",
        These(&[
            "array/child-writes",
            "array/child-changes-all",
            "array/index-out-of-range",
            "array/wrong-type",
            "array/element-too-large",
            "array/own-lock",
            "array/no-lock",
            "array/holder-killed",
            "array/maker-killed",
            "array/fork-chain",
            "array/range-after-death",
        ]),
    ),
    ("fault-array-add-is-lost", These(&["array/running-sums", "array/neighbours"])),
    ("fault-array-adds-elsewhere", These(&["array/running-sums", "array/neighbours"])),
    (
        "fault-array-begins-with-ones",
        These(&[
            "array/from-size",
            "array/too-large",
            "array/own-lock",
            "array/given-lock",
            "array/never-torn",
        ]),
    ),
    (
        "fault-array-loses-the-last",
        These(&[
            "array/child-writes",
            "array/child-changes-all",
            "array/running-sums",
            "array/from-sequence",
            "array/index-out-of-range",
            "array/range-read",
            "array/range-write",
            "array/range-of-other-length",
            "array/made-of-wrong-type",
            "array/made-of-too-large",
            "array/iterated",
            "array/range-after-death",
        ]),
    ),
    ("fault-array-grows", These(&["array/nothing-appended", "array/nothing-deleted"])),
    ("fault-array-is-never-empty", These(&["array/empty", "array/negative-length"])),
    ("fault-array-length-has-no-sign", These(&["array/negative-length"])),
    ("fault-array-size-is-cut", These(&["array/too-large", "array/no-space"])),
    ("fault-array-type-is-guessed", These(&["array/unknown-type"])),
    ("fault-array-counts-by-guess", These(&["array/uncounted"])),
    ("fault-array-index-unchecked", These(&["array/empty", "array/index-out-of-range"])),
    ("fault-array-index-has-no-sign", These(&["array/index-from-end"])),
    ("fault-array-range-ends-late", These(&["array/range-read"])),
    ("fault-array-copy-is-changed-first", These(&["array/range-read"])),
    ("fault-array-step-is-one", These(&["array/range-steps"])),
    (
        "fault-array-write-is-lost",
        These(&[
            "array/from-size",
            "array/range-write",
            "array/range-of-other-length",
            "array/range-with-bad-element",
            "array/range-after-death",
        ]),
    ),
    ("fault-array-range-length-unchecked", These(&["array/range-of-other-length"])),
    ("fault-array-takes-anything", These(&["array/range-with-bad-element", "array/wrong-type"])),
    ("fault-array-is-made-of-anything", These(&["array/made-of-wrong-type"])),
    ("fault-array-wraps", These(&["array/element-too-large"])),
    (
        "fault-array-is-made-wrapped",
        These(&[
            "array/running-sums",
            "array/from-sequence",
            "array/range-write",
            "array/made-of-too-large",
        ]),
    ),
    ("fault-array-goes-backwards", These(&["array/iterated"])),
    ("fault-array-contains-all", These(&["array/iterated"])),
    ("fault-records-are-copies", These(&["array/records"])),
    ("fault-array-text-is-short", These(&["array/text", "array/text-fills-exactly", "array/raw"])),
    ("fault-array-text-of-any-length", These(&["array/text-fills-exactly"])),
    ("fault-array-raw-ends-at-zero", These(&["array/raw"])),
    ("fault-array-set-passes-lock-by", These(&["array/own-lock"])),
    (
        "fault-array-lock-is-none",
        These(&[
            "array/own-lock",
            "array/given-lock",
            "array/no-lock",
            "array/holder-killed",
            "array/writer-killed-half-way",
            "array/range-after-death",
            "array/iterated-under-lock",
        ]),
    ),
    ("fault-array-has-another-lock", These(&["array/given-lock", "array/not-a-lock"])),
    ("fault-array-always-has-a-lock", These(&["array/no-lock"])),
    ("fault-array-range-is-many-steps", These(&["array/range-is-one-step"])),
    ("fault-array-is-written-in-halves", These(&["array/never-torn"])),
    (
        "fault-array-death-untold",
        These(&["array/holder-killed", "array/writer-killed-half-way", "array/range-after-death"]),
    ),
    (
        "fault-array-access-fails-for-ever",
        These(&[
            "array/running-sums",
            "array/from-size",
            "array/empty",
            "array/index-out-of-range",
            "array/index-from-end",
            "array/own-lock",
            "array/given-lock",
            "array/no-lock",
            "array/holder-killed",
            "array/maker-killed",
        ]),
    ),
    ("fault-array-torn-range-untold", These(&["array/range-after-death"])),
    ("fault-array-sent-is-a-copy", These(&["array/sent"])),
];

/// Waits that nap and then come back.
const NAPS: &[(&str, Noticed)] = &[("fault-array-naps", These(&["array/own-lock"]))];
