//! The shared array of purlin as the suite asks for it.

use std::any::Any;
use std::ops::Bound;

use purlin_channel::{Array, Error};
use purlin_conformance::serve::{Arguments, CallResult, Flow, Object, Refusal};
use purlin_shm::{Carry, Luggage};
use purlin_sync::RLock;
use serde_json::{Value, json};

use super::numbers::{
    Fence, Form, LOCK_OPERATIONS, Range, all_meant, ask_lock, count, either, meant, scope,
    told_once,
};
use super::queue::{done, failed, refusal};

/// The kind of object.
pub(super) const KIND: &str = "array";

/// What can be asked of it.
pub(super) const OPERATIONS: [&str; 25] = [
    "length",
    "get",
    "set",
    "store",
    "add",
    "read",
    "read_and_change",
    "write",
    "fill",
    "span",
    "iterate",
    "contains",
    "append",
    "delete",
    "text",
    "set_text",
    "raw",
    "set_raw",
    "alternate",
    "seen",
    "send_handle",
    "acquire",
    "try",
    "release",
    "recover",
];

/// An array of one type, under one kind of lock.
pub(super) struct Row<F: Form, L: Fence>(pub(super) Array<F::Plain, L>);

const WHOLE: Range = (Bound::Unbounded, Bound::Unbounded);

impl<F: Form, L: Fence> Row<F, L> {
    /// Writes the text that it is made with, if there is one.
    pub(super) fn begin(&self, args: &Arguments) -> Result<(), Refusal> {
        let Some(text) = args.get("text").and_then(Value::as_str) else { return Ok(()) };
        let bytes = self.bytes().ok_or_else(|| Refusal::unsupported("a text is of bytes"))?;
        bytes.set_text(text.as_bytes(), None).map_err(refusal)
    }

    /// Itself, where it can hold a text.
    fn bytes(&self) -> Option<&Array<u8, RLock>> {
        (&self.0 as &dyn Any).downcast_ref()
    }

    fn set(&self, args: &Arguments) -> Result<CallResult, CallResult> {
        let (index, value) = (count(args, "index")?, meant::<F>(args.get("value"))?);
        Ok(done(L::set_at(&self.0, index, value)))
    }

    /// Passes the lock by.
    fn store(&self, args: &Arguments) -> Result<CallResult, CallResult> {
        let (index, value) = (count(args, "index")?, meant::<F>(args.get("value"))?);
        Ok(done(self.0.store(index, value)))
    }

    /// Reads, and then writes.
    fn add(&self, args: &Arguments) -> Result<CallResult, CallResult> {
        let (index, n) = (count(args, "index")?, meant::<F>(args.get("n"))?);
        let before = L::get_at(&self.0, index).map_err(failed)?;
        Ok(done(L::set_at(&self.0, index, F::sum(before, n))))
    }

    fn read(&self, args: &Arguments) -> Result<CallResult, CallResult> {
        Ok(told::<F>(L::read(&self.0, range(args)?)))
    }

    /// Changes the copy that it got, behind what it tells.
    fn read_and_change(&self, args: &Arguments) -> Result<CallResult, CallResult> {
        let mut copy = L::read(&self.0, range(args)?).map_err(failed)?;
        let before = copy.iter().map(|element| F::told(*element)).collect();
        copy.iter_mut().for_each(|element| *element = F::Plain::default());
        Ok(CallResult::Value(before))
    }

    fn write(&self, args: &Arguments) -> Result<CallResult, CallResult> {
        let elements = all_meant::<F>(args.get("values"))?;
        Ok(done(L::write(&self.0, range(args)?, &elements)))
    }

    fn fill(&self, args: &Arguments) -> Result<CallResult, CallResult> {
        let elements = vec![meant::<F>(args.get("value"))?; self.0.len()];
        Ok(done(L::write(&self.0, WHOLE, &elements)))
    }

    /// One after the other.
    fn each(&self) -> Result<Vec<F::Plain>, Error> {
        (0..self.0.len()).map(|index| L::get_at(&self.0, index)).collect()
    }

    /// The largest difference between two elements that one reading finds.
    fn span(&self, args: &Arguments) -> Result<CallResult, CallResult> {
        let one_by_one = args.get("one_by_one") == Some(&json!(true));
        let mut largest = 0;
        for _ in 0..args.get("rounds").and_then(Value::as_u64).unwrap_or(1) {
            let found = if one_by_one { self.each() } else { L::read(&self.0, WHOLE) };
            let told = found.map_err(failed)?.into_iter().map(F::told);
            let numbers: Vec<i64> = told.filter_map(|element| element.as_i64()).collect();
            let ends = numbers.iter().max().zip(numbers.iter().min());
            largest = largest.max(ends.map_or(0, |(most, least)| most - least));
        }
        Ok(CallResult::Value(largest.into()))
    }

