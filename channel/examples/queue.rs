//! One process writes into a queue and another reads from it. When the writer has ended, the queue
//! is shut down: the reader takes what is left, is told that there will be no more, and ends.
//!
//! ```sh
//! cargo run -p purlin-channel --example queue
//! ```

use purlin_channel::{Error, Queue};
use purlin_process::Process;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let queue = Queue::bounded(16, 64)?;
    let writer = Process::fork("writer", || write(&queue))?;
    let reader = Process::fork("reader", || read(&queue))?;
    println!("the writer: {}", writer.join(None)?);
    queue.shutdown()?;
    println!("the reader: {}", reader.join(None)?);
    Ok(())
}

fn write(queue: &Queue) -> Result<(), Error> {
    for word in ["bread", "salt", "wine"] {
        println!("puts {word}");
        queue.send(word.as_bytes(), None)?;
    }
    Ok(())
}

fn read(queue: &Queue) -> Result<(), Error> {
    // Ends when the queue is shut down and empty.
    loop {
        match queue.recv(None) {
            Ok(word) => println!("gets {}", String::from_utf8_lossy(&word)),
            Err(Error::Closed) => return Ok(()),
            Err(other) => return Err(other),
        }
    }
}
