//! Values and arrays whose words a peer has written over.

use core::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::os::unix::fs::FileExt;

use purlin_channel::{Array, Error, Unlocked, Value};
use purlin_shm::{Object, Place, Segment, Shared};
use purlin_sync::RLock;

/// An array of 64-bit numbers as a peer that means harm sees it.
#[repr(C)]
struct Spoiled {
    lock: AtomicU64,
    len: AtomicU64,
}

#[expect(unsafe_code, reason = "a peer that writes what it likes")]
// SAFETY: `repr(C)`, atomics only.
unsafe impl Shared for Spoiled {}

impl Object for Spoiled {
    const KIND: u16 = 64 + 32 + 7;
    const VERSION: u16 = 1;
    type Row = AtomicU64;
}

#[test]
fn a_length_that_no_maker_writes_is_damage_and_changes_nothing_for_who_has_a_handle() {
    let array = Array::new(&[1_u64, 2, 3]).unwrap();
    let peer = Place::<Spoiled>::open(&array.segment(), array.offset()).unwrap();
    for len in [0, 1, 2, 4, 1 << 32, u64::MAX] {
        peer.len.store(len, SeqCst);
        let opened = Array::<u64>::open(&array.segment(), array.offset());
        assert_eq!(opened.err(), Some(Error::Damaged), "{len}");
        assert_eq!(array.read(.., None), Ok(vec![1, 2, 3]));
        assert_eq!(array.get(3, None), Err(Error::OutOfRange));
    }
    let empty = Array::<u64, _>::unlocked(0).unwrap();
    let peer = Place::<Spoiled>::open(&empty.segment(), empty.offset()).unwrap();
    peer.len.store(1, SeqCst); // the one that is nobody's
    let opened = Array::<u64, Unlocked>::open(&empty.segment(), empty.offset()).unwrap();
    assert_eq!(opened.load(0), Ok(0));
    assert_eq!(empty.load(0), Err(Error::OutOfRange));
}

#[test]
fn a_value_that_is_not_one_is_damage() {
    let value = Value::new(7_u64).unwrap();
    let file = value.segment().descriptor().try_clone_to_owned().unwrap();
    let file = std::fs::File::from(file);
    for len in [0_u64, 2, u64::MAX, 1] {
        // Behind what stands before each object, and where the lock is.
        file.write_all_at(&len.to_le_bytes(), value.offset() + 16 + 8).unwrap();
        let opened = Value::<u64>::open(&value.segment(), value.offset());
        let expected = (len != 1).then_some(Error::Damaged);
        assert_eq!((opened.err(), value.get(None)), (expected, Ok(7)), "{len}");
    }
}

#[test]
fn a_lock_that_is_not_where_it_is_said_to_be_is_told() {
    // A segment of its own: in one that arrays share, another may have its lock behind this one's.
    let segment = Segment::anonymous(4096).unwrap();
    let array = Array::new_in(&segment, &[1_u64, 2, 3]).unwrap();
    let peer = Place::<Spoiled>::open(&array.segment(), array.offset()).unwrap();
    let (own, lock) = (array.offset(), peer.lock.load(SeqCst));
    for word in
        [0, 1, 2, 128, own, own + 8, lock + 1, lock + 128, 1 << 40, u64::MAX - 127, u64::MAX]
    {
        peer.lock.store(word, SeqCst);
        let opened = Array::<u64>::open(&array.segment(), own).err();
        let is_told = matches!(opened, Some(Error::Incompatible | Error::Damaged));
        assert!(is_told, "{word:#x}: {opened:?}");
        assert_eq!(array.get(0, None), Ok(1));
    }
    // Another's lock is a lock, and spoils no more than who comes by it.
    let other = RLock::new_in(&array.segment()).unwrap();
    peer.lock.store(other.offset(), SeqCst);
    assert!(Array::<u64>::open(&array.segment(), own).is_ok());
}

#[test]
fn any_bits_are_a_value() {
    let flag = Value::new(false).unwrap();
    let byte = Array::<u8>::new(1).unwrap();
    for bits in [1_u8, 2, 128, 255] {
        byte.set(0, bits, None).unwrap();
        assert_eq!(byte.text(None), Ok(vec![bits]));
    }
    flag.set(true, None).unwrap();
    assert_eq!(flag.compare_exchange(false, true), Err(true));
    assert_eq!(flag.compare_exchange(true, false), Ok(()));
    assert_eq!(flag.get(None), Ok(false));
}
