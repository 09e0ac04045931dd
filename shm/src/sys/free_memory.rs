//! How much memory may be reserved before the kernel starts to kill: what the machine has free, and
//! what is left in each control group that this process is in.

use std::fs;
use std::path::{Path, PathBuf};

use crate::limits::{MEMORY_KEPT_FRACTION, MEMORY_LOOKUP_BYTES};

/// What a request for `wanted_bytes` may take at most. Small requests are not looked up.
#[must_use]
pub fn free_memory_bytes(wanted_bytes: u64) -> u64 {
    if wanted_bytes < MEMORY_LOOKUP_BYTES {
        return u64::MAX;
    }
    let bytes = available_bytes().unwrap_or_else(unused_bytes).min(groups_room_bytes());
    bytes - bytes / MEMORY_KEPT_FRACTION
}

/// What is unused or can be had back from caches.
fn available_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// Where the better figure cannot be read: what is unused, caches apart.
fn unused_bytes() -> u64 {
    let info = rustix::system::sysinfo();
    u64::from(info.mem_unit).saturating_mul(info.freeram)
}

/// The files of one version of control groups, see `cgroups(7)`.
struct Files {
    root: &'static str,
    limit: &'static str,
    usage: &'static str,
    /// The line of `memory.stat` that counts what the kernel would drop first.
    cache: &'static str,
}

const VERSION_1: Files = Files {
    root: "/sys/fs/cgroup/memory",
    limit: "memory.limit_in_bytes",
    usage: "memory.usage_in_bytes",
    cache: "total_inactive_file",
};

const VERSION_2: Files = Files {
    root: "/sys/fs/cgroup",
    limit: "memory.max",
    usage: "memory.current",
    cache: "inactive_file",
};

/// The least room in any of this process's control groups; without limits, no limit.
fn groups_room_bytes() -> u64 {
    // The thread's own entry: the process's is empty once its main thread has ended alone.
    let text = fs::read_to_string("/proc/thread-self/cgroup").unwrap_or_default();
    let rooms = text.lines().filter_map(group).flat_map(|(files, group)| {
        let folders: Vec<PathBuf> = group.ancestors().map(Path::to_owned).collect();
        folders.into_iter().filter_map(move |folder| files.room_bytes(&folder))
    });
    rooms.min().unwrap_or(u64::MAX)
}

/// The group that a line of `/proc/PID/cgroup` (`id:controllers:path`) names, if it counts memory.
fn group(line: &str) -> Option<(&'static Files, PathBuf)> {
    let mut fields = line.splitn(3, ':');
    let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
    let files = match controllers {
        "" => &VERSION_2,
        list if list.split(',').any(|name| name == "memory") => &VERSION_1,
        _ => return None,
    };
    Some((files, PathBuf::from(format!("{}{path}", files.root))))
}

impl Files {
    /// What is left in one group: its limit, less its use, but for what the kernel would drop.
    fn room_bytes(&self, folder: &Path) -> Option<u64> {
        let number = |name| fs::read_to_string(folder.join(name)).ok()?.trim().parse::<u64>().ok();
        let (limit, usage) = (number(self.limit)?, number(self.usage)?);
        let stat = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
        let cache = stat.lines().find_map(|line| {
            let (name, count) = line.split_once(' ')?;
            (name == self.cache).then(|| count.parse::<u64>().ok())?
        });
        Some(limit.saturating_sub(usage).saturating_add(cache.unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Drop for Folder {
        fn drop(&mut self) {
            // Best effort: the test's own answer is what counts.
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn only_the_lines_of_memory_name_a_group() {
        let path = |line| group(line).map(|(_, path)| path.display().to_string());
        assert_eq!(path("0::/a/b").as_deref(), Some("/sys/fs/cgroup/a/b"));
        assert_eq!(path("7:cpu,memory:/a").as_deref(), Some("/sys/fs/cgroup/memory/a"));
        assert_eq!(path("3:cpuset:/a"), None);
        assert_eq!(path("rubbish"), None);
    }

    #[test]
    fn the_room_of_a_group_is_its_limit_less_its_use_but_for_caches() {
        let folder = std::env::temp_dir().join(format!("purlin-group-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let _gone_at_the_end = Folder(folder.clone());
        let files = [
            ("memory.max", "1000\n"),
            ("memory.current", "700\n"),
            ("memory.stat", "anon 1\ninactive_file 50\n"),
        ];
        files.iter().for_each(|(name, text)| fs::write(folder.join(name), text).unwrap());
        let room = VERSION_2.room_bytes(&folder);
        fs::write(folder.join("memory.max"), "max\n").unwrap();
        let unlimited = VERSION_2.room_bytes(&folder);
        assert_eq!((room, unlimited), (Some(350), None));
    }

    #[test]
    fn a_large_request_is_looked_up_and_a_small_one_is_not() {
        assert_eq!(free_memory_bytes(MEMORY_LOOKUP_BYTES - 1), u64::MAX);
        assert!(free_memory_bytes(MEMORY_LOOKUP_BYTES) < 1 << 50);
    }
}
