//! Two units for five processes: whoever has taken one works beside one other at most, and gives
//! it back. Nobody owns a unit; where it should come back from one that is killed, see the example
//! `semaphore`.
//!
//! ```sh
//! cargo run -p purlin-process --example units
//! ```

use std::error::Error;

use purlin_process::{Process, current};
use purlin_sync::Semaphore;

fn main() -> Result<(), Box<dyn Error>> {
    let units = Semaphore::new(2)?;
    let work = || -> Result<(), purlin_sync::Error> {
        let unit = units.acquire(None)?;
        println!("{} takes a unit", current().name());
        println!("{} gives it back", current().name());
        drop(unit);
        Ok(())
    };
    let children = (0..5).map(|_| Process::fork("", work)).collect::<Result<Vec<Process>, _>>()?;
    for child in &children {
        child.join(None)?;
    }
    println!("{} units", units.value());
    Ok(())
}
