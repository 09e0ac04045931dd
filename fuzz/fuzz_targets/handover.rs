#![no_main]
//! See `purlin_fuzz::handover`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    purlin_fuzz::handover::run(data);
});
