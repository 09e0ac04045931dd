//! What a segment is, as its users see it.

use std::fs;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use purlin_shm::{Error, Object, Place, SEGMENT_MAX_BYTES, Segment, Shared};

/// After this long a test says what it waited for.
const LIMIT: Duration = Duration::from_secs(60);

#[repr(C)]
struct Number(AtomicU32);

// SAFETY: `repr(C)` and one atomic integer, of which any bits are a valid value.
unsafe impl Shared for Number {}

impl Object for Number {
    const KIND: u16 = 900;
    const VERSION: u16 = 1;
    type Row = ();
}

#[repr(C)]
struct Another(AtomicU32);

// SAFETY: As for `Number`.
unsafe impl Shared for Another {}

impl Object for Another {
    const KIND: u16 = 901;
    const VERSION: u16 = 1;
    type Row = ();
}

fn again(segment: &Segment) -> Segment {
    let descriptor = segment.descriptor().try_clone_to_owned().expect("a descriptor to spare");
    Segment::from_descriptor(descriptor).expect("what was just made")
}

#[test]
fn a_size_of_zero_or_beyond_the_largest_is_an_invalid_argument() {
    for size in [0, SEGMENT_MAX_BYTES, SEGMENT_MAX_BYTES + 1, u64::MAX - 4096, u64::MAX] {
        assert_eq!(Segment::anonymous(size).unwrap_err(), Error::InvalidArgument, "{size}");
    }
}

#[test]
fn a_size_beyond_the_memory_is_out_of_resources_before_anything_is_reserved() {
    assert_eq!(Segment::anonymous(1 << 39).unwrap_err(), Error::OutOfResources);
}

#[test]
fn the_smallest_segment_has_room_for_an_object() {
    let segment = Segment::anonymous(1).expect("a byte");
    let number = Place::<Number>::new_in(&segment).expect("rounded up to a page");
    assert_eq!(number.0.load(Relaxed), 0);
}

#[test]
fn a_full_segment_says_so_and_keeps_what_it_has() {
    let segment = Segment::anonymous(1 << 14).expect("four pages");
    let room = segment.capacity_bytes() / purlin_shm::LINE_BYTES;
    let places: Vec<_> = (0..room).map(|_| Place::<Number>::new_in(&segment)).collect();
    assert!(places.iter().all(Result::is_ok), "one line an object");
    let error = Place::<Number>::new_in(&segment).expect_err("one too many");
    assert_eq!(error, Error::OutOfResources);
    let offsets: std::collections::BTreeSet<_> =
        places.iter().flatten().map(Place::offset).collect();
    assert_eq!(offsets.len() as u64, room, "no two share a line");
}

#[test]
fn two_mappings_of_one_segment_share_one_token_and_the_contents() {
    let segment = Segment::anonymous(4096).expect("a page");
    let second = again(&segment);
    assert_eq!(segment.attachment().token(), second.attachment().token());
    let number = Place::<Number>::new_in(&segment).expect("room");
    number.0.store(77, Relaxed); // one thread
    let seen = Place::<Number>::open(&second, number.offset()).expect("the same object");
    assert_eq!(seen.0.load(Relaxed), 77);
}

#[test]
fn a_descriptor_that_came_from_elsewhere_is_closed_on_exec_too() {
    use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};
    let made = Segment::anonymous(4096).expect("a page");
    let inherited = made.descriptor().try_clone_to_owned().expect("a descriptor");
    fcntl_setfd(&inherited, FdFlags::empty()).expect("a flag");
    drop(made);
    let attached = Segment::from_descriptor(inherited).expect("what was just made");
    assert_eq!(fcntl_getfd(attached.descriptor()), Ok(FdFlags::CLOEXEC));
}

#[test]
fn an_object_is_opened_as_what_it_is_or_not_at_all() {
    let segment = Segment::anonymous(4096).expect("a page");
    let offset = Place::<Number>::new_in(&segment).expect("room").offset();
    assert_eq!(Place::<Another>::open(&segment, offset).unwrap_err(), Error::Incompatible);
    for wrong in [0, 1, offset - 128, offset + 1, offset + 128, 1 << 40, u64::MAX - 7, u64::MAX] {
        assert_eq!(Place::<Number>::open(&segment, wrong).unwrap_err(), Error::Damaged, "{wrong}");
    }
}

#[test]
fn a_segment_can_neither_shrink_nor_grow() {
    let segment = Segment::anonymous(4096).expect("a page");
    let file = fs::OpenOptions::new()
        .write(true)
        .open(format!("/proc/self/fd/{}", segment.descriptor().as_raw_fd()))
        .expect("its own descriptor");
    assert!(file.set_len(0).is_err());
    assert!(file.set_len(1 << 20).is_err());
}

#[test]
fn a_thousand_default_objects_share_few_segments_and_take_them_along() {
    let places: Vec<_> = (0..1000).map(|_| Place::<Number>::new().expect("room")).collect();
    // Compared by mapping and not by counting descriptors: other tests run beside this one.
    let mut segments: Vec<_> =
        places.iter().map(|place| place.segment().descriptor().as_raw_fd()).collect();
    segments.sort_unstable();
    segments.dedup();
    assert!(segments.len() <= 17, "64 to a chunk: {}", segments.len());
}

#[test]
fn the_last_of_a_process_to_leave_is_told_once() {
    let segment = Segment::anonymous(4096).expect("a page");
    let mut first = Place::<Number>::new_in(&segment).expect("room");
    let mut second = first.clone();
    let mut third =
        Place::<Number>::open(&again(&segment), first.offset()).expect("another mapping");
    assert!(!first.leave(|_, _| ()));
    assert!(!first.leave(|_, _| ()), "only the first time counts");
    assert!(!third.leave(|_, _| ()));
    assert!(second.leave(|_, _| ()));
    drop((first, second, third));
    let mut anew = Place::<Number>::new_in(&segment).expect("room");
    assert!(anew.leave(|_, _| ()));
}

#[test]
fn nobody_gets_a_new_handle_while_the_last_is_given_up() {
    let segment = Segment::anonymous(4096).expect("a page");
    let first = Place::<Number>::new_in(&segment).expect("room");
    let offset = first.offset();
    drop(first);
    for _ in 0..1000 {
        let mut last = Place::<Number>::open(&segment, offset).expect("the object");
        last.0.store(0, Relaxed);
        let (opening, opens) = channel();
        thread::scope(|scope| {
            let opener = scope.spawn(|| {
                opening.send(()).expect("a receiver");
                let anew = Place::<Number>::open(&segment, offset).expect("the object");
                let seen = anew.0.load(Relaxed);
                anew.0.store(2, Relaxed);
                (seen, anew)
            });
            let is_last = last.leave(|number, _| {
                opens.recv_timeout(LIMIT).expect("the opener's word");
                number.0.store(1, Relaxed);
            });
            let (seen, _anew) = opener.join().expect("the opener");
            assert!(!is_last || seen == 1, "opened amid the giving up");
            assert_eq!(last.0.load(Relaxed), 2, "what came after was given up");
        });
    }
}

#[test]
fn only_the_own_token_is_alive_among_made_up_ones() {
    let segment = Segment::anonymous(4096).expect("a page");
    let at = segment.attachment();
    assert_eq!(at.is_dead(at.token(), 9), Ok(false));
    let former = at.token() - (1 << 10); // the generation before, of the same slot
    assert_eq!(at.is_dead(former, 0), Ok(true));
    assert_eq!(at.is_dead(at.token() ^ 1, 0), Ok(true), "a slot that nobody ever took");
}
