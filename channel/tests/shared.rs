//! Values and arrays: what each access answers, to whom, and after whose death.

use core::time::Duration;

use purlin_channel::{Array, Error, Plain, Unlocked, Value};
use purlin_shm::{Carry, Luggage, Name, Segment};
use purlin_sync::{Acquired, CheckedLock, Event, Lock, RLock};

use crate::bounded::{Child, LIMIT, text};

fn keeps<T: Plain>(values: &[T]) {
    let shared = Value::new(values[0]).unwrap();
    let there = shared.clone();
    let array = Array::new(&values.to_vec()).unwrap();
    for value in values.iter().copied() {
        let child = there.clone();
        Child::run(move || child.set(value, LIMIT).map_err(text)).succeeds("it has set it");
        assert_eq!(shared.get(None), Ok(value));
        assert_eq!(shared.load(), value);
    }
    assert_eq!(array.read(.., None).as_deref(), Ok(values));
}

#[test]
fn each_type_keeps_its_values_between_processes() {
    // shows: value-child-writes-parent-reads, value-types-keep-their-range, value-extremes-kept
    keeps(&[i8::MIN, -1, 0, i8::MAX]);
    keeps(&[0, u8::MAX, b'x']);
    keeps(&[i16::MIN, -232, i16::MAX]);
    keeps(&[0, u16::MAX]);
    keeps(&[i32::MIN, 4343, i32::MAX]);
    keeps(&[0, u32::MAX]);
    keeps(&[i64::MIN, 1 << 34, i64::MAX]);
    keeps(&[0, u64::MAX]);
    keeps(&[1.1_f32, f32::INFINITY]);
    keeps(&[3.625, f64::INFINITY, f64::NEG_INFINITY]);
    keeps(&[true, false]);
    let float = Value::new(-0.0_f64).unwrap();
    assert_eq!(float.get(None).unwrap().to_bits(), (-0.0_f64).to_bits());
    float.set(f64::NAN, None).unwrap();
    assert!(float.get(None).unwrap().is_nan());
}

#[test]
fn arrays_of_any_length_hold_what_they_were_made_with() {
    // shows: array-from-size-is-zero, array-from-sequence, array-empty, array-too-large-refused
    for len in [0, 1, 7, 4000, 5000, 100_000] {
        for round in 0..3 {
            let array = Array::<u64>::new(len).unwrap();
            assert_eq!(array.read(.., None), Ok(vec![0; len]), "{len}, round {round}");
            array.write(.., &vec![!0; len], None).unwrap();
            assert_eq!((array.len(), array.is_empty()), (len, len == 0));
            assert_eq!(array.get(len, None), Err(Error::OutOfRange));
            assert_eq!(array.load(usize::MAX), Err(Error::OutOfRange));
        }
    }
    for len in [1 << 60, usize::MAX, usize::MAX / 8, 1 << 29] {
        assert_eq!(Array::<u64>::new(len).err(), Some(Error::InvalidArgument), "{len}");
        assert_eq!(Array::<u64, _>::unlocked(len).err(), Some(Error::InvalidArgument), "{len}");
    }
    let small = Segment::anonymous(4096).unwrap();
    assert_eq!(Array::<u64>::new_in(&small, 4096).err(), Some(Error::OutOfResources));
    assert!(Array::<u64>::new_in(&small, 100).is_ok());
}

#[test]
fn ranges_are_cut_at_the_end_and_written_whole_or_not_at_all() {
    // shows: array-slice-read, array-slice-write, array-slice-write-other-length-refused
    // shows: array-index-out-of-range
    let array = Array::new(&[0, 1, 2, 3, 4]).unwrap();
    assert_eq!(array.read(1..3, None), Ok(vec![1, 2]));
    assert_eq!(array.read(3..100, None), Ok(vec![3, 4]));
    assert_eq!(array.read(..=usize::MAX, None), Ok(vec![0, 1, 2, 3, 4]));
    #[expect(clippy::reversed_empty_ranges, reason = "what a caller may ask for")]
    let reversed = array.read(4..1, None);
    assert_eq!(reversed, Ok(vec![]));
    assert_eq!(array.read(usize::MAX.., None), Ok(vec![]));
    assert_eq!(array.write(1..3, &[9, 9, 9], None), Err(Error::InvalidArgument));
    assert_eq!(array.write(.., &[1], None), Err(Error::InvalidArgument));
    assert_eq!(array.set(5, 1, None), Err(Error::OutOfRange));
    let mut into = [7; 3];
    assert_eq!(array.read_into(3, &mut into, None), Err(Error::OutOfRange));
    assert_eq!(array.read_into(usize::MAX, &mut into, None), Err(Error::OutOfRange));
    assert_eq!(into, [7; 3]);
    assert_eq!(array.read_into(2, &mut into, None), Ok(()));
    assert_eq!(into, [2, 3, 4]);
    array.write(..2, &[5, 6], None).unwrap();
    assert_eq!(array.update(4, None, |last| last * 10), Ok(40));
    assert_eq!(array.load_range(..), [5, 6, 2, 3, 40]);
    assert_eq!(array.store_range(.., &[1]), Err(Error::InvalidArgument));
}

