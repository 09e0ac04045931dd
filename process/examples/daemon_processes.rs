//! Three daemons: one is cut short by the end of its parent, one is joined and so comes to its own
//! end, and one may not start a child.
//!
//! ```sh
//! cargo run -p purlin-process --example daemon_processes
//! ```

use purlin_process::{AtEnd, Builder, Error, Process};

fn main() -> Result<(), Error> {
    let _at_end = AtEnd::new();
    let daemon = |name: &str| Builder::new().name(name).daemon(true);
    let whole = daemon("whole").fork(|| {
        println!("whole begins");
        println!("whole ends");
    })?;
    whole.join(None)?;
    let strict = daemon("strict").fork(|| match Process::fork("child", || ()) {
        Err(error) => println!("strict: {error}"),
        Ok(_) => println!("strict has a child"),
    })?;
    strict.join(None)?;
    let (begun, begins) = std::io::pipe().expect("two descriptors");
    let (never, _kept) = std::io::pipe().expect("two descriptors");
    daemon("cut short").fork(|| {
        println!("cut short begins");
        let _ = std::io::Write::write_all(&mut &begins, b"b");
        let _ = std::io::Read::read(&mut &never, &mut [0]); // nobody writes there
        println!("cut short ends");
    })?;
    let _ = std::io::Read::read(&mut &begun, &mut [0]); // until it has begun
    println!("the program ends");
    Ok(())
}
