//! The report as one page: no network, and nothing but what is in it. Wide enough for several
//! subjects side by side, and readable on a phone, in the dark and aloud.
//!
//! Whatever a subject said is text here. Were it not, the page's own policy would still refuse it:
//! only the one script and the one sheet of styles that are named by their sums are obeyed.

mod cases;
mod deviations;
mod front;
mod rest;

use std::fmt::Write as _;

use super::deviation::Again;
use super::markup::escaped;
use super::text::{Row, head};
use crate::suite::Suite;

/// The page. `program` is what starts this program, for a shell.
pub fn html(suite: &Suite, rows: &[Row], program: &str) -> String {
    let again = Again { suite, program };
    let found = deviations::Found::of(&again, rows);
    let mut text = start(suite, rows);
    text.push_str("<main>\n");
    text.push_str(&front::cards(suite, rows));
    text.push_str(&front::groups(suite, rows));
    text.push_str(&deviations::section(&again, rows, &found));
    text.push_str(&cases::section(suite, rows, &found));
    text.push_str(&rest::sections(suite, rows));
    text.push_str("</main>\n");
    let _ = write!(text, "{}", end(program));
    text
}

fn start(suite: &Suite, rows: &[Row]) -> String {
    let policy = format!(
        "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{STYLE_SUM}'; \
         script-src 'sha256-{SCRIPT_SUM}'"
    );
    let names: Vec<String> = rows.iter().map(|row| escaped(&name(row))).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n\
         <title>Promises kept: {}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#deviations\">To the deviations</a>\n\
         <header>\n<h1>Which promises are kept?</h1>\n<p>{}</p>\n{CONTENTS}</header>\n",
        names.join(", "),
        escaped(head(suite, rows).trim_end()),
    )
}

const CONTENTS: &str = "<nav aria-label=\"This page\"><a href=\"#subjects\">Subjects</a> \
    <a href=\"#groups\">Groups</a> <a href=\"#deviations\">Deviations</a> \
    <a href=\"#cases\">Cases</a> <a href=\"#rest\">What is not judged</a></nav>\n";

fn end(program: &str) -> String {
    format!(
        "<footer>\n<p>A promise is <em>kept</em> when every case that shows it came as its script \
         says, in every form; <em>prevented</em> when the interface makes the break impossible. \
         Known deviations stand in the list of their subject, with a reason each. \
         <code>{} explain ID</code> says all about a promise or a case.</p>\n</footer>\n\
         <script>{SCRIPT}</script>\n</body>\n</html>\n",
        escaped(program)
    )
}

/// What a column is called.
fn name(row: &Row) -> String {
    match row {
        Row::Judged(judgement) => judgement.hello.name.clone(),
        Row::Absent { name, .. } => name.clone(),
    }
}

/// The head of a table with a column a subject.
fn head_row(first: &str, rows: &[Row], last: Option<&str>) -> String {
    let mut text = format!("<thead><tr><th scope=\"col\">{first}</th>");
    for row in rows {
        let absent = if row.judgement().is_none() { " <small>(absent)</small>" } else { "" };
        let _ = write!(text, "<th scope=\"col\">{}{absent}</th>", escaped(&name(row)));
    }
    if let Some(last) = last {
        let _ = write!(text, "<th scope=\"col\">{last}</th>");
    }
    text.push_str("</tr></thead>\n");
    text
}

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// SHA-256 of what stands between the tags, as a page's policy has it; a test holds them to it.
const STYLE_SUM: &str = "YeGA/x4jKKJmoKlkuzd1SsP5t788ZU5JJSe3Hb79E2w=";
const SCRIPT_SUM: &str = "aW+Qqmql29XePAFrfSlc2Uij9EjYYvpJCS7aitnliU4=";

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    /// As RFC 4648 has it; a sum of 32 bytes ends in one letter of padding.
    fn base64(bytes: &[u8]) -> String {
        const LETTERS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for group in bytes.chunks(3) {
            let byte = |place: usize| u32::from(group.get(place).copied().unwrap_or(0));
            let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
            for place in 0..4 {
                let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
                text.push(if place > group.len() { '=' } else { char::from(letter) });
            }
        }
        text
    }

    #[test]
    fn the_policy_names_the_script_and_the_styles_that_there_are() {
        let sum = |text: &str| base64(&Sha256::digest(text.as_bytes()));
        assert_eq!(STYLE_SUM, sum(STYLE));
        assert_eq!(SCRIPT_SUM, sum(SCRIPT));
    }
}
