//! What a map is given, one by one, and what is said of what it returns.

use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::sync::Arc;

use purlin_conformance::serve::{Arguments, CallResult, Functions, Object, Refusal};
use serde_json::{Value, json};

use super::task::{Given, Work};

/// Gives tasks: `over` many numbers from 0 on, without it without end, or `of` a list. At the
/// elements that `at` names it is `there` that is run; at `fails_at` the source itself fails.
pub(super) struct Source {
    work: Work,
    there: Option<Work>,
    at: Vec<Value>,
    listed: Option<Vec<Value>>,
    over: Option<u64>,
    fails_at: Option<u64>,
    /// A cell that counts how often it was asked.
    counts: Option<Arc<dyn Object>>,
    next: u64,
}

impl Source {
    pub(super) fn of(args: &Arguments, functions: &Functions<'_>) -> Result<Self, CallResult> {
        let work = work(args)?;
        let listed = match args.get("of") {
            None => None,
            Some(Value::Array(values)) => Some(values.clone()),
            Some(_) => return Err(prevented("what is no iterator cannot be given")),
        };
        let counts = args.get("counts").and_then(Value::as_str);
        let counts = counts.map(|cell| functions.object(cell)).transpose();
        let at = match args.get("at") {
            None => Vec::new(),
            Some(Value::Array(values)) => values.clone(),
            Some(value) => vec![value.clone()],
        };
        let number = |name: &str| args.get(name).and_then(Value::as_u64);
        Ok(Self {
            work,
            there: Work::of(args, "there"),
            at,
            listed,
            over: number("over"),
            fails_at: number("fails_at"),
            counts: counts.map_err(CallResult::Failed)?,
            next: 0,
        })
    }

    fn element(&self, place: u64) -> Option<Value> {
        match &self.listed {
            Some(values) => values.get(usize::try_from(place).ok()?).cloned(),
            None if self.over.is_some_and(|count| place >= count) => None,
            None => Some(place.into()),
        }
    }
}

impl Iterator for Source {
    type Item = Given;

    fn next(&mut self) -> Option<Given> {
        let place = self.next;
        self.next += 1;
        if let Some(cell) = &self.counts {
            let _ = cell.call("add", &Arguments::from_iter([("n".to_owned(), json!(1))]));
        }
        if self.fails_at == Some(place) {
            resume_unwind(Box::new(format!("the source fails at {place}")));
        }
        let element = self.element(place)?;
        let is_there = self.at.contains(&element);
        let work = self.there.as_ref().filter(|_| is_there).unwrap_or(&self.work);
        Some(work.given(&element))
    }
}

/// The task that the arguments say.
pub(super) fn work(args: &Arguments) -> Result<Work, CallResult> {
    let work = Work::of(args, "task").or_else(|| Work::of(args, "function"));
    work.ok_or(CallResult::Unsupported)
}

/// Values as the arguments ask for them: all; each as a line of `log`; their `sum`; of each
/// `distinct` of them how many different ones there are.
pub(super) fn shown(values: Vec<Value>, args: &Arguments, functions: &Functions<'_>) -> CallResult {
    if let Some(log) = args.get("log").and_then(Value::as_str) {
        return written(&values, functions.object(log));
    }
    if args.contains_key("sum") {
        return CallResult::Value(values.iter().filter_map(Value::as_i64).sum::<i64>().into());
    }
    match args.get("distinct").and_then(Value::as_u64).map(usize::try_from) {
        Some(Ok(count)) if count > 0 => {
            let texts: Vec<String> = values.iter().map(Value::to_string).collect();
            let different = texts.chunks(count).map(|some| some.iter().collect::<BTreeSet<_>>());
            CallResult::Value(different.map(|some| some.len()).collect())
        }
        _ => CallResult::Value(values.into()),
    }
}

fn written(values: &[Value], log: Result<Arc<dyn Object>, Refusal>) -> CallResult {
    let log = match log {
        Ok(log) => log,
        Err(refusal) => return CallResult::Failed(refusal),
    };
    for value in values {
        let line = Arguments::from_iter([("text".to_owned(), value.clone())]);
        match log.call("write", &line) {
            CallResult::Value(_) => {}
            other => return other,
        }
    }
    CallResult::ok()
}

/// How many make a chunk.
pub(super) fn chunk(args: &Arguments) -> Result<Option<usize>, CallResult> {
    let Some(chunk) = args.get("chunk") else { return Ok(None) };
    let chunk = chunk.as_u64().and_then(|chunk| usize::try_from(chunk).ok());
    chunk.map(Some).ok_or_else(|| prevented("a usize is a whole number that is not negative"))
}

pub(super) fn prevented(why: &str) -> CallResult {
    CallResult::Prevented(why.to_owned())
}
