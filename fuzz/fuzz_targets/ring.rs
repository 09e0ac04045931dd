#![no_main]
//! See `purlin_fuzz::ring`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    purlin_fuzz::ring::run(data);
});
