//! A lock that programs share by its name. Each line on standard input is a call, each line on
//! standard output its answer; run it twice, kill one, and see what the other is told.
//!
//! ```sh
//! cargo run -p purlin-sync --example named_lock -- jobs
//! ```

use std::io::{BufRead, Write, stdin, stdout};
use std::process::ExitCode;
use std::time::Duration;

use purlin_sync::{Acquired, Error, Lock, Name, Told};

fn main() -> ExitCode {
    let Some(name) = std::env::args().nth(1) else {
        eprintln!("named_lock NAME, then lines: acquire, try, release, recover, unlink");
        return ExitCode::from(2);
    };
    match serve(&name) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("named_lock: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(name: &str) -> Result<(), Box<dyn std::error::Error>> {
    let name = Name::new(name).map_err(Error::from)?;
    let lock = open_or_create(&name)?;
    for line in stdin().lock().lines() {
        let answer = match line?.trim() {
            "acquire" => told(lock.acquire(Duration::from_secs(60))),
            "try" => told(lock.try_acquire()),
            "release" => done(lock.release()),
            "recover" => done(lock.recover()),
            "unlink" => done(name.unlink().map_err(Error::from)),
            other => format!("no such call: {other}"),
        };
        println!("{answer}");
        stdout().flush()?;
    }
    Ok(())
}

/// Whoever comes first makes it; the name may also go between the two calls.
fn open_or_create(name: &Name) -> Result<Lock, Error> {
    loop {
        match Lock::create(name) {
            Err(Error::AlreadyExists) => {}
            answer => return answer,
        }
        match Lock::open_named(name) {
            Err(Error::NoSuchName) => {}
            answer => return answer,
        }
    }
}

fn told(acquired: Result<Acquired<'_>, Error>) -> String {
    match acquired.map(Acquired::keep) {
        Ok(Told::Held) => "ok".to_owned(),
        Ok(Told::OwnerDied) => "owner-died".to_owned(),
        Err(error) => error.kind().to_owned(),
    }
}

fn done(answer: Result<(), Error>) -> String {
    answer.map_or_else(|error| error.kind().to_owned(), |()| "ok".to_owned())
}
