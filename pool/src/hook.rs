//! The panic hook of workers: what would be printed is told to the owner.
//!
//! A worker by fork has a copy of its owner's hook and of the lock before it, which another thread
//! may hold that is not there any more: a worker that set a hook could wait for ever. So the owner
//! sets one that it needs, once, and a worker says only that it is one.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::RefCell;
use std::panic::{self, PanicHookInfo};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread;

use purlin_process::parts::PerProcess;

/// This process, or one that it is a copy of, has set the hook that passes on.
static PASSES_ON: AtomicBool = AtomicBool::new(false);
/// This process is a worker.
static IS_WORKER: AtomicBool = AtomicBool::new(false);
/// Held while the hook is set. A forked child has one of its own: the thread that held its
/// parent's is not there.
static SETTING: PerProcess<Mutex<()>> = PerProcess::new();

/// Before a process forks its first worker: has its hook pass on to the one that was there, but in
/// workers. Not in a thread that panics, which may not set one.
pub(crate) fn prepare() {
    // Relaxed: who does not see it looks again under the lock.
    if PASSES_ON.load(Relaxed) || thread::panicking() {
        return;
    }
    let setting = SETTING.get(|| Mutex::new(()));
    let _alone = setting.lock().unwrap_or_else(PoisonError::into_inner);
    // Relaxed: under the lock, as the store below.
    if PASSES_ON.load(Relaxed) {
        return;
    }
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |panicked| {
        // Relaxed: set before anything of the user's runs in a worker.
        if IS_WORKER.load(Relaxed) { note(panicked) } else { before(panicked) }
    }));
    PASSES_ON.store(true, Relaxed);
}

/// In a worker, before anything of the user's runs.
pub(crate) fn enter() {
    IS_WORKER.store(true, Relaxed); // Relaxed: the process has one thread
    // Relaxed: the owner's, from before the fork. Of a spawned worker there is none.
    if !PASSES_ON.load(Relaxed) {
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
