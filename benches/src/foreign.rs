//! Other people's programs as contenders: each does its operation as often as it is told.
//!
//! ```text
//!                <- ready
//!   4096         ->
//!                <- done
//!   0            ->            it ends, and with it whatever it has started
//! ```

use std::fmt;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::rounds::Contender;
use crate::sys::untied;

/// A program that is ended with its contender.
struct Foreign {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

/// Whoever `command` starts. Absent where there is no such program, and where it cannot begin.
///
/// # Panics
/// Its turns do, where it ends amid one: there is no figure then.
#[must_use]
pub fn foreign(name: &str, command: &mut Command) -> Contender<'static> {
    match Foreign::start(command) {
        Ok(mut program) => Contender::whole(name, move |iterations| {
            program.turn(iterations).expect("it goes on");
        }),
        Err(error) => Contender::absent(name, error),
    }
}

/// Where the program of one of the peers is, which are a workspace of their own.
///
/// # Errors
/// What its row says when nobody has built it.
pub fn peer(program: &str) -> Result<PathBuf, String> {
    let path = beside("../peers/target/release").join(program);
    if path.exists() { Ok(path) } else { Err("not built, see peers/README.md".to_owned()) }
}

/// Builds a program of one file in C++ that stands in this crate's folder, and says where it is.
///
/// # Errors
/// What its row says where there is no compiler, or not what the file includes.
pub fn cpp(source: &str, into: &Path) -> Result<PathBuf, String> {
    let program = into.join(Path::new(source).file_stem().unwrap_or_default());
    let mut command = Command::new("c++");
    command.args(["-std=c++17", "-O3", "-DNDEBUG", "-pthread"]);
    command.arg(beside(source)).arg("-o").arg(&program).arg("-lrt");
    let built = command.output().map_err(|error| format!("no C++ compiler: {error}"))?;
    if built.status.success() { Ok(program) } else { Err(first_error(&built.stderr)) }
}

fn beside(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn first_error(told: &[u8]) -> String {
    let told = String::from_utf8_lossy(told);
    let line = told.lines().find_map(|line| line.split_once("error: "));
    line.map_or_else(|| "it could not be built".to_owned(), |(_, what)| what.to_owned())
}

impl Foreign {
    fn start(command: &mut Command) -> io::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        // It chooses its processors among those that this process had before it tied itself.
        let mut child = untied(|| command.spawn())?;
        let (to, from) = (child.stdin.take(), child.stdout.take());
        let from = from.map(BufReader::new).ok_or(io::ErrorKind::BrokenPipe)?;
        let mut program = Self { child, to, from };
        program.hear("ready")?;
        Ok(program)
    }

    fn turn(&mut self, iterations: u64) -> io::Result<()> {
        let to = self.to.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        writeln!(to, "{iterations}")?;
        to.flush()?;
        self.hear("done")
    }

    fn hear(&mut self, word: &str) -> io::Result<()> {
        let mut line = String::new();
        self.from.read_line(&mut line)?;
        if line.trim() == word { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        // By a word, and not by the end of its input, of which forked children have copies. It ends
        // what it has started.
        if let Some(mut to) = self.to.take() {
            let _ = writeln!(to, "0");
        }
        let _ = self.child.wait();
    }
}

impl fmt::Debug for Foreign {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Foreign").field("pid", &self.child.id()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_absent() {
        let mut nobody = foreign("nobody", &mut Command::new("/no/such/program"));
        assert_eq!(nobody.time(1), None);
        let mut silent = foreign("silent", &mut Command::new("true"));
        assert_eq!(silent.time(1), None);
        assert!(peer("no-such-program").is_err());
    }

    #[test]
    fn the_first_error_is_told() {
        let told = b"a.cpp:1: note: x\na.cpp:2:10: fatal error: boost/x.hpp: No such file\n";
        assert_eq!(first_error(told), "boost/x.hpp: No such file");
    }
}
