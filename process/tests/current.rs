//! What a process knows of itself and of its parent.

mod bounded;
mod talk;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bounded::{LIMIT, check, in_child};
use purlin_process::{
    Builder, Error, ExitCode, ExitStatus, Key, Process, cpu_count, current, usable_cpu_count,
};
use talk::{idle, is_readable, listen, next, say, talk};

fn text(error: Error) -> String {
    error.to_string()
}

#[test]
fn the_main_process_knows_itself() {
    // shows: process-current-in-main, process-current-main-name, process-parent-none-in-main
    let own = current();
    assert_eq!((own.name(), own.is_daemon()), ("MainProcess", false));
    assert_eq!(own.pid().unsigned_abs(), std::process::id());
    assert!(own.parent().is_none());
    assert!(own.to_string().starts_with("MainProcess (pid "), "{own}");
}

#[test]
fn a_child_is_who_its_parent_says() {
    // shows: process-current-is-itself-in-child, process-current-name-in-child
    // shows: process-parent-seen-from-child
    in_child(|| {
        let (own_name, own_pid) = (current().name(), current().pid());
        let child = Process::fork("child", || -> Result<(), String> {
            let parent = current().parent().ok_or("no parent")?;
            check(current().name() == "child", current().name())?;
            check(current().pid().unsigned_abs() == std::process::id(), "its own number")?;
            check((parent.name(), parent.pid()) == (own_name, own_pid), parent.name())?;
            check(parent.is_alive() == Ok(true), "the parent lives")
        });
        check(child.map_err(text)?.join(LIMIT) == Ok(ExitStatus::Code(0)), "see above")
    });
}

#[test]
fn a_key_is_random_and_handed_down() {
    // shows: process-current-has-key, process-key-can-be-changed-for-child
    let key = current().key();
    assert_eq!((key.as_bytes().len(), &key), (32, &current().key()));
    assert!(key.as_bytes().iter().any(|byte| *byte != 0));
    let other = Key::new("other").unwrap();
    let has = |described: Builder, key: &Key| {
        let is_handed_down = || -> Result<ExitCode, Error> {
            let nested = Process::fork("nested", || ExitCode(i32::from(current().key() != *key)))?;
            let nested = nested.join(LIMIT)?.code().unwrap_or(9);
            Ok(ExitCode(nested + i32::from(current().key() != *key)))
        };
        described.fork(is_handed_down).unwrap().join(LIMIT) == Ok(ExitStatus::Code(0))
    };
    assert!(has(Builder::new(), &key), "its parent's");
    assert!(has(Builder::new().key(other.clone()), &other), "another");
    assert_eq!(current().key(), key, "the parent's own stays");
}

#[test]
fn threads_that_ask_at_once_have_one_key() {
    in_child(|| {
        let keys: Vec<Key> = std::thread::scope(|scope| {
            let asking: Vec<_> = (0..8).map(|_| scope.spawn(|| current().key())).collect();
            asking.into_iter().map(|thread| thread.join().expect("a key")).collect()
        });
        check(keys.iter().all(|key| *key == current().key()), "one key")
    });
}

/// A child that says `l` while its parent lives and then waits for its end: `d` if it saw that.
fn watch(said: &std::io::PipeWriter) {
    let Some(parent) = current().parent() else { return };
    if parent.is_alive() == Ok(true) && !is_ready(&parent) {
        say(said, "l");
    }
    if parent.join(LIMIT) == Ok(()) && parent.is_alive() == Ok(false) && is_ready(&parent) {
        say(said, "d");
    }
}

fn is_ready(parent: &purlin_process::Parent) -> bool {
    let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    let sentinel = parent.sentinel();
    let mut polled = [rustix::event::PollFd::new(&sentinel, rustix::event::PollFlags::IN)];
    rustix::event::poll(&mut polled, Some(&now)) == Ok(1)
}

