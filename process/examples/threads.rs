//! Three threads that count, started together and joined: what they say lies between the first
//! word and the last; the order among them is anybody's.
//!
//! ```sh
//! cargo run -p purlin-process --example threads
//! ```

use purlin_process::Error;
use purlin_process::thread::{self, Thread};

fn main() -> Result<(), Error> {
    println!("all begin");
    let threads: Vec<Thread> =
        (0..3).map(|_| Thread::start("", count)).collect::<Result<_, _>>()?;
    for thread in &threads {
        thread.join(None)?;
    }
    println!("all have ended");

    // Not joined one by one: the end of the program is where it is waited for.
    Thread::start("straggler", || println!("the straggler comes in"))?;
    thread::join_all(None)
}

fn count() {
    for number in 0..5 {
        println!("{} counts {number}", thread::current().name());
    }
}
