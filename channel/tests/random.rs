//! Random programs on one queue, beside a plain model of it.

use std::collections::VecDeque;
use std::time::Duration;

use proptest::prelude::*;
use purlin_channel::{Batch, Error, LARGE_BYTES, Queue};

#[derive(Clone, Debug)]
enum Call {
    Send(usize),
    Recv,
    RecvInto(usize),
    SendMany(Vec<usize>),
    RecvMany(usize, usize),
    /// Written in its place, and committed or dropped at once.
    Reserve(usize, bool),
    /// Looked at in its place, and taken or given back.
    Borrow(bool),
    Shutdown,
    ShutdownNow,
    Reopen,
}

fn call(size_max: usize) -> impl Strategy<Value = Call> {
    let len = || 0..=size_max + 1;
    prop_oneof![
        6 => len().prop_map(Call::Send),
        4 => Just(Call::Recv),
        1 => len().prop_map(Call::RecvInto),
        2 => proptest::collection::vec(len(), 0..6).prop_map(Call::SendMany),
        2 => (0..6_usize, 0..=4 * size_max).prop_map(|(count, room)| Call::RecvMany(count, room)),
        2 => (len(), any::<bool>()).prop_map(|(len, commits)| Call::Reserve(len, commits)),
        2 => any::<bool>().prop_map(Call::Borrow),
        2 => (1..20).prop_map(|one| if one == 1 { Call::Shutdown } else { Call::Recv }),
        2 => (1..40).prop_map(|one| if one == 1 { Call::ShutdownNow } else { Call::Recv }),
        1 => Just(Call::Reopen),
    ]
}

/// What a queue is, without a ring and without others.
struct Model {
    count_max: usize,
    size_max: usize,
    inside: VecDeque<Vec<u8>>,
    is_shut: bool,
    number: u8,
}

impl Model {
    fn message(&mut self, len: usize) -> Vec<u8> {
        self.number = self.number.wrapping_add(1);
        (0..len).map(|byte| (byte as u8) ^ self.number).collect()
    }

    /// What a send of so many bytes answers that does not wait.
    fn refusal(&self, len: usize) -> Option<Error> {
        if len > self.size_max {
            Some(Error::MessageTooLarge { len })
        } else if self.is_shut {
            Some(Error::Closed)
        } else if self.inside.len() == self.count_max {
            Some(Error::Full)
        } else {
            None
        }
    }

    fn put(&mut self, message: &[u8]) -> Result<(), Error> {
        match self.refusal(message.len()) {
            Some(error) => Err(error),
            None => {
                self.inside.push_back(message.to_vec());
                Ok(())
            }
        }
    }

    const fn nothing(&self) -> Error {
        if self.is_shut { Error::Closed } else { Error::Empty }
    }

    /// What a receive into so much room answers.
    fn get(&mut self, room: usize) -> Result<Vec<u8>, Error> {
        match self.inside.front() {
            None => Err(self.nothing()),
            Some(first) if first.len() > room => Err(Error::MessageTooLarge { len: first.len() }),
            Some(_) => Ok(self.inside.pop_front().unwrap()),
        }
    }
}

fn run(queue: &mut Queue, model: &mut Model, call: &Call) -> Result<(), TestCaseError> {
    match call {
        Call::Send(len) => {
            let message = model.message(*len);
            prop_assert_eq!(queue.try_send(&message), model.put(&message));
        }
        Call::Recv => prop_assert_eq!(queue.try_recv(), model.get(usize::MAX)),
        Call::RecvInto(room) => {
            let mut buffer = vec![0; *room];
            let got = queue.recv_into(&mut buffer, Duration::ZERO);
            prop_assert_eq!(got.map(|len| buffer[..len].to_vec()), model.get(*room));
        }
        Call::SendMany(lens) => send_many(queue, model, lens)?,
        Call::RecvMany(count, room) => recv_many(queue, model, *count, *room)?,
        Call::Reserve(len, commits) => reserve(queue, model, *len, *commits)?,
        Call::Borrow(is_taken) => borrow(queue, model, *is_taken)?,
        Call::Shutdown => {
            prop_assert_eq!(queue.shutdown(), Ok(()));
            model.is_shut = true;
        }
        Call::ShutdownNow => {
            prop_assert_eq!(queue.shutdown_now(), Ok(()));
            model.is_shut = true;
            model.inside.clear();
        }
        Call::Reopen => *queue = Queue::open(&queue.segment(), queue.offset()).unwrap(),
    }
    prop_assert_eq!(queue.len(), Ok(model.inside.len()));
    Ok(())
}

