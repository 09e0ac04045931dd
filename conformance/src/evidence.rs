//! Does a thread wait? What the kernel says about it.
//!
//! `/proc/PID/task/TID/stat` tells whether it sleeps, `syscall` in which system call and with which
//! arguments, so whether that call ends by itself, and `status` how often the thread has given up
//! the processor, so whether it has run at all between two looks.

use std::fs;

use crate::sys::calls::ends_by_itself;
use crate::sys::group::group_of;

/// What one look at a thread shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// It sleeps in a system call.
    Asleep(Sleep),
    /// It was stopped by a signal, and sleeps until another one continues it.
    Stopped {
        /// How often it has given up the processor so far.
        switches: u64,
    },
    /// It runs, wants to run, or is in the hands of the disk.
    Awake,
    /// There is no such thread, or it has ended.
    Gone,
    /// The kernel cannot tell: no `/proc`, or no right to look.
    Unknown,
}

/// How a thread sleeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sleep {
    /// It will wake by itself, sooner or later, or may do so.
    pub(crate) has_limit: bool,
    /// How often it has given up the processor so far.
    pub(crate) switches: u64,
}

/// Looks at one thread of one process.
pub(crate) fn look(pid: i32, tid: i32) -> Look {
    let folder = format!("/proc/{pid}/task/{tid}");
    let Ok(stat) = fs::read_to_string(format!("{folder}/stat")) else {
        return if can_tell() { Look::Gone } else { Look::Unknown };
    };
    match state(&stat) {
        Some('S') => asleep(&folder),
        Some('T') => switches(&folder).map_or(Look::Awake, |switches| Look::Stopped { switches }),
        Some('Z' | 'X') => Look::Gone,
        Some(_) => Look::Awake,
        None => Look::Unknown,
    }
}

/// The threads of a process, or none when it has ended or cannot be seen.
pub(crate) fn threads(pid: i32) -> Vec<i32> {
    numbers_in(&format!("/proc/{pid}/task"))
}

/// The processor time that a thread has used, if the kernel counts it.
pub(crate) fn ran_nanos(pid: i32, tid: i32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{tid}/schedstat")).ok()?;
    text.split_whitespace().next()?.parse().ok()
}

/// The processor time that a process has used, the threads that have ended included; as far as
/// the kernel counts it.
pub(crate) fn process_ran_nanos(pid: i32) -> u64 {
    let exact: u64 = threads(pid).into_iter().filter_map(|tid| ran_nanos(pid, tid)).sum();
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let coarse = ticks(&stat).unwrap_or(0).saturating_mul(NANOS_PER_TICK);
    exact.max(coarse)
}

/// The name of a process's program, for people.
pub(crate) fn name(pid: i32) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    name.trim_end().to_owned()
}

/// Whether a process has ended, be it collected or not.
pub(crate) fn has_ended(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.map_or(can_tell(), |stat| {
        // The first thread may end alone; then the others are still there.
        matches!(state(&stat), Some('Z' | 'X')) && threads(pid).len() <= 1
    })
}

/// The processes of a group, those that have ended and were not collected among them.
pub(crate) fn process_group(id: i32) -> Vec<i32> {
    let mut found = numbers_in("/proc");
    // Its file would say the same, at a hundred times the price.
    found.retain(|pid| group_of(*pid).is_ok_and(|group| group == id));
    found
}

/// The children of a process, those that have ended and were not collected among them.
pub(crate) fn children(parent: i32) -> Vec<i32> {
    children_among(parent, numbers_in("/proc"))
}

fn children_among(parent: i32, mut found: Vec<i32>) -> Vec<i32> {
    found.retain(|pid| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        parent_of(&stat) == Some(parent)
    });
    found
}

/// The same of those whose numbers are higher than another's; far cheaper when few are.
pub(crate) fn children_above(parent: i32, number: i32) -> Vec<i32> {
    children_among(parent, numbers_in("/proc").into_iter().filter(|pid| *pid > number).collect())
}

/// Whether `/proc` is there at all.
pub(crate) fn can_tell() -> bool {
    fs::metadata("/proc/self/stat").is_ok()
}

/// `/proc` counts processor time in hundredths of a second, whatever the kernel's own tick is.
const NANOS_PER_TICK: u64 = 10_000_000;

/// Words 14 and 15: time in the program and in the kernel.
fn ticks(stat: &str) -> Option<u64> {
    let mut words = after_name(stat)?.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    user.checked_add(system)
}

/// Behind the name: the state, and then the parent.
fn parent_of(stat: &str) -> Option<i32> {
    after_name(stat)?.split_whitespace().nth(1)?.parse().ok()
}

