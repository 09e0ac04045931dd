//! Messages through a pipe, beside the bare pair of sockets that it is made of.

use std::hint::black_box;
use std::io;
use std::os::fd::OwnedFd;

use purlin_benches::{Contender, Effort, Machine, Rounds, Table};
use purlin_channel::Pipe;
use purlin_process::Process;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socketpair,
};

const BARE: &str = "bare pair of sockets";
const OURS: &str = "purlin Pipe, recv";
const INTO: &str = "purlin Pipe, recv_into";

/// What a small message may cost, in times of the bare pair's.
const SMALL_LIMIT: f64 = 1.15;

const SMALL: [usize; 3] = [8, 64, 1024];
const LARGE: [usize; 3] = [16 << 10, 64 << 10, 1 << 20];

fn main() {
    let effort = Effort::from_arguments();
    println!("{}", Machine::here());
    for size in SMALL {
        println!("a message of {size} bytes sent and received, one thread\n");
        let table = Rounds::of(effort).run(&mut alone(size));
        println!("{table}\n");
        judge(&table);
    }
    for size in SMALL {
        println!("a message of {size} bytes to another process and back, asleep in between\n");
        let table = Rounds::of(effort).run(&mut together(size));
        println!("{table}\n");
        judge(&table);
    }
    for size in LARGE {
        println!("a message of {size} bytes to another process, and a word back\n");
        let table = Rounds::of(effort).run(&mut [answered(size)]);
        println!("{table}\n");
    }
}

fn judge(table: &Table) {
    for name in [OURS, INTO] {
        let Some(ours) = table.ratio(name) else { continue };
        let verdict = if ours <= SMALL_LIMIT { "kept" } else { "NOT KEPT" };
        println!("{name}: at most {SMALL_LIMIT:.2} times the bare pair's: {verdict} ({ours:.3})");
    }
    println!();
}

/// Both ends in one thread: nobody sleeps.
fn alone(size: usize) -> Vec<Contender<'static>> {
    let message = vec![7; size];
    let (one, other) = bare_pair().expect("descriptors");
    let (own, mut buffer) = (message.clone(), vec![0; size]);
    let bare = Contender::present(BARE, move || {
        bare_send(&one, &own);
        bare_recv(&other, &mut buffer);
    });
    let (reader, writer) = Pipe::simplex().expect("descriptors");
    let own = message.clone();
    let ours = Contender::present(OURS, move || {
        writer.send(&own, None).expect("it is open");
        black_box(reader.recv(None).expect("it is there"));
    });
    let (reader, writer) = Pipe::simplex().expect("descriptors");
    let mut buffer = vec![0; size];
    let into = Contender::present(INTO, move || {
        writer.send(&message, None).expect("it is open");
        reader.recv_into(&mut buffer, None).expect("it is there");
    });
    vec![bare, ours, into]
}

/// A child that is ended with its contender.
struct Echo(Process);

impl Drop for Echo {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.join(None);
    }
}

/// An end here, and what answers at the other.
fn together(size: usize) -> Vec<Contender<'static>> {
    let message = vec![7; size];
    let (near, far) = bare_pair().expect("descriptors");
    let echo = Process::fork("echo", move || {
        let mut buffer = vec![0; size];
        loop {
            bare_recv(&far, &mut buffer);
            bare_send(&far, &buffer);
        }
        #[expect(unreachable_code, reason = "it is killed")]
        ()
    });
    let echo = Echo(echo.expect("a child"));
    let (own, mut buffer) = (message.clone(), vec![0; size]);
    let bare = Contender::present(BARE, move || {
        let _alive = &echo;
        bare_send(&near, &own);
        bare_recv(&near, &mut buffer);
    });
    let (near, echo) =
        echo_of(|far| far.recv(None).is_ok_and(|message| far.send(&message, None).is_ok()));
    let own = message.clone();
    let ours = Contender::present(OURS, move || {
        let _alive = &echo;
        near.send(&own, None).expect("it is open");
        black_box(near.recv(None).expect("it comes"));
    });
    let (near, echo) = echo_of(move |far| {
        let mut buffer = [0; 1024];
        far.recv_into(&mut buffer, None).is_ok_and(|len| far.send(&buffer[..len], None).is_ok())
    });
    let mut buffer = vec![0; size];
    let into = Contender::present(INTO, move || {
        let _alive = &echo;
        near.send(&message, None).expect("it is open");
        near.recv_into(&mut buffer, None).expect("it comes");
    });
    vec![bare, ours, into]
}

fn answered(size: usize) -> Contender<'static> {
    let (near, echo) =
        echo_of(|far| far.recv(None).is_ok_and(|message| far.send(&message[..1], None).is_ok()));
    let message = vec![7; size];
    Contender::present(OURS, move || {
        let _alive = &echo;
        near.send(&message, None).expect("it is open");
        near.recv(None).expect("it comes");
    })
}

fn echo_of(turn: impl Fn(&Pipe) -> bool) -> (Pipe, Echo) {
    let (near, far) = Pipe::duplex().expect("descriptors");
    far.hand_over().expect("it is open");
    let echo = Process::fork("echo", move || while turn(&far) {});
    (near, Echo(echo.expect("a child")))
}

fn bare_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let (family, kind) = (AddressFamily::UNIX, SocketType::SEQPACKET);
    Ok(socketpair(family, kind, SocketFlags::CLOEXEC, None)?)
}

/// A call, as any library's is, a C library's too: where the kernel hides returns from prediction,
/// the first return behind a system call costs 400 ns, which a loop that has none never pays.
#[inline(never)]
fn bare_send(socket: &OwnedFd, message: &[u8]) {
    let sent = send(socket, black_box(message), SendFlags::NOSIGNAL);
    assert_eq!(sent, Ok(message.len()));
}

/// As [`bare_send`].
#[inline(never)]
fn bare_recv(socket: &OwnedFd, buffer: &mut [u8]) {
    let (len, _) = recv(socket, &mut *buffer, RecvFlags::empty()).expect("it is open");
    assert_eq!(len, buffer.len());
}
