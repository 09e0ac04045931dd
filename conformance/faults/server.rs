//! The server that owns the objects: one thread, one event at a time, deaths first.
//!
//! A client is a thread with a connection of its own. It is dead when its connection has ended or
//! its process has.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::thread;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::client::CANCEL;
use super::fault::Fault;
use super::kind::{Asked, Client, Machine, Rules, Said, Wait};
use super::kinds;
use super::names::Names;
use super::process;

/// Starts it and says at which abstract address it listens; that leaves nothing in any folder.
pub(super) fn start(rules: Rules) -> io::Result<String> {
    let address = format!("purlin-conformance-{}", std::process::id());
    let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&address)?)?;
    listener.set_nonblocking(true)?;
    let mut server = Server {
        rules,
        listener,
        clients: BTreeMap::new(),
        processes: BTreeMap::new(),
        objects: BTreeMap::new(),
        names: Names::new(rules.fault),
        client_count: 0,
    };
    thread::spawn(move || {
        while let Ok(asked) = server.wait(server.patience().as_ref()) {
            server.take(&asked);
        }
    });
    Ok(address)
}

/// At once.
const NOW: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

/// How long a process may take to end behind its last connection; one that has ended a connection
/// only is waited for in vain.
const TEARDOWN: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// After so many clients one whose places run out has none for another.
const PLACES_COUNT: u64 = 600;

struct Server {
    rules: Rules,
    listener: UnixListener,
    clients: BTreeMap<u64, Peer>,
    /// Each process that has had a connection, until it ends: connections end with threads, too.
    processes: BTreeMap<i32, OwnedFd>,
    objects: BTreeMap<String, Box<dyn Machine>>,
    names: Names,
    client_count: u64,
}

struct Peer {
    stream: UnixStream,
    bytes: Vec<u8>,
    /// Known from its first line on.
    process: Option<Process>,
    /// It is dead, and that is not seen yet.
    is_unseen: bool,
}

struct Process {
    pid: i32,
    /// Tells of its end; none when it is over already, or not looked at.
    pidfd: Option<OwnedFd>,
    /// An actor made it by a bare fork.
    is_forked: bool,
}

/// Who can be read, and who is dead.
#[derive(Default)]
struct Seen {
    readable: Vec<u64>,
    gone: Vec<u64>,
    gone_processes: Vec<i32>,
    is_idle: bool,
}

impl Server {
    /// A limit only where something is left for later.
    fn patience(&self) -> Option<Timespec> {
        let patience = self.objects.values().filter_map(|object| object.patience()).min();
        patience.and_then(|patience| Timespec::try_from(patience).ok())
    }

    fn wait(&self, limit: Option<&Timespec>) -> io::Result<Seen> {
        let mut fds = vec![PollFd::new(&self.listener, PollFlags::IN)];
        let mut whose = Vec::new();
        for (number, peer) in self.clients.iter().filter(|(_, peer)| !peer.is_unseen) {
            fds.push(PollFd::new(&peer.stream, PollFlags::IN));
            whose.push((*number, true));
            if let Some(pidfd) = peer.process.as_ref().and_then(|process| process.pidfd.as_ref()) {
                fds.push(PollFd::new(pidfd, PollFlags::IN));
                whose.push((*number, false));
            }
        }
        fds.extend(self.processes.values().map(|pidfd| PollFd::new(pidfd, PollFlags::IN)));
        let is_idle = poll(&mut fds, limit)? == 0;
        let mut asked = Seen { is_idle, ..Seen::default() };
        let processes = self.processes.keys().zip(&fds[1 + whose.len()..]);
        let ended = processes.filter(|(_, fd)| fd.revents().contains(PollFlags::IN));
        asked.gone_processes = ended.map(|(pid, _)| *pid).collect();
        for ((number, is_stream), fd) in whose.into_iter().zip(&fds[1..]) {
            let seen = fd.revents();
            let has_ended = seen.intersects(PollFlags::HUP | PollFlags::ERR)
                || (!is_stream && seen.contains(PollFlags::IN));
            if has_ended && !asked.gone.contains(&number) {
                asked.gone.push(number);
            } else if is_stream && seen.contains(PollFlags::IN) {
                asked.readable.push(number);
            }
        }
        Ok(asked)
    }

