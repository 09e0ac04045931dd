//! Descriptors that are no segments of ours, and segments that were overwritten.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::sync::atomic::AtomicU64;

use proptest::prelude::*;
use purlin_shm::{Error, LAYOUT_VERSION, Object, Place, Segment, Shared};
use rustix::fs::{MemfdFlags, SealFlags};

#[repr(C)]
struct Body(AtomicU64);

// SAFETY: `repr(C)` and one atomic integer, of which any bits are a valid value.
unsafe impl Shared for Body {}

impl Object for Body {
    const KIND: u16 = 902;
    const VERSION: u16 = 3;
    type Row = ();
}

/// The first fixed fields of the header, by their offsets.
const LAYOUT_AT: u64 = 8;
const SIZE_AT: u64 = 16;
const NEXT_AT: u64 = 128;

const SEALS: SealFlags = SealFlags::SHRINK.union(SealFlags::GROW).union(SealFlags::SEAL);

fn sealed(bytes: &[u8]) -> OwnedFd {
    let file = rustix::fs::memfd_create(c"hostile", MemfdFlags::ALLOW_SEALING).expect("a file");
    let mut file = File::from(file);
    file.write_all(bytes).expect("room");
    rustix::fs::fcntl_add_seals(&file, SEALS).expect("seals");
    file.into()
}

/// The bytes of a sound segment, to be spoilt.
fn sound_bytes() -> Vec<u8> {
    let segment = Segment::anonymous(4096).expect("a page");
    Place::<Body>::new_in(&segment).expect("room");
    let file = File::from(segment.descriptor().try_clone_to_owned().expect("a descriptor"));
    let mut bytes = vec![0; file.metadata().expect("its size").len() as usize];
    file.read_exact_at(&mut bytes, 0).expect("its bytes");
    bytes
}

fn attach(bytes: &[u8]) -> Result<Segment, Error> {
    Segment::from_descriptor(sealed(bytes))
}

#[test]
fn a_descriptor_of_something_else_is_incompatible() {
    let (read, write) = std::io::pipe().expect("a pipe");
    let null = File::open("/dev/null").expect("the null device");
    let program = File::open("/proc/self/exe").expect("this program");
    for fd in [OwnedFd::from(read), write.into(), null.into(), program.into()] {
        assert_eq!(Segment::from_descriptor(fd).unwrap_err(), Error::Incompatible);
    }
}

#[test]
fn a_memory_file_without_seals_is_incompatible_whatever_it_holds() {
    let file = rustix::fs::memfd_create(c"unsealed", MemfdFlags::ALLOW_SEALING).expect("a file");
    let mut file = File::from(file);
    file.write_all(&sound_bytes()).expect("room");
    assert_eq!(Segment::from_descriptor(file.into()).unwrap_err(), Error::Incompatible);
}

#[test]
fn a_copy_of_a_segment_is_a_segment() {
    let copy = attach(&sound_bytes()).expect("the same bytes");
    Place::<Body>::new_in(&copy).expect("and it can be used");
}

#[test]
fn a_truncated_segment_is_damaged_and_a_stump_is_none() {
    let bytes = sound_bytes();
    for len in [0, 1, 7, 8] {
        assert_eq!(attach(&bytes[..len]).unwrap_err(), Error::Incompatible, "{len} bytes");
    }
    for len in [12, 39, 40, 4096, bytes.len() - 4096, bytes.len() - 1] {
        assert_eq!(attach(&bytes[..len]).unwrap_err(), Error::Damaged, "{len} bytes");
    }
    let longer = [bytes.as_slice(), &[0; 4096]].concat();
    assert_eq!(attach(&longer).unwrap_err(), Error::Damaged);
}

