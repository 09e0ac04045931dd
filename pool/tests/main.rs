//! What pools promise, of processes by fork and by spawn and of threads.

mod bounded;
mod calls;
mod chaos;
mod deaths;
mod ends;
mod examples;
mod many;
mod user_code;

use libtest_mimic::{Arguments, Trial};

fn main() {
    purlin_process::init();
    // One after the other: they count descriptors and children.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    let all = [
        calls::TESTS,
        many::TESTS,
        user_code::TESTS,
        ends::TESTS,
        deaths::TESTS,
        examples::TESTS,
        chaos::TESTS,
    ]
    .concat();
    let trials = all.into_iter().map(|(name, test)| {
        Trial::test(name, move || {
            bounded::run(name, test);
            Ok(())
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit();
}
