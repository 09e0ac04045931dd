//! The wire by hand, as its documentation has it: what a stranger, or a client that means harm, may
//! send.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use purlin_manager::{Address, Key};
use sha2::Sha256;

use crate::bounded::LIMIT;

pub(crate) const MAGIC: &[u8; 8] = b"PURLINM\x01";

/// A connection to the socket of a manager, before the greeting was read.
pub(crate) fn connect(address: &Address) -> UnixStream {
    let Address::Path(path) = address else { panic!("a path") };
    connect_path(path)
}

fn connect_path(path: &Path) -> UnixStream {
    let stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.set_write_timeout(Some(LIMIT)).unwrap();
    stream
}

/// The server's nonce.
pub(crate) fn greeting(stream: &mut UnixStream) -> [u8; 32] {
    let mut greeting = [0; 40];
    stream.read_exact(&mut greeting).unwrap();
    assert_eq!(&greeting[..8], MAGIC);
    greeting[8..].try_into().unwrap()
}

/// The proof of the key.
pub(crate) fn proof(key: &Key, server: &[u8; 32]) -> Vec<u8> {
    let (nonce, client) = (Key::random(), Key::random());
    let (nonce, client) = (nonce.as_bytes(), &client.as_bytes()[..16]);
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    let mac = mac.chain_update(b"client").chain_update(server).chain_update(nonce);
    let mac = mac.chain_update(client).finalize().into_bytes();
    [&MAGIC[..], nonce, client, &mac].concat()
}

/// A connection of somebody who has the key.
pub(crate) fn client(address: &Address, key: &Key) -> UnixStream {
    let mut stream = connect(address);
    let server = greeting(&mut stream);
    stream.write_all(&proof(key, &server)).unwrap();
    let mut welcome = [0; 57];
    stream.read_exact(&mut welcome).unwrap();
    assert_eq!(welcome[0], b'w');
    stream
}

/// A frame of this body.
pub(crate) fn frame(call: u32, body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32).to_le_bytes()[..], &call.to_le_bytes(), body].concat()
}

/// The next frame: its call and its body.
pub(crate) fn receive(stream: &mut UnixStream) -> std::io::Result<(u32, Vec<u8>)> {
    let mut head = [0; 8];
    stream.read_exact(&mut head)?;
    let len = u32::from_le_bytes(head[..4].try_into().unwrap());
    let mut body = vec![0; len as usize];
    stream.read_exact(&mut body)?;
    Ok((u32::from_le_bytes(head[4..].try_into().unwrap()), body))
}

/// Reads until the server closes it.
pub(crate) fn is_closed(stream: &mut UnixStream) -> bool {
    match stream.read_to_end(&mut Vec::new()) {
        Ok(_) => true,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

/// How much memory a process has, in bytes.
pub(crate) fn memory_of(pid: i32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<usize>().unwrap() << 10
}
