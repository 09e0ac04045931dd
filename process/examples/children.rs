//! Many children of one parent: each has what it was given, and a copy of all else. What a child
//! adds to a list is in its own copy, and the parent's stays as it was.
//!
//! ```sh
//! cargo run -p purlin-process --example children
//! ```

use purlin_process::{Error, Process, active_children, cpu_count, current};

fn main() -> Result<(), Error> {
    let mut numbers = Vec::new();
    println!("{} has at least one processor: {}", current().name(), cpu_count()? >= 1);
    let children = (0..10)
        .map(|number| {
            Process::fork("", || {
                numbers.push(number);
                println!("{} has {numbers:?}", current().name());
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    for child in &children {
        child.join(None)?;
    }
    println!("{} are active, and {} has {numbers:?}", active_children().len(), current().name());
    Ok(())
}