    /// A request that was seen may have been made by somebody who knew of a death that was not
    /// seen yet. So deaths are looked for once more, and come first.
    fn take(&mut self, asked: &Seen) {
        self.look_for_unseen();
        if let Ok(again) = self.wait(Some(&NOW)) {
            for number in again.gone {
                self.gone(number);
            }
            for pid in again.gone_processes {
                self.processes.remove(&pid);
                self.all(|object| object.process_gone(pid));
            }
        }
        for number in &asked.readable {
            self.read(*number);
        }
        if asked.is_idle {
            self.all(|object| object.settle());
        }
        while let Ok((stream, _)) = self.listener.accept() {
            self.client_count += 1;
            let peer = Peer { stream, bytes: Vec::new(), process: None, is_unseen: false };
            self.clients.insert(self.client_count, peer);
        }
    }

    /// Where who was not collected is not dead: some were collected meanwhile.
    fn look_for_unseen(&mut self) {
        if self.rules.fault != Fault::ZombieLives {
            return;
        }
        let unseen = self.clients.iter().filter(|(_, peer)| peer.is_unseen);
        let collected = unseen.filter(|(_, peer)| !process::is_there(peer.pid()));
        for number in collected.map(|(number, _)| *number).collect::<Vec<_>>() {
            self.bury(number, false);
        }
    }

    fn gone(&mut self, number: u64) {
        let Some(peer) = self.clients.get_mut(&number) else { return };
        let is_forked = peer.process.as_ref().is_some_and(|process| process.is_forked);
        let is_missed = match self.rules.fault {
            Fault::ZombieLives => process::is_there(peer.pid()),
            Fault::ForkedDeathUnseen => is_forked,
            _ => false,
        };
        if is_missed {
            peer.is_unseen = true;
            return;
        }
        let is_quiet = match self.rules.fault {
            Fault::ExitReleases => peer.exit_status().is_some_and(|status| status & 0x7f == 0),
            Fault::CrashReleases => {
                peer.exit_status().is_some_and(|status| [6, 11].contains(&(status & 0x7f)))
            }
            _ => false,
        };
        self.bury(number, is_quiet);
    }

    fn bury(&mut self, number: u64, quietly: bool) {
        let Some(peer) = self.clients.remove(&number) else { return };
        let client = Client { number, pid: peer.pid() };
        let max_count = match self.rules.fault {
            Fault::FindsFive => 5,
            Fault::FindsTwoThousand => 2048,
            _ => usize::MAX,
        };
        let mut held_count = 0;
        self.all(|object| {
            held_count += usize::from(object.holder() == Some(client));
            if held_count > max_count {
                return Said::new();
            }
            object.gone(client, quietly)
        });
    }

    fn read(&mut self, number: u64) {
        let Some(peer) = self.clients.get_mut(&number) else { return };
        let mut buffer = [0; 1024];
        let len = peer.stream.read(&mut buffer).unwrap_or(0);
        peer.bytes.extend_from_slice(&buffer[..len]);
        while let Some(line) = self.clients.get_mut(&number).and_then(Peer::line) {
            self.request(number, &line);
        }
    }

    /// `client PID`, the first line, `sync`, `name-… NAME KIND`, or what [`client`](super::client)
    /// asks of an object, its parts separated by tabs.
    fn request(&mut self, number: u64, line: &str) {
        if line.contains('\t') {
            return self.ask(number, line);
        }
        match line.split_once(' ') {
            Some(("client", pid)) => self.greet(number, pid),
            Some((word, name)) if word.starts_with("name-") => {
                let answer = self.names.answer(word, name);
                self.say(number, &answer);
            }
            _ => self.say(number, "ok"),
        }
    }

    fn greet(&mut self, number: u64, pid: &str) {
        let Some(peer) = self.clients.get_mut(&number) else { return };
        let (pid, is_forked) = match pid.strip_prefix("forked ") {
            Some(pid) => (pid, true),
            None => (pid, false),
        };
        let pid = pid.parse().unwrap_or(0);
        let looks = self.rules.fault != Fault::ChildKeepsParentAlive;
        let pidfd = Pid::from_raw(pid).filter(|_| looks);
        let pidfd = pidfd.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        if let Some(pidfd) = pidfd.as_ref().and_then(|pidfd| pidfd.try_clone().ok()) {
            self.processes.entry(pid).or_insert(pidfd);
        }
        peer.process = Some(Process { pid, pidfd, is_forked });
    }

