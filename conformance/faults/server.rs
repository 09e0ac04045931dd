//! The server that owns the locks: one thread, one event at a time, deaths first.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::thread;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::lock::{Client, Event, Fault, Lock};

/// Starts it and says at which abstract address it listens; that leaves nothing in any folder.
pub(super) fn start(fault: Fault) -> io::Result<String> {
    let address = format!("purlin-conformance-{}", std::process::id());
    let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&address)?)?;
    listener.set_nonblocking(true)?;
    let mut server = Server { fault, listener, clients: BTreeMap::new(), locks: BTreeMap::new() };
    thread::spawn(move || {
        while let Ok(asked) = server.wait(None) {
            server.take(&asked);
        }
    });
    Ok(address)
}

/// At once.
const NOW: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

struct Server {
    fault: Fault,
    listener: UnixListener,
    clients: BTreeMap<Client, Peer>,
    locks: BTreeMap<String, Lock>,
}

struct Peer {
    stream: UnixStream,
    bytes: Vec<u8>,
}

/// Who can be read, and who is dead.
#[derive(Default)]
struct Asked {
    readable: Vec<Client>,
    gone: Vec<Client>,
}

impl Server {
    fn wait(&self, limit: Option<&Timespec>) -> io::Result<Asked> {
        let peers = self.clients.values();
        let mut fds = vec![PollFd::new(&self.listener, PollFlags::IN)];
        fds.extend(peers.map(|peer| PollFd::new(&peer.stream, PollFlags::IN)));
        poll(&mut fds, limit)?;
        let mut asked = Asked::default();
        for (client, fd) in self.clients.keys().zip(&fds[1..]) {
            let seen = fd.revents();
            if seen.intersects(PollFlags::HUP | PollFlags::ERR) {
                asked.gone.push(*client);
            } else if seen.contains(PollFlags::IN) {
                asked.readable.push(*client);
            }
        }
        Ok(asked)
    }

    /// A request that was seen may have been made by somebody who knew of a death that was not
    /// seen yet. So deaths are looked for once more, and come first.
    fn take(&mut self, asked: &Asked) {
        if let Ok(again) = self.wait(Some(&NOW)) {
            for client in again.gone {
                self.gone(client);
            }
        }
        for client in &asked.readable {
            self.read(*client);
        }
        while let Ok((stream, _)) = self.listener.accept() {
            let client = self.clients.keys().last().copied().unwrap_or(0) + 1;
            self.clients.insert(client, Peer { stream, bytes: Vec::new() });
        }
    }

    fn gone(&mut self, client: Client) {
        self.clients.remove(&client);
        let said: Vec<_> =
            self.locks.values_mut().flat_map(|lock| lock.step(client, Event::Gone)).collect();
        for (client, say) in said {
            self.say(client, say.word());
        }
    }

    fn read(&mut self, client: Client) {
        let Some(peer) = self.clients.get_mut(&client) else { return };
        let mut buffer = [0; 1024];
        let len = peer.stream.read(&mut buffer).unwrap_or(0);
        peer.bytes.extend_from_slice(&buffer[..len]);
        while let Some(line) = self.clients.get_mut(&client).and_then(Peer::line) {
            self.request(client, &line);
        }
    }

    /// `OPERATION LOCK`
    fn request(&mut self, client: Client, line: &str) {
        let Some((word, name)) = line.split_once(' ') else { return };
        let Some(event) = Event::from_word(word) else { return };
        let name = if self.fault == Fault::OneForAll { "all" } else { name };
        let fault = self.fault;
        let lock = self.locks.entry(name.to_owned()).or_insert_with(|| Lock::new(fault));
        for (client, say) in lock.step(client, event) {
            self.say(client, say.word());
        }
    }

    fn say(&mut self, client: Client, word: &str) {
        if let Some(peer) = self.clients.get_mut(&client) {
            // Who does not listen is dead, and will be found so.
            let _ = peer.stream.write_all(format!("{word}\n").as_bytes());
        }
    }
}

impl Peer {
    fn line(&mut self) -> Option<String> {
        let end = self.bytes.iter().position(|byte| *byte == b'\n')?;
        let line: Vec<u8> = self.bytes.drain(..=end).collect();
        Some(String::from_utf8_lossy(&line[..end]).into_owned())
    }
}
