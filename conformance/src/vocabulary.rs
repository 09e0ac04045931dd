//! The words that cases use: kinds of objects, operations, and the names of arguments. A subject
//! says of one that it does not know that it does not offer it, so a slip of the pen in a new case
//! would look like a gap of the subject's.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::case::Case;
use crate::error::Error;
use crate::nearest::did_you_mean;
use crate::script::{Action, Arguments, Program, Statement, Step, each_statement, functions};
use crate::spot::DataFile;

/// The words of some cases.
#[derive(Default)]
pub(crate) struct Vocabulary {
    pub(crate) kinds: BTreeSet<String>,
    pub(crate) operations: BTreeSet<String>,
    /// What is given to each kind that is made, and to each operation, by its name.
    arguments: BTreeMap<String, BTreeMap<String, Values>>,
}

/// What is given by one name.
#[derive(Default)]
struct Values {
    /// Numbers are among it.
    has_numbers: bool,
    /// The texts among it: `infinity`, or what is a text altogether.
    texts: BTreeSet<String>,
}

impl Vocabulary {
    pub(crate) fn of(cases: &[Case]) -> Self {
        let mut all = Self::default();
        cases.iter().for_each(|case| all.take(case));
        all
    }

    /// Refuses a word that is new, and nearly one of these. A new word for a new thing is none.
    ///
    /// # Errors
    /// * [`Error::Data`] shows the line.
    pub(crate) fn check(&self, case: &Case, file: &DataFile<'_>) -> Result<(), Error> {
        let mut own = Self::default();
        own.take(case);
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
        own.arguments.iter().try_for_each(|(taker, own)| {
            self.arguments.get(taker).map_or(Ok(()), |known| check(case, file, taker, own, known))
        })
    }

    fn take(&mut self, case: &Case) {
        for object in &case.script.objects {
            self.made(&object.kind, &object.args);
        }
        self.steps(&case.script.steps);
    }

    fn steps(&mut self, steps: &[Step]) {
        for step in steps {
            match &step.action {
                Action::Call { op, args, .. } => self.called(op, args),
                Action::Run { program, .. } => self.program(program),
                Action::Repeat { body, .. }
                | Action::Parallel { body }
                | Action::Forall { body, .. } => self.steps(body),
                _ => {}
            }
        }
    }

    /// The functions that are given to a call or an object are its own words, too.
    fn program(&mut self, program: &Program) {
        each_statement(program, &mut |statement, _| match statement {
            Statement::Call { op, args, .. } => {
                self.operations.insert(op.clone());
                self.given(op, args);
            }
            Statement::Make { kind, args, .. } => {
                self.kinds.insert(kind.clone());
                self.given(kind, args);
            }
            _ => {}
        });
    }

    fn called(&mut self, op: &str, args: &Arguments) {
        self.operations.insert(op.to_owned());
        self.given(op, args);
        functions(args).for_each(|function| self.program(&function));
    }

    fn made(&mut self, kind: &str, args: &Arguments) {
        self.kinds.insert(kind.to_owned());
        self.given(kind, args);
        functions(args).for_each(|function| self.program(&function));
    }

    fn given(&mut self, taker: &str, args: &Arguments) {
        let known = self.arguments.entry(taker.to_owned()).or_default();
        for (name, value) in args {
            let values = known.entry(name.clone()).or_default();
            match value {
                Value::Number(_) => values.has_numbers = true,
                Value::String(text) => {
                    values.texts.insert(text.clone());
                }
                _ => {}
            }
        }
    }
}

/// Whether what is given here has names that others have, too, and no text stands for a number, as
/// `"50ms"` does.
fn check(
    case: &Case,
    file: &DataFile<'_>,
    taker: &str,
    own: &BTreeMap<String, Values>,
    known: &BTreeMap<String, Values>,
) -> Result<(), Error> {
    for (name, values) in own {
        let wrong = |what: &str| Err(wrong_in(file, case, ("", name, "="), what));
        let Some(others) = known.get(name) else {
            let meant = did_you_mean(name, known.keys().map(String::as_str));
            if meant.is_empty() {
                continue;
            }
            return wrong(&format!("no other case gives `{name}` to `{taker}`{meant}"));
        };
        let is_length = |text: &&String| text.starts_with(|first: char| first.is_ascii_digit());
        if others.has_numbers
            && let Some(text) = values.texts.difference(&others.texts).find(is_length)
        {
            return wrong(&format!("{text:?} is a text, and other cases give a number here"));
        }
    }
    Ok(())
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
