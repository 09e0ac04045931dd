//! The compass: figures that say where to look. Nothing fails by them.

use std::collections::BTreeMap;
use std::io;

use crate::code::Code;
use crate::tidy::{UNGUARDED, code_line_count, hazards, promises};
use crate::tree::{Source, Tree};

/// A file of a primitive is up to this long, comments apart; any is up to the next.
const FILE_LINES: [usize; 2] = [350, 600];

/// One function: where it begins and its lines, from `fn` to its brace.
#[derive(Debug, PartialEq)]
struct Function {
    place: String,
    line_count: usize,
}

/// Prints the figures.
pub(crate) fn run() -> io::Result<bool> {
    let tree = Tree::read()?;
    print_functions(&tree);
    print_files(&tree);
    print_unsafe(&tree);
    print_hazards(&tree);
    print_promises(&tree);
    Ok(true)
}

fn print_functions(tree: &Tree) {
    let mut functions: Vec<Function> = tree.shipped().flat_map(functions).collect();
    functions.sort_by_key(|function| function.line_count);
    let at = |percent: usize| {
        let index = functions.len().saturating_sub(1) * percent / 100;
        functions.get(index).map_or(0, |function| function.line_count)
    };
    println!("functions           {}", functions.len());
    println!("  lines, median     {:>4}   wanted: 4 to 7", at(50));
    println!("  lines, p90        {:>4}   wanted: under 30", at(90));
    for function in functions.iter().rev().take(3) {
        println!("  longest           {:>4}   {}", function.line_count, function.place);
    }
}

fn print_files(tree: &Tree) {
    for limit in FILE_LINES {
        let is_long = |source: &&Source| code_line_count(&source.text) > limit;
        let long: Vec<&str> =
            tree.rust().filter(is_long).map(|source| source.path.as_str()).collect();
        println!("files over {limit}      {:>4}   {}", long.len(), long.join(" "));
    }
}

fn print_unsafe(tree: &Tree) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for source in tree.shipped() {
        *counts.entry(source.folder()).or_default() += unsafe_block_count(&source.text);
    }
    for (folder, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        println!("unsafe blocks       {count:>4}   {folder}");
    }
}

fn print_hazards(tree: &Tree) {
    let rows = tree.find("ARCHITECTURE.md").map(|source| hazards(&source.text)).unwrap_or_default();
    let unguarded = rows.iter().filter(|(_, guard)| guard == UNGUARDED).count();
    println!("hazards unguarded   {unguarded:>4}   of {}", rows.len());
}

fn print_promises(tree: &Tree) {
    let promises = promises(tree);
    let is_case = |source: &&Source| source.path.starts_with("conformance/cases/");
    let shown: std::collections::HashSet<&str> = tree
        .sources
        .iter()
        .filter(is_case)
        .flat_map(|source| source.text.split("\nshows = [").skip(1))
        .flat_map(|list| list.split(']').next().unwrap_or_default().split('"').skip(1).step_by(2))
        .filter(|id| promises.contains(id))
        .collect();
    println!("promises untested   {:>4}   of {}", promises.len() - shown.len(), promises.len());
}

fn unsafe_block_count(text: &str) -> usize {
    let code = Code::new(text).text();
    let blocks = code.match_indices("unsafe");
    blocks.filter(|(at, word)| code[at + word.len()..].trim_start().starts_with('{')).count()
}

/// The functions with a body in a file, those of its test module apart.
fn functions(source: &Source) -> Vec<Function> {
    let code = Code::new(&source.text);
    let is_tests = |line: &crate::code::Line| line.code.trim() == "#[cfg(test)]";
    let end = code.lines.iter().position(is_tests).unwrap_or(code.lines.len());
    let lines: Vec<&str> = code.lines[..end].iter().map(|line| line.code.as_str()).collect();
    let starts = (0..lines.len()).filter(|index| begins_function(lines[*index]));
    starts
        .filter_map(|index| {
            let line_count = body_line_count(&lines[index..])?;
            Some(Function { place: format!("{}:{}", source.path, index + 1), line_count })
        })
        .collect()
}

/// Whether a function's head is on this line; a type such as `fn(u32)` has no name.
fn begins_function(line: &str) -> bool {
    let words = ["pub ", "pub(crate) ", "pub(super) ", "const ", "unsafe ", "extern ", "async "];
    let mut rest = line.trim_start();
    while let Some(word) = words.iter().find(|word| rest.starts_with(**word)) {
        rest = rest[word.len()..].trim_start();
    }
    rest.starts_with("fn ")
}

/// Lines from the first to the brace that closes what it opens; `None` where there is no body.
fn body_line_count(lines: &[&str]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut brackets = 0_usize;
    for (index, line) in lines.iter().enumerate() {
        for character in line.chars() {
            match character {
                '(' | '[' => brackets += 1,
                ')' | ']' => brackets = brackets.saturating_sub(1),
                '{' => depth += 1,
                '}' if depth <= 1 => return Some(index + 1),
                '}' => depth -= 1,
                ';' if depth == 0 && brackets == 0 => return None,
                _ => {}
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_measured_from_head_to_brace() {
        let text = "fn one() {}\n\n    pub(crate) const fn two(\n        a: [u8; 2],\n    ) {\n    \
                    if a {\n    }\n    }\ntrait T { \n    fn none(&self);\n}\ntype F = fn(u32);\n\
                    // fn not() {}\n#[cfg(test)]\nmod tests {\n    fn test() {}\n}\n";
        let source = Source { path: "a/src/b.rs".to_owned(), text: text.to_owned() };
        let found = functions(&source);
        let expected = [("a/src/b.rs:1", 1), ("a/src/b.rs:3", 6)];
        let expected =
            expected.map(|(place, line_count)| Function { place: place.to_owned(), line_count });
        assert_eq!(found, expected);
    }

    #[test]
    fn unsafe_functions_are_no_blocks() {
        assert_eq!(unsafe_block_count("unsafe fn f() { unsafe { g() } } // unsafe {"), 1);
    }
}
