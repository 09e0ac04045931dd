//! Pipes, and what each call answers.

use core::time::Duration;

use purlin_channel::{Error, Pipe, Queue, RecvIntoError, Value};
use purlin_shm::Segment;
use purlin_sync::{Event, Lock};

use crate::bounded::{Child, LIMIT, comes_to, falls_asleep, own_state, text};

/// A message that differs from others of its length.
fn message(number: usize, len: usize) -> Vec<u8> {
    (0..len).map(|byte| (byte ^ number) as u8).collect()
}

/// Around every border: of the stack's copy, of the socket's piece, of a page.
const SIZES: [usize; 14] =
    [0, 1, 255, 256, 257, 4095, 49_151, 49_152, 49_153, 53_248, 53_249, 65_536, 1 << 20, 5_000_003];

#[test]
fn messages_of_any_size_arrive_whole_in_order_and_once() {
    // shows: pipe-keeps-boundaries, pipe-empty-message, pipe-mixed-sizes-in-order
    // shows: pipe-large-message, pipe-carries-bytes, pipe-two-way-by-default
    let (one, other) = Pipe::duplex().unwrap();
    for (from, to) in [(&one, &other), (&other, &one)] {
        for (number, size) in SIZES.into_iter().enumerate() {
            from.send(&message(number, size), None).unwrap();
            assert!(to.recv(LIMIT) == Ok(message(number, size)), "{size} bytes");
            let mut buffer = vec![9; size + 3];
            from.send(&message(number, size), LIMIT).unwrap();
            assert_eq!(to.recv_into(&mut buffer, LIMIT), Ok(size));
            assert!(buffer[..size] == message(number, size) && buffer[size..] == [9; 3]);
        }
        assert_eq!(to.try_recv(), Err(Error::TimedOut));
    }
    for text in [&b"hello"[..], b"", b"a", b"b", b"", b"bye", b"", b"lop"] {
        one.try_send(text).unwrap();
    }
    for text in [&b"hello"[..], b"", b"a", b"b", b"", b"bye", b"", b"lop"] {
        assert_eq!(other.poll(Duration::ZERO), Ok(true));
        assert_eq!(other.try_recv().as_deref(), Ok(text));
    }
    assert_eq!(other.poll(Duration::ZERO), Ok(false));
}

#[test]
fn a_simplex_receives_at_its_first_end_and_refuses_the_rest() {
    // shows: pipe-one-way-first-reads, pipe-wrong-direction
    let (reader, writer) = Pipe::simplex().unwrap();
    assert!(reader.can_recv() && !reader.can_send() && !writer.can_recv() && writer.can_send());
    assert_eq!(reader.send(b"2", None), Err(Error::WrongDirection));
    assert_eq!(reader.send_with(b"2", &(), None), Err(Error::WrongDirection));
    assert_eq!(writer.recv(None), Err(Error::WrongDirection));
    let into = writer.recv_into(&mut [0], None);
    assert_eq!(into, Err(RecvIntoError::Failed(Error::WrongDirection)));
    assert_eq!(writer.poll(None), Err(Error::WrongDirection));
    writer.send(b"1", None).unwrap();
    assert_eq!(reader.recv(LIMIT), Ok(b"1".to_vec()));
}

#[test]
fn what_does_not_fit_comes_with_the_error_and_the_buffer_stays() {
    // shows: pipe-recv-into-too-small, pipe-recv-limit-fits, pipe-recv-limit-exceeded
    // shows: pipe-recv-limit-exceeded-never-garbage
    let (reader, writer) = Pipe::simplex().unwrap();
    for size in [110, 1 << 18] {
        writer.send(&message(1, size), None).unwrap();
        writer.send(b"next", None).unwrap();
        let mut buffer = [b' '; 40];
        let answer = reader.recv_into(&mut buffer, None);
        assert_eq!(answer.as_ref().unwrap_err().error(), Error::MessageTooLarge { len: size });
        assert!(answer == Err(RecvIntoError::TooLarge(message(1, size))));
        assert_eq!(buffer, [b' '; 40]);
        assert_eq!(reader.recv(LIMIT), Ok(b"next".to_vec()));

        writer.send(&message(1, size), None).unwrap();
        writer.send(b"next", None).unwrap();
        assert_eq!(reader.recv_limited(3, None), Err(Error::MessageTooLarge { len: size }));
        assert_eq!(reader.recv_limited(4, None), Ok(b"next".to_vec()));
    }
    writer.send(b"", None).unwrap();
    assert_eq!(reader.recv_limited(0, None), Ok(vec![]));
}

