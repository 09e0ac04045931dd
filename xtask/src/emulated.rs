//! The tests of the words and their models as aarch64 programs, under user-mode emulation: an
//! x86-64 forgives orderings that others do not, and an emulator at least runs the other
//! instructions. It is asked for by hand, and no part of CI.

use std::env;
use std::fs;
use std::io;
use std::process::Command;

use crate::tree;

const TARGET: &str = "aarch64-unknown-linux-gnu";
const LINKER: &str = "aarch64-linux-gnu-gcc";
const EMULATORS: [&str; 2] = ["qemu-aarch64", "qemu-aarch64-static"];

/// What is run; the sweep steps processes by ptrace(2), which an emulator does not do.
const PACKAGES: [&str; 3] = ["purlin-shm", "purlin-sync", "purlin-models"];

/// Runs the tests under emulation; returns whether they passed. Says what is absent where they
/// cannot be run, which is no success.
pub(crate) fn run() -> io::Result<bool> {
    let emulator = EMULATORS.into_iter().find(|name| is_installed(name));
    let mut absent = Vec::new();
    if emulator.is_none() {
        absent.push(format!("the emulator {} (Debian: qemu-user)", EMULATORS[0]));
    }
    if !is_installed(LINKER) {
        absent.push(format!("the linker {LINKER} (Debian: gcc-aarch64-linux-gnu)"));
    }
    if !has_target()? {
        absent.push(format!("the target (rustup target add {TARGET})"));
    }
    let Some(emulator) = emulator.filter(|_| absent.is_empty()) else {
        println!("emulated: not made; absent here: {}", absent.join(", "));
        return Ok(false);
    };
    let mut command = Command::new("cargo");
    command.args(["test", "--target", TARGET]).current_dir(tree::root());
    PACKAGES.iter().for_each(|package| {
        command.args(["--package", package]);
    });
    command.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", LINKER);
    let runner = format!("{emulator} -L /usr/aarch64-linux-gnu");
    command.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", runner);
    Ok(command.status()?.success())
}

/// Whether a program of this name is in the search path.
fn is_installed(name: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| fs::metadata(folder.join(name)).is_ok())
}

/// Whether the compiler has the target's library.
fn has_target() -> io::Result<bool> {
    let output =
        Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output()?;
    let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok(output.status.success() && fs::metadata(folder).is_ok())
}
