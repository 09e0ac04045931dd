//! The tests of this crate's public face.

mod bad_input;
mod bounded;
mod death;
mod joinable;
mod many;
mod queue;
mod simple;
mod unbounded;
