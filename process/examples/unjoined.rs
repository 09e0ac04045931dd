//! A child that is started, looked at, and not joined: its number and its name are known at once,
//! it lives, and it speaks when its parent has nothing more to say.
//!
//! ```sh
//! cargo run -p purlin-process --example unjoined
//! ```

use std::io::{self, Read};

use purlin_process::{AtEnd, Process, current};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let _at_end = AtEnd::new(); // which joins it
    let (mut until, release) = io::pipe()?;
    let mut release = Some(release);
    let child = Process::fork("", || -> io::Result<()> {
        drop(release.take()); // the copy of the parent's end
        until.read_to_end(&mut Vec::new())?; // until the parent lets go
        for count in (1..=5).rev() {
            println!("{} of process {}: {count} to go", current().name(), current().pid());
        }
        Ok(())
    })?;
    println!("number: {}", child.pid());
    println!("name: {}", child.name());
    println!("lives: {}", child.is_alive()?);
    drop(release);
    Ok(())
}
