//! What runs inside an actor: statements.

use serde_json::Value;

use super::cast::Birth;
use super::flow::{Course, Ends, Flow};
use super::words::at;
use super::{ParseError, Parser};
use crate::protocol::How;
use crate::script::{ACTOR, Arguments, Or, Origin, Program, Span, Statement};

/// What is around a statement, and what those before it did.
#[derive(Debug, Default)]
pub(super) struct Scope {
    /// Whose program it is.
    actor: String,
    /// The variables of the loops around, with the number of their rounds.
    variables: Vec<(String, u64)>,
    /// So many loops around run more than once.
    loop_count: usize,
    /// It stands in a function, which is run inside a call.
    is_function: bool,
    /// It is the first statement of a function.
    is_first: bool,
    /// A statement stands before it in the same braces, or it is the first of a function.
    pub(super) has_it: bool,
    /// The actors that the program starts.
    pub(super) births: Vec<(String, Birth)>,
    /// Those of them that are the life of an object, by which they can be ended.
    ended_by_calls: Vec<String>,
    /// The program sets a handler for SIGUSR1.
    pub(super) catches: bool,
}

impl Scope {
    pub(super) fn new(actor: &str) -> Self {
        Self { actor: actor.to_owned(), ..Self::default() }
    }

    pub(super) fn rounds_of(&self, variable: &str) -> Option<u64> {
        self.variables.iter().find(|(name, _)| name == variable).map(|(_, rounds)| *rounds)
    }
}

/// What would leave a call in its midst, or change what the actor is.
const NOT_IN_FUNCTIONS: [&str; 8] =
    ["fork", "start", "thread", "make", "drop", "catch", "exec", "end"];

/// A statement and what can come of it.
type Stated = (Statement, Course);