#[test]
fn the_rest_is_received_before_the_end_which_stays() {
    // shows: pipe-end-of-file-after-last-writer, pipe-rest-is-read-before-end
    // shows: pipe-end-of-file-is-lasting, pipe-poll-true-at-end
    // shows: pipe-rest-is-read-although-other-way-unread
    for has_unread in [false, true] {
        let (one, other) = Pipe::duplex().unwrap();
        if has_unread {
            one.send(b"never received", None).unwrap();
        }
        other.send(b"1", None).unwrap();
        other.send(&message(2, 1 << 20), None).unwrap();
        other.close();
        assert_eq!(one.recv(LIMIT), Ok(b"1".to_vec()));
        assert_eq!(one.poll(LIMIT), Ok(true));
        assert!(one.recv(LIMIT) == Ok(message(2, 1 << 20)));
        for _ in 0..3 {
            assert_eq!(one.poll(LIMIT), Ok(true));
            assert_eq!(one.recv(LIMIT), Err(Error::EndOfFile));
            assert_eq!(one.try_recv(), Err(Error::EndOfFile));
        }
        assert_eq!(one.send(b"nobody", None), Err(Error::BrokenPipe));
    }
}

/// Sends until nobody is left to receive: a child that another test forks has copies of the other
/// end for a moment, until its handler has run.
fn until_broken(writer: &Pipe) {
    let begin = std::time::Instant::now();
    while writer.try_send(b"x") != Err(Error::BrokenPipe) {
        assert!(begin.elapsed() < LIMIT, "somebody keeps a copy");
        std::thread::yield_now();
    }
}

#[test]
fn a_send_to_nobody_is_a_broken_pipe_and_no_signal() {
    // shows: pipe-broken-when-no-reader
    for size in [1, 1 << 20] {
        let (reader, writer) = Pipe::simplex().unwrap();
        writer.send(b"unread", None).unwrap();
        reader.close();
        until_broken(&writer);
        for _ in 0..3 {
            assert_eq!(writer.send(&message(1, size), None), Err(Error::BrokenPipe));
            assert_eq!(writer.send(&message(1, size), LIMIT), Err(Error::BrokenPipe));
            assert_eq!(writer.try_send(&message(1, size)), Err(Error::BrokenPipe));
        }
    }
}

#[test]
fn a_closed_end_refuses_all_and_can_be_closed_again() {
    // shows: pipe-close-makes-calls-fail, pipe-close-twice, pipe-own-end-closed-is-not-end-of-file
    let (one, other) = Pipe::duplex().unwrap();
    let clone = one.clone();
    assert!(!one.is_closed());
    one.close();
    one.close();
    for closed in [&one, &clone] {
        assert!(closed.is_closed());
        assert_eq!(closed.send(b"1", None), Err(Error::Closed));
        assert_eq!(closed.recv(None), Err(Error::Closed));
        assert_eq!(closed.poll(None), Err(Error::Closed));
        assert_eq!(closed.descriptor(), Err(Error::Closed));
        assert_eq!(closed.hand_over(), Err(Error::Closed));
    }
    assert_eq!(other.recv(LIMIT), Err(Error::EndOfFile));
    let (reader, writer) = Pipe::simplex().unwrap();
    let last = writer.clone();
    drop(writer);
    assert_eq!(reader.try_recv(), Err(Error::TimedOut));
    drop(last);
    assert_eq!(reader.recv(LIMIT), Err(Error::EndOfFile));
}

#[test]
fn a_close_ends_what_other_threads_wait_for() {
    // shows: pipe-close-in-other-thread-ends-wait
    let (one, other) = Pipe::duplex().unwrap();
    while other.try_send(&[0; 40_000]).is_ok() {}
    let (idle, far) = Pipe::duplex().unwrap();
    std::thread::scope(|scope| {
        let waits = [
            scope.spawn(|| idle.recv(None).err()),
            scope.spawn(|| idle.recv(LIMIT).err()),
            scope.spawn(|| idle.poll(None).err()),
            scope.spawn(|| other.send(&[0; 40_000], None).err()),
            scope.spawn(|| other.send(&[0; 40_000], LIMIT).err()),
        ];
        // Whether they wait already or come later, they are told.
        idle.close();
        other.close();
        for wait in waits {
            assert_eq!(wait.join().unwrap(), Some(Error::Closed));
        }
    });
    until_broken(&far);
    assert!(one.recv(LIMIT).is_ok(), "what was sent is there");
}

