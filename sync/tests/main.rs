//! The tests of this crate's public face, in one program: they share how children are started, and
//! what is surely cleaned up.

mod death;
mod fork;
mod limits;
mod liveness;
mod lock;
mod named;
mod support;
