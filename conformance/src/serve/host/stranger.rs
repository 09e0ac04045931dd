//! Somebody whom a server does not know: connects, says what is no request, and goes or stays; and
//! what the server's process has meanwhile.

use std::io::Write;
use std::net::TcpStream;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use std::{fs, io, thread};

use serde_json::Value;

use super::{Arguments, Done, Refusal, number, refused, text};
use crate::limits::patience;

/// The connections that this process holds.
static HELD: Mutex<Vec<Box<dyn Stream>>> = Mutex::new(Vec::new());

trait Stream: Write + Send {}

impl<S: Write + Send> Stream for S {}

/// None when the operation is none of these.
pub(super) fn call(op: &str, args: &Arguments) -> Option<Done> {
    Some(match op {
        "knock" => knock(args),
        "hang_up" => {
            HELD.lock().unwrap_or_else(PoisonError::into_inner).clear();
            Ok(Value::Null)
        }
        "resident" => number(args, "pid").and_then(resident).map(Value::from),
        "resident_grew" => resident_grew(args),
        "descriptors_of" => number(args, "pid").and_then(descriptors_of).map(Value::from),
        "descriptors_come_to" => descriptors_come_to(args),
        _ => return None,
    })
}

/// Connects to an address, and says what is no request.
fn knock(args: &Arguments) -> Done {
    let mut stream = connected(&text(args, "address")?).map_err(refused)?;
    let said: &[u8] = match text(args, "says")?.as_str() {
        "nothing" => &[],
        "ones" => &[255; 100],
        "length" => &[0, 0, 0, 100],
        "greatest-length" => &[127, 255, 255, 255],
        _ => return Err(Refusal::new("invalid-argument", "nobody says that")),
    };
    // One that has been dropped meanwhile has heard enough.
    let _ = stream.write_all(said);
    if args.contains_key("holds") {
        HELD.lock().unwrap_or_else(PoisonError::into_inner).push(stream);
    }
    Ok(Value::Null)
}

/// `tcp:127.0.0.1:7000`, `unix:/run/shop`, `unix:@shop`.
fn connected(address: &str) -> io::Result<Box<dyn Stream>> {
    if let Some(address) = address.strip_prefix("tcp:") {
        return Ok(Box::new(TcpStream::connect(address)?));
    }
    match address.strip_prefix("unix:") {
        Some(name) if name.starts_with('@') => {
            let address = SocketAddr::from_abstract_name(&name[1..])?;
            Ok(Box::new(UnixStream::connect_addr(&address)?))
        }
        Some(path) => Ok(Box::new(UnixStream::connect(path)?)),
        None => Err(io::Error::other("this is no address")),
    }
}

/// How much memory a process has, in kibibytes.
fn resident(pid: i32) -> Result<usize, Refusal> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).map_err(refused)?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kibibytes.ok_or_else(|| Refusal::new("system", "the process has ended"))
}

/// Whether it is more than `before` and `by` so many kibibytes.
fn resident_grew(args: &Arguments) -> Done {
    let most = number::<usize>(args, "before")?.saturating_add(number(args, "by")?);
    Ok((resident(number(args, "pid")?)? > most).into())
}

fn descriptors_of(pid: i32) -> Result<usize, Refusal> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd")).map_err(refused)?.count())
}

/// Waits until a process has so many descriptors, or less; false when the suite's patience is over.
fn descriptors_come_to(args: &Arguments) -> Done {
    let (pid, most, begun) = (number(args, "pid")?, number(args, "most")?, Instant::now());
    while descriptors_of(pid)? > most {
        if begun.elapsed() > patience() {
            return Ok(false.into());
        }
        thread::yield_now();
    }
    Ok(true.into())
}
