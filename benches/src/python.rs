//! CPython as a contender: a program that does an operation as often as it is told.

use std::fmt;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::rounds::Contender;

/// What is asked of it stands in `OPERATION`, for `n` times.
const PROGRAM: &str = "
import sys
IMPORTS
if __name__ == '__main__':
    BEGIN
    print('ready', flush=True)
    for line in sys.stdin:
        n = int(line)
        OPERATION
        print('done', flush=True)
";

/// A Python that is ended with its contender.
struct Python {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

/// Whoever does `operation`, a statement that does it `n` times, after the lines of `imports` and
/// the statement `begin`. Absent without a `python3`, and where that cannot begin.
///
/// # Panics
/// Its turns do, where that ends amid one: there is no figure then.
#[must_use]
pub fn python(name: &str, imports: &str, begin: &str, operation: &str) -> Contender<'static> {
    match Python::start(imports, begin, operation) {
        Ok(mut python) => Contender::whole(name, move |iterations| {
            python.turn(iterations).expect("it goes on");
        }),
        Err(error) => Contender::absent(name, error),
    }
}

impl Python {
    fn start(imports: &str, begin: &str, operation: &str) -> io::Result<Self> {
        let program = PROGRAM.replace("IMPORTS", imports).replace("BEGIN", begin);
        let program = program.replace("OPERATION", operation);
        let mut command = Command::new("python3");
        command.args(["-c", &program]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn()?;
        let (to, from) = (child.stdin.take(), child.stdout.take());
        let from = from.map(BufReader::new).ok_or(io::ErrorKind::BrokenPipe)?;
        let mut python = Self { child, to, from };
        python.hear("ready")?;
        Ok(python)
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

impl Drop for Python {
    fn drop(&mut self) {
        drop(self.to.take()); // its loop ends, and it ends what it has started
        let _ = self.child.wait();
    }
}

impl fmt::Debug for Python {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Python").field("pid", &self.child.id()).finish_non_exhaustive()
    }
}
