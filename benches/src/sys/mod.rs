//! The system calls of this crate, and the peers that it measures beside purlin.

mod barrier;
mod child;
mod condition;
mod futex;
mod memory;
mod mq;
mod mutex;
mod processor;
mod ring;
mod seccomp;
mod semaphore;
mod spsc_ring;
mod start;
mod version;

pub use barrier::SharedBarrier;
pub use child::{Child, Ended, Ends, Orphan, adopt_orphans, clone_raw, leave_thread};
pub use condition::SharedCondition;
pub use futex::{BareFlag, BareLock, BareMail};
pub use memory::{Shareable, Shared};
pub use mq::PosixQueue;
pub use mutex::{Kind, SharedMutex, Taken};
pub use processor::{is_real_time, tie_to_processor, untied};
pub use ring::BareRing;
pub use seccomp::forbid_system_calls;
pub use semaphore::SharedSemaphore;
pub use spsc_ring::BareSpsc;
pub use start::{fork_and_wait, fork_and_wait_for, spawn_and_wait};

pub(crate) use version::libc_version;
