//! Processes, what they have, and what they may have.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rustix::process::{
    Pid, PidfdFlags, Resource, Rlimit, Signal, Uid, WaitOptions, geteuid, getpid, getppid,
    pidfd_open, setrlimit, waitpid,
};
use rustix::thread::{CpuSet, gettid, sched_setaffinity, set_thread_res_uid};
use serde_json::Value;

use super::{Arguments, Done, Refusal, number, refused, text};
use crate::evidence;
use crate::sys::{environment, signal};

/// A user who owns nothing.
const NOBODY: u32 = 65534;

/// What a program has in ordinary memory: its own value, until it changes it.
static GLOBAL: AtomicI64 = AtomicI64::new(1);

/// None when the operation is none of these.
pub(super) fn call(op: &str, args: &Arguments) -> Option<Done> {
    Some(match op {
        "pid" => Ok(getpid().as_raw_pid().into()),
        "parent" => Ok(getppid().map_or(0, Pid::as_raw_pid).into()),
        "thread" => Ok(gettid().as_raw_pid().into()),
        "state" => number(args, "pid").map(state),
        "send" => send(args),
        "wait_for_end" => number(args, "pid").and_then(wait_for_end),
        "collect" => number(args, "pid").and_then(collect),
        "threads" => count("/proc/self/task"),
        // The listing has one of its own.
        "descriptors" => {
            count("/proc/self/fd").map(|count| (count.as_u64().unwrap_or(1) - 1).into())
        }
        "children" => Ok(evidence::children(getpid().as_raw_pid()).len().into()),
        "note_children" => {
            *noted() = evidence::children(getpid().as_raw_pid());
            Ok(Value::Null)
        }
        "kill_new_child" => kill_new_child(),
        "mappings" => mappings().map(Value::from),
        "mappings_grew" => mappings_grew(args),
        "shared_memory" => shared_memory().map(Value::from),
        "shared_memory_grew" => shared_memory_grew(args),
        "environment" => text(args, "name").map(|name| std::env::var(name).ok().into()),
        "set_environment" => set_environment(args),
        "directory" => std::env::current_dir().map(path_text).map_err(refused),
        "set_directory" => set_directory(args),
        "global" => Ok(GLOBAL.load(Relaxed).into()), // Relaxed: one number, of one thread at a time
        "set_global" => number(args, "value").map(|value| {
            GLOBAL.store(value, Relaxed); // Relaxed: as above
            Value::Null
        }),
        "limit" => limit(args),
        "give_up_privileges" => give_up_privileges(),
        "use_processors" => number(args, "count").and_then(use_processors),
        _ => return None,
    })
}

/// What the system says of the process of this number; null when there is none.
fn state(pid: i32) -> Value {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return Value::Null };
    let letter = stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
    match letter {
        Some('Z' | 'X') => "ended".into(),
        Some('T' | 't') => "stopped".into(),
        _ => "alive".into(),
    }
}

/// Waits until the process has ended, whoever's child it is; false when the suite's patience is
/// over.
fn wait_for_end(pid: i32) -> Done {
    let Some(Ok(process)) = Pid::from_raw(pid).map(|pid| pidfd_open(pid, PidfdFlags::empty()))
    else {
        return Ok(true.into());
    };
    Ok(crate::subject::is_readable(&process, crate::limits::patience()).into())
}

fn send(args: &Arguments) -> Done {
    let pid = number(args, "pid")?;
    if pid <= 1 {
        return Err(Refusal::new("invalid-argument", "no such process"));
    }
    signal::send(pid, number(args, "signal")?).map_err(refused)?;
    Ok(Value::Null)
}

/// Waits until this process has a child that was not there when they were noted, and kills it at
/// once.
fn kill_new_child() -> Done {
    let limit = Instant::now() + crate::limits::patience();
    let noted = noted().clone();
    loop {
        let children = evidence::children(getpid().as_raw_pid());
        if let Some(child) = children.iter().find(|child| !noted.contains(child)) {
            signal::send(*child, Signal::KILL.as_raw()).map_err(refused)?;
            return Ok(Value::Null);
        }
        if Instant::now() > limit {
            return Err(Refusal::new("timed-out", "no child came"));
        }
        std::thread::yield_now();
    }
}