/// A pipe whose first end is set not to wait, as foreign code may do.
fn nonblocking_pair(is_nonblocking: bool) -> (Pipe, Pipe) {
    let (family, kind) = (rustix::net::AddressFamily::UNIX, rustix::net::SocketType::SEQPACKET);
    let flags = rustix::net::SocketFlags::CLOEXEC;
    let (one, other) = rustix::net::socketpair(family, kind, flags, None).unwrap();
    if is_nonblocking {
        rustix::fs::fcntl_setfl(&one, rustix::fs::OFlags::NONBLOCK).unwrap();
    }
    let pipe = |end| Pipe::from_descriptor(end, true, true).unwrap();
    (pipe(one), pipe(other))
}

#[test]
fn who_waits_sleeps_whatever_its_limit_and_whatever_its_socket_is_set_to() {
    let limits = [None, Some(Duration::MAX), Some(LIMIT)];
    for (is_nonblocking, limit) in [false, true].into_iter().flat_map(|is| limits.map(|x| (is, x)))
    {
        let (one, other) = nonblocking_pair(is_nonblocking);
        let mut count = 0;
        while one.try_send(&[0; 40_000]).is_ok() {
            count += 1;
        }
        std::thread::scope(|scope| {
            let (tell, told) = std::sync::mpsc::channel();
            let also_tell = tell.clone();
            let one = &one;
            let receives = scope.spawn(move || {
                tell.send(own_state()).unwrap();
                one.recv(limit)
            });
            let sends = scope.spawn(move || {
                also_tell.send(own_state()).unwrap();
                one.send(&[0; 40_000], limit)
            });
            let are_asleep = [(); 2].map(|()| falls_asleep(&told.recv_timeout(LIMIT).unwrap()));
            other.send(b"x", LIMIT).unwrap();
            (0..=count).for_each(|_| drop(other.recv(LIMIT).unwrap()));
            assert_eq!(receives.join().unwrap(), Ok(b"x".to_vec()));
            assert_eq!(sends.join().unwrap(), Ok(()));
            assert_eq!(are_asleep, [true; 2], "{is_nonblocking}, {limit:?}");
        });
    }
}

#[test]
fn a_fork_amid_a_send_of_an_end_has_no_copy_of_it() {
    let (far, near) = Pipe::simplex().unwrap();
    let (reader, writer) = Pipe::simplex().unwrap();
    let done = Event::new().unwrap();
    let mut count = 0;
    while near.try_send(&[0; 40_000]).is_ok() {
        count += 1;
    }
    let child = std::thread::scope(|scope| {
        let (tell, told) = std::sync::mpsc::channel();
        let (near, writer) = (&near, writer.clone());
        let sends = scope.spawn(move || {
            tell.send(own_state()).unwrap();
            near.send_with(b"", &(writer,), LIMIT)
        });
        // Behind the packing, which is not safe from a fork.
        let waits_in = [libc::SYS_sendmsg, libc::SYS_ppoll];
        assert!(comes_to(&told.recv_timeout(LIMIT).unwrap(), &waits_in));
        let go = done.clone();
        let child = Child::run(move || go.wait(LIMIT).map(drop).map_err(text));
        (0..count).for_each(|_| drop(far.recv(LIMIT).unwrap()));
        assert_eq!(sends.join().unwrap(), Ok(()));
        child
    });
    let (_, (came,)) = far.recv_with::<(Pipe,)>(LIMIT).unwrap();
    came.send(b"last", LIMIT).unwrap();
    drop((came, writer));
    assert_eq!(reader.recv(LIMIT), Ok(b"last".to_vec()));
    assert_eq!(reader.recv(LIMIT), Err(Error::EndOfFile), "while the child is alive");
    done.set();
    child.succeeds("it was let go");
}

#[test]
fn deadlines_of_any_size_are_understood() {
    // shows: pipe-recv-deadline, pipe-send-deadline, pipe-poll-timeout
    let (reader, writer) = Pipe::simplex().unwrap();
    let short = Duration::from_millis(20);
    for limit in [Duration::ZERO, short] {
        let begin = std::time::Instant::now();
        assert_eq!(reader.recv(limit), Err(Error::TimedOut));
        assert_eq!(reader.poll(limit), Ok(false));
        assert!(begin.elapsed() >= 2 * limit);
    }
    let mut count = 0;
    while writer.send(&message(count, 65_536), Duration::ZERO).is_ok() {
        count += 1;
    }
    let begin = std::time::Instant::now();
    assert_eq!(writer.send(&message(count, 65_536), short), Err(Error::TimedOut));
    assert!(begin.elapsed() >= short);
    for number in 0..count {
        assert!(reader.recv(Duration::MAX) == Ok(message(number, 65_536)));
    }
    writer.send(b"ok", LIMIT).unwrap();
    assert_eq!(reader.recv(LIMIT), Ok(b"ok".to_vec()));
    assert_eq!(reader.try_recv(), Err(Error::TimedOut));
}

