//! The system calls of this crate.

pub(crate) mod broken_pipe;
pub(crate) mod descriptor;
pub(crate) mod environment;
pub(crate) mod execution;
pub(crate) mod fork;
pub(crate) mod lifeline;
pub(crate) mod manner;
pub(crate) mod message;
pub(crate) mod origin;
pub(crate) mod overflow;
pub(crate) mod pidfd;
pub(crate) mod pipes;
pub(crate) mod processors;
pub(crate) mod program;
pub(crate) mod random;
mod ready;
pub(crate) mod signal;
pub(crate) mod standard_input;
pub(crate) mod stdio;
pub(crate) mod thread;
