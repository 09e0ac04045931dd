//! Who is alive, and who only looks so: what the answers of a lock rest on.

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::time::Duration;

use crate::support::{Child, LIMIT, Signal, holder, idle, told, told_at_once};
use purlin_process::{ExitCode, Process};
use purlin_shm::Segment;
use purlin_sync::{Error, Exclusive, HandoverLock, Lock, Rules, Told};

#[test]
fn the_end_of_the_main_thread_is_not_a_death() {
    // shows: lock-owner-main-thread-ended
    struct Scene {
        lock: Lock,
        holds: Signal,
        release: Signal,
    }
    extern "C" fn hold(scene: *mut c_void) -> *mut c_void {
        // SAFETY: The scene outlives the process that this runs in: a fork's copy of its parent's.
        let scene = unsafe { &*scene.cast::<Scene>() };
        told(&scene.lock).unwrap();
        scene.holds.give();
        scene.release.take("the word to release");
        scene.lock.release().unwrap();
        idle();
        null_mut()
    }
    let scene = Scene { lock: Lock::new().unwrap(), holds: Signal::new(), release: Signal::new() };
    let child = Child::run("headless", || {
        // By the system's own call: std's takes locks of its own, which a thread of the test
        // program may have held at the fork.
        let (mut thread, argument) = (0, (&raw const scene).cast_mut().cast());
        // SAFETY: `hold` takes the scene, which lives as long as this process.
        let error = unsafe { libc::pthread_create(&raw mut thread, null(), hold, argument) };
        assert_eq!(error, 0);
        // SAFETY: Ends this thread alone, and asks for nothing.
        unsafe { libc::syscall(libc::SYS_exit, 0) };
        1
    });
    scene.holds.take("the thread to hold");
    // Three slices: the second opinion is asked for.
    let refused = scene.lock.acquire(Duration::from_millis(150)).unwrap_err();
    assert_eq!(refused, Error::TimedOut);
    scene.release.give();
    assert_eq!(told(&scene.lock), Ok(Told::Held));
    child.kill();
}

#[test]
fn a_slot_given_again_is_not_the_dead_holder() {
    // shows: lock-users-come-and-go
    let segment = Segment::anonymous(4096).unwrap();
    let (lock, other) = (Lock::new_in(&segment).unwrap(), Lock::new_in(&segment).unwrap());
    let tokens = Signal::new();
    let tell_token = || {
        drop(other.acquire(LIMIT).unwrap());
        tokens.tell(segment.attachment().token());
    };
    let held = Child::run("holder", || {
        told(&lock).unwrap();
        tell_token();
        idle()
    });
    let slot = tokens.hear("the holder's token") & 1023;
    held.kill();
    // Every registration takes the next slot; one round later the dead one's is given again.
    let heir = (0..2 * purlin_shm::SLOT_COUNT).find_map(|_| {
        let child = Child::run("newcomer", || {
            tell_token();
            idle()
        });
        (tokens.hear("a newcomer's token") & 1023 == slot).then_some(child)
    });
    assert!(heir.is_some(), "the slot was not given again");
    // The slot's byte is locked by a living process; the generation tells the two apart.
    assert_eq!(told_at_once(&lock), Ok(Told::OwnerDied));
}

/// A killed holder, whose child by a raw clone lives on, and that child's pid.
fn orphan_of_a_killed_holder<R: Rules>(lock: &Exclusive<R>, orphans_work: impl Fn()) -> u32 {
    let ready = Signal::new();
    let held = Child::run("holder", || {
        told(lock).unwrap();
        // SAFETY: A plain fork without libc's handlers, of a process with one thread.
        let pid = unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) };
        if pid == 0 {
            orphans_work();
            ready.tell(std::process::id());
            idle();
            // SAFETY: Ends the process and asks for nothing.
            unsafe { libc::_exit(1) };
        }
        idle()
    });
    let orphan = ready.hear("the orphan's pid");
    held.kill();
    orphan
}

