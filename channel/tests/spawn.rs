//! What children get that are this program executed anew: what they were given, and nothing else.
//! The tests have a `main` of their own, which calls `init` first.

use core::time::Duration;

use libtest_mimic::{Arguments, Trial};
use purlin_channel::{Array, Error, Pipe, Queue, Unlocked, Value};
use purlin_process::{ExitStatus, Process, init};
use purlin_sync::Event;

/// Far beyond what any of these tests needs.
const LIMIT: Duration = Duration::from_secs(60);

fn main() {
    init();
    let tests: [(&str, fn()); 3] = [
        ("ends_that_are_given_connect_children", ends_that_are_given_connect_children),
        ("a_child_has_no_end_that_it_was_not_given", a_child_has_no_end_that_it_was_not_given),
        ("values_arrays_and_queues_are_the_same_ones", values_arrays_and_queues_are_the_same_ones),
    ];
    let trials = tests.map(|(name, test)| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), Vec::from(trials)).exit();
}

fn ends(child: &Process) {
    assert_eq!(child.join(LIMIT), Ok(ExitStatus::Code(0)));
}

fn ends_that_are_given_connect_children() {
    // shows: pipe-handed-to-children, pipe-parent-may-close-after-start
    let (one, other) = Pipe::duplex().unwrap();
    let send = |count: u32, (pipe,): (Pipe,)| {
        (0..count).try_for_each(|number| pipe.send(&number.to_le_bytes(), LIMIT))?;
        pipe.recv(LIMIT).map(drop)
    };
    let receive = |count: u32, (pipe,): (Pipe,)| {
        for number in 0..count {
            let came = pipe.recv(LIMIT).map_err(|error| error.to_string())?;
            if came != number.to_le_bytes() {
                return Err(format!("{came:?}, not {number}"));
            }
        }
        pipe.send(&[1; 1 << 18], LIMIT).map_err(|error| error.to_string())
    };
    let sender = Process::spawn("sender", send, 10_u32, (one,)).unwrap();
    let receiver = Process::spawn("receiver", receive, 10_u32, (other,)).unwrap();
    ends(&receiver);
    ends(&sender);
}

fn a_child_has_no_end_that_it_was_not_given() {
    // shows: pipe-spawned-child-inherits-nothing-unasked
    let (reader, writer) = Pipe::simplex().unwrap();
    let done = Event::new().unwrap();
    let waits = |(), (done,): (Event,)| done.wait(LIMIT).map(drop);
    let bystander = Process::spawn("bystander", waits, (), (done.clone(),)).unwrap();
    let sends = |(), (writer,): (Pipe,)| writer.send(b"one", LIMIT);
    let child = Process::spawn("child", sends, (), (writer.clone(),)).unwrap();
    writer.close();
    assert_eq!(reader.recv(LIMIT), Ok(b"one".to_vec()));
    assert_eq!(reader.recv(LIMIT), Err(Error::EndOfFile), "while the bystander lives");
    done.set();
    ends(&child);
    ends(&bystander);
}

fn values_arrays_and_queues_are_the_same_ones() {
    // shows: value-child-writes-parent-reads, array-child-writes-parent-reads
    let value = Value::new(0.0).unwrap();
    let array = Array::new(&[0, 1, 2]).unwrap();
    let hits = Value::unlocked(0_u64).unwrap();
    let queue = Queue::bounded(1, 8).unwrap();
    let work = |amount: f64,
                (value, array, hits, queue): (
        Value<f64>,
        Array<i32>,
        Value<u64, Unlocked>,
        Queue,
    )| {
        value.set(amount, LIMIT)?;
        array.set(0, 5, LIMIT)?;
        hits.fetch_add(7);
        queue.send(b"done", LIMIT)
    };
    let given = (value.clone(), array.clone(), hits.clone(), queue.clone());
    ends(&Process::spawn("child", work, 3.25, given).unwrap());
    assert_eq!((value.get(None), array.read(.., None)), (Ok(3.25), Ok(vec![5, 1, 2])));
    assert_eq!((hits.load(), queue.try_recv()), (7, Ok(b"done".to_vec())));
}
