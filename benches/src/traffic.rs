//! Messages from one to another who does nothing but receive, each on a processor of its own; and
//! from one to another and back, both on one.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use crossbeam_queue::ArrayQueue;
use purlin_channel::Queue;
use rustix::pipe::{PipeFlags, pipe_with};

use crate::sys::{BareMail, BareRing, Child, Ends, PosixQueue, tie_to_processor};

/// What messages go through. Failing to is a panic: there is no figure then.
pub trait Carries {
    /// Puts one, waiting for room.
    fn send(&self, message: &[u8]);

    /// Takes one into a buffer of its size, waiting for it.
    fn receive(&self, buffer: &mut [u8]);

    /// What has to be there before the first one is sent, at whoever receives.
    fn begin_to_receive(&self) {}

    /// Puts so many, one after the other.
    #[inline]
    fn send_each(&self, message: &[u8], count: u32) {
        (0..count).for_each(|_| self.send(message));
    }

    /// Takes so many, one after the other.
    #[inline]
    fn receive_each(&self, buffer: &mut [u8], count: u32) {
        (0..count).for_each(|_| self.receive(buffer));
    }
}

impl Carries for Queue {
    #[inline]
    fn send(&self, message: &[u8]) {
        self.send(message, None).expect("it is open");
    }

    #[inline]
    fn receive(&self, buffer: &mut [u8]) {
        self.recv_into(buffer, None).expect("it is open");
    }
}

impl<const CELLS: usize, const BYTES: usize> Carries for BareRing<CELLS, BYTES> {
    #[inline]
    fn send(&self, message: &[u8]) {
        self.send(message);
    }

    #[inline]
    fn receive(&self, buffer: &mut [u8]) {
        self.receive(buffer);
    }
}

impl<const BYTES: usize> Carries for ArrayQueue<[u8; BYTES]> {
    #[inline]
    fn send(&self, message: &[u8]) {
        let mut message = message.try_into().expect("a message of its size");
        // Ends: when the other has made room.
        while let Err(refused) = self.push(message) {
            message = refused;
            std::hint::spin_loop();
        }
    }

    #[inline]
    fn receive(&self, buffer: &mut [u8]) {
        // Ends: when the other has put a message.
        loop {
            if let Some(message) = self.pop() {
                return buffer.copy_from_slice(&message);
            }
            std::hint::spin_loop();
        }
    }
}

impl Carries for PosixQueue {
    fn send(&self, message: &[u8]) {
        self.send(message).expect("it is open");
    }

    fn receive(&self, buffer: &mut [u8]) {
        self.receive(buffer).expect("it is open");
    }
}

/// The kernel's pipe, which is no ring of messages: it is told their size.
#[derive(Debug)]
pub struct BarePipe {
    read_end: OwnedFd,
    write_end: OwnedFd,
}

impl BarePipe {
    /// Makes one.
    ///
    /// # Errors
    /// What pipe(2) answers.
    pub fn new() -> io::Result<Self> {
        let (read_end, write_end) = pipe_with(PipeFlags::CLOEXEC)?;
        Ok(Self { read_end, write_end })
    }
}

impl Carries for BarePipe {
    fn send(&self, message: &[u8]) {
        let mut left = message;
        while !left.is_empty() {
            let written = rustix::io::write(&self.write_end, left).expect("it is open");
            left = &left[written..];
        }
    }

    fn receive(&self, buffer: &mut [u8]) {
        let mut filled = 0;
        while filled < buffer.len() {
            filled += rustix::io::read(&self.read_end, &mut buffer[filled..]).expect("it is open");
        }
    }
}

/// A sender, and a receiver on another processor, in another process or thread.
#[derive(Debug)]
pub struct Traffic<C> {
    carrier: Arc<C>,
    message: Vec<u8>,
    orders: Arc<Orders>,
    receiver: Receiver,
}

/// How many are to be received, and that they were.
#[derive(Debug)]
struct Orders {
    asked: BareMail,
    done: BareMail,
}

#[derive(Debug)]
enum Receiver {
    /// Ends with this.
    Process {
        _child: Child,
    },
    Thread(Mutex<Option<JoinHandle<()>>>),
}

/// What a thread is asked for when it is to end.
const END: u32 = u32::MAX;