#[test]
fn a_text_ends_with_its_first_zero_or_with_the_array() {
    // shows: array-bytes-as-text, array-bytes-text-fills-exactly, array-bytes-raw
    let array = Array::<u8>::new(5).unwrap();
    array.set_text(b"ab", None).unwrap();
    assert_eq!(array.set_text(b"toolong", None), Err(Error::InvalidArgument));
    assert_eq!(array.text(None), Ok(b"ab".to_vec()));
    array.set_text(b"abcde", None).unwrap();
    assert_eq!(array.text(None), Ok(b"abcde".to_vec()));
    array.write(..3, b"a\0b", None).unwrap();
    assert_eq!(array.text(None), Ok(b"a".to_vec()));
    assert_eq!(array.read(.., None), Ok(b"a\0bde".to_vec()));
}

#[test]
fn single_accesses_take_the_lock_and_its_holder_goes_through() {
    // shows: value-has-lock-by-default, value-access-takes-the-lock, array-lock-by-default
    let (value, array) = (Value::new(5).unwrap(), Array::<i32>::new(3).unwrap());
    let held = (value.lock().acquire(None).unwrap(), array.lock().acquire(None).unwrap());
    std::thread::scope(|scope| {
        let other = || {
            assert_eq!(value.try_get(), Err(Error::TimedOut));
            assert_eq!(value.try_set(6), Err(Error::TimedOut));
            assert_eq!(array.get(0, Duration::from_millis(1)), Err(Error::TimedOut));
            assert_eq!(array.read(.., Duration::from_millis(1)), Err(Error::TimedOut));
            assert_eq!(array.write(..1, &[1], Duration::ZERO), Err(Error::TimedOut));
            assert_eq!((value.load(), array.load(0)), (5, Ok(0)));
        };
        scope.spawn(other).join().unwrap();
        let waits = scope.spawn(|| value.set(6, LIMIT));
        assert_eq!((value.get(None), array.read(.., None)), (Ok(5), Ok(vec![0; 3])));
        drop(held);
        assert_eq!(waits.join().unwrap(), Ok(()));
    });
    assert_eq!(value.get(None), Ok(6));
}

#[test]
fn a_lock_that_is_handed_in_is_the_one() {
    // shows: value-given-lock-is-used, array-given-lock-or-none, value-given-plain-lock-own-read
    let lock = Lock::new().unwrap();
    let value = Value::over(&lock, 5).unwrap();
    let array = Array::over(&lock, &[1, 2]).unwrap();
    let large = Array::over(&lock, &vec![3_u64; 100_000]).unwrap(); // in another segment
    assert_eq!(value.lock().offset(), lock.offset());
    let held = lock.acquire(None).unwrap();
    assert_eq!(value.get(Duration::from_millis(1)), Err(Error::TimedOut));
    assert_eq!(array.get(0, Duration::ZERO), Err(Error::TimedOut));
    assert_eq!(large.get(0, Duration::ZERO), Err(Error::TimedOut));
    drop(held);
    assert_eq!((value.get(None), large.get(99_999, None)), (Ok(5), Ok(3)));
    let checked = CheckedLock::new().unwrap();
    let value = Value::over(&checked, 5).unwrap();
    let _held = checked.acquire(None).unwrap();
    assert_eq!(value.get(None), Err(Error::WouldDeadlock));
    assert_eq!(value.load(), 5);
}

