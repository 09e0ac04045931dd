//! Scripts are drawn, printed and read back, and what is read is what was drawn. And no text at all
//! makes the parser panic.

mod programs;
mod scripts;
mod texts;
mod values;

use std::collections::BTreeSet;

use proptest::prelude::*;
use purlin_conformance::parse::{ParseError, parse};
use purlin_conformance::script::{Action, Script, Span, Step};

proptest! {
    #[test]
    fn a_drawn_script_is_read_back(drawn in scripts::script()) {
        let printed = drawn.to_string();
        let read = parse(&printed, &kinds());
        let read = read.unwrap_or_else(|error| panic!("{}\n{printed}", error.render(&printed)));
        prop_assert_eq!(without_places(read), drawn, "\n{}", printed);
    }

    /// What is found wrong is found at a place that can be shown.
    #[test]
    fn no_text_makes_the_parser_panic(text in texts::text()) {
        if let Err(error) = parse(&text, &kinds()) {
            prop_assert!(error.span.start <= error.span.end);
            prop_assert!(error.span.line <= text.lines().count().max(1));
            prop_assert!(error.render(&text).contains('^'));
        }
    }

    /// Most of a text that is wrong in one word is read before the mistake.
    #[test]
    fn no_changed_script_makes_the_parser_panic(text in texts::changed(scripts::script())) {
        match parse(&text, &kinds()) {
            Ok(script) => {
                let printed = script.to_string();
                let read = parse(&printed, &kinds());
                let shown = |error: ParseError| panic!("{}\n{text}", error.render(&printed));
                let read = read.unwrap_or_else(shown);
                prop_assert_eq!(&read.to_string(), &printed);
                prop_assert_eq!(without_places(read), without_places(script));
            }
            Err(error) => prop_assert!(error.render(&text).contains('^')),
        }
    }
}

fn kinds() -> BTreeSet<String> {
    values::KINDS.map(str::to_owned).into()
}

const NOWHERE: Span = Span { line: 0, start: 0, end: 0 };

fn without_places(mut script: Script) -> Script {
    script.objects.iter_mut().for_each(|object| object.span = NOWHERE);
    script.actors.iter_mut().for_each(|actor| actor.span = NOWHERE);
    forget_places(&mut script.steps);
    script
}

fn forget_places(steps: &mut [Step]) {
    for step in steps {
        step.span = NOWHERE;
        if let Action::Repeat { body, .. }
        | Action::Parallel { body }
        | Action::Forall { body, .. } = &mut step.action
        {
            forget_places(body);
        }
    }
}
