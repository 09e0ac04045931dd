#![no_main]
//! See `purlin_fuzz::frame`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    purlin_fuzz::frame::run(data);
});