    /// `OPERATION WAIT NAME KIND MADE ARGUMENTS`; the object is made when it is first asked for.
    fn ask(&mut self, number: u64, line: &str) {
        let Some(peer) = self.clients.get(&number) else { return };
        let client = Client { number, pid: peer.pid() };
        let parts: Vec<&str> = line.split('\t').collect();
        let [op, wait, name, kind, made, args] = parts[..] else { return };
        if op != "drop" && self.is_held_up(client) {
            return;
        }
        let asks = matches!(op, "acquire" | "try");
        if asks && self.rules.fault == Fault::PlacesRunOut && number > PLACES_COUNT {
            return self.say(number, "out-of-resources");
        }
        let name = if self.rules.fault == Fault::OneForAll { "all" } else { name };
        if !self.objects.contains_key(name) {
            let made = kinds::find(kind).and_then(|kind| kind.machine).map(|machine| {
                machine(&self.rules, &serde_json::from_str(made).unwrap_or_default())
            });
            let Some(Ok(object)) = made else { return self.say(number, "unsupported") };
            self.objects.insert(name.to_owned(), object);
        }
        let Some(object) = self.objects.get_mut(name) else { return };
        let mut said = Said::new();
        let fault = self.rules.fault;
        if let Some(holder) = object.holder().filter(|holder| seems_dead(fault, holder.pid)) {
            said.extend(object.gone(holder, false));
        }
        said.extend(if op == CANCEL {
            object.cancel(client)
        } else {
            let args = serde_json::from_str(args).unwrap_or_default();
            object.ask(client, &Asked { op, wait: Wait::from_word(wait), args: &args })
        });
        self.say_all(said);
    }

    /// Whether somebody who is stopped has asked for something before.
    fn is_held_up(&self, client: Client) -> bool {
        let mut others = self.processes.keys().filter(|pid| **pid != client.pid);
        self.rules.fault == Fault::StoppedHoldsUpAll
            && others.any(|pid| process::state(*pid) == Some('T'))
    }

    /// Lets something happen to all objects.
    fn all(&mut self, happens: impl FnMut(&mut Box<dyn Machine>) -> Said) {
        let said = self.objects.values_mut().flat_map(happens).collect();
        self.say_all(said);
    }

    fn say_all(&mut self, said: Said) {
        for (client, say) in said {
            self.say(client.number, &say.line());
        }
    }

    fn say(&mut self, number: u64, line: &str) {
        if let Some(peer) = self.clients.get_mut(&number) {
            // Who does not listen is dead, and will be found so.
            let _ = peer.stream.write_all(format!("{line}\n").as_bytes());
        }
    }
}

/// What `/proc` says of the process, wrongly understood.
fn seems_dead(fault: Fault, pid: i32) -> bool {
    match fault {
        Fault::StoppedIsDead => process::state(pid) == Some('T'),
        Fault::FirstThreadIsAll => process::state(pid) == Some('Z'),
        _ => false,
    }
}

impl Peer {
    fn pid(&self) -> i32 {
        self.process.as_ref().map_or(0, |process| process.pid)
    }

    /// How its process ended, if it did. A connection ends a little earlier.
    fn exit_status(&self) -> Option<i32> {
        let pidfd = self.process.as_ref()?.pidfd.as_ref()?;
        let has_ended = poll(&mut [PollFd::new(pidfd, PollFlags::IN)], Some(&TEARDOWN));
        has_ended.is_ok_and(|count| count > 0).then(|| process::exit_status(self.pid()))?
    }

    fn line(&mut self) -> Option<String> {
        let end = self.bytes.iter().position(|byte| *byte == b'\n')?;
        let line: Vec<u8> = self.bytes.drain(..=end).collect();
        Some(String::from_utf8_lossy(&line[..end]).into_owned())
    }
}
