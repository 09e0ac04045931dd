//! A message with handles, from somebody who writes what he likes to the socket.
//!
//! | bytes | what they say |
//! |---|---|
//! | 0 | the type that is asked for |
//! | 1 | bit 0: the sender stays, and may say more |
//! | 1 | of a piece: how many bytes |
//! | 1 | bits 3..0: how many descriptors come with them; bits 7..4: what they lead to |
//! | … | the bytes; more pieces follow |

use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use purlin_process::{Error, receive_handles};
use purlin_shm::Carry;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use super::descriptors;
use super::input::Input;
use super::types::with_type;

const BESIDE_MAX: usize = 15;

/// Receives what the input says. Says `arrived`, or the kind of error that refused it.
///
/// # Panics
/// When it is out of resources: then an earlier one has leaked descriptors.
pub fn run(data: &[u8]) -> &'static str {
    let mut input = Input::new(data);
    let (number, stays) = (input.byte(), input.byte() & 1 == 1);
    let (ours, theirs) = UnixStream::pair().expect("a socket");
    while !input.is_over() {
        let (len, beside) = (input.byte(), input.byte());
        send(&ours, input.bytes(usize::from(len)), beside);
    }
    let ours = stays.then_some(ours);
    let came = match with_type!(number, receive(&theirs)) {
        Ok(()) => "arrived",
        Err(error) => error.kind(),
    };
    drop(ours);
    assert_ne!(came, "out-of-resources", "nothing here takes many descriptors");
    came
}

fn receive<T: Carry>(socket: &UnixStream) -> Result<(), Error> {
    receive_handles::<T>(socket, Duration::ZERO).map(drop)
}

/// Sends a piece. What the socket has no room for is lost, as it is with a sender that gives up.
fn send(socket: &UnixStream, bytes: &[u8], beside: u8) {
    let count = usize::from(beside & 0xf);
    let descriptors: Vec<OwnedFd> = (0..count).map(|_| descriptors::of_sort(beside >> 4)).collect();
    let descriptors: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(BESIDE_MAX))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if count > 0 {
        assert!(control.push(SendAncillaryMessage::ScmRights(&descriptors)), "they have room");
    }
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    let _ = sendmsg(socket, &[IoSlice::new(bytes)], &mut control, flags);
}
