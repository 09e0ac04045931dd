//! A pipe one way, and a pipe both ways. Each end is with one process; when that has ended, the
//! other is told.
//!
//! ```sh
//! cargo run -p purlin-channel --example pipe
//! ```

use purlin_channel::{Error, Pipe};
use purlin_process::Process;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    one_way()?;
    both_ways()
}

fn one_way() -> Result<(), Box<dyn std::error::Error>> {
    let (reader, writer) = Pipe::simplex()?;
    println!("to send by the first end: {}", reader.send(b"", None).unwrap_err());
    println!("to receive by the second: {}", writer.recv(None).unwrap_err());
    writer.hand_over()?;
    let sender = Process::fork("sender", move || -> Result<(), Error> {
        for number in 0..5 {
            println!("sends {number}");
            writer.send(&[number], None)?;
        }
        Ok(())
    })?;
    // This process's copy of the end went with the closure.
    reader.hand_over()?;
    let receiver = Process::fork("receiver", move || receive(&reader))?;
    sender.join(None)?;
    receiver.join(None)?;
    Ok(())
}

fn receive(reader: &Pipe) -> Result<(), Error> {
    // Ends when the sender has.
    loop {
        match reader.recv(None) {
            Ok(number) => println!("receives {}", number[0]),
            Err(Error::EndOfFile) => break,
            Err(other) => return Err(other),
        }
    }
    println!("receives no more");
    Ok(())
}

fn both_ways() -> Result<(), Box<dyn std::error::Error>> {
    let (ours, theirs) = Pipe::duplex()?;
    theirs.hand_over()?;
    let squarer = Process::fork("squarer", move || square(&theirs))?;
    for number in 2..5 {
        ours.send(&[number], None)?;
        println!("{number} squared is {}", ours.recv(None)?[0]);
    }
    ours.close();
    println!("the squarer: {}", squarer.join(None)?);
    Ok(())
}

fn square(theirs: &Pipe) -> Result<(), Error> {
    // Ends when the other end is closed.
    loop {
        match theirs.recv(None) {
            Ok(number) => theirs.send(&[number[0] * number[0]], None)?,
            Err(Error::EndOfFile) => return Ok(()),
            Err(other) => return Err(other),
        }
    }
}
