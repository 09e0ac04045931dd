//! `membarrier(2)`: a barrier in all threads that run, of all processes that asked for it, by who
//! seldom needs one; so that those who would need one often leave theirs out.

use rustix::thread::{MembarrierCommand, membarrier};

/// Has this process be reached by [`reach`] of all others, from now on and until it executes
/// another program. False where the kernel does not offer it.
pub(crate) fn register() -> bool {
    membarrier(MembarrierCommand::RegisterGlobalExpedited).is_ok()
}

/// A full barrier here, and in each thread that runs of a process that has registered. Those that
/// do not run had one when they stopped. False where the kernel does not offer it.
pub(crate) fn reach() -> bool {
    membarrier(MembarrierCommand::GlobalExpedited).is_ok()
}
