//! Messages that are written and read where they stand.

use core::time::Duration;

use purlin_channel::{Error, LARGE_BYTES, Queue};

use crate::bounded::{Child, LIMIT, text};

#[test]
fn what_is_written_in_its_place_comes_out_whole_also_round_the_end() {
    let queue = Queue::bounded(2, 100).unwrap();
    let mut copied = 0;
    for round in 0..300_usize {
        let len = round * 7 % 101;
        let bytes: Vec<u8> = (0..len).map(|byte| (byte ^ round) as u8).collect();
        let mut place = queue.reserve(len, None).unwrap();
        assert_eq!(place.len(), len);
        copied += usize::from(!place.is_in_place());
        place.copy_from_slice(&bytes);
        assert_eq!(*place, *bytes);
        place.commit().unwrap();
        let lent = queue.recv_ref(None).unwrap();
        assert_eq!(*lent, *bytes, "round {round}");
        lent.finish().unwrap();
        assert_eq!(queue.len(), Ok(0));
    }
    assert!((1..100).contains(&copied), "{copied} of 300 went round the end");
}

#[test]
fn a_reservation_has_its_place_in_the_order() {
    let queue = Queue::bounded(4, 8).unwrap();
    queue.send(b"first", None).unwrap();
    let mut place = queue.reserve(6, None).unwrap();
    queue.send(b"third", None).unwrap();
    assert_eq!((queue.recv(None), queue.len()), (Ok(b"first".to_vec()), Ok(2)));
    assert_eq!(queue.try_recv(), Err(Error::Empty));
    assert_eq!(queue.recv(Duration::from_millis(1)), Err(Error::Empty));
    place.copy_from_slice(b"second");
    place.commit().unwrap();
    assert_eq!(queue.recv(None), Ok(b"second".to_vec()));
    assert_eq!(queue.recv(None), Ok(b"third".to_vec()));
}

#[test]
fn a_dropped_reservation_leaves_nothing_and_its_room() {
    let queue = Queue::bounded(1, LARGE_BYTES * 2).unwrap();
    for _ in 0..5 {
        drop(queue.reserve(LARGE_BYTES * 2, None).unwrap());
        assert_eq!(queue.try_recv(), Err(Error::Empty));
        // Where nobody receives, who finds no room sweeps it away.
        drop(queue.reserve(1, None).unwrap());
        queue.try_send(b"there is room").unwrap();
        assert_eq!(queue.try_recv(), Ok(b"there is room".to_vec()));
    }
}

#[test]
fn who_waits_behind_a_reservation_is_woken_by_what_comes_of_it() {
    for is_dropped in [false, true] {
        let queue = Queue::bounded(4, 8).unwrap();
        let place = queue.reserve(0, None).unwrap();
        queue.send(b"behind", None).unwrap();
        std::thread::scope(|scope| {
            let waits: Vec<_> = (0..2).map(|_| scope.spawn(|| queue.recv(LIMIT))).collect();
            if is_dropped {
                drop(place);
                queue.send(b"more", None).unwrap();
            } else {
                place.commit().unwrap();
            }
            for wait in waits {
                assert!(wait.join().unwrap().is_ok());
            }
        });
    }
}

#[test]
fn what_is_lent_is_nobody_elses_until_it_is_given_back() {
    let queue = Queue::bounded(2, 8).unwrap();
    queue.send(b"one", None).unwrap();
    queue.send(b"two", None).unwrap();
    let lent = queue.recv_ref(None).unwrap();
    assert_eq!(*lent, *b"one");
    assert_eq!(queue.try_recv(), Err(Error::Empty));
    assert!(matches!(queue.recv_ref(Duration::ZERO), Err(Error::Empty)));
    assert_eq!(queue.len(), Ok(2), "it is still inside");
    lent.give_back();
    assert_eq!(queue.recv(None), Ok(b"one".to_vec()));
    drop(queue.recv_ref(None).unwrap());
    assert_eq!(queue.try_recv(), Err(Error::Empty), "dropping it took it");
}

#[test]
fn a_shutdown_lets_what_was_reserved_in_and_what_is_lent_out() {
    let queue = Queue::bounded(2, 8).unwrap();
    let place = queue.reserve(0, None).unwrap();
    queue.shutdown().unwrap();
    assert!(matches!(queue.reserve(0, None), Err(Error::Closed)));
    assert_eq!(queue.try_recv(), Err(Error::Empty), "something may come of it");
    place.commit().unwrap();
    let lent = queue.recv_ref(None).unwrap();
    queue.shutdown_now().unwrap();
    assert_eq!(lent.finish(), Err(Error::Closed));
    assert!(matches!(queue.recv_ref(None), Err(Error::Closed)));
}

#[test]
fn what_does_not_fit_is_refused() {
    let queue = Queue::bounded(1, 8).unwrap();
    assert_eq!(queue.reserve(9, None).err(), Some(Error::MessageTooLarge { len: 9 }));
    assert_eq!(
        queue.reserve(usize::MAX, None).err(),
        Some(Error::MessageTooLarge { len: usize::MAX })
    );
    let _place = queue.reserve(8, None).unwrap();
    assert_eq!(queue.reserve(0, Duration::ZERO).err(), Some(Error::Full));
    queue.close();
    assert_eq!(queue.reserve(0, None).err(), Some(Error::Closed));
    assert_eq!(queue.recv_ref(None).err(), Some(Error::Closed));
}

#[test]
fn a_dead_writers_place_is_free_and_a_dead_readers_message_is_there() {
    // shows: queue-killed-producer-mid-item, queue-killed-consumer-mid-item
    for size in [8, LARGE_BYTES * 2] {
        let queue = Queue::bounded(2, size).unwrap();
        let told = Queue::bounded(1, 0).unwrap();
        let (there, tell) = (queue.clone(), told.clone());
        let writer = Child::run(move || {
            let mut place = there.reserve(size, LIMIT).map_err(text)?;
            place.fill(1);
            tell.send(&[], LIMIT).map_err(text)?;
            loop {
                std::thread::park();
            }
        });
        told.recv(LIMIT).unwrap();
        queue.send(&vec![2; size], LIMIT).unwrap();
        writer.kill();
        assert!(queue.recv(LIMIT).unwrap() == vec![2; size]);
        queue.send(&vec![3; size], LIMIT).unwrap();
        let (there, tell) = (queue.clone(), told.clone());
        let reader = Child::run(move || {
            let lent = there.recv_ref(LIMIT).map_err(text)?;
            assert!(lent.iter().all(|byte| *byte == 3));
            tell.send(&[], LIMIT).map_err(text)?;
            loop {
                std::thread::park();
            }
        });
        told.recv(LIMIT).unwrap();
        assert_eq!(queue.try_recv(), Err(Error::Empty), "it is lent");
        reader.kill();
        assert!(queue.recv(LIMIT).unwrap() == vec![3; size]);
        assert_eq!(queue.try_recv(), Err(Error::Empty));
    }
}

#[test]
fn a_forked_child_neither_commits_nor_takes_what_is_its_parents() {
    let queue = Queue::bounded(2, 8).unwrap();
    queue.send(b"lent", None).unwrap();
    let lent = queue.recv_ref(None).unwrap();
    let place = queue.reserve(0, None).unwrap();
    Child::run(move || {
        let (committed, finished) = (place.commit(), lent.finish());
        assert_eq!((committed, finished), (Err(Error::Closed), Err(Error::Closed)));
        Ok(())
    })
    .succeeds("a child with copies of both");
    // The parent's went into the closure, and were dropped with it: one taken, one abandoned.
    assert_eq!(queue.try_recv(), Err(Error::Empty));
}
