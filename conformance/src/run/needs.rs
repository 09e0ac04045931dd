//! What a script needs of a subject beyond the core, seen before anything is started.
//!
//! Operations are not looked up: the lines before the first that is not offered may show a promise
//! broken, which is worth more than to hear what is not offered.

use crate::protocol::{Hello, How};
use crate::script::{
    Action, Arguments, Expected, Origin, Outcome, Program, Script, Span, Statement, Step,
    each_statement, functions,
};

/// The first thing that is missing, with the place that needs it.
pub(super) fn missing(script: &Script, hello: &Hello) -> Option<(Span, String)> {
    let mut needs = Needs { hello, missing: None };
    for object in &script.objects {
        needs.kind(object.span, &object.kind);
        needs.arguments(object.span, &object.args);
        if object.maker.is_some() {
            needs.capability(object.span, "programs");
            needs.capability(object.span, "make");
        }
    }
    for actor in &script.actors {
        if matches!(actor.origin, Origin::ThreadOf(_)) {
            needs.capability(actor.span, "programs");
            needs.capability(actor.span, "threads");
        }
        if actor.own_process && hello.starts.iter().all(|how| *how == How::Thread) {
            needs.lacks(actor.span, "no actor that is a process of its own".to_owned());
        }
    }
    needs.steps(&script.steps);
    needs.missing
}

struct Needs<'a> {
    hello: &'a Hello,
    missing: Option<(Span, String)>,
}

/// Kinds that come with a capability of this name, whose operations nobody lists.
const PLAIN: [(&str, &str); 3] = [("cell", "cells"), ("log", "logs"), ("host", "host")];

impl Needs<'_> {
    fn lacks(&mut self, span: Span, what: String) {
        self.missing.get_or_insert((span, what));
    }

    fn capability(&mut self, span: Span, name: &str) {
        if !self.hello.capabilities.iter().any(|offered| offered == name) {
            self.lacks(span, format!("needs {name}"));
        }
    }

    fn kind(&mut self, span: Span, kind: &str) {
        match PLAIN.iter().find(|(plain, _)| *plain == kind) {
            Some((_, capability)) => self.capability(span, capability),
            None if !self.hello.objects.contains_key(kind) => {
                self.lacks(span, format!("needs an object of the kind {kind}"));
            }
            None => {}
        }
    }

    fn steps(&mut self, steps: &[Step]) {
        for Step { action, span } in steps {
            match action {
                Action::Call { args, .. } => self.arguments(*span, args),
                Action::Run { program, .. } => {
                    self.capability(*span, "programs");
                    self.program(*span, program);
                }
                Action::Go { .. } => self.capability(*span, "programs"),
                Action::Await { expected, .. } if expects_interrupt(expected) => {
                    self.capability(*span, "interrupts");
                }
                Action::Repeat { body, .. }
                | Action::Parallel { body }
                | Action::Forall { body, .. } => self.steps(body),
                _ => {}
            }
        }
    }

    fn arguments(&mut self, span: Span, args: &Arguments) {
        for function in functions(args) {
            self.capability(span, "functions");
            self.program(span, &function);
        }
    }

    fn program(&mut self, span: Span, program: &Program) {
        each_statement(program, &mut |statement, _| match statement {
            Statement::Call { args, .. } => {
                if functions(args).next().is_some() {
                    self.capability(span, "functions");
                }
            }
            Statement::Make { kind, .. } => {
                self.capability(span, "make");
                self.kind(span, kind);
            }
            Statement::Start { how, .. } => {
                self.capability(span, "start");
                if let Some(how) = how.filter(|how| !self.hello.starts.contains(how)) {
                    self.lacks(span, format!("needs actors by {}", how.slug()));
                }
            }
            other => {
                if let Some(name) = capability_of(other) {
                    self.capability(span, name);
                }
            }
        });
    }
}

/// Whether a call must be able to come back from an interrupt.
fn expects_interrupt(expected: &Expected) -> bool {
    let Expected::Outcome { any_of, .. } = expected else { return false };
    any_of.iter().any(|outcome| matches!(outcome, Outcome::Error(kind) if kind == "interrupted"))
}

