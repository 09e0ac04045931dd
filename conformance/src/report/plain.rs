//! Text that no terminal obeys. What a subject says is shown, whatever it is, and does nothing.

use std::borrow::Cow;

/// The text with every letter that would move, colour or reorder something written out, and line
/// breaks left as they are.
pub fn plain(text: &str) -> Cow<'_, str> {
    escaped(text, |letter| letter != '\n' && is_obeyed(letter))
}

/// The same within a line: a line break is written out, too.
pub fn in_line(text: &str) -> Cow<'_, str> {
    escaped(text, is_obeyed)
}

fn escaped(text: &str, is_written_out: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_written_out) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_written_out(letter) {
            shown.extend(letter.escape_unicode());
        } else {
            shown.push(letter);
        }
    }
    Cow::Owned(shown)
}

/// Control characters (of 7 and of 8 bits), line and paragraph separators, what turns the
/// direction of writing, and what takes no room and so hides.
fn is_obeyed(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}')
        || matches!(letter, '\u{2028}'..='\u{202e}')
        || matches!(letter, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
        || matches!(letter, '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_written_out() {
        assert_eq!(plain("\u{1b}[31mred\u{7}"), "\\u{1b}[31mred\\u{7}");
        assert_eq!(plain("\u{9b}2J\u{7f}\r\t"), "\\u{9b}2J\\u{7f}\\u{d}\\u{9}");
        assert_eq!(plain("\u{202e}kept\u{2066}\u{200b}"), "\\u{202e}kept\\u{2066}\\u{200b}");
        assert_eq!(plain("one\ntwo"), "one\ntwo");
        assert_eq!(in_line("one\ntwo\u{2028}"), "one\\u{a}two\\u{2028}");
    }

    #[test]
    fn other_text_is_left_alone() {
        let text = "b: -> ok · – `größer` 日本 \\u{1b}";
        assert!(matches!(in_line(text), Cow::Borrowed(same) if same == text));
    }
}