/// The entries of a folder that are numbers, in order.
fn numbers_in(folder: &str) -> Vec<i32> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let names = entries.flatten().map(|entry| entry.file_name());
    let mut numbers: Vec<i32> = names.filter_map(|name| name.to_str()?.parse().ok()).collect();
    numbers.sort_unstable();
    numbers
}

fn asleep(folder: &str) -> Look {
    let Some(switches) = switches(folder) else { return Look::Awake };
    match fs::read_to_string(format!("{folder}/syscall")) {
        Ok(text) => match Call::read(&text) {
            Some(call) => {
                let has_limit = ends_by_itself(call.number, &call.arguments);
                Look::Asleep(Sleep { has_limit, switches })
            }
            // It has begun to run since its state was read.
            None => Look::Awake,
        },
        // A kernel without this file, or no right to read it: the state alone has to do, and says
        // nothing about a limit.
        Err(_) => Look::Asleep(Sleep { has_limit: true, switches }),
    }
}

/// The system call in which a thread sleeps.
#[derive(Debug, PartialEq, Eq)]
struct Call {
    number: i64,
    arguments: [u64; 6],
}

impl Call {
    /// Reads `number 0xargument…`; other forms ("running", "-1 …") are no call.
    fn read(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let number = words.next()?.parse().ok().filter(|number| *number >= 0)?;
        let mut arguments = [0; 6];
        for argument in &mut arguments {
            let word = words.next()?.strip_prefix("0x")?;
            *argument = u64::from_str_radix(word, 16).ok()?;
        }
        Some(Self { number, arguments })
    }
}

/// The state's letter; the name before it is in brackets and may contain anything.
fn state(stat: &str) -> Option<char> {
    after_name(stat)?.trim_start().chars().next()
}

fn after_name(stat: &str) -> Option<&str> {
    stat.rfind(')').map(|end| &stat[end + 1..])
}

fn switches(folder: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("{folder}/status")).ok()?;
    let counts = text.lines().filter_map(|line| {
        let (name, count) = line.split_once(':')?;
        let is_count = name.ends_with("voluntary_ctxt_switches");
        is_count.then(|| count.trim().parse::<u64>().ok())?
    });
    Some(counts.sum())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;

    /// After so long the test gives up; nothing is measured by it.
    const LIMIT: Duration = Duration::from_secs(120);

    #[test]
    fn a_name_with_brackets_does_not_hide_the_state() {
        assert_eq!(state("12 (a) R (b) S 1 12 12 0"), Some('S'));
        assert_eq!(state("rubbish"), None);
        assert_eq!(parent_of("12 (a) R (b) S 1 7 12 0"), Some(1));
    }

    #[test]
    fn processor_time_is_read_behind_the_name() {
        assert_eq!(ticks("12 (a) R (b) S 1 7 7 0 -1 4 5 6 7 8 30 12 0 0 20"), Some(42));
        assert_eq!(ticks("12 (a) S 1"), None);
        let pid = i32::try_from(std::process::id()).unwrap();
        let (before, deadline) = (process_ran_nanos(pid), Instant::now() + LIMIT);
        while process_ran_nanos(pid) < before + 1_000_000 {
            assert!(Instant::now() < deadline, "the processor time is not counted");
        }
    }

    #[test]
    fn only_a_number_with_six_arguments_is_a_call() {
        let call = Call::read("202 0x7f00 0x189 0x1 0x0 0x0 0xffffffff 0x7ffc 0x7f01").unwrap();
        assert_eq!((call.number, call.arguments[1], call.arguments[3]), (202, 0x189, 0));
        assert_eq!(Call::read("running\n"), None);
        assert_eq!(Call::read("-1 0x7ffc 0x7f01\n"), None);
    }

    #[test]
    fn this_thread_is_awake_and_a_sleeping_one_has_no_limit() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let own = rustix::thread::gettid().as_raw_nonzero().get();
        assert_eq!(look(pid, own), Look::Awake);
        let (wake, woken) = mpsc::channel::<()>();
        let (say, said) = mpsc::channel();
        let sleeper = thread::spawn(move || {
            say.send(rustix::thread::gettid().as_raw_nonzero().get()).unwrap();
            let _ = woken.recv();
            say.send(0).unwrap();
        });
        let tid = said.recv_timeout(LIMIT).expect("the sleeper never started");
        let deadline = Instant::now() + LIMIT;
        let asleep = loop {
            if let Look::Asleep(sleep) = look(pid, tid) {
                break sleep;
            }
            assert!(Instant::now() < deadline, "the sleeper never slept");
            thread::yield_now();
        };
        assert!(!asleep.has_limit);
        drop(wake);
        said.recv_timeout(LIMIT).expect("the sleeper never woke");
        sleeper.join().unwrap();
    }
}