#[test]
fn a_child_sees_its_parents_end() {
    // shows: process-parent-death-seen-by-child
    in_child(|| {
        let (mut reader, said) = talk()?;
        let parent = Process::fork("parent", || -> Result<(), Error> {
            let _child = Process::fork("child", || watch(&said))?;
            idle();
            Ok(())
        });
        let parent = parent.map_err(text)?;
        drop(said);
        check(next(&mut reader, "the child's word")? == b'l', "it sees its parent alive")?;
        parent.kill().map_err(text)?;
        parent.join(LIMIT).map_err(text)?;
        check(talk::all(&mut reader, "the child")? == "d", "it sees its end")
    });
}

#[test]
fn a_join_of_the_parent_gives_up_at_its_deadline_and_not_before() {
    // shows: process-parent-join-times-out
    let child = Process::fork("child", || -> Result<(), String> {
        let parent = current().parent().ok_or("no parent")?;
        let limit = Duration::from_millis(50);
        let start = Instant::now();
        check(parent.join(limit) == Err(Error::TimedOut), "it gives up")?;
        check(start.elapsed() >= limit, "not before")?;
        check(parent.join(Duration::ZERO) == Err(Error::TimedOut), "at once")?;
        check(parent.is_alive() == Ok(true), "the parent lives")
    });
    assert_eq!(child.unwrap().join(LIMIT), Ok(ExitStatus::Code(0)));
}

#[test]
fn a_child_whose_parent_was_gone_before_it_looked_is_not_fooled() {
    in_child(|| {
        let (mut reader, said) = talk()?;
        let (until, release) = talk()?;
        let parent = Process::fork("parent", || -> Result<(), Error> {
            let child = Process::fork("child", || {
                listen(&until);
                let is_gone = current().parent().map(|parent| parent.is_alive());
                say(&said, if is_gone == Some(Ok(false)) { "g" } else { "?" });
            });
            child.map(drop)?;
            say(&said, "s");
            idle();
            Ok(())
        });
        let parent = parent.map_err(text)?;
        drop(said);
        next(&mut reader, "the parent's word")?;
        parent.kill().map_err(text)?;
        parent.join(LIMIT).map_err(text)?;
        say(&release, "!");
        check(talk::all(&mut reader, "the child")? == "g", "it sees that its parent is gone")
    });
}

#[test]
fn the_parents_descriptor_is_closed_on_exec() {
    in_child(|| {
        let parent = current().parent().ok_or("no parent")?;
        let flags = rustix::io::fcntl_getfd(parent.sentinel()).map_err(|e| e.to_string())?;
        check(flags.contains(rustix::io::FdFlags::CLOEXEC), "closed on exec")
    });
}

#[test]
#[expect(unsafe_code, reason = "a child of foreign code")]
fn a_child_of_foreign_code_has_no_parent_here() {
    in_child(|| {
        let (mut reader, said) = talk()?;
        let key = current().key();
        // SAFETY: the child writes to a pipe that nobody locks, and ends.
        if unsafe { libc::fork() } == 0 {
            let own = current();
            let is_so = own.parent().is_none() && !own.is_daemon() && own.name() == "body";
            say(&said, if is_so && own.key() == key { "y" } else { "n" });
            purlin_process::exit(0);
        }
        drop(said);
        check(talk::all(&mut reader, "the child")? == "y", "the copy of its parent's name and key")
    });
}

#[test]
fn processors_are_counted() {
    // shows: process-cpu-count-positive, process-cpu-count-usable
    let (all, usable) = (cpu_count().unwrap(), usable_cpu_count().unwrap());
    assert!(1 <= usable && usable <= all, "{usable} of {all}");
    in_child(|| {
        let may = rustix::thread::sched_getaffinity(None).map_err(|errno| errno.to_string())?;
        let first = (0..1024).find(|cpu| may.is_set(*cpu)).ok_or("no processor")?;
        let mut one = rustix::thread::CpuSet::new();
        one.set(first);
        rustix::thread::sched_setaffinity(None, &one).map_err(|errno| errno.to_string())?;
        check(usable_cpu_count() == Ok(1), "it may use one")?;
        check(cpu_count() == Ok(all), "of as many as before")
    });
}