#[test]
fn what_is_on_its_way_has_a_bound_whatever_its_size() {
    // shows: pipe-send-waits-when-full
    for size in [1, 40_000, 1 << 20, 8 << 20] {
        let (reader, writer) = Pipe::simplex().unwrap();
        let mut count = 0;
        while writer.try_send(&message(count, size)).is_ok() {
            count += 1;
        }
        assert!((1..10_000).contains(&count), "{count} of {size} bytes");
        assert!(size < 40_000 || count <= 6, "{count} of {size} bytes");
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| writer.send(&message(count, size), LIMIT));
            for number in 0..=count {
                assert!(reader.recv(LIMIT) == Ok(message(number, size)));
            }
            assert_eq!(waits.join().unwrap(), Ok(()));
        });
    }
}

#[test]
fn handles_go_along_and_lead_to_the_same_objects() {
    // shows: pipe-end-can-be-sent
    let (one, other) = Pipe::duplex().unwrap();
    let (near, far) = Pipe::simplex().unwrap();
    let queue = Queue::bounded(4, 8).unwrap();
    let lock = Lock::new().unwrap();
    for size in [0, 9, 1 << 20] {
        one.send_with(&message(3, size), &(far.clone(), queue.clone(), lock.clone()), None)
            .unwrap();
        let (text, handles) = other.recv_with::<(Pipe, Queue, Lock)>(LIMIT).unwrap();
        assert!(text == message(3, size));
        handles.0.send(b"via", None).unwrap();
        assert_eq!(handles.0.recv(None), Err(Error::WrongDirection));
        assert_eq!(near.recv(LIMIT), Ok(b"via".to_vec()));
        handles.1.try_send(b"queue").unwrap();
        assert_eq!(queue.try_recv(), Ok(b"queue".to_vec()));
        let held = lock.acquire(None).unwrap();
        assert!(handles.2.is_mine());
        drop(held);
    }
    // Its last copy may be on its way.
    one.send_with(b"", &(far,), None).unwrap();
    assert_eq!(near.try_recv(), Err(Error::TimedOut));
    let (_, (far,)) = other.recv_with::<(Pipe,)>(LIMIT).unwrap();
    far.send(b"late", None).unwrap();
    drop(far);
    assert_eq!(near.recv(LIMIT), Ok(b"late".to_vec()));
    assert_eq!(near.recv(LIMIT), Err(Error::EndOfFile));
}

#[test]
fn other_handles_than_were_sent_are_told_and_the_next_message_comes() {
    // shows: pipe-unreadable-message-consumed
    let (one, other) = Pipe::duplex().unwrap();
    let (segment, lock) = (Segment::anonymous(4096).unwrap(), Lock::new().unwrap());
    one.send_with(b"x", &(lock.clone(),), None).unwrap();
    one.send_with(b"x", &(lock.clone(),), None).unwrap();
    one.send_with(b"x", &(lock.clone(), segment), None).unwrap();
    one.send_with(b"x", &(lock,), None).unwrap();
    one.send(b"plain", None).unwrap();
    one.send(b"last", None).unwrap();
    assert_eq!(other.recv(LIMIT), Err(Error::Incompatible));
    let into = other.recv_into(&mut [0; 9], None);
    assert_eq!(into, Err(RecvIntoError::Failed(Error::Incompatible)));
    assert_eq!(other.recv_with::<(Lock,)>(LIMIT).err(), Some(Error::Incompatible));
    assert_eq!(other.recv_with::<(Segment,)>(LIMIT).err(), Some(Error::Incompatible));
    assert_eq!(other.recv_with::<(Segment,)>(LIMIT).err(), Some(Error::Damaged));
    assert_eq!(other.recv(LIMIT), Ok(b"last".to_vec()));
}

