//! Three threads that count, started together and joined: what they say lies between the first
//! word and the last; the order among them is anybody's. What they do is the run step of a type.
//!
//! ```sh
//! cargo run -p purlin-process --example threads
//! ```

use purlin_process::thread::{self, Builder, Thread};
use purlin_process::{Error, Run};

/// Counts up to its number.
struct Counter(u32);

impl Run for Counter {
    type Outcome = ();

    fn run(self) {
        for number in 0..self.0 {
            println!("{} counts {number}", thread::current().name());
        }
    }
}

fn main() -> Result<(), Error> {
    println!("all begin");
    let start = |_| Builder::new().start_run(Counter(5));
    let threads: Vec<Thread> = (0..3).map(start).collect::<Result<_, _>>()?;
    for thread in &threads {
        thread.join(None)?;
    }
    println!("all have ended");

    // Not joined one by one: the end of the program is where it is waited for.
    Thread::start("straggler", || println!("the straggler comes in"))?;
    thread::join_all(None)
}
