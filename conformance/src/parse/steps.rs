//! The lines that do something.

use super::cast::Standing;
use super::flow::{Course, Ends};
use super::programs::Scope;
use super::words::at;
use super::{ParseError, Parser};
use crate::script::{Action, Expected, Moment, Origin, Outcome, Program, Span, Statement, Step};

impl Parser<'_> {
    pub(super) fn step(&mut self) -> Result<Step, ParseError> {
        let start = self.words.place();
        if self.words.next_is("}") {
            return Err(at(self.words.here(), "this `}` closes nothing"));
        }
        let (first, span) = self.words.word("a line starts with a name or a key word")?;
        let action = if self.words.try_mark(":") {
            self.actor_line(first, span)?
        } else {
            self.key_line(&first, span)?
        };
        Ok(Step { action, span: self.words.since(start) })
    }

    fn key_line(&mut self, key: &str, span: Span) -> Result<Action, ParseError> {
        match key {
            "one" => self.one_of(),
            "each" => self.each_of(),
            "kill" => self.kill(),
            "fresh" => self.fresh(),
            "freeze" => self.freeze(),
            "thaw" => self.thaw(),
            "signal" => self.signal(),
            "interrupt" => self.interrupt(),
            "go" => self.go(),
            "repeat" => self.repeat(),
            "parallel" => self.parallel(),
            "forall" => self.forall(),
            "object" | "actors" | "processes" | "threads" | "children" => {
                Err(at(span, "objects and actors are declared before the first step"))
            }
            _ => Err(at(span, format!("`{key}` is neither an actor before a `:` nor a key word"))),
        }
    }

    /// All behind `a:`
    fn actor_line(&mut self, actor: String, place: Span) -> Result<Action, ParseError> {
        if self.words.next_is("->") {
            return self.awaited(actor, place);
        }
        let state = self.free(&actor, place)?;
        self.scope = Scope::new(&actor);
        let has_braces = self.words.next_is("{");
        let (mut program, course) =
            if has_braces { self.program()? } else { self.alone_standing()? };
        let (expected, span) = self.expected()?;
        let scope = std::mem::take(&mut self.scope);
        if !(state.may_end && matches!(expected, Expected::Gone { .. })) {
            self.can_come(&expected, &course, span)?;
        }
        self.carry_out(&actor, scope);
        self.comes(&actor, &expected, course, span)?;
        Ok(match program.pop() {
            Some(Statement::Call { target, op, args, or }) if !has_braces && or.is_empty() => {
                Action::Call { actor, target, op, args, expected }
            }
            last => {
                program.extend(last);
                Action::Run { actor, program, expected }
            }
        })
    }

    fn program(&mut self) -> Result<(Program, Course), ParseError> {
        let open = self.words.here();
        let (program, course) = self.body()?;
        if program.is_empty() {
            return Err(at(open, "this program does nothing"));
        }
        Ok((program, course))
    }

    fn alone_standing(&mut self) -> Result<(Program, Course), ParseError> {
        let (statement, course) = self.statement()?;
        Ok((vec![statement], course))
    }

    /// `b: -> ok`
    fn awaited(&mut self, actor: String, place: Span) -> Result<Action, ParseError> {
        let state = self.moving(&actor, place)?;
        let (expected, span) = self.expected()?;
        if expected == Expected::Started {
            return Err(at(span, format!("nothing of `{actor}` starts here")));
        }
        if !(state.may_end && matches!(expected, Expected::Gone { .. })) {
            let state = self.with_call(&actor, place)?;
            self.can_come(&expected, &state.course, span)?;
        }
        self.comes(&actor, &expected, state.course, span)?;
        Ok(Action::Await { actor, expected })
    }

    /// What has become of an actor whose call came to this.
    pub(super) fn comes(
        &mut self,
        actor: &str,
        expected: &Expected,
        course: Course,
        span: Span,
    ) -> Result<(), ParseError> {
        let standing = match expected {
            Expected::Blocked { .. } => Standing::Blocked,
            Expected::Started => Standing::Running,
            Expected::Waiting => Standing::Waiting,
            Expected::Gone { ended } => {
                let usual = if self.cast.is_thread(actor) { Ends::Thread } else { Ends::Process };
                let ends = course.whole.ends.unwrap_or(usual);
                return self.goes(actor, ends, ended.is_some(), span);
            }
            Expected::Outcome { any_of, .. } => {
                let has_value = any_of.iter().any(|outcome| !matches!(outcome, Outcome::Error(_)));
                if course.whole.executes && has_value {
                    self.not_entangled(actor, span)?;
                    self.cast.end(actor, Ends::Process);
                    self.cast.change(actor, |state| state.rest(Standing::Executed));
                } else {
                    self.cast.change(actor, |state| state.rest(Standing::Idle));
                }
                return Ok(());
            }
        };
        self.cast.change(actor, |state| {
            state.standing = standing;
            state.course = course;
        });
        Ok(())
    }

    /// An actor ends by itself.
    fn goes(
        &mut self,
        actor: &str,
        ends: Ends,
        with_status: bool,
        span: Span,
    ) -> Result<(), ParseError> {
        if ends == Ends::Process {
            self.not_entangled(actor, span)?;
        }
        if with_status && (ends == Ends::Thread || !self.is_child_of_adapter(actor)) {
            let says =
                format!("nobody sees how `{actor}` ends; the adapter sees its children only");
            return Err(at(span, says));
        }
        self.cast.end(actor, ends);
        Ok(())
    }

    fn is_child_of_adapter(&self, actor: &str) -> bool {
        let may_be = self.cast.may_be(actor);
        let mut origins =
            may_be.iter().filter_map(|name| self.cast.member(name)).map(|member| &member.origin);
        origins.all(|origin| *origin == Origin::Adapter)
    }

    fn kill(&mut self) -> Result<Action, ParseError> {
        let (actor, span) = self.words.word("somebody must be killed")?;
        let state = self.known(&actor, span)?;
        self.no_thread(&actor, span)?;
        if !self.cast.process_lives(&actor) {
            return Err(at(span, self.busy(&actor, state.standing)));
        }
        let moment = self.moment()?;
        if matches!(moment, Moment::WhenBlocked | Moment::AfterEntered) {
            self.with_call(&actor, span)?;
        }
        self.not_entangled(&actor, span)?;
        self.needs_process(&actor);
        self.cast.end(&actor, Ends::Process);
        Ok(Action::Kill { actor, moment })
    }

    fn moment(&mut self) -> Result<Moment, ParseError> {
        let (key, moment) = match self.words.try_word() {
            None => return Ok(Moment::Now),
            Some((word, _)) if word == "when" => ("blocked", Moment::WhenBlocked),
            Some((word, _)) if word == "after" => ("entered", Moment::AfterEntered),
            Some((word, _)) if word == "at" => ("random", Moment::AtRandom),
            Some((word, _)) if word == "without" => ("waiting", Moment::WithoutWaiting),
            Some((_, span)) => {
                let says = "a kill is `when blocked`, `after entered`, `at random` or \
                            `without waiting`";
                return Err(at(span, says));
            }
        };
        self.words.key(key)?;
        Ok(moment)
    }

    fn fresh(&mut self) -> Result<Action, ParseError> {
        let (actor, span) = self.words.word("somebody is fresh")?;
        let state = self.known(&actor, span)?;
        if !self.is_child_of_adapter(&actor) {
            let says = format!("`{actor}` is started by another actor, and only by it");
            return Err(at(span, says));
        }
        if state.lives() {
            return Err(at(span, format!("`{actor}` is alive; `fresh` replaces who is gone")));
        }
        if self.cast.is_kin_unknown(&actor) {
            return Err(at(span, format!("nobody knows who is replaced with `{actor}`")));
        }
        self.cast.renew(&actor);
        Ok(Action::Fresh { actor })
    }

    fn freeze(&mut self) -> Result<Action, ParseError> {
        let (actor, span) = self.words.word("somebody is frozen")?;
        self.moving(&actor, span)?;
        self.no_thread(&actor, span)?;
        let moment = if self.words.try_key("when") {
            self.words.key("blocked")?;
            self.with_call(&actor, span)?;
            Moment::WhenBlocked
        } else if self.words.try_key("at") {
            self.words.key("random")?;
            Moment::AtRandom
        } else {
            Moment::Now
        };
        self.not_entangled(&actor, span)?;
        self.needs_process(&actor);
        self.cast.change_process(&actor, |state| state.is_frozen = true);
        Ok(Action::Freeze { actor, moment })
    }

    fn thaw(&mut self) -> Result<Action, ParseError> {
        let (actor, span) = self.words.word("somebody is thawed")?;
        let state = self.living(&actor, span)?;
        self.no_thread(&actor, span)?;
        if !state.is_frozen {
            return Err(at(span, format!("`{actor}` is not frozen")));
        }
        self.not_entangled(&actor, span)?;
        self.cast.change_process(&actor, |state| state.is_frozen = false);
        Ok(Action::Thaw { actor })
    }

    /// `signal b every 20ms`
    fn signal(&mut self) -> Result<Action, ParseError> {
        let (actor, span) = self.words.word("somebody gets the signal")?;
        if !self.with_call(&actor, span)?.catches {
            let says = format!("the signal would kill `{actor}`; first `{actor}: catch -> ok`");
            return Err(at(span, says));
        }
        self.words.key("every")?;
        let here = self.words.here();
        let every_nanos = self.nanos()?;
        if every_nanos == 0 {
            return Err(at(here, "some time must pass in between"));
        }
        self.needs_process(&actor);
        Ok(Action::Signal { actor, every_nanos })
    }

    fn interrupt(&mut self) -> Result<Action, ParseError> {
        let (actor, span) = self.words.word("somebody is interrupted")?;
        self.moving(&actor, span)?;
        self.no_thread(&actor, span)?;
        self.not_entangled(&actor, span)?;
        self.needs_process(&actor);
        self.cast.change_process(&actor, |state| state.may_end = true);
        Ok(Action::Interrupt { actor })
    }

    fn go(&mut self) -> Result<Action, ParseError> {
        let (actor, span) = self.words.word("somebody goes on")?;
        let state = self.moving(&actor, span)?;
        if state.standing != Standing::Waiting {
            return Err(at(span, format!("`{actor}` is not `waiting`")));
        }
        self.cast.change(&actor, |state| {
            state.standing = Standing::Running;
            state.course = state.course.went_on();
        });
        Ok(Action::Go { actor })
    }
}
