//! The tests of this crate's public face.

mod bad_input;
mod batches;
mod bounded;
mod death;
mod examples;
mod exhausted;
mod hostile;
mod in_place;
mod joinable;
mod limits;
mod many;
mod pipe;
mod pipe_bad;
mod pipe_death;
mod pipe_limits;
mod queue;
mod random;
mod random_shared;
mod shared;
mod shared_bad;
mod simple;
mod spsc;
mod typed;
mod unbounded;
mod versions;
mod wait;
