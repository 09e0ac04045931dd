//! Three processes write into one queue and a fourth reads. Messages of one writer come in the
//! order in which it sent them; those of several come in any.
//!
//! ```sh
//! cargo run -p purlin-channel --example writers
//! ```

use purlin_channel::Queue;
use purlin_process::Process;

const WRITERS: u8 = 3;
const ITEMS_EACH: u8 = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let queue = Queue::bounded(2, 2)?; // less room than messages: writers wait for the reader
    let writers: Vec<Process> = (1..=WRITERS)
        .map(|own| {
            let queue = &queue;
            Process::fork(format!("writer {own}"), move || {
                (0..ITEMS_EACH).try_for_each(|item| queue.send(&[own, item], None))
            })
        })
        .collect::<Result<_, _>>()?;
    for _ in 0..WRITERS * ITEMS_EACH {
        let message = queue.recv(None)?;
        println!("writer {}: item {}", message[0], message[1]);
    }
    for writer in writers {
        println!("{}: {}", writer.name(), writer.join(None)?);
    }
    println!("{} left", queue.len()?);
    Ok(())
}
