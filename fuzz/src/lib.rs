//! What comes from others, as bytes: whatever they say, nothing panics, crashes or reads outside.
//!
//! Each module is one target: a function from any bytes to a word that tells how far they came. The
//! fuzzer's programs under `fuzz_targets/` do no more than call it; the tests of the main workspace
//! (`conformance/tests/untrusted.rs`) call the same functions with what lies in `corpus/`.
//!
//! # What this crate does not do
//! * Check what a call answers: see the tests beside each crate. Any answer is fine here, but for
//!   the few that would show a leak or a contradiction.
//! * Look into races: one thread does all. See `sync/tests/mutations.rs` for a peer that writes
//!   meanwhile.
//! * Build on stable Rust, as a fuzzer; the functions do.
#![deny(unsafe_code)]

mod descriptors;
pub mod frame;
pub mod handover;
mod input;
pub mod line;
pub mod luggage;
pub mod ring;
pub mod script;
pub mod segment;
mod types;
