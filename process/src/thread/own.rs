//! Who the calling thread is.

use std::cell::RefCell;

use super::handle::{End, Thread};
use super::list::threads;
use crate::sys::thread as system;

thread_local! {
    static OWN: RefCell<Option<Own>> = const { RefCell::new(None) };
}

/// What a thread knows itself by.
struct Own(Thread);

impl Drop for Own {
    fn drop(&mut self) {
        // Those that this module starts have told their end before; of others this is it. The first
        // thread's values go when the process does, and then nobody is left to be told.
        if !self.0.is_started_here() && self.0.native_id() != Some(system::first_id()) {
            self.0.end_here(End::Returned);
        }
    }
}

/// Called by a thread that this module starts, before its function.
pub(super) fn begin(thread: &Thread) {
    thread.begin_here();
    OWN.with(|own| own.replace(Some(Own(thread.clone()))));
}

/// The calling thread, which is listed from now on if it was not.
pub(super) fn current() -> Thread {
    if let Some(thread) = kept().filter(Thread::is_of_this_process) {
        return thread;
    }
    let is_first = system::current_id() == system::first_id();
    let thread = if is_first { threads().main() } else { listed_foreign() };
    // A thread whose local values are going cannot keep it: it is listed no longer than this call.
    let Ok(_before) = OWN.try_with(|own| own.replace(Some(Own(thread.clone())))) else {
        if !is_first {
            thread.end_here(End::Returned);
        }
        return thread;
    };
    thread
}

/// The thread that forked this process, if the calling thread is that one.
pub(super) fn who_forked() -> Option<Thread> {
    let is_first = system::current_id() == system::first_id();
    kept().filter(|thread| is_first && !thread.is_of_this_process())
}

fn listed_foreign() -> Thread {
    let name = std::thread::current().name().unwrap_or("foreign").to_owned();
    let thread = Thread::foreign(name);
    threads().add(thread.clone());
    thread
}

fn kept() -> Option<Thread> {
    OWN.try_with(|own| own.borrow().as_ref().map(|own| own.0.clone())).ok().flatten()
}