#[test]
fn too_many_descriptors_are_refused_and_nothing_is_sent() {
    let (one, other) = Pipe::duplex().unwrap();
    let files = |count| -> Vec<std::os::fd::OwnedFd> {
        (0..count).map(|_| std::fs::File::open("/dev/null").unwrap().into()).collect()
    };
    assert_eq!(one.send_with(b"", &files(253), None), Err(Error::InvalidArgument));
    assert_eq!(one.send_with(b"", &files(501), None), Err(Error::OutOfResources));
    assert_eq!(other.try_recv(), Err(Error::TimedOut));
    one.send_with(&message(1, 1 << 17), &files(252), None).unwrap();
    let (text, came) = other.recv_with::<Vec<std::os::fd::OwnedFd>>(LIMIT).unwrap();
    assert!(text == message(1, 1 << 17) && came.len() == 252);
}

#[test]
fn both_ways_at_once_and_many_at_one_end() {
    // shows: pipe-both-ways-at-once, pipe-two-receivers-share-messages, pipe-two-senders-do-not-mix
    let (one, other) = Pipe::duplex().unwrap();
    std::thread::scope(|scope| {
        for (pipe, first) in [(&one, 0_u32), (&other, 1000)] {
            scope.spawn(move || {
                (first..first + 1000).for_each(|n| pipe.send(&n.to_le_bytes(), LIMIT).unwrap());
            });
            scope.spawn(move || {
                let first = 1000 - first;
                for number in first..first + 1000 {
                    assert_eq!(pipe.recv(LIMIT), Ok(number.to_le_bytes().to_vec()));
                }
            });
        }
    });
    let (reader, writer) = Pipe::simplex().unwrap();
    let counts = Queue::bounded(4, 300).unwrap();
    let receivers: Vec<_> = (0..2)
        .map(|_| {
            reader.hand_over().unwrap();
            let (reader, counts) = (reader.clone(), counts.clone());
            Child::run(move || {
                let mut seen = Vec::new();
                loop {
                    match reader.recv(LIMIT) {
                        Ok(bytes) if bytes == vec![bytes[0]; 100 << 10] => seen.push(bytes[0]),
                        Err(Error::EndOfFile) => return counts.send(&seen, LIMIT).map_err(text),
                        other => return Err(format!("{:?}", other.map(|bytes| bytes.len()))),
                    }
                }
            })
        })
        .collect();
    drop(reader);
    let senders: Vec<_> = (0..2_u8)
        .map(|half| {
            writer.hand_over().unwrap();
            let writer = writer.clone();
            Child::run(move || {
                for number in 0..100 {
                    writer.send(&vec![half * 100 + number; 100 << 10], LIMIT).map_err(text)?;
                }
                Ok(())
            })
        })
        .collect();
    drop(writer);
    senders.into_iter().chain(receivers).for_each(|child| child.succeeds("all went"));
    let mut seen = [counts.try_recv().unwrap(), counts.try_recv().unwrap()].concat();
    seen.sort_unstable();
    assert_eq!(seen, (0..200).collect::<Vec<u8>>());
}

#[test]
fn a_childs_end_is_its_own_if_it_was_handed_over() {
    // shows: pipe-handed-to-children, pipe-parent-may-close-after-start
    let (one, other) = Pipe::duplex().unwrap();
    other.hand_over().unwrap();
    let theirs = other.clone();
    let kept = one.clone();
    let child = Child::run(move || {
        if kept.recv(None) != Err(Error::Closed) || !kept.is_closed() {
            return Err("an end that nobody handed over".to_owned());
        }
        let said = theirs.recv(LIMIT).map_err(text)?;
        theirs.send(&said, LIMIT).map_err(text)?;
        theirs.close();
        if theirs.is_closed() { Ok(()) } else { Err("it stays open".to_owned()) }
    });
    other.close();
    one.send(b"hello", LIMIT).unwrap();
    assert_eq!(one.recv(LIMIT), Ok(b"hello".to_vec()));
    assert_eq!(one.recv(LIMIT), Err(Error::EndOfFile));
    child.succeeds("it has answered");
}

#[test]
fn a_siblings_copy_keeps_no_end_open() {
    // shows: pipe-spawned-child-inherits-nothing-unasked
    let (reader, writer) = Pipe::simplex().unwrap();
    let done = Event::new().unwrap();
    let until_done = || {
        let done = done.clone();
        Child::run(move || match done.wait(LIMIT) {
            Ok(true) => Ok(()),
            other => Err(format!("{other:?}")),
        })
    };
    let elder = until_done();
    writer.hand_over().unwrap();
    let child = writer.clone();
    let child = Child::run(move || child.send(b"one", LIMIT).map_err(text));
    let younger = until_done(); // the hand-over was for one fork
    let mut program = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    drop(writer);
    assert_eq!(reader.recv(LIMIT), Ok(b"one".to_vec()));
    let ended = reader.recv(LIMIT);
    program.kill().unwrap();
    program.wait().unwrap();
    assert_eq!(ended, Err(Error::EndOfFile), "with two forks and a program alive");
    done.set();
    child.succeeds("it has sent");
    elder.succeeds("it was let go");
    younger.succeeds("it was let go");
}