#[test]
fn a_segment_whose_pages_are_not_reserved_is_damaged() {
    let bytes = sound_bytes();
    let file = rustix::fs::memfd_create(c"sparse", MemfdFlags::ALLOW_SEALING).expect("a file");
    let file = File::from(file);
    file.set_len(bytes.len() as u64).expect("a length");
    file.write_all_at(&bytes[..4096], 0).expect("the header's page, and no other");
    rustix::fs::fcntl_add_seals(&file, SEALS).expect("seals");
    assert_eq!(Segment::from_descriptor(file.into()).unwrap_err(), Error::Damaged);
}

#[test]
fn another_layout_version_is_incompatible() {
    for version in [0, LAYOUT_VERSION + 1, u32::MAX] {
        let mut bytes = sound_bytes();
        bytes[LAYOUT_AT as usize..][..4].copy_from_slice(&version.to_le_bytes());
        assert_eq!(attach(&bytes).unwrap_err(), Error::Incompatible, "version {version}");
    }
}

#[test]
fn a_forged_size_is_damaged() {
    for size in [0_u64, 1, 4096, 1 << 39, u64::MAX] {
        let mut bytes = sound_bytes();
        bytes[SIZE_AT as usize..][..8].copy_from_slice(&size.to_le_bytes());
        assert_eq!(attach(&bytes).unwrap_err(), Error::Damaged, "{size} bytes");
    }
}

#[test]
fn a_forged_end_of_the_arena_is_damaged_and_never_followed() {
    for next in [0_u64, 1, 128, 24_833, 1 << 30, u64::MAX - 127, u64::MAX] {
        let segment = attach(&sound_bytes()).expect("sound");
        let file = File::from(segment.descriptor().try_clone_to_owned().expect("a descriptor"));
        file.write_all_at(&next.to_le_bytes(), NEXT_AT).expect("a peer that may write");
        assert_eq!(Place::<Body>::new_in(&segment).unwrap_err(), Error::Damaged, "next = {next}");
    }
}

#[test]
fn a_descriptor_that_may_not_be_written_is_refused() {
    let segment = Segment::anonymous(4096).expect("a page");
    let path = {
        use std::os::fd::AsRawFd;
        format!("/proc/self/fd/{}", segment.descriptor().as_raw_fd())
    };
    let reader = File::open(path).expect("for reading");
    assert_eq!(Segment::from_descriptor(reader.into()).unwrap_err(), Error::PermissionDenied);
}

#[test]
fn a_half_made_object_cannot_be_opened() {
    let segment = Segment::anonymous(4096).expect("a page");
    let offset = Place::<Body>::new_in(&segment).expect("room").offset();
    let file = File::from(segment.descriptor().try_clone_to_owned().expect("a descriptor"));
    file.write_all_at(&[0; 8], offset + 8).expect("the check, as before it was written");
    assert_eq!(Place::<Body>::open(&segment, offset).unwrap_err(), Error::Damaged);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Random bytes, and random damage to a sound segment: an error or a segment, never a crash.
    #[test]
    fn random_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..9000)) {
        prop_assert_eq!(attach(&bytes).unwrap_err(), Error::Incompatible);
    }

    #[test]
    fn random_damage_is_refused_or_survived(
        spots in proptest::collection::vec((0_u64..26_000, any::<u64>()), 1..8),
        offset in any::<u64>(),
        token in 1_u32..1 << 30,
    ) {
        let segment = attach(&sound_bytes()).expect("sound");
        let mut file = File::from(segment.descriptor().try_clone_to_owned().expect("a descriptor"));
        for (at, value) in spots {
            file.seek(SeekFrom::Start(at)).expect("inside");
            file.write_all(&value.to_le_bytes()).expect("a peer that may write");
        }
        let descriptor = segment.descriptor().as_fd().try_clone_to_owned().expect("a descriptor");
        drop(Segment::from_descriptor(descriptor));
        drop(Place::<Body>::new_in(&segment));
        drop(Place::<Body>::open(&segment, offset & !127));
        segment.attachment().is_dead(token, 3).expect("a yes or a no");
    }
}
