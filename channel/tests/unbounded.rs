//! Queues that take memory as they need it.

use core::sync::atomic::Ordering::SeqCst;
use core::time::Duration;
use std::os::fd::AsFd;

use purlin_channel::{Error, JoinableQueue, LARGE_BYTES, QUEUE_RING_MAX_BYTES, Queue, SimpleQueue};
use purlin_shm::{Carry, Luggage, Place, Segment};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::bad_input::Spoiled;
use crate::bounded::{Child, LIMIT, text};

const CHUNK: usize = 1 << 18;

fn message(number: usize, len: usize) -> Vec<u8> {
    (0..len).map(|byte| (byte ^ number) as u8).collect()
}

/// Where the words that say which pages are there stand, as a peer sees the queue.
const TAKEN: usize = 62 + 2;
const GIVEN: usize = 62 + 16;

/// How many bytes of the segment are there beyond those that should be: header and words, and what
/// was taken and not given.
fn bytes_too_many(queue: &Queue) -> i64 {
    let peer = Place::<Spoiled>::open(&queue.segment(), queue.offset()).unwrap();
    let held = (peer.words[TAKEN].load(SeqCst) - peer.words[GIVEN].load(SeqCst)) * 8;
    let stat = rustix::fs::fstat(queue.segment().descriptor().as_fd()).unwrap();
    let before_row = (queue.offset() + 16 + 880).next_multiple_of(4096);
    stat.st_blocks * 512 - (before_row + held) as i64
}

#[test]
fn it_takes_as_many_as_memory_allows() {
    // shows: queue-unbounded-by-default, queue-full-never-on-unbounded
    let queue = Queue::unbounded(1 << 30).unwrap();
    for number in 0..100_000_u32 {
        queue.try_send(&number.to_le_bytes()).unwrap();
    }
    assert_eq!((queue.len(), queue.is_full()), (Ok(100_000), Ok(false)));
    assert_eq!(bytes_too_many(&queue), 0);
    for number in 0..100_000_u32 {
        assert_eq!(queue.try_recv().unwrap(), number.to_le_bytes());
    }
    assert_eq!((queue.try_recv(), bytes_too_many(&queue)), (Err(Error::Empty), 0));
}

#[test]
fn what_was_received_gives_its_memory_back() {
    let queue = Queue::unbounded(1 << 28).unwrap();
    let blocks = || rustix::fs::fstat(queue.segment().descriptor()).unwrap().st_blocks * 512;
    let size = 1 << 20;
    for round in 0..3 {
        (0..64).for_each(|number| queue.try_send(&message(number, size)).unwrap());
        assert!(blocks() > 64 << 20);
        for number in 0..64 {
            assert!(queue.recv(None).unwrap() == message(number, size), "round {round}");
        }
        assert!(blocks() < 5 * CHUNK as i64, "{} bytes are kept", blocks());
        assert_eq!(bytes_too_many(&queue), 0);
    }
}

#[test]
fn it_goes_round_its_range_again_and_again() {
    let queue = Queue::unbounded(1).unwrap(); // a megabyte
    let size = queue.message_max_bytes();
    assert_eq!(size, CHUNK - 8);
    for lap in 0..400 {
        let sizes = [lap * 7919 % 5000, size - lap % 100, lap % 30];
        for (number, len) in sizes.into_iter().enumerate() {
            queue.try_send(&message(lap + number, len)).unwrap();
        }
        for (number, len) in sizes.into_iter().enumerate() {
            assert!(queue.try_recv().unwrap() == message(lap + number, len), "lap {lap}");
        }
    }
    assert_eq!(bytes_too_many(&queue), 0);
}

