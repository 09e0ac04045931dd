//! The sweep, turned on the library and on itself.

mod sample;
mod support;