#[test]
fn they_are_found_by_offset_name_and_luggage_as_what_they_are() {
    // shows: value-sent-by-message, array-sent-by-message
    let value = Value::new(5_i32).unwrap();
    let (segment, offset) = (value.segment(), value.offset());
    let same = Value::<i32>::open(&segment, offset).unwrap();
    same.set(6, None).unwrap();
    assert_eq!(value.get(None), Ok(6));
    let held = value.lock().acquire(None).unwrap();
    assert!(same.lock().is_mine(), "one lock");
    drop(held);
    let wrong = [
        Value::<u32>::open(&segment, offset).err(),
        Value::<i32, Unlocked>::open(&segment, offset).err(),
        Value::<i32, Lock>::open(&segment, offset).err(),
        Array::<i32>::open(&segment, offset).err(),
    ];
    assert_eq!(wrong, [Some(Error::Incompatible); 4]);

    let name = Name::new(&format!("shared-{}", std::process::id())).unwrap();
    let made = Array::create(&name, &[1_u16, 2]).unwrap();
    let found = Array::<u16>::open_named(&name);
    let taken = Value::create_unlocked(&name, 1_u8).err();
    name.unlink().unwrap();
    made.set(1, 7, None).unwrap();
    assert_eq!(found.unwrap().read(.., None), Ok(vec![1, 7]));
    assert_eq!(taken, Some(Error::AlreadyExists));

    let lock = RLock::new().unwrap();
    let elsewhere = Array::over(&lock, &vec![1_u64; 100_000]).unwrap();
    let unlocked = Array::<u8, _>::unlocked(3).unwrap();
    let mut luggage = Luggage::new();
    value.pack(&mut luggage).unwrap();
    elsewhere.pack(&mut luggage).unwrap();
    unlocked.pack(&mut luggage).unwrap();
    let (bytes, descriptors) = luggage.into_parts();
    let mut arrived = Luggage::from_parts(&bytes, descriptors).unwrap();
    let first = Value::<i32>::unpack(&mut arrived).unwrap();
    let second = Array::<u64>::unpack(&mut arrived).unwrap();
    let third = Array::<u8, Unlocked>::unpack(&mut arrived).unwrap();
    arrived.finish().unwrap();
    first.set(9, None).unwrap();
    second.set(99_999, 8, None).unwrap();
    third.store(2, 7).unwrap();
    assert_eq!((value.load(), elsewhere.load(99_999), unlocked.load(2)), (9, Ok(8), Ok(7)));
    let open = Array::<u64>::open(&elsewhere.segment(), elsewhere.offset());
    assert_eq!(open.err(), Some(Error::Incompatible));
}

#[test]
fn guarded_changes_are_exact_and_so_are_atomic_ones() {
    // shows: value-increment-under-lock-exact, value-atomic-add-offered, array-neighbours-untouched
    let (locked, unlocked) = (Value::new(0_u32).unwrap(), Value::unlocked(0_u64).unwrap());
    let bytes = Array::<u8, _>::unlocked(8).unwrap();
    let children: Vec<_> = (0..4)
        .map(|index| {
            let (locked, unlocked, bytes) = (locked.clone(), unlocked.clone(), bytes.clone());
            Child::run(move || {
                for turn in 0..2000 {
                    locked.update(LIMIT, |n| n + 1).map_err(text)?;
                    unlocked.fetch_add(1);
                    if turn < 200 {
                        let before = bytes.load(index * 2).map_err(text)?;
                        bytes.store(index * 2, before + 1).map_err(text)?;
                        bytes.fetch_add(index * 2 + 1, 1).map_err(text)?;
                    }
                }
                Ok(())
            })
        })
        .collect();
    children.into_iter().for_each(|child| child.succeeds("it has counted"));
    assert_eq!((locked.get(None), unlocked.load()), (Ok(8000), 8000));
    assert_eq!(bytes.load_range(..), [200; 8]);
}

/// A child that holds the lock, has done `work`, and is killed there.
fn die_holding(lock: &RLock, work: impl FnOnce()) {
    let is_there = Event::new().unwrap();
    let child = Child::run(|| {
        lock.acquire(None).map(Acquired::keep).map_err(text)?;
        work();
        is_there.set();
        loop {
            std::thread::park();
        }
    });
    assert_eq!(is_there.wait(LIMIT), Ok(true));
    child.kill();
}