#[test]
fn the_largest_message_fits_wherever_the_head_stands() {
    let queue = Queue::unbounded(3 * CHUNK + 4000).unwrap();
    let size = queue.message_max_bytes();
    for len in (0..3 * CHUNK).step_by(6007) {
        queue.try_send(&vec![1; len.min(size)]).unwrap();
        queue.try_recv().unwrap();
        queue.try_send(&vec![2; size]).unwrap();
        assert!(queue.try_recv().unwrap() == vec![2; size]);
    }
    let too_large = Error::MessageTooLarge { len: size + 1 };
    assert_eq!(queue.try_send(&vec![0; size + 1]), Err(too_large));
}

#[test]
fn at_its_limit_it_waits_for_room() {
    let queue = Queue::unbounded(4 * CHUNK).unwrap();
    let size = 60_000;
    let mut count = 0;
    while queue.try_send(&message(count, size)).is_ok() {
        count += 1;
    }
    assert!(count * size > CHUNK);
    assert_eq!(queue.send(&message(0, size), Duration::from_millis(1)), Err(Error::Full));
    assert_eq!(queue.is_full(), Ok(false));
    std::thread::scope(|scope| {
        let sent = scope.spawn(|| queue.send(&message(count, size), LIMIT));
        for number in 0..=count {
            assert!(queue.recv(LIMIT).unwrap() == message(number, size));
        }
        assert_eq!(sent.join().unwrap(), Ok(()));
    });
    assert_eq!(bytes_too_many(&queue), 0);
}

#[test]
fn where_memory_ends_a_send_says_so_and_changes_nothing() {
    let queue = Queue::unbounded(1 << 24).unwrap();
    queue.try_send(b"first").unwrap();
    let there = queue.clone();
    let child = Child::run(move || {
        // For this process the file ends here: whoever grows it further is killed.
        let most = Rlimit { current: Some(2 << 20), maximum: getrlimit(Resource::Fsize).maximum };
        setrlimit(Resource::Fsize, most).map_err(text)?;
        let mut count = 0;
        loop {
            match there.try_send(&message(count, 5000)) {
                Ok(()) => count += 1,
                Err(Error::OutOfResources) => break,
                Err(other) => return Err(text(other)),
            }
        }
        let large = there.send(&message(0, LARGE_BYTES * 20), LIMIT);
        let new = Queue::unbounded(1 << 24).err();
        match (count > 200, large, new) {
            (true, Err(Error::OutOfResources), Some(Error::OutOfResources)) => Ok(()),
            other => Err(format!("{count}: {other:?}")),
        }
    });
    child.succeeds("it is told, and not killed");
    assert_eq!(queue.recv(None), Ok(b"first".to_vec()));
    let count = queue.len().unwrap();
    for number in 0..count {
        assert!(queue.recv(None).unwrap() == message(number, 5000));
    }
    queue.try_send(&message(1, 1 << 22)).unwrap(); // here there is memory
    assert!(queue.recv(None).unwrap() == message(1, 1 << 22));
    assert_eq!(bytes_too_many(&queue), 0);
}

#[test]
fn limits_that_cannot_be_are_refused() {
    // shows: queue-bound-too-big-refused
    for limit in [0, QUEUE_RING_MAX_BYTES as usize + 1, 1 << 40, usize::MAX] {
        assert_eq!(Queue::unbounded(limit).err(), Some(Error::InvalidArgument), "{limit}");
    }
    let queue = Queue::unbounded(QUEUE_RING_MAX_BYTES as usize).unwrap();
    queue.try_send(b"as large as can be").unwrap();
    assert!(queue.message_max_bytes() > 2_000_000_000);
    assert_eq!(queue.try_recv().unwrap(), b"as large as can be");
}

