//! A call or a program that was sent to an actor, and what is known of it without running it.

use std::time::{Duration, Instant};

use crate::protocol::{Answer, Arguments};
use crate::run::{History, What};
use crate::script::{ACTOR, Program, Statement, each_statement, functions};

/// A call or a program under way.
pub(crate) struct Call {
    pub(crate) id: u64,
    /// Its number in the history.
    pub(crate) event: usize,
    /// Before it was sent, by the runner's clock.
    pub(crate) sent: Instant,
    pub(crate) entered: Option<Entered>,
    pub(crate) answer: Option<Answer>,
    /// How often it said `waiting`.
    waits_count: u64,
    /// How often it was told `go`, at most once for each.
    goes_count: u64,
    pub(crate) traits: Traits,
}

/// The actor is about to make the call.
#[derive(Clone, Copy)]
pub(crate) struct Entered {
    /// By the actor's clock.
    pub(crate) at: u64,
    /// By the runner's, when it read the line.
    seen: Instant,
}

/// What the text of a call or a program tells.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Traits {
    /// The time limit that it was given, if any; of a program the sum of all.
    limit: Option<Duration>,
    /// The pauses that it makes by itself.
    pub(crate) pauses: Duration,
    /// The actors that it starts.
    pub(crate) starts: Vec<String>,
    /// Its thread ends alone, and the process goes on.
    pub(crate) ends_thread: bool,
    /// It may come to the end of its process, or of its thread.
    pub(crate) ends: bool,
    /// It executes another program.
    pub(crate) executes: bool,
}

impl Call {
    pub(crate) fn new(id: u64, event: usize, what: &What) -> Self {
        let traits = match what {
            What::Call { args, .. } => Traits::of_call(args),
            What::Run(program) => Traits::of(program),
        };
        let sent = Instant::now();
        Self { id, event, sent, entered: None, answer: None, waits_count: 0, goes_count: 0, traits }
    }

    /// Takes in what its actor says; false when that comes out of turn. `entered` comes once,
    /// before all else; a call that is not made comes without it.
    pub(crate) fn take(&mut self, answer: Answer, history: &mut History) -> bool {
        let is_entered = self.entered.is_some();
        let is_in_turn = self.answer.is_none()
            && match &answer {
                Answer::Ok { .. } | Answer::Started { .. } => false,
                Answer::Entered { .. } => !is_entered,
                Answer::Waiting { .. } => is_entered && !self.is_at_wait(),
                Answer::Returned { .. } | Answer::Failed { .. } => is_entered,
                Answer::Error { .. } | Answer::Unsupported | Answer::Prevented { .. } => true,
            };
        if !is_in_turn {
            return false;
        }
        history.answered(self.event, &answer);
        match answer {
            Answer::Entered { at } => self.entered = Some(Entered { at, seen: Instant::now() }),
            Answer::Waiting { .. } => self.waits_count += 1,
            answer => self.answer = Some(answer),
        }
        true
    }

    /// Whether its program stands at a statement `wait`.
    pub(crate) fn is_at_wait(&self) -> bool {
        self.waits_count > self.goes_count
    }

    /// It is told to go on; what it says from now on may come from behind its `wait`.
    pub(crate) fn goes(&mut self) {
        self.goes_count += 1;
    }

    /// Whether the time limit that it was given may still end it.
    pub(crate) fn may_end_by_limit(&self) -> bool {
        match (self.traits.limit, self.entered) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(limit), Some(entered)) => entered.seen.elapsed() <= limit,
        }
    }
}

impl Traits {
    fn of(program: &Program) -> Self {
        let mut traits = Self::default();
        traits.add(program);
        traits
    }

    fn of_call(args: &Arguments) -> Self {
        let starts = started_by(args).into_iter().map(str::to_owned).collect();
        let mut traits = Self { limit: limit(args), starts, ..Self::default() };
        functions(args).for_each(|function| traits.add(&function));
        traits
    }