#[test]
fn after_a_holders_death_elements_are_had_and_ranges_refused_until_a_recovery() {
    // shows: value-holder-killed, value-access-after-holder-killed, array-holder-killed
    // shows: array-range-after-death-is-told
    let array = Array::new(&[1, 2, 3]).unwrap();
    die_holding(array.lock(), || array.set(0, 9, None).unwrap());
    assert_eq!(array.get(1, None), Ok(2));
    assert_eq!(array.set(2, 30, None), Ok(()));
    assert_eq!(array.update(2, None, |n| n + 1), Ok(31));
    for _ in 0..2 {
        assert_eq!(array.read(.., None), Err(Error::OwnerDied));
        assert_eq!(array.write(..1, &[0], None), Err(Error::OwnerDied));
        assert_eq!(array.read_into(0, &mut [0], None), Err(Error::OwnerDied));
        assert_eq!(array.update_range(.., None, |_| ()), Err(Error::OwnerDied));
    }
    match array.lock().acquire(None).unwrap() {
        Acquired::OwnerDied(suspect) => {
            // Who was told may look, and repair.
            assert_eq!(array.read(.., None), Ok(vec![9, 2, 31]));
            drop(suspect.recover());
        }
        Acquired::Held(_) => panic!("nobody was told"),
    }
    assert_eq!(array.read(.., None), Ok(vec![9, 2, 31]));

    let value = Value::new(1).unwrap();
    die_holding(value.lock(), || value.set(2, None).unwrap());
    assert_eq!((value.get(None), value.set(3, None)), (Ok(2), Ok(())));
    let told = value.lock().acquire(None).unwrap();
    assert!(matches!(told, Acquired::OwnerDied(_)), "an access used the warning up");
}

#[test]
fn a_writer_that_is_killed_leaves_whole_elements_and_the_news() {
    // shows: array-writer-killed-half-way, value-writer-killed-any-time
    let array = Array::<u64>::new(50_000).unwrap();
    let (mut mixtures, mut told_count) = (0, 0);
    for round in 0..40_u32 {
        array.write(.., &vec![0; array.len()], LIMIT).unwrap();
        let there = array.clone();
        let writer = Child::run(move || {
            for number in 1.. {
                there.write(.., &vec![number; there.len()], LIMIT).map_err(text)?;
            }
            Ok(())
        });
        let begin = std::time::Instant::now();
        while array.load(0) == Ok(0) {
            assert!(begin.elapsed() < LIMIT, "nothing is written");
            std::hint::spin_loop();
        }
        (0..round * 997 % 20_000).for_each(|_| std::hint::spin_loop());
        writer.kill();
        let acquired = array.lock().acquire(LIMIT).unwrap();
        let is_told = matches!(acquired, Acquired::OwnerDied(_));
        let elements = array.read(.., LIMIT).unwrap();
        let (first, last) = (elements[0], elements[elements.len() - 1]);
        let is_mixture = first != last;
        assert!(first == last || first == last + 1, "{first} and {last}");
        assert!(elements.is_sorted_by(|one, next| one >= next), "in one pass");
        assert!(is_told || !is_mixture, "round {round}: a mixture, and nobody is told");
        mixtures += u32::from(is_mixture);
        told_count += u32::from(is_told);
        if let Acquired::OwnerDied(suspect) = acquired {
            drop(suspect.recover());
        }
    }
    assert!(mixtures > 0 && told_count > 0, "{mixtures} mixtures, {told_count} told");
}

#[test]
fn ten_thousand_values_come_and_go() {
    // shows: value-many-and-freed
    // Other tests of this program open and close descriptors, too.
    let child = Child::run(|| {
        let count = || std::fs::read_dir("/proc/self/fd").map(Iterator::count).map_err(text);
        let mut before = None;
        for _ in 0..3 {
            let made = (0..1000).map(Value::new).collect::<Result<Vec<_>, _>>();
            let values: Vec<Value<i32>> = made.map_err(text)?;
            let are_as_made = |(number, value): (i32, &Value<i32>)| value.get(None) == Ok(number);
            if !(0..).zip(&values).all(are_as_made) {
                return Err("another's value".to_owned());
            }
            drop(values);
            let now = count()?;
            if now > *before.get_or_insert(now) {
                return Err(format!("{now} descriptors, {before:?} before"));
            }
        }
        Ok(())
    });
    child.succeeds("as many as before");
}
