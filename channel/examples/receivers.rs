//! Two processes receive by copies of one end: each message comes whole, to one of them.
//!
//! ```sh
//! cargo run -p purlin-channel --example receivers
//! ```

use purlin_channel::{Error, Pipe};
use purlin_process::{Process, current};

const MESSAGES: u8 = 20;
/// More than a socket takes at once, so that a message is not one write of the kernel's.
const MESSAGE_BYTES: usize = 100 << 10;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (reader, writer) = Pipe::simplex()?;
    let mut receivers = Vec::new();
    for name in ["one", "other"] {
        reader.hand_over()?; // for the next fork, and no other
        receivers.push(Process::fork(name, || receive(&reader))?);
    }
    reader.close();
    (0..MESSAGES).try_for_each(|number| writer.send(&[number; MESSAGE_BYTES], None))?;
    writer.close();
    let ends: Result<Vec<_>, _> = receivers.iter().map(|one| one.join(None)).collect();
    for (receiver, end) in receivers.iter().zip(ends?) {
        println!("{}: {end}", receiver.name());
    }
    Ok(())
}

fn receive(reader: &Pipe) -> Result<(), Error> {
    // Ends when the sender has closed its end.
    loop {
        match reader.recv(None) {
            Ok(message) => {
                let is_whole = message == [message[0]; MESSAGE_BYTES];
                println!("{} gets {}, whole: {is_whole}", current().name(), message[0]);
            }
            Err(Error::EndOfFile) => return Ok(()),
            Err(other) => return Err(other),
        }
    }
}
