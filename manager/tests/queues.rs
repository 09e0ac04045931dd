//! Queues.

use std::time::{Duration, Instant};

use purlin_manager::{Error, Manager};

use crate::bounded::{BRIEF, Child, LIMIT, Test, until};

pub(crate) const TESTS: &[Test] = &[
    ("a_queue_keeps_order_and_bound", a_queue_keeps_order_and_bound),
    ("what_is_put_is_there_at_once", what_is_put_is_there_at_once),
    ("a_queues_limits_are_total", a_queues_limits_are_total),
    ("what_is_done_is_counted", what_is_done_is_counted),
    ("a_killed_getter_swallows_nothing", a_killed_getter_swallows_nothing),
    ("a_killed_putter_puts_nothing", a_killed_putter_puts_nothing),
    ("who_waits_holds_up_nobody", who_waits_holds_up_nobody),
    ("many_put_and_get", many_put_and_get),
];

fn a_queue_keeps_order_and_bound() {
    // shows: manager-queue
    let manager = Manager::start().unwrap();
    let queue = manager.bounded_queue(2).unwrap();
    queue.put(&5, None).unwrap();
    queue.put(&6, None).unwrap();
    Child::run(|| {
        assert_eq!((queue.len(), queue.is_full()), (Ok(2), Ok(true)));
        assert_eq!((queue.get(None), queue.get(None)), (Ok(5), Ok(6)));
        assert_eq!((queue.is_empty(), queue.is_full()), (Ok(true), Ok(false)));
    })
    .succeeds();
    let unbounded = manager.queue().unwrap();
    (0..1000).for_each(|number| unbounded.try_put(&number).unwrap());
    assert_eq!((unbounded.len(), unbounded.is_full()), (Ok(1000), Ok(false)));
}

fn what_is_put_is_there_at_once() {
    // shows: manager-queue-put-is-visible-at-once
    let manager = Manager::start().unwrap();
    let queue = manager.queue().unwrap();
    for number in 0..20 {
        queue.put(&number, None).unwrap();
        Child::run(|| assert_eq!(queue.try_get(), Ok(number))).succeeds();
    }
}

fn a_queues_limits_are_total() {
    // shows: manager-queue-timeout
    let manager = Manager::start().unwrap();
    let queue = manager.bounded_queue(1).unwrap();
    let start = Instant::now();
    assert_eq!(queue.get(BRIEF), Err(Error::Empty));
    assert!(start.elapsed() >= BRIEF);
    queue.put(&1, None).unwrap();
    let start = Instant::now();
    assert_eq!(queue.put(&2, BRIEF), Err(Error::Full));
    assert!(start.elapsed() >= BRIEF);
    assert_eq!(
        (queue.put(&2, Duration::ZERO), queue.try_put(&2)),
        (Err(Error::Full), Err(Error::Full))
    );
    assert_eq!((queue.get(None), queue.try_get()), (Ok(1), Err(Error::Empty)));
}

fn what_is_done_is_counted() {
    // shows: manager-queue-join
    let manager = Manager::start().unwrap();
    let queue = manager.queue().unwrap();
    queue.put(&1, None).unwrap();
    queue.put(&2, None).unwrap();
    let joins = Child::run(|| queue.join(LIMIT));
    joins.waits();
    assert_eq!(queue.join(BRIEF), Err(Error::TimedOut));
    queue.get(None).unwrap();
    queue.task_done().unwrap();
    queue.get(None).unwrap();
    assert_eq!(joins.0.is_alive(), Ok(true));
    queue.task_done().unwrap();
    joins.succeeds();
    assert_eq!(queue.task_done(), Err(Error::TaskDoneTooOften));
    assert_eq!(queue.join(None), Ok(()));
}

fn a_killed_getter_swallows_nothing() {
    // shows: manager-queue-getter-killed
    let manager = Manager::start().unwrap();
    let queue = manager.queue().unwrap();
    for limit in [None, Some(LIMIT)] {
        let getter = Child::run(|| queue.get(limit).map(drop));
        getter.waits();
        let survivor = Child::run(|| assert_eq!(queue.get(limit), Ok("y".to_owned())));
        survivor.waits();
        getter.kill();
        queue.put(&"y".to_owned(), None).unwrap();
        survivor.succeeds();
        queue.put(&"x".to_owned(), None).unwrap();
        assert_eq!(queue.get(LIMIT), Ok("x".to_owned()));
    }
}

fn a_killed_putter_puts_nothing() {
    // shows: manager-queue-putter-killed
    let manager = Manager::start().unwrap();
    let queue = manager.bounded_queue(1).unwrap();
    for limit in [None, Some(LIMIT)] {
        queue.put(&1, None).unwrap();
        let putter = Child::run(|| queue.put(&2, limit));
        putter.waits();
        putter.kill();
        assert_eq!(queue.get(None), Ok(1));
        assert_eq!(queue.get(BRIEF), Err(Error::Empty));
    }
}

fn who_waits_holds_up_nobody() {
    // shows: manager-long-call-blocks-nobody
    let manager = Manager::start().unwrap();
    let (queue, list) = (manager.queue().unwrap(), manager.list([1]).unwrap());
    let waiter = Child::run(|| assert_eq!(queue.get(None), Ok(1)));
    waiter.waits();
    Child::run(|| -> Result<(), Error> {
        assert_eq!((list.len()?, queue.len()?), (1, 0));
        queue.put(&1, None)
    })
    .succeeds();
    waiter.succeeds();
}

fn many_put_and_get() {
    let manager = Manager::start().unwrap();
    let queue = manager.bounded_queue(4).unwrap();
    let sums = manager.list(Vec::<u64>::new()).unwrap();
    let getters = [(); 3].map(|()| {
        Child::run(|| -> Result<(), Error> {
            let mut sum = 0;
            for _ in 0..100 {
                sum += queue.get(LIMIT)?;
                queue.task_done()?;
            }
            sums.push(&sum)
        })
    });
    let putters =
        [(); 2].map(|()| Child::run(|| (0..150_u64).try_for_each(|n| queue.put(&n, LIMIT))));
    putters.into_iter().for_each(Child::succeeds);
    queue.join(LIMIT).unwrap();
    getters.into_iter().for_each(Child::succeeds);
    until("all sums are there", || sums.len() == Ok(3));
    assert_eq!(sums.to_vec().unwrap().iter().sum::<u64>(), 2 * (0..150).sum::<u64>());
    assert_eq!(queue.len(), Ok(0));
}
