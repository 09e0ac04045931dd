//! What managers promise.

mod auth;
mod bounded;
mod broken;
mod calls;
mod deaths;
mod examples;
mod kinds;
mod lasting;
mod limits;
mod locks;
mod queues;
mod raw;
mod servers;
mod sharing;
mod types;
mod wire;

use libtest_mimic::{Arguments, Trial};

fn main() {
    purlin_process::init();
    if servers::be_other_program() {
        return;
    }
    // One after the other: they count descriptors and children.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    let all = [
        servers::TESTS,
        sharing::TESTS,
        kinds::TESTS,
        locks::TESTS,
        queues::TESTS,
        types::TESTS,
        auth::TESTS,
        deaths::TESTS,
        lasting::TESTS,
        wire::TESTS,
        calls::TESTS,
        limits::TESTS,
        broken::TESTS,
        examples::TESTS,
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
