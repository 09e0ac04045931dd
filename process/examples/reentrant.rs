//! A lock that its holder may take again: the others get it when it was given back as often.
//!
//! ```sh
//! cargo run -p purlin-process --example reentrant
//! ```

use std::error::Error;

use purlin_process::thread::{self, Thread};
use purlin_sync::RLock;

fn main() -> Result<(), Box<dyn Error>> {
    let lock = RLock::new()?;
    let threads: Vec<Thread> = (0..3)
        .map(|_| {
            let lock = lock.clone();
            Thread::start("", move || twice(&lock))
        })
        .collect::<Result<_, _>>()?;
    for thread in threads {
        thread.join(None)?;
    }
    Ok(())
}

fn twice(lock: &RLock) -> Result<(), purlin_sync::Error> {
    let own = thread::current().name();
    let _outer = lock.acquire(None)?.sound()?;
    println!("{own} has it");
    {
        let _inner = lock.acquire(None)?.sound()?;
        println!("{own} has it twice");
    }
    println!("{own} gives it back");
    Ok(())
}
