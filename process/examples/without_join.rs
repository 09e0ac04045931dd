//! A parent that does not join: it comes to its own last line at once, and the program ends when
//! its children have.
//!
//! ```sh
//! cargo run -p purlin-process --example without_join
//! ```

use purlin_process::{AtEnd, Error, Process};

fn main() -> Result<(), Error> {
    let _at_end = AtEnd::new();
    let (until, release) = std::io::pipe().expect("two descriptors");
    let mut release = Some(release);
    Process::fork("worker", || {
        release.take(); // the copy of the parent's end
        let _ = std::io::Read::read(&mut &until, &mut [0]); // until the parent has spoken
        println!("the work begins");
        println!("the work ends");
    })?;
    println!("the program has nothing more to do");
    drop(release);
    Ok(())
}
