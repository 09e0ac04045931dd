//! A type with a step of its own, run as a daemon: it goes on for ever, and ends with its parent.
//!
//! ```sh
//! cargo run -p purlin-process --example run_daemon
//! ```

use std::io::{self, PipeWriter, Read, Write};

use purlin_process::{AtEnd, Builder, Run};

struct Watch {
    ticks: u32,
    heard: PipeWriter,
}

impl Run for Watch {
    type Outcome = io::Result<()>;

    fn run(mut self) -> io::Result<()> {
        println!("the watch begins");
        for tick in 1..=self.ticks {
            println!("tick {tick}");
        }
        self.heard.write_all(b"!")?;
        loop {
            std::thread::park(); // and "the watch ends" is never said
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let _at_end = AtEnd::new();
    let (mut hears, heard) = io::pipe()?;
    let watch = Builder::new().name("watch").daemon(true).fork_run(Watch { ticks: 3, heard })?;
    hears.read_exact(&mut [0])?;
    println!("{} is a daemon: {}", watch.name(), watch.is_daemon());
    println!("the program is over");
    Ok(())
}