#[test]
fn it_is_opened_inherited_and_carried() {
    // shows: simple-queue-handed-over-at-start
    let queue = SimpleQueue::new().unwrap();
    let there = queue.clone();
    let child = Child::run(move || there.send(&message(1, 1 << 20)).map_err(text));
    assert!(queue.recv().unwrap() == message(1, 1 << 20));
    child.succeeds("it has sent");
    let joinable = JoinableQueue::unbounded(1 << 24).unwrap();
    let mut luggage = Luggage::new();
    (queue.clone(), joinable.clone()).pack(&mut luggage).unwrap();
    let (bytes, descriptors) = luggage.into_parts();
    let mut luggage = Luggage::from_parts(&bytes, descriptors).unwrap();
    let (carried, joined) = <(SimpleQueue, JoinableQueue)>::unpack(&mut luggage).unwrap();
    carried.send(b"carried").unwrap();
    assert_eq!(queue.recv().unwrap(), b"carried");
    joined.send(&message(2, 1 << 22), None).unwrap();
    let opened = JoinableQueue::open(&joinable.segment(), joinable.offset()).unwrap();
    assert!(opened.recv(None).unwrap() == message(2, 1 << 22));
    assert_eq!(joinable.unfinished(), 1);
    opened.task_done().unwrap();
    assert_eq!(joinable.join(None), Ok(()));
}

#[test]
fn spoiled_places_are_told_and_never_followed() {
    let values = [1, 7, CHUNK as u64 / 8, 1 << 35, (1 << 36) - 1, 1 << 36, u64::MAX];
    for (taken, given) in
        values.into_iter().flat_map(|taken| values.into_iter().map(move |given| (taken, given)))
    {
        let queue = Queue::unbounded(1 << 20).unwrap();
        queue.try_send(b"a message").unwrap();
        let peer = Place::<Spoiled>::open(&queue.segment(), queue.offset()).unwrap();
        peer.words[TAKEN].store(taken, SeqCst);
        peer.words[GIVEN].store(given, SeqCst);
        // Whatever they answer, they answer, and neither read nor punch outside.
        let _ = queue.try_send(&vec![1; CHUNK / 2]);
        let _ = queue.try_recv();
        let _ = queue.try_recv();
        let _ = queue.try_send(&vec![1; CHUNK / 2]);
        peer.words[TAKEN].store(3, SeqCst);
        assert_eq!(queue.try_send(b"more"), Err(Error::Damaged), "{taken} {given}");
    }
}

#[test]
fn one_that_says_so_where_all_pages_are_there_is_told() {
    let segment = Segment::anonymous(1 << 20).unwrap();
    let queue = Queue::bounded_in(&segment, 1, 1).unwrap();
    let peer = Place::<Spoiled>::open(&segment, queue.offset()).unwrap();
    for limit in [1, 1 << 17, 1 << 30, u64::MAX] {
        peer.words[62 + 1].store(limit, SeqCst);
        assert_eq!(Queue::open(&segment, queue.offset()).err(), Some(Error::Damaged), "{limit}");
    }
}

#[test]
fn users_that_are_killed_leave_whole_messages_and_their_pages() {
    let queue = Queue::unbounded(1 << 22).unwrap();
    for round in 0..80_u32 {
        let size = if round % 2 == 0 { 3000 } else { LARGE_BYTES * 3 };
        let there = queue.clone();
        let sender = Child::run(move || {
            for number in 0.. {
                there.send(&message(number, size), LIMIT).map_err(text)?;
            }
            Ok(())
        });
        let there = queue.clone();
        let receiver = Child::run(move || {
            loop {
                there.recv(LIMIT).map_err(text)?;
            }
        });
        queue.recv(LIMIT).unwrap();
        (0..round * 997 % 40_000).for_each(|_| std::hint::spin_loop());
        sender.kill();
        receiver.kill();
        let mut next = None;
        while let Ok(received) = queue.try_recv() {
            let number = usize::from(received[0]);
            assert!(received == message(number, size), "round {round}: torn");
            assert!(next.is_none_or(|next| next == number as u8), "round {round}: order");
            next = Some((number as u8).wrapping_add(1));
        }
        assert_eq!(queue.is_empty(), Ok(true));
    }
    // A lap more, and everything is as if nobody had died.
    for _ in 0..100 {
        queue.try_send(&vec![1; 100_000]).unwrap();
        assert!(queue.try_recv().unwrap() == vec![1; 100_000]);
    }
    assert_eq!(bytes_too_many(&queue), 0);
}
