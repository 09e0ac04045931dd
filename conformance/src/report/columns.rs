//! Columns as wide as what stands in them, and lines that are not too long.

use std::fmt::Write as _;

/// A table under construction.
#[derive(Default)]
pub(super) struct Table {
    lines: Vec<Vec<String>>,
}

/// To which side the columns behind the first are pushed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

impl Table {
    pub(super) fn line(&mut self, cells: impl IntoIterator<Item = String>) {
        self.lines.push(cells.into_iter().collect());
    }

    /// How many lines there are, the head included.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// The table; `indent` stands before each line, `gap` between columns.
    pub(super) fn text(&self, indent: &str, gap: &str, side: Side) -> String {
        let columns_count = self.lines.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.lines.iter().filter_map(|line| line.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns_count).map(width).collect();
        let mut text = String::new();
        for line in &self.lines {
            let mut shown = String::new();
            for (place, (cell, width)) in line.iter().zip(&widths).enumerate() {
                let before = if place == 0 { indent } else { gap };
                let _ = match side {
                    Side::Right if place > 0 => write!(shown, "{before}{cell:>width$}"),
                    _ => write!(shown, "{before}{cell:<width$}"),
                };
            }
            let _ = writeln!(text, "{}", shown.trim_end());
        }
        text
    }
}

/// A paragraph in lines of at most `LINE_MAX_CHARS`, the first behind `first`, the others as far to
/// the right.
pub(super) fn paragraph(first: &str, text: &str) -> String {
    let indent = " ".repeat(first.chars().count());
    let mut shown = first.to_owned();
    let mut room = LINE_MAX_CHARS.saturating_sub(indent.len());
    let mut is_fresh = true;
    for word in text.split_whitespace() {
        let len = word.chars().count();
        if !is_fresh && len + 1 > room {
            let _ = write!(shown, "\n{indent}");
            room = LINE_MAX_CHARS.saturating_sub(indent.len());
            is_fresh = true;
        }
        if !is_fresh {
            shown.push(' ');
            room = room.saturating_sub(1);
        }
        shown.push_str(word);
        room = room.saturating_sub(len);
        is_fresh = false;
    }
    shown.push('\n');
    shown
}

/// As wide as the files of the project are.
const LINE_MAX_CHARS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_cells() {
        let mut table = Table::default();
        table.line(["a", "bb"].map(str::to_owned));
        table.line(["ccc", "d"].map(str::to_owned));
        assert_eq!(table.text("  ", "  ", Side::Left), "  a    bb\n  ccc  d\n");
        assert_eq!(table.text("", " ", Side::Right), "a   bb\nccc  d\n");
    }

    #[test]
    fn paragraphs_break_between_words() {
        let word = "x".repeat(60);
        let shown = paragraph("  says ", &format!("{word} {word} y"));
        assert_eq!(shown, format!("  says {word}\n       {word} y\n"));
        let long = "x".repeat(200);
        assert_eq!(paragraph("", &long), format!("{long}\n"));
        assert_eq!(paragraph("- ", ""), "- \n");
    }
}
