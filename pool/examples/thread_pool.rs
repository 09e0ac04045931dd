//! Threads as workers: the same calls, and the tasks see what is here.
//!
//! ```sh
//! cargo run -p purlin-pool --example thread_pool
//! ```

use std::sync::Arc;
use std::sync::Mutex;

use purlin_pool::{Error, ThreadPool};

fn main() -> Result<(), Error> {
    let pool = ThreadPool::new(4)?;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let own = std::process::id();
    let here = pool.map(
        move |number: u32| {
            noted.lock().expect("nobody panics").push(number);
            std::process::id() == own
        },
        [1, 2, 3, 4],
        None,
    )?;
    println!("in this process: {here:?}");
    let mut seen = seen.lock().expect("nobody panics").clone();
    seen.sort_unstable();
    println!("seen, sorted: {seen:?}");
    pool.close()?;
    pool.join(None)?;
    println!("one more: {}", pool.apply(|number: u32| number, 5).unwrap_err());
    Ok(())
}
