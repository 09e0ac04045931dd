//! Producers and consumers that are threads, with a queue of ten between them: it keeps the lock,
//! the waiting and the bound that they would else have to keep themselves.
//!
//! ```sh
//! cargo run -p purlin-channel --example queue_threads
//! ```

use std::collections::BTreeSet;
use std::thread;

use purlin_channel::{Error, Queue};

const PRODUCERS: u32 = 3;
const CONSUMERS: usize = 2;
const ITEMS_EACH: u32 = 500;
const ROOM: usize = 10;

fn main() -> Result<(), Error> {
    let queue = Queue::bounded(ROOM, 4)?;
    let taken: Vec<u32> = thread::scope(|scope| {
        let produce = |number: u32| {
            let mut items = number * ITEMS_EACH..(number + 1) * ITEMS_EACH;
            items.try_for_each(|item| queue.send(&item.to_le_bytes(), None))
        };
        let producers = [0, 1, 2].map(|number| scope.spawn(move || produce(number)));
        let consumers = [(); CONSUMERS].map(|()| scope.spawn(|| consume(&queue)));
        for producer in producers {
            producer.join().expect("no panic")?;
        }
        queue.shutdown()?; // consumers take the rest, and end
        let taken = consumers.map(|consumer| consumer.join().expect("no panic"));
        Ok::<_, Error>(taken.into_iter().collect::<Result<Vec<_>, _>>()?.concat())
    })?;
    let different: BTreeSet<&u32> = taken.iter().collect();
    println!("{} of {} taken", taken.len(), PRODUCERS * ITEMS_EACH);
    println!("{} of them different, {} left", different.len(), queue.len()?);
    Ok(())
}

fn consume(queue: &Queue) -> Result<Vec<u32>, Error> {
    let mut taken = Vec::new();
    let mut item = [0; 4];
    // Ends when the queue is shut down and empty.
    loop {
        match queue.recv_into(&mut item, None) {
            Ok(_) => taken.push(u32::from_le_bytes(item)),
            Err(Error::Closed) => return Ok(taken),
            Err(other) => return Err(other),
        }
    }
}
