//! The words of a script.

use super::ParseError;
use crate::script::Span;

/// A word and the bytes of the line where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    /// A name, a key word or an error kind: letters, digits, `_`, and `-` inside.
    Word(String),
    /// A number with its unit, which may be empty.
    Number { digits: String, unit: String },
    /// A text in double quotes, without them.
    Text(String),
    /// One of `MARKS`.
    Mark(&'static str),
    /// The end of a line.
    LineEnd,
}

/// Splits a text into its words; a comment ends its line.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, ParseError> {
    let mut found = Vec::new();
    for (place, line) in text.lines().enumerate() {
        let end = words_of_line(place + 1, line, &mut found)?;
        let span = Span { line: place + 1, start: end, end: end + 1 };
        found.push(Token { kind: TokenKind::LineEnd, span });
    }
    Ok(found)
}

/// Adds the words of a line; returns where the last of them ends.
fn words_of_line(line: usize, text: &str, found: &mut Vec<Token>) -> Result<usize, ParseError> {
    let (mut at, mut end) = (0, 0);
    while let Some(first) = text[at..].chars().next() {
        if first == '#' {
            break;
        }
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (kind, len) = token(&text[at..]).map_err(|(message, len)| {
            let span = Span { line, start: at, end: at + len };
            ParseError { message, span }
        })?;
        found.push(Token { kind, span: Span { line, start: at, end: at + len } });
        at += len;
        end = at;
    }
    Ok(end)
}

type Found = Result<(TokenKind, usize), (String, usize)>;

fn token(rest: &str) -> Found {
    let first = rest.chars().next().unwrap_or(' ');
    if first == '"' {
        return text(rest);
    }
    if first.is_ascii_digit() {
        return Ok(number(rest));
    }
    if first.is_ascii_alphabetic() {
        let len = word_len(rest);
        return Ok((TokenKind::Word(rest[..len].to_owned()), len));
    }
    match MARKS.iter().find(|mark| rest.starts_with(**mark)) {
        Some(mark) => Ok((TokenKind::Mark(mark), mark.len())),
        None => Err((format!("`{first}` means nothing here"), first.len_utf8())),
    }
}

/// The longer of two that begin alike comes first.
const MARKS: &[&str] =
    &["->", "==", ":", ".", "(", ")", "=", ",", "|", "-", "{", "}", "[", "]", ";", "$"];

/// Up to the quotation mark that no `\` stands before; written as JSON writes it.
fn text(rest: &str) -> Found {
    let mut escaped = true;
    for (at, byte) in rest.bytes().enumerate() {
        if byte == b'"' && !escaped {
            return match serde_json::from_str(&rest[..=at]) {
                Ok(text) => Ok((TokenKind::Text(text), at + 1)),
                Err(_) => Err(("this is no text as JSON writes it".to_owned(), at + 1)),
            };
        }
        // The opening mark counts as escaped, so that it does not close the text.
        escaped = at > 0 && byte == b'\\' && !escaped;
    }
    Err(("this text has no closing quotation mark".to_owned(), rest.len()))
}

fn number(rest: &str) -> (TokenKind, usize) {
    let digits_len = len_while(rest, |byte| byte.is_ascii_digit());
    let mut len = digits_len;
    if rest[len..].starts_with('.') {
        let fraction = len_while(&rest[len + 1..], |byte| byte.is_ascii_digit());
        if fraction > 0 {
            len += 1 + fraction;
        }
    }
    let unit_len = len_while(&rest[len..], |byte| byte.is_ascii_alphabetic());
    let (digits, unit) = (rest[..len].to_owned(), rest[len..len + unit_len].to_owned());
    (TokenKind::Number { digits, unit }, len + unit_len)
}

/// A `-` belongs to a word when a letter or a digit follows, so that `a->` is a word and an arrow.
fn word_len(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut len = 0;
    while len < bytes.len() {
        let inside = match bytes[len] {
            b'_' => true,
            b'-' => bytes.get(len + 1).is_some_and(u8::is_ascii_alphanumeric),
            byte => byte.is_ascii_alphanumeric(),
        };
        if !inside {
            break;
        }
        len += 1;
    }
    len
}

/// Whether this is one word, as a name is.
pub(crate) fn is_word(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic()) && word_len(text) == text.len()
}

fn len_while(text: &str, keep: impl Fn(u8) -> bool) -> usize {
    text.bytes().take_while(|byte| keep(*byte)).count()
}