    fn add(&mut self, program: &Program) {
        each_statement(program, &mut |statement, rounds| match statement {
            Statement::Call { args, .. } => {
                self.starts.extend(started_by(args).map(str::to_owned));
                if let Some(more) = limit(args) {
                    let more = times(more, rounds);
                    self.limit = Some(self.limit.unwrap_or_default().saturating_add(more));
                }
            }
            Statement::Pause { seconds } => {
                let pause = Duration::try_from_secs_f64(*seconds).unwrap_or_default();
                self.pauses = self.pauses.saturating_add(times(pause, rounds));
            }
            Statement::Fork { name }
            | Statement::Start { name, .. }
            | Statement::Thread { name } => {
                self.starts.push(name.clone());
            }
            Statement::End => self.ends = true,
            Statement::EndThread => self.ends_thread = true,
            Statement::Exec => self.executes = true,
            _ => {}
        });
    }
}

/// The actor that a call starts, be it of a process or of a thread, as the life of that.
fn started_by(args: &Arguments) -> Option<&str> {
    args.get(ACTOR).and_then(serde_json::Value::as_str)
}

/// The time limit among the arguments; an endless one is none.
fn limit(args: &Arguments) -> Option<Duration> {
    let seconds = args.get("timeout").and_then(serde_json::Value::as_f64);
    seconds.map(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX))
}

fn times(time: Duration, rounds: u64) -> Duration {
    time.saturating_mul(u32::try_from(rounds).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn traits(program: serde_json::Value) -> Traits {
        Traits::of(&serde_json::from_value(program).unwrap())
    }

    #[test]
    fn pauses_and_limits_count_once_a_round() {
        let acquire = json!({"do": "call", "object": "l", "op": "acquire", "args": {"timeout": 2}});
        let body = json!([acquire, {"do": "pause", "seconds": 0.5}]);
        let found = traits(json!([{"do": "loop", "count": 10, "body": body}]));
        assert_eq!(found.pauses, Duration::from_secs(5));
        assert_eq!(found.limit, Some(Duration::from_secs(20)));
        let endless = traits(json!([{"do": "loop", "body": [acquire]}]));
        assert!(endless.limit > Some(Duration::from_secs(1 << 30)));
    }

    #[test]
    fn a_function_counts_with_the_call_that_it_is_given_to() {
        let pause = json!({"program": [{"do": "pause", "seconds": 0.5}]});
        let args: Arguments =
            serde_json::from_value(json!({"function": pause, "timeout": 2})).unwrap();
        let found = Traits::of_call(&args);
        assert_eq!(
            (found.limit, found.pauses),
            (Some(Duration::from_secs(2)), Duration::from_millis(500))
        );
        let call = json!({"do": "call", "object": "c", "op": "wait_for", "args": args});
        assert_eq!(traits(json!([call])), found);
    }

    #[test]
    fn whom_a_program_starts_is_seen_in_every_corner() {
        let fork = json!({"do": "fork", "name": "b"});
        let or = json!([{"kind": "owner-died", "body": [fork]}]);
        let call = json!({"do": "call", "object": "l", "op": "acquire", "or": or});
        let found = traits(json!([{"do": "with", "object": "l", "body": [call]}, {"do": "exec"}]));
        assert_eq!((found.starts, found.executes), (vec!["b".to_owned()], true));
        let args = json!({"actor": "c"});
        let start = json!({"do": "call", "object": "p", "op": "start", "args": args});
        assert_eq!(traits(json!([start])).starts, ["c"]);
        let args: Arguments = serde_json::from_value(args).unwrap();
        assert_eq!(Traits::of_call(&args).starts, ["c"]);
        assert!(!found.ends_thread);
    }

    #[test]
    fn answers_come_in_turn() {
        let mut history = History::default();
        let mut call = Call::new(1, 0, &What::Run(Program::new()));
        assert!(!call.take(Answer::Waiting { at: 1 }, &mut history));
        assert!(call.take(Answer::Entered { at: 1 }, &mut history));
        assert!(!call.take(Answer::Entered { at: 1 }, &mut history));
        assert!(call.take(Answer::Waiting { at: 2 }, &mut history));
        assert!(!call.take(Answer::Waiting { at: 2 }, &mut history));
        assert!(call.is_at_wait());
        call.goes();
        assert!(!call.is_at_wait());
        assert!(call.take(Answer::Waiting { at: 2 }, &mut history));
        assert!(call.take(Answer::Returned { at: 3, value: 7.into() }, &mut history));
        assert!(!call.take(Answer::Unsupported, &mut history));
    }
}