fn send_many(queue: &Queue, model: &mut Model, lens: &[usize]) -> Result<(), TestCaseError> {
    let messages: Vec<_> = lens.iter().map(|len| model.message(*len)).collect();
    let slices: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    let sent = queue.send_many(&slices, Duration::ZERO);
    let (mut count, mut refused) = (0, None);
    for message in &messages {
        match model.put(message) {
            Ok(()) => count += 1,
            Err(error) => {
                refused = Some(error);
                break;
            }
        }
    }
    prop_assert_eq!(sent, refused.filter(|_| count == 0).map_or(Ok(count), Err));
    Ok(())
}

fn recv_many(
    queue: &Queue,
    model: &mut Model,
    count: usize,
    room: usize,
) -> Result<(), TestCaseError> {
    let mut batch = Batch::with_room(count, room);
    let got = queue.recv_many(&mut batch, Duration::ZERO);
    if count == 0 {
        prop_assert_eq!(got, Err(Error::InvalidArgument));
        return Ok(());
    }
    if let Err(error) = got {
        prop_assert_eq!(Err(error), model.get(room));
        return Ok(());
    }
    // At least one; how many more is not promised, but they are the next ones.
    prop_assert!((1..=count).contains(&batch.len()));
    for message in batch.iter() {
        prop_assert_eq!(model.get(room), Ok(message.to_vec()));
    }
    Ok(())
}

fn reserve(
    queue: &Queue,
    model: &mut Model,
    len: usize,
    commits: bool,
) -> Result<(), TestCaseError> {
    let reserved = queue.reserve(len, Duration::ZERO);
    if let Some(error) = model.refusal(len) {
        prop_assert_eq!(reserved.err(), Some(error));
        return Ok(());
    }
    let message = model.message(len);
    let mut place = reserved.unwrap();
    place.copy_from_slice(&message);
    if commits {
        prop_assert_eq!(place.commit(), Ok(()));
        prop_assert_eq!(model.put(&message), Ok(()));
        return Ok(());
    }
    drop(place);
    // It counts until somebody meets it: all before it are taken and put back.
    let inside = model.inside.len();
    let taken: Vec<_> = (0..inside).map(|_| queue.try_recv().unwrap()).collect();
    prop_assert_eq!(queue.try_recv(), Err(Error::Empty));
    for message in &taken {
        prop_assert_eq!(queue.try_send(message), Ok(()));
    }
    prop_assert!(taken.iter().eq(&model.inside));
    Ok(())
}

fn borrow(queue: &Queue, model: &mut Model, is_taken: bool) -> Result<(), TestCaseError> {
    match queue.recv_ref(Duration::ZERO) {
        Err(error) => prop_assert_eq!(Err(error), model.get(usize::MAX)),
        Ok(lent) if is_taken => {
            prop_assert_eq!(Ok(lent.to_vec()), model.get(usize::MAX));
            prop_assert_eq!(lent.finish(), Ok(()));
        }
        Ok(lent) => {
            prop_assert_eq!(Some(&lent.to_vec()), model.inside.front());
            lent.give_back();
        }
    }
    Ok(())
}

fn compare(count_max: usize, size_max: usize, calls: &[Call]) -> Result<(), TestCaseError> {
    let mut queue = Queue::bounded(count_max, size_max).unwrap();
    let (inside, is_shut) = (VecDeque::new(), false);
    let mut model = Model { count_max, size_max, inside, is_shut, number: 0 };
    calls.iter().try_for_each(|call| run(&mut queue, &mut model, call))
}

/// So many cases; one that fails is printed, and kept nowhere.
pub(crate) fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..Default::default() }
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn a_queue_of_small_messages_is_what_its_model_is(
        (count_max, size_max, calls) in (1..9_usize, 0..40_usize).prop_flat_map(|(count, size)| {
            (Just(count), Just(size), proptest::collection::vec(call(size), 1..80))
        })
    ) {
        compare(count_max, size_max, &calls)?;
    }
}

proptest! {
    #![proptest_config(config(40))]

    #[test]
    fn a_queue_of_large_messages_is_what_its_model_is(
        (count_max, calls) in (1..4_usize).prop_flat_map(|count| {
            (Just(count), proptest::collection::vec(call(LARGE_BYTES + 200), 1..40))
        })
    ) {
        compare(count_max, LARGE_BYTES + 200, &calls)?;
    }
}
