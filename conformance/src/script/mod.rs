//! A case's script as the interpreter runs it: what is shared, who acts, and a step a line.

mod expected;
mod filling;
mod function;
mod print;
mod program;
mod walk;

pub use expected::{Ended, Expected, Outcome};
pub(crate) use expected::{Millis, Together};
pub(crate) use filling::{Filling, IT, filled, filling, it, loop_variable};
pub(crate) use function::{ACTOR, FUNCTION, functions};
pub use function::{function_of, function_value};
pub use program::{Or, Program, Statement, Target};
pub(crate) use walk::{each_statement, each_statement_mut};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The arguments of a call by name; a length of time is a number of seconds, and a function is
/// `{"program": […]}`.
pub type Arguments = Map<String, Value>;

/// A parsed script. The parser has checked that its names fit together.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// What the actors share.
    pub objects: Vec<ObjectLine>,
    /// Who acts.
    pub actors: Vec<ActorLine>,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// `object lock: lock`, `object many[5000]: lock`, `object lock: lock made by a` or
/// `object lock: lock made later by a`
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectLine {
    /// Its name in the script.
    pub name: String,
    /// What it is.
    pub kind: String,
    /// How it is made.
    pub args: Arguments,
    /// How many there are of it; none when it stands alone.
    pub count: Option<u64>,
    /// The actor that makes it, by a statement `make`; none when the adapter does.
    pub maker: Option<String>,
    /// Nobody makes it before the script says so.
    pub is_late: bool,
    /// Where this stands.
    pub span: Span,
}

/// A name of `actors a b`, `processes a b`, `main m`, `threads t of a` or `children b of a`.
#[derive(Debug, Clone, PartialEq)]
pub struct ActorLine {
    /// Its name in the script.
    pub name: String,
    /// It must be a process even where a subject's actors are threads: it is killed, or its being
    /// another process is the point.
    pub own_process: bool,
    /// Who starts it.
    pub origin: Origin,
    /// Where this stands.
    pub span: Span,
}

/// Who starts an actor, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The adapter, before the first step.
    Adapter,
    /// The adapter, as a thread of its own process, after all others and before the first step.
    Main,
    /// This actor, as a thread of its process, before the first step.
    ThreadOf(String),
    /// This actor, by a statement of a program: `fork b`, `start b`, `thread b`.
    ChildOf(String),
}

/// One line that does something, or a block of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// Where this stands; of a block its first line.
    pub span: Span,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// `a: lock.acquire(timeout=50ms) -> timed-out after 50ms`, the request `call` of the core.
    Call {
        /// Who calls.
        actor: String,
        /// On what.
        target: Target,
        /// Which operation.
        op: String,
        /// With what.
        args: Arguments,
        /// What must come of it.
        expected: Expected,
    },
    /// `a: { lock.acquire(); lock.release() } -> ok`, or one statement that is no plain call, such
    /// as `a: loop 100 { … } -> ok` and `a: fork b -> ok`: the request `run`.
    Run {
        /// Who runs it.
        actor: String,
        /// What runs in the actor.
        program: Program,
        /// What must come of it.
        expected: Expected,
    },
    /// `b: -> ok`, the outcome of a call that was blocked, started or waiting.
    Await {
        /// Whose call.
        actor: String,
        /// What must come of it.
        expected: Expected,
    },
    /// `one of b c d: -> ok as w`: one of the calls returns so, or is `waiting`; the others are
    /// still blocked. Those of an earlier `one of` whose calls are over do not count.
    OneOf {
        /// Whose calls.
        actors: Vec<String>,
        /// What must come of exactly one of them.
        expected: Expected,
        /// `as w`: the name that the one has from here on.
        winner: Option<String>,
        /// `as w other l`, with two actors only: the name that the other has from here on.
        loser: Option<String>,
    },
    /// `each of b c: -> 0, 1 | barrier-broken, barrier-broken`: all of the calls return, and, in
    /// whatever order, with the outcomes of one of the lists.
    EachOf {
        /// Whose calls.
        actors: Vec<String>,
        /// What may come of all of them together, one for each.
        any_of: Vec<Vec<Outcome>>,
    },
    /// `kill a`, with a moment
    Kill {
        /// Who is killed.
        actor: String,
        /// When.
        moment: Moment,
    },
    /// `fresh a`: a new actor of this name, in the place of one that is gone.
    Fresh {
        /// Its name.
        actor: String,
    },
    /// `freeze a`, `freeze a when blocked`, `freeze a at random`: SIGSTOP, and the kernel says that
    /// it stands still.
    Freeze {
        /// Who.
        actor: String,
        /// When; never without waiting.
        moment: Moment,
    },
    /// `thaw a`
    Thaw {
        /// Who.
        actor: String,
    },
    /// `signal b every 20ms`: from now until its call has returned, b gets the signal that its
    /// statement `catch` has a handler for (SIGUSR1).
    Signal {
        /// Who.
        actor: String,
        /// How often.
        every_nanos: u64,
    },
    /// `interrupt b`: what a user's Ctrl-C sends (SIGINT).
    Interrupt {
        /// Who.
        actor: String,
    },
    /// `go a`: lets the program of a go on behind its `wait`.
    Go {
        /// Who.
        actor: String,
    },
    /// `repeat 100 { … }`
    Repeat {
        /// How often.
        count: u64,
        /// What.
        body: Vec<Step>,
    },
    /// `parallel { … }`: the calls begin one after the other without waiting for outcomes; then
    /// all outcomes are awaited.
    Parallel {
        /// Calls and programs, each of another actor.
        body: Vec<Step>,
    },
    /// `forall t in 1s, 2s { … }`: the steps once for each value; `$t` stands for it among
    /// arguments.
    Forall {
        /// The variable.
        variable: String,
        /// Its values.
        values: Vec<Value>,
        /// What is done for each; the variable stands in arguments as `{"var": NAME}`.
        body: Vec<Step>,
    },
}

/// When an actor is killed, or stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// `kill a`
    Now,
    /// `kill a when blocked`: after its call was once more shown to wait.
    WhenBlocked,
    /// `kill a after entered`: as soon as its call says that it begins.
    AfterEntered,
    /// `kill a at random`: after a time drawn from the run's seed, up to some milliseconds.
    AtRandom,
    /// `kill a without waiting`: the next step does not wait until it is gone.
    WithoutWaiting,
}

/// A place in a script: a line, counted from 1, and the bytes of it from `start` up to `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The line.
    pub line: usize,
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}
