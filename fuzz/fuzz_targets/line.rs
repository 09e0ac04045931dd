#![no_main]
//! See `purlin_fuzz::line`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    purlin_fuzz::line::run(data);
});
