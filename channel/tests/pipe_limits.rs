//! Messages of a pipe as long as they can be, and longer.

use std::os::fd::AsFd;

use purlin_channel::{Error, PIPE_MESSAGE_MAX_BYTES, Pipe};
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::bounded::{Child, LIMIT, text};
use crate::pipe_bad::{ALL_SEALS, file, hostile, long, send};

const MOST: u64 = PIPE_MESSAGE_MAX_BYTES;

#[test]
fn the_longest_message_is_told_by_its_length_and_one_byte_more_is_damage() {
    // shows: pipe-absurd-length-refused
    let (ours, theirs) = hostile();
    let nine = file(9, b"123456789", ALL_SEALS);
    for (contents, told) in [
        (MOST, Error::MessageTooLarge { len: MOST as usize }),
        (MOST - 1, Error::MessageTooLarge { len: MOST as usize - 1 }),
        (MOST + 1, Error::Damaged),
        (1 << 40, Error::Damaged),
    ] {
        send(&theirs, &long(0, contents, b"abc"), &[nine.as_fd()]);
        assert_eq!(ours.recv_limited(1 << 20, LIMIT), Err(told), "{contents}");
        // And where there is no limit: what was announced has to be there.
        send(&theirs, &long(0, contents, b"abc"), &[nine.as_fd()]);
        assert_eq!(ours.recv(LIMIT), Err(Error::Damaged), "{contents}");
    }
}

#[test]
fn a_message_over_the_maximum_is_refused_before_anything_is_sent() {
    let most = MOST as usize;
    let mut room: Vec<u8> = Vec::new();
    if room.try_reserve_exact(most + 1).is_err() {
        println!("NOT MADE: this machine has no four gigabytes of addresses to spare");
        return;
    }
    drop(room);
    let zeros = vec![0; most + 1]; // of which no page is there
    let (one, other) = Pipe::duplex().unwrap();
    let too_large = Err(Error::MessageTooLarge { len: most + 1 });
    assert_eq!(one.send(&zeros, LIMIT), too_large);
    assert_eq!(one.send_with(&zeros, &(), LIMIT), too_large);
    one.send(b"ok", LIMIT).unwrap();
    assert_eq!(other.recv(LIMIT), Ok(b"ok".to_vec()));
    // One of just so many is not too large, but more than this process may write.
    let child = Child::run(move || {
        let limit = Rlimit { current: Some(1 << 20), maximum: Some(1 << 20) };
        setrlimit(Resource::Fsize, limit).map_err(text)?;
        let (one, _other) = Pipe::duplex().map_err(text)?;
        match one.send(&zeros[..most], LIMIT) {
            Err(Error::OutOfResources) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    child.succeeds("it was told");
}

/// The message twice, and as much again for everybody else.
const FREE_KIBIBYTES: u64 = 8 << 20;

fn free_kibibytes() -> Option<u64> {
    let memory = std::fs::read_to_string("/proc/meminfo").ok()?;
    let free = memory.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    free.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[test]
fn a_message_over_two_gibibytes_arrives_whole() {
    // shows: pipe-message-over-two-gibibytes
    if free_kibibytes().is_none_or(|free| free < FREE_KIBIBYTES) {
        println!("NOT MADE: this machine has no eight gigabytes to spare");
        return;
    }
    let len = (1 << 31) + 16;
    let mut message = vec![0; len]; // of which those pages are there that are marked
    let marks: Vec<usize> = (0..len).step_by(100_000_007).chain([len - 1]).collect();
    let mark = |at: usize| (at % 251) as u8 + 1;
    marks.iter().for_each(|at| message[*at] = mark(*at));
    let (one, other) = Pipe::duplex().unwrap();
    one.send(&message, LIMIT).unwrap();
    drop(message);
    one.send(b"ok", LIMIT).unwrap();
    let came = other.recv(LIMIT).unwrap();
    assert_eq!(came.len(), len);
    assert!(marks.iter().all(|at| came[*at] == mark(*at)), "what was written has come");
    let sum: u64 = came.chunks(1 << 16).map(sum_of).sum();
    assert_eq!(sum, marks.iter().map(|at| u64::from(mark(*at))).sum(), "and nothing else");
    assert_eq!(other.recv(LIMIT), Ok(b"ok".to_vec()));
}

fn sum_of(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    // Most are zeros, which are quickly seen to be such.
    let full = words.iter().filter(|word| **word != [0; 8]).flatten();
    full.chain(rest).map(|byte| u64::from(*byte)).sum()
}
