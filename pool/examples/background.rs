//! Tasks that run in the background, three at a time, while main goes on; their values are asked
//! for when the pool is over.
//!
//! ```sh
//! cargo run -p purlin-pool --example background
//! ```

use purlin_pool::{AsyncResult, Error, Pool};

fn main() -> Result<(), Error> {
    let pool = Pool::fork(3)?;
    let greet = |name: &str| pool.apply_async(answer, name.to_owned());
    let results: Vec<AsyncResult<String>> =
        ["Ada", "Bo", "Cy", "Di"].into_iter().map(greet).collect::<Result<_, _>>()?;
    println!("main goes on");
    println!("a join too early: {}", pool.join(None).unwrap_err());
    pool.close()?;
    println!("one more task: {}", pool.apply_async(answer, "Ed".to_owned()).unwrap_err());
    pool.join(None)?;
    for result in results {
        println!("main gets {}", result.get(None)?);
    }
    println!("all is done");
    Ok(())
}

fn answer(name: String) -> String {
    println!("begins {name}");
    println!("ends {name}");
    format!("an answer to {name}")
}
