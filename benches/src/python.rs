//! CPython as a contender: a program that does an operation as often as it is told.

use std::process::Command;

use crate::foreign::foreign;
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
        if n == 0:
            break
        OPERATION
        print('done', flush=True)
";

/// Whoever does `operation`, a statement that does it `n` times, after the lines of `imports` and
/// the statement `begin`. Absent without a `python3`, and where that cannot begin.
///
/// # Panics
/// Its turns do, where that ends amid one: there is no figure then.
#[must_use]
pub fn python(name: &str, imports: &str, begin: &str, operation: &str) -> Contender<'static> {
    let program = PROGRAM.replace("IMPORTS", imports).replace("BEGIN", begin);
    let program = program.replace("OPERATION", operation);
    foreign(name, Command::new("python3").args(["-c", &program]))
}
