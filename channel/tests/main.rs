//! The tests of this crate's public face.

mod bad_input;
mod bounded;
mod death;
mod many;
mod pipe;
mod pipe_bad;
mod pipe_death;
mod queue;
mod shared;
mod shared_bad;
mod wait;
