//! How a condition is made, found and carried, with its lock.

use std::time::Duration;

use purlin_shm::Segment;
use purlin_sync::{ByHolder, CheckedLock, Condition, Error, Lock, Name, RLock, Told, Woken};

use crate::support::{Child, LIMIT, Signal};

const NOTIFIED: Woken<Told> = Woken { acquired: Told::Held, is_notified: true };

#[test]
fn a_condition_is_opened_with_the_lock_that_it_was_made_over() {
    let segment = Segment::anonymous(1 << 14).unwrap();
    let lock = CheckedLock::new_in(&segment).unwrap();
    let condition = Condition::over(&lock).unwrap();
    let same = Condition::<purlin_sync::ByThread>::open(&segment, condition.offset()).unwrap();
    assert_eq!(same.lock().offset(), lock.offset());
    let wrong = Condition::<ByHolder>::open(&segment, condition.offset());
    assert_eq!(wrong.unwrap_err(), Error::Incompatible, "over another kind of lock");
    let none = Condition::<ByHolder>::open(&segment, lock.offset());
    assert_eq!(none.unwrap_err(), Error::Incompatible, "another kind of object");
    let none = Condition::over_with_room(&lock, 4097);
    assert_eq!(none.unwrap_err(), Error::InvalidArgument);
    let none = Condition::over_with_room(&lock, 0);
    assert_eq!(none.unwrap_err(), Error::InvalidArgument);
    let full = Segment::anonymous(1).unwrap();
    let lock = Lock::new_in(&full).unwrap();
    let room = (full.capacity_bytes() / 8).try_into().unwrap();
    assert_eq!(Condition::over_with_room(&lock, room).unwrap_err(), Error::OutOfResources);
}

#[test]
fn a_condition_whose_lock_was_overwritten_is_damaged() {
    use std::os::unix::fs::FileExt;
    let segment = Segment::anonymous(1 << 14).unwrap();
    let condition = Condition::new_in(&segment).unwrap();
    let copy = segment.descriptor().try_clone_to_owned().unwrap();
    let file = std::fs::File::from(copy);
    for forged in [0, 8, u64::MAX, condition.lock().offset() + 128] {
        file.write_all_at(&forged.to_le_bytes(), condition.offset() + 16).unwrap();
        let opened = <Condition>::open(&segment, condition.offset());
        assert_eq!(opened.unwrap_err(), Error::Damaged, "{forged}");
    }
    file.write_all_at(&condition.offset().to_le_bytes(), condition.offset() + 16).unwrap();
    let opened = <Condition>::open(&segment, condition.offset());
    assert_eq!(opened.unwrap_err(), Error::Incompatible, "itself");
}

#[test]
fn many_conditions_with_locks_of_their_own_are_had() {
    let conditions: Vec<Condition> = (0..300).map(|_| Condition::new().unwrap()).collect();
    for condition in &conditions {
        condition.lock().acquire(Duration::ZERO).unwrap().keep();
        assert_eq!(condition.notify_all(), Ok(0));
    }
}

#[test]
fn a_condition_is_found_by_its_name() {
    let name = Name::new(&format!("test-condition-{}", std::process::id())).unwrap();
    struct Unlink<'a>(&'a Name);
    impl Drop for Unlink<'_> {
        fn drop(&mut self) {
            let _ = self.0.unlink();
        }
    }
    let _unlink = Unlink(&name);
    let condition = Condition::create(&name).unwrap();
    assert_eq!(Condition::create(&name).unwrap_err(), Error::AlreadyExists);
    let waits = Signal::new();
    let child = Child::run("child", || {
        let found = <Condition>::open_named(&name).unwrap();
        found.lock().acquire(LIMIT).unwrap().keep();
        waits.give();
        i32::from(found.wait_kept(LIMIT) != Ok(NOTIFIED))
    });
    waits.take("the child to hold");
    condition.lock().acquire(LIMIT).unwrap().keep();
    assert_eq!(condition.notify_all(), Ok(1));
    condition.lock().release().unwrap();
    child.succeed();
    assert_eq!(RLock::open_named(&name).unwrap_err(), Error::Incompatible);
}

#[test]
fn a_condition_is_carried_with_its_lock() {
    use purlin_shm::{Carry, Luggage};
    let condition = Condition::new().unwrap();
    let mut luggage = Luggage::new();
    condition.pack(&mut luggage).unwrap();
    let (bytes, descriptors) = luggage.into_parts();
    let mut arrived = Luggage::from_parts(&bytes, descriptors).unwrap();
    let same = <Condition>::unpack(&mut arrived).unwrap();
    arrived.finish().unwrap();
    assert_eq!(same.offset(), condition.offset());
    assert_eq!(same.lock().offset(), condition.lock().offset());
    same.lock().acquire(LIMIT).unwrap().keep();
    assert!(condition.lock().is_mine());
}
