//! A service with a place that clients visit: who answers tells them its own number.

use std::io::{BufRead, BufReader, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::getpid;
use serde_json::Value;

use super::{Arguments, Done, Refusal, refused, text};

/// What this process listens on, and the client that it took last.
static LISTENER: Mutex<Option<UnixListener>> = Mutex::new(None);
static CLIENT: Mutex<Option<UnixStream>> = Mutex::new(None);

/// None when the operation is none of these.
pub(super) fn call(op: &str, args: &Arguments) -> Option<Done> {
    Some(match op {
        "listen" => listen(),
        "visit" => text(args, "place").and_then(|place| visit(&place)),
        "accept" => accept(),
        "answer" => answer(),
        _ => return None,
    })
}

/// Listens at a place of this process's, and gives its name.
fn listen() -> Done {
    let place = format!("purlin-host-{}", getpid().as_raw_pid());
    let listener =
        address(&place).and_then(|address| UnixListener::bind_addr(&address).map_err(refused))?;
    *locked(&LISTENER) = Some(listener);
    Ok(place.into())
}

/// Comes to the place, and waits for the number of whoever answers.
fn visit(place: &str) -> Done {
    let stream = UnixStream::connect_addr(&address(place)?).map_err(refused)?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).map_err(refused)?;
    line.trim_end().parse::<i32>().map(Value::from).map_err(|_| unfit("nobody answered"))
}

/// Takes the next client, instead of the one before.
fn accept() -> Done {
    let listener = locked(&LISTENER).as_ref().map(UnixListener::try_clone);
    let listener = listener.ok_or_else(|| unfit("nobody listens"))?.map_err(refused)?;
    let (client, _) = listener.accept().map_err(refused)?;
    *locked(&CLIENT) = Some(client);
    Ok(Value::Null)
}

fn answer() -> Done {
    let mut client = locked(&CLIENT).take().ok_or_else(|| unfit("there is no client"))?;
    writeln!(client, "{}", getpid().as_raw_pid()).map_err(refused)?;
    Ok(Value::Null)
}

/// In the abstract names, which go with whoever listens.
fn address(place: &str) -> Result<SocketAddr, Refusal> {
    SocketAddr::from_abstract_name(place).map_err(refused)
}

fn unfit(why: &str) -> Refusal {
    Refusal::new("invalid-argument", why)
}

fn locked<T>(what: &Mutex<Option<T>>) -> MutexGuard<'_, Option<T>> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}
