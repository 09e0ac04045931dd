//! A number and a row of numbers that a child changes: its parent sees it, for there is one of
//! each. A plain variable is the child's own copy.
//!
//! ```sh
//! cargo run -p purlin-channel --example shared
//! ```

use purlin_channel::{Array, Error, Value};
use purlin_process::Process;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let value = Value::new(0.0)?;
    let array = Array::new(&(0..10).collect::<Vec<i32>>())?;
    let mut plain = 0;
    println!("before: {}, {:?}, {plain}", value.get(None)?, array.read(.., None)?);
    let child = Process::fork("child", || -> Result<(), Error> {
        plain += 1;
        value.set(2.75, None)?;
        array.set(0, 50, None)?;
        array.write(7..9, &[-7, -8], None)
    })?;
    child.join(None)?;
    println!("after: {}, {:?}, {plain}", value.get(None)?, array.read(.., None)?);
    Ok(())
}
