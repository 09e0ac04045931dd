//! The lines that say what is shared and who acts.

use super::words::at;
use super::{ParseError, Parser};
use crate::script::{ActorLine, Arguments, ObjectLine, Origin, Span};

impl Parser<'_> {
    /// Reads a line that declares something; false when it is no such line.
    pub(super) fn header(&mut self) -> Result<bool, ParseError> {
        let start = self.words.place();
        let Some((first, _)) = self.words.try_word().filter(|_| !self.words.next_is(":")) else {
            self.words.back_to(start);
            return Ok(false);
        };
        let declare = match first.as_str() {
            "object" => Self::object,
            "actors" => |parser: &mut Self| parser.started_by_adapter(false, Origin::Adapter),
            "processes" => |parser: &mut Self| parser.started_by_adapter(true, Origin::Adapter),
            "main" => |parser: &mut Self| parser.started_by_adapter(false, Origin::Main),
            "threads" => |parser: &mut Self| parser.started_by_actor(Origin::ThreadOf),
            "children" => |parser: &mut Self| parser.started_by_actor(Origin::ChildOf),
            _ => {
                self.words.back_to(start);
                return Ok(false);
            }
        };
        declare(self)?;
        let span = self.words.since(start);
        if !self.script.steps.is_empty() {
            return Err(at(span, "objects and actors are declared before the first step"));
        }
        if let Some(object) = self.script.objects.last_mut().filter(|_| first == "object") {
            object.span = span;
        }
        Ok(true)
    }

    fn object(&mut self) -> Result<(), ParseError> {
        let (name, span) = self.words.word("an object needs a name")?;
        if self.script.objects.iter().any(|object| object.name == name) {
            return Err(at(span, format!("there is an object `{name}` already")));
        }
        let count = if self.words.try_mark("[") { Some(self.object_count()?) } else { None };
        self.words.mark(":")?;
        let (kind, _) = self.words.word("an object needs a kind")?;
        let args = Arguments::new();
        let (maker, is_late) = (None, false);
        let line = ObjectLine { name: name.clone(), kind, args, count, maker, is_late, span };
        self.script.objects.push(line); // first, since its functions may call it
        let mut args = Arguments::new();
        if self.words.next_is("(") {
            let (found, course) = self.arguments(None)?;
            args = found;
            self.functions.insert(name, course);
        }
        let (mut maker, mut is_late) = (None, false);
        if self.words.try_key("made") {
            is_late = self.words.try_key("later");
            self.words.key("by")?;
            let found = self.words.word("an actor makes it")?;
            maker = Some(found.0.clone());
            self.makers.push((found.0, found.1, is_late));
        }
        if let Some(line) = self.script.objects.last_mut() {
            (line.args, line.maker, line.is_late) = (args, maker, is_late);
        }
        Ok(())
    }

    fn object_count(&mut self) -> Result<u64, ParseError> {
        let (count, span) = self.words.count("the number of objects")?;
        if count == 0 {
            return Err(at(span, "there must be one at least"));
        }
        self.words.mark("]")?;
        Ok(count)
    }

    fn started_by_adapter(&mut self, own_process: bool, origin: Origin) -> Result<(), ParseError> {
        let names = self.new_names()?;
        for (name, span) in names {
            self.actor(name, own_process, origin.clone(), span)?;
        }
        Ok(())
    }

    /// `threads t u of a`, `children b c of a`
    fn started_by_actor(&mut self, origin: fn(String) -> Origin) -> Result<(), ParseError> {
        let names = self.new_names()?;
        self.words.key("of")?;
        let (parent, span) = self.words.word("some actor starts them")?;
        if self.cast.member(&parent).is_none() {
            return Err(at(span, format!("there is no actor `{parent}` above")));
        }
        for (name, span) in names {
            let origin = origin(parent.clone());
            if matches!(origin, Origin::ThreadOf(_)) && !self.is_there_from_start(&parent) {
                return Err(at(span, format!("`{parent}` is not there from the start")));
            }
            self.actor(name, false, origin, span)?;
        }
        Ok(())
    }

    fn is_there_from_start(&self, name: &str) -> bool {
        self.cast.state(name).is_ok_and(super::cast::State::lives)
    }

    fn new_names(&mut self) -> Result<Vec<(String, Span)>, ParseError> {
        let names = self.words.names_until(&["of"]);
        if names.is_empty() {
            return Err(at(self.words.here(), "an actor needs a name"));
        }
        Ok(names)
    }

    fn actor(
        &mut self,
        name: String,
        own_process: bool,
        origin: Origin,
        span: Span,
    ) -> Result<(), ParseError> {
        if self.cast.member(&name).is_some() {
            return Err(at(span, format!("there is an actor `{name}` already")));
        }
        self.cast.declare(name.clone(), origin.clone());
        self.script.actors.push(ActorLine { name, own_process, origin, span });
        Ok(())
    }

    /// An object can be declared above its maker, so makers are looked up before the first step.
    pub(super) fn check_makers(&mut self) -> Result<(), ParseError> {
        for (maker, span, is_late) in std::mem::take(&mut self.makers) {
            if self.cast.member(&maker).is_none() {
                return Err(at(span, format!("there is no actor `{maker}`")));
            }
            if !is_late && !self.is_there_from_start(&maker) {
                return Err(at(span, format!("`{maker}` is not there from the start")));
            }
        }
        Ok(())
    }
}
