//! What the objects of other crates are built of: for words of their own, where several fields
//! change together. Whoever uses a lock or a semaphore needs none of it.
//!
//! * [`InnerWord`], with [`enter`], [`enter_now`] and [`leave`]: a lock for a few bounded steps.
//!   Nobody is told of a death under it, so that what it guards has to be in order at each
//!   instruction.
//! * [`EventCount`]: what callers sleep on for a change of other words.
//! * [`Watch`], with [`sleep_on_any`]: to sleep on several words at once.
//! * [`Wait`]: what one call knows of its wait: its limit, its slices, its spins.
//! * [`has_several_processors`]: whether a spin can bring anything.
//! * [`thread_number`]: which thread of its process is calling.

pub use crate::sys::processors::has_several_processors;
pub use crate::thread::number as thread_number;
pub use crate::words::event_count::{EventCount, Key};
pub use crate::words::inner::{Inner, InnerWord, enter, enter_now, leave};
pub use crate::words::wait::Wait;
pub use crate::words::watch::{Watch, sleep_on_any};
