//! The adapter for CPython, as it is started: its text is inside of this program, and longer than
//! what Linux takes as one argument, so the interpreter is given it in pieces.

/// The adapter.
const SCRIPT: &str = include_str!("../adapters/cpython.py");

/// Puts the pieces behind the first word together, and runs them as the main module.
const START: &str = "import sys; TEXT = ''.join(sys.argv[2:]); del sys.argv[2:]; \
    exec(compile(TEXT, 'cpython.py', 'exec'))";

/// Linux takes 128 KiB as one argument (`MAX_ARG_STRLEN`, in `execve(2)`), the end included.
const PIECE_BYTES: usize = 64 * 1024;

/// What an interpreter is given so that it is the adapter, whose actors are started by `how`.
pub fn arguments(how: &str) -> Vec<&str> {
    // -I: neither the environment nor the user's own modules change what is judged.
    let mut arguments = vec!["-I", "-c", START, how];
    let mut rest = SCRIPT;
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(rest.floor_char_boundary(PIECE_BYTES));
        arguments.push(piece);
        rest = behind;
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_are_the_whole_and_none_is_too_long() {
        let arguments = arguments("spawn");
        assert_eq!(arguments[3], "spawn");
        assert_eq!(arguments[4..].concat(), SCRIPT);
        assert!(arguments.iter().all(|piece| piece.len() < 128 * 1024));
    }
}
