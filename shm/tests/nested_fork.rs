//! A fork amid a fork, as a signal handler makes one. It has a program of its own: its handler must
//! be installed before this crate's, to run after it.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use purlin_shm::Segment;

/// After this long the test is ended; it takes no time by itself.
const LIMIT_SECONDS: u32 = 60;

static IS_ARMED: AtomicBool = AtomicBool::new(false);

/// Runs inside libc's `fork`, after this crate's handler.
extern "C" fn amid_a_fork() {
    // Relaxed: one thread.
    if IS_ARMED.swap(false, Relaxed) {
        assert_eq!(status_of_a_child(|| 0), 0);
    }
}

fn status_of_a_child(work: fn() -> i32) -> i32 {
    // SAFETY: The child runs `work`, which takes no lock that another thread could hold.
    let pid = unsafe { libc::fork() };
    assert_ne!(pid, -1, "a child");
    if pid == 0 {
        // SAFETY: Ends the child, and asks for nothing.
        unsafe { libc::_exit(work()) };
    }
    let mut status = 0;
    // SAFETY: The child is ours, and `status` outlives the call.
    assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
    libc::WEXITSTATUS(status)
}

/// How many descriptors have numbers that only the private ones get.
fn private_count() -> i32 {
    let entries = fs::read_dir("/proc/self/fd").expect("/proc");
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    numbers.filter(|number: &u32| *number >= 500).count() as i32
}

#[test]
fn a_fork_amid_a_fork_takes_nothing_from_it() {
    // SAFETY: A function of this program. The alarm bounds the test and kills this program alone.
    let installed = unsafe {
        libc::alarm(LIMIT_SECONDS);
        libc::pthread_atfork(Some(amid_a_fork), None, None)
    };
    assert_eq!(installed, 0);
    let segment = Segment::anonymous(4096).expect("a page");
    assert_eq!(private_count(), 1);
    IS_ARMED.store(true, Relaxed);
    let left = status_of_a_child(private_count);
    assert!(!IS_ARMED.load(Relaxed), "the fork within was made");
    assert_eq!(left, 0, "the child keeps its parent alive");
    // The lock was given back once, by whom it belongs to.
    drop(segment);
    assert_eq!(private_count(), 0);
}
