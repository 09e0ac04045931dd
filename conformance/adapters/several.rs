//! What waits for several ends of pipes, and for what else a subject can wait for beside them.

use std::any::Any;
use std::marker::PhantomData;
use std::sync::Arc;

use purlin_conformance::serve::{Arguments, CallResult, Functions, Object};
use serde_json::{Value, json};

use super::pipe::{Done, Line, limit, line_of};

/// The kind of what waits for several.
pub(super) const KIND: &str = "several";

/// What can be asked of that.
pub(super) const OPERATIONS: [&str; 2] = ["wait", "drain"];

/// Whoever asks has the things; this has none.
pub(super) struct Several<L>(PhantomData<fn() -> L>);

impl<L> Default for Several<L> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<L: Line> Several<L> {
    /// The names of those that are ready.
    fn wait(args: &Arguments, functions: &Functions<'_>) -> Done<Value> {
        let (names, objects) = named(args, functions)?;
        let ready = L::wait(&objects, limit(args)?)?;
        Ok(ready.into_iter().map(|place| names[place].clone()).collect::<Vec<_>>().into())
    }

    /// Waits for those that are left and receives from each that is ready, until all are at their
    /// end: how many messages came.
    fn drain(args: &Arguments, functions: &Functions<'_>) -> Done<Value> {
        let (_, mut left) = named(args, functions)?;
        let mut message_count = 0;
        while !left.is_empty() {
            for place in L::wait(&left, None)?.into_iter().rev() {
                match line_of::<L>(&*left[place])?.recv(None) {
                    Ok(_) => message_count += 1,
                    Err(CallResult::Failed(refusal)) if refusal.kind == "end-of-file" => {
                        left.remove(place);
                    }
                    Err(other) => return Err(other),
                }
            }
        }
        Ok(json!(message_count))
    }
}

impl<L: Line> Object for Several<L> {
    fn call(&self, _op: &str, _args: &Arguments) -> CallResult {
        CallResult::Unsupported
    }

    fn call_with(&self, op: &str, args: &Arguments, functions: &mut Functions<'_>) -> CallResult {
        let answer = match op {
            "wait" => Self::wait(args, functions),
            "drain" => Self::drain(args, functions),
            _ => Err(CallResult::Unsupported),
        };
        answer.map_or_else(|other| other, CallResult::Value)
    }

    fn handle(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

type Named = (Vec<String>, Vec<Arc<dyn Object>>);

/// Those that the argument `of` names.
fn named(args: &Arguments, functions: &Functions<'_>) -> Done<Named> {
    let names = args.get("of").and_then(Value::as_array);
    let names = names.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    let names: Vec<String> = names.collect();
    let objects = names.iter().map(|name| functions.object(name)).collect::<Result<_, _>>();
    Ok((names, objects.map_err(CallResult::Failed)?))
}
