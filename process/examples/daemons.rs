//! Threads that nobody waits for: the program ends while they are at work.
//!
//! ```sh
//! cargo run -p purlin-process --example daemons
//! ```

use std::sync::mpsc::channel;

use purlin_process::Error;
use purlin_process::thread::{Builder, join_all};

fn main() -> Result<(), Error> {
    let (begun, all_begun) = channel::<()>();
    for name in ["radio", "film"] {
        let begun = begun.clone();
        Builder::new().name(name).daemon(true).start(move || {
            println!("{name} begins");
            drop(begun);
            work_for_ever();
        })?;
    }
    drop(begun);
    let _ = all_begun.recv(); // ends when both have begun
    join_all(None)?; // no daemon is waited for
    println!("the program ends");
    Ok(())
}

fn work_for_ever() {
    loop {
        std::thread::park();
    }
}
