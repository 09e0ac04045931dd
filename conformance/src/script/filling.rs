//! What an actor fills in itself among the arguments of a program's calls: the number of a loop's
//! round, the value of the statement before.

use serde_json::{Value, json};

use super::Arguments;

/// The word for the value of the statement before.
pub(crate) const IT: &str = "it";

/// The one field of what stands for a loop's variable: `{"loop": "i"}`.
const LOOP: &str = "loop";

/// What an actor fills in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Filling<'a> {
    /// The variable of a loop around.
    Loop(&'a str),
    /// The value of the statement before.
    It,
}

/// The variable of a loop as a value of an argument.
pub(crate) fn loop_variable(name: &str) -> Value {
    json!({ LOOP: name })
}

/// The value of the statement before as a value of an argument.
pub(crate) fn it() -> Value {
    json!({ IT: true })
}

/// What a value stands for, if the actor fills it in.
pub(crate) fn filling(value: &Value) -> Option<Filling<'_>> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    let variable = map.get(LOOP).and_then(Value::as_str).map(Filling::Loop);
    variable.or_else(|| (map.get(IT)? == true).then_some(Filling::It))
}

/// The arguments with everything filled in; `meant` says what stands there.
pub(crate) fn filled(args: &Arguments, meant: &impl Fn(Filling<'_>) -> Value) -> Arguments {
    args.iter().map(|(name, value)| (name.clone(), filled_value(value, meant))).collect()
}

fn filled_value(value: &Value, meant: &impl Fn(Filling<'_>) -> Value) -> Value {
    match (filling(value), value) {
        (Some(filling), _) => meant(filling),
        (None, Value::Array(values)) => {
            values.iter().map(|value| filled_value(value, meant)).collect()
        }
        (None, value) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_something_is_filled_in_wherever_it_stands() {
        let args = json!({"a": loop_variable("i"), "b": ["x", it(), [loop_variable("i")]], "c": 1});
        let Value::Object(args) = args else { panic!() };
        let meant = |filling: Filling<'_>| match filling {
            Filling::Loop(name) => json!(format!("round of {name}")),
            Filling::It => json!(7),
        };
        let found = Value::Object(filled(&args, &meant));
        let expected = json!({"a": "round of i", "b": ["x", 7, ["round of i"]], "c": 1});
        assert_eq!(found, expected);
    }

    #[test]
    fn what_only_looks_so_stands_for_itself() {
        for value in [json!({"loop": 1}), json!({"it": false}), json!({"loop": "i", "it": true})] {
            assert_eq!(filling(&value), None);
        }
    }
}
