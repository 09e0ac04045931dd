//! The adapter for CPython, as it is started: its text is inside of this program, and longer than
//! what Linux takes as one argument, so the interpreter is given it in pieces.
//!
//! To compile that text takes an interpreter longer than all else that it does at a start, and a
//! case has several: one of the adapter, and by spawn one of each actor. So an interpreter is
//! asked once to compile it, and given what it made of it from then on.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;

use crate::limits::longest_patience;

/// An interpreter, and the adapter as it takes it.
///
/// ```
/// use purlin_conformance::cpython::Interpreter;
///
/// let python = Interpreter::find("python3".as_ref());
/// let mut command = std::process::Command::new(&python.program);
/// command.args(python.arguments("fork"));
/// ```
#[derive(Debug)]
pub struct Interpreter {
    /// The program itself, also where what was found is a script that leads to it.
    pub program: OsString,
    /// What makes the adapter's module, compiled or as it was written.
    text: String,
}

impl Interpreter {
    /// Asks an interpreter where it lies, and for the adapter as it compiles it. One that does not
    /// do so is given the adapter as it was written, and will say itself what is wrong.
    ///
    /// # Weak points
    /// * Waits as long as for an adapter that runs and says nothing.
    pub fn find(program: &OsStr) -> Self {
        match compiled_by(program) {
            Ok(found) => found,
            Err(_) => Self { program: program.to_owned(), text: SCRIPT.to_owned() },
        }
    }

    /// What it is given so that it is the adapter, whose actors are started by `how`.
    pub fn arguments<'a>(&'a self, how: &'a str) -> Vec<&'a str> {
        [ALONE.as_slice(), &["-c", START, how], &pieces(&self.text)].concat()
    }
}

/// Neither the environment nor the user's own modules (`-I`) nor what somebody installed (`-S`)
/// change what is judged. What the adapter starts has the same.
const ALONE: [&str; 2] = ["-I", "-S"];

/// The adapter.
const SCRIPT: &str = include_str!("../adapters/cpython.py");

/// Puts the pieces behind the first word together, and runs them as the main module.
const START: &str = "import sys; TEXT = ''.join(sys.argv[2:]); del sys.argv[2:]; \
    exec(compile(TEXT, 'cpython.py', 'exec'))";

/// Says where the interpreter lies, and how the pieces are run without compiling them again. The
/// compiled form is that of this interpreter alone.
const COMPILE: &str = r#"
import binascii, marshal, os, sys, zlib
code = compile(''.join(sys.argv[1:]), 'cpython.py', 'exec')
packed = binascii.b2a_base64(zlib.compress(marshal.dumps(code)), newline=False).decode()
text = "exec(__import__('marshal').loads(__import__('zlib').decompress(" \
    "__import__('binascii').a2b_base64('%s'))))" % packed
os.write(1, os.fsencode(sys.executable) + b'\0')
sys.stdout.write(text)
"#;

/// Linux takes 128 KiB as one argument (`MAX_ARG_STRLEN`, in `execve(2)`), the end included.
const PIECE_BYTES: usize = 64 * 1024;

/// More than any interpreter makes of the adapter; what says more is none.
const SAID_MAX_BYTES: u64 = 4 * 1024 * 1024;

fn pieces(text: &str) -> Vec<&str> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(rest.floor_char_boundary(PIECE_BYTES));
        pieces.push(piece);
        rest = behind;
    }
    pieces
}

fn compiled_by(program: &OsStr) -> io::Result<Interpreter> {
    let mut starting = Command::new(program);
    starting.args(ALONE).args(["-c", COMPILE]).args(pieces(SCRIPT));
    starting.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = starting.spawn()?;
    let said = child.stdout.take().map(|stdout| all_of(stdout, &mut child));
    let status = child.wait()?;
    let said = said.transpose()?.filter(|_| status.success()).unwrap_or_default();
    let wrong = || io::Error::other("it does not compile the adapter");
    let end = said.iter().position(|byte| *byte == 0).filter(|end| *end > 0).ok_or_else(wrong)?;
    let text = String::from_utf8(said[end + 1..].to_vec()).map_err(|_| wrong())?;
    Ok(Interpreter { program: OsString::from_vec(said[..end].to_vec()), text })
}

/// All that it says until it ends; killed when that is too much, or takes too long.
fn all_of(stdout: ChildStdout, child: &mut Child) -> io::Result<Vec<u8>> {
    let (pass, all) = mpsc::channel();
    std::thread::spawn(move || {
        let mut said = Vec::new();
        let read = stdout.take(SAID_MAX_BYTES).read_to_end(&mut said);
        let _ = pass.send(read.map(|_| said)); // who would have it has given up
    });
    match all.recv_timeout(longest_patience()) {
        Ok(Ok(said)) if said.len() as u64 == SAID_MAX_BYTES => {}
        Ok(said) => return said,
        Err(_) => {}
    }
    child.kill()?;
    Err(io::Error::other("it does not come to an end"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_are_the_whole_and_none_is_too_long() {
        let python = Interpreter { program: "python3".into(), text: SCRIPT.to_owned() };
        let arguments = python.arguments("spawn");
        assert_eq!(arguments[4], "spawn");
        assert_eq!(arguments[5..].concat(), SCRIPT);
        assert!(arguments.iter().all(|piece| piece.len() < 128 * 1024));
    }

    #[test]
    fn one_that_compiles_nothing_is_given_the_text() {
        for program in ["/no/such/python", "true", "false", "yes"] {
            let found = Interpreter::find(program.as_ref());
            assert_eq!((found.program.to_str(), &*found.text), (Some(program), SCRIPT));
        }
    }

    #[test]
    fn what_is_compiled_is_the_adapter() {
        // Absent otherwise, as the program itself would say.
        let Ok(found) = compiled_by("python3".as_ref()) else { return };
        assert!(found.text.starts_with("exec("), "{:.40}", found.text);
    }
}
