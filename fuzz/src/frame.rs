//! A message of a pipe, from somebody who writes what he likes to the socket.
//!
//! | bytes | what they say |
//! |---|---|
//! | 0 | bits 2..0: how it is received, see [`receive`]; bit 3: the sender stays |
//! | 1 | the type of the handles that are asked for |
//! | 2 | of a message: how many bytes |
//! | 1 | bits 3..0: how many descriptors come with them; bits 7..4: what they lead to |
//! | … | the bytes; more messages follow |

use std::fs::File;
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::time::Duration;

use purlin_channel::{Error, Pipe, RecvIntoError};
use purlin_shm::Carry;
use rustix::fs::{MemfdFlags, SealFlags};
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
    sendmsg, socketpair,
};

use super::descriptors;
use super::input::Input;
use super::types::with_type;

const STAYS: u8 = 8;
const BESIDE_MAX: usize = 15;
const MESSAGES_MAX: usize = 4;
const BUFFER_BYTES: usize = 16;

/// Receives what the input says, as often as there are messages, and once more. Says `received` of
/// the first one, or the kind of error that refused it.
///
/// # Panics
/// When it is out of resources: then an earlier one has leaked descriptors.
pub fn run(data: &[u8]) -> &'static str {
    let mut input = Input::new(data);
    let (how, number) = (input.byte(), input.byte());
    let (family, kind) = (AddressFamily::UNIX, SocketType::SEQPACKET);
    let (theirs, ours) = socketpair(family, kind, SocketFlags::CLOEXEC, None).expect("a socket");
    let pipe = Pipe::from_descriptor(ours, true, true).expect("an end");
    let mut count = 0;
    while !input.is_over() && count < MESSAGES_MAX {
        let (len, beside) = (input.number(2), input.byte());
        send(&theirs, input.bytes(len as usize), beside);
        count += 1;
    }
    let _theirs = (how & STAYS != 0).then_some(theirs);
    let came = (0..=count).map(|_| match receive(&pipe, how, number) {
        Ok(()) => "received",
        Err(error) => error.kind(),
    });
    let came: Vec<_> = came.collect();
    assert!(!came.contains(&"out-of-resources"), "nothing here takes many descriptors");
    came[0]
}

/// 0 `recv`, 1 `recv_into`, 2 `recv_limited`, 3 `recv_with`, 4 `next_len`, 5 is 0 again.
fn receive(pipe: &Pipe, how: u8, number: u8) -> Result<(), Error> {
    let now = Duration::ZERO;
    match (how & (STAYS - 1)) % 5 {
        0 => pipe.recv(now).map(drop),
        1 => receive_into(pipe),
        2 => pipe.recv_limited(BUFFER_BYTES, now).map(drop),
        3 => with_type!(number, receive_with(pipe)),
        _ => receive_announced(pipe),
    }
}

/// What is announced comes, or is found wrong.
fn receive_announced(pipe: &Pipe) -> Result<(), Error> {
    let announced = pipe.next_len(Duration::ZERO);
    let received = pipe.recv(Duration::ZERO).map(|message| message.len());
    match (announced, received) {
        (Ok(announced), Ok(came)) => assert_eq!(announced, came),
        (Err(_), Ok(came)) => panic!("{came} bytes were not announced"),
        (_, Err(error)) => return Err(error),
    }
    Ok(())
}

fn receive_into(pipe: &Pipe) -> Result<(), Error> {
    let mut buffer = [0; BUFFER_BYTES];
    match pipe.recv_into(&mut buffer, Duration::ZERO) {
        Ok(len) => assert!(len <= buffer.len()),
        Err(RecvIntoError::TooLarge(message)) => assert!(message.len() > buffer.len()),
        Err(RecvIntoError::Failed(error)) => return Err(error),
    }
    Ok(())
}

fn receive_with<T: Carry>(pipe: &Pipe) -> Result<(), Error> {
    pipe.recv_with::<T>(Duration::ZERO).map(drop)
}

/// Sends one. What the socket has no room for is lost, as it is with a sender that gives up.
fn send(socket: &OwnedFd, bytes: &[u8], beside: u8) {
    let count = usize::from(beside & 0xf);
    let descriptors: Vec<OwnedFd> = (0..count).map(|_| of_sort(beside >> 4)).collect();
    let descriptors: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(BESIDE_MAX))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if count > 0 {
        assert!(control.push(SendAncillaryMessage::ScmRights(&descriptors)), "they have room");
    }
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    let _ = sendmsg(socket, &[IoSlice::new(bytes)], &mut control, flags);
}

/// Beside those of all sorts: 8 a file as the rest of a message comes in, of nine bytes, 9 one of
/// 100,000, 10 one of a gigabyte that is not there.
fn of_sort(sort: u8) -> OwnedFd {
    match sort {
        8 => sealed(b"123456789", 9),
        9 => sealed(&[7; 100_000], 100_000),
        10 => sealed(b"1", 1 << 30),
        other => descriptors::of_sort(other),
    }
}

fn sealed(bytes: &[u8], len: u64) -> OwnedFd {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let file = File::from(rustix::fs::memfd_create(c"fuzz", flags).expect("a memory file"));
    file.write_all_at(bytes, 0).expect("room");
    file.set_len(len).expect("a length");
    let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    rustix::fs::fcntl_add_seals(&file, seals).expect("seals");
    file.into()
}
