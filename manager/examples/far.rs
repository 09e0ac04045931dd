//! Workers that know an address and a key, and nothing else: over TCP they find two queues, take
//! numbers from one and put their squares into the other. Here they are on the same machine, and
//! could be on any.
//!
//! ```sh
//! cargo run -p purlin-manager --example far
//! ```

use purlin_manager::{Address, Builder, Client, Error, Key, Queue};
use purlin_process::Process;

type Work = Queue<Option<u64>>;
type Done = Queue<(u64, u64)>;

/// What a worker does, wherever it runs: until there is no more work.
fn work((address, key): (String, Vec<u8>), (): ()) -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::connect(&address.parse()?, Key::new(key)?)?;
    let (work, done): (Work, Done) = (client.find("work")?, client.find("done")?);
    while let Some(number) = work.get(None)? {
        done.put(&(number, number * number), None)?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    purlin_process::init();
    let key = Key::random();
    let address: Address = "tcp:127.0.0.1:0".parse()?;
    let server = Builder::new().address(address).key(key.clone()).spawn()?;
    let (work_queue, done): (Work, Done) = (server.queue()?, server.queue()?);
    server.publish("work", &work_queue)?;
    server.publish("done", &done)?;

    let given = || (server.address().to_string(), key.as_bytes().to_vec());
    let workers = [
        Process::spawn("worker 1", work, given(), ())?,
        Process::spawn("worker 2", work, given(), ())?,
    ];
    for number in 1..=4 {
        work_queue.put(&Some(number), None)?;
    }
    for _ in 1..=4 {
        let (number, square) = done.get(None)?;
        println!("{number} squared is {square}");
    }
    for _ in &workers {
        work_queue.put(&None, None)?;
    }
    let refused = Client::connect(server.address(), Key::new("a guess")?).err();
    println!("with another key: {}", refused.as_ref().map_or("accepted", Error::kind));
    let [one, other] = workers;
    println!("the workers: {} and {}", one.join(None)?, other.join(None)?);
    Ok(())
}
