//! Who does not know the key: a server that claims to, and a client that does not even try. They
//! speak the wire by hand.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::thread::{self, JoinHandle};

use purlin_conformance::limits::patience;
use purlin_conformance::serve::CallResult;
use purlin_manager::Address;

/// How both sides begin.
const MAGIC: &[u8; 8] = b"PURLINM\x01";
/// What a client answers to a greeting.
const PROOF_BYTES: usize = 88;
/// What a server says at last: a letter, its number, a length, and its proof.
const WELCOME_BYTES: usize = 57;
const MAC_BYTES: usize = 32;

/// A server that accepts anyone, and sends the client's own proof back for its own.
pub(super) struct Pretender {
    pub(super) address: Address,
    running: JoinHandle<Vec<u8>>,
}

impl Pretender {
    pub(super) fn new() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = Address::Tcp(listener.local_addr()?);
        let serve = move || listener.accept().and_then(|(stream, _)| pretend(stream));
        let named = thread::Builder::new().name("pretender".to_owned());
        let running = named.spawn(move || serve().unwrap_or_default())?;
        Ok(Self { address, running })
    }

    /// All that the client said.
    pub(super) fn heard(self) -> Vec<u8> {
        self.running.join().unwrap_or_default()
    }
}

fn pretend(mut stream: TcpStream) -> io::Result<Vec<u8>> {
    stream.set_read_timeout(Some(patience()))?;
    stream.write_all(&[&MAGIC[..], &[7; 32]].concat())?;
    let mut proof = [0; PROOF_BYTES];
    stream.read_exact(&mut proof)?;
    let mut welcome = [0; WELCOME_BYTES];
    welcome[0] = b'w';
    welcome[WELCOME_BYTES - MAC_BYTES..].copy_from_slice(&proof[PROOF_BYTES - MAC_BYTES..]);
    stream.write_all(&welcome)?;
    let mut more = Vec::new();
    let _ = stream.read_to_end(&mut more); // what came before an error counts
    Ok([&proof[..], &more].concat())
}

pub(super) fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len().max(1)).any(|window| window == part)
}

/// Sends requests in the place of a proof: each would make a lock.
pub(super) fn intrude(address: &Address) -> Result<(), CallResult> {
    let make = [&2_u32.to_le_bytes()[..], &1_u32.to_le_bytes(), &[0, 5]].concat();
    let answer = sent(address, &make.repeat(20));
    match answer.map_err(|error| CallResult::failed("system", error))?.get(40) {
        // Behind the greeting: a refusal, or nothing.
        None => Err(CallResult::failed("end-of-file", "the connection was closed")),
        Some(b'r') => Err(CallResult::failed("authentication-failed", "it was refused")),
        Some(_) => Ok(()),
    }
}

/// What comes back, up to the end.
fn sent(address: &Address, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let limit = Some(patience());
    let mut answer = Vec::new();
    match address {
        Address::Tcp(address) => {
            let mut stream = TcpStream::connect(address)?;
            stream.set_read_timeout(limit)?;
            stream.write_all(bytes)?;
            end_of(stream.read_to_end(&mut answer))?;
        }
        Address::Path(path) => talk(UnixStream::connect(path)?, bytes, &mut answer)?,
        Address::Abstract(name) => {
            let address = SocketAddr::from_abstract_name(name)?;
            talk(UnixStream::connect_addr(&address)?, bytes, &mut answer)?;
        }
    }
    Ok(answer)
}

fn talk(mut stream: UnixStream, bytes: &[u8], answer: &mut Vec<u8>) -> io::Result<()> {
    stream.set_read_timeout(Some(patience()))?;
    stream.write_all(bytes)?;
    end_of(stream.read_to_end(answer))
}

/// A connection that is reset has ended, too.
fn end_of(read: io::Result<usize>) -> io::Result<()> {
    match read {
        Err(error) if error.kind() != io::ErrorKind::ConnectionReset => Err(error),
        _ => Ok(()),
    }
}
