//! Why a case ended before its end, and how what came is shown.

use serde_json::Value;

use crate::script::{Millis, Outcome as Wanted, Span};
use crate::subject::{Blame, Fault, quote};
use crate::verdict::Verdict;

/// Why a case ended before its end.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) verdict: Verdict,
    pub(crate) span: Option<Span>,
    pub(crate) expected: String,
    pub(crate) came: String,
    /// The rounds in which it ended, outermost first.
    pub(crate) within: Vec<String>,
}

/// What a call came back with.
#[derive(Debug)]
pub(super) enum Came {
    Value(Value),
    Error(String, String),
}

impl End {
    fn new(verdict: Verdict, expected: String, came: String) -> Self {
        Self { verdict, span: None, expected, came, within: Vec::new() }
    }

    pub(crate) fn broken(expected: String, came: String) -> Self {
        Self::new(Verdict::Broken, expected, came)
    }

    pub(crate) fn hung(expected: String, came: String) -> Self {
        Self::new(Verdict::Hung, expected, came)
    }

    pub(crate) fn died(came: String) -> Self {
        Self::new(Verdict::Died, String::new(), came)
    }

    pub(crate) fn prevented(expected: String, why: String) -> Self {
        Self::new(Verdict::Prevented, expected, why)
    }

    pub(crate) fn unsupported(came: String) -> Self {
        Self::new(Verdict::Unsupported, String::new(), came)
    }

    pub(crate) fn untested(came: String) -> Self {
        Self::new(Verdict::Untested, String::new(), came)
    }

    /// The suite itself failed, or the script makes no sense.
    pub(crate) fn error(came: String) -> Self {
        Self::new(Verdict::Error, String::new(), came)
    }

    /// The same, at this place unless one further inside is known.
    pub(super) fn at(self, span: Span) -> Self {
        Self { span: self.span.or(Some(span)), ..self }
    }

    /// The same, in this round of a block around.
    pub(super) fn within(mut self, round: String) -> Self {
        self.within.insert(0, round);
        self
    }
}

impl From<Fault> for End {
    fn from(Fault(text, blame): Fault) -> Self {
        match blame {
            Blame::Adapter => Self::died(format!("the adapter {text}")),
            Blame::Suite => Self::error(text),
        }
    }
}

impl Came {
    pub(super) fn is(&self, wanted: &Wanted) -> bool {
        match (self, wanted) {
            (Self::Value(value), Wanted::Value(wanted)) => value == wanted,
            (Self::Value(value), Wanted::Kept(_)) => !value.is_null(),
            (Self::Value(value), Wanted::OtherThan(other)) => !value.is_null() && value != other,
            (Self::Error(kind, _), Wanted::Error(wanted)) => kind == wanted,
            _ => false,
        }
    }

    pub(super) fn shown(&self, took_nanos: Option<u64>) -> String {
        let what = match self {
            Self::Value(value) => Wanted::Value(value.clone()).to_string(),
            Self::Error(kind, text) => with_text(kind, text),
        };
        took_nanos.map_or(what.clone(), |took| format!("{what} after {}", Millis(took)))
    }
}

/// Many a text says the kind once more, alone or first.
pub(super) fn with_text(kind: &str, text: &str) -> String {
    let rest = text.strip_prefix(kind).and_then(|rest| rest.strip_prefix(": "));
    let text = if text == kind { "" } else { rest.unwrap_or(text) };
    if text.is_empty() { kind.to_owned() } else { format!("{kind} {}", quote(text)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_not_said_twice() {
        assert_eq!(with_text("system", ""), "system");
        assert_eq!(with_text("system", "system"), "system");
        assert_eq!(with_text("system", "system: no such file"), "system `no such file`");
        assert_eq!(with_text("system", "no such file"), "system `no such file`");
        assert_eq!(with_text("system", "systematic"), "system `systematic`");
    }

    #[test]
    fn the_innermost_place_and_all_rounds_are_kept() {
        let span = |line| Span { line, start: 0, end: 1 };
        let end = End::error(String::new()).at(span(7)).within("t = 2".to_owned());
        let end = end.at(span(6)).within("round 3 of 5".to_owned()).at(span(5));
        assert_eq!(end.span, Some(span(7)));
        assert_eq!(end.within, ["round 3 of 5", "t = 2"]);
    }

    #[test]
    fn a_fault_of_the_suite_is_no_death() {
        assert_eq!(End::from(Fault::own("no".to_owned())).verdict, Verdict::Error);
        assert_eq!(End::from(Fault("ended".to_owned(), Blame::Adapter)).verdict, Verdict::Died);
    }
}