impl Parser<'_> {
    /// `{ lock.acquire(); lock.release() }`
    pub(super) fn body(&mut self) -> Result<(Program, Course), ParseError> {
        let open = self.words.here();
        self.words.mark("{")?;
        self.deeper(open, |parser| parser.statements(open))
    }

    fn statements(&mut self, open: Span) -> Result<(Program, Course), ParseError> {
        let mut program = Program::new();
        let mut course = Course::from(Flow::PASSES);
        self.scope.has_it = std::mem::take(&mut self.scope.is_first);
        loop {
            self.words.skip_separators();
            if self.words.is_over() {
                return Err(at(open, "this `{` is never closed"));
            }
            if self.words.try_mark("}") {
                self.scope.has_it = false;
                return Ok((program, course));
            }
            if self.words.next_is_actor() {
                return Err(at(open, "this `{` is not closed before the next step"));
            }
            if !course.whole.passes {
                let says = "nothing comes to this statement; the one before never goes on";
                return Err(at(self.words.here(), says));
            }
            let (statement, next) = self.statement()?;
            self.words.part_end()?;
            program.push(statement);
            course = course.then(next);
            self.scope.has_it = true;
        }
    }

    pub(super) fn statement(&mut self) -> Result<Stated, ParseError> {
        let start = self.words.place();
        let (word, span) = self.words.word("a statement starts with an object or a key word")?;
        if self.words.next_is(".") || self.words.next_is("[") {
            self.words.back_to(start);
            return self.call();
        }
        if self.words.next_is("==") {
            let (object, value) = self.comparison(word, span)?;
            return Ok((Statement::Equals { object, value }, Course::value()));
        }
        if self.scope.is_function && NOT_IN_FUNCTIONS.contains(&word.as_str()) {
            let says = format!("`{word}` does not stand in a function, which runs inside a call");
            return Err(at(span, says));
        }
        match word.as_str() {
            "loop" => self.repeated(),
            "tally" => self.tally(),
            "with" => self.with(),
            "fail" => Ok((Statement::Fail, Flow::FAIL.into())),
            "pause" => Ok((Statement::Pause { seconds: self.seconds()? }, Flow::PASSES.into())),
            "wait" => Ok((Statement::Wait, Course::wait())),
            "check" => self.check(),
            "fork" | "start" | "thread" => self.birth(&word),
            "make" => self.make(),
            "drop" => self.let_go(),
            "catch" => {
                self.scope.catches = true;
                Ok((Statement::Catch, Flow::PASSES.into()))
            }
            "exit" | "end" | "abort" | "crash" | "exec" => self.last(&word),
            _ => {
                Err(at(span, format!("`{word}` is neither an object before a `.` nor a statement")))
            }
        }
    }

    /// `{ n.add(1); n.get() }` among arguments. The loops around it are none of its own.
    pub(super) fn function(&mut self) -> Result<(Program, Course), ParseError> {
        let open = self.words.here();
        let own = Scope { is_function: true, is_first: true, ..Scope::new(&self.scope.actor) };
        let around = std::mem::replace(&mut self.scope, own);
        let found = self.body();
        self.scope = around;
        let (program, course) = found?;
        if program.is_empty() {
            return Err(at(open, "this function does nothing"));
        }
        Ok((program, course))
    }

    /// `many[n].acquire(timeout=1s) or owner-died { … }`
    fn call(&mut self) -> Result<Stated, ParseError> {
        let (target, kind) = self.target()?;
        self.words.mark(".")?;
        let (op, span) = self.words.word("an operation has a name")?;
        let alone = operation(&kind, &op).map_err(|says| at(span, says))?;
        let (args, functions) = self.arguments(alone)?;
        if let Some(name) = alone.filter(|name| args.len() != 1 || !args.contains_key(*name)) {
            return Err(at(span, format!("`{op}` of a {kind} has the argument `{name}` alone")));
        }
        self.started_by_call(&kind, &args, span)?;
        let mut or: Vec<Or> = Vec::new();
        let mut course = Course::call().calling(functions);
        if let Some(given) = self.functions.get(&target.object) {
            course = course.calling(*given);
        }
        if course.may_end_process() {
            let actor = self.scope.actor.clone();
            self.needs_process(&actor);
        }
        while self.words.try_key("or") {
            let (kind, span) = self.words.word("a kind of error is missing here")?;
            if !self.error_kinds.contains(&kind) {
                return Err(at(span, format!("`{kind}` is no kind in errors.toml")));
            }
            if or.iter().any(|other| other.kind == kind) {
                return Err(at(span, format!("`{kind}` has been dealt with")));
            }
            let (body, other) = self.body()?;
            course = course.or(other);
            or.push(Or { kind, body });
        }
        Ok((Statement::Call { target, op, args, or }, course))
    }

    /// `loop 100 { … }`, `loop 10 as n { … }`, `loop { … }`
    fn repeated(&mut self) -> Result<Stated, ParseError> {
        if self.words.next_is("{") {
            let (body, course) = self.rounds(None, None)?;
            let statement = Statement::Loop { count: None, variable: None, body };
            return Ok((statement, course.repeated(None)));
        }
        let (count, variable) = self.count_and_variable()?;
        let (body, course) = self.rounds(Some(count), variable.as_deref())?;
        let statement = Statement::Loop { count: Some(count), variable, body };
        Ok((statement, course.repeated(Some(count))))
    }

    /// `tally 10 as n { … }`
    fn tally(&mut self) -> Result<Stated, ParseError> {
        let (count, variable) = self.count_and_variable()?;
        let (body, course) = self.rounds(Some(count), variable.as_deref())?;
        Ok((Statement::Tally { count, variable, body }, course.tallied(count)))
    }

    fn count_and_variable(&mut self) -> Result<(u64, Option<String>), ParseError> {
        let (count, span) = self.words.count("the number of rounds")?;
        if count == 0 {
            return Err(at(span, "there must be one round at least"));
        }
        if !self.words.try_key("as") {
            return Ok((count, None));
        }
        let (name, span) = self.words.word("a variable needs a name")?;
        if self.scope.rounds_of(&name).is_some() {
            return Err(at(span, format!("a loop around this has the variable `{name}` already")));
        }
        Ok((count, Some(name)))
    }

    fn rounds(
        &mut self,
        count: Option<u64>,
        variable: Option<&str>,
    ) -> Result<(Program, Course), ParseError> {
        let known = self.scope.variables.len();
        let variable = variable.map(|name| (name.to_owned(), count.unwrap_or(u64::MAX)));
        self.scope.variables.extend(variable);
        let is_repeated = usize::from(count != Some(1));
        self.scope.loop_count += is_repeated;
        let found = self.body()?;
        self.scope.loop_count -= is_repeated;
        self.scope.variables.truncate(known);
        Ok(found)
    }

    fn with(&mut self) -> Result<Stated, ParseError> {
        let (target, _) = self.target()?;
        let (body, course) = self.body()?;
        Ok((Statement::With { target, body }, Course::scope(course)))
    }

    /// `check n == 0`
    fn check(&mut self) -> Result<Stated, ParseError> {
        let (object, span) = self.words.word("a cell is checked, as in `check n == 0`")?;
        let (object, value) = self.comparison(object, span)?;
        Ok((Statement::Check { object, value }, Flow::CHECK.into()))
    }

    /// `n == 0`, behind its first word
    fn comparison(&mut self, object: String, span: Span) -> Result<(String, i64), ParseError> {
        let line = self.object_named(&object, span)?;
        if line.kind != "cell" || line.count.is_some() {
            return Err(at(span, format!("`{object}` is no single cell")));
        }
        self.words.mark("==")?;
        let here = self.words.here();
        let value = self.value()?.as_i64();
        let value = value.ok_or_else(|| at(here, "a cell holds a whole number"))?;
        Ok((object, value))
    }

    /// `fork b`, `start b by spawn`, `thread t`
    fn birth(&mut self, word: &str) -> Result<Stated, ParseError> {
        let (name, span) = self.words.word("the name of the new actor is missing here")?;
        let birth = match word {
            "fork" => Birth::Fork,
            "start" => Birth::Start,
            _ => Birth::Thread,
        };
        self.may_start(&name, birth, span)?;
        self.scope.births.push((name.clone(), birth));
        let statement = match birth {
            Birth::Fork => Statement::Fork { name },
            Birth::Start => Statement::Start { name, how: self.how()? },
            Birth::Thread => Statement::Thread { name },
        };
        Ok((statement, Flow::PASSES.into()))
    }

    /// `p.start(actor="b")`: the life of what the object is, a process or a thread, is this actor.
    fn started_by_call(
        &mut self,
        kind: &str,
        args: &Arguments,
        span: Span,
    ) -> Result<(), ParseError> {
        let Some(name) = args.get(ACTOR).and_then(Value::as_str) else { return Ok(()) };
        if self.scope.is_function {
            return Err(at(span, "no actor starts in a function, which runs inside a call"));
        }
        let birth = if kind == "thread" { Birth::Thread } else { Birth::Start };
        self.may_start(name, birth, span)?;
        self.scope.births.push((name.to_owned(), birth));
        self.scope.ended_by_calls.push(name.to_owned());
        Ok(())
    }

    fn how(&mut self) -> Result<Option<How>, ParseError> {
        if !self.words.try_key("by") {
            return Ok(None);
        }
        let (word, span) = self.words.word("`fork` or `spawn` is missing here")?;
        let how = [How::Fork, How::Spawn].into_iter().find(|how| how.slug() == word);
        how.map(Some).ok_or_else(|| at(span, "a child starts by `fork` or by `spawn`"))
    }

    fn may_start(&mut self, name: &str, birth: Birth, span: Span) -> Result<(), ParseError> {
        let parent = self.scope.actor.clone();
        let is_declared = self.cast.member(name).is_some_and(|member| match &member.origin {
            Origin::ChildOf(declared) => *declared == parent,
            Origin::ThreadOf(declared) => *declared == parent && birth == Birth::Thread,
            Origin::Adapter | Origin::Main => false,
        });
        if !is_declared {
            let what = if birth == Birth::Thread { "child or thread" } else { "child" };
            return Err(at(span, format!("`{name}` is not declared as a {what} of `{parent}`")));
        }
        let is_started = self.scope.births.iter().any(|(born, _)| born == name);
        if is_started || self.known(name, span)?.lives() {
            return Err(at(span, format!("`{name}` is alive")));
        }
        if self.scope.loop_count > 0 {
            return Err(at(span, format!("in its second round the loop finds `{name}` alive")));
        }
        if birth != Birth::Thread {
            self.needs_process(&parent);
            self.set_own_process(name);
        }
        Ok(())
    }

    fn set_own_process(&mut self, name: &str) {
        for line in self.script.actors.iter_mut().filter(|line| line.name == name) {
            line.own_process = true;
        }
    }

    /// `make lock`: the declaration says what it is.
    fn make(&mut self) -> Result<Stated, ParseError> {
        let (object, span) = self.words.word("the name of an object is missing here")?;
        let line = self.object_named(&object, span)?;
        if line.maker.as_ref() != Some(&self.scope.actor) {
            let says = format!("`{object}` is not declared as made by `{}`", self.scope.actor);
            return Err(at(span, says));
        }
        let (kind, args, count) = (line.kind.clone(), line.args.clone(), line.count);
        Ok((Statement::Make { object, kind, args, count }, Flow::CHECK.into()))
    }

    fn let_go(&mut self) -> Result<Stated, ParseError> {
        let (object, span) = self.words.word("the name of an object is missing here")?;
        self.object_named(&object, span)?;
        Ok((Statement::Drop { object }, Flow::CHECK.into()))
    }

    /// What no statement comes behind.
    fn last(&mut self, word: &str) -> Result<Stated, ParseError> {
        let actor = self.scope.actor.clone();
        let is_thread = self.cast.is_thread(&actor);
        let (statement, flow) = match word {
            "exit" => {
                let code = self.exit_status()?;
                (Statement::Exit { code }, Flow::end(Ends::Process))
            }
            "abort" => (Statement::Abort, Flow::end(Ends::Process)),
            "crash" => (Statement::Crash, Flow::end(Ends::Process)),
            "exec" => (Statement::Exec, Flow::EXEC),
            _ if self.words.try_key("thread") => (Statement::EndThread, Flow::end(Ends::Thread)),
            _ if is_thread => (Statement::End, Flow::end(Ends::Thread)),
            // It may owe something first: threads and children are waited for.
            _ => (Statement::End, Flow { blocks: true, ..Flow::end(Ends::Process) }),
        };
        if !is_thread || flow.ends != Some(Ends::Thread) {
            self.needs_process(&actor);
        }
        Ok((statement, flow.into()))
    }

    /// Of what the call takes the system passes on the low eight bits, and a script may show that.
    fn exit_status(&mut self) -> Result<i32, ParseError> {
        let here = self.words.here();
        if self.words.next_is("->") {
            return Err(at(here, "an exit status is missing here, such as 3"));
        }
        let code = self.value()?.as_i64().and_then(|code| i32::try_from(code).ok());
        code.ok_or_else(|| at(here, "an exit status is a whole number of 32 bits"))
    }

    /// What the program did, as far as the script says so.
    pub(super) fn carry_out(&mut self, actor: &str, scope: Scope) {
        if scope.catches {
            self.cast.change_process(actor, |state| state.catches = true);
        }
        for (name, birth) in scope.births {
            self.cast.start(&name, actor, birth);
        }
        for name in scope.ended_by_calls {
            self.cast.change(&name, |state| state.may_end = true);
        }
    }
}

/// What the suite itself says of cells and logs: which operations they have, and the argument that
/// may stand without its name. Of other kinds a subject says what it offers.
fn operation(kind: &str, op: &str) -> Result<Option<&'static str>, String> {
    let known: &[(&str, Option<&str>)] = match kind {
        "cell" => &[("get", None), ("set", Some("value")), ("add", Some("n"))],
        "log" => &[
            ("lines", None),
            ("write", Some("text")),
            ("has", Some("text")),
            ("rows", None),
            ("repeated", None),
        ],
        "lock" if matches!(op, "get" | "set" | "add" | "write" | "lines") => &[],
        _ => return Ok(None),
    };
    let found = known.iter().find(|(name, _)| *name == op).map(|(_, alone)| *alone);
    found.ok_or_else(|| format!("a {kind} has no operation `{op}`"))
}
