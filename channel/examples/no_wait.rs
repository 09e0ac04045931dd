//! A send to a full queue and a receive from an empty one: at once, or with a limit. And a reader
//! that does not wait beside a writer: it gets the number, or the number is still there.
//!
//! ```sh
//! cargo run -p purlin-channel --example no_wait
//! ```

use core::time::Duration;

use purlin_channel::{Error, Queue};
use purlin_process::Process;

const ROOM: u8 = 10;
const LIMIT: Duration = Duration::from_millis(20);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    full_and_empty()?;
    side_by_side()
}

fn full_and_empty() -> Result<(), Error> {
    let queue = Queue::bounded(ROOM.into(), 1)?;
    (0..ROOM).try_for_each(|number| queue.try_send(&[number]))?;
    println!("{} inside, full: {}", queue.len()?, queue.is_full()?);
    println!("one more at once: {}", word(queue.try_send(&[ROOM])));
    println!("one more within 20 ms: {}", word(queue.send(&[ROOM], LIMIT)));
    for number in 0..ROOM {
        assert_eq!(queue.try_recv()?, [number]);
    }
    println!("{} inside, empty: {}", queue.len()?, queue.is_empty()?);
    println!("another at once: {}", word(queue.try_recv()));
    println!("another within 20 ms: {}", word(queue.recv(LIMIT)));
    Ok(())
}

fn side_by_side() -> Result<(), Box<dyn std::error::Error>> {
    let queue = Queue::bounded(1, 1)?;
    let writer = Process::fork("writer", || queue.try_send(&[1]))?;
    let reader = Process::fork("reader", || -> Result<(), Error> {
        match queue.try_recv() {
            Ok(number) => println!("the reader gets {}", number[0]),
            Err(Error::Empty) => println!("the reader finds nothing"),
            Err(other) => return Err(other),
        }
        Ok(())
    })?;
    reader.join(None)?;
    writer.join(None)?;
    println!("{} left", queue.len()?);
    Ok(())
}

fn word<T>(answer: Result<T, Error>) -> &'static str {
    answer.err().map_or("done", |error| error.kind())
}
