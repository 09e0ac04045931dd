//! The sweep, turned on the library and on itself.

mod faults;
mod harness;
mod sample;
mod support;
