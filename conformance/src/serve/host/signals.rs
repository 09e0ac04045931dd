//! What this process does with signals.

use std::fs;

use serde_json::Value;

use super::streams::log_file;
use super::{Arguments, Done, Object, number, refused};
use crate::sys::signal;

/// None when the operation is none of these.
pub(super) fn call(op: &str, args: &Arguments) -> Option<Done> {
    Some(match op {
        "ignore" => set(args, signal::ignore),
        "reset" => set(args, signal::reset),
        "block" => set(args, signal::block),
        "ignores" => is_in("SigIgn:", args),
        "handles" => is_in("SigCgt:", args),
        "blocks" => is_in("SigBlk:", args),
        _ => return None,
    })
}

fn set(args: &Arguments, set: fn(libc::c_int) -> std::io::Result<()>) -> Done {
    set(number(args, "signal")?).map_err(refused)?;
    Ok(Value::Null)
}

/// A handler that ends the process at once, with the status `code`; before, it writes to the log.
pub(super) fn exit_on(args: &Arguments, log: Option<&dyn Object>) -> Done {
    let file = log.map(|log| log_file(log)?.try_clone_to_owned().map_err(refused)).transpose()?;
    signal::exit_on(number(args, "signal")?, number::<u8>(args, "code")?, file).map_err(refused)?;
    Ok(Value::Null)
}

/// Whether the set in this line of the calling thread's status holds the signal.
fn is_in(line: &str, args: &Arguments) -> Done {
    let signal: u32 = number(args, "signal")?;
    let status = fs::read_to_string("/proc/thread-self/status").map_err(refused)?;
    let set = status.lines().find_map(|found| found.strip_prefix(line));
    let set = set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or(0);
    let has =
        |signal: u32| signal.checked_sub(1).is_some_and(|place| set >> place.min(63) & 1 == 1);
    Ok(has(signal).into())
}
