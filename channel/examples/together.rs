//! Four processes that count, and move sums between accounts, all at once. What belongs together
//! is one step: an update, or what stands between an acquire of the lock and its release.
//!
//! ```sh
//! cargo run -p purlin-channel --example together
//! ```

use purlin_channel::{Array, Error, Value};
use purlin_process::Process;
use purlin_sync::Event;

const CHILDREN: usize = 4;
const STEPS_EACH: usize = 10_000;
const ACCOUNTS: usize = 3;

struct Books {
    updated: Value<u32>,
    guarded: Value<u32>,
    accounts: Array<i64>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let books = Books {
        updated: Value::new(0)?,
        guarded: Value::new(0)?,
        accounts: Array::new(&[100; ACCOUNTS])?,
    };
    let start = Event::new()?;
    let work = || -> Result<(), Error> {
        start.wait(None)?;
        (0..STEPS_EACH).try_for_each(|step| books.step(step))
    };
    let children: Vec<Process> =
        (0..CHILDREN).map(|_| Process::fork("", work)).collect::<Result<_, _>>()?;
    start.set();
    for child in children {
        println!("{}: {}", child.name(), child.join(None)?);
    }
    println!("{} by updates", books.updated.get(None)?);
    println!("{} by reads and writes under the lock", books.guarded.get(None)?);
    let accounts = books.accounts.read(.., None)?;
    println!("{} in {} accounts", accounts.iter().sum::<i64>(), accounts.len());
    Ok(())
}

impl Books {
    fn step(&self, step: usize) -> Result<(), Error> {
        self.updated.update(None, |count| count + 1)?;
        {
            let _held = self.guarded.lock().acquire(None)?.sound()?;
            self.guarded.set(self.guarded.get(None)? + 1, None)?;
        }
        self.accounts.update_range(.., None, |accounts| {
            accounts[step % ACCOUNTS] -= 1;
            accounts[(step + 1) % ACCOUNTS] += 1;
        })
    }
}
