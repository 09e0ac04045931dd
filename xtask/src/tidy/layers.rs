//! Where things may stand: unsafe code, system calls, and the arrows between crates.

use crate::code::Code;
use crate::tidy::Finding;
use crate::tree::Tree;

/// Shipped files with unsafe code, and why each needs it. Everything under `sys/` is expected to;
/// what is listed beyond is a file that follows pointers into a segment, or forks. The adapters
/// that the suite has built in are held to the list, too.
const UNSAFE_FILES: &[(&str, &str)] = &[
    ("conformance/adapters/posix/barrier.rs", "calls the C library, which takes pointers"),
    ("conformance/adapters/posix/condition.rs", "calls the C library, which takes pointers"),
    ("conformance/adapters/posix/memory.rs", "makes the pointers that the C library takes"),
    ("conformance/adapters/posix/mutex.rs", "calls the C library, which takes pointers"),
    ("conformance/adapters/posix/process.rs", "forks by the bare call"),
    ("conformance/adapters/posix/queue.rs", "calls the C library, which takes pointers"),
    ("conformance/adapters/purlin/current.rs", "forks by the raw call of purlin, which is judged"),
    ("conformance/adapters/posix/semaphore.rs", "calls the C library, which takes pointers"),
    ("channel/src/in_place.rs", "lends the bytes of a message, in the ring, as slices"),
    ("channel/src/cells.rs", "promises the layout of what stands before shared elements"),
    ("channel/src/queue.rs", "promises the layout of what stands before a queue's ring"),
    ("channel/src/spsc.rs", "promises the layout of what stands before the ring of one to one"),
    ("manager/src/builder.rs", "makes a function without size again in its child"),
    ("pool/src/function.rs", "makes a function of its place in the program"),
    ("pool/src/words/rack.rs", "promises the layout of a mailbox"),
    ("process/src/fork.rs", "the raw fork is an unsafe function"),
    ("process/src/builder.rs", "forks, and argues that its child never returns"),
    ("process/src/spawn/task.rs", "makes a function of its place in the program"),
    ("shm/src/arena.rs", "promises the layout of what stands before each object"),
    ("shm/src/attachment.rs", "reads its token through a pointer kept beside the page's owner"),
    ("shm/src/header.rs", "promises the layout of a segment's header"),
    ("shm/src/mapping.rs", "makes the pointers into a segment"),
    ("shm/src/page.rs", "makes the pointers into the page that a fork wipes"),
    ("shm/src/place.rs", "reaches an object through a pointer kept beside its mapping"),
    ("shm/src/slot.rs", "promises the layout of the slot table"),
    ("sync/src/barrier.rs", "promises the layout of what a barrier is beside its row"),
    ("sync/src/condition.rs", "promises the layout of what stands before a condition's cells"),
    ("sync/src/event.rs", "promises the layout of an event's word"),
    ("sync/src/exclusive.rs", "promises the layout of the locks' words"),
    ("sync/src/semaphore.rs", "promises the layout of a semaphore's word"),
    ("sync/src/tracked_semaphore.rs", "promises the layout of what stands before permits"),
];

const ADAPTERS: &str = "conformance/adapters/";

/// What each crate may lean on. A crate that is not here leans on nothing of ours and nobody leans
/// on it; one that sees the others is listed with all of them.
const ARROWS: [(&str, &[&str]); 13] = [
    ("shm", &[]),
    ("sync", &["shm"]),
    ("process", &["shm", "sync"]),
    ("channel", &["shm", "sync"]),
    ("pool", &["shm", "sync", "process"]),
    ("conformance", &["shm", "sync", "process", "channel", "pool", "manager"]),
    ("manager", &["shm", "sync", "process"]),
    ("models", &["shm", "sync", "process"]),
    ("benches", &["shm", "sync", "process", "channel", "pool", "manager", "conformance"]),
    ("sweep", &["shm", "sync", "process", "channel", "pool", "manager"]),
    ("fuzz", &["shm", "sync", "process", "channel", "conformance"]),
    ("peers", &["conformance", "benches"]),
    ("xtask", &[]),
];

/// Crates whose system calls stand under `sys/`. The suite is not among them: to start, stop and
/// watch processes is all that it does.
const LAYERED: [&str; 6] = ["shm", "sync", "process", "channel", "pool", "manager"];

/// Names of system crates that are data and not calls, hence fine anywhere.
const DATA: [&str; 2] = ["rustix::io::Errno", "libc::E"];

pub(super) fn unsafe_outside_the_list(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let adapters = tree.rust().filter(|source| source.path.starts_with(ADAPTERS));
    let held = tree.shipped().filter(|source| !source.path.contains("/src/sys/"));
    for source in held.chain(adapters) {
        let line = Code::new(&source.text).lines_with("unsafe").next();
        let is_listed = UNSAFE_FILES.iter().any(|(path, _)| *path == source.path);
        match line {
            Some(line) if !is_listed => findings.push(Finding::new(
                &source.path,
                line,
                "unsafe in a file that is not listed; move it under sys/, or list the file in \
                 UNSAFE_FILES with its reason",
            )),
            None if is_listed => findings.push(Finding::new(
                &source.path,
                0,
                "listed in UNSAFE_FILES and has none; remove it from the list",
            )),
            _ => {}
        }
    }
    for (path, _) in UNSAFE_FILES.iter().filter(|(path, _)| tree.find(path).is_none()) {
        findings.push(Finding::new(path, 0, "listed in UNSAFE_FILES and gone; remove it"));
    }
    findings
}