fn end(orphan: u32) {
    // SAFETY: The orphan is ours and idles; nobody collects it before it has ended.
    unsafe { libc::kill(libc::pid_t::try_from(orphan).unwrap(), libc::SIGKILL) };
}

#[test]
fn a_raw_clone_does_not_keep_its_parent_alive() {
    let lock = Lock::new().unwrap();
    let orphan = orphan_of_a_killed_holder(&lock, || {});
    // The orphan has the slot's byte locked, so the first look says alive.
    let answers = (told_at_once(&lock), told(&lock));
    end(orphan);
    assert_eq!(answers, (Err(Error::TimedOut), Ok(Told::OwnerDied)));
}

#[test]
fn a_strangers_release_asks_with_the_second_opinion_at_once() {
    let lock = HandoverLock::new().unwrap();
    let orphan = orphan_of_a_killed_holder(&lock, || {});
    // The orphan has the slot's byte locked, so the first look would say alive.
    let answers = (told_at_once(&lock), lock.release(), told_at_once(&lock));
    end(orphan);
    assert_eq!(answers, (Err(Error::TimedOut), Ok(()), Ok(Told::OwnerDied)));
}

#[test]
fn whoever_lost_its_private_descriptor_cannot_hand_over() {
    let lock = HandoverLock::new().unwrap();
    let held = holder(&lock);
    let expected = Some(Error::System { errno: libc::EBADF });
    let careless = Child::run("careless", || {
        assert_eq!(told_at_once(&lock), Err(Error::TimedOut));
        // SAFETY: What it closes is in use by purlin alone, which this test is about.
        unsafe { libc::syscall(libc::SYS_close_range, 500, u32::MAX, 0) };
        i32::from(lock.release().err() != expected)
    });
    careless.succeed();
    assert_eq!(told_at_once(&lock), Err(Error::TimedOut), "it is held as before");
    held.kill();
    assert_eq!(told_at_once(&lock), Ok(Told::OwnerDied));
}

#[test]
fn a_raw_clone_that_uses_a_lock_gives_its_parents_description_back() {
    let lock = Lock::new().unwrap();
    let orphan = orphan_of_a_killed_holder(&lock, || {
        assert_eq!(told_at_once(&lock), Err(Error::TimedOut));
    });
    let answer = told_at_once(&lock);
    end(orphan);
    assert_eq!(answer, Ok(Told::OwnerDied));
}

#[test]
fn whoever_lost_its_private_descriptor_declares_nobody_dead() {
    let lock = Lock::new().unwrap();
    let _held = holder(&lock);
    let expected = Some(Error::System { errno: libc::EBADF });
    let careless = Child::run("careless", || {
        assert_eq!(lock.try_acquire().err(), Some(Error::TimedOut));
        // SAFETY: What it closes is in use by purlin alone, which this test is about.
        unsafe { libc::syscall(libc::SYS_close_range, 500, u32::MAX, 0) };
        let closed = lock.acquire(LIMIT).err();
        let null = std::fs::File::open("/dev/null").unwrap();
        // SAFETY: The number that was just closed now leads to another file.
        unsafe { libc::dup2(std::os::fd::AsRawFd::as_raw_fd(&null), 500) };
        let given_again = lock.acquire(LIMIT).err();
        i32::from((closed, given_again) != (expected, expected))
    });
    careless.succeed();
}

#[test]
fn a_child_whose_segment_was_closed_by_others_does_not_register() {
    let lock = Lock::new().unwrap();
    let expected = Err(Error::System { errno: libc::EBADF });
    let careless = Child::run("careless", || {
        let number = std::os::fd::AsRawFd::as_raw_fd(&lock.segment().descriptor());
        let null = std::fs::File::options().read(true).write(true).open("/dev/null").unwrap();
        // SAFETY: What it replaces is in use by purlin alone, which this test is about.
        unsafe { libc::dup2(std::os::fd::AsRawFd::as_raw_fd(&null), number) };
        let elsewhere = told_at_once(&lock);
        // SAFETY: As above.
        unsafe { libc::close(number) };
        i32::from((elsewhere, told_at_once(&lock)) != (expected, expected))
    });
    careless.succeed();
    assert_eq!(told_at_once(&lock), Ok(Told::Held), "nobody registered, hence nobody died");
}

