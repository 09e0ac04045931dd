//! Values of a type: there and back, and what is none.

use std::fmt::Debug;
use std::time::Duration;

use proptest::prelude::*;
use purlin_channel::{Carrier, Error, JoinableQueue, Pipe, Queue, Typed, decode, encode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Order {
    Stop,
    Take { what: String, how_many: u64 },
    Several(Vec<Order>),
}

fn orders() -> Vec<Order> {
    let take = Order::Take { what: "rope".to_owned(), how_many: u64::MAX };
    vec![Order::Stop, take.clone(), Order::Several(vec![take, Order::Stop])]
}

fn there_and_back<C: Carrier>(sender: C, receiver: C) {
    let (sender, receiver) = (Typed::new(sender, 100), Typed::new(receiver, 100));
    for order in orders() {
        sender.send(&order, None).unwrap();
        assert_eq!(receiver.recv(None), Ok(order.clone()));
        sender.try_send(&order).unwrap();
        assert_eq!(receiver.try_recv(), Ok(order));
    }
}

#[test]
fn values_go_by_each_carrier() {
    let queue = Queue::bounded(4, 100).unwrap();
    there_and_back(queue.clone(), queue);
    let queue = Queue::unbounded(1 << 20).unwrap();
    there_and_back(queue.clone(), queue);
    let queue = JoinableQueue::bounded(4, 100).unwrap();
    there_and_back(queue.clone(), queue.clone());
    (0..6).for_each(|_| queue.task_done().unwrap());
    queue.join(Duration::ZERO).unwrap();
    let (receiver, sender) = Pipe::simplex().unwrap();
    there_and_back(sender, receiver);
}

/// Sends `message`, which is no number, and then one: it is refused, and the number comes.
fn is_refused<C: Carrier + Clone + Debug>(
    (sender, receiver): (C, C),
    put: impl Fn(&C, &[u8]),
    message: &[u8],
) {
    let (sender, receiver) = (Typed::<C, u32>::new(sender, 8), Typed::<C, u32>::new(receiver, 8));
    put(sender.carrier(), message);
    sender.send(&7, None).unwrap();
    assert_eq!(receiver.recv(None), Err(Error::NotTransferable), "{message:?}");
    assert_eq!(receiver.recv(None), Ok(7), "{receiver:?}");
}

#[test]
fn what_is_none_of_the_type_is_used_up() {
    let too_much = encode(&(7u32, 7u32)).unwrap();
    for message in [&[][..], &[0xff], &[0xff; 8], &too_much] {
        let queue = Queue::bounded(4, 8).unwrap();
        let put = |queue: &Queue, message: &[u8]| queue.send(message, None).unwrap();
        is_refused((queue.clone(), queue), put, message);
        let (receiver, sender) = Pipe::duplex().unwrap();
        let put = |pipe: &Pipe, message: &[u8]| pipe.send(message, None).unwrap();
        is_refused((sender, receiver), put, message);
    }
}

#[test]
fn lengths_that_lie_ask_for_no_memory() {
    // A list of 2^62 numbers, of which none is there.
    let mut lie = encode(&(1u64 << 62)).unwrap();
    assert_eq!(decode::<Vec<u64>>(&lie), Err(Error::NotTransferable));
    assert_eq!(decode::<String>(&lie), Err(Error::NotTransferable));
    lie.extend([0; 9]);
    assert_eq!(decode::<Vec<Vec<u64>>>(&lie), Err(Error::NotTransferable));
}

#[test]
fn a_value_beyond_the_limit_is_not_sent() {
    let queue = Queue::bounded(4, 100).unwrap();
    let texts: Typed<Queue, String> = Typed::new(queue.clone(), 10);
    assert_eq!(texts.send(&"x".repeat(10), None), Err(Error::MessageTooLarge { len: 11 }));
    assert_eq!(queue.is_empty(), Ok(true));
    texts.send(&"x".repeat(9), None).unwrap();
    assert_eq!(texts.recv(None).unwrap().len(), 9);
}

#[test]
fn a_message_beyond_the_limit_is_used_up() {
    let queue = Queue::bounded(4, 100).unwrap();
    let (receiver, sender) = Pipe::simplex().unwrap();
    queue.send(&[0; 11], None).unwrap();
    sender.send(&[0; 11], None).unwrap();
    refuses_eleven(queue.clone(), queue);
    refuses_eleven(sender, receiver);
}

fn refuses_eleven<C: Carrier>(sender: C, receiver: C) {
    let (sender, receiver) = (Typed::new(sender, 10), Typed::new(receiver, 10));
    sender.send(&true, None).unwrap();
    assert_eq!(receiver.recv(None), Err(Error::MessageTooLarge { len: 11 }));
    assert_eq!(receiver.recv(None), Ok(true));
}

/// What has no serial form.
struct Formless;

impl Serialize for Formless {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("no form"))
    }
}

#[test]
fn what_has_no_form_is_not_sent() {
    let queue = Queue::bounded(4, 100).unwrap();
    let typed = Typed::new(queue.clone(), 100);
    assert_eq!(typed.send(&Formless, None), Err(Error::NotTransferable));
    assert_eq!(Error::NotTransferable.kind(), "not-transferable");
    assert_eq!(queue.is_empty(), Ok(true));
}

#[test]
fn the_carriers_errors_come_through() {
    let queue = Queue::bounded(1, 8).unwrap();
    let numbers: Typed<Queue, u32> = Typed::new(queue, 8);
    assert_eq!(numbers.try_recv(), Err(Error::Empty));
    assert_eq!(numbers.recv(Duration::from_millis(1)), Err(Error::Empty));
    numbers.send(&1, None).unwrap();
    assert_eq!(numbers.try_send(&2), Err(Error::Full));
    numbers.carrier().close();
    assert_eq!(numbers.clone().send(&3, None), Err(Error::Closed));
    let (receiver, sender) = Pipe::simplex().unwrap();
    assert_eq!(Typed::new(receiver, 8).send(&1, None), Err(Error::WrongDirection));
    assert_eq!(Typed::<_, u8>::new(sender, 8).recv(None), Err(Error::WrongDirection));
}

fn reads_or_refuses<T: DeserializeOwned + Serialize>(message: &[u8]) {
    // What is read has a form that is read again; the form need not be the shortest.
    if let Ok(value) = decode::<T>(message) {
        let again = encode(&value).unwrap();
        assert!(again.len() <= message.len());
        assert!(decode::<T>(&again).is_ok());
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(message in proptest::collection::vec(any::<u8>(), 0..40)) {
        reads_or_refuses::<Order>(&message);
        reads_or_refuses::<(bool, Option<i64>, char)>(&message);
        reads_or_refuses::<Vec<(String, f64)>>(&message);
    }

    #[test]
    fn any_value_comes_back(value: (u8, i64, String, Option<Vec<u16>>, (bool, char))) {
        prop_assert_eq!(decode(&encode(&value).unwrap()), Ok(value));
    }
}
