//! Two seats for five processes: no more than two are in at any moment.
//!
//! ```sh
//! cargo run -p purlin-process --example semaphore
//! ```

use std::error::Error;

use purlin_process::Process;
use purlin_sync::TrackedSemaphore;

fn main() -> Result<(), Box<dyn Error>> {
    // A tracked one: the seat of a process that is killed is free again.
    let seats = TrackedSemaphore::new(2)?;
    let children: Vec<Process> = (1..=5)
        .map(|number| {
            let name = format!("guest {number}");
            let guest = name.clone();
            Process::fork(name, || -> Result<(), purlin_sync::Error> {
                let _seat = seats.acquire(None)?;
                println!("{guest} sits down");
                println!("{guest} leaves");
                Ok(())
            })
        })
        .collect::<Result<_, _>>()?;
    for child in children {
        child.join(None)?;
    }
    println!("{} seats are free", seats.value());
    Ok(())
}
