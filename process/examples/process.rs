//! A child from its start to its end, and what its parent can ask of it: its name, its number,
//! whether it lives, how it ended. With a join the parent speaks last.
//!
//! ```sh
//! cargo run -p purlin-process --example process
//! ```

use purlin_process::{Error, Process, active_children, current};

fn main() -> Result<(), Error> {
    println!("{} starts a child", current().name());
    let (until, release) = std::io::pipe().expect("two descriptors");
    let (greeting, count) = ("hello", 3);
    let mut release = Some(release);
    let child = Process::fork("greeter", || {
        release.take(); // the copy of the parent's end
        let _ = std::io::Read::read(&mut &until, &mut [0]); // until the parent lets go
        for number in 1..=count {
            println!("{}: {greeting} {number}", current().name());
        }
    })?;
    println!("{} lives: {}, status {:?}", child.name(), child.is_alive()?, child.status()?);
    for active in active_children() {
        println!("{} is active, its number is its own: {}", active.name(), active == child);
    }
    drop(release);
    let status = child.join(None)?;
    println!("{} lives: {}, {status}", child.name(), child.is_alive()?);
    Ok(())
}
