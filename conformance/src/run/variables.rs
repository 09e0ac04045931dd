//! Values in the places of their variables: those of `forall t in …` in all steps of its body, and
//! those that calls came back with (`value as x`) in each step when it is its turn.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::run::End;
use crate::script::{Action, Expected, Outcome, Step};

/// The steps with `value` wherever `{"var": variable}` stands.
pub(super) fn with_value(steps: &[Step], variable: &str, value: &Value) -> Result<Vec<Step>, End> {
    let put = |step: &Step| {
        let mut step = step.clone();
        put_in_action(&mut step.action, variable, value)?;
        Ok(step)
    };
    steps.iter().map(put).collect()
}

/// The step with each value that was kept in its place.
pub(super) fn with_kept(step: &Step, kept: &BTreeMap<String, Value>) -> Result<Step, End> {
    let mut step = step.clone();
    for (name, value) in kept {
        put_in_action(&mut step.action, name, value)?;
    }
    Ok(step)
}

fn put_in_action(action: &mut Action, variable: &str, value: &Value) -> Result<(), End> {
    match action {
        Action::Call { target, args, expected, .. } => {
            if let Some(index) = &mut target.index {
                put_in(index, variable, value);
            }
            args.values_mut().for_each(|arg| put_in(arg, variable, value));
            put_in_expected(expected, variable, value);
        }
        Action::Run { program, expected, .. } => {
            *program = put_in_any(program, variable, value)?;
            put_in_expected(expected, variable, value);
        }
        Action::Await { expected, .. } | Action::OneOf { expected, .. } => {
            put_in_expected(expected, variable, value);
        }
        Action::EachOf { any_of, .. } => {
            any_of.iter_mut().for_each(|outcomes| put_in_outcomes(outcomes, variable, value));
        }
        Action::Repeat { body, .. } | Action::Parallel { body } | Action::Forall { body, .. } => {
            *body = with_value(body, variable, value)?;
        }
        _ => {}
    }
    Ok(())
}

fn put_in_expected(expected: &mut Expected, variable: &str, value: &Value) {
    if let Expected::Outcome { any_of, .. } = expected {
        put_in_outcomes(any_of, variable, value);
    }
}

fn put_in_outcomes(outcomes: &mut [Outcome], variable: &str, value: &Value) {
    for outcome in outcomes {
        if let Outcome::Value(wanted) | Outcome::OtherThan(wanted) = outcome {
            put_in(wanted, variable, value);
        }
    }
}

/// By way of its JSON form, which knows every place where a value can stand.
fn put_in_any<T: Serialize + DeserializeOwned>(
    whole: &T,
    variable: &str,
    value: &Value,
) -> Result<T, End> {
    let wrong = |error| End::error(format!("${variable} cannot be {value} here: {error}"));
    let mut json = serde_json::to_value(whole).map_err(wrong)?;
    put_in(&mut json, variable, value);
    serde_json::from_value(json).map_err(wrong)
}

fn put_in(place: &mut Value, variable: &str, value: &Value) {
    match place {
        Value::Object(map) if map.len() == 1 && map.get("var").is_some_and(|v| v == variable) => {
            *place = value.clone();
        }
        Value::Object(map) => map.values_mut().for_each(|inner| put_in(inner, variable, value)),
        Value::Array(list) => list.iter_mut().for_each(|inner| put_in(inner, variable, value)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::script::Program;

    #[test]
    fn a_value_is_put_in_every_place_of_its_variable_alone() {
        let mut value = json!([{"var": "t"}, {"var": "u"}, {"x": {"var": "t"}}, {"var": 1}, "t"]);
        put_in(&mut value, "t", &json!(0.1));
        assert_eq!(value, json!([0.1, {"var": "u"}, {"x": 0.1}, {"var": 1}, "t"]));
    }

    #[test]
    fn a_program_takes_the_very_same_number() {
        let call = json!({"do": "call", "object": "l", "op": "acquire",
                          "args": {"timeout": {"var": "t"}}});
        let program: Program =
            serde_json::from_value(json!([{"do": "loop", "body": [call]}])).unwrap();
        let put = put_in_any(&program, "t", &json!(0.1)).unwrap();
        let shown = serde_json::to_value(&put).unwrap();
        assert_eq!(shown[0]["body"][0]["args"]["timeout"], json!(0.1));
    }
}
