//! An event lets all go who wait for it, threads and processes alike; who waits with a deadline is
//! told whether it came.
//!
//! ```sh
//! cargo run -p purlin-process --example event
//! ```

use std::error::Error;
use std::time::Duration;

use purlin_process::Process;
use purlin_process::thread::{self, Thread};
use purlin_sync::{Event, Semaphore};

fn main() -> Result<(), Box<dyn Error>> {
    // Children first, while this process has one thread.
    processes()?;
    threads()
}

fn processes() -> Result<(), Box<dyn Error>> {
    let event = Event::new()?;
    let patient = Process::fork("patient", || -> Result<(), purlin_sync::Error> {
        println!("patient waits");
        println!("patient: it is {}", word(event.wait(None)?));
        Ok(())
    })?;
    let impatient = Process::fork("impatient", || -> Result<(), purlin_sync::Error> {
        println!("impatient waits");
        println!("impatient: it is {}", word(event.wait(Duration::from_millis(50))?));
        Ok(())
    })?;
    impatient.join(None)?;
    println!("main sets it");
    event.set();
    patient.join(None)?;
    Ok(())
}

fn threads() -> Result<(), Box<dyn Error>> {
    let (event, ready) = (Event::new()?, Semaphore::new(0)?);
    let threads: Vec<Thread> = (0..3)
        .map(|_| {
            let (event, ready) = (event.clone(), ready.clone());
            Thread::start("", move || -> Result<(), purlin_sync::Error> {
                let own = thread::current().name();
                println!("{own} is ready");
                ready.release()?;
                println!("{own}: it is {}", word(event.wait(None)?));
                Ok(())
            })
        })
        .collect::<Result<_, _>>()?;
    for _ in &threads {
        ready.acquire(None)?.keep(); // one has said that it is ready
    }
    println!("main sets it");
    event.set();
    for thread in threads {
        thread.join(None)?;
    }
    Ok(())
}

fn word(is_set: bool) -> &'static str {
    if is_set { "set" } else { "not set" }
}
