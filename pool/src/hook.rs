//! The panic hook of workers: what would be printed is told to the owner.
//!
//! A worker by fork has a copy of its owner's hook and of the lock before it, which another thread
//! may hold that is not there any more: a worker that set a hook could wait for ever. So the owner
//! sets one that it needs, and a worker says only that it is one.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::RefCell;
use std::panic::{self, PanicHookInfo};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;

use purlin_process::parts::Origin;

/// Where the hook is that passes on; 0 before there is one.
static PASSING: AtomicUsize = AtomicUsize::new(0);
/// This process is a worker.
static IS_WORKER: AtomicBool = AtomicBool::new(false);

type Hook = dyn Fn(&PanicHookInfo<'_>) + Send + Sync;

/// Before a process forks workers: has its hook pass on to the one that was there, but in workers.
/// Does nothing to one that does so already, and in a thread that panics, which may not.
pub(crate) fn prepare() {
    // Relaxed: the parent's, from before the fork. It may be in a copy of a lock as above, too.
    let is_inherited = Origin::current().is_forked() && PASSING.load(Relaxed) != 0;
    if thread::panicking() || is_inherited {
        return;
    }
    let before = panic::take_hook();
    // Relaxed, both: to miss what another thread sets at this moment costs one more call.
    if address(&before) == PASSING.load(Relaxed) {
        return panic::set_hook(before);
    }
    let passing: Box<Hook> = Box::new(move |panicked| {
        // Relaxed: set before anything of the user's runs in a worker.
        if IS_WORKER.load(Relaxed) { note(panicked) } else { before(panicked) }
    });
    PASSING.store(address(&passing), Relaxed);
    panic::set_hook(passing);
}

fn address(hook: &Hook) -> usize {
    core::ptr::from_ref(hook).addr()
}

/// In a worker, before anything of the user's runs.
pub(crate) fn enter() {
    IS_WORKER.store(true, Relaxed); // Relaxed: the process has one thread
    // Relaxed: the owner's, from before the fork. Of a spawned worker there is none.
    if PASSING.load(Relaxed) == 0 {
        panic::set_hook(Box::new(note));
    }
}

thread_local! {
    /// Where the last panic of this thread was, and the stack.
    static TRACE: RefCell<Option<(String, Backtrace)>> = const { RefCell::new(None) };
}

fn note(panicked: &PanicHookInfo<'_>) {
    let place = panicked.location().map(ToString::to_string).unwrap_or_default();
    TRACE.set(Some((place, Backtrace::capture())));
}

/// What is told of where the last panic was.
pub(crate) fn trace() -> String {
    match TRACE.take() {
        Some((place, stack)) if stack.status() == BacktraceStatus::Captured => {
            format!("{place}\n{stack}")
        }
        Some((place, _)) => place,
        None => String::new(),
    }
}
