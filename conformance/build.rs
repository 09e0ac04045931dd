//! Tells the adapter for Rust's standard library which version that is.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let compiler = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let said = Command::new(compiler).arg("--version").output();
    // `rustc 1.95.0 (59807616e 2026-04-14)`
    let said = said.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let version = said.ok().and_then(|said| said.split(' ').nth(1).map(str::to_owned));
    println!("cargo::rustc-env=STD_VERSION={}", version.as_deref().unwrap_or("0").trim());
}
