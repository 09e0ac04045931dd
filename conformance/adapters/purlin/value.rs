//! The shared value of purlin as the suite asks for it.

use purlin_channel::Value as One;
use purlin_conformance::serve::{Arguments, CallResult, Flow, Object};
use purlin_shm::{Carry, Luggage};
use serde_json::Value;

use super::numbers::{
    Fence, Form, LOCK_OPERATIONS, all_meant, ask_lock, count, either, meant, scope, told_once,
};
use super::queue::{done, failed};

/// The kind of object.
pub(super) const KIND: &str = "value";

/// What can be asked of it.
pub(super) const OPERATIONS: [&str; 16] = [
    "get",
    "set",
    "load",
    "store",
    "add",
    "fetch_add",
    "between",
    "is_negative",
    "alternate",
    "seen",
    "copy_and_set",
    "send_handle",
    "acquire",
    "try",
    "release",
    "recover",
];

/// A value of one type, under one kind of lock.
pub(super) struct Number<F: Form, L: Fence>(pub(super) One<F::Plain, L>);

impl<F: Form, L: Fence> Number<F, L> {
    fn told(&self, tell: impl FnOnce(F::Plain) -> Value) -> CallResult {
        L::get(&self.0).map_or_else(failed, |value| CallResult::Value(tell(value)))
    }

    fn set(&self, value: F::Plain) -> CallResult {
        done(L::set(&self.0, value))
    }

    /// Reads, and then writes.
    fn add(&self, n: F::Plain) -> CallResult {
        done(L::get(&self.0).and_then(|before| L::set(&self.0, F::sum(before, n))))
    }

    fn fetch_add(&self, n: F::Plain) -> CallResult {
        let before = F::fetch_add(&self.0, n).map(F::told);
        before.map_or(CallResult::Unsupported, CallResult::Value)
    }

    fn between(&self, args: &Arguments) -> Result<CallResult, CallResult> {
        let (least, most) = (meant::<F>(args.get("least"))?, meant::<F>(args.get("most"))?);
        Ok(self.told(|value| (least <= value && value <= most).into()))
    }

    fn alternate(&self, args: &Arguments) -> Result<CallResult, CallResult> {
        let (values, count) = (all_meant::<F>(args.get("values"))?, count(args, "count")?);
        let mut each = values.iter().cycle().take(count);
        Ok(done(each.try_for_each(|value| L::set(&self.0, *value))))
    }

    fn seen(&self, args: &Arguments) -> Result<CallResult, CallResult> {
        let mut found = Vec::new();
        for _ in 0..count(args, "count")? {
            let value = L::get(&self.0).map_err(failed)?;
            if !found.contains(&value) {
                found.push(value);
            }
        }
        Ok(CallResult::Value(told_once::<F>(found)))
    }

    /// A copy is a new value of what this one is.
    fn copy_and_set(&self, value: F::Plain) -> CallResult {
        let copy = L::get(&self.0).and_then(One::new);
        let set = copy.and_then(|copy| L::set(&self.0, value).map(|()| copy));
        set.map_or_else(failed, |copy| CallResult::Value(F::told(copy.load())))
    }

    /// What a value among the arguments is for.
    fn with_value(&self, op: &str, args: &Arguments) -> Result<CallResult, CallResult> {
        Ok(match op {
            "set" => self.set(meant::<F>(args.get("value"))?),
            "store" => {
                self.0.store(meant::<F>(args.get("value"))?);
                CallResult::ok()
            }
            "add" => self.add(meant::<F>(args.get("n"))?),
            "fetch_add" => self.fetch_add(meant::<F>(args.get("n"))?),
            "copy_and_set" => self.copy_and_set(meant::<F>(args.get("value"))?),
            _ => CallResult::Unsupported,
        })
    }
}

impl<F: Form, L: Fence> Object for Number<F, L> {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        match op {
            "get" if args.is_empty() => self.told(F::told),
            "load" => CallResult::Value(F::told(self.0.load())),
            "is_negative" => self.told(|value| F::is_negative(value).into()),
            "between" => either(self.between(args)),
            "alternate" => either(self.alternate(args)),
            "seen" => either(self.seen(args)),
            "send_handle" => {
                CallResult::Prevented("a message is bytes, and a handle has no such form".into())
            }
            _ if LOCK_OPERATIONS.contains(&op) => ask_lock(L::lock_of(&self.0), op, args),
            _ => either(self.with_value(op, args)),
        }
    }

    fn scope(&self, body: &mut dyn FnMut() -> Flow) -> Flow {
        scope(L::lock_of(&self.0), body)
    }
}

impl<F: Form, L: Fence> Carry for Number<F, L> {
    fn pack(&self, luggage: &mut Luggage) -> Result<(), purlin_shm::Error> {
        self.0.pack(luggage)
    }

    fn unpack(luggage: &mut Luggage) -> Result<Self, purlin_shm::Error> {
        Carry::unpack(luggage).map(Self)
    }
}
