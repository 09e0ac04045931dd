//! The text of a case's script.

use std::collections::BTreeSet;

use purlin_conformance::parse::parse;

/// Reads the input as a script. Says `read` or `refused`; one that is no text is `refused` too.
///
/// # Panics
/// When a script that was read, printed and read again is another.
pub fn run(data: &[u8]) -> &'static str {
    let Ok(text) = std::str::from_utf8(data) else { return "refused" };
    let kinds: BTreeSet<String> =
        ["timed-out", "owner-died", "task-failed", "not-owner"].map(str::to_owned).into();
    match parse(text, &kinds) {
        Ok(script) => {
            let printed = script.to_string();
            match parse(&printed, &kinds) {
                Ok(again) => assert_eq!(again.to_string(), printed),
                Err(error) => panic!("not read again:\n{}\n{printed}", error.render(&printed)),
            }
            "read"
        }
        Err(error) => {
            assert!(error.render(text).contains(&error.message));
            "refused"
        }
    }
}
