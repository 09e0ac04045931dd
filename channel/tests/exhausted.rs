//! Queues that grow where memory has ended: by a control group of a few megabytes, and by a kernel
//! that refuses.
#![expect(unsafe_code, reason = "a filter of system calls is installed by prctl(2)")]

use std::fs;
use std::path::PathBuf;

use purlin_channel::{Error, LARGE_BYTES, Pipe, Queue, SimpleQueue, Spsc};
use purlin_sync::Event;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::bounded::{Child, LIMIT, text};

const GROUP_BYTES: usize = 64 << 20;
const MESSAGE_BYTES: usize = 300_000;

/// A group for the memory of whoever joins it, which is taken away when this is dropped.
struct Group {
    folder: PathBuf,
}

impl Group {
    /// Inside the one that this process is in. Where there are none, or not for this user: why not.
    fn new(name: &str, limit_bytes: usize) -> Result<Self, String> {
        let groups = fs::read_to_string("/proc/self/cgroup").map_err(text)?;
        let (parent, limit) = groups.lines().find_map(parent).ok_or("no group counts memory")?;
        let folder = parent.join(format!("purlin-test-{name}-{}", std::process::id()));
        fs::create_dir(&folder).map_err(text)?;
        let group = Self { folder };
        fs::write(group.folder.join(limit), limit_bytes.to_string()).map_err(text)?;
        Ok(group)
    }

    /// Has this process be in it.
    fn join(&self) -> Result<(), String> {
        fs::write(self.folder.join("cgroup.procs"), "0").map_err(text)
    }
}

/// The folder of the group that a line of `/proc/self/cgroup` names, if it counts memory, and the
/// name of the file with its limit.
fn parent(line: &str) -> Option<(PathBuf, &'static str)> {
    let mut fields = line.splitn(3, ':');
    let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
    let (root, limit) = match controllers {
        "" => ("/sys/fs/cgroup", "memory.max"),
        list if list.split(',').any(|name| name == "memory") => {
            ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
        }
        _ => return None,
    };
    let folder = PathBuf::from(format!("{root}{path}"));
    folder.join(limit).exists().then_some((folder, limit))
}

impl Drop for Group {
    fn drop(&mut self) {
        // Its member has ended and was collected; what it has charged goes to the parent.
        let _ = fs::remove_dir(&self.folder);
    }
}

#[test]
fn in_a_group_without_memory_left_a_queue_that_grows_says_so() {
    let group = match Group::new("queue", GROUP_BYTES) {
        Ok(group) => group,
        Err(why) => {
            println!("NOT MADE: {why}");
            return;
        }
    };
    let queue = Queue::unbounded(1 << 30).unwrap();
    let (there, folder) = (queue.clone(), group.folder.clone());
    let child = Child::run(move || {
        let group = core::mem::ManuallyDrop::new(Group { folder });
        group.join()?;
        let mut count = 0;
        // Ends: beyond its group there is nothing.
        while count * MESSAGE_BYTES < GROUP_BYTES {
            match there.try_send(&vec![count as u8; MESSAGE_BYTES]) {
                Ok(()) => count += 1,
                Err(Error::OutOfResources) if count * MESSAGE_BYTES > GROUP_BYTES / 4 => {
                    return Ok(());
                }
                Err(other) => return Err(format!("{count}: {other}")),
            }
        }
        Err("it has grown beyond its group".to_owned())
    });
    child.succeeds("it is told, and neither killed nor faulted");
    drop(group);
    let (count, mut seen) = (queue.len().unwrap(), 0);
    while let Ok(message) = queue.try_recv() {
        assert!(message == vec![seen as u8; MESSAGE_BYTES], "message {seen}");
        seen += 1;
    }
    assert_eq!((seen, queue.len()), (count, Ok(0)));
    queue.try_send(&vec![1; 1 << 22]).unwrap(); // here there is memory
}

#[test]
fn in_a_group_without_memory_left_a_large_message_of_a_pipe_is_told() {
    let group = match Group::new("pipe", GROUP_BYTES) {
        Ok(group) => group,
        Err(why) => {
            println!("NOT MADE: {why}");
            return;
        }
    };
    let folder = group.folder.clone();
    let child = Child::run(move || {
        let group = core::mem::ManuallyDrop::new(Group { folder });
        group.join()?;
        let (reader, writer) = Pipe::simplex().map_err(text)?;
        let message = vec![0; 2 * GROUP_BYTES]; // zeros, of which no page is there
        let told = writer.try_send(&message).err();
        writer.try_send(&message[..1 << 20]).map_err(text)?; // for this there is room
        let len = reader.recv(LIMIT).map_err(text)?.len();
        if (told, len) == (Some(Error::OutOfResources), 1 << 20) {
            Ok(())
        } else {
            Err(format!("{told:?}, {len}"))
        }
    });
    child.succeeds("it is told, and not killed");
}

