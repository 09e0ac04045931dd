//! A server that forks a child for each request: the parent only accepts, and each child answers
//! the one that it was made for.
//!
//! ```sh
//! cargo run -p purlin-process --example server
//! ```

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};

use purlin_process::{Process, current};

const REQUESTS: [&str; 3] = ["bread", "salt", "wine"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let client = Process::fork("client", || -> io::Result<()> {
        for request in REQUESTS {
            let mut server = TcpStream::connect(address)?;
            writeln!(server, "{request}")?;
            server.shutdown(Shutdown::Write)?;
            let mut answer = String::new();
            server.read_to_string(&mut answer)?;
            print!("{answer}");
        }
        Ok(())
    })?;
    for _ in REQUESTS {
        let (stream, _) = listener.accept()?;
        Process::fork("", move || answer(&stream))?;
        // The parent's copy of the stream went with the closure; the child is collected by the
        // next start, or by the end.
    }
    println!("the client has ended with {}", client.join(None)?);
    purlin_process::shutdown();
    Ok(())
}

fn answer(mut stream: &TcpStream) -> io::Result<()> {
    let mut request = String::new();
    BufReader::new(stream).read_line(&mut request)?;
    writeln!(stream, "{} serves {}", current().name(), request.trim_end())
}
