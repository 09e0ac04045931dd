//! Objects that a program of another version has left, or that are of another kind.

use core::sync::atomic::AtomicU64;

use purlin_channel::{Array, Error, JoinableQueue, Queue, Spsc, Unlocked, Value};
use purlin_shm::{Object, Place, Segment, Shared};

/// Words that are like an object's of ours, and say that they are of this kind and version.
#[repr(C)]
struct Another<const KIND: u16, const VERSION: u16> {
    words: [AtomicU64; 110],
}

#[expect(unsafe_code, reason = "what stands there is said by its kind and version alone")]
// SAFETY: `repr(C)`, atomics only.
unsafe impl<const KIND: u16, const VERSION: u16> Shared for Another<KIND, VERSION> {}

impl<const KIND: u16, const VERSION: u16> Object for Another<KIND, VERSION> {
    const KIND: u16 = KIND;
    const VERSION: u16 = VERSION;
    type Row = AtomicU64;
}

const QUEUE: u16 = 16;
const QUEUE_VERSION: u16 = 2;
const SPSC: u16 = 20;
const VALUE_OF_U32: u16 = 64 + 5;
const ARRAY_OF_U32: u16 = 96 + 5;

/// What each of ours says of it.
fn answers<const KIND: u16, const VERSION: u16>() -> [Option<Error>; 7] {
    let segment = Segment::anonymous(1 << 16).unwrap();
    let at = Place::<Another<KIND, VERSION>>::new_in_with(&segment, 16, |_, _| ()).unwrap();
    let offset = at.offset();
    [
        Queue::open(&segment, offset).err(),
        JoinableQueue::open(&segment, offset).err(),
        Spsc::open(&segment, offset).err(),
        Value::<u32>::open(&segment, offset).err(),
        Value::<u32, Unlocked>::open(&segment, offset).err(),
        Array::<u32>::open(&segment, offset).err(),
        Array::<u32, Unlocked>::open(&segment, offset).err(),
    ]
}

#[test]
fn another_version_of_each_object_is_incompatible_and_not_damaged() {
    let all = [
        answers::<QUEUE, 0>(),
        answers::<QUEUE, { QUEUE_VERSION - 1 }>(),
        answers::<QUEUE, { QUEUE_VERSION + 1 }>(),
        answers::<QUEUE, { u16::MAX }>(),
        answers::<SPSC, 0>(),
        answers::<SPSC, 2>(),
        answers::<VALUE_OF_U32, 0>(),
        answers::<VALUE_OF_U32, 2>(),
        answers::<ARRAY_OF_U32, 0>(),
        answers::<ARRAY_OF_U32, 2>(),
    ];
    for answers in all {
        assert_eq!(answers, [Some(Error::Incompatible); 7]);
    }
}

#[test]
fn each_object_is_incompatible_to_all_others() {
    let segment = Segment::anonymous(1 << 16).unwrap();
    let queue = Queue::bounded_in(&segment, 2, 8).unwrap().offset();
    let spsc = Spsc::bounded_in(&segment, 2, 8).unwrap().offset();
    let value = Value::unlocked_in(&segment, 7_u32).unwrap().offset();
    let array = Array::<u32, _>::unlocked_in(&segment, 4).unwrap().offset();
    for (whose, offset) in [queue, spsc, value, array].into_iter().enumerate() {
        let answers = [
            Queue::open(&segment, offset).err(),
            Spsc::open(&segment, offset).err(),
            Value::<u32, Unlocked>::open(&segment, offset).err(),
            Array::<u32, Unlocked>::open(&segment, offset).err(),
        ];
        for (who, answer) in answers.into_iter().enumerate() {
            let wanted = (who != whose).then_some(Error::Incompatible);
            assert_eq!(answer, wanted, "{whose} by {who}");
        }
    }
}

/// The kinds and versions above are those that ours have: else the first test shows nothing.
#[test]
fn the_same_kind_and_version_is_not_incompatible() {
    assert_eq!(answers::<QUEUE, QUEUE_VERSION>()[0], Some(Error::Damaged));
    assert_eq!(answers::<SPSC, 1>()[2], Some(Error::Damaged));
    assert_ne!(answers::<VALUE_OF_U32, 1>()[4], Some(Error::Incompatible));
    assert_ne!(answers::<ARRAY_OF_U32, 1>()[6], Some(Error::Incompatible));
}
