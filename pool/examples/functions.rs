//! One pool runs different functions at the same time, each in a process of its own.
//!
//! ```sh
//! cargo run -p purlin-pool --example functions
//! ```

use std::sync::OnceLock;

use purlin_pool::{Builder, Error};
use purlin_sync::Barrier;

/// What each worker is given when it begins.
static ALL: OnceLock<Barrier> = OnceLock::new();

fn main() -> Result<(), Error> {
    let all = Barrier::new(4).expect("a barrier of four");
    let keep = |(), barrier: Barrier| drop(ALL.set(barrier));
    let pool = Builder::new().workers(4).initializer(keep, (), all)?.fork()?;
    let results = [
        pool.apply_async(north, ())?,
        pool.apply_async(east, ())?,
        pool.apply_async(south, ())?,
        pool.apply_async(west, ())?,
    ];
    println!("main waits");
    pool.close()?;
    pool.join(None)?;
    let mut pids = vec![std::process::id()];
    for result in &results {
        pids.push(*result.get(None)?);
    }
    pids.sort_unstable();
    pids.dedup();
    println!("{} processes", pids.len());
    Ok(())
}

fn north((): ()) -> u32 {
    meet("north")
}

fn east((): ()) -> u32 {
    meet("east")
}

fn south((): ()) -> u32 {
    meet("south")
}

fn west((): ()) -> u32 {
    meet("west")
}

/// Comes back when all four are there, which they can only be at the same time.
fn meet(whence: &str) -> u32 {
    println!("from the {whence}");
    let met = ALL.get().map(|all| all.wait(None).is_ok());
    println!("the {whence} has met the others: {}", met == Some(true));
    std::process::id()
}
