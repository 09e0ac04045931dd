//! Lists, dictionaries, records, values, arrays and objects of registered types, at a server.

use purlin_conformance::serve::{Arguments, CallResult, Functions};
use purlin_manager::{Array, Dict, Error, List, Namespace, Object as Thing, Value as One};
use serde_json::{Value, json};

use super::element::{Element, Formless};
use super::{Done, Managed, failed, locked, null, prevented};
use crate::adapter::purlin::numbers::Form;

impl Managed {
    pub(super) fn ask_list(
        &self,
        list: &List<Element>,
        op: &str,
        args: &Arguments,
        functions: &Functions<'_>,
    ) -> Done<Value> {
        let item = || Element::of(args, "item", functions);
        match op {
            "length" => list.len().map(Value::from).map_err(failed),
            "get" => list.get(place(args)?).map_err(failed)?.told(args, Some(functions)),
            "set" => list.set(place(args)?, &item()?).map(null).map_err(failed),
            "append" => list.push(&item()?).map(null).map_err(failed),
            "insert" => list.insert(place(args)?, &item()?).map(null).map_err(failed),
            "remove" => list.remove(&item()?).map(null).map_err(failed),
            "pop" => list.pop().map_err(failed)?.told(args, Some(functions)),
            "extend" => list.extend(super::elements(args)).map(null).map_err(failed),
            "reverse" => list.reverse().map(null).map_err(failed),
            "count" => list.count_of(&item()?).map(Value::from).map_err(failed),
            "index" => list.place_of(&item()?).map(Value::from).map_err(failed),
            "read" => read(list, args),
            "repeat" => list.repeat(number(args, "times")?).map(null).map_err(failed),
            "joined" => {
                let more = args.get("values").and_then(Value::as_array).cloned();
                let Value::Array(values) = read(list, args)? else { return Ok(Value::Null) };
                Ok(values.into_iter().chain(more.unwrap_or_default()).collect())
            }
            "walk" => {
                *locked(&self.walk) = Some(0);
                Ok(Value::Null)
            }
            "next" => self.next_of(list),
            "append_unsendable" => {
                list.push(&Element::Formless(Formless)).map(null).map_err(failed)
            }
            "call" => Err(prevented("what a List has no function for cannot be called")),
            "fill" => list.replace(numbers(args)?).map(null).map_err(failed),
            _ => of_copies(list, op, args),
        }
    }

    fn next_of(&self, list: &List<Element>) -> Done<Value> {
        let mut walk = locked(&self.walk);
        let Some(place) = &mut *walk else { return Err(CallResult::Unsupported) };
        match list.get(*place) {
            Err(Error::OutOfRange) => Err(CallResult::failed("stop-iteration", "its end")),
            Err(error) => Err(failed(error)),
            Ok(element) => {
                *place += 1;
                element.told(&Arguments::new(), None)
            }
        }
    }

    pub(super) fn ask_dict(
        &self,
        dict: &Dict<Element, Element>,
        op: &str,
        args: &Arguments,
        functions: &Functions<'_>,
    ) -> Done<Value> {
        let key = || args.get("key").map(Element::plain).ok_or(CallResult::Unsupported);
        let tell = |elements: Vec<Element>| elements.into_iter().map(told).collect::<Done<_>>();
        match op {
            "length" => dict.len().map(Value::from).map_err(failed),
            "get" => match (dict.get(&key()?).map_err(failed)?, args.get("or")) {
                (Some(found), _) => found.told(args, Some(functions)),
                (None, Some(other)) => Ok(other.clone()),
                (None, None) => Err(CallResult::failed("no-such-name", "there is no such key")),
            },
            "set" => {
                let value = Element::of(args, "value", functions)?;
                dict.insert(&key()?, &value).map(|_| Value::Null).map_err(failed)
            }
            "contains" => dict.contains(&key()?).map(Value::from).map_err(failed),
            "keys" => tell(dict.keys().map_err(failed)?),
            "values" => tell(dict.values().map_err(failed)?),
            "read" => dict.items().map_err(failed)?.into_iter().map(told_pair).collect(),
            "pop" => {
                let taken = dict.remove(&key()?).map_err(failed)?;
                taken.map_or_else(
                    || Err(CallResult::failed("no-such-name", "there is no such key")),
                    |taken| taken.told(args, Some(functions)),
                )
            }
            "clear" => dict.clear().map(null).map_err(failed),
            "walk" | "next" => Err(prevented("who walks a Dict walks a copy of what was in it")),
            _ => Err(CallResult::Unsupported),
        }
    }
}

impl Managed {
    pub(super) fn ask_thing(&self, thing: &Thing, op: &str, args: &Arguments) -> Done<Value> {
        match op {
            "call" => {
                let method = args.get("method").and_then(Value::as_str).unwrap_or_default();
                let called = thing.call::<_, String>(method, &());
                called.map(Value::from).map_err(|error| {
                    *locked(&self.failure) = error.to_string();
                    failed(error)
                })
            }
            "next" => thing.next::<u64>().map(Value::from).map_err(failed),
            "failure" => {
                let text = args.get("has").and_then(Value::as_str).unwrap_or_default();
                Ok(locked(&self.failure).contains(text).into())
            }
            _ => Err(CallResult::Unsupported),
        }
    }
}

