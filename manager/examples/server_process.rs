//! A value, an array and a list that live in a server process: a child changes them by what it was
//! given of them, and its parent sees it.
//!
//! ```sh
//! cargo run -p purlin-manager --example server_process
//! ```

use purlin_manager::{Array, Error, List, Manager, Value};
use purlin_process::Process;

fn change(x: &Value<f64>, array: &Array<i32>, list: &List<String>) -> Result<(), Error> {
    #[expect(clippy::approx_constant, reason = "a number of two decimals")]
    x.set(&3.14)?;
    array.set(0, &5)?;
    list.push(&"Hello".to_owned())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Manager::start()?;
    let x = server.value(0.0)?;
    let array = server.array(0..10)?;
    let list = server.list([])?;

    let child = Process::fork("child", || change(&x, &array, &list))?;
    child.join(None)?;

    println!("{}", x.get()?);
    println!("{:?}", array.to_vec()?);
    println!("{:?}", list.to_vec()?);
    Ok(())
}
