//! Handles on their way to somebody who did not inherit them.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use proptest::prelude::*;
use purlin_shm::{Carry, Error, Luggage, Object, Place, Segment, Shared};

#[repr(C)]
struct Body(AtomicU64);

// SAFETY: `repr(C)` and one atomic integer, of which any bits are a valid value.
unsafe impl Shared for Body {}

impl Object for Body {
    const KIND: u16 = 905;
    const VERSION: u16 = 1;
    type Row = ();
}

#[repr(C)]
struct Other(AtomicU64);

// SAFETY: As for `Body`.
unsafe impl Shared for Other {}

impl Object for Other {
    const KIND: u16 = 906;
    const VERSION: u16 = 1;
    type Row = ();
}

fn packed(handle: &impl Carry) -> (Vec<u8>, Vec<OwnedFd>) {
    let mut luggage = Luggage::new();
    handle.pack(&mut luggage).expect("room");
    luggage.into_parts()
}

fn unpacked<T: Carry>((bytes, descriptors): (Vec<u8>, Vec<OwnedFd>)) -> Result<T, Error> {
    let mut luggage = Luggage::from_parts(&bytes, descriptors)?;
    let handle = T::unpack(&mut luggage)?;
    luggage.finish()?;
    Ok(handle)
}

fn body() -> Place<Body> {
    let segment = Segment::anonymous(4096).expect("a segment");
    Place::new_in(&segment).expect("room")
}

#[test]
fn what_arrives_is_the_same_object() {
    let handles = (body(), (), (body().segment(), body()));
    handles.0.0.store(7, Relaxed);
    let arrived: (Place<Body>, (), (Segment, Place<Body>)) =
        unpacked(packed(&handles)).expect("what was packed");
    assert_eq!(arrived.0.0.load(Relaxed), 7);
    arrived.0.0.store(8, Relaxed);
    assert_eq!(handles.0.0.load(Relaxed), 8);
    assert_eq!(arrived.2.1.offset(), handles.2.1.offset());
}

#[test]
fn a_segment_travels_once_however_many_lie_in_it() {
    let one = body();
    let two = Place::<Body>::new_in(&one.segment()).expect("room");
    let (bytes, descriptors) = packed(&(one.segment(), one.clone(), two.clone()));
    assert_eq!(descriptors.len(), 1);
    let (_, first, second): (Segment, Place<Body>, Place<Body>) =
        unpacked((bytes, descriptors)).expect("what was packed");
    assert_eq!((first.offset(), second.offset()), (one.offset(), two.offset()));
}

#[test]
fn lists_options_and_plain_descriptors_arrive_in_their_order() {
    use std::io::{PipeReader, PipeWriter, Read, Write};
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let none: Option<Place<Body>> = None;
    let handles = (vec![body(), body(), body()], Some(body()), none, OwnedFd::from(writer));
    type Arrived = (Vec<Place<Body>>, Option<Place<Body>>, Option<Place<Body>>, OwnedFd);
    let arrived: Arrived = unpacked(packed(&handles)).expect("what was packed");
    assert_eq!((arrived.0.len(), arrived.1.is_some(), arrived.2.is_some()), (3, true, false));
    drop(handles);
    PipeWriter::from(arrived.3).write_all(b"by another number").expect("a reader");
    let mut text = String::new();
    PipeReader::read_to_string(&mut { reader }, &mut text).expect("its end");
    assert_eq!(text, "by another number");
}

#[test]
fn a_forged_length_is_damaged_before_anything_is_set_aside() {
    let (mut bytes, descriptors) = packed(&vec![body()]);
    bytes[OFFSET_AT + 6] = 0xff;
    assert_eq!(unpacked::<Vec<Place<Body>>>((bytes, descriptors)).unwrap_err(), Error::Damaged);
}

#[test]
fn another_type_than_was_packed_is_incompatible() {
    assert_eq!(unpacked::<Place<Other>>(packed(&body())).unwrap_err(), Error::Incompatible);
    assert_eq!(unpacked::<Segment>(packed(&body())).unwrap_err(), Error::Incompatible);
    let segment = body().segment();
    assert_eq!(unpacked::<Place<Body>>(packed(&segment)).unwrap_err(), Error::Incompatible);
    let more = (body(), body());
    assert_eq!(unpacked::<Place<Body>>(packed(&more)).unwrap_err(), Error::Incompatible, "left");
    assert_eq!(unpacked::<(Place<Body>, Segment)>(packed(&body())).unwrap_err(), Error::Damaged);
}

/// Where the fields of an item are; the first is its layout.
const KIND_AT: usize = 4;
const VERSION_AT: usize = 6;
const DESCRIPTOR_AT: usize = 8;
const OFFSET_AT: usize = 16;

#[test]
fn forged_items_are_refused() {
    for (at, byte, expected) in [
        (0, 0xee, Error::Incompatible),
        (KIND_AT, 0, Error::Incompatible),
        (VERSION_AT, 9, Error::Incompatible),
        (DESCRIPTOR_AT, 1, Error::Damaged),
        (DESCRIPTOR_AT + 3, 0xff, Error::Damaged),
        (OFFSET_AT, 1, Error::Damaged),
        (OFFSET_AT + 7, 0xff, Error::Damaged),
    ] {
        let (mut bytes, descriptors) = packed(&body());
        bytes[at] = byte;
        let answer = unpacked::<Place<Body>>((bytes, descriptors));
        assert_eq!(answer.unwrap_err(), expected, "byte {at}");
    }
}

#[test]
fn a_descriptor_of_something_else_is_incompatible() {
    let (bytes, _) = packed(&body());
    let null = File::open("/dev/null").expect("the null device");
    let answer = unpacked::<Place<Body>>((bytes, vec![null.into()]));
    assert_eq!(answer.unwrap_err(), Error::Incompatible);
}

#[test]
fn too_much_is_refused_on_either_side() {
    let one = body();
    let mut luggage = Luggage::new();
    let full = (0..1 << 17).find_map(|_| one.pack(&mut luggage).err());
    assert_eq!(full, Some(Error::OutOfResources));
    let bytes = vec![0; 24 * ((1 << 16) + 1)];
    assert_eq!(Luggage::from_parts(&bytes, Vec::new()).unwrap_err(), Error::Damaged);
    assert_eq!(Luggage::from_parts(&[0; 23], Vec::new()).unwrap_err(), Error::Damaged);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_items_are_refused_or_lead_inside(
        bytes in prop::collection::vec(any::<u8>(), 0..96),
        keep in prop::collection::vec(any::<bool>(), 24),
    ) {
        let one = body();
        let (sound, descriptors) = packed(&one);
        let bytes: Vec<u8> = match bytes.len() {
            24.. => (0..24).map(|at| if keep[at] { sound[at] } else { bytes[at] }).collect(),
            _ => bytes,
        };
        if let Ok(place) = unpacked::<Place<Body>>((bytes, descriptors)) {
            prop_assert_eq!(place.offset(), one.offset());
        }
    }
}
