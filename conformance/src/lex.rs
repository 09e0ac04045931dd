//! The words of one line of a script.

use crate::parse::ParseError;
use crate::script::Span;

/// A word and the bytes of the line where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TokenKind {
    /// A name, a key word or an error kind: letters, digits, `_`, and `-` inside.
    Word(String),
    /// A number with its unit, which may be empty.
    Number { digits: String, unit: String },
    /// A text in double quotes, without them.
    Text(String),
    /// One of `: . ( ) = , | -> -`.
    Mark(&'static str),
}

/// Splits one line into its words; a comment ends it.
pub(crate) fn tokens(line: usize, text: &str) -> Result<Vec<Token>, ParseError> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        if first == '#' {
            break;
        }
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (kind, len) = token(rest).map_err(|(message, len)| {
            let span = Span { line, start: at, end: at + len };
            ParseError { message, span }
        })?;
        found.push(Token { kind, span: Span { line, start: at, end: at + len } });
        at += len;
    }
    Ok(found)
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

/// `->` comes first, or it would be read as `-`.
const MARKS: &[&str] = &["->", ":", ".", "(", ")", "=", ",", "|", "-"];

fn text(rest: &str) -> Found {
    let inner = &rest[1..];
    match inner.find('"') {
        Some(len) => Ok((TokenKind::Text(inner[..len].to_owned()), len + 2)),
        None => Err(("this text has no closing quotation mark".to_owned(), rest.len())),
    }
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

fn len_while(text: &str, keep: impl Fn(u8) -> bool) -> usize {
    text.bytes().take_while(|byte| keep(*byte)).count()
}