impl<C: Carries + 'static> Traffic<C> {
    /// Between this process and another, of messages of so many bytes.
    ///
    /// # Errors
    /// What mmap(2), fork(2) or sched_setaffinity(2) answers.
    pub fn between_processes(carrier: C, size: usize) -> io::Result<Self> {
        let (carrier, orders) = (Arc::new(carrier), Arc::new(Orders::new()?));
        let child = Child::fork(|ends| serve(ends, || receive(&*carrier, &orders, size)))?;
        Self::new(carrier, size, orders, Receiver::Process { _child: child })
    }

    /// Where the receiver is on its processor, ready: it may have begun on this one, and whoever
    /// sends may spin here under a real-time policy, beside which nothing else would run.
    fn new(carrier: Arc<C>, size: usize, orders: Arc<Orders>, by: Receiver) -> io::Result<Self> {
        tie_to_processor(0)?;
        orders.done.take();
        Ok(Self { carrier, message: vec![7; size], orders, receiver: by })
    }

    /// Sends so many; ends when all are received.
    pub fn send_all(&self, count: u64) {
        let mut left = count;
        while left > 0 {
            let batch = u32::try_from(left).unwrap_or(END).min(END - 1);
            self.orders.asked.put(batch);
            self.carrier.send_each(&self.message, batch);
            self.orders.done.take();
            left -= u64::from(batch);
        }
    }
}

impl<C: Carries + Send + Sync + 'static> Traffic<C> {
    /// Between this thread and another.
    ///
    /// # Errors
    /// What mmap(2), or sched_setaffinity(2) answers, and what a thread cannot be had for.
    pub fn between_threads(carrier: C, size: usize) -> io::Result<Self> {
        let (carrier, orders) = (Arc::new(carrier), Arc::new(Orders::new()?));
        let (here, to) = (Arc::clone(&carrier), Arc::clone(&orders));
        let thread = std::thread::Builder::new().spawn(move || receive(&*here, &to, size))?;
        Self::new(carrier, size, orders, Receiver::Thread(Mutex::new(Some(thread))))
    }
}

impl<C> Drop for Traffic<C> {
    fn drop(&mut self) {
        let Receiver::Thread(thread) = &mut self.receiver else { return };
        self.orders.asked.put(END);
        if let Some(thread) = thread.get_mut().ok().and_then(Option::take) {
            let _ = thread.join(); // what it failed of was told where it did
        }
    }
}

impl Orders {
    fn new() -> io::Result<Self> {
        Ok(Self { asked: BareMail::new()?, done: BareMail::new()? })
    }
}

fn receive(carrier: &impl Carries, orders: &Orders, size: usize) {
    tie_to_processor(1).expect("there is a processor");
    carrier.begin_to_receive();
    orders.done.put(1);
    let mut buffer = vec![0; size];
    // Ends: when it is told to, or with its process.
    loop {
        let count = orders.asked.take();
        if count == END {
            return;
        }
        carrier.receive_each(&mut buffer, count);
        orders.done.put(1);
    }
}

/// Does `body` in a child, until it is killed or its parent ends.
fn serve(ends: &Ends, body: impl FnOnce()) -> i32 {
    std::thread::scope(|scope| {
        scope.spawn(|| {
            ends.rest(); // until this process ends
            std::process::abort()
        });
        body();
        std::process::exit(1)
    })
}

/// Two on one processor, of which this process is one, that answer each other.
#[derive(Debug)]
pub struct PingPong<C> {
    there: C,
    back: C,
    size: usize,
    /// Ends with this.
    _other: Child,
}

impl<C: Carries + Sync> PingPong<C> {
    /// Starts the other, and ties both to the first processor.
    ///
    /// # Errors
    /// What fork(2) or sched_setaffinity(2) answers.
    pub fn new(there: C, back: C, size: usize) -> io::Result<Self> {
        tie_to_processor(0)?;
        let other = Child::fork(|ends| {
            serve(ends, || {
                let mut buffer = vec![0; size];
                loop {
                    there.receive(&mut buffer);
                    back.send(&buffer);
                }
            })
        })?;
        Ok(Self { there, back, size, _other: other })
    }

    /// There and back: two that sleep are woken.
    pub fn round_trip(&self, buffer: &mut [u8]) {
        self.there.send(&buffer[..self.size]);
        self.back.receive(&mut buffer[..self.size]);
    }
}

/// The least that wakes one who sleeps: a word.
impl Carries for BareMail {
    fn send(&self, _: &[u8]) {
        self.put(1);
    }

    fn receive(&self, _: &mut [u8]) {
        self.take();
    }
}
