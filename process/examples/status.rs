//! How children end: by themselves, with a number of theirs, or by a signal.
//!
//! ```sh
//! cargo run -p purlin-process --example status
//! ```

use purlin_process::{Error, ExitCode, Process, exit};

fn main() -> Result<(), Error> {
    let idle = || loop {
        std::thread::park();
    };
    for (name, child) in [
        ("returns", Process::fork("returns", || ())?),
        ("returns 3", Process::fork("returns 3", || ExitCode(3))?),
        ("exits with 4", Process::fork("exits", || exit(4) as ())?),
        ("terminated", Process::fork("terminated", move || idle() as ())?),
        ("killed", Process::fork("killed", move || idle() as ())?),
    ] {
        match name {
            "terminated" => child.terminate()?,
            "killed" => child.kill()?,
            _ => {}
        }
        let status = child.join(None)?;
        println!("{name}: {:?}, {status}", status.code());
    }
    Ok(())
}
