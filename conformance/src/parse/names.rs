//! Names looked up: actors as they stand, and objects.

use serde_json::Value;

use super::cast::{Standing, State, Unknown};
use super::words::at;
use super::{ParseError, Parser};
use crate::script::{ObjectLine, Origin, Span, Target};

impl Parser<'_> {
    /// The state of an actor that lives.
    pub(super) fn living(&mut self, actor: &str, span: Span) -> Result<State, ParseError> {
        let state = self.known(actor, span)?;
        if state.lives() { Ok(state) } else { Err(at(span, self.busy(actor, state.standing))) }
    }

    /// The state of an actor.
    pub(super) fn known(&mut self, actor: &str, span: Span) -> Result<State, ParseError> {
        self.cast.settle(actor);
        let says = match self.cast.state(actor) {
            Ok(state) => return Ok(state.clone()),
            Err(Unknown::Name) => format!("there is no actor `{actor}`"),
            Err(Unknown::Open) => {
                format!("nobody knows whether the call of `{actor}` is over; name it with `as`")
            }
        };
        Err(at(span, says))
    }

    /// The state of an actor that lives and is not frozen.
    pub(super) fn moving(&mut self, actor: &str, span: Span) -> Result<State, ParseError> {
        let state = self.living(actor, span)?;
        if state.is_frozen {
            let process = self.cast.process_of(actor);
            return Err(at(span, format!("`{actor}` is frozen; first `thaw {process}`")));
        }
        Ok(state)
    }

    /// An actor that can take a call.
    pub(super) fn free(&mut self, actor: &str, span: Span) -> Result<State, ParseError> {
        let state = self.moving(actor, span)?;
        match state.standing {
            Standing::Idle => Ok(state),
            other => Err(at(span, self.busy(actor, other))),
        }
    }

    /// An actor whose call is under way.
    pub(super) fn with_call(&mut self, actor: &str, span: Span) -> Result<State, ParseError> {
        let state = self.moving(actor, span)?;
        match state.standing {
            Standing::Blocked | Standing::Running => Ok(state),
            Standing::Idle => Err(at(span, format!("`{actor}` has no call that is under way"))),
            other => Err(at(span, self.busy(actor, other))),
        }
    }

    pub(super) fn busy(&self, actor: &str, standing: Standing) -> String {
        match standing {
            Standing::Gone => format!("`{actor}` is gone"),
            Standing::Executed => {
                format!("`{actor}` is another program now, which takes no calls")
            }
            Standing::Waiting => format!("`{actor}` is waiting; first `go {actor}`"),
            Standing::Unborn => match self.cast.member(actor).map(|member| &member.origin) {
                Some(Origin::ChildOf(parent)) => {
                    format!("`{parent}` has not started `{actor}`, as by `fork {actor}`")
                }
                _ => format!("`{actor}` has not been started"),
            },
            Standing::Idle | Standing::Blocked => {
                format!("the call of `{actor}` is still blocked; wait for it with `{actor}: -> …`")
            }
            Standing::Running => {
                format!("the call of `{actor}` is under way; wait for it with `{actor}: -> …`")
            }
        }
    }

    /// It must be a process even where a subject's actors are threads.
    pub(super) fn needs_process(&mut self, actor: &str) {
        for mut name in self.cast.may_be(actor) {
            if self.cast.is_thread(&name) {
                name = self.cast.member(&name).map_or(name, |member| member.process.clone());
            }
            for line in self.script.actors.iter_mut().filter(|line| line.name == name) {
                line.own_process = true;
            }
        }
    }

    /// A process is killed, stopped and interrupted as a whole, and so by its first thread's name.
    pub(super) fn no_thread(&self, actor: &str, span: Span) -> Result<(), ParseError> {
        let may_be = self.cast.may_be(actor);
        let thread = may_be.iter().find(|name| self.cast.is_thread(name));
        if let Some(member) = thread.and_then(|name| self.cast.member(name)) {
            let (name, process) = (&member.name, &member.process);
            let says = match &member.origin {
                Origin::Main => format!("`{name}` is a thread of the adapter, which goes on"),
                _ => format!("`{name}` is a thread in the process of `{process}`; say that one"),
            };
            return Err(at(span, says));
        }
        Ok(())
    }

    /// What befalls the whole process of an alias must not befall others, nobody knows whom.
    pub(super) fn not_entangled(&self, actor: &str, span: Span) -> Result<(), ParseError> {
        if self.cast.is_entangled(actor) {
            let says = format!("nobody knows who else is in the process of `{actor}`");
            return Err(at(span, says));
        }
        Ok(())
    }

    pub(super) fn object_named(&self, name: &str, span: Span) -> Result<&ObjectLine, ParseError> {
        let found = self.script.objects.iter().find(|object| object.name == name);
        found.ok_or_else(|| at(span, format!("there is no object `{name}`")))
    }

    /// `lock` or `many[3]` or `many[n]`; returns also the object's kind.
    pub(super) fn target(&mut self) -> Result<(Target, String), ParseError> {
        let (object, span) = self.words.word("the name of an object is missing here")?;
        let line = self.object_named(&object, span)?;
        let (count, kind) = (line.count, line.kind.clone());
        let index = match count {
            None if self.words.next_is("[") => {
                return Err(at(self.words.here(), format!("there is one `{object}` only")));
            }
            None => None,
            Some(count) if self.words.try_mark("[") => Some(self.index(&object, count)?),
            Some(count) => {
                let says = format!("there are {count} of them; say which, as in `{object}[0]`");
                return Err(at(span, says));
            }
        };
        Ok((Target { object, index }, kind))
    }

    fn index(&mut self, object: &str, count: u64) -> Result<Value, ParseError> {
        let (index, least, span) = if let Some((name, span)) = self.words.try_word() {
            let Some(rounds) = self.scope.rounds_of(&name) else {
                return Err(at(span, format!("no `loop 10 as {name}` is around this")));
            };
            (Value::String(name), rounds.saturating_sub(1), span)
        } else {
            let (index, span) = self.words.count("the number of one of them")?;
            (Value::from(index), index, span)
        };
        if least >= count {
            let says = format!("`{object}` has the numbers 0 to {}; this is {least}", count - 1);
            return Err(at(span, says));
        }
        self.words.mark("]")?;
        Ok(index)
    }
}
