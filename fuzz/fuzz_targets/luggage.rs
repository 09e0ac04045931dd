#![no_main]
//! See `purlin_fuzz::luggage`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    purlin_fuzz::luggage::run(data);
});
