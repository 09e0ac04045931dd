//! What a forked child has of its parent's locks: the handle, and never the hold.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use crate::support::{Child, LIMIT, Signal, idle, told, told_at_once};
use purlin_process::{ExitCode, Process};
use purlin_sync::{Error, Lock, Told};

#[test]
fn a_child_does_not_hold_what_its_parent_held() {
    // shows: lock-fork-child-waits-for-parent, lock-fork-child-cannot-release
    let lock = Lock::new().unwrap();
    told(&lock).unwrap();
    Child::run("child", || {
        let answers = (lock.is_mine(), lock.release(), lock.recover(), told_at_once(&lock).err());
        let refused = Err(Error::NotOwner);
        i32::from(answers != (false, refused, refused, Some(Error::TimedOut)))
    })
    .succeed();
    assert!(lock.is_mine());
}

#[test]
fn a_copied_guard_does_not_end_the_childs_own_hold() {
    let lock = Lock::new().unwrap();
    let (released, started) = (Signal::new(), Signal::new());
    let mut guard = Some(lock.acquire(None).unwrap().sound().unwrap());
    let child = Child::run("child", || {
        started.give();
        released.take("the parent to release");
        told(&lock).unwrap();
        drop(guard.take());
        i32::from(!lock.is_mine())
    });
    started.take("the child to start");
    drop(guard.take());
    released.give();
    child.succeed();
}

#[test]
fn a_child_that_never_used_the_lock_can_drop_its_handles() {
    let lock = Lock::new().unwrap();
    told(&lock).unwrap();
    let mut handles = Some(lock.clone());
    let parents = lock;
    Child::run("child", || {
        drop(handles.take());
        0
    })
    .succeed();
    assert!(parents.is_mine());
}

#[test]
fn a_free_lock_is_not_a_childs_that_never_used_it() {
    let lock = Lock::new().unwrap();
    Child::run("child", || i32::from(lock.is_mine())).succeed();
}

#[test]
fn a_forked_child_does_not_keep_its_parent_alive() {
    // shows: lock-fork-parent-killed-child-lives
    let lock = Lock::new().unwrap();
    let (ready, pid) = (Signal::new(), Signal::new());
    let parent = Child::run("parent", || {
        told(&lock).unwrap();
        let child = Process::fork("child", || {
            ready.give();
            ExitCode(idle())
        })
        .unwrap();
        pid.tell(child.pid().unsigned_abs());
        idle()
    });
    let child = pid.hear("the child's pid");
    ready.take("the child to idle");
    parent.kill();
    // At the first look, so by the closed description, and not by the second opinion.
    let got = told_at_once(&lock);
    // SAFETY: The orphan is ours and idles; nobody collects it before it has ended.
    unsafe { libc::kill(libc::pid_t::try_from(child).unwrap(), libc::SIGKILL) };
    assert_eq!(got, Ok(Told::OwnerDied));
}

#[test]
fn children_forked_while_other_threads_attach_find_the_registry_whole() {
    let is_over = AtomicBool::new(false);
    let churn = || {
        // Relaxed, here and below: nothing is read by its means.
        while !is_over.load(Relaxed) {
            told(&Lock::new().unwrap()).unwrap();
        }
    };
    thread::scope(|scope| {
        let _over = AtEnd(|| is_over.store(true, Relaxed)); // also of a test that fails
        scope.spawn(churn);
        scope.spawn(churn);
        for _ in 0..200 {
            Child::run("child", || i32::from(Lock::new().unwrap().acquire(LIMIT).is_err()))
                .succeed();
        }
    });
}

/// What is done when it goes.
struct AtEnd<F: FnMut()>(F);

impl<F: FnMut()> Drop for AtEnd<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[test]
fn a_lock_made_without_standard_streams_outlives_that_a_child_gets_new_ones() {
    let headless = Child::run("headless", || {
        for number in 0..3 {
            // SAFETY: Nobody owns the three. A failed assertion shows by the status only.
            unsafe { libc::close(number) };
        }
        let lock = Lock::new().unwrap();
        let holds = Signal::new();
        // A child gets the null device for its standard input.
        let _held = Child::run("holder", || {
            holds.tell(u32::from(told_at_once(&lock) == Ok(Told::Held)));
            idle()
        });
        let is_held = holds.hear("the holder to hold") == 1;
        i32::from(!is_held || told_at_once(&lock) != Err(Error::TimedOut))
    });
    headless.succeed();
}
