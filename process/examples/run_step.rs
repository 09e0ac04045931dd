//! A type with a step of its own: a value of it is what a child runs, with the state that it has.
//!
//! ```sh
//! cargo run -p purlin-process --example run_step
//! ```

use purlin_process::{Builder, Error, Run, current};

struct Countdown {
    from: i32,
}

impl Run for Countdown {
    type Outcome = ();

    fn run(self) {
        println!("{} begins", current().name());
        for number in (1..=self.from).rev() {
            println!("{number}");
        }
        println!("{} ends", current().name());
    }
}

fn main() -> Result<(), Error> {
    let child = Builder::new().name("countdown").fork_run(Countdown { from: 5 })?;
    child.join(None)?;
    println!("{} goes on", current().name());
    Ok(())
}
