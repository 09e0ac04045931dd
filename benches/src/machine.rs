//! What the figures were measured on, read at run time.

use core::fmt;
use std::fs;
use std::thread;

use crate::sys;

/// The facts without which a figure says nothing.
#[derive(Clone, Debug)]
pub struct Machine {
    /// What the processor calls itself.
    pub model: String,
    /// Processors of the machine.
    pub processor_count: usize,
    /// Those that this process may run on.
    pub allowed_count: usize,
    /// The kernel's release.
    pub kernel: String,
    /// The C library, which the pthread peers are from.
    pub libc: String,
    /// Runnable threads of the whole machine, averaged over the last minute: above the number of
    /// processors, neighbours disturbed the figures.
    pub load: String,
}

impl Machine {
    /// The facts of the machine that runs this. What it does not tell is `unknown`.
    #[must_use]
    pub fn here() -> Self {
        let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        Self {
            model: field(&processors, "model name").unwrap_or(std::env::consts::ARCH).to_owned(),
            processor_count: processors.lines().filter(|line| is_field(line, "processor")).count(),
            allowed_count: thread::available_parallelism().map_or(1, usize::from),
            kernel: first_word("/proc/sys/kernel/osrelease"),
            libc: sys::libc_version(),
            load: first_word("/proc/loadavg"),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "processor  {}", self.model)?;
        let (all, allowed) = (self.processor_count, self.allowed_count);
        writeln!(out, "cores      {all}, of which this process may use {allowed}")?;
        writeln!(out, "kernel     Linux {}", self.kernel)?;
        writeln!(out, "libc       {}", self.libc)?;
        writeln!(out, "load       {}", self.load)?;
        if self.load.parse().is_ok_and(|load: f64| load > all as f64) {
            writeln!(out, "WARNING    more to do than cores: trust the ratios, not the figures")?;
        }
        if cfg!(debug_assertions) {
            writeln!(out, "WARNING    a debug build: its figures mean nothing")?;
        }
        Ok(())
    }
}

fn is_field(line: &str, name: &str) -> bool {
    line.split(':').next().is_some_and(|start| start.trim() == name)
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| is_field(line, name))?;
    line.split_once(':').map(|(_, value)| value.trim())
}

fn first_word(path: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().next().unwrap_or("unknown").to_owned()
}
