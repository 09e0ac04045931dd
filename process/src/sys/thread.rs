//! Threads by the system's numbers, and threads that are started without std.
#![expect(unsafe_code, reason = "a signal to a thread, and pthread_create, have no safe form")]

use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ptr;

use rustix::io::Errno;
use rustix::process::getpid;
use rustix::thread::{UnshareFlags, unshare_unsafe};

use crate::Error;
use crate::limits::STACK_BYTES;

type Function = Box<dyn FnOnce() + Send>;

/// The flag that rustix has no name for.
const CLONE_THREAD: UnshareFlags = UnshareFlags::from_bits_retain(libc::CLONE_THREAD as u32);

/// The system's number of the calling thread.
pub(crate) fn current_id() -> i32 {
    rustix::thread::gettid().as_raw_pid()
}

/// The system's number of the first thread of this process, which is the process's own.
pub(crate) fn first_id() -> i32 {
    getpid().as_raw_pid()
}

/// Whether this process has no thread of this number any more.
pub(crate) fn is_gone(id: i32) -> bool {
    // SAFETY: The signal is none: it only asks whether the thread is there.
    unsafe { libc::syscall(libc::SYS_tgkill, first_id(), id, 0) != 0 }
}

/// Whether the calling thread is the only one of this process: "no" also where it cannot be told.
///
/// A thread that stands alone may ask to be parted from the others, which then has no effect, and
/// no other may, `unshare(2)`. The list of threads in `/proc`, for whom a filter forbids that call,
/// takes nearly a third of what a bare fork does.
pub(crate) fn is_only() -> bool {
    // SAFETY: it takes a number, and changes nothing whether it succeeds or fails.
    match unsafe { unshare_unsafe(CLONE_THREAD) } {
        Ok(()) => true,
        Err(Errno::INVAL) => false,
        Err(_) => std::fs::read_dir("/proc/self/task").is_ok_and(|tasks| tasks.count() == 1),
    }
}

/// Lets others run.
pub(crate) fn give_way() {
    rustix::thread::sched_yield();
}

/// Starts a thread that nobody joins, by `pthread_create(3)`. `function` catches its panics; one
/// that it lets through aborts.
///
/// For forked children. A thread of std's takes a lock of the whole process as it begins and as it
/// ends (its entry in the table of stacks, for the message of an overflow), and a fork may have
/// copied that as held by a thread that is gone. What is lost without it is that message, and the
/// name that std knows.
pub(crate) fn start_bare(stack_bytes: Option<usize>, function: Function) -> Result<(), Error> {
    let mut attributes = MaybeUninit::uninit();
    // SAFETY: The pointer is valid, and the call fills what it points to.
    check(unsafe { libc::pthread_attr_init(attributes.as_mut_ptr()) })?;
    let function = Box::into_raw(Box::new(function));
    // SAFETY: The attributes were made above and are destroyed here alone. The new thread gets the
    // only pointer to the function, which is `Send` and borrows nothing.
    let started = unsafe {
        let all = attributes.as_mut_ptr();
        let stack_bytes = stack_bytes.unwrap_or(STACK_BYTES).next_multiple_of(page_bytes());
        let started = check(libc::pthread_attr_setdetachstate(all, libc::PTHREAD_CREATE_DETACHED))
            .and_then(|()| check(libc::pthread_attr_setstacksize(all, stack_bytes)))
            .and_then(|()| {
                let mut ignored = MaybeUninit::uninit();
                check(libc::pthread_create(ignored.as_mut_ptr(), all, run, function.cast()))
            });
        libc::pthread_attr_destroy(all);
        started
    };
    if started.is_err() {
        // SAFETY: No thread was started that could have it, and it came from a box.
        drop(unsafe { Box::from_raw(function) });
    }
    started
}

extern "C" fn run(function: *mut c_void) -> *mut c_void {
    // SAFETY: It is what `start_bare` made of a box, for this thread alone.
    let function = unsafe { Box::from_raw(function.cast::<Function>()) };
    function();
    ptr::null_mut()
}

fn page_bytes() -> usize {
    rustix::param::page_size()
}

fn check(errno: libc::c_int) -> Result<(), Error> {
    if errno == 0 { Ok(()) } else { Err(rustix::io::Errno::from_raw_os_error(errno).into()) }
}
