//! Waiting for several things at once.

use core::sync::atomic::Ordering::SeqCst;
use core::time::Duration;
use std::os::fd::AsFd;
use std::time::Instant;

use purlin_channel::{Awaited, Error, Pipe, Queue, wait};
use purlin_process::{ExitStatus, Process};
use purlin_shm::Place;
use purlin_sync::Event;

use crate::bad_input::Spoiled;
use crate::bounded::{Child, LIMIT, text};

#[test]
fn those_that_are_ready_are_told_and_no_others() {
    // shows: pipe-wait-several-returns-ready, pipe-wait-several-all-ready
    // shows: pipe-wait-several-timeout, pipe-wait-several-same-end-twice
    let pipes: Vec<_> = (0..3).map(|_| Pipe::duplex().unwrap()).collect();
    let ours: Vec<Awaited<'_>> = pipes.iter().map(|(ours, _)| ours.into()).collect();
    let short = Duration::from_millis(20);
    let begin = Instant::now();
    assert_eq!(wait(&ours, short), Ok(vec![]));
    assert!(begin.elapsed() >= short);
    assert_eq!(wait(&ours, Duration::ZERO), Ok(vec![]));
    pipes[2].1.send(b"2", None).unwrap();
    assert_eq!(wait(&ours, None), Ok(vec![2]));
    pipes[0].1.send(b"0", None).unwrap();
    assert_eq!(wait(&ours, LIMIT), Ok(vec![0, 2]));
    assert_eq!(wait(&[ours[0], ours[2], ours[0], ours[2]], Duration::ZERO), Ok(vec![0, 1]));
    let again = pipes[0].0.clone();
    assert_eq!(wait(&[(&again).into(), ours[0]], Duration::ZERO), Ok(vec![0]));
    pipes[1].1.close();
    // A child that another test forks just now has a copy for a moment.
    assert_eq!(wait(&[ours[1]], LIMIT), Ok(vec![0]));
    assert_eq!(wait(&ours, LIMIT), Ok(vec![0, 1, 2]));
    assert_eq!(pipes[1].0.recv(None), Err(Error::EndOfFile));
}

#[test]
fn what_cannot_be_waited_for_is_refused() {
    // shows: pipe-wait-several-nothing, pipe-wait-several-closed-refused
    // shows: pipe-wait-several-writing-end-refused
    assert_eq!(wait(&[], Duration::ZERO), Ok(vec![]));
    assert_eq!(wait(&[], Duration::from_millis(1)), Ok(vec![]));
    assert_eq!(wait(&[], None), Err(Error::InvalidArgument));
    let (reader, writer) = Pipe::simplex().unwrap();
    assert_eq!(wait(&[(&writer).into()], Duration::ZERO), Err(Error::WrongDirection));
    reader.close();
    assert_eq!(wait(&[(&reader).into()], None), Err(Error::Closed));
    let queue = Queue::bounded(1, 1).unwrap();
    queue.close();
    assert_eq!(wait(&[(&queue).into()], None), Err(Error::Closed));
}

#[test]
fn a_close_in_another_thread_ends_the_wait() {
    let (one, _other) = Pipe::duplex().unwrap();
    let event = Event::new().unwrap();
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| wait(&[(&event).into(), (&one).into()], LIMIT));
        one.close();
        assert_eq!(waits.join().unwrap(), Err(Error::Closed));
    });
}

#[test]
fn words_are_waited_for_alone_together_and_beside_descriptors() {
    let (reader, writer) = Pipe::simplex().unwrap();
    let queues = [Queue::bounded(1, 8).unwrap(), Queue::bounded(1, 8).unwrap()];
    let event = Event::new().unwrap();
    let lists: [Vec<Awaited<'_>>; 4] = [
        vec![(&queues[0]).into()],
        vec![(&queues[1]).into(), (&queues[0]).into()],
        vec![(&event).into(), (&queues[0]).into(), (&queues[1]).into()],
        vec![(&reader).into(), (&event).into(), (&queues[0]).into()],
    ];
    let place_of_first = [0, 1, 1, 2];
    for (list, place) in lists.iter().zip(place_of_first) {
        assert_eq!(wait(list, Duration::from_millis(1)), Ok(vec![]));
        for _ in 0..50 {
            std::thread::scope(|scope| {
                let waits = scope.spawn(|| wait(list, LIMIT));
                queues[0].send(b"one", LIMIT).unwrap();
                assert_eq!(waits.join().unwrap(), Ok(vec![place]));
            });
            assert_eq!(queues[0].try_recv(), Ok(b"one".to_vec()));
        }
    }
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| wait(&lists[2], LIMIT));
        event.set();
        assert_eq!(waits.join().unwrap(), Ok(vec![0]));
    });
    writer.send(b"x", None).unwrap();
    assert_eq!(wait(&lists[3], None), Ok(vec![0, 1]));
    event.clear();
    queues[0].shutdown().unwrap();
    assert_eq!(wait(&lists[1], None), Ok(vec![1]));
}

