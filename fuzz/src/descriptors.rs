//! Descriptors of all sorts, to come beside what claims to be about them.

use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;

use purlin_shm::Segment;
use purlin_sync::{CheckedLock, HandoverLock, Lock};
use rustix::fs::{MemfdFlags, SealFlags};

/// A segment with a lock of each kind, in the order in which they are named here.
pub(super) fn segment() -> Segment {
    let segment = Segment::anonymous(4096).expect("a segment");
    Lock::new_in(&segment).expect("room");
    HandoverLock::new_in(&segment).expect("room");
    CheckedLock::new_in(&segment).expect("room");
    segment
}

/// The bytes of a segment's file.
pub(super) fn bytes_of(segment: &Segment) -> Vec<u8> {
    let file = File::from(segment.descriptor().try_clone_to_owned().expect("a descriptor"));
    let len = file.metadata().expect("its size").len();
    let mut bytes = vec![0; usize::try_from(len).expect("a small segment")];
    file.read_exact_at(&mut bytes, 0).expect("its bytes");
    bytes
}

/// A memory file with these bytes, and of their length; sealed as a segment's is, if `is_sealed`.
pub(super) fn memory_file(bytes: &[u8], is_sealed: bool) -> File {
    let file = rustix::fs::memfd_create(c"fuzz", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING);
    let file = File::from(file.expect("a memory file"));
    file.set_len(bytes.len() as u64).expect("a length");
    file.write_all_at(bytes, 0).expect("room");
    if is_sealed {
        seal(&file);
    }
    file
}

pub(super) fn seal(file: &File) {
    let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
    rustix::fs::fcntl_add_seals(file, seals).expect("seals");
}

/// One of eight sorts: 0 a segment with a lock of each kind, 1 one with nothing in it, 2 the bytes
/// of the first without seals, 3 its bytes with the size spoilt, 4 one that may not be written, 5 a
/// pipe, 6 a socket, 7 a device.
pub(super) fn of_sort(sort: u8) -> OwnedFd {
    match sort % 8 {
        0 => segment().descriptor().try_clone_to_owned().expect("a descriptor"),
        1 => {
            let empty = Segment::anonymous(1).expect("a segment");
            empty.descriptor().try_clone_to_owned().expect("a descriptor")
        }
        2 => memory_file(&bytes_of(&segment()), false).into(),
        3 => {
            let mut bytes = bytes_of(&segment());
            bytes[16] ^= 1;
            memory_file(&bytes, true).into()
        }
        4 => {
            let segment = segment();
            let path = format!("/proc/self/fd/{}", segment.descriptor().as_raw_fd());
            File::open(path).expect("for reading").into()
        }
        5 => std::io::pipe().expect("a pipe").0.into(),
        6 => UnixStream::pair().expect("a socket").0.into(),
        _ => File::open("/dev/null").expect("the null device").into(),
    }
}