pub(super) fn system_calls_outside_sys(tree: &Tree) -> Vec<Finding> {
    let layered = tree.shipped().filter(|source| LAYERED.contains(&source.folder()));
    let outside = layered.filter(|source| !source.path.contains("/src/sys/"));
    let mut findings = Vec::new();
    for source in outside {
        for (index, line) in Code::new(&source.text).lines.iter().enumerate() {
            let mut code = line.code.clone();
            for data in DATA {
                code = code.replace(data, "");
            }
            if ["libc::", "rustix::", "target_os"].iter().any(|name| code.contains(name)) {
                let says = "a system call, or a question about the system; move it under sys/";
                findings.push(Finding::new(&source.path, index + 1, says));
            }
        }
    }
    findings
}

pub(super) fn arrows_that_are_not_drawn(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (folder, manifest) in tree.members() {
        let allowed = ARROWS.iter().find(|(member, _)| *member == folder).map(|(_, to)| *to);
        if allowed.is_none() {
            let says = "a crate without arrows; draw it in ARROWS and in ARCHITECTURE.md";
            findings.push(Finding::new(&manifest.path, 0, says));
        }
        for (line, to) in dependencies(&manifest.text) {
            if !allowed.is_some_and(|allowed| allowed.contains(&to.as_str())) {
                let says = format!(
                    "{folder} may not lean on {to}; tests may, as a dev-dependency, and else the \
                     arrow has to be drawn in ARROWS and in ARCHITECTURE.md"
                );
                findings.push(Finding::new(&manifest.path, line, says));
            }
        }
    }
    findings
}

/// Crates of ours that a manifest ships with, each with its line.
fn dependencies(manifest: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut is_shipped = false;
    for (index, line) in manifest.lines().enumerate() {
        let line = line.trim();
        let mut name = line;
        if let Some(header) = line.strip_prefix('[') {
            is_shipped = header.contains("dependencies") && !header.contains("dev-dependencies");
            name = header.rsplit_once("dependencies.").map_or("", |(_, name)| name);
        }
        let ours = name.trim_start_matches('"').strip_prefix("purlin-");
        if let Some(ours) = ours.filter(|_| is_shipped) {
            let end = ours.find(|c: char| !c.is_alphanumeric()).unwrap_or(ours.len());
            found.push((index + 1, ours[..end].to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{found_in, holds_here};

    #[test]
    fn unsafe_stays_where_it_is_listed() {
        holds_here(unsafe_outside_the_list);
    }

    #[test]
    fn planted_unsafe_is_found() {
        let rule = |sources: &[(&str, &str)]| {
            let stale = |place: &String| !UNSAFE_FILES.iter().any(|(path, _)| place.contains(path));
            found_in(unsafe_outside_the_list, sources).into_iter().filter(stale).count()
        };
        assert_eq!(rule(&[("shm/src/new.rs", "\nfn f() { unsafe { g() } }")]), 1);
        assert_eq!(rule(&[("shm/src/sys/new.rs", "fn f() { unsafe { g() } }")]), 0);
        assert_eq!(rule(&[("conformance/adapters/new.rs", "fn f() { unsafe { g() } }")]), 1);
        assert_eq!(rule(&[("shm/src/new.rs", "// unsafe\n#![deny(unsafe_code)]")]), 0);
    }

    #[test]
    fn a_stale_entry_is_found() {
        let (path, _) = UNSAFE_FILES[0];
        let everything_gone = found_in(unsafe_outside_the_list, &[]);
        assert_eq!(everything_gone.len(), UNSAFE_FILES.len());
        let emptied = found_in(unsafe_outside_the_list, &[(path, "fn f() {}")]);
        assert!(emptied.contains(&format!("{path}:0")));
    }

    #[test]
    fn system_calls_stay_under_sys() {
        holds_here(system_calls_outside_sys);
    }

    #[test]
    fn planted_system_calls_are_found() {
        let found = |path, text| found_in(system_calls_outside_sys, &[(path, text)]).len();
        assert_eq!(found("sync/src/new.rs", "use rustix::thread::futex;"), 1);
        assert_eq!(found("sync/src/new.rs", "fn f() { g(libc::getpid()) }"), 1);
        assert_eq!(found("sync/src/new.rs", "#[cfg(target_os = \"linux\")]"), 1);
        assert_eq!(found("sync/src/new.rs", "use rustix::io::Errno; // libc::fork"), 0);
        assert_eq!(found("sync/src/sys/new.rs", "use rustix::thread::futex;"), 0);
        assert_eq!(found("sync/tests/new.rs", "use rustix::thread::futex;"), 0);
    }

    #[test]
    fn arrows_point_one_way() {
        holds_here(arrows_that_are_not_drawn);
    }

    #[test]
    fn planted_arrows_are_found() {
        let found = |path, text| found_in(arrows_that_are_not_drawn, &[(path, text)]);
        let sideways = "[dependencies]\npurlin-process.workspace = true";
        assert_eq!(found("sync/Cargo.toml", sideways), ["sync/Cargo.toml:2"]);
        let table = "[target.'cfg(unix)'.dependencies.purlin-process]\nworkspace = true";
        assert_eq!(found("sync/Cargo.toml", table), ["sync/Cargo.toml:1"]);
        let build = "[build-dependencies]\npurlin-conformance = { path = \"../conformance\" }";
        assert_eq!(found("process/Cargo.toml", build), ["process/Cargo.toml:2"]);
        let tests = "[dev-dependencies]\npurlin-process.workspace = true";
        assert!(found("sync/Cargo.toml", tests).is_empty());
        assert_eq!(found("newcomer/Cargo.toml", ""), ["newcomer/Cargo.toml:0"]);
    }
}
