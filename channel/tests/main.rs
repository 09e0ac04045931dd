//! The tests of this crate's public face.

mod bad_input;
mod bounded;
mod death;
mod many;
mod queue;
mod shared;
mod shared_bad;
