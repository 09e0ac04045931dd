//! Text within HTML and XML, whatever a subject said in it.

use super::plain::plain;

/// The text as it stands between tags, or in an attribute's quotes. What a terminal would obey is
/// written out, as in the other reports, so that pages show the same; so is what XML forbids.
pub(super) fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in plain(text).chars() {
        match letter {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => shown.extend(letter.escape_unicode()),
            letter => shown.push(letter),
        }
    }
    shown
}

/// The same within a line, as an attribute is: a line break is written out, too.
pub(super) fn attribute(text: &str) -> String {
    escaped(&super::plain::in_line(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_opens_a_tag_or_leaves_an_attribute() {
        let evil = "</script><b a='x' c=\"y\">&amp;\u{1b}\u{ffff}";
        let shown = escaped(evil);
        assert!(!shown.contains(['<', '>', '"', '\'', '\u{1b}', '\u{ffff}']), "{shown}");
        assert_eq!(escaped("a<b>&c"), "a&lt;b&gt;&amp;c");
        assert_eq!(attribute("one\n\"two\""), "one\\u{a}&quot;two&quot;");
    }
}
