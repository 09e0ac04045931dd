//! Queues of one to one, whose ends are claimed: by whoever sends first, and whoever receives
//! first, each in its own process.

use std::cell::RefCell;

use purlin_channel::{Receiver, Sender, Spsc};

use crate::sys::BareSpsc;
use crate::traffic::Carries;

/// A `Spsc`, and the ends of it that this process has.
#[derive(Debug)]
pub struct PurlinSpsc {
    queue: Spsc,
    sender: RefCell<Option<Sender>>,
    receiver: RefCell<Option<Receiver>>,
}

impl From<Spsc> for PurlinSpsc {
    fn from(queue: Spsc) -> Self {
        Self { queue, sender: RefCell::default(), receiver: RefCell::default() }
    }
}

impl Carries for PurlinSpsc {
    fn send(&self, message: &[u8]) {
        self.send_each(message, 1);
    }

    fn receive(&self, buffer: &mut [u8]) {
        self.receive_each(buffer, 1);
    }

    fn send_each(&self, message: &[u8], count: u32) {
        let mut sender = self.sender.borrow_mut();
        let sender = sender.get_or_insert_with(|| self.queue.sender(None).expect("it is free"));
        (0..count).for_each(|_| sender.send(message, None).expect("somebody receives"));
    }

    fn receive_each(&self, buffer: &mut [u8], count: u32) {
        let mut receiver = self.receiver.borrow_mut();
        let receiver =
            receiver.get_or_insert_with(|| self.queue.receiver(None).expect("it is free"));
        (0..count).for_each(|_| {
            receiver.recv_into(buffer, None).expect("somebody sends");
        });
    }
}

impl<const CELLS: usize, const BYTES: usize> Carries for BareSpsc<CELLS, BYTES> {
    #[inline]
    fn send(&self, message: &[u8]) {
        self.send(message);
    }

    #[inline]
    fn receive(&self, buffer: &mut [u8]) {
        self.receive(buffer);
    }
}
