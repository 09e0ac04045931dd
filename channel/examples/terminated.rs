//! A reader that would wait for ever is terminated while it does. The queue is as good as before,
//! and what is put into it then, another gets.
//!
//! ```sh
//! cargo run -p purlin-channel --example terminated
//! ```

use purlin_channel::{Error, Queue};
use purlin_process::Process;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (queue, heard) = (Queue::bounded(4, 16)?, Queue::bounded(4, 16)?);
    let reader = Process::fork("reader", || -> Result<(), Error> {
        // Never ends by itself.
        loop {
            let word = queue.recv(None)?;
            println!("the reader gets {}", String::from_utf8_lossy(&word));
            heard.send(&word, None)?;
        }
    })?;
    queue.send(b"one", None)?;
    heard.recv(None)?; // it has read, and waits again or is about to
    reader.terminate()?;
    println!("the reader: {}", reader.join(None)?);
    queue.send(b"two", None)?;
    println!("main gets {}", String::from_utf8_lossy(&queue.recv(None)?));
    Ok(())
}