/// A control group below this process's own, with a quota of one processor; removed when dropped.
struct OneProcessor(PathBuf);

impl OneProcessor {
    /// Of version 1 or 2; `None` where this process may not make one, or none has quotas.
    fn new() -> Option<Self> {
        let own = std::fs::read_to_string("/proc/self/cgroup").ok()?;
        let groups = own.lines().filter_map(|line| {
            let (kind, path) = line.split_once(':')?.1.split_once(':')?;
            let root = match kind {
                "" => "/sys/fs/cgroup",
                "cpu" | "cpu,cpuacct" => "/sys/fs/cgroup/cpu",
                _ => return None,
            };
            Some(PathBuf::from(format!("{root}{}", path.trim_end_matches('/'))))
        });
        groups.into_iter().find_map(|group| Self::below(&group))
    }

    fn below(group: &Path) -> Option<Self> {
        let made = Self(group.join(format!("purlin-{}", std::process::id())));
        std::fs::create_dir(&made.0).ok()?;
        let set = |file: &str, text: &str| {
            let path = made.0.join(file);
            path.exists() && std::fs::write(path, text).is_ok()
        };
        let is_set = set("cpu.max", "100000 100000")
            || set("cpu.cfs_period_us", "100000") && set("cpu.cfs_quota_us", "100000");
        is_set.then_some(made)
    }

    fn enter(&self) -> bool {
        std::fs::write(self.0.join("cgroup.procs"), "0").is_ok()
    }
}

impl Drop for OneProcessor {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0);
    }
}

#[test]
fn processors_beyond_the_quota_of_the_control_group_are_not_counted() {
    // shows: process-cpu-count-usable
    let (all, usable) = (cpu_count().unwrap(), usable_cpu_count().unwrap());
    let group = OneProcessor::new().filter(|_| usable > 1);
    let Some(group) = group else {
        return println!("not made: no control group with a quota can be made here, or one is all");
    };
    in_child(|| {
        if !group.enter() {
            println!("not made: this process may not be moved to another control group");
            return Ok(());
        }
        check(usable_cpu_count() == Ok(1), "it may use one")?;
        check(cpu_count() == Ok(all), "of as many as before")
    });
    assert_eq!(usable_cpu_count(), Ok(usable));
}

#[test]
fn a_parent_without_a_standard_stream_is_watched_all_the_same() {
    // shows: process-broken-standard-streams-harmless
    in_child(|| {
        for closed in [vec![0], vec![1], vec![2], vec![0, 1], vec![0, 1, 2]] {
            let (mut reader, said) = talk()?;
            let parent = Process::fork("parent", || -> Result<(), Error> {
                for fd in closed {
                    close(fd);
                }
                // What the child is given takes the lowest free numbers, and the child opens those
                // anew.
                let _child = Builder::new().fork(|| watch(&said))?;
                let daemon = Builder::new().daemon(true).fork(|| {
                    say(&said, "r");
                    idle();
                })?;
                daemon.join(LIMIT).map(drop)
            });
            let parent = parent.map_err(text)?;
            drop(said);
            let mut words = [next(&mut reader, "a word")?, next(&mut reader, "the other word")?];
            words.sort_unstable();
            check(&words == b"lr", "both run")?;
            parent.kill().map_err(text)?;
            parent.join(LIMIT).map_err(text)?;
            check(is_readable(&reader, LIMIT), "the child's word comes")?;
            let mut rest = String::new();
            reader.read_to_string(&mut rest).map_err(|error| error.to_string())?;
            check(rest == "d", &format!("the child saw the end, the daemon has ended: {rest:?}"))?;
        }
        Ok(())
    });
}

#[expect(unsafe_code, reason = "the standard descriptors are closed under the library's feet")]
fn close(fd: i32) {
    // SAFETY: the process ends with its test, and its streams are not used again.
    unsafe { libc::close(fd) };
}