#[test]
fn an_inherited_copy_that_was_handed_over_delays_the_end() {
    // shows: pipe-inherited-copy-delays-end
    let (reader, writer) = Pipe::simplex().unwrap();
    let done = Event::new().unwrap();
    writer.hand_over().unwrap();
    let (theirs, go) = (writer.clone(), done.clone());
    let child = Child::run(move || {
        go.wait(LIMIT).map_err(text)?;
        if theirs.is_closed() { Err("it was given".to_owned()) } else { Ok(()) }
    });
    writer.close();
    assert_eq!(reader.poll(Duration::from_millis(100)), Ok(false));
    done.set();
    assert_eq!(reader.recv(LIMIT), Err(Error::EndOfFile));
    child.succeeds("it had its end");
}

#[test]
fn making_and_closing_leaves_no_descriptor() {
    // shows: pipe-leaves-no-descriptor, pipe-descriptor-is-exposed
    let child = Child::run(|| {
        let count = || std::fs::read_dir("/proc/self/fd").map(Iterator::count).map_err(text);
        let first = Pipe::duplex().map_err(text)?;
        let number = first.0.descriptor().map_err(text)?;
        if number < 3 {
            return Err(format!("{number} is a standard stream's"));
        }
        let before = count()?;
        for _ in 0..100 {
            let (one, other) = Pipe::duplex().map_err(text)?;
            one.send_with(&[1; 1 << 17], &(other.clone(),), None).map_err(text)?;
            if let Ok((_, (_again,))) = other.recv_with::<(Pipe,)>(LIMIT) {}
        }
        let open = count()?;
        if open != before {
            return Err(format!("{open} descriptors, {before} before"));
        }
        let limit = rustix::process::Rlimit { current: Some(64), maximum: Some(64) };
        rustix::process::setrlimit(rustix::process::Resource::Nofile, limit).map_err(text)?;
        let mut pipes = Vec::new();
        let error = loop {
            match Pipe::simplex() {
                Ok(pipe) => pipes.push(pipe),
                Err(error) => break error,
            }
        };
        drop(pipes);
        let open = count()?;
        if (error, open) == (Error::OutOfResources, before) {
            Ok(())
        } else {
            Err(format!("{error}, and {open} descriptors, {before} before"))
        }
    });
    child.succeeds("as many as before");
}

#[test]
fn a_message_whose_length_was_asked_for_stays() {
    let (one, other) = Pipe::duplex().unwrap();
    assert_eq!(other.next_len(Duration::ZERO), Err(Error::TimedOut));
    assert_eq!(other.next_len(Duration::from_millis(1)), Err(Error::TimedOut));
    let value = Value::new(7).unwrap();
    for len in [0, 1, 15, 16, 17, 255, 4096, 40_000, 1 << 17] {
        let message = vec![len as u8; len];
        one.send(&message, None).unwrap();
        one.send_with(&message, &(value.clone(),), None).unwrap();
        for _ in 0..3 {
            assert_eq!(other.next_len(LIMIT), Ok(len), "again and again");
        }
        assert!(other.recv(LIMIT).unwrap() == message);
        assert_eq!(other.next_len(LIMIT), Ok(len), "with handles");
        let (came, (same,)) = other.recv_with::<(Value<i32>,)>(LIMIT).unwrap();
        assert!(came == message && same.get(None) == Ok(7));
    }
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| other.next_len(LIMIT));
        one.send(b"late", None).unwrap();
        assert_eq!(waits.join().unwrap(), Ok(4));
    });
    let (reader, writer) = Pipe::simplex().unwrap();
    assert_eq!(writer.next_len(None), Err(Error::WrongDirection));
    writer.send(b"last", None).unwrap();
    writer.close();
    assert_eq!((reader.next_len(LIMIT), reader.recv(LIMIT)), (Ok(4), Ok(b"last".to_vec())));
    assert_eq!(reader.next_len(LIMIT), Err(Error::EndOfFile));
    reader.close();
    assert_eq!(reader.next_len(LIMIT), Err(Error::Closed));
}
