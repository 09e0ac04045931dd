//! Functions of the script that a subject runs: predicates, actions.

use std::sync::Arc;

use serde_json::Value;

use super::actor::run_alone;
use super::flow::{Flow, catch_task, unwind_with};
use super::interpreter::Interpreter;
use super::life::Life;
use super::shelf::{Shelf, hand_over};
use super::{Actor, Object, Refusal, newborn};
use crate::protocol::Arguments;
use crate::script::{Program, function_of, function_value};

/// A function that a script gives as an argument: a program, which can be kept and handed over as
/// the value that it came as.
#[derive(Debug, Clone, PartialEq)]
pub struct Function(pub(super) Program);

/// Runs functions in the thread that makes the call that runs them.
pub struct Functions<'a> {
    pub(super) life: &'a mut Life,
    /// The request that the call belongs to.
    id: u64,
}

impl Function {
    /// The function that the argument of this name is; none when it is missing or is none.
    pub fn of(args: &Arguments, name: &str) -> Option<Self> {
        args.get(name).and_then(function_of).map(Self)
    }

    /// The argument that it was.
    pub fn to_value(&self) -> Value {
        function_value(&self.0)
    }
}

impl Functions<'_> {
    /// Runs a function and gives the value of its last statement. A statement that fails is an
    /// error of the user's own: this unwinds, as a closure that panics does, and the call that it
    /// gets through to fails so.
    pub fn run(&mut self, function: &Function) -> Value {
        match Interpreter::function(self.life, self.id, &function.0, Value::Null) {
            Flow::Done(value) => value,
            other => unwind_with(other),
        }
    }

    /// The object of this name that this actor has.
    ///
    /// # Errors
    /// * `no-such-name` when it has none.
    pub fn object(&self, name: &str) -> Result<Arc<dyn Object>, Refusal> {
        self.object_at(name, None)
    }

    /// The same, or of several under one name the one at this place.
    ///
    /// # Errors
    /// * `no-such-name` when it has none; `out-of-range` when there are not so many.
    pub fn object_at(&self, name: &str, place: Option<u64>) -> Result<Arc<dyn Object>, Refusal> {
        self.life.shelf.find(name, place)
    }

    /// Tells this actor's objects that the next process which this thread forks is to have them:
    /// before a fork that none of the others here makes.
    pub fn hand_over(&self) {
        hand_over(&self.life.shelf.all());
    }

    /// Starts the actor of this name, which the call was told to (`actor="b"`), by `start`, and
    /// waits until it is there.
    ///
    /// # Errors
    /// * `no-such-name` when it is no heir of this actor; `out-of-resources`; what `start` gave.
    pub fn start_actor<T>(
        &mut self,
        name: &str,
        start: impl FnOnce(Actor) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        newborn::by_call(self.life, self.id, name, start)
    }

    /// Forks by `fork`, a call that returns twice and gives nothing in the child. The child leaves
    /// the call and all that is around it, and is the actor of this name from there on.
    ///
    /// # Errors
    /// * As for [`start_actor`](Self::start_actor).
    pub fn fork_actor<T>(
        &mut self,
        name: &str,
        fork: impl FnOnce() -> Result<Option<T>, Refusal>,
    ) -> Result<T, Refusal> {
        let child = newborn::by_raw_fork(self.life, self.id, name, fork)?;
        Ok(child.unwrap_or_else(|way| unwind_with(way)))
    }

    /// Starts what has `function` as its whole life, with this actor's objects, by `start`. Its
    /// `run` methods give what the function failed with.
    ///
    /// # Errors
    /// * What `start` gave.
    pub fn start_function<T>(
        &mut self,
        function: &Function,
        start: impl FnOnce(Actor) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        newborn::with_function(self.life, function.0.clone(), start)
    }

    /// The function as something that can be run later, when the call is over, once. It has this
    /// actor's objects, and nobody hears what comes of it.
    pub fn detached(&self, function: &Function) -> impl FnOnce() + Send + 'static {
        let shelf = Shelf::new(self.life.shelf.all());
        let (subject, program) = (Arc::clone(&self.life.subject), function.0.clone());
        move || {
            let _ = run_alone(&mut Life::new(shelf, subject), &program, Value::Null);
        }
    }
}

/// Makes a call, and answers what it or a function that it ran was left with.
pub(super) fn made_call(
    life: &mut Life,
    id: u64,
    object: &dyn Object,
    op: &str,
    args: &Arguments,
) -> Flow {
    catch_task(|| object.call_with(op, args, &mut Functions { life, id }).into())
}

/// Whether a predicate's value says that it holds: all but null, false, 0, and what is empty.
pub fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(holds) => *holds,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_nothing_is_not_true() {
        for value in [json!(null), json!(false), json!(0), json!(0.0), json!(""), json!([])] {
            assert!(!is_true(&value), "{value}");
        }
        for value in [json!(true), json!(-1), json!(0.5), json!("0"), json!([0]), json!({"a": 0})] {
            assert!(is_true(&value), "{value}");
        }
    }
}
