//! Functions among arguments: programs that whoever is called runs.

use serde_json::{Map, Value};

use super::{Arguments, Program};

/// The one field of a function as a value: `{"program": […]}`.
const PROGRAM: &str = "program";

/// The name of the argument that a function is when it is given without one.
pub(crate) const FUNCTION: &str = "function";

/// The name of the argument that names an actor: the call starts it, as the life of a process or of
/// a thread that was made before.
pub(crate) const ACTOR: &str = "actor";

/// A program as a value of an argument.
pub fn function_value(program: &Program) -> Value {
    let program = serde_json::to_value(program).unwrap_or_default();
    Value::Object(Map::from_iter([(PROGRAM.to_owned(), program)]))
}

/// The program that a value of an argument is, if it is a function.
pub fn function_of(value: &Value) -> Option<Program> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    serde_json::from_value(map.get(PROGRAM)?.clone()).ok()
}

/// The functions among arguments.
pub(crate) fn functions(args: &Arguments) -> impl Iterator<Item = Program> {
    args.values().filter_map(function_of)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_function_is_read_back_from_its_value() {
        let value = json!({"program": [{"do": "equals", "object": "n", "value": 4}]});
        assert_eq!(function_of(&value).map(|program| function_value(&program)), Some(value));
    }

    #[test]
    fn what_only_looks_like_a_function_is_none() {
        for value in [
            json!({"program": []}),
            json!([{"do": "wait"}]),
            json!({"program": [{"do": "paint"}]}),
            json!({"program": [], "x": 1}),
            json!({"var": "t"}),
        ] {
            let is_empty = value == json!({"program": []});
            assert_eq!(function_of(&value).is_some(), is_empty, "{value}");
        }
    }
}
