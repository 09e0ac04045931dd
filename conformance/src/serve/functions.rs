//! Functions of the script that a subject runs: predicates, actions.

use serde_json::Value;

use super::Object;
use super::flow::{Flow, catch_task, unwind_with};
use super::interpreter::Interpreter;
use super::life::Life;
use crate::protocol::Arguments;
use crate::script::{Program, function_of, function_value};

/// A function that a script gives as an argument: a program, which can be kept and handed over as
/// the value that it came as.
#[derive(Debug, Clone, PartialEq)]
pub struct Function(Program);

/// Runs functions in the thread that makes the call that runs them.
pub struct Functions<'a> {
    life: &'a mut Life,
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
        match Interpreter::function(self.life, self.id, &function.0) {
            Flow::Done(value) => value,
            other => unwind_with(other),
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
