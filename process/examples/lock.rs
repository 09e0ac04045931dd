//! A lock between threads, and between processes: whoever has it is alone with the account, and
//! with the file.
//!
//! ```sh
//! cargo run -p purlin-process --example lock
//! ```

use std::error::Error;
use std::fs::{File, read_to_string, remove_file};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use purlin_process::Process;
use purlin_process::thread::Thread;
use purlin_sync::{CheckedLock, Lock};

fn main() -> Result<(), Box<dyn Error>> {
    println!("the account has {}", account()?);
    let path = std::env::temp_dir().join(format!("purlin-example-lock-{}", std::process::id()));
    let written = file(&path);
    let _ = remove_file(&path); // also when something went wrong
    print!("{}", written?);
    Ok(())
}

/// Two threads put in and take out, in two steps each; with a lock nothing gets lost.
fn account() -> Result<i64, Box<dyn Error>> {
    let lock = CheckedLock::new()?; // held by a thread; a Lock is held by a process
    let balance = Arc::new(AtomicI64::new(0));
    let threads: Vec<Thread> = [5, 8]
        .map(|amount| {
            let (lock, balance) = (lock.clone(), Arc::clone(&balance));
            Thread::start("", move || {
                for change in [amount, -amount].repeat(10_000) {
                    let _held = lock.acquire(None)?.sound()?;
                    // Relaxed: the lock orders. A step for itself, to be interfered with.
                    let before = balance.load(Relaxed);
                    balance.store(before + change, Relaxed);
                }
                Ok::<(), purlin_sync::Error>(())
            })
        })
        .into_iter()
        .collect::<Result<_, _>>()?;
    for thread in threads {
        thread.join(None)?;
    }
    Ok(balance.load(Relaxed)) // Relaxed: the joins order
}

/// Two processes write nine lines each to one file; with a lock, nine in a row.
fn file(path: &Path) -> Result<String, Box<dyn Error>> {
    let lock = Lock::new()?;
    File::create(path)?;
    let scoped = Process::fork("scoped", || -> Result<(), Box<dyn Error>> {
        let _held = lock.acquire(None)?.sound()?; // released where this scope ends, however it does
        write(path, "written in a scope")
    })?;
    let by_hand = Process::fork("by hand", || -> Result<(), Box<dyn Error>> {
        lock.acquire(None)?.keep();
        let written = write(path, "written by hand");
        lock.release()?; // also when the writing failed
        written
    })?;
    for child in [scoped, by_hand] {
        println!("{}: {}", child.name(), child.join(None)?);
    }
    Ok(read_to_string(path)?)
}

fn write(path: &Path, line: &str) -> Result<(), Box<dyn Error>> {
    let mut file = File::options().append(true).open(path)?;
    for _ in 0..9 {
        writeln!(file, "{line}")?;
    }
    Ok(())
}
