//! Limits of the system: a clear error, nothing lost, nothing left over. Each runs in a child,
//! which alone is limited.

use std::fs;

use crate::support::{Child, Signal, told, told_at_once};
use purlin_shm::Segment;
use purlin_sync::{Error, Lock, Told};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

fn limit(resource: Resource, current: u64) {
    let maximum = getrlimit(resource).maximum;
    setrlimit(resource, Rlimit { current: Some(current), maximum }).expect("a lower limit");
}

/// How many descriptors there may be before a test lowers that.
fn descriptor_limit() -> u64 {
    getrlimit(Resource::Nofile).current.expect("a limit, as every kernel has one")
}

/// How much address space this process has in use.
fn address_space_bytes() -> u64 {
    let text = fs::read_to_string("/proc/self/status").expect("/proc");
    let size = text.lines().find_map(|line| line.strip_prefix("VmSize:")).expect("its size");
    let kibibytes = size.split_whitespace().next().and_then(|number| number.parse::<u64>().ok());
    kibibytes.expect("a number of kibibytes") << 10
}

fn descriptor_count() -> usize {
    fs::read_dir("/proc/self/fd").expect("/proc").count()
}

/// A lock in a segment of its own: `Lock::new` may find room in one that this child inherited from
/// the tests beside it.
fn new_lock() -> Result<Lock, Error> {
    Lock::new_in(&Segment::anonymous(4096)?)
}

fn highest_descriptor() -> u64 {
    let entries = fs::read_dir("/proc/self/fd").expect("/proc");
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    numbers.filter(|number| *number < 500).max().expect("standard input")
}

#[test]
fn a_file_size_limit_is_out_of_resources() {
    Child::run("limited", || {
        limit(Resource::Fsize, 1 << 16);
        let refused = Segment::anonymous(1 << 16).unwrap_err();
        let granted = new_lock().is_ok();
        i32::from(!(refused.kind() == "out-of-resources" && granted))
    })
    .succeed();
}

#[test]
fn an_address_space_limit_is_out_of_resources() {
    Child::run("limited", || {
        // The tests beside this one have stacks and heaps in a child's address space, too.
        limit(Resource::As, address_space_bytes() + (1 << 28));
        let before = descriptor_count();
        let error = Segment::anonymous(1 << 29).unwrap_err();
        i32::from(error.kind() != "out-of-resources" || descriptor_count() != before)
    })
    .succeed();
}

#[test]
fn no_descriptors_left_is_out_of_resources_whichever_is_missing() {
    Child::run("limited", || {
        let (before, allowed) = (descriptor_count(), descriptor_limit());
        let (mut granted, mut refused) = (0, 0);
        for limit_count in 3..highest_descriptor() + 8 {
            limit(Resource::Nofile, limit_count);
            match new_lock() {
                Ok(lock) => {
                    granted += 1;
                    assert_eq!(told(&lock), Ok(Told::Held));
                }
                Err(error) => {
                    refused += 1;
                    assert_eq!(error, Error::OutOfResources, "limit {limit_count}");
                }
            }
            limit(Resource::Nofile, allowed);
            assert_eq!(descriptor_count(), before, "limit {limit_count}");
        }
        i32::from(granted == 0 || refused == 0)
    })
    .succeed();
}

#[test]
fn a_child_without_descriptors_is_told_so_and_can_go_on_later() {
    let lock = Lock::new().unwrap();
    Child::run("limited", || {
        let allowed = descriptor_limit();
        limit(Resource::Nofile, 3);
        assert_eq!(told_at_once(&lock), Err(Error::OutOfResources));
        assert_eq!(lock.release(), Err(Error::OverReleased));
        limit(Resource::Nofile, allowed);
        i32::from(told_at_once(&lock) != Ok(Told::Held))
    })
    .succeed();
    assert_eq!(told(&lock), Ok(Told::OwnerDied), "the child ended with it");
}