fn capability_of(statement: &Statement) -> Option<&'static str> {
    match statement {
        Statement::Fork { .. } => Some("fork"),
        Statement::Thread { .. } => Some("threads"),
        Statement::Drop { .. } => Some("drop"),
        Statement::Exit { .. }
        | Statement::End
        | Statement::EndThread
        | Statement::Abort
        | Statement::Crash => Some("ends"),
        Statement::Exec => Some("exec"),
        Statement::Catch => Some("catch"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::script::{ActorLine, ObjectLine};

    const SPAN: Span = Span { line: 3, start: 0, end: 1 };

    fn hello(capabilities: &[&str]) -> Hello {
        let fields = json!({
            "protocol": 1, "name": "x", "version": "1", "starts": ["fork"],
            "objects_reach": "start", "objects": {"lock": ["acquire", "release"]},
            "capabilities": capabilities,
        });
        serde_json::from_value(fields).unwrap()
    }

    fn script(kind: &str, program: serde_json::Value) -> Script {
        let object = ObjectLine {
            name: "l".to_owned(),
            kind: kind.to_owned(),
            args: serde_json::Map::new(),
            count: None,
            maker: None,
            is_late: false,
            span: SPAN,
        };
        let program = serde_json::from_value(program).unwrap();
        let (actor, expected) = ("a".to_owned(), Expected::Started);
        let step = Step { action: Action::Run { actor, program, expected }, span: SPAN };
        Script { objects: vec![object], actors: Vec::new(), steps: vec![step] }
    }

    fn lacks(script: &Script, capabilities: &[&str]) -> Option<String> {
        missing(script, &hello(capabilities)).map(|(_, what)| what)
    }

    #[test]
    fn a_statement_in_the_last_corner_is_seen() {
        let inner = json!([{"do": "with", "object": "l", "body": [{"do": "fork", "name": "b"}]}]);
        let script = script("lock", json!([{"do": "tally", "count": 2, "body": inner}]));
        assert_eq!(lacks(&script, &[]).as_deref(), Some("needs programs"));
        assert_eq!(lacks(&script, &["programs"]).as_deref(), Some("needs fork"));
        assert_eq!(lacks(&script, &["programs", "fork"]), None);
    }

    #[test]
    fn functions_are_looked_into() {
        let function = json!({"program": [{"do": "exit", "code": 1}]});
        let call = json!({"do": "call", "object": "l", "op": "acquire", "args": {"f": function}});
        let mut script = script("lock", json!([call]));
        assert_eq!(lacks(&script, &["programs"]).as_deref(), Some("needs functions"));
        assert_eq!(lacks(&script, &["programs", "functions"]).as_deref(), Some("needs ends"));
        assert_eq!(lacks(&script, &["programs", "functions", "ends"]), None);
        script.objects[0].args.insert("action".to_owned(), function);
        assert_eq!(lacks(&script, &[]).as_deref(), Some("needs functions"));
    }

    #[test]
    fn kinds_are_looked_up() {
        let call = |op| json!([{"do": "call", "object": "l", "op": op}]);
        assert_eq!(lacks(&script("lock", call("state")), &["programs"]), None);
        let found = lacks(&script("rlock", call("acquire")), &["programs"]);
        assert_eq!(found.as_deref(), Some("needs an object of the kind rlock"));
        let found = lacks(&script("cell", call("add")), &["programs"]);
        assert_eq!(found.as_deref(), Some("needs cells"));
        assert_eq!(lacks(&script("cell", call("add")), &["programs", "cells"]), None);
    }

    #[test]
    fn ways_of_starting_are_looked_up() {
        let start = json!([{"do": "start", "name": "b", "how": "spawn"}]);
        let found = lacks(&script("lock", start), &["programs", "start"]);
        assert_eq!(found.as_deref(), Some("needs actors by spawn"));
        let mut script = script("lock", json!([]));
        let origin = Origin::ThreadOf("a".to_owned());
        let name = "t".to_owned();
        script.actors.push(ActorLine { name, own_process: false, origin, span: SPAN });
        assert_eq!(lacks(&script, &["programs"]).as_deref(), Some("needs threads"));
    }
}