#[test]
fn without_address_space_a_message_is_not_taken() {
    const BYTES: usize = (64 << 20) - 8; // memory for it is mapped anew, whatever was freed before
    let child = Child::run(|| {
        let (queue, one_to_one) = (Queue::bounded(1, BYTES), Spsc::bounded(1, BYTES));
        let (queue, one_to_one) = (queue.map_err(text)?, one_to_one.map_err(text)?);
        let mut sender = one_to_one.sender(LIMIT).map_err(text)?;
        let mut receiver = one_to_one.receiver(LIMIT).map_err(text)?;
        let message = vec![7; BYTES];
        queue.try_send(&message).map_err(text)?;
        sender.try_send(&message).map_err(text)?;
        drop(message);
        let before = getrlimit(Resource::As);
        let status = fs::read_to_string("/proc/self/status").map_err(text)?;
        let mapped = status.lines().find_map(|line| line.strip_prefix("VmSize:"));
        let number = mapped.and_then(|rest| rest.trim().strip_suffix(" kB")).ok_or("no size")?;
        let kibibytes: u64 = number.parse().map_err(text)?;
        let current = Some((kibibytes << 10) + (16 << 20));
        setrlimit(Resource::As, Rlimit { current, ..before }).map_err(text)?;
        let told = (queue.try_recv().err(), receiver.try_recv().err());
        setrlimit(Resource::As, before).map_err(text)?;
        let lens =
            (queue.try_recv().map_err(text)?.len(), receiver.try_recv().map_err(text)?.len());
        let none = Some(Error::OutOfResources);
        if (told, lens) == ((none, none), (BYTES, BYTES)) {
            Ok(())
        } else {
            Err(format!("{told:?}, {lens:?}"))
        }
    });
    child.succeeds("it is told, and not aborted; the message comes later");
}

/// From here on this process's kernel has no memory to reserve: `fallocate(2)` says `ENOSPC`.
fn refuse_to_reserve() -> Result<(), String> {
    let load = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    let jump = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    let answer = libc::BPF_RET | libc::BPF_K;
    let refused = libc::SECCOMP_RET_ERRNO | libc::ENOSPC as u32;
    let step = |code: u32, k, jt, jf| libc::sock_filter { code: code as u16, jt, jf, k };
    let mut steps = [
        step(load, 0, 0, 0), // the number of the call
        step(jump, libc::SYS_fallocate as u32, 0, 1),
        step(answer, refused, 0, 0),
        step(answer, libc::SECCOMP_RET_ALLOW, 0, 0),
    ];
    let program = libc::sock_fprog { len: steps.len() as u16, filter: steps.as_mut_ptr() };
    // SAFETY: Numbers only.
    if unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } != 0 {
        return Err(text(std::io::Error::last_os_error()));
    }
    let filter = libc::SECCOMP_MODE_FILTER;
    // SAFETY: The program and its steps outlive the call, which copies them.
    match unsafe { libc::prctl(libc::PR_SET_SECCOMP, filter, &raw const program, 0, 0) } {
        0 => Ok(()),
        _ => Err(text(std::io::Error::last_os_error())),
    }
}

#[test]
fn where_the_kernel_has_no_page_left_the_queue_stays_as_it_was() {
    let queue = Queue::unbounded(1 << 24).unwrap();
    queue.try_send(b"first").unwrap();
    let is_made = Event::new().unwrap();
    let (there, made) = (queue.clone(), is_made.clone());
    let child = Child::run(move || {
        if let Err(why) = refuse_to_reserve() {
            eprintln!("{why}");
            return Ok(());
        }
        made.set();
        let mut count = 0;
        // What was taken before is still to be used.
        while there.try_send(&[7; 5000]).is_ok() {
            count += 1;
        }
        let told = [
            there.try_send(&[7; 5000]).err(),
            there.send(&[7; LARGE_BYTES * 4], LIMIT).err(), // nobody waits for memory
            there.send_many(&[&[7; 5000], b"small"], LIMIT).err(),
            there.reserve(5000, LIMIT).err(),
            Queue::unbounded(1 << 24).err(),
            Queue::bounded(1 << 10, 1 << 10).err(),
            SimpleQueue::new().err(),
        ];
        if count > 100 || told != [Some(Error::OutOfResources); 7] {
            return Err(format!("{count}: {told:?}"));
        }
        // What there is goes on.
        there.recv(LIMIT).map_err(text).map(drop)
    });
    child.succeeds("it is told, and neither killed nor faulted");
    if !is_made.is_set() {
        println!("NOT MADE: no filter of system calls"); // not in the child: nobody reads that
    }
    while let Ok(message) = queue.try_recv() {
        assert!(message == [7; 5000] || message == b"first");
    }
    for number in 0..40 {
        queue.try_send(&vec![number; 1 << 20]).unwrap();
        assert!(queue.try_recv().unwrap() == vec![number; 1 << 20]);
    }
}