#[test]
fn no_slot_left_is_out_of_resources_and_leaves_nothing_behind() {
    let segment = Segment::anonymous(4096).unwrap(); // of its own: other tests run beside this one
    let lock = Lock::new_in(&segment).unwrap();
    let number = std::os::fd::AsRawFd::as_raw_fd(&segment.descriptor());
    // One description of a peer's has the bytes of all slots but ours, which is the first.
    let peer = fs::File::options().write(true).open(format!("/proc/self/fd/{number}")).unwrap();
    let set = |kind: i32| {
        let mut request = libc::flock {
            l_type: kind as libc::c_short,
            l_whence: libc::SEEK_SET as libc::c_short,
            l_start: (1 << 40) + 1,
            l_len: i64::from(purlin_shm::SLOT_COUNT) - 1,
            l_pid: 0,
        };
        let peer = std::os::fd::AsRawFd::as_raw_fd(&peer);
        // SAFETY: A valid request that outlives the call.
        assert_eq!(unsafe { libc::fcntl(peer, libc::F_OFD_SETLK, &raw mut request) }, 0);
    };
    set(libc::F_WRLCK);
    let free = Signal::new();
    let refused = Signal::new();
    let late = Child::run("late", || {
        let before = descriptor_count();
        let answer = told_at_once(&lock);
        let left = descriptor_count() - before;
        refused.tell(u32::from(answer == Err(Error::OutOfResources) && left == 0));
        free.take("a slot");
        i32::from(told_at_once(&lock) != Ok(Told::Held))
    });
    assert_eq!(refused.hear("the refusal"), 1);
    set(libc::F_UNLCK);
    free.give();
    late.succeed();
}

#[test]
fn locks_that_come_and_go_leave_no_descriptors() {
    Child::run("counter", || {
        // A chunk that other tests made is kept by threads that this child does not have.
        told(&Lock::new().unwrap()).unwrap();
        let before = descriptor_count();
        for _ in 0..10 {
            let locks: Vec<_> = (0..300).map(|_| Lock::new().unwrap()).collect();
            locks.iter().for_each(|lock| assert_eq!(told(lock), Ok(Told::Held)));
            assert!(descriptor_count() <= before + 12, "two for each chunk of 64");
        }
        i32::from(descriptor_count() != before)
    })
    .succeed();
}

#[test]
fn without_proc_an_attach_is_unsupported() {
    use rustix::mount::{MountPropagationFlags, UnmountFlags, mount_change, unmount};
    use rustix::thread::{UnshareFlags, unshare_unsafe};
    Child::run("procless", || {
        // SAFETY: The child has one thread, and shares no descriptor table.
        let own = unsafe { unshare_unsafe(UnshareFlags::NEWNS) };
        let hidden = own
            .and_then(|()| {
                mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
            })
            .and_then(|()| unmount("/proc", UnmountFlags::DETACH));
        if let Err(why) = hidden {
            println!("not made: this user may not hide /proc ({why})");
            return 0;
        }
        let huge = Segment::anonymous(1 << 39).unwrap_err(); // and no OOM killer
        let answers = (new_lock().err(), huge.kind());
        i32::from(answers != (Some(Error::Unsupported), "out-of-resources"))
    })
    .succeed();
}

#[test]
fn a_damaged_word_is_told_and_never_taken_for_a_free_one() {
    // shows: lock-memory-gone-wrong
    use std::os::unix::fs::FileExt;
    let segment = Segment::anonymous(4096).unwrap();
    let lock = Lock::new_in(&segment).unwrap();
    let file = fs::File::from(segment.descriptor().try_clone_to_owned().unwrap());
    let damaged = Err(Error::Damaged);
    for word in [1_u32, 1023, 0x3fff_ffff, 0x3fff_fc00, 1 | 1 << 31, 7 | 1 << 30] {
        file.write_all_at(&word.to_le_bytes(), lock.offset() + 16).unwrap();
        assert_eq!((told(&lock), told_at_once(&lock)), (damaged, damaged), "{word:#x}");
        assert_eq!(lock.release(), Err(Error::NotOwner), "{word:#x}");
    }
    let nobody = 12_345 << 10 | 700; // a token that could have been issued, and was not
    file.write_all_at(&u32::to_le_bytes(nobody), lock.offset() + 16).unwrap();
    assert_eq!(told_at_once(&lock), Ok(Told::OwnerDied));
}
