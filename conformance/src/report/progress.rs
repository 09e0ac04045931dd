//! How far a run is, on one line of a terminal that is drawn again and again; and what came of each
//! of many.

use std::io::{self, IsTerminal, Write};

use super::changed::seeds;
use super::plain::in_line;
use crate::judgement::Judgement;
use crate::suite::Progress;
use crate::verdict::Verdict;

/// The line on standard error; where that is no terminal, it is not drawn.
pub struct Display {
    is_terminal: bool,
}

impl Display {
    /// Looks whether somebody watches.
    pub fn new() -> Self {
        Self { is_terminal: io::stderr().is_terminal() }
    }

    /// Shows how far the run on a subject is.
    pub fn draw(&self, subject: &str, progress: &Progress<'_>) {
        if self.is_terminal {
            let size = rustix::termios::tcgetwinsize(io::stderr());
            let width = size.map_or(WIDTH, |size| usize::from(size.ws_col).max(1));
            let text = shown(subject, progress, width - 1);
            // Nobody is harmed by a line that cannot be drawn.
            let _ = write!(io::stderr(), "\r\x1b[K{text}");
        }
    }

    /// Says what came of a run that others follow, on a line that stays, whoever watches.
    pub fn tell(&self, run: &str, judgement: &Judgement) {
        self.clear();
        // As above.
        let _ = writeln!(io::stderr(), "{}", ended(run, judgement));
    }

    /// Takes the line away.
    pub fn clear(&self) {
        if self.is_terminal {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

impl Default for Display {
    fn default() -> Self {
        Self::new()
    }
}

/// The width where the terminal does not say it.
const WIDTH: usize = 80;

/// `purlin-fork 12/84: 11 kept, 1 broken; now lock/held-waits`, cut to the width, since a line
/// that runs over could not be drawn again.
fn shown(subject: &str, progress: &Progress<'_>, width: usize) -> String {
    let Progress { case, form, count, done } = progress;
    let counts: Vec<String> = Verdict::ALL
        .into_iter()
        .filter_map(|verdict| {
            let found = done.iter().filter(|asked| asked.outcome.verdict == verdict).count();
            (found > 0).then(|| format!("{found} {}", verdict.slug()))
        })
        .collect();
    let counts = if counts.is_empty() { String::new() } else { format!("{}; ", counts.join(", ")) };
    let is_own = case.split('/').next() == Some(*form);
    let form = if is_own { String::new() } else { format!(" ({form})") };
    let text = format!("{subject} {}/{count}: {counts}now {case}{form}", done.len() + 1);
    in_line(&text).chars().take(width).collect()
}

/// `purlin-fork, run 3 of 20, seed 3: nothing unexpected`.
fn ended(run: &str, judgement: &Judgement) -> String {
    let came = match judgement.unexpected_count() {
        0 => "nothing unexpected".to_owned(),
        1 => "1 behaviour unexpected".to_owned(),
        count => format!("{count} behaviours unexpected"),
    };
    in_line(&format!("{run} {}: {came}", seeds(&judgement.seeds))).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_and_obeyed_by_nobody() {
        let progress = Progress { case: "lock/try", form: "lock", count: 84, done: &[] };
        assert_eq!(shown("x\r", &progress, 200), "x\\u{d} 1/84: now lock/try");
        assert_eq!(shown("x", &progress, 9), "x 1/84: n");
        let progress = Progress { form: "turn\u{1b}", ..progress };
        assert_eq!(shown("x", &progress, 200), "x 1/84: now lock/try (turn\\u{1b})");
    }
}
