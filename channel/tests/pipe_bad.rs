//! Pipes whose other end is anybody.

use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use purlin_channel::{Error, PIPE_MESSAGE_MAX_BYTES, Pipe};
use purlin_shm::Segment;
use rustix::fs::{MemfdFlags, SealFlags};
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
};

use crate::bounded::{Child, LIMIT, text};

/// An end of ours, and the bare socket at the other.
pub(crate) fn hostile() -> (Pipe, OwnedFd) {
    let (family, kind) = (AddressFamily::UNIX, SocketType::SEQPACKET);
    let (ours, theirs) = rustix::net::socketpair(family, kind, SocketFlags::CLOEXEC, None).unwrap();
    (Pipe::from_descriptor(ours, true, true).unwrap(), theirs)
}

pub(crate) fn send(socket: &OwnedFd, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(253))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        assert!(control.push(SendAncillaryMessage::ScmRights(descriptors)));
    }
    let parts = [IoSlice::new(bytes)];
    rustix::net::sendmsg(socket, &parts, &mut control, SendFlags::NOSIGNAL).unwrap();
}

pub(crate) fn long(luggage: u32, contents: u64, inline: &[u8]) -> Vec<u8> {
    let header = [&[2, 0, 0, 0][..], &luggage.to_le_bytes(), &contents.to_le_bytes()];
    [&header.concat(), inline].concat()
}

pub(crate) const ALL_SEALS: SealFlags =
    SealFlags::SHRINK.union(SealFlags::GROW).union(SealFlags::WRITE);

pub(crate) fn file(len: u64, written: &[u8], seals: SealFlags) -> OwnedFd {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let file = rustix::fs::memfd_create(c"hostile", flags).unwrap();
    rustix::io::write(&file, written).unwrap();
    rustix::fs::ftruncate(&file, len).unwrap();
    rustix::fs::fcntl_add_seals(&file, seals).unwrap();
    file
}

#[test]
fn what_no_pipe_sends_is_damage_and_the_next_message_comes() {
    // shows: pipe-absurd-length-refused
    let (ours, theirs) = hostile();
    let null: OwnedFd = std::fs::File::open("/dev/null").unwrap().into();
    let (fifo, _fifo_end) = std::io::pipe().unwrap();
    let fifo: OwnedFd = fifo.into();
    let whole = file(9, b"123456789", ALL_SEALS);
    let too_short = file(8, b"12345678", ALL_SEALS);
    let unsealed = file(9, b"123456789", SealFlags::SHRINK);
    let holes = file(1 << 30, b"1", ALL_SEALS);
    let none = Vec::new;
    let frames: Vec<(Vec<u8>, Vec<&OwnedFd>)> = vec![
        (vec![], none()),
        (vec![0], none()),
        (vec![3, 1, 1], none()),
        (vec![1; 60_000], none()),
        (vec![1, 7], vec![&null]),
        (vec![2], none()),
        (long(0, 9, b""), none()),
        (long(0, u64::MAX, b""), vec![&whole]),
        (long(0, (-2_i64) as u64, b""), none()),
        (long(0, 1 << 62, b""), vec![&whole]),
        (long(u32::MAX, 9, b""), vec![&whole]),
        (long(0, 1, b"more"), none()),
        (long(0, 4, b"more"), vec![&null]),
        (long(0, 10, b""), vec![&whole]),
        (long(0, 9, b""), vec![&too_short]),
        (long(0, 9, b""), vec![&unsealed]),
        (long(0, 1 << 30, b""), vec![&holes]),
        (long(0, 9, b""), vec![&null]),
        (long(0, 9, b""), vec![&fifo]),
        (long(0, 9, b""), vec![&whole, &null]),
    ];
    for (frame, descriptors) in &frames {
        let descriptors: Vec<_> = descriptors.iter().map(|fd| fd.as_fd()).collect();
        for _ in 0..3 {
            send(&theirs, frame, &descriptors);
        }
        let shown = (&frame[..frame.len().min(20)], descriptors.len());
        assert_eq!(ours.recv(LIMIT).map(|message| message.len()), Err(Error::Damaged), "{shown:?}");
        let into = ours.recv_into(&mut [0; 16], LIMIT).map_err(|error| error.error());
        assert_eq!(into, Err(Error::Damaged), "{shown:?}");
        let with = ours.recv_with::<(Segment,)>(LIMIT).err();
        assert_eq!(with, Some(Error::Damaged), "{shown:?}");
    }
    send(&theirs, &long(0, 9, b""), &[whole.as_fd()]);
    assert_eq!(ours.recv(LIMIT), Ok(b"123456789".to_vec()));
    send(&theirs, &long(0, 12, b"abc"), &[whole.as_fd()]);
    assert_eq!(ours.recv(LIMIT), Ok(b"abc123456789".to_vec()));
    drop(theirs);
    assert_eq!(ours.recv(LIMIT), Err(Error::EndOfFile));
}

