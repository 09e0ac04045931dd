//! Plain calls wait for their task, so that one after the other runs, however many workers there
//! are; what a task fails with comes out of its call, and the worker goes on.
//!
//! ```sh
//! cargo run -p purlin-pool --example one_by_one
//! ```

use purlin_pool::{Error, Pool};

fn main() -> Result<(), Error> {
    let pool = Pool::fork(3)?;
    for number in [12, 4, 0, 3] {
        match pool.apply(share, number) {
            Ok(share) => println!("main gets {share}"),
            Err(error) => println!("main is told {}", error.kind()),
        }
    }
    pool.close()?;
    pool.join(None)
}

fn share(heads: u32) -> u32 {
    println!("divides by {heads}");
    12 / heads
}