/// The file of a segment, as a peer that may write has it.
fn file_of(segment: &Segment) -> std::fs::File {
    segment.descriptor().try_clone_to_owned().unwrap().into()
}

#[test]
fn a_dead_holder_whose_pid_was_given_again_is_dead_to_the_second_opinion() {
    use std::os::unix::fs::FileExt;
    let segment = Segment::anonymous(4096).unwrap(); // of its own: other tests run beside this one
    let lock = Lock::new_in(&segment).unwrap();
    let orphan = orphan_of_a_killed_holder(&lock, || {});
    let before = told_at_once(&lock); // the orphan has the slot's byte locked
    // Slot 0 is ours, slot 1 the holder's. Its pid now seems to be this process's.
    let record = 256 + 24;
    file_of(&segment).write_all_at(&std::process::id().to_le_bytes(), record + 4).unwrap();
    let mut inode = [0; 8];
    file_of(&segment).read_exact_at(&mut inode, record + 16).unwrap();
    if inode == [0; 8] {
        println!("not made: this system tells processes apart by pid only");
        return end(orphan);
    }
    let answer = told(&lock);
    end(orphan);
    assert_eq!((before, answer), (Err(Error::TimedOut), Ok(Told::OwnerDied)));
}

#[test]
fn a_holder_in_another_pid_namespace_is_alive() {
    use rustix::thread::{UnshareFlags, unshare_unsafe};
    let lock = Lock::new().unwrap();
    let (holds, release) = (Signal::new(), Signal::new());
    let namespace = Child::run("namespace", || {
        // SAFETY: The child has one thread, and shares no descriptor table.
        if let Err(why) = unsafe { unshare_unsafe(UnshareFlags::NEWPID) } {
            println!("not made: this user may not make a pid namespace ({why})");
            told(&lock).unwrap();
            holds.give();
            release.take("the word to release");
            return i32::from(lock.release().is_err());
        }
        // Its pid is 1, which names another process out here.
        let first = Child::run("first", || {
            told(&lock).unwrap();
            holds.give();
            release.take("the word to release");
            i32::from(lock.release().is_err())
        });
        first.succeed();
        0
    });
    holds.take("the holder to hold");
    // Three slices and more: the second opinion is asked for.
    assert_eq!(lock.acquire(Duration::from_millis(150)).unwrap_err(), Error::TimedOut);
    release.give();
    assert_eq!(told(&lock), Ok(Told::Held));
    namespace.succeed();
}

#[test]
fn a_slot_is_given_again_as_late_as_it_can_be() {
    let segment = Segment::anonymous(4096).unwrap();
    let lock = Lock::new_in(&segment).unwrap();
    let slots = Signal::new();
    let seen: std::collections::BTreeSet<_> = (0..64)
        .map(|_| {
            Child::run("passer", || {
                drop(lock.acquire(LIMIT).unwrap());
                slots.tell(segment.attachment().token() & 1023);
                0
            })
            .succeed();
            slots.hear("a slot")
        })
        .collect();
    assert_eq!(seen.len(), 64, "a slot came back though others were free");
}

#[test]
fn a_zombie_is_dead() {
    // shows: lock-owner-dead-but-not-reaped
    let lock = Lock::new().unwrap();
    let (pids, done) = (Signal::new(), Signal::new());
    let parent = Child::run("parent", || {
        let child = Process::fork("zombie", || {
            told(&lock).unwrap();
            pids.give();
            ExitCode(idle())
        })
        .unwrap();
        pids.take("the holder to hold");
        child.kill().unwrap(); // and not collected
        let got = told(&lock);
        done.tell(u32::from(got == Ok(Told::OwnerDied)));
        child.join(LIMIT).unwrap();
        0
    });
    assert_eq!(done.hear("the answer"), 1);
    parent.succeed();
}
