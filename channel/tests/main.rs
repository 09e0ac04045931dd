//! The tests of this crate's public face.

mod bad_input;
mod batches;
mod bounded;
mod death;
mod examples;
mod in_place;
mod joinable;
mod limits;
mod many;
mod pipe;
mod pipe_bad;
mod pipe_death;
mod queue;
mod random;
mod random_shared;
mod shared;
mod shared_bad;
mod simple;
mod spsc;
mod typed;
mod unbounded;
mod wait;