/// The children that this process had when it was told to note them.
fn noted() -> MutexGuard<'static, Vec<i32>> {
    static NOTED: Mutex<Vec<i32>> = Mutex::new(Vec::new());
    NOTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for a child by the bare call, as code that knows nothing of the subject does, and gives
/// its status, or the negative number of the signal that ended it.
fn collect(pid: i32) -> Done {
    let pid = Pid::from_raw(pid).filter(|pid| pid.as_raw_pid() > 0);
    let pid = pid.ok_or_else(|| Refusal::new("invalid-argument", "no such process"))?;
    loop {
        match waitpid(Some(pid), WaitOptions::empty()) {
            Err(rustix::io::Errno::INTR) => {} // ends: at the child's end
            Err(rustix::io::Errno::CHILD) => {
                return Err(Refusal::new("not-the-parent", "it is no child, or was collected"));
            }
            Err(error) => return Err(refused(error)),
            Ok(None) => return Ok(Value::Null),
            Ok(Some((_, status))) => {
                let signal = status.terminating_signal().map(|signal| -signal);
                return Ok(status.exit_status().or(signal).into());
            }
        }
    }
}

fn count(folder: &str) -> Done {
    Ok(fs::read_dir(folder).map_err(refused)?.count().into())
}

/// How many ranges of memory this process has.
fn mappings() -> Result<usize, Refusal> {
    Ok(fs::read_to_string("/proc/self/maps").map_err(refused)?.lines().count())
}

/// Whether there are more of them than `before` and `by` so many.
fn mappings_grew(args: &Arguments) -> Done {
    let most = number::<usize>(args, "before")?.saturating_add(number(args, "by")?);
    Ok((mappings()? > most).into())
}

/// How much of the memory that this process uses is shared, in kibibytes.
fn shared_memory() -> Result<usize, Refusal> {
    let status = fs::read_to_string("/proc/self/status").map_err(refused)?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssShmem:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kibibytes.ok_or_else(|| Refusal::new("unsupported", "the system does not say"))
}

/// Whether it is more than `before` and `by` so many kibibytes.
fn shared_memory_grew(args: &Arguments) -> Done {
    let most = number::<usize>(args, "before")?.saturating_add(number(args, "by")?);
    Ok((shared_memory()? > most).into())
}

fn set_environment(args: &Arguments) -> Done {
    environment::set(&text(args, "name")?, &text(args, "value")?);
    Ok(Value::Null)
}

fn path_text(path: impl AsRef<Path>) -> Value {
    path.as_ref().to_string_lossy().into()
}

fn set_directory(args: &Arguments) -> Done {
    std::env::set_current_dir(text(args, "path")?).map_err(refused)?;
    Ok(Value::Null)
}

/// Lowers what this process may have of something.
fn limit(args: &Arguments) -> Done {
    let of = match text(args, "of")?.as_str() {
        "processes" => Resource::Nproc,
        "descriptors" => Resource::Nofile,
        "core" => Resource::Core,
        "file-size" => Resource::Fsize,
        _ => return Err(Refusal::new("invalid-argument", "no such limit")),
    };
    let most = Some(number(args, "most")?);
    setrlimit(of, Rlimit { current: most, maximum: most }).map_err(refused)?;
    Ok(Value::Null)
}

/// Makes a thread that may do everything one of nobody's; any other it leaves as it is.
fn give_up_privileges() -> Done {
    if geteuid().is_root() {
        let nobody = Uid::from_raw(NOBODY);
        set_thread_res_uid(nobody, nobody, nobody).map_err(refused)?;
    }
    Ok(Value::Null)
}

/// Keeps this thread to the first so many of the processors that it may use.
fn use_processors(count: usize) -> Done {
    let may = rustix::thread::sched_getaffinity(None).map_err(refused)?;
    let mut only = CpuSet::new();
    (0..CpuSet::MAX_CPU).filter(|cpu| may.is_set(*cpu)).take(count).for_each(|cpu| only.set(cpu));
    sched_setaffinity(None, &only).map_err(refused)?;
    Ok(Value::Null)
}
