//! The queue that counts what was done.

use core::time::Duration;

use purlin_channel::{Error, JoinableQueue, LARGE_BYTES, Queue};
use purlin_shm::{Name, Segment};

use crate::bounded::{Child, LIMIT, text};

fn too_often(queue: &JoinableQueue) {
    assert_eq!(queue.task_done(), Err(Error::TaskDoneTooOften));
    assert_eq!((queue.join(None), queue.unfinished()), (Ok(()), 0));
}

#[test]
fn taken_is_not_done_and_done_is_told() {
    // shows: joinable-queue-join-empty-returns, joinable-queue-get-alone-does-not-finish
    // shows: joinable-queue-task-done-too-often, joinable-queue-usable-after-join
    let queue = JoinableQueue::bounded(4, 8).unwrap();
    too_often(&queue);
    for round in 0..3 {
        for number in 0..3 {
            queue.send(&[number], None).unwrap();
        }
        for left in (0..3).rev() {
            assert_eq!(queue.recv(None).unwrap(), [2 - left]);
            assert_eq!(queue.unfinished(), usize::from(left) + 1, "round {round}");
            assert_eq!(queue.join(Duration::ZERO), Err(Error::TimedOut));
            queue.task_done().unwrap();
        }
        too_often(&queue);
    }
}

#[test]
fn marks_follow_the_sends() {
    // shows: joinable-queue-marks-count-puts, joinable-queue-refused-put-not-counted
    // shows: joinable-queue-join-deadline, joinable-queue-is-a-queue
    let queue = JoinableQueue::bounded(1, 8).unwrap();
    queue.try_send(b"one").unwrap();
    assert_eq!(queue.try_send(b"two"), Err(Error::Full));
    assert_eq!(queue.send(b"two", Duration::from_millis(1)), Err(Error::Full));
    assert_eq!(queue.send(b"nine bytes", None), Err(Error::MessageTooLarge { len: 10 }));
    assert_eq!(queue.join(Duration::from_millis(1)), Err(Error::TimedOut));
    queue.task_done().unwrap();
    assert_eq!(queue.len(), Ok(1));
    too_often(&queue);
    assert_eq!(queue.try_recv(), Ok(b"one".to_vec()));
    too_often(&queue);
}

#[test]
fn the_last_mark_ends_all_joins() {
    // shows: joinable-queue-several-joiners, joinable-queue-join-waits-for-all-done
    // shows: joinable-queue-late-put-extends-join
    let queue = JoinableQueue::bounded(4, 8).unwrap();
    queue.send(b"one", None).unwrap();
    std::thread::scope(|scope| {
        let joins: Vec<_> = (0..3).map(|_| scope.spawn(|| queue.join(LIMIT))).collect();
        queue.send(b"two", None).unwrap();
        for _ in 0..2 {
            assert!(joins.iter().all(|join| !join.is_finished()));
            queue.recv(None).unwrap();
            queue.task_done().unwrap();
        }
        joins.into_iter().for_each(|join| assert_eq!(join.join().unwrap(), Ok(())));
    });
}

#[test]
fn a_closed_handle_still_marks_and_joins() {
    // shows: joinable-queue-close-keeps-marking
    let queue = JoinableQueue::bounded(1, 8).unwrap();
    queue.send(b"task", None).unwrap();
    queue.recv(None).unwrap();
    queue.close();
    assert_eq!(queue.send(b"more", None), Err(Error::Closed));
    queue.task_done().unwrap();
    too_often(&queue);
    assert_eq!(queue.shutdown_now(), Err(Error::Unsupported));
}

#[test]
fn one_that_counts_is_not_one_that_does_not() {
    let segment = Segment::anonymous(1 << 16).unwrap();
    let (joinable, plain) =
        (JoinableQueue::bounded_in(&segment, 1, 1), Queue::bounded_in(&segment, 1, 1));
    let (joinable, plain) = (joinable.unwrap(), plain.unwrap());
    assert!(JoinableQueue::open(&segment, joinable.offset()).is_ok());
    let as_plain = Queue::open(&segment, joinable.offset());
    assert_eq!(as_plain.err(), Some(Error::Incompatible));
    let as_joinable = JoinableQueue::open(&segment, plain.offset());
    assert_eq!(as_joinable.err(), Some(Error::Incompatible));
    let name = Name::new(&format!("joinable-{}", std::process::id())).unwrap();
    let named = JoinableQueue::create(&name, 1, 8).unwrap();
    let opened = (JoinableQueue::open_named(&name), Queue::open_named(&name));
    name.unlink().unwrap();
    named.try_send(b"task").unwrap();
    assert_eq!(opened.0.unwrap().unfinished(), 1);
    assert_eq!(opened.1.err(), Some(Error::Incompatible));
}

