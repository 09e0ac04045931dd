//! Rust text without its comments and its strings, for rules that look for words.
//!
//! A scanner of a page, not a parser: it knows where comments, strings and characters begin and end
//! and keeps every line where it was.

/// One source text three ways, line by line: as it is, the code alone, and the comments alone.
pub(crate) struct Code {
    pub(crate) lines: Vec<Line>,
}

pub(crate) struct Line {
    pub(crate) raw: String,
    /// The line with comments and the insides of literals replaced by spaces.
    pub(crate) code: String,
    /// What stands in comments on this line.
    pub(crate) comment: String,
}

/// Where the scanner is.
#[derive(Clone, Copy)]
enum Place {
    Code,
    LineComment,
    BlockComment { depth: usize },
    Text,
    RawText { hash_count: usize },
    Character,
}

impl Code {
    pub(crate) fn new(text: &str) -> Self {
        let mut place = Place::Code;
        Self { lines: text.lines().map(|raw| scan_line(raw, &mut place)).collect() }
    }

    /// The code of all lines, comments and literals blanked.
    pub(crate) fn text(&self) -> String {
        self.lines.iter().map(|line| line.code.as_str()).collect::<Vec<_>>().join("\n")
    }

    /// Numbers of the lines (from 1) whose code has `word`, not as a part of a longer word.
    pub(crate) fn lines_with(&self, word: &str) -> impl Iterator<Item = usize> {
        let numbered = self.lines.iter().enumerate();
        numbered.filter(move |(_, line)| has_word(&line.code, word)).map(|(index, _)| index + 1)
    }
}

/// Whether `code` has `word` with no letter, digit or underscore on either side.
pub(crate) fn has_word(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        ![before, after].into_iter().flatten().any(is_word)
    })
}

pub(crate) fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn scan_line(raw: &str, place: &mut Place) -> Line {
    if matches!(place, Place::LineComment | Place::Character) {
        *place = Place::Code;
    }
    let (mut code, mut comment) = (String::new(), String::new());
    let mut rest = raw;
    while !rest.is_empty() {
        let was = *place;
        let taken_bytes = step(rest, place);
        let (taken, left) = rest.split_at(taken_bytes);
        let in_comment = |place| matches!(place, Place::LineComment | Place::BlockComment { .. });
        let is_comment = in_comment(was) || in_comment(*place);
        let is_code = matches!(was, Place::Code) && matches!(*place, Place::Code);
        for character in taken.chars() {
            code.push(if is_code { character } else { ' ' });
            comment.push(if is_comment { character } else { ' ' });
        }
        rest = left;
    }
    Line { raw: raw.to_owned(), code, comment: comment.trim().to_owned() }
}

/// Moves over what stands at the start of `rest` and returns its length; at least one character.
fn step(rest: &str, place: &mut Place) -> usize {
    let first_bytes = rest.chars().next().map_or(1, char::len_utf8);
    let second_bytes = || rest[first_bytes..].chars().next().map_or(0, char::len_utf8);
    match *place {
        Place::Code => step_code(rest, first_bytes, place),
        Place::LineComment => rest.len(),
        Place::BlockComment { depth } if rest.starts_with("*/") => {
            let is_last = depth == 1;
            *place = if is_last { Place::Code } else { Place::BlockComment { depth: depth - 1 } };
            2
        }
        Place::BlockComment { depth } if rest.starts_with("/*") => {
            *place = Place::BlockComment { depth: depth + 1 };
            2
        }
        Place::Text | Place::Character if rest.starts_with('\\') => first_bytes + second_bytes(),
        Place::Text if rest.starts_with('"') => close(place, 1),
        Place::Character if rest.starts_with('\'') => close(place, 1),
        Place::RawText { hash_count } if closes_raw(rest, hash_count) => {
            close(place, 1 + hash_count)
        }
        _ => first_bytes,
    }
}

fn step_code(rest: &str, first_bytes: usize, place: &mut Place) -> usize {
    if rest.starts_with("//") {
        *place = Place::LineComment;
        return rest.len();
    }
    if rest.starts_with("/*") {
        *place = Place::BlockComment { depth: 1 };
        return 2;
    }
    // A word is taken whole, so that the r of `for"` cannot begin a raw string.
    let word_bytes = rest.find(|character| !is_word(character)).unwrap_or(rest.len());
    let after = &rest[word_bytes..];
    let hash_count = after.len() - after.trim_start_matches('#').len();
    let is_raw = matches!(&rest[..word_bytes], "r" | "br" | "cr");
    if is_raw && after[hash_count..].starts_with('"') {
        *place = Place::RawText { hash_count };
        return word_bytes + hash_count + 1;
    }
    if word_bytes > 0 {
        return word_bytes;
    }
    match rest.as_bytes()[0] {
        b'"' => *place = Place::Text,
        b'\'' if is_character(rest) => *place = Place::Character,
        _ => {}
    }
    first_bytes
}

/// Tells a character from a lifetime: `'a'` and `'\n'` from `'a`.
fn is_character(rest: &str) -> bool {
    let mut inside = rest[1..].chars();
    match inside.next() {
        Some('\\') => true,
        Some(_) => inside.next() == Some('\''),
        None => false,
    }
}

fn closes_raw(rest: &str, hash_count: usize) -> bool {
    rest.strip_prefix('"').is_some_and(|after| {
        after.len() >= hash_count && after.bytes().take(hash_count).all(|byte| byte == b'#')
    })
}

fn close(place: &mut Place, taken_bytes: usize) -> usize {
    *place = Place::Code;
    taken_bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_of(text: &str) -> String {
        Code::new(text).text()
    }

    #[test]
    fn comments_and_literals_are_blanked_and_lines_stay() {
        assert!(!code_of("let a = \"unsafe \\\" unsafe\"; // unsafe").contains("unsafe"));
        assert!(!code_of("r#\"unsafe \" unsafe\"# /* a /* unsafe */ unsafe */").contains("unsafe"));
        assert!(code_of("let c = '\"'; unsafe {}").contains("unsafe"));
        assert!(code_of("fn f<'a>(x: &'a str) { unsafe {} }").contains("unsafe"));
        assert!(
            code_of("/* a\nb */ unsafe {}\n'\\'' ; unsafe")
                .lines()
                .skip(1)
                .all(|l| { l.contains("unsafe") })
        );
        assert!(!code_of("let s = \"one\n unsafe\n\";").contains("unsafe"));
    }

    #[test]
    fn comments_are_kept_apart() {
        let code = Code::new("a(); // why\n/* also\nthis */ b();");
        let comments: Vec<_> = code.lines.iter().map(|line| line.comment.as_str()).collect();
        assert_eq!(comments, ["// why", "/* also", "this */"]);
    }

    #[test]
    fn a_word_is_whole() {
        assert!(has_word("x.unsafe {", "unsafe") && !has_word("unsafe_code", "unsafe"));
    }
}
