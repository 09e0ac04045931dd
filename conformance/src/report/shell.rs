//! Words that a shell reads back as they are.

use super::plain::plain;

/// The word as it is typed in a POSIX shell, in quotes where it needs them. What a terminal would
/// obey is written out, as POSIX has it since 2024.
pub fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "%+,-./:=@_".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    if plain(word) == word {
        return format!("'{}'", word.replace('\'', r"'\''"));
    }
    let letters = word.chars().map(|letter| match letter {
        '\'' => r"\'".to_owned(),
        '\\' => r"\\".to_owned(),
        letter if letter == ' ' || letter.is_ascii_graphic() => letter.to_string(),
        letter => letter.to_string().bytes().map(|byte| format!("\\{byte:03o}")).collect(),
    });
    format!("$'{}'", letters.collect::<String>())
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
        assert_eq!(quoted("one\ntwo"), "'one\ntwo'");
    }

    #[test]
    fn what_a_terminal_obeys_is_written_out() {
        assert_eq!(quoted("\u{1b}[31m it's\n\\ä"), r"$'\033[31m it\'s\012\\\303\244'");
        assert_eq!(quoted("a\tb\u{202e}"), r"$'a\011b\342\200\256'");
    }
}