#[test]
fn workers_that_take_and_mark_let_the_join_return() {
    // shows: joinable-queue-workers-drain
    let queue = JoinableQueue::bounded(4, 8).unwrap();
    let workers: Vec<Child> = (0..4)
        .map(|_| {
            let there = queue.clone();
            Child::run(move || {
                while !there.recv(LIMIT).map_err(text)?.is_empty() {
                    there.task_done().map_err(text)?;
                }
                Ok(())
            })
        })
        .collect();
    (0..10).for_each(|number| queue.send(&[number], LIMIT).unwrap());
    assert_eq!(queue.join(LIMIT), Ok(()));
    (0..4).for_each(|_| queue.send(&[], LIMIT).unwrap());
    workers.into_iter().for_each(|worker| worker.succeeds("a worker"));
    assert_eq!(queue.unfinished(), 4); // the end markers
}

#[test]
fn a_killed_worker_leaves_its_task_unfinished_and_another_marks_it() {
    // shows: joinable-queue-killed-consumer-leaves-unfinished
    let queue = JoinableQueue::bounded(4, 8).unwrap();
    let told = Queue::bounded(1, 1).unwrap();
    queue.send(b"task", None).unwrap();
    let (there, tell) = (queue.clone(), told.clone());
    let worker = Child::run(move || {
        there.recv(LIMIT).map_err(text)?;
        tell.send(b"1", LIMIT).map_err(text)?;
        loop {
            std::thread::park();
        }
    });
    told.recv(LIMIT).unwrap();
    worker.kill();
    assert_eq!(queue.join(Duration::from_millis(1)), Err(Error::TimedOut));
    queue.task_done().unwrap();
    too_often(&queue);
}

#[test]
fn what_dies_with_its_sender_is_not_waited_for() {
    // Large: its place is taken before it is there.
    let size = 64 * LARGE_BYTES;
    let queue = JoinableQueue::bounded(4, size).unwrap();
    for round in 0..40_u32 {
        let there = queue.clone();
        let sender = Child::run(move || {
            loop {
                there.send(&vec![1; size], LIMIT).map_err(text)?;
            }
        });
        queue.recv(LIMIT).unwrap(); // it is amid sending
        queue.task_done().unwrap();
        (0..round * 997 % 20_000).for_each(|_| std::hint::spin_loop());
        sender.kill();
        while queue.try_recv().is_ok() {
            queue.task_done().unwrap();
        }
        assert_eq!(queue.join(LIMIT), Ok(()), "round {round}");
        too_often(&queue);
    }
}

#[test]
fn a_marker_that_is_killed_has_marked_or_not() {
    // shows: joinable-queue-killed-while-marking, joinable-queue-killed-joiner-harmless
    const COUNT: usize = 100;
    let queue = JoinableQueue::bounded(COUNT, 8).unwrap();
    let told = Queue::bounded(COUNT, 1).unwrap();
    for round in 0..40_u32 {
        (0..COUNT).for_each(|_| queue.send(b"task", LIMIT).unwrap());
        let there = queue.clone();
        let joiner = Child::run(move || there.join(LIMIT).map_err(text));
        let (there, tell) = (queue.clone(), told.clone());
        let marker = Child::run(move || {
            loop {
                there.task_done().map_err(text)?;
                tell.send(b"1", LIMIT).map_err(text)?;
            }
        });
        told.recv(LIMIT).unwrap();
        (0..round * 997 % 20_000).for_each(|_| std::hint::spin_loop());
        joiner.kill();
        marker.0.kill().unwrap();
        let mut marked = 1;
        marker.0.join(LIMIT).unwrap();
        while told.try_recv().is_ok() {
            marked += 1;
        }
        while queue.task_done() == Ok(()) {
            marked += 1;
        }
        assert!((COUNT - 1..=COUNT).contains(&marked), "round {round}: {marked} marks");
        too_often(&queue);
        while queue.try_recv().is_ok() {}
    }
}