    fn contains(&self, args: &Arguments) -> Result<CallResult, CallResult> {
        let element = meant::<F>(args.get("value"))?;
        let found = L::read(&self.0, WHOLE).map_err(failed)?;
        Ok(CallResult::Value(found.contains(&element).into()))
    }

    /// What only bytes have.
    fn as_text(&self, op: &str, args: &Arguments) -> Result<CallResult, CallResult> {
        let bytes = self.bytes().ok_or(CallResult::Unsupported)?;
        Ok(match op {
            "text" => {
                let text = bytes.text(None).map_err(failed)?;
                CallResult::Value(String::from_utf8_lossy(&text).into())
            }
            "set_text" => {
                let text = args.get("text").and_then(Value::as_str);
                let times = count(args, "times").unwrap_or(1);
                let text = text.ok_or(CallResult::Unsupported)?.repeat(times);
                done(bytes.set_text(text.as_bytes(), None))
            }
            "raw" => CallResult::Value(json!(bytes.read(.., None).map_err(failed)?)),
            _ => {
                let raw = all_meant::<u8>(args.get("bytes"))?;
                done(bytes.write(..raw.len(), &raw, None))
            }
        })
    }

    fn alternate(&self, args: &Arguments) -> Result<CallResult, CallResult> {
        let (index, values) = (count(args, "index")?, all_meant::<F>(args.get("values"))?);
        let mut each = values.iter().cycle().take(count(args, "count")?);
        Ok(done(each.try_for_each(|value| L::set_at(&self.0, index, *value))))
    }

    fn seen(&self, args: &Arguments) -> Result<CallResult, CallResult> {
        let index = count(args, "index")?;
        let mut found = Vec::new();
        for _ in 0..count(args, "count")? {
            let value = L::get_at(&self.0, index).map_err(failed)?;
            if !found.contains(&value) {
                found.push(value);
            }
        }
        Ok(CallResult::Value(told_once::<F>(found)))
    }
}

impl<F: Form, L: Fence> Object for Row<F, L> {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        match op {
            "length" => CallResult::Value(self.0.len().into()),
            "get" => either(count(args, "index").map(|index| {
                let found = L::get_at(&self.0, index);
                found.map_or_else(failed, |element| CallResult::Value(F::told(element)))
            })),
            "set" => either(self.set(args)),
            "store" => either(self.store(args)),
            "add" => either(self.add(args)),
            "read" => either(self.read(args)),
            "read_and_change" => either(self.read_and_change(args)),
            "write" => either(self.write(args)),
            "fill" => either(self.fill(args)),
            "span" => either(self.span(args)),
            "iterate" => told::<F>(self.each()),
            "contains" => either(self.contains(args)),
            "append" | "delete" => {
                CallResult::Prevented("an array's length is fixed: there is no such call".into())
            }
            "text" | "set_text" | "raw" | "set_raw" => either(self.as_text(op, args)),
            "alternate" => either(self.alternate(args)),
            "seen" => either(self.seen(args)),
            "send_handle" => {
                CallResult::Prevented("a message is bytes, and a handle has no such form".into())
            }
            _ if LOCK_OPERATIONS.contains(&op) => ask_lock(L::lock_of_row(&self.0), op, args),
            _ => CallResult::Unsupported,
        }
    }

    fn scope(&self, body: &mut dyn FnMut() -> Flow) -> Flow {
        scope(L::lock_of_row(&self.0), body)
    }
}

impl<F: Form, L: Fence> Carry for Row<F, L> {
    fn pack(&self, luggage: &mut Luggage) -> Result<(), purlin_shm::Error> {
        self.0.pack(luggage)
    }

    fn unpack(luggage: &mut Luggage) -> Result<Self, purlin_shm::Error> {
        Carry::unpack(luggage).map(Self)
    }
}

/// `start` and `end` among the arguments. There are no steps, and no places from the end.
fn range(args: &Arguments) -> Result<Range, CallResult> {
    let place = |name: &str| args.get(name).map(|_| count(args, name)).transpose();
    if args.contains_key("step") {
        return Err(CallResult::Unsupported);
    }
    let start = place("start")?.map_or(Bound::Unbounded, Bound::Included);
    Ok((start, place("end")?.map_or(Bound::Unbounded, Bound::Excluded)))
}

fn told<F: Form>(found: Result<Vec<F::Plain>, Error>) -> CallResult {
    let told = found.map(|elements| elements.into_iter().map(F::told).collect());
    told.map_or_else(failed, CallResult::Value)
}
