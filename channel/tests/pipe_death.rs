//! Pipes whose users are killed, anywhere.

use purlin_channel::{Error, Pipe};
use purlin_sync::Event;

use crate::bounded::{Child, LIMIT, text};

/// How long a child goes on before it is killed, in turns of a busy loop.
fn pass_some_time(turns: u32) {
    (0..turns).for_each(|_| std::hint::spin_loop());
}

fn numbered(number: u32, len: usize) -> Vec<u8> {
    let number = number.to_le_bytes();
    (0..len.max(4)).map(|byte| number[byte % 4]).collect()
}

#[test]
fn a_killed_senders_messages_are_whole_and_then_comes_the_end() {
    // shows: pipe-writer-killed-message-whole-or-absent, pipe-sent-messages-survive-sender
    let sizes = [4, 600, 49_000, 60_000, 1 << 20];
    for round in 0..100_u32 {
        let (reader, writer) = Pipe::simplex().unwrap();
        writer.hand_over().unwrap();
        let child = Child::run(move || {
            for number in 0.. {
                let size = sizes[(number as usize) % sizes.len()];
                writer.send(&numbered(number, size), LIMIT).map_err(text)?;
            }
            Ok(())
        });
        let mut next = 0;
        let mut receive = || {
            let came = reader.recv(LIMIT);
            let size = sizes[(next as usize) % sizes.len()];
            let is_whole = came == Ok(numbered(next, size));
            next += 1;
            if is_whole { Ok(()) } else { Err((came.map(|bytes| bytes.len()), next - 1)) }
        };
        for _ in 0..round % 9 {
            receive().unwrap();
        }
        pass_some_time(round * 997 % 30_000);
        child.kill();
        let end = loop {
            if let Err(end) = receive() {
                break end;
            }
        };
        assert_eq!(end.0, Err(Error::EndOfFile), "round {round}, message {}", end.1);
    }
}

#[test]
fn a_killed_receiver_leaves_whole_messages_to_the_other() {
    // shows: pipe-shared-end-survives-reader-death, pipe-shared-end-survives-waiting-reader-death
    for round in 0..40_u32 {
        let (reader, writer) = Pipe::simplex().unwrap();
        let is_there = Event::new().unwrap();
        reader.hand_over().unwrap();
        let (theirs, there) = (reader.clone(), is_there.clone());
        let child = Child::run(move || {
            there.set();
            loop {
                theirs.recv(LIMIT).map_err(text)?;
            }
        });
        assert_eq!(is_there.wait(LIMIT), Ok(true));
        let size = if round % 2 == 0 { 100 } else { 1 << 20 };
        for byte in 0..3 {
            writer.send(&vec![byte; size], LIMIT).unwrap();
        }
        pass_some_time(round * 997 % 30_000);
        child.kill();
        writer.send(&vec![3; size], LIMIT).unwrap();
        let mut last = None;
        while last != Some(3) {
            let bytes = reader.recv(LIMIT).unwrap();
            assert!(bytes == vec![bytes[0]; size], "round {round}");
            assert!(last < Some(bytes[0]), "round {round}: in order");
            last = Some(bytes[0]);
        }
    }
}

#[test]
fn who_waits_learns_of_the_last_ones_death() {
    // shows: pipe-waiting-receiver-learns-of-death, pipe-waiting-sender-learns-of-death
    for has_limit in [false, true] {
        let limit = has_limit.then_some(LIMIT);
        let (reader, writer) = Pipe::simplex().unwrap();
        let (far_reader, far_writer) = Pipe::simplex().unwrap();
        writer.hand_over().unwrap();
        far_reader.hand_over().unwrap();
        let is_there = Event::new().unwrap();
        let there = is_there.clone();
        let child = Child::run(move || {
            let _ends = (writer, far_reader);
            there.set();
            loop {
                std::thread::park();
            }
        });
        assert_eq!(is_there.wait(LIMIT), Ok(true));
        while far_writer.try_send(&[0; 60_000]).is_ok() {}
        std::thread::scope(|scope| {
            let receives = scope.spawn(|| reader.recv(limit).err());
            let sends = scope.spawn(|| far_writer.send(&[0; 60_000], limit).err());
            child.kill();
            assert_eq!(receives.join().unwrap(), Some(Error::EndOfFile));
            assert_eq!(sends.join().unwrap(), Some(Error::BrokenPipe));
        });
    }
}
