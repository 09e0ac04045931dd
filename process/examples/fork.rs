//! One call, two returns: the parent goes on with a number for its child, the child knows who its
//! parent is.
//!
//! ```sh
//! cargo run -p purlin-process --example fork
//! ```

use purlin_process::{Error, Fork, current, exit, fork};

fn main() -> Result<(), Error> {
    println!("process {} is about to fork", current().pid());
    // SAFETY: the program has one thread, and the child ends here.
    #[expect(unsafe_code, reason = "the raw fork is an unsafe function")]
    let forked = unsafe { fork() }?;
    match forked {
        Fork::Child => {
            let parent = current().parent().map(|parent| parent.pid());
            println!("child {} of {}", current().pid(), parent.unwrap_or(0));
            exit(0)
        }
        Fork::Parent(child) => {
            println!("parent {} of {}", current().pid(), child.pid());
            println!("the child has ended: {}", child.join(None)?);
            Ok(())
        }
    }
}