#[test]
fn who_receives_and_who_waits_are_both_told() {
    let queue = Queue::bounded(4, 8).unwrap();
    for _ in 0..50 {
        std::thread::scope(|scope| {
            let receives = scope.spawn(|| queue.recv(LIMIT));
            let waits = scope.spawn(|| wait(&[(&queue).into()], LIMIT));
            queue.send(b"one", None).unwrap();
            assert_eq!(receives.join().unwrap(), Ok(b"one".to_vec()));
            queue.send(b"two", None).unwrap(); // if the first was taken before it looked
            assert_eq!(waits.join().unwrap(), Ok(vec![0]));
            assert_eq!(queue.try_recv(), Ok(b"two".to_vec()));
        });
    }
}

/// Whether somebody may sleep for a message, as the word says that they sleep on.
fn says_somebody_sleeps(queue: &Queue) -> bool {
    const NOT_EMPTY: usize = 240 / 8;
    let peer = Place::<Spoiled>::open(&queue.segment(), queue.offset()).unwrap();
    peer.words[NOT_EMPTY].load(SeqCst) & 1 != 0
}

/// Who waits says that it may sleep before each look. A wake takes that away, and ends one sleep:
/// were others asleep there, nobody would tell them.
#[test]
fn a_wait_passes_on_the_wake_that_it_used_up() {
    // Which one is closed while it waits: none, one that comes later or earlier, the woken one.
    for closed in [None, Some(2), Some(0), Some(1)] {
        let queues = [(); 3].map(|()| Queue::bounded(1, 8).unwrap());
        let sender = Queue::open(&queues[1].segment(), queues[1].offset()).unwrap();
        std::thread::scope(|scope| {
            let all = queues.each_ref().map(Awaited::from);
            let waits = scope.spawn(move || wait(&all, LIMIT));
            let begin = Instant::now();
            while !queues.iter().all(says_somebody_sleeps) {
                assert!(begin.elapsed() < LIMIT, "it does not sleep");
                std::thread::yield_now();
            }
            if let Some(closed) = closed {
                queues[closed].close(); // it is told when it wakes
            }
            sender.send(b"one", LIMIT).unwrap();
            let expected = if closed.is_some() { Err(Error::Closed) } else { Ok(vec![1]) };
            assert_eq!(waits.join().unwrap(), expected);
        });
        assert!(!says_somebody_sleeps(&queues[1]), "closed: {closed:?}");
    }
}

#[test]
fn the_end_of_a_process_is_waited_for_beside_pipes() {
    // shows: pipe-wait-several-with-process-end
    let (one, _other) = Pipe::duplex().unwrap();
    let go = Event::new().unwrap();
    let there = go.clone();
    let child = Child::run(move || there.wait(LIMIT).map_err(text).map(drop));
    let list = [(&one).into(), Awaited::Descriptor(child.0.sentinel().unwrap())];
    assert_eq!(wait(&list, Duration::from_millis(1)), Ok(vec![]));
    go.set();
    assert_eq!(wait(&list, LIMIT), Ok(vec![1]));
    child.succeeds("it was let go");
    let bare = std::io::pipe().unwrap();
    drop(bare.1);
    assert_eq!(wait(&[bare.0.as_fd().into()], LIMIT), Ok(vec![0]));
}

#[test]
fn a_loop_over_several_senders_ends_by_itself() {
    // shows: pipe-wait-several-end-is-ready
    let mut readers = Vec::new();
    let children: Vec<Process> = (0..4_u8)
        .map(|number| {
            let (reader, writer) = Pipe::simplex().unwrap();
            readers.push(reader);
            writer.hand_over().unwrap();
            let send = move || (0..10).try_for_each(|n| writer.send(&[number, n], LIMIT));
            Process::fork("sender", send).unwrap()
        })
        .collect();
    let mut count = 0;
    while !readers.is_empty() {
        let awaited: Vec<Awaited<'_>> = readers.iter().map(Awaited::from).collect();
        let mut ready = wait(&awaited, LIMIT).unwrap();
        assert!(!ready.is_empty(), "nothing for a minute");
        while let Some(place) = ready.pop() {
            match readers[place].try_recv() {
                Ok(_) => count += 1,
                Err(Error::EndOfFile) => drop(readers.remove(place)),
                Err(other) => panic!("{other}"),
            }
        }
    }
    assert_eq!(count, 40);
    for child in children {
        assert_eq!(child.join(LIMIT), Ok(ExitStatus::Code(0)));
    }
}
