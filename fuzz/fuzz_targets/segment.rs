#![no_main]
//! See `purlin_fuzz::segment`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    purlin_fuzz::segment::run(data);
});
