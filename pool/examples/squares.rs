//! The same function on many numbers: as a map, whose list is in order; by results one by one; by
//! iterators, in order and as it comes.
//!
//! ```sh
//! cargo run -p purlin-pool --example squares
//! ```

use purlin_pool::{AsyncResult, Error, Pool};

fn main() -> Result<(), Error> {
    let pool = Pool::fork(5)?;
    println!("a map: {:?}", pool.map(square, 0..10, None)?);

    let results: Vec<AsyncResult<u64>> =
        (0..10).map(|number| pool.apply_async(square, number)).collect::<Result<_, _>>()?;
    let values: Vec<u64> =
        results.into_iter().map(|result| result.into_value(None)).collect::<Result<_, _>>()?;
    println!("by results: {values:?}");

    let values: Vec<u64> = pool.imap(square, 0..10, 1)?.collect::<Result<_, _>>()?;
    println!("in order: {values:?}");

    let mut values: Vec<u64> = pool.imap_unordered(square, 0..10, 1)?.collect::<Result<_, _>>()?;
    values.sort_unstable();
    println!("as it comes, sorted: {values:?}");
    println!("pairs: {:?}", pool.starmap(|a: u64, b: u64| a * b, [(2, 3), (4, 5)], None)?);
    Ok(())
}

fn square(number: u64) -> u64 {
    number * number
}
