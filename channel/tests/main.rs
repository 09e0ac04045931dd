//! The tests of this crate's public face.

mod bad_input;
mod batches;
mod bounded;
mod death;
mod in_place;
mod joinable;
mod limits;
mod many;
mod queue;
mod random;
mod simple;
mod spsc;
mod unbounded;
