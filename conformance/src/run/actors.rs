//! Who acts: objects are made, actors started, and started again.

use crate::protocol::{Answer, Ask, Heir, How};
use crate::run::end::with_text;
use crate::run::{End, Run, What};
use crate::script::{ActorLine, Expected, ObjectLine, Origin, Outcome, Script, Statement};
use crate::subject::quote;

/// How an actor is started.
#[derive(Debug, Clone)]
pub(super) enum Plan {
    /// By the adapter, with these objects and these actors that it will start itself.
    ByAdapter { how: How, objects: Vec<String>, heirs: Vec<Heir> },
    /// By the runner's request, as a thread of this actor.
    ThreadOf(String),
    /// By a statement of the script.
    ByStatement,
}

impl Run<'_> {
    /// Has the adapter make its objects, and says which they are.
    pub(super) fn create(&mut self, script: &Script) -> Result<Vec<String>, End> {
        let mut made = Vec::new();
        for object in script.objects.iter().filter(|object| object.maker.is_none()) {
            self.create_one(object).map_err(|end| end.at(object.span))?;
            made.push(object.name.clone());
        }
        Ok(made)
    }

    fn create_one(&mut self, object: &ObjectLine) -> Result<(), End> {
        let ask = Ask::Create {
            object: object.name.clone(),
            kind: object.kind.clone(),
            args: object.args.clone(),
            count: object.count,
        };
        match self.session.ask(ask)? {
            Answer::Ok { .. } => Ok(()),
            Answer::Error { kind, text } if kind == "unsupported" => Err(End::unsupported(text)),
            Answer::Error { kind, text } if self.error_kinds.contains(&kind) => {
                Err(End::broken("the object".to_owned(), with_text(&kind, &text)))
            }
            Answer::Error { kind, .. } => {
                let kind = quote(&kind);
                let what = format!("the adapter says an error of the kind {kind}, {NO_KIND}");
                Err(End::died(what))
            }
            other => Err(End::died(format!("the adapter says {other:?}"))),
        }
    }

    /// Processes come first: a fork takes along only the thread that forks.
    pub(super) fn start_actors(&mut self, script: &Script, made: &[String]) -> Result<(), End> {
        for actor in &script.actors {
            let plan = self.plan(script, actor, made).map_err(|end| end.at(actor.span))?;
            self.plans.insert(actor.name.clone(), plan);
            if let Origin::ThreadOf(parent) | Origin::ChildOf(parent) = &actor.origin {
                self.session.parents.insert(actor.name.clone(), parent.clone());
            }
        }
        let mut order: Vec<(u8, &ActorLine)> = Vec::new();
        for actor in &script.actors {
            match self.plans.get(&actor.name) {
                Some(Plan::ByAdapter { how: How::Thread, .. }) => order.push((1, actor)),
                Some(Plan::ByAdapter { .. }) => order.push((0, actor)),
                Some(Plan::ThreadOf(_)) => order.push((2, actor)),
                Some(Plan::ByStatement) | None => {}
            }
        }
        order.sort_by_key(|(place, _)| *place);
        for (_, actor) in order {
            self.start(&actor.name).map_err(|end| end.at(actor.span))?;
        }
        Ok(())
    }

    fn plan(&self, script: &Script, actor: &ActorLine, made: &[String]) -> Result<Plan, End> {
        match &actor.origin {
            Origin::ChildOf(_) => Ok(Plan::ByStatement),
            Origin::ThreadOf(parent) => Ok(Plan::ThreadOf(parent.clone())),
            Origin::Main => {
                let (objects, heirs) = (made.to_vec(), heirs(script, &actor.name));
                Ok(Plan::ByAdapter { how: How::Thread, objects, heirs })
            }
            Origin::Adapter => {
                let starts = &self.hello.starts;
                let process = starts.iter().copied().find(|how| *how != How::Thread);
                let how = if actor.own_process { process } else { starts.first().copied() };
                let how = how.ok_or_else(|| End::error("no way to start an actor".to_owned()))?;
                let (objects, heirs) = (made.to_vec(), heirs(script, &actor.name));
                Ok(Plan::ByAdapter { how, objects, heirs })
            }
        }
    }

    /// Starts an actor by its plan.
    pub(super) fn start(&mut self, name: &str) -> Result<(), End> {
        match self.plans.get(name).cloned() {
            Some(Plan::ByAdapter { how, objects, heirs }) => {
                let name = name.to_owned();
                let ask = Ask::Actor { name: name.clone(), how, parent: None, objects, heirs };
                self.session.start_actor(&name, how, ask)?.map_err(End::unsupported)
            }
            Some(Plan::ThreadOf(parent)) => {
                let thread = Statement::Thread { name: name.to_owned() };
                self.must_run(&parent, thread)?;
                self.ready(name).map(|_| ())
            }
            Some(Plan::ByStatement) | None => {
                Err(End::error(format!("{name} is started by nobody but the script")))
            }
        }
    }

    /// Has the objects made that actors make from the start.
    pub(super) fn make(&mut self, script: &Script) -> Result<(), End> {
        for object in script.objects.iter().filter(|object| !object.is_late) {
            let Some(maker) = &object.maker else { continue };
            let ObjectLine { name, kind, args, count, span, .. } = object.clone();
            let make = Statement::Make { object: name, kind, args, count };
            self.must_run(maker, make).map_err(|end| end.at(span))?;
        }
        Ok(())
    }

    /// Runs a statement that the runner itself wants, and that must succeed.
    fn must_run(&mut self, actor: &str, statement: Statement) -> Result<(), End> {
        let any_of = vec![Outcome::Value(serde_json::Value::Null)];
        let expected = Expected::Outcome { any_of, not_before_nanos: None };
        self.begin(actor, What::Run(vec![statement]))?;
        self.entered(actor, &expected)?;
        self.expect(actor, &expected)
    }

    /// The actor that a name stands for, once it is there: one that a program starts may need a
    /// while to say so.
    pub(super) fn ready(&mut self, name: &str) -> Result<String, End> {
        let name = self.names.get(name).map_or(name, String::as_str).to_owned();
        if self.session.coming.contains(&name) {
            let parent: Vec<String> =
                self.session.parents.get(&name).cloned().into_iter().collect();
            let is_living = |parent: &String| self.session.actors[parent].is_living();
            let watched: Vec<String> = parent.into_iter().filter(is_living).collect();
            let started = format!("{name} to be started");
            let has_come = |run: &Self| (!run.session.coming.contains(&name)).then_some(());
            self.wait_for(&started, &watched, std::time::Duration::ZERO, has_come)?;
        }
        if self.session.actors.contains_key(&name) {
            return Ok(name);
        }
        Err(End::error(format!("{name} was not started yet")))
    }
}

