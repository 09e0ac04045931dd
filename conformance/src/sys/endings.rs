//! How an actor ends by itself, in every way that a program knows.
#![expect(unsafe_code, reason = "these calls end what Rust expects to go on")]

use std::ptr;

use rustix::process::{Resource, Rlimit, setrlimit};

/// Ends the process at once: no handlers, no destructors, no flushing.
pub(crate) fn exit_now(code: i32) -> ! {
    // SAFETY: `_exit` asks for nothing.
    unsafe { libc::_exit(code) }
}

/// Ends the calling thread alone, be it the first of its process; the others go on.
pub(crate) fn end_this_thread() -> ! {
    loop {
        // SAFETY: The bare call does not return. The thread's stack and what stands on it stay as
        // they are, so nothing that others refer to goes away.
        unsafe { libc::syscall(libc::SYS_exit, 0) };
    }
}

/// Ends the process by SIGABRT, without a core dump.
pub(crate) fn abort() -> ! {
    dump_no_core();
    std::process::abort()
}

/// Touches memory that is there for nobody: ends the process by SIGSEGV, without a core dump.
pub(crate) fn crash() -> ! {
    dump_no_core();
    // SAFETY: A new range at an address of the kernel's choice, which nothing else refers to.
    let page = unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        libc::mmap(ptr::null_mut(), 1, libc::PROT_NONE, flags, -1, 0)
    };
    if page != libc::MAP_FAILED {
        // SAFETY: None: the range cannot be written, which is what ends the process here.
        unsafe { page.cast::<u8>().write_volatile(1) };
    }
    // Reached only when there was no memory for a page, or somebody handles the signal.
    std::process::abort()
}

/// A dump takes its time, and until it is written the process is not gone.
fn dump_no_core() {
    // To lower a limit is always allowed.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}
