#![no_main]
//! See `purlin_fuzz::script`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    purlin_fuzz::script::run(data);
});
