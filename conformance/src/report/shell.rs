//! Words that a shell reads back as they are.

/// The word as it is typed in a POSIX shell, in quotes where it needs them.
pub fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "%+,-./:=@_".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_shell_would_read_is_quoted() {
        assert_eq!(quoted("./a/b-c_d.py"), "./a/b-c_d.py");
        assert_eq!(quoted("--case=lock/try"), "--case=lock/try");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("echo $x; exit 3"), "'echo $x; exit 3'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("ä"), "'ä'");
    }
}
