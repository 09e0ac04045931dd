//! Workers take tasks from a queue and say of each when it is done; whoever has sent them waits
//! until all are, not just until all are taken.
//!
//! ```sh
//! cargo run -p purlin-channel --example joinable
//! ```

use purlin_channel::{Error, JoinableQueue};
use purlin_process::{Process, current};

const WORKERS: usize = 3;
const TASKS: u8 = 8;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tasks = JoinableQueue::bounded(4, 1)?;
    let workers: Vec<Process> = (1..=WORKERS)
        .map(|number| Process::fork(format!("worker {number}"), || work(&tasks)))
        .collect::<Result<_, _>>()?;
    (0..TASKS).try_for_each(|task| tasks.send(&[task], None))?;
    println!("all {TASKS} are sent");
    tasks.join(None)?;
    println!("all are done, {} unfinished", tasks.unfinished());
    println!("one mark more: {}", tasks.task_done().unwrap_err());
    tasks.shutdown()?;
    for worker in workers {
        println!("{}: {}", worker.name(), worker.join(None)?);
    }
    Ok(())
}

fn work(tasks: &JoinableQueue) -> Result<(), Error> {
    // Ends when the queue is shut down and empty.
    loop {
        match tasks.recv(None) {
            Ok(task) => println!("{} does task {}", current().name(), task[0]),
            Err(Error::Closed) => return Ok(()),
            Err(other) => return Err(other),
        }
        tasks.task_done()?;
    }
}
