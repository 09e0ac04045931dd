//! Tests of a program with a `main` of its own, which may be started as something else first.

use libtest_mimic::{Failed, Trial};

/// Each of these by its name.
pub(crate) fn trials(tests: &[(&str, fn())]) -> Vec<Trial> {
    let trial = |&(name, test): &(&str, fn())| {
        Trial::test(name, move || {
            std::panic::catch_unwind(test).map_err(|_| Failed::without_message())
        })
    };
    tests.iter().map(trial).collect()
}
