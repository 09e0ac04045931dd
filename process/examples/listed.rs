//! Three children at work, each a fresh copy of the program, and what their parent sees of them:
//! how many processors there are, and who is active, by name and number.
//!
//! ```sh
//! cargo run -p purlin-process --example listed
//! ```

use std::io::{self, PipeReader, Read};
use std::os::fd::OwnedFd;

use purlin_process::{AtEnd, Process, active_children, cpu_count, current};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    purlin_process::init();
    let _at_end = AtEnd::new();
    let (until, release) = io::pipe()?;
    for task in ["bake", "brew", "boil"] {
        let until = OwnedFd::from(until.try_clone()?);
        Process::spawn("", work, task.to_owned(), (until,))?;
    }
    println!("{} processors", cpu_count()?);
    for child in active_children() {
        println!("{} is process {}", child.name(), child.pid());
    }
    println!("all are listed");
    drop(release); // and now they may
    Ok(())
}

fn work(task: String, (until,): (OwnedFd,)) -> io::Result<()> {
    PipeReader::from(until).read_to_end(&mut Vec::new())?; // until the parent lets go
    println!("{} begins to {task}", current().name());
    println!("{} has done with it", current().name());
    Ok(())
}
