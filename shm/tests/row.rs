//! Objects with a row behind them: as long as they were made, whatever their peers write.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use proptest::prelude::*;
use purlin_shm::{Carry, Error, LINE_BYTES, Luggage, Name, Object, Place, Segment, Shared};

/// Ends in the middle of a `u64`: its row begins four bytes after it.
#[repr(C)]
struct Head(AtomicU32);

// SAFETY: `repr(C)` and one atomic integer, of which any bits are a valid value.
unsafe impl Shared for Head {}

impl Object for Head {
    const KIND: u16 = 907;
    const VERSION: u16 = 1;
    type Row = AtomicU64;
}

/// The same without a row.
#[repr(C)]
struct Bare(AtomicU32);

// SAFETY: As for `Head`.
unsafe impl Shared for Bare {}

impl Object for Bare {
    const KIND: u16 = 908;
    const VERSION: u16 = 1;
    type Row = ();
}

/// The most that the size of an object, in 32 bits, has room for.
const LEN_MAX: usize = (u32::MAX as usize - 8) / 8;

fn none(_: &Head, _: &[AtomicU64]) {}

fn file_of(segment: &Segment) -> File {
    File::from(segment.descriptor().try_clone_to_owned().expect("a descriptor"))
}

/// As in `shm/src/header.rs`.
const fn mix(state: u64, value: u64) -> u64 {
    let mut word = (state.rotate_left(23) ^ value).wrapping_add(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// Writes another size before the object, and the check that goes with it.
fn forge(segment: &Segment, offset: u64, size: u32) {
    let what = u64::from(Head::KIND) | u64::from(Head::VERSION) << 16 | u64::from(size) << 32;
    let check = mix(what, offset) | 1;
    let bytes = [what.to_le_bytes(), check.to_le_bytes()].concat();
    file_of(segment).write_all_at(&bytes, offset).expect("a peer that may write");
}

#[test]
fn a_row_is_as_long_as_it_was_made_and_all_zeros() {
    let segment = Segment::anonymous(1 << 14).expect("four pages");
    for len in [1, 2, 13, 14, 100] {
        let place = Place::new_in_with(&segment, len, none).expect("room");
        assert_eq!(place.row().len(), len);
        assert!(place.row().iter().all(|element| element.load(Relaxed) == 0));
        let seen = Place::<Head>::open(&segment, place.offset()).expect("the same object");
        place.row()[len - 1].store(5, Relaxed); // one thread, here and below
        assert_eq!((seen.row().len(), seen.row()[len - 1].load(Relaxed)), (len, 5));
        assert_eq!(seen.clone().row().len(), len);
    }
}

#[test]
fn neighbours_do_not_overlap() {
    let segment = Segment::anonymous(1 << 14).expect("four pages");
    let places: Vec<_> = [1, 14, 13, 30, 1, 200]
        .map(|len| Place::new_in_with(&segment, len, none).expect("room"))
        .into();
    for (number, place) in (1..).zip(&places) {
        place.0.store(number as u32, Relaxed);
        place.row().iter().for_each(|element| element.store(number, Relaxed));
    }
    for (number, place) in (1..).zip(&places) {
        assert_eq!(u64::from(place.0.load(Relaxed)), number);
        assert!(place.row().iter().all(|element| element.load(Relaxed) == number), "{number}");
    }
}

#[test]
fn an_object_takes_its_row_and_no_more_than_the_rest_of_a_line() {
    let lines_of = |len: u64| (16 + 8 + 8 * len).div_ceil(LINE_BYTES);
    for len in [1, 12, 13, 14, 29, 30] {
        let segment = Segment::anonymous(1 << 14).expect("four pages");
        let offset_of = || Place::new_in_with(&segment, len as usize, none).expect("room").offset();
        let (first, second) = (offset_of(), offset_of());
        assert_eq!(second - first, lines_of(len) * LINE_BYTES, "a row of {len}");
    }
}

#[test]
fn what_is_filled_in_is_there_from_the_start() {
    let fill = |head: &Head, row: &[AtomicU64]| {
        head.0.store(3, Relaxed);
        row[1].store(4, Relaxed);
    };
    let segment = Segment::anonymous(4096).expect("a page");
    for place in [Place::new_with(2, fill), Place::new_in_with(&segment, 2, fill)] {
        let place = place.expect("room");
        assert_eq!((place.0.load(Relaxed), place.row()[1].load(Relaxed)), (3, 4));
    }
}

#[test]
fn a_row_that_cannot_be_is_an_invalid_argument_and_takes_nothing() {
    let segment = Segment::anonymous(4096).expect("a page");
    let name = Name::new(&format!("test-row-{}", std::process::id())).expect("a name");
    for len in [0, LEN_MAX + 1, usize::MAX / 8, usize::MAX / 8 + 1, usize::MAX] {
        let expected = Some(Error::InvalidArgument);
        assert_eq!(Place::new_with(len, none).err(), expected, "{len}");
        assert_eq!(Place::new_in_with(&segment, len, none).err(), expected, "{len}");
        assert_eq!(Place::create_with(&name, len, none).err(), expected, "{len}");
    }
    assert_eq!(Place::<Head>::new().err(), Some(Error::InvalidArgument));
    assert_eq!(Segment::open(&name).err(), Some(Error::NoSuchName));
    let first = Place::<Bare>::new_in(&segment).expect("room").offset();
    let second = Place::<Bare>::new_in(&segment).expect("room").offset();
    assert_eq!(second - first, LINE_BYTES);
    let some = Place::<Bare>::new_in_with(&segment, 1, |_, _| ());
    assert_eq!(some.err(), Some(Error::InvalidArgument), "it has no row");
}

#[test]
fn a_row_longer_than_the_segment_is_out_of_resources() {
    let segment = Segment::anonymous(4096).expect("a page");
    for len in [segment.capacity_bytes() as usize / 8, 1 << 20, LEN_MAX] {
        let answer = Place::new_in_with(&segment, len, none);
        assert_eq!(answer.err(), Some(Error::OutOfResources), "{len}");
    }
    let fits = (segment.capacity_bytes() as usize - 24) / 8;
    Place::new_in_with(&segment, fits, none).expect("the refused ones took nothing");
}

#[test]
fn small_ones_share_segments_and_a_large_one_has_its_own() {
    let small: Vec<_> = (0..200).map(|_| Place::new_with(20, none).expect("memory")).collect();
    let inode_of = |place: &Place<Head>| {
        file_of(&place.segment()).metadata().map(|file| file.ino()).expect("its inode")
    };
    let segments: BTreeSet<_> = small.iter().map(inode_of).collect();
    assert!(segments.len() <= 10, "{} for 200", segments.len()); // tests beside may take some
    for len in [40_000, 100_000] {
        let large = Place::new_with(len, none).expect("memory");
        let most_bytes = (len as u64 * 8).next_multiple_of(4096) + (1 << 16);
        assert!(large.segment().capacity_bytes() < most_bytes, "all for a row of {len}");
    }
}

#[test]
fn a_forged_size_is_damaged_and_never_followed() {
    let segment = Segment::anonymous(4096).expect("a page");
    let place = Place::new_in_with(&segment, 4, none).expect("room");
    let offset = place.offset();
    let room = (segment.capacity_bytes() - (offset - place_of_first(&segment)) - 16) as u32;
    for size in [0, 4, 7, 8, 9, 15, 17, 41, room + 8, u32::MAX - 7, u32::MAX] {
        forge(&segment, offset, size);
        let answer = Place::<Head>::open(&segment, offset);
        assert_eq!(answer.err(), Some(Error::Damaged), "{size} bytes");
        assert_eq!(place.row().len(), 4, "what is open stays as it was checked");
        assert_eq!(place.clone().row().len(), 4);
    }
    forge(&segment, offset, room & !7);
    let whole = Place::<Head>::open(&segment, offset).expect("to the end of the segment");
    whole.row().iter().for_each(|element| element.store(1, Relaxed));
    assert_eq!(Place::<Bare>::open(&segment, offset).err(), Some(Error::Incompatible));
}

/// Where the first object of a segment stands: its arena begins there.
fn place_of_first(segment: &Segment) -> u64 {
    let size = file_of(segment).metadata().expect("its size").len();
    size - segment.capacity_bytes()
}

#[test]
fn a_carried_row_arrives_as_long_as_it_was() {
    let place = Place::new_with(9, none).expect("memory");
    place.row()[8].store(6, Relaxed);
    let mut packed = Luggage::new();
    place.pack(&mut packed).expect("a descriptor");
    let (bytes, descriptors) = packed.into_parts();
    let mut luggage = Luggage::from_parts(&bytes, descriptors).expect("what was packed");
    let arrived = Place::<Head>::unpack(&mut luggage).expect("what was packed");
    assert_eq!((arrived.row().len(), arrived.row()[8].load(Relaxed)), (9, 6));
}

#[test]
fn a_named_row_is_found_as_long_as_it_was() {
    let name = Name::new(&format!("test-named-row-{}", std::process::id())).expect("a name");
    let fill = |head: &Head, row: &[AtomicU64]| {
        assert_eq!(Segment::open(&name).err(), Some(Error::NoSuchName), "not before it is filled");
        head.0.store(1, Relaxed);
        row[9_999].store(2, Relaxed);
    };
    let made = Place::create_with(&name, 10_000, fill).expect("a segment");
    let found = Place::<Head>::open_named(&name).expect("what was made");
    name.unlink().expect("it is there");
    assert_eq!((found.row().len(), found.row()[9_999].load(Relaxed)), (10_000, 2));
    assert_eq!(made.offset(), found.offset());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Whatever size is claimed: an error, or a row inside the segment.
    #[test]
    fn any_size_is_refused_or_fits(size in prop_oneof![any::<u32>(), 0_u32..5000]) {
        let segment = Segment::anonymous(4096).expect("a page");
        let offset = Place::new_in_with(&segment, 4, none).expect("room").offset();
        forge(&segment, offset, size);
        if let Ok(place) = Place::<Head>::open(&segment, offset) {
            prop_assert_eq!(place.row().len() * 8 + 8, size as usize);
            let last = place.row().last().expect("never of none");
            last.store(u64::MAX, Relaxed);
        }
    }
}

#[test]
fn what_a_peer_writes_over_the_header_changes_nothing_for_who_takes_and_gives_pages() {
    let place = Place::<Head>::new_sparse_with(1 << 20, none).expect("a sparse one");
    file_of(&place.segment()).write_all_at(&[0xff; 128], 0).expect("a peer that may write");
    let pages = place.row_offset()..place.row_offset() + (1 << 18);
    assert_eq!(place.attachment().take_pages(pages.clone(), 1 << 18), Ok(()));
    place.row()[7].store(1, Relaxed); // Relaxed: one thread
    assert_eq!(place.attachment().give_pages(pages), Ok(()));
}
