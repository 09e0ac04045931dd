//! What `/proc` says about a process.

use std::fs;

/// Whether there is one of this number, ended or not.
pub(super) fn is_there(pid: i32) -> bool {
    fs::metadata(format!("/proc/{pid}/stat")).is_ok()
}

/// The letter of its state, which is that of its first thread.
pub(super) fn state(pid: i32) -> Option<char> {
    fields(pid)?.first()?.chars().next()
}

/// How many processes have it as their parent.
pub(super) fn children_count(pid: i32) -> usize {
    const PLACE_BEHIND_NAME: usize = 1; // field 4 of proc_pid_stat(5)
    let names = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = names.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let parents = pids.filter_map(|other: i32| fields(other)?.get(PLACE_BEHIND_NAME)?.parse().ok());
    parents.filter(|parent: &i32| *parent == pid).count()
}

/// How it ended, as wait(2) tells it; none while it lives, and when it was collected.
pub(super) fn exit_status(pid: i32) -> Option<i32> {
    const PLACE_BEHIND_NAME: usize = 49; // field 52 of proc_pid_stat(5), which counts the name, too
    fields(pid)?.get(PLACE_BEHIND_NAME)?.parse().ok()
}

/// The fields behind the name, which is in brackets and may contain anything.
fn fields(pid: i32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields = stat.get(stat.rfind(')')? + 1..)?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}