/// What is about the copies that calls return.
fn of_copies(list: &List<Element>, op: &str, args: &Arguments) -> Done<Value> {
    match op {
        "get_and_change" => {
            let before = told(list.get(place(args)?).map_err(failed)?)?;
            let mut copy = before.as_array().cloned().unwrap_or_default();
            copy.push("changed".into());
            Ok(before)
        }
        "change_and_set" => {
            let place = place(args)?;
            let mut copy = told(list.get(place).map_err(failed)?)?;
            if let Value::Array(values) = &mut copy {
                values.push(args.get("item").cloned().unwrap_or_default());
            }
            list.set(place, &Element::plain(&copy)).map(null).map_err(failed)
        }
        "read_for_ever" => loop {
            list.to_vec().map_err(failed)?;
        },
        // What the stand-in itself compares is which object it is of; a list of another type is
        // no stand-in.
        "equals" if args.contains_key("copy") => {
            Ok((Some(&read(list, &Arguments::new())?) == args.get("values")).into())
        }
        "equals" => Err(prevented("a List is compared with Lists alone")),
        _ => Err(CallResult::Unsupported),
    }
}

fn read(list: &List<Element>, args: &Arguments) -> Done<Value> {
    let bound = |name: &str| args.get(name).and_then(Value::as_u64).map(|bound| bound as usize);
    let (start, end) = (bound("start").unwrap_or(0), bound("end").unwrap_or(usize::MAX));
    let elements = list.read(start..end).map_err(failed)?;
    if let Some(of) = args.get("count").map(ToString::to_string) {
        let is_of = |element: &&Element| matches!(element, Element::Plain(text) if *text == of);
        return Ok(elements.iter().filter(is_of).count().into());
    }
    elements.into_iter().map(told).collect()
}

fn numbers(args: &Arguments) -> Done<Vec<Element>> {
    let count = number(args, "over")?;
    Ok((0..count).map(|number| Element::plain(&number.into())).collect())
}

fn told(element: Element) -> Done<Value> {
    element.told(&Arguments::new(), None)
}

fn told_pair((key, value): (Element, Element)) -> Done<Value> {
    Ok(json!([told(key)?, told(value)?]))
}

pub(super) fn ask_record(
    record: &Namespace,
    op: &str,
    args: &Arguments,
    functions: &Functions<'_>,
) -> Done<Value> {
    let name = args.get("name").and_then(Value::as_str).ok_or(CallResult::Unsupported)?;
    match op {
        "get" => record.get::<Element>(name).map_err(failed)?.told(args, Some(functions)),
        "set" if name.starts_with('_') => {
            Err(prevented("a stand-in has no fields of its own, whatever their names"))
        }
        "set" => {
            let value = Element::of(args, "value", functions)?;
            record.set(name, &value).map(null).map_err(failed)
        }
        "delete" => record.remove(name).map(null).map_err(failed),
        _ => Err(CallResult::Unsupported),
    }
}

pub(super) fn ask_one<F: Form>(one: &One<F::Plain>, op: &str, args: &Arguments) -> Done<Value> {
    match op {
        "get" => one.get().map(F::told).map_err(failed),
        "set" => one.set(&meant::<F>(args.get("value"))?).map(null).map_err(failed),
        "add" => {
            let n = meant::<F>(args.get("n"))?;
            let sum = F::sum(one.get().map_err(failed)?, n);
            one.set(&sum).map(null).map_err(failed)
        }
        _ => Err(CallResult::Unsupported),
    }
}

pub(super) fn ask_row<F: Form>(row: &Array<F::Plain>, op: &str, args: &Arguments) -> Done<Value> {
    match op {
        "length" => row.len().map(Value::from).map_err(failed),
        "get" => row.get(place(args)?).map(F::told).map_err(failed),
        "set" => {
            let value = meant::<F>(args.get("value"))?;
            row.set(place(args)?, &value).map(null).map_err(failed)
        }
        "read" => Ok(row.to_vec().map_err(failed)?.into_iter().map(F::told).collect()),
        _ => Err(CallResult::Unsupported),
    }
}

fn meant<F: Form>(value: Option<&Value>) -> Done<F::Plain> {
    let value = value.ok_or(CallResult::Unsupported)?;
    F::of(value).ok_or_else(|| prevented("it is of another type"))
}

fn place(args: &Arguments) -> Done<usize> {
    number(args, "index").map(|place| place as usize)
}

fn number(args: &Arguments, name: &str) -> Done<u64> {
    let none = || prevented("a place is a whole number that is not negative");
    args.get(name).ok_or(CallResult::Unsupported)?.as_u64().ok_or_else(none)
}
