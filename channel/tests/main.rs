//! The tests of this crate's public face.

mod bad_input;
mod bounded;
mod death;
mod joinable;
mod limits;
mod many;
mod queue;
mod simple;
mod spsc;
mod unbounded;