const NO_KIND: &str = "which there is none of";

/// The actors that one will start, be it as threads or as processes, with those that they start.
fn heirs(script: &Script, parent: &str) -> Vec<Heir> {
    let is_heir = |actor: &&ActorLine| match &actor.origin {
        Origin::ThreadOf(of) | Origin::ChildOf(of) => of == parent,
        Origin::Adapter | Origin::Main => false,
    };
    let named = script.actors.iter().filter(is_heir);
    named
        .map(|actor| Heir { name: actor.name.clone(), heirs: heirs(script, &actor.name) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::Span;

    #[test]
    fn heirs_are_a_tree() {
        let line = |name: &str, origin| ActorLine {
            name: name.to_owned(),
            own_process: true,
            origin,
            span: Span { line: 1, start: 0, end: 1 },
        };
        let of = |parent: &str| Origin::ChildOf(parent.to_owned());
        let thread = Origin::ThreadOf("a".to_owned());
        let actors = vec![
            line("a", Origin::Adapter),
            line("b", of("a")),
            line("c", of("b")),
            line("t", thread),
        ];
        let script = Script { objects: Vec::new(), actors, steps: Vec::new() };
        let leaf = |name: &str| Heir { name: name.to_owned(), heirs: Vec::new() };
        let b = Heir { name: "b".to_owned(), heirs: vec![leaf("c")] };
        assert_eq!(heirs(&script, "a"), [b, leaf("t")]);
        assert_eq!(heirs(&script, "c"), []);
    }
}
