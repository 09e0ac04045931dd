//! One JSON line a verdict, and one with totals at the end of each subject. The format has its own
//! section in `docs/protocol.md`; fields are added, never changed.

use std::fs::File;
use std::io::{BufWriter, Write};

use serde::Serialize;

use crate::catalogue::Catalogue;
use crate::error::Error;
use crate::judgement::{Judgement, Standing};
use crate::verdict::Verdict;

/// A file of JSON lines that is being written.
pub struct JsonFile {
    path: String,
    file: BufWriter<File>,
}

impl JsonFile {
    /// Opens the file, before anything is run for it.
    ///
    /// # Errors
    /// * [`Error::Write`] when it cannot be made.
    pub fn create(path: &str) -> Result<Self, Error> {
        let file = File::create(path).map_err(|source| write_error(path, source))?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file) })
    }

    /// Writes the lines of one subject.
    ///
    /// # Errors
    /// * [`Error::Write`] when the file takes no more.
    pub fn subject(&mut self, judgement: &Judgement, catalogue: &Catalogue) -> Result<(), Error> {
        let subject = judgement.hello.name.as_str();
        for line in &judgement.lines {
            self.line(&VerdictLine {
                kind: "verdict",
                subject,
                group: &line.group,
                behaviour: &line.behaviour,
                case: line.case.as_deref(),
                level: line.level.slug(),
                verdict: line.verdict.slug(),
                expected: line.expected.slug(),
                millis: line.millis,
                detail: line.detail.as_deref(),
                form: line.form.as_deref(),
                standing: line.standing.slug(),
                reason: line.reason.as_deref(),
            })?;
        }
        self.line(&TotalLine::of(judgement, catalogue))?;
        self.file.flush().map_err(|source| write_error(&self.path, source))
    }

    fn line(&mut self, line: &impl Serialize) -> Result<(), Error> {
        let written = serde_json::to_writer(&mut self.file, line).map_err(Into::into);
        let written = written.and_then(|()| self.file.write_all(b"\n"));
        written.map_err(|source| write_error(&self.path, source))
    }
}

#[derive(Serialize)]
struct VerdictLine<'a> {
    kind: &'a str,
    subject: &'a str,
    group: &'a str,
    behaviour: &'a str,
    case: Option<&'a str>,
    level: &'a str,
    verdict: &'a str,
    expected: &'a str,
    millis: u64,
    detail: Option<&'a str>,
    form: Option<&'a str>,
    standing: &'a str,
    reason: Option<&'a str>,
}

#[derive(Serialize)]
struct TotalLine<'a> {
    kind: &'a str,
    subject: &'a str,
    kept: usize,
    prevented: usize,
    broken: usize,
    hung: usize,
    died: usize,
    unsupported: usize,
    error: usize,
    untested: usize,
    unexpected: usize,
    seed: u64,
    catalogue: &'a str,
    purlin: &'a str,
    version: &'a str,
    not_judged: usize,
    scaled: usize,
}

impl<'a> TotalLine<'a> {
    fn of(judgement: &'a Judgement, catalogue: &'a Catalogue) -> Self {
        let count = |verdict| judgement.count(verdict);
        Self {
            kind: "total",
            subject: &judgement.hello.name,
            kept: count(Verdict::Kept),
            prevented: count(Verdict::Prevented),
            broken: count(Verdict::Broken),
            hung: count(Verdict::Hung),
            died: count(Verdict::Died),
            unsupported: count(Verdict::Unsupported),
            error: count(Verdict::Error),
            untested: count(Verdict::Untested),
            unexpected: judgement.unexpected_count(),
            seed: judgement.seed,
            catalogue: catalogue.version(),
            purlin: env!("CARGO_PKG_VERSION"),
            version: &judgement.hello.version,
            not_judged: judgement.standing_count(Standing::NotJudged),
            scaled: judgement.outcomes.iter().filter(|asked| asked.outcome.is_scaled).count(),
        }
    }
}

fn write_error(path: &str, source: std::io::Error) -> Error {
    Error::Write { path: path.to_owned(), source }
}
