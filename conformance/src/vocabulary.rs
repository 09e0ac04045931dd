//! The words that cases use: kinds of objects, and operations. A subject says of one that it does
//! not know that it does not offer it, so a slip of the pen in a new case would look like a gap of
//! the subject's.

use std::collections::BTreeSet;

use crate::case::Case;
use crate::error::Error;
use crate::nearest::did_you_mean;
use crate::script::{Action, Program, Statement, Step, each_statement};
use crate::spot::DataFile;

/// The words of some cases.
#[derive(Default)]
pub(crate) struct Vocabulary {
    kinds: BTreeSet<String>,
    operations: BTreeSet<String>,
}

impl Vocabulary {
    pub(crate) fn of(cases: &[Case]) -> Self {
        let mut all = Self::default();
        for case in cases {
            let Self { kinds, operations } = Self::of_one(case);
            all.kinds.extend(kinds);
            all.operations.extend(operations);
        }
        all
    }

    /// Refuses a word that is new, and nearly one of these. A new word for a new thing is none.
    ///
    /// # Errors
    /// * [`Error::Data`] shows the line.
    pub(crate) fn check(&self, case: &Case, file: &DataFile<'_>) -> Result<(), Error> {
        let own = Self::of_one(case);
        let words = [
            ("kind of object", ": ", "", &own.kinds, &self.kinds),
            ("operation", ".", "(", &own.operations, &self.operations),
        ];
        for (what, before, behind, own, known) in words {
            for word in own.difference(known) {
                let meant = did_you_mean(word, known.iter().map(String::as_str));
                if !meant.is_empty() {
                    let what = format!("no other case has the {what} `{word}`{meant}");
                    return Err(wrong_in(file, case, (before, word, behind), &what));
                }
            }
        }
        Ok(())
    }

    fn of_one(case: &Case) -> Self {
        let mut words = Self::default();
        for object in &case.script.objects {
            words.kinds.insert(object.kind.clone());
        }
        words.steps(&case.script.steps);
        words
    }

    fn steps(&mut self, steps: &[Step]) {
        for step in steps {
            match &step.action {
                Action::Call { op, .. } => {
                    self.operations.insert(op.clone());
                }
                Action::Run { program, .. } => self.program(program),
                Action::Repeat { body, .. }
                | Action::Parallel { body }
                | Action::Forall { body, .. } => self.steps(body),
                _ => {}
            }
        }
    }

    fn program(&mut self, program: &Program) {
        each_statement(program, &mut |statement, _| {
            if let Statement::Call { op, .. } = statement {
                self.operations.insert(op.clone());
            }
        });
    }
}

/// A word of a case's script, at the first place behind the case's id where it stands so.
fn wrong_in(
    file: &DataFile<'_>,
    case: &Case,
    (before, word, behind): (&str, &str, &str),
    what: &str,
) -> Error {
    let start = file.text.find(&format!("\"{}\"", case.id)).unwrap_or(0);
    let rest = file.text.get(start..).unwrap_or("");
    match rest.find(&format!("{before}{word}{behind}")) {
        Some(at) => {
            let at = start + at + before.len();
            file.wrong(at..at + word.len(), what)
        }
        None => file.wrong_word(start, &case.id, what),
    }
}