#[test]
fn luggage_of_anybody_is_checked_and_never_followed() {
    let (ours, theirs) = hostile();
    let null: OwnedFd = std::fs::File::open("/dev/null").unwrap().into();
    for len in [1, 23, 24, 48, 240] {
        for fill in [0, 1, 0xFF] {
            for count in [0, 1, 3] {
                let luggage = vec![fill; len];
                send(&theirs, &long(len as u32, len as u64, &luggage), &vec![null.as_fd(); count]);
                let error = ours.recv_with::<(Segment, Pipe)>(LIMIT).err();
                let is_told = matches!(error, Some(Error::Damaged | Error::Incompatible));
                assert!(is_told, "{error:?}: {len} of {fill}, {count}");
            }
        }
    }
    // A descriptor that is no end of a pipe, where one is said to be.
    let (one, other) = Pipe::duplex().unwrap();
    one.send_with(b"", &(null, Some(()), Some(())), None).unwrap();
    assert_eq!(other.recv_with::<(Pipe,)>(None).err(), Some(Error::Damaged));
}

#[test]
fn only_message_sockets_become_ends() {
    // shows: pipe-invalid-descriptor-refused
    let file = || -> OwnedFd { std::fs::File::open("/dev/null").unwrap().into() };
    let (stream, _far) = std::os::unix::net::UnixStream::pair().unwrap();
    let listener = rustix::net::socket(AddressFamily::UNIX, SocketType::DGRAM, None).unwrap();
    for end in [file(), stream.into(), listener] {
        let made = Pipe::from_descriptor(end, true, true);
        assert_eq!(made.err(), Some(Error::InvalidArgument));
    }
    assert_eq!(Pipe::from_descriptor(file(), false, false).err(), Some(Error::InvalidArgument));
}

#[test]
fn a_receiver_without_descriptors_is_told_and_goes_on() {
    let child = Child::run(|| {
        let (one, other) = Pipe::duplex().map_err(text)?;
        one.send(&[7; 1 << 17], None).map_err(text)?;
        one.send(b"small", None).map_err(text)?;
        let open = std::fs::File::open("/dev/null").map_err(text)?;
        let limit = rustix::process::Rlimit { current: Some(64), maximum: Some(64) };
        rustix::process::setrlimit(rustix::process::Resource::Nofile, limit).map_err(text)?;
        let mut all = Vec::new();
        while let Ok(one) = open.try_clone() {
            all.push(one);
        }
        let large = other.recv(LIMIT);
        let small = other.recv(LIMIT);
        let sent = one.send(&[7; 1 << 17], LIMIT);
        let is_told = (large, small) == (Err(Error::OutOfResources), Ok(b"small".to_vec()));
        if is_told && sent == Err(Error::OutOfResources) {
            Ok(())
        } else {
            Err("untold".to_owned())
        }
    });
    child.succeeds("it was told");
}

#[test]
fn a_file_size_limit_is_told_and_no_signal() {
    let child = Child::run(|| {
        let (one, other) = Pipe::duplex().map_err(text)?;
        let limit = rustix::process::Rlimit { current: Some(4096), maximum: Some(4096) };
        rustix::process::setrlimit(rustix::process::Resource::Fsize, limit).map_err(text)?;
        if one.send(&[7; 1 << 17], LIMIT) != Err(Error::OutOfResources) {
            return Err("it was sent".to_owned());
        }
        one.send(&[7; 40_000], LIMIT).map_err(text)?;
        other.recv(LIMIT).map_err(text).map(drop)
    });
    child.succeeds("it was told");
}

#[test]
fn a_length_that_no_pipe_announces_is_damage_and_the_frame_stays() {
    let (ours, theirs) = hostile();
    for frame in [
        vec![],
        vec![0],
        vec![3; 40],
        vec![2],
        vec![2; 15],
        vec![2; 16],
        long(0, PIPE_MESSAGE_MAX_BYTES + 1, b""),
        long(10, 9, b""),
        long(0, u64::MAX, b"abc"),
    ] {
        send(&theirs, &frame, &[]);
        for _ in 0..2 {
            assert_eq!(ours.next_len(LIMIT), Err(Error::Damaged), "{frame:?}");
        }
        assert_eq!(ours.recv(LIMIT), Err(Error::Damaged), "{frame:?}");
    }
    // What is announced may still be found wrong.
    send(&theirs, &long(0, 9, b""), &[]);
    assert_eq!((ours.next_len(LIMIT), ours.recv(LIMIT)), (Ok(9), Err(Error::Damaged)));
}
