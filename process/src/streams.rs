//! Output streams across a fork: flushed before, so that nothing is printed twice, and held during
//! it, so that no thread that is gone holds them in the child.

use std::io::{StderrLock, StdoutLock, Write, stderr, stdout};
use std::panic::catch_unwind;
use std::sync::mpsc;

use crate::limits::FLUSH_LIMIT;
use crate::sys::stdio;
use crate::sys::thread;

/// The streams, flushed, and locked by this thread if there is another that could. A fork copies
/// the hold; each side drops its own.
///
/// The order, output before errors, is that of a thread that reports a failure while it prints.
pub(crate) struct HeldStreams {
    /// A thread that stands alone holds nothing: nobody else could, and to let go of it would have
    /// a page copied on each side.
    _held: Option<(StdoutLock<'static>, StderrLock<'static>)>,
    is_stdout_empty: bool,
    is_c_stdout_empty: bool,
}

impl HeldStreams {
    /// Waits for other threads of this process to finish printing; a thread that waits for this
    /// one while it holds a stream would wait for ever, as with any `println!` here.
    pub(crate) fn hold() -> Self {
        let is_only = thread::is_only();
        let mut out = stdout().lock();
        // A stream that cannot be written, a full one for instance, must not stop a start.
        let is_stdout_empty = out.flush().is_ok();
        let _held = (!is_only).then(|| (out, stderr().lock()));
        let is_c_stdout_empty = stdio::try_flush_c_stdout(is_only);
        Self { _held, is_stdout_empty, is_c_stdout_empty }
    }

    /// In the child: what could not be written out is its parent's to print, and must not be
    /// printed twice. From here on what is in the buffers is the child's own.
    pub(crate) fn release_in_child(self) {
        if !self.is_stdout_empty {
            stdio::forget_rust_stdout(flush_stdout);
        }
        if !self.is_c_stdout_empty {
            stdio::forget_c_stdout();
        }
    }
}

/// At the end of a child: writes out what it printed, but never waits for long.
pub(crate) fn flush_at_end() {
    let is_only = thread::is_only();
    if !(is_only && stdio::is_c_stdout_empty()) {
        stdio::try_flush_c_stdout(is_only);
    }
    if is_only {
        flush_stdout(); // the lock is free, or it is ours and lets us in
        return;
    }
    let (sender, receiver) = mpsc::channel();
    let flush = move || {
        let _ = catch_unwind(flush_stdout); // what counts is that it is over
        let _ = sender.send(()); // the receiver may have given up
    };
    let flusher = thread::start_bare(None, Box::new(flush));
    if flusher.is_ok() {
        let _ = receiver.recv_timeout(FLUSH_LIMIT); // over: the text is lost, the child ends
    }
}

fn flush_stdout() {
    let _ = stdout().flush(); // a closed stream has nobody to tell
}
